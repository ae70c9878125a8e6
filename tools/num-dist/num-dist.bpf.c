// SPDX-License-Identifier: GPL-2.0-only
/*
 * Distributions of numbers by event and key. There is a copy of the program for each event of -e. What
 * is added up is so atomically, as programs run on several CPUs at one time and may interrupt each
 * other; extremes belong to an event and a CPU, where its program runs once at a time.
 */
#include "vmlinux.h"
#include "abi.h"
#include <bpf/bpf_helpers.h>
#include "num-dist.h"
#include "event.bpf.h"
#include "hist.bpf.h"
#include "hold.bpf.h"

char LICENSE[] SEC("license") = "GPL";

const volatile unsigned int buckets = HIST_BUCKETS; /* of each distribution */
const volatile unsigned int cpus = 1;		    /* possible ones */

/*
 * Distributions by struct dist_key. Filled at the first sight of a key in a half, sized and emptied by
 * userspace. When it is full, what has a new key goes to `totals`.
 */
struct dists {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct dist_key));
	__uint(value_size, sizeof(struct dist));
} dists_0 SEC(".maps"), dists_1 SEC(".maps");

/* By the number of an event: of all that has no key, or one that there is no room for. */
struct dist_totals {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(struct dist));
} totals_0 SEC(".maps"), totals_1 SEC(".maps");

/* One element, an empty distribution: what new ones are copied from. Nobody writes to it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(struct dist));
} empty SEC(".maps");

/* The distribution of @key, which is made if there is none; NULL if there is no room. */
static __always_inline struct dist *dist_of(void *ctx, void *dists, const struct dist_key *key)
{
	struct dist *dist = bpf_map_lookup_elem(dists, key), *first;
	u32 zero = 0;
	bool made;

	if (dist) {
		if (of_threads)
			rename_to_current(dist->name);
		return dist;
	}
	first = bpf_map_lookup_elem(&empty, &zero);
	if (!first)
		return NULL;
	made = !bpf_map_update_elem(dists, key, first, BPF_NOEXIST);
	dist = bpf_map_lookup_elem(dists, key);
	/* One writes the name. */
	if (dist && made)
		slot_name_text(ctx, dist->name);
	return dist;
}

static __always_inline struct dist *dist_at(void *ctx, u32 event)
{
	struct dist_key key = { .event = event };
	struct dist *dist = NULL;
	u32 half = current_half();

	if (slot_unit(ctx) & DIST_KEYED) {
		event_key(ctx, &key.key);
		dist = dist_of(ctx, HALF_MAP(dists, half), &key);
	}
	return dist ? dist : bpf_map_lookup_elem(HALF_MAP(totals, half), &event);
}

static __always_inline void add_to_bucket(struct dist *dist, u64 number, bool below)
{
	u64 *bucket = (u64 *)(dist + 1);
	u32 at = hist_bucket(below ? -number : number);

	if (below)
		at += HIST_BUCKETS;
	if (at < buckets)
		__sync_fetch_and_add(&bucket[at], 1);
}

static __always_inline void add_to_extremes(struct dist *dist, u64 order)
{
	struct dist_extremes *extremes = (void *)((u64 *)(dist + 1) + buckets);
	u32 cpu;

	hold_cpu();
	cpu = bpf_get_smp_processor_id();
	if (cpu < cpus) {
		extremes += cpu;
		if (order > extremes->above)
			extremes->above = order;
		if (~order > extremes->below)
			extremes->below = ~order;
	}
	release_cpu();
}

static __always_inline void take(void *ctx)
{
	struct dist *dist;
	bool is_signed;
	u64 number;

	is_signed = slot_unit(ctx) & DIST_SIGNED;
	number = slot_value(ctx);
	dist = dist_at(ctx, slot_event(ctx));
	if (!dist)
		return;
	__sync_fetch_and_add(&dist->sum, number);
	add_to_bucket(dist, number, is_signed && (s64)number < 0);
	add_to_extremes(dist, DIST_ORDER(number, is_signed));
}

SEC("event")
int on_event(void *ctx)
{
	if (event_wanted(ctx))
		take(ctx);
	return slot_passed_on(ctx);
}
