// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the benchmark needs from the kernel until its standard input ends.
 *
 *	floor EVENT...	an empty program at each of these events
 *	floor --stats	the kernel measures all BPF programs (see bpf(2), BPF_ENABLE_STATS), which
 *			ends with this process, however it ends
 *
 * Says "ready" when it is so.
 */
#include <errno.h>
#include <stdio.h>
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
		fprintf(stderr, "usage: floor EVENT... | floor --stats\n");
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
	err = attach(skel, argc - 1, argv + 1);
	status = err ? failed("attach", err) : wait_for_end();
	floor__destroy(skel);
	return status;
}
