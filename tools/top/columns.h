/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The columns of numbers that the events of -e fill: what each counts or adds up, and what it is
 * called. All events that a name with wildcards stands for fill the same.
 */
#ifndef COLUMNS_H
#define COLUMNS_H

#include <linux/types.h>
#include "abi.h"
#include "events/engine.h"
#include "table.h"
#include "top.h"

struct sum_column {
	const char *expression; /* NULL: events are counted */
	char *name;		/* of its own among all */
	bool sorts;		/* top-by= */
	bool is_signed;
};

struct sum_columns {
	struct sum_column column[MOST_COLUMNS];
	unsigned int count;

	const struct spec_list *specs;
	unsigned int *first; /* of each spec, and behind the last one */
};

/* What @specs fill. Tells what is wrong; returns an exit status. */
int columns_read(struct sum_columns *c, const struct spec_list *specs);
void columns_free(struct sum_columns *c);

/* Compiles what @event fills. Tells what is wrong; returns an exit status. */
int columns_fill(struct sum_columns *c, struct engine_event *event);

/*
 * What @sum is, in two's complement where the column's values may be below 0. False: it does not fit in
 * 64 bits.
 */
bool column_sum(const struct sum_column *column, const struct top_sum *sum, uint64_t *value);

/* Is a row with the sums @a (of all columns) to stand before one with @b (below 0), or behind it? */
int columns_compare(const struct sum_columns *c, const struct top_sum *a, const struct top_sum *b);

#endif
