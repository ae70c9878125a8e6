/* SPDX-License-Identifier: GPL-2.0-only */
/* Globs for thread names, compiled for the programs (struct comm_glob in abi.h). */
#ifndef COMMON_COMM_GLOB_H
#define COMMON_COMM_GLOB_H

#include <stdbool.h>
#include <linux/types.h>
#include "abi.h"

/*
 * Compiles @patterns, a comma-separated list. In a pattern `*` stands for any characters, `?` for
 * one, `[a-z]` and `[!a-z]` for one of a set; `\` takes the next character as it is. A name matches
 * if a pattern matches all of it.
 *
 * Returns 0, -EINVAL for an empty pattern or a set that does not end, -E2BIG if the patterns
 * together stand for more than 64 characters less one a pattern: their positions share one word.
 */
int comm_glob_compile(const char *patterns, struct comm_glob *glob);

/* What the programs do with it: does the whole of @name match? */
bool comm_glob_match(const struct comm_glob *glob, const char *name);

#endif
