// SPDX-License-Identifier: GPL-2.0-only
#include "hist.h"
#include "numbers.h"

/* The bucket of a histogram without an upper bound. */
#define LAST_ABOVE (NUMBERS_ZERO + HIST_BUCKETS - 1)
#define LAST_BELOW (NUMBERS_ZERO - HIST_BUCKETS)

void numbers_bounds(unsigned int bucket, uint64_t *lo, uint64_t *hi)
{
	uint64_t least, beyond;

	if (bucket >= NUMBERS_ZERO) {
		hist_bounds(bucket - NUMBERS_ZERO, lo, hi);
		if (bucket >= LAST_ABOVE)
			*hi = 0;
		return;
	}
	hist_bounds(NUMBERS_ZERO - 1 - bucket, &least, &beyond);
	*lo = bucket <= LAST_BELOW ? 1ULL << 63 : 1 - beyond;
	*hi = 1 - least;
}

/* @number in an order that begins at 0. */
static uint64_t order_of(const struct numbers *n, uint64_t number)
{
	return number ^ (uint64_t)n->is_signed << 63;
}

uint64_t numbers_percentile(const struct numbers *n, double percent)
{
	uint64_t lo, hi, middle;
	unsigned int bucket;

	if (!n->count)
		return 0;
	bucket = hist_bucket_at(n->bucket, LAST_ABOVE, n->count, percent);
	if (bucket == LAST_ABOVE)
		return n->max;
	numbers_bounds(bucket, &lo, &hi);
	middle = bucket <= LAST_BELOW ? n->min : lo + (hi - lo) / 2;
	if (order_of(n, middle) < order_of(n, n->min))
		return n->min;
	return order_of(n, middle) > order_of(n, n->max) ? n->max : middle;
}

/* The largest number, in absolute value, that there may be in @bucket, which is not empty. */
static uint64_t largest_in(const struct numbers *n, unsigned int bucket)
{
	uint64_t lo, hi;

	numbers_bounds(bucket, &lo, &hi);
	if (bucket < NUMBERS_ZERO)
		return (int64_t)lo < (int64_t)n->min ? -n->min : -lo;
	return !hi || hi > n->max ? n->max : hi - 1;
}

bool numbers_sum_fits(const struct numbers *n)
{
	unsigned __int128 above = 0, below = 0;
	unsigned int i;

	for (i = 0; i < NUMBERS_BUCKETS; i++) {
		if (!n->bucket[i])
			continue;
		if (i < NUMBERS_ZERO)
			below += (unsigned __int128)n->bucket[i] * largest_in(n, i);
		else
			above += (unsigned __int128)n->bucket[i] * largest_in(n, i);
	}
	return n->is_signed ? above <= INT64_MAX && below <= 1ULL << 63 : above <= UINT64_MAX;
}

uint64_t numbers_average(const struct numbers *n)
{
	if (!n->count)
		return 0;
	return n->is_signed && (int64_t)n->sum < 0 ? -(-n->sum / n->count) : n->sum / n->count;
}
