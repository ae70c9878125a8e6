/* SPDX-License-Identifier: GPL-2.0-only */
/* Distributions of numbers that are no times, and may be below 0: the histograms of common/hist.h. */
#ifndef COMMON_NUMBERS_H
#define COMMON_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/types.h>
#include "abi.h"

/*
 * Buckets in the order of their numbers: bucket b of a histogram is at NUMBERS_ZERO + b, and what has the
 * absolute values of b, but is below 0, at NUMBERS_ZERO - 1 - b.
 */
#define NUMBERS_ZERO	1024
#define NUMBERS_BUCKETS (2 * NUMBERS_ZERO)

struct numbers {
	bool is_signed; /* sum, min and max are in two's complement */
	uint64_t count;
	uint64_t sum;
	uint64_t min, max; /* valid when count is not 0 */
	__u64 bucket[NUMBERS_BUCKETS];
};

/*
 * The numbers of bucket @bucket are at least @lo and below @hi, in two's complement. *@hi is 0 where
 * there is no bound in 64 bits.
 */
void numbers_bounds(unsigned int bucket, uint64_t *lo, uint64_t *hi);

/* As hist_percentile(), with the same errors. */
uint64_t numbers_percentile(const struct numbers *n, double percent);

/*
 * Is `sum` what it says, as the sum surely fits in 64 bits? It has wrapped around, or may have, where
 * there are numbers too large for that.
 */
bool numbers_sum_fits(const struct numbers *n);

/* The mean, rounded towards 0; 0 if there are no numbers. Of a sum that fits. */
uint64_t numbers_average(const struct numbers *n);

#endif
