// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include "dists.h"

size_t dist_size(const struct dists_form *form)
{
	return sizeof(struct dist) + DIST_BUCKETS(form->has_signed) * sizeof(__u64) +
	       form->cpus * sizeof(struct dist_extremes);
}

/* Its buckets are behind it, and behind these the extremes. */
static const __u64 *buckets_of(const struct dist *dist)
{
	return (const __u64 *)(dist + 1);
}

static const struct dist_extremes *extremes_of(const struct dists_form *form,
					       const struct dist *dist)
{
	return (const void *)(buckets_of(dist) + DIST_BUCKETS(form->has_signed));
}

uint64_t dist_count(const struct dists_form *form, const struct dist *dist)
{
	const __u64 *bucket = buckets_of(dist);
	uint64_t count = 0;
	unsigned int i;

	for (i = 0; i < DIST_BUCKETS(form->has_signed); i++)
		count += bucket[i];
	return count;
}

/* Reads the extremes of all CPUs. */
static void read_extremes(const struct dists_form *form, const struct dist *dist, struct numbers *n)
{
	const struct dist_extremes *of = extremes_of(form, dist);
	struct dist_extremes all = {};
	unsigned int i;

	for (i = 0; i < form->cpus; i++) {
		if (of[i].above > all.above)
			all.above = of[i].above;
		if (of[i].below > all.below)
			all.below = of[i].below;
	}
	n->max = DIST_ORDER(all.above, n->is_signed);
	n->min = DIST_ORDER(~all.below, n->is_signed);
}

void dist_read(const struct dists_form *form, const struct dist *dist, bool is_signed,
	       struct numbers *n)
{
	const __u64 *bucket = buckets_of(dist);
	unsigned int i;

	memset(n, 0, sizeof(*n));
	n->is_signed = is_signed;
	n->count = dist_count(form, dist);
	n->sum = dist->sum;
	for (i = 0; i < HIST_BUCKETS; i++) {
		n->bucket[NUMBERS_ZERO + i] = bucket[i];
		if (form->has_signed)
			n->bucket[NUMBERS_ZERO - 1 - i] = bucket[HIST_BUCKETS + i];
	}
	read_extremes(form, dist, n);
}
