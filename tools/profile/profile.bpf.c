// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the CPU time goes: samples at a steady rate on each CPU, counted by what ran there. Each
 * stands for the time since the sample before.
 */
#include "vmlinux.h"
#include "abi.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "profile.h"
#include "count.bpf.h"
#include "current.bpf.h"
#include "filter.bpf.h"
#include "idle.bpf.h"
#include "lost.bpf.h"
#include "stack.bpf.h"
#include "target.bpf.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct profile_filters filters = {};
const volatile bool per_cpu = false;

/* For --tif_need_resched; see the programs at the end. */
struct need_resched need_resched = {};

/*
 * Samples. Filled at the first sight of a key in a half, sized and emptied by userspace. When it
 * is full, samples with a new key are lost.
 */
struct samples {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct profile_key);
	__type(value, u64);
} samples_0 SEC(".maps"), samples_1 SEC(".maps");

static __always_inline bool as_wished(u32 wish, bool is)
{
	return wish == FILTER_ANY || (wish == FILTER_YES) == is;
}

/*
 * Was the code at @ctx running with interrupts off? A timer's interrupt has to wait for their
 * being switched on again: then it comes right behind the instruction that does so, and what it
 * interrupts has had them off just before.
 */
static __always_inline bool irqs_were_off(struct bpf_perf_event_data *ctx)
{
	u8 code[CODE_BEFORE] = {};

	if (!filters.timer)
		return SAMPLE_IRQS_OFF(ctx);
	if (SAMPLE_IN_USER(ctx) ||
	    bpf_probe_read_kernel(code, sizeof(code), (void *)SAMPLE_IP(ctx) - sizeof(code)))
		return false;
	return ENABLES_IRQS(code);
}

static __always_inline bool sample_wanted(struct bpf_perf_event_data *ctx)
{
	struct task_struct *p = (void *)bpf_get_current_task();
	u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (is_idle(SAMPLE_IP(ctx)) || !current_wanted() ||
	    (filters.exclude_pid && pid == filters.exclude_pid))
		return false;
	if (!as_wished(filters.irqs_off, filters.irqs_off && irqs_were_off(ctx)))
		return false;
	if (filters.need_resched) {
		u64 flags = BPF_CORE_READ(p, thread_info.flags);

		if (!as_wished(filters.need_resched, flags & need_resched.mask))
			return false;
	}
	if (filters.by_running) {
		u32 running = BPF_CORE_READ(p, se.cfs_rq, rq, nr_running);

		if (running < filters.running_min || running > filters.running_max)
			return false;
	}
	if (filters.by_policy && BPF_CORE_READ(p, policy) != filters.policy)
		return false;
	if (filters.by_prio) {
		u32 prio = BPF_CORE_READ(p, prio);

		if (prio < filters.prio_min || prio > filters.prio_max)
			return false;
	}
	return filter_passes(p, SAMPLE_IP(ctx));
}

SEC("perf_event")
int sample(struct bpf_perf_event_data *ctx)
{
	struct profile_key key = {};
	u32 half = current_half();

	if (!observing() || !sample_wanted(ctx))
		return 0;
	stack_here(ctx, 0, SAMPLE_IN_USER(ctx), half, &key.stack);
	if (per_cpu)
		key.cpu = bpf_get_smp_processor_id();
	count_key(HALF_MAP(samples, half), &key);
	return 0;
}

/*
 * Which bit of thread_info.flags asks for another thread to run differs by architecture and
 * version, and nothing but the kernel's code says it. So userspace has a thread wake another one of
 * higher priority on its CPU, and these see which bit that sets. Loaded for --tif_need_resched.
 */
static __always_inline bool is_experiment(struct task_struct *woken)
{
	return (u32)bpf_get_current_pid_tgid() == need_resched.waker &&
	       (u32)woken->pid == need_resched.woken;
}

static __always_inline u64 current_flags(void)
{
	struct task_struct *p = (void *)bpf_get_current_task();

	return BPF_CORE_READ(p, thread_info.flags);
}

SEC("tp_btf/sched_waking")
int BPF_PROG(need_resched_before, struct task_struct *p)
{
	if (is_experiment(p))
		need_resched.before = current_flags();
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(need_resched_after, struct task_struct *p)
{
	if (is_experiment(p))
		need_resched.mask = current_flags() & ~need_resched.before;
	return 0;
}
