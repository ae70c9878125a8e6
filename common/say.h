/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a unit tells the person who runs it, beside its reports: one line each, on stderr, headed by
 * the unit's name. And how it ends.
 */
#ifndef COMMON_SAY_H
#define COMMON_SAY_H

#include <stdbool.h>

/* Exit statuses; with `-- CMD`, CMD's own when the unit itself succeeded. */
enum exit_status {
	EXIT_DONE = 0,	   /* done */
	EXIT_FAILED = 1,   /* failed while running */
	EXIT_USAGE = 2,	   /* bad usage */
	EXIT_NOT_HELD = 3, /* an assertion or a baseline comparison did not hold */
	EXIT_CANNOT = 4,   /* this kernel, hardware or privilege cannot do it */
};

/* Names the unit and says how much is wanted. @name is kept, not copied. */
void say_setup(const char *name, bool verbose, bool quiet);

/* What went wrong and what to do. Always shown. */
void say_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same of several lines; the name heads the first one. */
void say_error_lines(const char *text);

/* What the reader of the figures should know. Not shown with -q. */
void say_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How the unit goes about it. Shown with -v. */
void say_detail(const char *format, ...) __attribute__((format(printf, 1, 2)));

bool say_is_verbose(void);

#endif
