/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs for events of -e: common/events/engine.h makes copies of them. */
#ifndef BPF_EVENT_BPF_H
#define BPF_EVENT_BPF_H

#include "abi.h"
#include "current.bpf.h"
#include "slot.bpf.h"
#include "target.bpf.h"

/* Nothing but what some threads do is wanted. */
const volatile bool some_tasks = false;

/* Keys are strings. */
const volatile bool text_keys = false;

/* Rows are threads, and their names those that these have. */
const volatile bool of_threads = false;

/*
 * One element: how often programs at perf events have run, wanted or not. The kernel does not count those
 * that it skips: engine_misses() does.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} perf_runs SEC(".maps");

static __always_inline void count_run(void)
{
	u32 zero = 0;
	u64 *runs = bpf_map_lookup_elem(&perf_runs, &zero);

	if (runs)
		__sync_fetch_and_add(runs, 1);
}

/* Is the event at @ctx wanted? */
static __always_inline bool event_wanted(void *ctx)
{
	if (slot_runs(ctx))
		count_run();
	return observing() && (!some_tasks || current_wanted()) && slot_filter(ctx);
}

/*
 * Makes @name, of COMM_LEN bytes at a multiple of 8, the running thread's. Threads are renamed: when they
 * run another program, say. The last name counts.
 */
static __always_inline __attribute__((unused)) void rename_to_current(char *name)
{
	u64 comm[COMM_LEN / sizeof(u64)] = {}, *old = (u64 *)name;

	bpf_get_current_comm(comm, sizeof(comm));
	if (old[0] != comm[0] || old[1] != comm[1]) {
		old[0] = comm[0];
		old[1] = comm[1];
	}
}

/* What the event at @ctx is counted by. Of a number only that is set. */
static __always_inline void event_key(void *ctx, union event_key *key)
{
	if (text_keys) {
		__builtin_memset(key, 0, sizeof(*key));
		slot_key_text(ctx, key->text);
	} else {
		key->number = slot_key(ctx);
	}
}

#endif
