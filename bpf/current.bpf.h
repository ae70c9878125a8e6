/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is the running task observed? For units that ask at events of the running task and keep nothing
 * for tasks; those that do have task.bpf.h.
 */
#ifndef BPF_CURRENT_BPF_H
#define BPF_CURRENT_BPF_H

#include "vmlinux.h"
#include "abi.h"
#include "compat.bpf.h"
#include "hold.bpf.h"
#include "lost.bpf.h"
#include "target.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

static __always_inline bool current_chosen(void)
{
	u64 ids = bpf_get_current_pid_tgid();
	u64 process = CHOSEN_PROCESS | ids >> 32, thread = CHOSEN_THREAD | (u32)ids;

	if (config.only_tgid)
		return ids >> 32 == config.only_tgid;
	if (config.only_tid)
		return (u32)ids == config.only_tid;
	return !config.chosen || bpf_map_lookup_elem(&chosen, &process) ||
	       bpf_map_lookup_elem(&chosen, &thread);
}

/* 5.10 does not have bpf_get_current_ancestor_cgroup_id() for programs at perf events. */
static __always_inline bool current_in_cgroup(void)
{
	struct task_struct *p = (void *)bpf_get_current_task();
	struct cgroup *cgrp = BPF_CORE_READ(p, cgroups, dfl_cgrp);

	return cgroup_ancestor_id(cgrp, config.cgroup_level) == config.cgroup_id;
}

static __always_inline bool current_wanted(void)
{
	char comm[COMM_LEN] = {};

	if (!cpu_wanted() || !current_chosen() || (config.by_cgroup && !current_in_cgroup()))
		return false;
	if (config.by_comm) {
		bpf_get_current_comm(comm, sizeof(comm));
		return comm_flag(comm);
	}
	return true;
}

static __always_inline void choose_child(struct task_struct *parent, struct task_struct *child)
{
	u64 mother = CHOSEN_PROCESS | (u32)parent->tgid,
	    daughter = CHOSEN_PROCESS | (u32)child->tgid;
	u8 yes = 1;
	long err;

	if (mother == daughter || !bpf_map_lookup_elem(&chosen, &mother))
		return;
	err = bpf_map_update_elem(&chosen, &daughter, &yes, BPF_ANY);
	if (err)
		count_lost(lost_because(err));
}

/* The command's children are chosen with it. Loaded only for a command. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(follow_fork, struct task_struct *parent, struct task_struct *child)
{
	hold_cpu();
	choose_child(parent, child);
	release_cpu();
	return 0;
}

static __always_inline void unchoose(struct task_struct *p)
{
	u64 process = CHOSEN_PROCESS | (u32)p->tgid, thread = CHOSEN_THREAD | (u32)p->pid;

	bpf_map_delete_elem(&chosen, &thread);
	if (p->pid == p->tgid)
		bpf_map_delete_elem(&chosen, &process);
}

/* Ids are used again, by somebody else. Loaded where several are chosen. */
SEC("tp_btf/sched_process_free")
int BPF_PROG(forget_task, struct task_struct *p)
{
	hold_cpu();
	unchoose(p);
	release_cpu();
	return 0;
}

#endif
