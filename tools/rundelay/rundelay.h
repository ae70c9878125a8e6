/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two halves of rundelay share. Needs abi.h before it. */
#ifndef RUNDELAY_H
#define RUNDELAY_H

/* A thread in the map `threads`. Ids are used again, so the time of birth belongs to the key. */
struct rundelay_key {
	__u64 born; /* ns since boot, as the kernel notes it */
	__u32 tid;
	__u32 half; /* see struct bpf_control */
};

struct rundelay_thread {
	char comm[COMM_LEN]; /* when it was last switched in */
	__u32 tgid;
	__u32 pad;
	struct hist hist;
};

/* A single long wait. */
struct rundelay_event {
	__u64 time;  /* of its end: CLOCK_MONOTONIC, ns */
	__u64 delay; /* ns */
	__u32 tgid;
	__u32 tid;
	__u32 cpu; /* where it ended */
	char comm[COMM_LEN];
	__u32 pad;
	struct recorder recorder; /* that CPU's */
};

#endif
