/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two halves of profile share. Needs abi.h before it. */
#ifndef PROFILE_H
#define PROFILE_H

/* What samples are counted by. */
struct profile_key {
	struct stack_key stack;
	__u32 cpu; /* with --than; else 0 */
	__u32 pad;
};

/* A filter that may be asked for either way; userspace calls it enum wish. */
#define FILTER_ANY 0
#define FILTER_NO  1
#define FILTER_YES 2

struct profile_filters {
	__u32 irqs_off;	    /* FILTER_* */
	__u32 need_resched; /* FILTER_* */
	__u32 by_running;
	__u32 running_min, running_max;
	__u32 by_policy;
	__u32 policy;
	__u32 by_prio;
	__u32 prio_min, prio_max; /* as the kernel counts: 0 to 139 */
	__u32 exclude_pid;
	__u32 timer; /* samples come by a timer's interrupt */
};

/* How the bit is found that says that another thread should run. */
struct need_resched {
	__u32 waker, woken; /* the threads of the experiment */
	__u64 before;	    /* thread_info.flags of the waker */
	__u64 mask;	    /* what the wakeup has set of it */
};

#endif
