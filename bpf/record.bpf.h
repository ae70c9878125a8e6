/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flight recorder: what happened on this CPU lately. Written all the time while single events
 * are wanted, read only when one of them is shown. common/recorder.h tells the story.
 */
#ifndef BPF_RECORD_BPF_H
#define BPF_RECORD_BPF_H

#include "vmlinux.h"
#include "abi.h"
#include "target.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* One element a CPU: its recorder. Overwrites its oldest records, so it is never full. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct recorder);
} recorder SEC(".maps");

/*
 * The record to fill next, of @now (CLOCK_MONOTONIC), or NULL. Taken before it is filled: an
 * interrupt that records meanwhile gets the next one.
 */
static __always_inline struct record *new_record(enum record_kind kind, u64 now)
{
	u32 zero = 0;
	struct recorder *r = bpf_map_lookup_elem(&recorder, &zero);
	struct record *slot;

	if (!r)
		return NULL;
	slot = &r->ring[r->head++ % RECORDS];
	slot->time = now;
	slot->kind = kind;
	return slot;
}

static __always_inline void record_task(enum record_kind kind, struct task_struct *p, u16 arg,
					u64 now)
{
	struct record *slot = new_record(kind, now);

	if (!slot)
		return;
	slot->tid = p->pid;
	slot->arg = arg;
	bpf_probe_read_kernel(slot->comm, sizeof(slot->comm), p->comm);
}

static __always_inline void record_number(enum record_kind kind, u16 arg)
{
	struct record *slot = new_record(kind, bpf_ktime_get_ns());

	if (!slot)
		return;
	slot->arg = arg;
	slot->comm[0] = 0;
}

/* The programs below are loaded for --detail only. */

SEC("tp_btf/sched_migrate_task")
int BPF_PROG(record_migrate, struct task_struct *p, int cpu)
{
	record_task(RECORD_MIGRATE, p, cpu, bpf_ktime_get_ns());
	return 0;
}

SEC("tp_btf/irq_handler_entry")
int BPF_PROG(record_irq_enter, int irq, struct irqaction *action)
{
	struct record *slot = new_record(RECORD_IRQ_ENTER, bpf_ktime_get_ns());

	if (!slot)
		return 0;
	slot->arg = irq;
	bpf_probe_read_kernel_str(slot->comm, sizeof(slot->comm), action->name);
	return 0;
}

SEC("tp_btf/irq_handler_exit")
int BPF_PROG(record_irq_exit, int irq)
{
	record_number(RECORD_IRQ_EXIT, irq);
	return 0;
}

SEC("tp_btf/softirq_entry")
int BPF_PROG(record_softirq_enter, unsigned int vector)
{
	record_number(RECORD_SOFTIRQ_ENTER, vector);
	return 0;
}

SEC("tp_btf/softirq_exit")
int BPF_PROG(record_softirq_exit, unsigned int vector)
{
	record_number(RECORD_SOFTIRQ_EXIT, vector);
	return 0;
}

#endif
