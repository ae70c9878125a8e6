/* SPDX-License-Identifier: GPL-2.0-only */
/* Shows the place in a text at which something is wrong with it. */
#ifndef COMMON_CARET_H
#define COMMON_CARET_H

#include <stddef.h>

/*
 * Puts two lines into @buf of @size bytes: the one of @text that its byte @at is in, and a caret
 * below that place, both indented by two columns and without a last line's end. A long line is cut
 * off around the place; tabs and control characters become spaces, so that columns agree.
 */
void caret_lines(char *buf, size_t size, const char *text, size_t at);

#endif
