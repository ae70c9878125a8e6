/* SPDX-License-Identifier: GPL-2.0-only */
/* What is observed: which allocators, by which programs, and what they are called. */
#ifndef ALLOCATORS_H
#define ALLOCATORS_H

#include <stdbool.h>
#include <linux/types.h>
#include "table.h"
#include "abi.h"
#include "kmemleak.h"

struct kmemleak;

/* For the command line: NULL if @list will do, else what is wrong with it. */
const char *check_allocators(const char *list);

/* Switches off all programs but those that the functions below switch on. Before load. */
void allocators_none(struct kmemleak *skel);

/*
 * Switches on the programs of the kernel's allocators in @list (NULL: of all), of those whose events
 * this kernel has. Before load. Returns 0, a negative errno, or, when there is nothing to observe,
 * an exit status after having told so.
 */
int allocators_choose(struct kmemleak *skel, const char *list);

/* Tells of frees that cannot be seen on this kernel. */
void allocators_tell_unseen(void);

/* Does program @name only make up for what the kernel skips of another one, or is such a one? */
bool allocators_doubled(const char *name);

/*
 * Frees that neither of two programs saw, so far. May be lower than what it comes to when programs
 * are running.
 */
uint64_t allocators_skipped(struct kmemleak *skel);

/* What is allocated at @site, in words. */
void cell_allocator(struct cell *cell, const struct site *site);

/*
 * Takes the allocator's and the tracing's own functions from the top of @chain, which has a kernel
 * part: it begins with who called the allocator at @site.
 */
void trim_chain(struct symbols *symbols, struct callchain *chain, const struct site *site);

/* Is the site's address one of code? */
bool site_has_address(const struct site *site);

/* Are some frees seen only when they are over? To be asked after allocators_choose(). */
bool allocators_free_late(const struct kmemleak *skel);

#endif
