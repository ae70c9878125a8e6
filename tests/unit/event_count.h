/* SPDX-License-Identifier: GPL-2.0-only */
/* What event_count.bpf.c and its test are to each other. */
#ifndef EVENT_COUNT_H
#define EVENT_COUNT_H

/* .rodata */
struct count_config {
	__u32 pid;
};

/* .bss */
struct count_seen {
	__u64 hits;
	__u64 value; /* of the last one */
};

#endif
