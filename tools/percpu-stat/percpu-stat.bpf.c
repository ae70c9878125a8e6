// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts what happens on each CPU. An interrupt may count between the load and the store of another
 * program's addition, hence these are atomic. Tracepoints that this kernel does not have are not loaded.
 */
#include "vmlinux.h"
#include "abi.h"
#include <bpf/bpf_helpers.h>
#include "percpu-stat.h"
#include "lost.bpf.h"
#include "target.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* One element: the counts. Filled by all programs, emptied by userspace; cannot be full. */
struct percpu_counts {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct cpu_counts);
} counts_0 SEC(".maps"), counts_1 SEC(".maps");

static __always_inline int count(enum counted what)
{
	struct cpu_counts *counts;
	u32 zero = 0;

	if (!observing() || !cpu_wanted())
		return 0;
	counts = bpf_map_lookup_elem(HALF_MAP(counts, current_half()), &zero);
	if (counts)
		__sync_fetch_and_add(&counts->count[what], 1);
	return 0;
}

#define COUNT(tracepoint, what)     \
	SEC("raw_tp/" #tracepoint)  \
	int tracepoint(void *ctx)   \
	{                           \
		return count(what); \
	}

COUNT(sys_enter, COUNTED_SYSCALL)
COUNT(irq_handler_entry, COUNTED_HARDIRQ)
COUNT(softirq_entry, COUNTED_SOFTIRQ)
COUNT(hrtimer_expire_entry, COUNTED_HRTIMER)
COUNT(workqueue_execute_start, COUNTED_WORK)
COUNT(kvm_exit, COUNTED_KVM_EXIT)
COUNT(netif_receive_skb, COUNTED_RECEIVE)
COUNT(net_dev_xmit, COUNTED_TRANSMIT)
COUNT(napi_gro_receive_entry, COUNTED_GRO)
COUNT(mm_page_alloc, COUNTED_PAGE_ALLOC)
COUNT(mm_compaction_migratepages, COUNTED_COMPACTION)
COUNT(mm_vmscan_direct_reclaim_begin, COUNTED_RECLAIM)
COUNT(mm_migrate_pages, COUNTED_MIGRATION)
COUNT(mm_filemap_add_to_page_cache, COUNTED_PAGE_CACHE)
COUNT(wbc_writepage, COUNTED_WRITEBACK)

/* Comes with the state that is entered, and with PWR_EVENT_EXIT at the end of it. */
#define PWR_EVENT_EXIT ((u32)-1)

SEC("raw_tp/cpu_idle")
int cpu_idle(struct bpf_raw_tracepoint_args *ctx)
{
	return (u32)ctx->args[0] == PWR_EVENT_EXIT ? 0 : count(COUNTED_IDLE);
}
