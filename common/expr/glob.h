/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The globs of expressions: those of comm_glob.h, but one alone. A comma stands for itself.
 */
#ifndef COMMON_EXPR_GLOB_H
#define COMMON_EXPR_GLOB_H

#include <stdbool.h>
#include <stddef.h>
#include "comm_glob.h"

/* What is wrong with @pattern; NULL: nothing. */
const char *glob_wrong(const char *pattern);

/* Does the whole of @text match @pattern, with which nothing is wrong? */
bool glob_matches(const char *pattern, const char *text);

/* Compiles @pattern, which is not empty. Returns 0, -EINVAL or -E2BIG as comm_glob_compile() does. */
int glob_compile(const char *pattern, struct comm_glob *glob);

/*
 * If @pattern is plain characters with nothing or one `*` behind them: puts the characters, at most
 * @size with the NUL, into @plain, says in @open whether the `*` is there, and returns true.
 */
bool glob_is_plain(const char *pattern, char *plain, size_t size, bool *open);

#endif
