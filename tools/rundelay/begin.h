/* SPDX-License-Identifier: GPL-2.0-only */
/* rundelay with -g: waits by how and where they began. */
#ifndef RUNDELAY_BEGIN_H
#define RUNDELAY_BEGIN_H

#include "unit.h"

struct rundelay;
struct beginning;

/* What is known of how a wait began, in this order: cells of a row. */
enum {
	BEGIN_CAUSE,
	BEGIN_BY,
	BEGIN_BY_PID,
	BEGIN_CELLS
};

/* Their columns, from [BEGIN_CAUSE] on. */
#define BEGIN_COLUMNS                                                 \
	{ .name = "cause", .type = CELL_STRING, .level = true },      \
		{ .name = "by", .type = CELL_STRING, .level = true }, \
	{                                                             \
		.name = "by_pid", .title = "by pid", .type = CELL_ID  \
	}

/* Fills the cells of @begin from @cells[0] on, and @stack. */
void begin_fill(struct session *s, struct cell *cells, struct cell *stack,
		const struct beginning *begin);

/* The rows of a report. */
const struct layout *begin_rows(void);

/* Sizes what @skel needs for it, for @threads threads. Before load. Returns 0 or a negative errno. */
int begin_open(struct session *s, struct rundelay *skel, unsigned int threads);

/* As in struct unit. */
int begin_take(struct session *s, unsigned int half);
int begin_report(struct session *s, unsigned int half, struct table *rows);
int begin_empty(struct session *s, unsigned int half);

void begin_free(void);

#endif
