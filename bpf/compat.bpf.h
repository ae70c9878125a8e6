/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where kernels differ: one small function a difference, with the version and the reason. Which
 * branch holds is decided from the running kernel's BTF at load, never from its version.
 */
#ifndef BPF_COMPAT_BPF_H
#define BPF_COMPAT_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* 5.14 renamed task_struct.state to __state, to find every unlocked user of it. */
static __always_inline long task_state(struct task_struct *p)
{
	if (bpf_core_field_exists(p->__state))
		return p->__state;
	return ((struct task_struct___state *)p)->state;
}

static __always_inline bool task_is_running(struct task_struct *p)
{
	return task_state(p) == 0;
}

/* include/linux/sched.h: TASK_DEAD. It is switched out for the last time. */
static __always_inline bool task_is_dead(struct task_struct *p)
{
	return task_state(p) & 0x80;
}

/*
 * The id of the ancestor of @cgrp at @level, 0 where there is none so deep. 6.1 replaced the
 * ancestors' ids by pointers to them, so that looking one up needs no lock.
 */
static __always_inline u64 cgroup_ancestor_id(struct cgroup *cgrp, int level)
{
	struct cgroup *ancestor;
	u64 id = 0;

	if (BPF_CORE_READ(cgrp, level) < level)
		return 0;
	if (bpf_core_field_exists(((struct cgroup___pointers *)cgrp)->ancestors)) {
		struct cgroup___pointers *c = (void *)cgrp;

		bpf_core_read(&ancestor, sizeof(ancestor), &c->ancestors[level]);
		return BPF_CORE_READ(ancestor, kn, id);
	}
	bpf_core_read(&id, sizeof(id), &((struct cgroup___ids *)cgrp)->ancestor_ids[level]);
	return id;
}

/*
 * The clock of the run queue that @p is on, in ns, as the scheduler's own accounting reads it.
 * 0 where run queues cannot be reached from a task: without CONFIG_FAIR_GROUP_SCHED.
 */
static __always_inline u64 task_rq_clock(struct task_struct *p)
{
	if (!bpf_core_field_exists(struct cfs_rq, rq))
		return 0;
	return p->se.cfs_rq->rq->clock;
}

/*
 * May task storage be made under any lock? 6.4 gave it an allocator of BPF's own for that
 * (storage_ma), which kmalloc_nolock() took over in 6.19. Before, it was kmalloc(GFP_ATOMIC), which
 * may wake kswapd and so wants the lock of a run queue.
 */
static __always_inline bool task_storage_is_lockless(void)
{
	return bpf_core_field_exists(struct bpf_local_storage_map, bpf_ma) ||
	       bpf_core_field_exists(struct bpf_local_storage_map___nolock, use_kmalloc_nolock);
}

/* 6.18 gave caches sheaves: arrays of free objects for each CPU. */
static __always_inline bool cache_has_sheaves(struct kmem_cache *cache)
{
	return bpf_core_field_exists(cache->cpu_sheaves) && BPF_CORE_READ(cache, cpu_sheaves);
}

#endif
