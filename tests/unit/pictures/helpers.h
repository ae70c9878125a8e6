/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PICTURES_HELPERS_H
#define PICTURES_HELPERS_H

/*
 * What the picture tests share: an allocator that counts and fails when told to (it takes the
 * place of malloc() and its kin by the linker's --wrap), and a look at markup.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

/* The @nth allocation from now on fails, and all after it; 0 is none. */
void memory_fail_from(unsigned long nth);

/* Bytes that are allocated now, and the most since memory_reset_peak(). */
size_t memory_live(void);
size_t memory_peak(void);
void memory_reset_peak(void);

/* A file with @text in it. */
FILE *file_of(const char *text);

/* A file to write to, and then what was written; it is closed, and the text is to be freed. */
FILE *capture(void);
char *captured(FILE *f);

/*
 * Fails the test unless @text is one well-formed XML element of valid UTF-8, and nothing in it
 * refers to anything outside: no DTD, no entity of its own, no address but names of namespaces.
 */
void assert_self_contained(const char *text);

/* How often @what occurs in @text. */
size_t occurrences(const char *text, const char *what);

#endif
