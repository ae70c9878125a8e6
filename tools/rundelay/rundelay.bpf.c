// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long threads wait for a CPU once they are runnable.
 *
 * The scheduler keeps this account itself (struct sched_info, the source of /proc/TID/schedstat):
 * it stamps a thread when it is queued, and adds up what it waited whenever it leaves a queue. At
 * the switch to a thread the wait that ends is therefore
 *
 *	what it has waited on queues that it was moved away from since it last ran
 *	+ the run queue's clock - the stamp of the queue it is on.
 *
 * One program at the switch is enough, and its figures are the kernel's to the nanosecond. Where
 * a kernel keeps no account (no CONFIG_SCHED_INFO), the programs at wakeup and preemption take
 * the stamps instead.
 */
#include "vmlinux.h"
#include "abi.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "rundelay.h"

struct wait {
	u64 waited; /* run_delay when it last ran */
	u64 turns;  /* pcount of the next switch to it, if none is missed */
	u64 since;  /* without the kernel's account: runnable since, or 0 */
};

#define TASK_DATA struct wait
#include "compat.bpf.h"
#include "filter.bpf.h"
#include "hist.bpf.h"
#include "lost.bpf.h"
#include "target.bpf.h"
#include "task.bpf.h"
#include "record.bpf.h"
#include "begin.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* The kernel's own account is there and is to be used. */
const volatile bool kernel_account = true;

/* All waits. Key: the half. Cannot be full. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct hist);
} all SEC(".maps");

/*
 * A row for each thread and half. Filled at the end of a thread's first wait; a thread waits on one
 * CPU at a time, so its histogram has one writer. Userspace sizes and empties it. When it is full,
 * the waits of further threads are lost.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct rundelay_key);
	__type(value, struct rundelay_thread);
} threads SEC(".maps");

/* A new row, to copy from: it would not fit on the stack. Stays empty. */
struct rundelay_thread new_thread = {};

/* struct rundelay_event, for --than. When userspace is too slow, events are lost. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

static __always_inline bool use_kernel_account(void)
{
	return kernel_account && bpf_core_field_exists(struct cfs_rq, rq);
}

static __always_inline void task_begin(struct task_struct *p, struct wait *w)
{
	w->waited = p->sched_info.run_delay;
	w->turns = p->sched_info.pcount;
}

/* Without the kernel's account: @p leaves its CPU, to wait for the next turn or to sleep. */
static __always_inline void leaves(struct task_struct *p, bool waits)
{
	struct task_slot *slot;

	if (!task_possible(p))
		return;
	slot = task_slot(p) ?: task_found_late(p);
	if (slot)
		slot->data.since = waits ? bpf_ktime_get_ns() : 0;
}

/* ... @p is woken, which it may be while it runs or waits already. */
static __always_inline void woken(struct task_struct *p)
{
	struct task_slot *slot;

	if (!task_possible(p))
		return;
	slot = task_slot(p) ?: task_found_late(p);
	if (slot && !slot->data.since)
		slot->data.since = bpf_ktime_get_ns();
}

/* Waits that end with a switch. */
struct ended {
	u64 delay;     /* of the wait that this switch ends */
	u64 missed;    /* waits before it that ended unseen */
	u64 missed_ns; /* ... and how long they were together */
};

/*
 * Ends the wait of @p, which is being switched in. Returns false if it was not seen to begin.
 *
 * Some kernels now and then switch without coming past the tracepoint. The account has such waits
 * nevertheless, and so they are found here when the thread is switched in the next time.
 */
static __always_inline bool wait_ends(struct task_struct *p, struct wait *w, struct ended *ended)
{
	u64 queued, waited, turns;

	ended->missed = 0;
	if (!use_kernel_account()) {
		if (!w->since)
			return false;
		ended->delay = bpf_ktime_get_ns() - w->since;
		w->since = 0;
		return true;
	}
	queued = p->sched_info.last_queued;
	if (!queued)
		return false;
	queued = task_rq_clock(p) - queued;
	waited = p->sched_info.run_delay;
	turns = p->sched_info.pcount;
	ended->delay = queued;
	if (turns > w->turns) {
		ended->missed = turns - w->turns;
		ended->missed_ns = waited - w->waited;
	} else {
		ended->delay += waited - w->waited;
	}
	w->waited = waited + queued;
	w->turns = turns + 1;
	return true;
}

