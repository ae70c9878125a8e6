/* SPDX-License-Identifier: GPL-2.0-only */
/* Events shown to people and to programs: as lines of text, and as JSON objects. */
#ifndef COMMON_EVENTS_SHOW_H
#define COMMON_EVENTS_SHOW_H

#include <stdio.h>
#include "events/event.h"

/* One line of a list: @event's name, in @width columns, and what there is to say of it. */
void event_print_line(FILE *to, const struct event *event, int width);

/* All about @event, whose fields have been read: these, and an example. */
void event_print_all(FILE *to, const struct event *event);

/* @event as a JSON object; with its fields, which have been read, and an example if @wanted. */
void event_print_json(FILE *to, const struct event *event, bool wanted);

/*
 * A command line that runs as it is and shows @event, whose fields have been read; the caller's to
 * free.
 */
char *event_example(const struct event *event);

#endif
