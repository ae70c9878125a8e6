// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the benchmark needs from the kernel until its standard input ends.
 *
 *	floor EVENT...		an empty program at each of these events
 *	floor --heap PID	empty programs where malloc() and free() of a process's C library
 *				begin, and where malloc() ends
 *	floor --stats		the kernel measures all BPF programs (see bpf(2),
 *				BPF_ENABLE_STATS), which ends with this process, however it ends
 *
 * Says "ready" when it is so.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "floor.skel.h"

static int failed(const char *what, int err)
{
	fprintf(stderr, "floor: cannot %s: %s\n", what, strerror(-err));
	return 1;
}

/* Loads and attaches only the programs of @events. Returns 0 or a negative errno. */
static int attach(struct floor *skel, int count, char **events)
{
	struct bpf_program *prog;
	int i, err;

	bpf_object__for_each_program(prog, skel->obj)
	{
		bpf_program__set_autoload(prog, false);
	}
	for (i = 0; i < count; i++) {
		prog = bpf_object__find_program_by_name(skel->obj, events[i]);
		if (!prog)
			return -ENOENT;
		bpf_program__set_autoload(prog, true);
	}
	err = floor__load(skel);
	return err ? err : floor__attach(skel);
}

/* The links live as long as this process. Returns 0 or a negative errno. */
static int probe(struct bpf_program *prog, bool end, pid_t pid, const char *function)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .retprobe = end, .func_name = function);

	return bpf_program__attach_uprobe_opts(prog, pid, "libc.so.6", 0, &opts) ? 0 : -errno;
}

static int attach_to_heap(struct floor *skel, pid_t pid)
{
	char *programs[] = { "begin", "end" };
	int err = attach(skel, 2, programs);

	err = err ? err : probe(skel->progs.begin, false, pid, "free");
	err = err ? err : probe(skel->progs.end, true, pid, "malloc");
	return err ? err : probe(skel->progs.begin, false, pid, "malloc");
}

static int wait_for_end(void)
{
	char unused;

	puts("ready");
	if (fflush(stdout))
		return 1;
	while (read(STDIN_FILENO, &unused, 1) > 0)
		;
	return 0;
}

int main(int argc, char **argv)
{
	struct floor *skel;
	int err, status;

	if (argc < 2) {
		fprintf(stderr, "usage: floor EVENT... | floor --heap PID | floor --stats\n");
		return 2;
	}
	if (!strcmp(argv[1], "--stats")) {
		if (bpf_enable_stats(BPF_STATS_RUN_TIME) < 0)
			return failed("have programs measured", -errno);
		return wait_for_end();
	}
	skel = floor__open();
	if (!skel)
		return failed("open the programs", -errno);
	if (argc == 3 && !strcmp(argv[1], "--heap"))
		err = attach_to_heap(skel, strtol(argv[2], NULL, 10));
	else
		err = attach(skel, argc - 1, argv + 1);
	status = err ? failed("attach", err) : wait_for_end();
	floor__destroy(skel);
	return status;
}
