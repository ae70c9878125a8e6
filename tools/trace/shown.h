/* SPDX-License-Identifier: GPL-2.0-only */
/* How the events of -e are handed over, and how each is shown: as a line of text, or as JSON. */
#ifndef TRACE_SHOWN_H
#define TRACE_SHOWN_H

#include <linux/types.h>
#include "abi.h"
#include "events/engine.h"
#include "symbols.h"
#include "trace.h"
#include "writer.h"

/*
 * For engine_find(): has the event's program hand over what its fields need, and @frames of each part of
 * the stack (0: none). Tells what is wrong; returns an exit status.
 */
int shown_fill(struct engine_event *event, unsigned int frames);

/* What names it: alias= or its own name. */
const char *shown_name(const struct engine_event *event);

/* Whose names addresses have; NULL: nobody's. Before anything is written. */
void shown_symbols(struct symbols *symbols);

/* A line of text, and one for each frame of the stack; or an object, without a line's end. */
void shown_write_text(struct writer *w, const struct trace_record *record, unsigned int cpu);
void shown_write_json(struct writer *w, const struct trace_record *record, unsigned int cpu);

/* What fields there are of the event: a line each. */
void shown_write_help(struct writer *w, const struct engine_event *event);

void shown_free(void);

#endif
