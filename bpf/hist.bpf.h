/* SPDX-License-Identifier: GPL-2.0-only */
/* Log-linear histograms; abi.h says what a bucket is, common/hist.h reads them. */
#ifndef BPF_HIST_BPF_H
#define BPF_HIST_BPF_H

#include "vmlinux.h"
#include "abi.h"
#include <bpf/bpf_helpers.h>

/* The position of the highest bit set in @v, which is not 0. */
static __always_inline u32 highest_bit(u64 v)
{
	u32 bit = 0;

	if (v >> 32) {
		v >>= 32;
		bit += 32;
	}
	if (v >> 16) {
		v >>= 16;
		bit += 16;
	}
	if (v >> 8) {
		v >>= 8;
		bit += 8;
	}
	if (v >> 4) {
		v >>= 4;
		bit += 4;
	}
	if (v >> 2) {
		v >>= 2;
		bit += 2;
	}
	return bit + (v >> 1);
}

static __always_inline u32 hist_bucket(u64 value)
{
	u32 bit;

	if (value < HIST_SUB)
		return value;
	if (value >> HIST_MAX_BITS)
		return HIST_BUCKETS - 1;
	bit = highest_bit(value);
	return ((bit - HIST_SUB_BITS + 1) << HIST_SUB_BITS) +
	       ((value >> (bit - HIST_SUB_BITS)) & (HIST_SUB - 1));
}

/*
 * Adds @value to @h, which nobody else may be writing at the same time: it belongs to this CPU with
 * interrupts off, or to a task that is on this CPU.
 */
static __always_inline void hist_add(struct hist *h, u64 value)
{
	u32 bucket = hist_bucket(value);

	if (!h->count || value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	h->count++;
	h->sum += value;
	if (bucket < HIST_BUCKETS)
		h->bucket[bucket]++;
}

#endif
