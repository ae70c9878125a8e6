/* SPDX-License-Identifier: GPL-2.0-only */
/* What the unit tests of common/ share: files, what is told, reports and what they are made of. */
#ifndef UNIT_TEST_HELPERS_H
#define UNIT_TEST_HELPERS_H

/* cmocka wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <json-c/json.h>
#include <stdbool.h>
#include "report.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define REPLACEMENT  "\xef\xbf\xbd"

/* Random numbers (xorshift), the same each time. From a state of 0 it would not get away. */
extern uint64_t random_state;
uint64_t random64(void);

/* Files */

/*
 * A folder of the program's own. These are for a group of tests: the second fails if anything was
 * left in it.
 */
int folder_make(void **state);
int folder_remove(void **state);

/* The path of @name in there. Good for some calls. */
const char *path_of(const char *name);

/* Removes what is in there, and how many names those are. */
void folder_empty(void);
unsigned int folder_count(void);

/* What is in a file; NULL if it is not there. Good for some calls. */
const char *content(const char *path);
void check_content(const char *path, const char *expected);
void write_file(const char *path, const char *text);

/* Descriptors that this process has open. */
unsigned int open_files(void);

/* What is told on stderr from the one call to the other, which returns it, valid until the next. */
void catch_begin(void);
const char *catch_end(void);

/* That @told is one line of the unit "tester", and @mentioned occurs in it. */
void check_told(const char *told, const char *mentioned);

/* Reports */

/* 2026-01-02T03:04:05.678901Z, and two hours later by the clocks here, once they are set so. */
#define WHEN	   1767323045678901234ULL
#define WHEN_LOCAL "05:04:05.678901"
void set_clocks(void);

/* A report of "rundelay" at WHEN over 2.5 s, without rows. */
void begin(struct report *r, const struct layout *rows);
void end(struct report *r);

/* Adds @value @times, to the bucket whose bounds it is in. */
void add_value(struct hist *h, uint64_t value, uint64_t times);

/* A chain that has @count frames. */
struct callchain *chain_of(const struct frame *frames, unsigned int count);

/* What @renderer prints for @r, nowhere near a terminal; to be freed. */
char *render_with(const struct renderer *renderer, const struct report *r);

/* Text that has been printed, in lines. */
struct page {
	char *text;
	char *lines[256];
	size_t count;
};

/* Takes @text over and cuts it up. */
void page_of(struct page *p, char *text);
void page_free(struct page *p);

/* Refreshes a terminal of @lines with @r as text; returns what it gets there, to be freed. */
char *render_on_terminal(const struct report *r, unsigned int lines);

/* What stays on the terminal once it has been cleared. */
char *cleared(char *text);

size_t newlines(const char *text);

/* JSON */

/* The object in @text, which is one line and nothing else; to be put. */
json_object *parse_line(const char *text);
json_object *render_and_parse(const struct report *r);

/* These fail if there is no such member. */
json_object *member(json_object *object, const char *name);
void check_number(json_object *object, const char *name, uint64_t expected);
void check_string(json_object *object, const char *name, const char *expected);
void check_null(json_object *object, const char *name);

/* Element @index of the array @name, which has @count; NULL if that is 0. */
json_object *element(json_object *object, const char *name, size_t index, size_t count);

#endif
