/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How and where waits begin, for -g: with a wakeup, at which the stack is that of who wakes the thread,
 * or with a preemption, where it is the thread's own.
 *
 * A wakeup is looked at where it is asked for. The thread gets on its queue a moment later, and often
 * only another CPU puts it there, in an interrupt, when who woke it is not to be seen any more.
 */
#ifndef RUNDELAY_BEGIN_BPF_H
#define RUNDELAY_BEGIN_BPF_H

#include "stack.bpf.h"

/* A row for each thread; only with --perins. */
const volatile bool waits_of_threads = false;

/*
 * Waits that go on. Key: the task. Filled when one begins, and also at a wakeup that comes before its
 * task has gone to sleep; emptied when the task is switched in, or dead. Sized by userspace. When it is
 * full, it is not known how further waits began; they are counted as such, and so nothing is lost.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, u64);
	__type(value, struct beginning);
} begun SEC(".maps");

/*
 * Waits that have ended. Filled at the first sight of a key in a half, sized and emptied by userspace.
 * When it is full, waits with a new key are lost.
 */
struct waits_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct waits_key);
	__type(value, struct waits);
} waits_0 SEC(".maps"), waits_1 SEC(".maps");

/* A wait of @p begins, with what the running task is at, at @ctx. */
static __always_inline void wait_begins(void *ctx, struct task_struct *p, enum cause cause)
{
	struct beginning begin = { .cause = cause };
	struct task_slot *slot;
	u64 key = (u64)p;

	if (!observing() || !task_possible(p))
		return;
	slot = task_slot(p);
	if (!slot || (slot->flags & TASK_TARGET) != TASK_TARGET || !cgroup_wanted(p))
		return;
	stack_here(ctx, 0, false, current_half(), &begin.stack);
	bpf_map_update_elem(&begun, &key, &begin, BPF_ANY);
}

/* The wait of @p has ended: how it began goes to @begin, which is empty. */
static __always_inline void take_beginning(struct task_struct *p, struct beginning *begin)
{
	u64 key = (u64)p;
	struct beginning *there = bpf_map_lookup_elem(&begun, &key);

	if (!there)
		return;
	*begin = *there;
	bpf_map_delete_elem(&begun, &key);
}

/* Has @p been preempted, and its wait not been seen to end? */
static __always_inline bool was_preempted(struct task_struct *p)
{
	u64 key = (u64)p;
	struct beginning *there = bpf_map_lookup_elem(&begun, &key);

	return there && there->cause == CAUSE_PREEMPTION;
}

static __always_inline void switched_out(void *ctx, struct task_struct *prev, bool preempt)
{
	u64 key = (u64)prev;

	if (preempt || task_is_running(prev))
		wait_begins(ctx, prev, CAUSE_PREEMPTION);
	/* It ran, so an earlier wait has ended, unseen. A wakeup may have come just now. */
	else if (task_is_dead(prev) || was_preempted(prev))
		bpf_map_delete_elem(&begun, &key);
}

static __always_inline void count_begun(struct task_struct *p, u64 delay,
					const struct beginning *begin)
{
	struct waits_key key = { .begin = *begin };
	struct waits first = { 1, delay, delay }, *there;
	void *map = HALF_MAP(waits, current_half());
	long err;

	key.tgid = p->tgid;
	key.tid = waits_of_threads ? p->pid : 0;
	key.cpu = bpf_get_smp_processor_id();
	bpf_probe_read_kernel(key.comm, sizeof(key.comm), p->comm);
	there = bpf_map_lookup_elem(map, &key);
	if (!there) {
		err = bpf_map_update_elem(map, &key, &first, BPF_NOEXIST);
		if (err)
			count_lost(lost_because(err));
		return;
	}
	there->count++;
	there->sum += delay;
	if (delay > there->longest)
		there->longest = delay;
}

/* Who was preempted on the way to sleep waits already. */
SEC("tp_btf/sched_waking")
int BPF_PROG(begin_waking, struct task_struct *p)
{
	if (!was_preempted(p))
		wait_begins(ctx, p, CAUSE_WAKEUP);
	return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(begin_new, struct task_struct *p)
{
	wait_begins(ctx, p, CAUSE_WAKEUP);
	return 0;
}

#endif
