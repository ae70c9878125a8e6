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

/* How a wait begins. */
enum cause {
	CAUSE_UNSEEN,
	CAUSE_WAKEUP,
	CAUSE_PREEMPTION,
};

struct beginning {
	struct stack_key stack; /* of who woke the thread, or its own */
	__u32 cause;		/* enum cause */
	__u32 pad;
};

/* What waits are counted by, with -g. */
struct waits_key {
	struct beginning begin;
	char comm[COMM_LEN]; /* when it was switched in */
	__u32 tgid;
	__u32 tid; /* with --perins; else 0 */
	__u32 cpu; /* so that only one CPU writes to a value */
	__u32 pad;
};

struct waits {
	__u64 count;
	__u64 sum, longest; /* ns */
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
	struct beginning begin;	  /* with -g */
	struct recorder recorder; /* that CPU's */
};

#endif