static __always_inline void count_thread(struct task_struct *p, u64 delay)
{
	struct rundelay_key key = { .born = p->start_time, .tid = p->pid, .half = current_half() };
	struct rundelay_thread *row = bpf_map_lookup_elem(&threads, &key);
	long err;

	if (!row) {
		err = bpf_map_update_elem(&threads, &key, &new_thread, BPF_NOEXIST);
		row = bpf_map_lookup_elem(&threads, &key);
		if (!row) {
			count_lost(lost_because(err));
			return;
		}
		row->tgid = p->tgid;
	}
	bpf_probe_read_kernel(row->comm, sizeof(row->comm), p->comm);
	hist_add(&row->hist, delay);
}

static __always_inline void show_wait(struct task_struct *p, u64 delay, u64 now, bool by_stack,
				      const struct beginning *begin)
{
	struct rundelay_event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	struct recorder *r;
	u32 zero = 0;

	if (!e) {
		count_lost(LOST_BUFFER);
		return;
	}
	e->time = now;
	e->delay = delay;
	e->tgid = p->tgid;
	e->tid = p->pid;
	e->cpu = bpf_get_smp_processor_id();
	bpf_probe_read_kernel(e->comm, sizeof(e->comm), p->comm);
	if (by_stack)
		e->begin = *begin;
	r = bpf_map_lookup_elem(&recorder, &zero);
	if (r)
		bpf_probe_read_kernel(&e->recorder, sizeof(e->recorder), r);
	bpf_ringbuf_submit(e, 0);
}

static __always_inline void count_wait(struct task_struct *p, u64 delay, bool by_stack,
				       const struct beginning *begin)
{
	u32 half = current_half();
	struct hist *h;

	if (config.total) {
		h = bpf_map_lookup_elem(&all, &half);
		if (h)
			hist_add(h, delay);
	}
	if (config.per_task)
		count_thread(p, delay);
	if (by_stack)
		count_begun(p, delay, begin);
}

/* @by_stack: known to the compiler, so that there is nothing of it where no stacks are wanted. */
static __always_inline int switched(void *ctx, bool preempt, struct task_struct *prev,
				    struct task_struct *next, bool by_stack)
{
	struct beginning begin = {}, unseen = {};
	struct task_slot *slot;
	struct ended ended;
	bool wanted;
	u64 now = 0;

	if (config.events) {
		now = bpf_ktime_get_ns();
		record_task(RECORD_SWITCH, prev, 0, now);
	}
	if (!use_kernel_account())
		leaves(prev, preempt || task_is_running(prev));
	if (by_stack) {
		switched_out(ctx, prev, preempt);
		take_beginning(next, &begin);
	}

	if (!task_possible(next))
		return 0;
	slot = task_slot(next);
	if (!slot) {
		task_lost(next);
		slot = task_found_late(next);
		if (slot)
			wait_ends(next, &slot->data, &ended);
		return 0;
	}
	if (!wait_ends(next, &slot->data, &ended))
		return 0;
	if (!observing() || (slot->flags & TASK_TARGET) != TASK_TARGET || !cpu_wanted() ||
	    !cgroup_wanted(next))
		return 0;

	wanted = filter_passes(next, ended.delay);
	if (wanted)
		count_wait(next, ended.delay, by_stack, &begin);
	if (ended.missed == 1 && filter_passes(next, ended.missed_ns))
		count_wait(next, ended.missed_ns, by_stack, &unseen);
	/* Several cannot be told apart, and of a long one it is not known when it ended. */
	if (ended.missed > 1 || (ended.missed && config.events && ended.missed_ns > config.than))
		count_lost_many(LOST_UNSEEN, ended.missed);
	if (config.events && wanted && ended.delay > config.than)
		show_wait(next, ended.delay, now, by_stack, &begin);
	return 0;
}

/* One of these two is loaded. */

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	return switched(ctx, preempt, prev, next, false);
}

/* With -g. */
SEC("tp_btf/sched_switch")
int BPF_PROG(switch_by_stack, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	return switched(ctx, preempt, prev, next, true);
}

/* These two are loaded only where the kernel keeps no account. */

SEC("tp_btf/sched_wakeup")
int BPF_PROG(sched_wakeup, struct task_struct *p)
{
	woken(p);
	return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(sched_wakeup_new, struct task_struct *p)
{
	woken(p);
	return 0;
}
