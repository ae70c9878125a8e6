// SPDX-License-Identifier: GPL-2.0-only
/* The maps of a unit that takes stacks, for test_stacks.c to fill; and a program that gives notice. */
#define KERNEL_STACKS_ONLY
#include "stack.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Filled by the test. */
struct counts {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct stack_key);
	__type(value, u64);
} counts_0 SEC(".maps"), counts_1 SEC(".maps");

/* Element 0: a notice. Filled by the test. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct space_notice);
} to_be_given SEC(".maps");

/* The test runs it. */
SEC("raw_tp")
int give_notice(void *ctx)
{
	u32 zero = 0;
	struct space_notice *notice = bpf_map_lookup_elem(&to_be_given, &zero);

	return notice ? bpf_ringbuf_output(&notices, notice, sizeof(*notice), 0) : -1;
}
