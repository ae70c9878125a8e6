/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * --flame-graph FILE: the stacks of reports as FILE.folded and FILE.svg. With intervals, the folded
 * stacks of each begin with the time of its beginning, each has a picture of its own,
 * FILE-YYYYMMDD_HHMMSS.svg, and FILE.svg shows all of them together.
 */
#ifndef COMMON_FLAMES_H
#define COMMON_FLAMES_H

#include "flamegraph.h"
#include "table.h"

struct flames;

/*
 * @path and the strings of @look are kept, not copied. With @stamped, reports are of intervals; with
 * @latest, they tell what there is, not what has come, and the last one counts. NULL
 * after having told why: the files cannot be written, memory is short.
 */
struct flames *flames_new(const char *path, const struct flamegraph_opts *look, bool stamped,
			  bool latest);
void flames_free(struct flames *f);

/*
 * Adds a report's rows: the first column that adds up (for bytes, that is a size) is the weight, `comm` (if there is one) the
 * outermost frame. It is of the time since @began (ns since the epoch). Tells what went wrong;
 * returns 0 or a negative errno.
 */
int flames_add(struct flames *f, const struct table *rows, uint64_t began);

/* Writes what is written at the end. The same errors. */
int flames_finish(struct flames *f);

/*
 * Adds the stacks of @rows to @graph. Their weight is the first column that adds up, with @bytes the
 * first such that is a size. 0 or a negative errno.
 */
int flames_add_rows(struct flamegraph *graph, const struct table *rows, bool bytes);

#endif
