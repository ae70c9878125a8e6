/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who is observed. A single process or thread, CPUs and a cgroup are compared with constants at
 * each event; the rest (lists, names, the command's children) is decided once for each task, when
 * it is first seen and when it is renamed, and kept in its slot (task.bpf.h).
 */
#ifndef BPF_TARGET_BPF_H
#define BPF_TARGET_BPF_H

#include "vmlinux.h"
#include "abi.h"
#include "compat.bpf.h"
#include <bpf/bpf_helpers.h>

const volatile struct bpf_config config = {};
struct bpf_control control = {};

/*
 * Key: CHOSEN_PROCESS or CHOSEN_THREAD plus the id; the value says nothing. Filled by userspace
 * before the start when there is more than one, and sized for them.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, u64);
	__type(value, u8);
} chosen SEC(".maps");

static __always_inline bool observing(void)
{
	return *(volatile u32 *)&control.observing;
}

/* The half to write into: 0 or 1. */
static __always_inline u32 current_half(void)
{
	return *(volatile u32 *)&control.span & 1;
}

/* The map of @half; maps for halves are called NAME_0 and NAME_1. */
#define HALF_MAP(name, half) ((half) ? (void *)&name##_1 : (void *)&name##_0)

/* May @p be observed at all? The idle tasks never are: they do not wait for their CPUs. */
static __always_inline bool task_possible(struct task_struct *p)
{
	if (config.only_tgid)
		return (u32)p->tgid == config.only_tgid;
	if (config.only_tid)
		return (u32)p->pid == config.only_tid;
	return p->pid != 0;
}

static __always_inline bool cpu_wanted(void)
{
	u32 cpu;

	if (!config.by_cpu)
		return true;
	/* No kernel has more than MAX_CPUS; the mask is for the verifier. */
	cpu = bpf_get_smp_processor_id() & (MAX_CPUS - 1);
	return config.cpus[cpu / 64] >> (cpu % 64) & 1;
}

/* Is @p in the cgroup asked for, or below it? It may be moved at any time, so this is not kept. */
static __always_inline bool cgroup_wanted(struct task_struct *p)
{
	if (!config.by_cgroup)
		return true;
	return cgroup_ancestor_id(p->cgroups->dfl_cgrp, config.cgroup_level) == config.cgroup_id;
}

/* Does @comm match --comm? TASK_COMM or 0. */
static __noinline __attribute__((unused)) u32 comm_flag(const char *comm)
{
	u64 at;
	int i;

	if (!config.by_comm)
		return TASK_COMM;
	at = config.comm.start;
	for (i = 0; i < COMM_LEN - 1; i++) {
		u8 c = comm[i];

		if (!c)
			break;
		at = ((at << 1) & config.comm.step[c]) | (at & config.comm.stay);
	}
	return at & config.comm.accept ? TASK_COMM : 0;
}

#endif
