/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a unit keeps for each task, made before the task can need it.
 *
 * The unit defines TASK_DATA (its struct) and task_begin(), which fills one for a task that is not
 * waiting for anything new, then includes this. Slots are made here, by walking all tasks once and
 * then at each fork: process context, no lock held. Creating them on first use instead would
 * allocate memory under the run queue's lock, which can deadlock on kernels before 6.4.
 */
#ifndef BPF_TASK_BPF_H
#define BPF_TASK_BPF_H

#include "vmlinux.h"
#include "abi.h"
#include "lost.bpf.h"
#include "target.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct task_slot {
	u32 flags;
	TASK_DATA data;
};

static void task_begin(struct task_struct *p, TASK_DATA *data);

/*
 * The slots. Key: the task; filled by the programs below. Task storage came for tracing programs
 * with 5.13; before, userspace turns this into a hash whose key is the task's address and whose
 * size is a multiple of the tasks there are. When that is full, a task's events are lost.
 */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_slot);
} tasks SEC(".maps");

/* The flags of a task that was there before the unit. */
static __noinline u32 task_flags(struct task_struct *p)
{
	char comm[COMM_LEN];
	u64 process = CHOSEN_PROCESS | (u32)p->tgid, thread = CHOSEN_THREAD | (u32)p->pid;
	u32 flags;

	bpf_probe_read_kernel(comm, sizeof(comm), p->comm);
	flags = comm_flag(comm);
	if (!config.chosen || bpf_map_lookup_elem(&chosen, &process) ||
	    bpf_map_lookup_elem(&chosen, &thread))
		flags |= TASK_CHOSEN;
	return flags;
}

/*
 * The flags of @child, a new task: @flags are its parent's, or its own by task_flags(). Its name is
 * still its parent's. A process or thread that was chosen by its id is there already: who is born
 * with that id got it again, and is somebody else.
 */
static __always_inline u32 child_flags(struct task_struct *parent, struct task_struct *child,
				       u32 flags)
{
	u64 process = CHOSEN_PROCESS | (u32)child->tgid;
	bool thread = parent->tgid == child->tgid;

	if (config.only_tid || (config.only_tgid && !thread))
		return flags & ~TASK_CHOSEN;
	if (config.chosen && !config.follow_fork &&
	    (!thread || !bpf_map_lookup_elem(&chosen, &process)))
		return flags & ~TASK_CHOSEN;
	return flags;
}

/* NULL where there is none, which for a task_possible() means a loss: task_lost(). */
static __always_inline struct task_slot *task_slot(struct task_struct *p)
{
	u64 key = (u64)p;

	if (config.task_storage)
		return bpf_task_storage_get(&tasks, p, NULL, 0);
	return bpf_map_lookup_elem(&tasks, &key);
}

static __noinline int make_task_slot(struct task_struct *p, u32 flags)
{
	struct task_slot made = { .flags = flags }, *slot;
	u64 key = (u64)p;

	task_begin(p, &made.data);
	if (config.task_storage) {
		slot = bpf_task_storage_get(&tasks, p, &made, BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (!slot)
			count_lost(LOST_NO_MEMORY);
	} else {
		bpf_map_update_elem(&tasks, &key, &made, BPF_ANY);
	}
	return 0;
}

/* The flags of a task that came past the fork tracepoint: what its process is holds for it too. */
static __always_inline u32 late_flags(struct task_struct *p)
{
	struct task_slot *leader = task_slot(p->group_leader);
	u32 flags = task_flags(p);

	return leader ? flags | (leader->flags & TASK_CHOSEN) : flags;
}

/*
 * Counts an event of a task without a slot, if it would have been observed. Such a task came past
 * the fork tracepoint (workers of io_uring and vhost), or the kernel's walk of all tasks does not
 * come to it (as some virtual machines' do not to their first process).
 */
static __noinline int task_lost(struct task_struct *p)
{
	if (observing() && cpu_wanted() && cgroup_wanted(p) && late_flags(p) == TASK_TARGET)
		count_lost(config.task_storage ? LOST_UNKNOWN_TASK : LOST_MAP_FULL);
	return 0;
}

/*
 * Makes a slot for a task that has none, whatever locks are held, and returns it. NULL where the
 * kernel cannot do that safely; then userspace walks all tasks again soon.
 */
static __always_inline struct task_slot *task_found_late(struct task_struct *p)
{
	if (!config.task_storage || !task_storage_is_lockless())
		return NULL;
	make_task_slot(p, late_flags(p));
	return task_slot(p);
}

/* Run once by userspace when everything is attached. */
SEC("iter/task")
int task_walk(struct bpf_iter__task *ctx)
{
	struct task_struct *p = ctx->task;

	if (p && task_possible(p) && !task_slot(p))
		make_task_slot(p, task_flags(p));
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(task_fork, struct task_struct *parent, struct task_struct *child)
{
	struct task_slot *slot;

	if (!task_possible(child))
		return 0;
	slot = task_slot(parent);
	make_task_slot(child, child_flags(parent, child, slot ? slot->flags : task_flags(child)));
	return 0;
}

SEC("tp_btf/task_rename")
int BPF_PROG(task_renamed, struct task_struct *p, const char *name)
{
	struct task_slot *slot;
	char comm[COMM_LEN] = {};

	if (!config.by_comm || !task_possible(p))
		return 0;
	slot = task_slot(p);
	if (!slot)
		return 0;
	bpf_probe_read_kernel_str(comm, sizeof(comm), name);
	slot->flags = (slot->flags & ~TASK_COMM) | comm_flag(comm);
	return 0;
}

/* Task storage goes with its task; the hash has to be told. Not attached otherwise. */
SEC("tp_btf/sched_process_free")
int BPF_PROG(task_free, struct task_struct *p)
{
	u64 key = (u64)p;

	if (!config.task_storage)
		bpf_map_delete_elem(&tasks, &key);
	return 0;
}

#endif
