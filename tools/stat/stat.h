/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two halves of stat share. Needs abi.h before it. */
#ifndef STAT_H
#define STAT_H

/* What an event of -e is counted by where there is a row for each thread, and what that is. */
struct thread_key {
	__u32 event;
	__u32 tid;
};

struct thread_count {
	__u64 count;
	char comm[COMM_LEN]; /* the name that the thread had last */
};

#endif
