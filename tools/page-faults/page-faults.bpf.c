// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page faults, counted by who had them, of which kind, in what. Two programs see each fault that is
 * handled, when that is done: at the kernel's own counts of minor and of major faults. What kind of
 * access it was is known only to the tracepoints at its beginning.
 */
#include "vmlinux.h"
#include "abi.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "page-faults.h"
#include "current.bpf.h"
#include "filter.bpf.h"
#include "lost.bpf.h"
#include "mapping.bpf.h"
#include "stack.bpf.h"
#include "target.bpf.h"
#include "vma.bpf.h"

char LICENSE[] SEC("license") = "GPL";

const volatile bool has_access = false; /* access_user and access_kernel are loaded */
const volatile unsigned long page_mask =
	0; /* what of an address makes its page; 0: pages do not matter */

/*
 * Faults. Filled at the first sight of a key in a half, sized and emptied by userspace. When it is
 * full, faults with a new key are lost.
 */
struct fault_counts {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct fault_key);
	__type(value, struct faults);
} faults_0 SEC(".maps"), faults_1 SEC(".maps");

/* A fault that has begun. */
struct begun {
	u64 address;
	u64 error_code;
};

/*
 * Key: a thread's id. Filled when a fault begins, and again at its next one. When it is full, the
 * threads that had none for longest are forgotten; the access of a fault that goes on for so long is
 * not known.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, struct begun);
} begun SEC(".maps");

/* Runs of the programs at the end of faults, for userspace to see which ones the kernel skipped. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} runs SEC(".maps");

static __always_inline void fault_begins(u64 address, u64 error_code)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct begun now = { address, error_code }, *there;

	if (!observing() || !current_chosen())
		return;
	there = bpf_map_lookup_elem(&begun, &tid);
	if (there)
		*there = now;
	else
		bpf_map_update_elem(&begun, &tid, &now, BPF_ANY);
}

SEC("tp_btf/page_fault_user")
int BPF_PROG(access_user, unsigned long address, struct pt_regs *regs, unsigned long error_code)
{
	fault_begins(address, error_code);
	return 0;
}

SEC("tp_btf/page_fault_kernel")
int BPF_PROG(access_kernel, unsigned long address, struct pt_regs *regs, unsigned long error_code)
{
	struct task_struct *p = (void *)bpf_get_current_task();

	/*
	 * Where faults are forbidden, this one is not handled, and may be in the midst of one that
	 * is. Reading that forbids them for once more.
	 */
	if (BPF_CORE_READ(p, pagefault_disabled) <= 1)
		fault_begins(address, error_code);
	return 0;
}

/* Not static: see mapping_of(). */
__noinline u32 access_at(u64 address)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct begun *there = has_access ? bpf_map_lookup_elem(&begun, &tid) : NULL;

	if (!there || there->address != address)
		return ACCESS_UNKNOWN;
	if (FAULT_EXECUTES(there->error_code))
		return ACCESS_EXEC;
	return FAULT_WRITES(there->error_code) ? ACCESS_WRITE : ACCESS_READ;
}

static __always_inline void count_run(void)
{
	u32 zero = 0;
	u64 *count = bpf_map_lookup_elem(&runs, &zero);

	if (count)
		(*count)++;
}

static __noinline int fault_done(struct bpf_perf_event_data *ctx, u8 type)
{
	struct faults first = {}, *there;
	struct fault_key key = {};
	u32 half = current_half();
	u64 address = ctx->addr, vma;
	void *counts = HALF_MAP(faults, half);
	int err;

	count_run();
	if (!observing() || !current_wanted() ||
	    !filter_passes((void *)bpf_get_current_task(), address))
		return 0;
	stack_here(ctx, 0, SAMPLE_IN_USER(ctx), half, &key.stack);
	vma = current_vma(address);
	if (vma)
		key.mapping = mapping_of(vma);
	key.page = address & page_mask;
	key.cpu = bpf_get_smp_processor_id();
	key.access = access_at(address);
	key.mode = SAMPLE_IN_USER(ctx) ? MODE_USER : MODE_KERNEL;
	key.type = type;
	there = bpf_map_lookup_elem(counts, &key);
	if (there) {
		there->count++;
		if (address < there->lowest)
			there->lowest = address;
		if (address > there->highest)
			there->highest = address;
		return 0;
	}
	first.count = 1;
	first.lowest = first.highest = address;
	err = bpf_map_update_elem(counts, &key, &first, BPF_NOEXIST);
	if (err)
		count_lost(lost_because(err));
	else if (key.mapping & MAPPING_NAMED)
		name_mapping(vma, key.mapping);
	return 0;
}

SEC("perf_event")
int minor_fault(struct bpf_perf_event_data *ctx)
{
	return fault_done(ctx, FAULT_MINOR);
}

SEC("perf_event")
int major_fault(struct bpf_perf_event_data *ctx)
{
	return fault_done(ctx, FAULT_MAJOR);
}
