/* SPDX-License-Identifier: GPL-2.0-only */
/* --alloc and --free: objects of any tracepoints that name them. */
#ifndef PAIR_H
#define PAIR_H

struct kmemleak;

/* For the command line: NULL if @list of events will do, else what is wrong with it. */
const char *check_alloc_events(const char *list);
const char *check_free_events(const char *list);

/*
 * Looks the events of @alloc and @free up, tells the programs where their fields are, and switches
 * the programs on. Before load. Returns 0 or, after having told what is wrong, an exit status.
 */
int pair_choose(struct kmemleak *skel, const char *alloc, const char *free);

/* After load. Returns an exit status. */
int pair_attach(struct kmemleak *skel);
void pair_detach(void);

/* What event @number of --alloc is called. */
const char *pair_name(unsigned int number);

#endif
