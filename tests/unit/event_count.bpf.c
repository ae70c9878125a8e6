// SPDX-License-Identifier: GPL-2.0-only
/* Counts how often it runs in one process, for test_event_attach.c, and reads a field each time. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "event_count.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct count_config config;
struct count_seen seen;

/* The test makes it a program of the type that the event needs. */
SEC("kprobe")
int count(void *ctx)
{
	u64 found = 0;

	if (bpf_get_current_pid_tgid() >> 32 != config.pid)
		return 0;
	if (config.field_size && config.field_size <= sizeof(found))
		bpf_probe_read_kernel(&found, config.field_size, ctx + config.field_offset);
	seen.value = found;
	__sync_fetch_and_add(&seen.hits, 1);
	return 0;
}
