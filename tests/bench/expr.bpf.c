// SPDX-License-Identifier: GPL-2.0-only
/* The same filter written by hand and as an expression, and none: what tests/bench/expr.c compares. */
#include "slot.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* The record of sched:sched_wakeup, as its file `format` has it. */
struct wakeup {
	u64 common;
	char comm[16];
	s32 pid;
	s32 prio;
	s32 target_cpu;
};

__u64 passed_by_hand = 0, passed_by_slot = 0;

SEC("event")
int empty(void *ctx)
{
	return 0;
}

SEC("event")
int by_hand(struct wakeup *ctx)
{
	if (ctx->pid > 100 && ctx->prio < 10 && ctx->comm[0] == 'n' && ctx->comm[1] == 'g')
		passed_by_hand++;
	return 0;
}

SEC("event")
int by_slot(struct wakeup *ctx)
{
	if (slot_filter(ctx))
		passed_by_slot++;
	return 0;
}
