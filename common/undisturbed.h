/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Not to be interrupted by other threads: while this process is in the middle of reading or changing a
 * map, the kernel runs no program at a perf event on that CPU. A kernel that preempts itself may give
 * the CPU to another thread just then, all of whose events are skipped.
 */
#ifndef COMMON_UNDISTURBED_H
#define COMMON_UNDISTURBED_H

/* Where this process may not do that (CAP_SYS_NICE) both do nothing. For some milliseconds at most. */
void undisturbed_begin(void);
void undisturbed_end(void);

#endif
