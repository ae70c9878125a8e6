// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel does on a CPU while its system time is high: samples, counted by stack. */
#include "vmlinux.h"
#include "abi.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "count.bpf.h"
#include "idle.bpf.h"
#include "lost.bpf.h"
#define KERNEL_STACKS_ONLY
#include "stack.bpf.h"
#include "target.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/*
 * Samples by stack. Filled at a stack's first sight in a half, sized and emptied by userspace. When
 * it is full, samples of new stacks are lost.
 */
struct samples {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct stack_key);
	__type(value, u64);
} samples_0 SEC(".maps"), samples_1 SEC(".maps");

SEC("perf_event")
int sample(struct bpf_perf_event_data *ctx)
{
	struct stack_key key = {};
	u32 half = current_half();

	if (!observing() || is_idle(SAMPLE_IP(ctx)))
		return 0;
	stack_here(ctx, 0, false, half, &key);
	count_key(HALF_MAP(samples, half), &key);
	return 0;
}
