/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs at events that perf makes: tracepoints and probes. */
#ifndef COMMON_PERF_EVENT_H
#define COMMON_PERF_EVENT_H

#include <bpf/libbpf.h>
#include <linux/perf_event.h>
#include <sys/types.h>

/*
 * perf_event_open(2) without a group; @flags beside PERF_FLAG_FD_CLOEXEC. Returns a file descriptor or a
 * negative errno.
 */
int perf_event_open(const struct perf_event_attr *attr, pid_t pid, int cpu, unsigned long flags);

/*
 * Opens the event of @attr and attaches @prog. It runs on each CPU and in all processes: at these
 * events, where they were opened for does not matter. Returns the link, which is the caller's and
 * closes the event, or NULL with errno set.
 */
struct bpf_link *perf_event_attach(struct bpf_program *prog, struct perf_event_attr *attr);

#endif
