/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * --filter: what a thread does, or what happens to it, counts if an expression holds. Without one the
 * verifier takes all of this out. See common/filter.h.
 */
#ifndef BPF_FILTER_BPF_H
#define BPF_FILTER_BPF_H

#include "vmlinux.h"
#include "abi.h"
#include "slot.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

const volatile bool by_filter = false;

/* A function of its own, of which nothing is left where it is not called. */
static __noinline bool filter_holds(struct task_struct *p, u64 first)
{
	struct filter_record record = {};

	record.value[0] = first;
	record.pid = BPF_CORE_READ(p, tgid);
	record.tid = BPF_CORE_READ(p, pid);
	record.cpu = bpf_get_smp_processor_id();
	record.prio = BPF_CORE_READ(p, prio);
	BPF_CORE_READ_INTO(&record.comm, p, comm);
	return slot_filter(&record);
}

/* Does the expression hold for @p, here, and @first, the first of the unit's own values? */
static __always_inline bool filter_passes(struct task_struct *p, u64 first)
{
	return !by_filter || filter_holds(p, first);
}

#endif
