// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an expression costs beside the same filter written by hand in C: at sched:sched_wakeup, by the
 * kernel's own measure of programs' time (BPF_ENABLE_STATS). Two threads wake each other on one CPU;
 * once as usual, so that the second comparison already tells, and once with a real-time priority and
 * the name that is asked for, so that all hold.
 *
 * A program is measured alone, in turn with the others. Shown is each one's best round; all contain
 * the two readings of the clock, which an empty program shows.
 */
#include <bpf/bpf.h>
#include <err.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "expr.skel.h"
#include "expr/slot.h"
#include "tracefs.h"

#define FILTER	"pid > 100 && prio < 10 && comm ~ \"ng*\""
#define ROUNDS	7
#define WAKEUPS 60000
#define MOST	32

/* As sched_setscheduler() counts: the kernel's prio is 99 less this. */
#define REAL_TIME 95

static struct expr_field fields[MOST];
static struct trace_field traced[MOST];

static struct expr_scope scope_of_wakeup(void)
{
	int count = tracepoint_fields("sched", "sched_wakeup", traced, MOST), i;

	if (count <= 0)
		errx(77, "there is no sched:sched_wakeup");
	for (i = 0; i < count; i++)
		fields[i] = (struct expr_field){
			.name = traced[i].name,
			.content = traced[i].is_array ? CONTENT_CHARS : CONTENT_NUMBER,
			.offset = traced[i].offset,
			.size = traced[i].size,
			.is_signed = traced[i].is_signed,
		};
	return (struct expr_scope){ .fields = fields, .count = count };
}

static void fill(const struct bpf_program *prog)
{
	struct expr_scope scope = scope_of_wakeup();
	struct expr_error error = {};
	static struct expr_code code;
	struct expr *e = expr_parse(FILTER, &scope, EXPR_WANT_NUMBER, &error);

	if (!e || expr_emit(e, &code, &error)) {
		expr_say_error(FILTER, &scope, &error);
		exit(1);
	}
	expr_free(e);
	printf("%s: %u instructions\n", FILTER, code.count);
	if (slot_fill(prog, SLOT_FILTER, &code))
		errx(1, "no memory");
}

static int attach(const struct bpf_program *prog)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT,
					.size = sizeof(attr),
					.config = tracepoint_id("sched", "sched_wakeup"),
					.sample_period = 1 };
	int fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0);

	if (fd < 0 || ioctl(fd, PERF_EVENT_IOC_SET_BPF, bpf_program__fd(prog)) ||
	    ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
		err(1, "cannot attach to sched:sched_wakeup");
	return fd;
}

static void pass(int from, int to)
{
	char c = 0;
	int i;

	for (i = 0; i < WAKEUPS / 2; i++) {
		if (read(from, &c, 1) != 1 || write(to, &c, 1) != 1)
			err(1, "pipe");
	}
}

/* Two processes that wake each other WAKEUPS times. */
static void wake(bool real_time)
{
	struct sched_param param = { .sched_priority = REAL_TIME };
	int there[2], back[2], status;
	cpu_set_t cpus;
	pid_t child, other;

	child = fork();
	if (child) {
		if (child < 0 || waitpid(child, &status, 0) != child || status)
			errx(1, "the load failed");
		return;
	}
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	prctl(PR_SET_NAME, "nginx");
	if (sched_setaffinity(0, sizeof(cpus), &cpus) || pipe(there) || pipe(back) ||
	    (real_time && sched_setscheduler(0, SCHED_FIFO, &param)))
		err(1, "cannot set up the load");
	other = fork();
	if (!other) {
		pass(there[0], back[1]);
		_exit(0);
	}
	if (write(back[1], "", 1) != 1)
		err(1, "pipe");
	pass(back[0], there[1]);
	waitpid(other, NULL, 0);
	_exit(0);
}

/* ns of a run of @prog while the load runs. */
static double measure(const struct bpf_program *prog, bool real_time)
{
	struct bpf_prog_info before = {}, after = {};
	__u32 size = sizeof(before);
	int event = attach(prog), fd = bpf_program__fd(prog);

	if (bpf_obj_get_info_by_fd(fd, &before, &size))
		err(1, "cannot ask for the program's time");
	wake(real_time);
	size = sizeof(after);
	if (bpf_obj_get_info_by_fd(fd, &after, &size))
		err(1, "cannot ask for the program's time");
	close(event);
	if (after.run_cnt - before.run_cnt < WAKEUPS / 2)
		errx(1, "the program ran only %llu times", after.run_cnt - before.run_cnt);
	return (double)(after.run_time_ns - before.run_time_ns) / (after.run_cnt - before.run_cnt);
}

static void compare(struct expr_bench *skel, bool real_time)
{
	const struct bpf_program *progs[] = { skel->progs.empty, skel->progs.by_hand,
					      skel->progs.by_slot };
	double best[3] = { 1e9, 1e9, 1e9 }, ns;
	unsigned int round, i;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < 3; i++) {
			ns = measure(progs[(round + i) % 3], real_time);
			if (ns < best[(round + i) % 3])
				best[(round + i) % 3] = ns;
		}
	}
	printf("%-22s %8.1f %8.1f %11.1f   %.2f\n", real_time ? "all hold" : "the second does not",
	       best[0], best[1], best[2], best[2] / best[1]);
}

int main(void)
{
	struct expr_bench *skel;
	int stats;

	if (slots_setup() || !(skel = expr_bench__open()))
		errx(1, "cannot open the programs");
	fill(skel->progs.by_slot);
	if (expr_bench__load(skel))
		errx(1, "cannot load the programs");
	slots_free();
	stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (stats < 0)
		err(1, "cannot have programs measured");
	printf("%-22s %8s %8s %11s   %s\n", "ns a run", "empty", "by hand", "expression", "ratio");
	compare(skel, false);
	compare(skel, true);
	/* Both let the same pass, and not nothing. */
	if (skel->bss->passed_by_hand < ROUNDS * WAKEUPS / 2 ||
	    skel->bss->passed_by_slot < ROUNDS * WAKEUPS / 2)
		errx(1, "the filters let too little pass");
	close(stats);
	expr_bench__destroy(skel);
	return 0;
}
