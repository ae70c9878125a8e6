/* SPDX-License-Identifier: GPL-2.0-only */
/* --alloc and --free: objects of any events whose expressions tell them. */
#ifndef PAIR_H
#define PAIR_H

#include <stdbool.h>
#include <stdint.h>
#include "options.h"

struct kmemleak;

/* For the command line: take events. See engine_add(). */
const char *pair_add_allocs(const char *list);
const char *pair_add_frees(const char *list);

/* Are there such events? */
bool pair_given(void);

/* Are they in users' code? */
bool pair_is_in_process(void);

/* Says what is wrong with what was given, or NULL; it is static. */
const char *pair_check(void);

/* Finds the events and compiles their expressions. Before the skeleton is opened. An exit status. */
int pair_find(const struct settings *settings);

/* Switches the programs of @skel on; @follow: the children of a command are chosen too. Before load. */
void pair_choose(struct kmemleak *skel, bool follow);

/* After load. Returns an exit status. */
int pair_attach(struct kmemleak *skel, const struct settings *settings);

/* How often the kernel skipped the programs, as far as it counts that. */
uint64_t pair_skipped(void);

void pair_free(void);

/* What event @number, of all, is called. */
const char *pair_name(unsigned int number);

#endif
