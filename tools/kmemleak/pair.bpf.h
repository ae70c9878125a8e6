/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects of any events that make and end some: there is a copy of the program for each event, with
 * what tells its objects (ptr=) and how large they are (size=) in its slots.
 */
#ifndef PAIR_BPF_H
#define PAIR_BPF_H

#include "hold.bpf.h"
#include "live.bpf.h"
#include "slot.bpf.h"

/* Events are in users' code: an address stands for something in its process only. */
const volatile bool pair_in_process = false;

static __always_inline void take(void *ctx)
{
	struct object_key key = {};
	struct object object = {};

	key.address = slot_value(ctx);
	if (!key.address)
		return;
	if (pair_in_process)
		key.pid = bpf_get_current_pid_tgid() >> 32;
	if (slot_unit(ctx) == PAIR_FREE) {
		forget(&key, ALLOC_EVENT);
		return;
	}
	object.site.allocator = ALLOC_EVENT + slot_event(ctx);
	object.site.pid = key.pid;
	object.bytes = slot_value2(ctx);
	made(ctx, 0, &key, &object);
}

/* Whoever makes objects is chosen; a free counts, whoever does it. */
static __always_inline bool pair_chosen(void *ctx)
{
	return slot_unit(ctx) == PAIR_FREE || (observing() && (!some_tasks || current_wanted()));
}

SEC("event")
int on_event(void *ctx)
{
	if (pair_chosen(ctx) && slot_filter(ctx))
		take(ctx);
	return slot_passed_on(ctx);
}

/* What a process had went with the program that it ran before. */
SEC("raw_tp/sched_process_exec")
int pair_execed(struct bpf_raw_tracepoint_args *ctx)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	u64 now = object_clock();

	bpf_map_update_elem(&execs, &pid, &now, BPF_ANY);
	return 0;
}

static __always_inline void see_child(struct task_struct *child)
{
	if (current_chosen() && BPF_CORE_READ(child, pid) == BPF_CORE_READ(child, tgid))
		see_space_of_child(child);
}

/* Only for a command: it is its children that are chosen with it. */
SEC("raw_tp/sched_process_fork")
int pair_forked(struct bpf_raw_tracepoint_args *ctx)
{
	hold_cpu();
	see_child((void *)ctx->args[1]);
	release_cpu();
	return 0;
}

#endif
