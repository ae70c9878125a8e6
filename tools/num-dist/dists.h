/* SPDX-License-Identifier: GPL-2.0-only */
/* The distributions in the programs' maps, as userspace reads them. */
#ifndef DISTS_H
#define DISTS_H

#include <stdbool.h>
#include <stddef.h>
#include "numbers.h"
#include "num-dist.h"

/* How they lie there: with buckets for signed numbers, and extremes of so many CPUs. */
struct dists_form {
	bool has_signed;
	unsigned int cpus;
};

/* The size of one, in bytes. */
size_t dist_size(const struct dists_form *form);

/* How many numbers are in @dist. */
uint64_t dist_count(const struct dists_form *form, const struct dist *dist);

/* Reads @dist, of numbers that are signed or not, into @n. */
void dist_read(const struct dists_form *form, const struct dist *dist, bool is_signed,
	       struct numbers *n);

#endif
