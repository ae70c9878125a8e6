/* SPDX-License-Identifier: GPL-2.0-only */
/* Distributions: the log-linear histograms that programs fill, as userspace reads them. */
#ifndef COMMON_HIST_H
#define COMMON_HIST_H

#include <stdint.h>
#include <linux/types.h>
#include "abi.h"

/* The values of bucket @bucket (below HIST_BUCKETS) are at least @lo and below @hi. */
void hist_bounds(unsigned int bucket, uint64_t *lo, uint64_t *hi);

/* Adds what @from holds to @to. A zeroed histogram is an empty one. */
void hist_merge(struct hist *to, const struct hist *from);

/*
 * Which of @count buckets of @values values in all has the value at @percent (0 to 100; the nearest
 * rank). @count: it is not among them.
 */
unsigned int hist_bucket_at(const __u64 *buckets, unsigned int count, uint64_t values,
			    double percent);

/*
 * The smallest value that at least @percent (0 to 100) of the values do not exceed (the nearest
 * rank), taken as the middle of its bucket and never outside min and max. Its relative error is at
 * most 1/32, but for values of 2^HIST_MAX_BITS and more, whose percentile is max. 0 for an empty
 * histogram.
 */
uint64_t hist_percentile(const struct hist *h, double percent);

/* The mean value, rounded down; 0 for an empty histogram. */
uint64_t hist_average(const struct hist *h);

#endif
