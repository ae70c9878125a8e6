/* SPDX-License-Identifier: GPL-2.0-only */
/* The functions on the stacks of a table's rows: what they took themselves, and with their callees. */
#ifndef COMMON_FUNCTIONS_H
#define COMMON_FUNCTIONS_H

#include "table.h"

extern const struct layout functions_layout;

/*
 * Fills @functions, of functions_layout, with the functions on the stacks of @rows, weighted by the
 * column that says what they add up to. One that calls itself counts once.
 */
void functions_fill(struct table *functions, const struct table *rows);

/* The function that took most itself. */
struct functions_hottest {
	const char *name; /* valid until frame_label() is called again */
	uint64_t self, all;
};

/* Finds it on the stacks of @rows; false if there are none. */
bool functions_hottest(const struct table *rows, struct functions_hottest *hottest);

#endif
