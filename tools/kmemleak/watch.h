/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which call sites are suspicious: their live objects become more and more, or take much memory.
 * Only of these are stacks taken.
 */
#ifndef WATCH_H
#define WATCH_H

#include <linux/types.h>
#include "table.h"
#include "tally.h"

struct watch;

/* NULL when memory is short. */
struct watch *watch_new(void);
void watch_free(struct watch *w);

/*
 * Takes note of what a walk found, @groups (struct group_key: struct group), and sets the bits of
 * the sites whose stacks are wanted from now on.
 */
void watch_update(struct watch *w, const struct tally *groups, volatile __u64 *bits);

/* Puts the number of sites of @groups in @sites, and of those whose stacks are taken in @with. */
void watch_about(const struct watch *w, const struct tally *groups, bool exact, struct cell *sites,
		 struct cell *with);

#endif
