/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMMON_HEATMAP_H
#define COMMON_HEATMAP_H

/*
 * Heat maps: how a distribution changes with time. Columns are time, rows are ranges of
 * durations on a logarithmic scale, and a cell's colour is how many fell into it.
 *
 * Memory is bounded however long the run: when time goes past the last column, neighbouring
 * columns are merged, each then twice as long, and nothing is lost but resolution.
 *
 * Functions that can fail return 0 or a negative errno.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Columns kept unless told otherwise, and different ranges at most: some 5 MB together. */
#define HEATMAP_COLUMNS 600
#define HEATMAP_RANGES	1024

struct heatmap_opts {
	const char *title;    /* "rundelay"; NULL is "Heat map" */
	const char *subtitle; /* what was observed; may be NULL */
	const char *unit;     /* what is counted, plural; NULL is "events" */
	uint64_t start;	      /* of the run: ns since the epoch */
	uint64_t column_ns;   /* duration of a column at first, usually the report interval */
	size_t max_columns;   /* 0 is HEATMAP_COLUMNS; an odd number is raised by one */
};

struct heatmap;

/* An empty map; its texts are copied. NULL when memory is short, or column_ns is 0 or past 2^61. */
struct heatmap *heatmap_new(const struct heatmap_opts *opts);

/* NULL is ignored. */
void heatmap_free(struct heatmap *hm);

/*
 * Adds @count to the cell of the durations [@lo_ns, @hi_ns), which are a histogram bucket's
 * bounds, at @time_ns since the start. For a histogram of an interval, give a time in the middle
 * of it: then reports that come a little early or late still have a column each.
 *
 * -EINVAL when the range is empty or the time is more than 73 years (2^61 ns), -ENOSPC past
 * HEATMAP_RANGES different ranges, which a log-linear histogram of 16 buckets for each power
 * of two never has, -EOVERFLOW when the sum of counts would not fit 64 bits, -ENOMEM; the map
 * is then as it was.
 */
int heatmap_add(struct heatmap *hm, uint64_t time_ns, uint64_t lo_ns, uint64_t hi_ns,
		uint64_t count);

/*
 * Writes the cells as text: lines that begin with '#' say when the run started and how long a
 * column is; then one line "TIME_NS LO_NS HI_NS COUNT" for each cell that is not empty, ordered
 * by the first two. TIME_NS is the column's begin, since the start.
 */
int heatmap_write_lat(struct heatmap *hm, FILE *f);

/* Writes the picture. Its clock is the local one (TZ). */
int heatmap_write_svg(struct heatmap *hm, FILE *f);

#endif
