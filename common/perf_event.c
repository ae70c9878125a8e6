// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "perf_event.h"

int perf_event_open(const struct perf_event_attr *attr, pid_t pid, int cpu, unsigned long flags)
{
	int fd = syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC | flags);

	return fd < 0 ? -errno : fd;
}

struct bpf_link *perf_event_attach(struct bpf_program *prog, struct perf_event_attr *attr)
{
	struct bpf_link *link;
	int fd, err;

	attr->size = sizeof(*attr);
	fd = perf_event_open(attr, -1, 0, 0);
	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	link = bpf_program__attach_perf_event(prog, fd);
	if (!link) {
		err = errno;
		close(fd);
		errno = err;
	}
	return link;
}
