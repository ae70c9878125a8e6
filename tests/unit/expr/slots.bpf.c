// SPDX-License-Identifier: GPL-2.0-only
/* A program with slots, and with functions before and behind them: for test_slots.c. */
#include "slot.bpf.h"
#include "slots.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

const volatile __u32 only_tid = 0;
struct slots_result result = {};

/* Only to be in BTF. */
struct overlay *overlay = NULL;
struct overlay_long *overlay_long = NULL;

static __noinline u64 running(u64 *tid)
{
	struct task_struct *p = (void *)bpf_get_current_task();

	*tid = BPF_CORE_READ(p, pid);
	return 0;
}

static __always_inline int handle(void *ctx)
{
	char text[SLOT_TEXT_SIZE] = {};
	u64 tid = 0;

	if ((u32)bpf_get_current_pid_tgid() != only_tid)
		return 0;
	__sync_fetch_and_add(&result.seen, 1);
	if (!slot_filter(ctx))
		return 0;
	__sync_fetch_and_add(&result.passed, 1);
	result.key = slot_key(ctx);
	result.value = slot_value(ctx);
	running(&tid);
	result.here = tid;
	result.value2 = slot_value2(ctx);
	slot_key_text(ctx, text);
	__builtin_memcpy(result.text, text, sizeof(text));
	return 0;
}

SEC("event")
int on_event(void *ctx)
{
	return handle(ctx);
}

/* A program of another type in the same object. */
SEC("event")
int on_task(void *ctx)
{
	return handle(ctx);
}
