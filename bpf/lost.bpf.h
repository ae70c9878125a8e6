/* SPDX-License-Identifier: GPL-2.0-only */
/* What could not be kept, counted by reason. common/lost.h reads it. */
#ifndef BPF_LOST_BPF_H
#define BPF_LOST_BPF_H

#include "vmlinux.h"
#include "abi.h"
#include <bpf/bpf_helpers.h>

/* One element: the counts. Filled wherever an event has to be given up; cannot be full. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct lost_counts);
} lost SEC(".maps");

static __always_inline void count_lost_many(enum lost_reason why, u64 count)
{
	u32 zero = 0;
	struct lost_counts *counts = bpf_map_lookup_elem(&lost, &zero);

	/* An interrupt may count between the load and the store of this one: hence atomic. */
	if (counts)
		__sync_fetch_and_add(&counts->count[why], count);
}

static __always_inline void count_lost(enum lost_reason why)
{
	count_lost_many(why, 1);
}

/*
 * The reason behind a failed map update's @err (negative). An int: before 6.4 the upper half of
 * what the helper returns is undefined.
 */
static __always_inline enum lost_reason lost_because(int err)
{
	if (err == -E2BIG)
		return LOST_MAP_FULL;
	if (err == -ENOMEM)
		return LOST_NO_MEMORY;
	return LOST_BUSY;
}

#endif
