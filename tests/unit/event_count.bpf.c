// SPDX-License-Identifier: GPL-2.0-only
/* Counts how often an event happens to one process, for test_event_attach.c, and keeps a value of it. */
#include "slot.bpf.h"
#include "event_count.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct count_config config;
struct count_seen seen;

/* The test makes it a program of the type that the event needs. */
SEC("event")
int count(void *ctx)
{
	if (bpf_get_current_pid_tgid() >> 32 != config.pid || !slot_filter(ctx))
		return 0;
	seen.value = slot_value(ctx);
	__sync_fetch_and_add(&seen.hits, 1);
	return 0;
}
