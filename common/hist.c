// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include "hist.h"

void hist_bounds(unsigned int bucket, uint64_t *lo, uint64_t *hi)
{
	unsigned int shift;

	if (bucket < HIST_SUB) {
		*lo = bucket;
		*hi = bucket + 1;
		return;
	}
	shift = bucket / HIST_SUB - 1;
	*lo = (uint64_t)(HIST_SUB + bucket % HIST_SUB) << shift;
	*hi = *lo + (1ULL << shift);
	if (bucket == HIST_BUCKETS - 1)
		*hi = UINT64_MAX;
}

void hist_merge(struct hist *to, const struct hist *from)
{
	unsigned int i;

	if (!from->count)
		return;
	if (!to->count || from->min < to->min)
		to->min = from->min;
	if (from->max > to->max)
		to->max = from->max;
	to->count += from->count;
	to->sum += from->sum;
	for (i = 0; i < HIST_BUCKETS; i++)
		to->bucket[i] += from->bucket[i];
}

unsigned int hist_bucket_at(const __u64 *buckets, unsigned int count, uint64_t values,
			    double percent)
{
	uint64_t rank = ceil(percent * values / 100), seen = 0;
	unsigned int i;

	if (!rank)
		rank = 1;
	for (i = 0; i < count; i++) {
		seen += buckets[i];
		if (seen >= rank)
			break;
	}
	return i;
}

uint64_t hist_percentile(const struct hist *h, double percent)
{
	uint64_t lo, hi, middle;
	unsigned int bucket;

	if (!h->count)
		return 0;
	bucket = hist_bucket_at(h->bucket, HIST_BUCKETS - 1, h->count, percent);
	if (bucket == HIST_BUCKETS - 1)
		return h->max;
	hist_bounds(bucket, &lo, &hi);
	middle = lo + (hi - lo) / 2;
	return middle < h->min ? h->min : middle > h->max ? h->max : middle;
}

uint64_t hist_average(const struct hist *h)
{
	return h->count ? h->sum / h->count : 0;
}
