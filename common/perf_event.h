/* SPDX-License-Identifier: GPL-2.0-only */
/* The system call, which the C library does not have. */
#ifndef COMMON_PERF_EVENT_H
#define COMMON_PERF_EVENT_H

#include <linux/perf_event.h>
#include <sys/types.h>

/*
 * perf_event_open(2) without a group; @flags beside PERF_FLAG_FD_CLOEXEC. Returns a file descriptor or a
 * negative errno.
 */
int perf_event_open(const struct perf_event_attr *attr, pid_t pid, int cpu, unsigned long flags);

#endif
