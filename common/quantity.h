/* SPDX-License-Identifier: GPL-2.0-only */
/* Times, sizes and counts as people write and read them. */
#ifndef COMMON_QUANTITY_H
#define COMMON_QUANTITY_H

#include <stdint.h>

#define NSEC_PER_USEC 1000ULL
#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_SEC  1000000000ULL

/* Room for any quantity printed by the functions below, with its final NUL. */
#define QUANTITY_LEN 32

/*
 * A decimal number with `ns`, `us`, `ms`, `s` or `m` (minutes) behind it; a bare number counts in
 * units of @bare ns. Returns 0 and the time in ns, -EINVAL for anything else, -ERANGE for what 64
 * bits cannot hold.
 */
int parse_time(const char *text, uint64_t bare, uint64_t *ns);

/* The same for bytes: `k`, `M`, `G`, `T` (powers of 1024; an `iB` or `B` may follow) or bare. */
int parse_size(const char *text, uint64_t *bytes);

/* A whole number in decimal, nothing before or behind it. The same errors. */
int parse_count(const char *text, uint64_t *count);

/*
 * The following print into @buf, which has QUANTITY_LEN bytes, and return it. Times and sizes get
 * the largest unit that leaves a number of at least 1 and four significant digits; what is a whole
 * number of ns or bytes below 1000 is printed as such.
 */
const char *format_time(char *buf, uint64_t ns);
const char *format_size(char *buf, uint64_t bytes);
const char *format_count(char *buf, uint64_t count);  /* 1,234,567 */
const char *format_number(char *buf, int64_t number); /* -1,234,567 */

/* The same as format_time(), without zeros behind the point: for bounds such as `512 us`. */
const char *format_bound(char *buf, uint64_t ns);

#endif
