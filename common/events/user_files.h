/* SPDX-License-Identifier: GPL-2.0-only */
/* The programs and libraries that probes in users' code are meant for. */
#ifndef COMMON_EVENTS_USER_FILES_H
#define COMMON_EVENTS_USER_FILES_H

#include "events/kind.h"

/*
 * Calls @read with each file that @search is about: the one that its spec names, as a path, or
 * barely as libraries are, or what its process has mapped as code. Files of a process that @read
 * cannot read (a negative errno) are passed by. Returns 0 or, after having filled the search's
 * error, a negative errno.
 */
int user_files_each(const struct event_search *search,
		    int (*read)(const struct event_search *search, const char *path));

/* The process whose files @search is about as its spec says, or 0. */
pid_t user_files_process(const struct event_search *search);

#endif
