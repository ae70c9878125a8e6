/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of this unit are to each other. */
#ifndef LIST_H
#define LIST_H

#include <stdio.h>
#include "events/event.h"

/* One line of a list: @event's name, in @width columns, and what there is to say of it. */
void print_line(FILE *to, const struct event *event, int width);

/* All about @event: its fields, and an example. */
void print_all(FILE *to, const struct event *event);

/* @event as a JSON object; with its fields and example if they are @wanted. */
void print_json(FILE *to, const struct event *event, bool wanted);

/* A command line that runs as it is and shows @event; the caller's to free. */
char *example_of(const struct event *event);

#endif
