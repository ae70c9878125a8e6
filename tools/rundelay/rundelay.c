// SPDX-License-Identifier: GPL-2.0-only
/* How long do threads wait for a CPU once they are runnable? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "kernel.h"
#include "clock.h"
#include "filter.h"
#include "maps.h"
#include "recorder.h"
#include "say.h"
#include "stacks.h"
#include "symbols.h"
#include "unit.h"
#include "rundelay.h"
#include "begin.h"
#include "rundelay.skel.h"

/* Memory for single events that userspace has not taken yet; each takes 8 KiB. */
#define EVENT_BUFFER (2 << 20)

/* Of those who ran meanwhile, so many are named. */
#define MOST_NAMED 4

/* Of what happened meanwhile, so much is told. */
#define MOST_TOLD 40

/* Twice the threads that there are now, and at least so many. */
#define LEAST_THREADS 1024

/* The kernel's own bound for threads (PID_MAX_LIMIT). */
#define MOST_THREADS (4 << 20)

static struct rundelay *skel;
static uint64_t max_threads;
static bool detail, stamps;
static struct filter filter = { .values = { "delay" } };

static const struct option_entry options[] = {
	FILTER_OPTION(filter, " delay"),
	{ "detail", 0, OPTION_FLAG, NULL,
	  "with --than: what happened on that CPU meanwhile, in order", .value = &detail },
	{ "stamps", 0, OPTION_FLAG, NULL,
	  "take stamps at wakeup and switch instead of the scheduler's account", .value = &stamps },
	{ "max-threads", 0, OPTION_COUNT, "N",
	  "with --perins (10 KiB each), -g (100 B): room for N threads", .value = &max_threads,
	  .least = 1, .most = MOST_THREADS },
	{},
};

enum {
	ROW_DIST
};

static const struct column one_row[] = {
	[ROW_DIST] = { .name = "delay", .type = CELL_DIST },
};

enum {
	THREAD_COMM,
	THREAD_PID,
	THREAD_TID,
	THREAD_DIST
};

static const struct column thread_row[] = {
	[THREAD_COMM] = { .name = "comm", .type = CELL_STRING },
	[THREAD_PID] = { .name = "pid", .type = CELL_ID },
	[THREAD_TID] = { .name = "tid", .type = CELL_ID },
	[THREAD_DIST] = { .name = "delay", .type = CELL_DIST },
};

enum {
	EVENT_TIME,
	EVENT_COMM,
	EVENT_PID,
	EVENT_TID,
	EVENT_CPU,
	EVENT_DELAY,
	EVENT_BEGIN,
	EVENT_RAN = EVENT_BEGIN + BEGIN_CELLS,
	EVENT_HAPPENED,
	EVENT_STACK,
	EVENT_CELLS
};

static struct column event_row[] = {
	[EVENT_TIME] = { .name = "time", .type = CELL_TIME },
	[EVENT_COMM] = { .name = "comm", .type = CELL_STRING },
	[EVENT_PID] = { .name = "pid", .type = CELL_ID },
	[EVENT_TID] = { .name = "tid", .type = CELL_ID },
	[EVENT_CPU] = { .name = "cpu", .type = CELL_ID },
	[EVENT_DELAY] = { .name = "delay", .type = CELL_DURATION },
	[EVENT_BEGIN] = BEGIN_COLUMNS,
	[EVENT_RAN] = { .name = "ran",
			.title = "ran there meanwhile",
			.type = CELL_TABLE,
			.layout = &ran_layout },
	[EVENT_HAPPENED] = { .name = "happened",
			     .type = CELL_TABLE,
			     .layout = &happened_layout,
			     .below = true },
	[EVENT_STACK] = { .name = "stack", .type = CELL_STACK },
};

static const struct layout one_layout = LAYOUT(one_row);
static const struct layout thread_layout = LAYOUT(thread_row);
static struct layout event_layout = { .columns = event_row };

static const char *check(struct settings *settings)
{
	if (detail && !settings->than)
		return "--detail tells more of single events: it needs --than";
	if (max_threads && !settings->perins && !settings->call_graph)
		return "--max-threads is for what is kept of threads: it needs --perins or -g";
	return filter_check(&filter, settings);
}

static const struct layout *rows(const struct session *s)
{
	if (s->settings.call_graph)
		return begin_rows();
	return s->settings.perins ? &thread_layout : &one_layout;
}

static const struct layout *events(const struct session *s)
{
	unsigned int i;

	/* Without -g, no event has them. */
	for (i = 0; !s->settings.call_graph && i < BEGIN_CELLS; i++)
		event_row[EVENT_BEGIN + i].shown = SHOWN_IN_JSON;
	event_layout.count = s->settings.call_graph ? EVENT_CELLS : EVENT_STACK;
	return &event_layout;
}

/* Switches off the programs that these settings or this kernel do not need. */
static void choose_programs(bool by_stack)
{
	struct bpf_program *const for_detail[] = {
		skel->progs.record_migrate,	 skel->progs.record_irq_enter,
		skel->progs.record_irq_exit,	 skel->progs.record_softirq_enter,
		skel->progs.record_softirq_exit,
	};
	unsigned int i;

	for (i = 0; !detail && i < sizeof(for_detail) / sizeof(*for_detail); i++)
		bpf_program__set_autoload(for_detail[i], false);
	if (skel->rodata->kernel_account) {
		bpf_program__set_autoload(skel->progs.sched_wakeup, false);
		bpf_program__set_autoload(skel->progs.sched_wakeup_new, false);
	}
	bpf_program__set_autoload(skel->progs.sched_switch, !by_stack);
	bpf_program__set_autoload(skel->progs.switch_by_stack, by_stack);
	bpf_program__set_autoload(skel->progs.begin_waking, by_stack);
	bpf_program__set_autoload(skel->progs.begin_new, by_stack);
}

static void report_by_stack(struct session *s);

static int open_skeleton(struct session *s)
{
	unsigned int threads = 2 * kernel_threads();
	bool by_stack = s->settings.call_graph;
	int err = filter_compile(&filter);

	if (err)
		return err;
	skel = rundelay__open();
	if (!skel)
		return -errno;
	session_use(s, skel);
	skel->rodata->by_filter = filter.code;
	if (threads < LEAST_THREADS)
		threads = LEAST_THREADS;
	s->config->per_task = s->settings.perins && !by_stack;
	s->config->total = !(s->settings.perins || by_stack) || s->settings.heatmap;
	skel->rodata->kernel_account = !stamps && kernel_has_sched_info();
	say_detail("delays come from %s", skel->rodata->kernel_account
						  ? "the scheduler's own account"
						  : "stamps at wakeups and switches");
	choose_programs(by_stack);

	if (!max_threads)
		max_threads = threads;
	err = filter_use(&filter,
			 by_stack ? skel->progs.switch_by_stack : skel->progs.sched_switch);
	if (!err && by_stack) {
		report_by_stack(s);
		err = begin_open(s, skel, max_threads);
	}
	if (!err && s->config->per_task) /* in two halves */
		err = bpf_map__set_max_entries(skel->maps.threads, 2 * max_threads);
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.events,
					       s->settings.than ? EVENT_BUFFER : getpagesize());
	return err;
}

static void merge(void *total, const void *one)
{
	hist_merge(total, one);
}

static int total(struct session *s, unsigned int half, struct hist *all)
{
	(void)s;
	return percpu_read(bpf_map__fd(skel->maps.all), &half, sizeof(*all), merge, all);
}

struct in_half {
	unsigned int half;
	struct table *rows;
};

static int add_thread(void *data, const void *key, const void *value)
{
	const struct rundelay_key *k = key;
	const struct rundelay_thread *thread = value;
	const struct in_half *in = data;
	struct cell *row;

	/* A row that has just been made has nothing in it yet. */
	if (k->half != in->half || !thread->hist.count)
		return 0;
	row = table_add(in->rows);
	cell_comm(&row[THREAD_COMM], thread->comm);
	cell_number(&row[THREAD_PID], thread->tgid);
	cell_number(&row[THREAD_TID], k->tid);
	cell_dist(&row[THREAD_DIST], &thread->hist);
	return 0;
}

static int report(struct session *s, unsigned int half, struct table *rows)
{
	struct in_half in = { half, rows };
	struct hist all = {};
	int err;

	if (!s->settings.perins) {
		err = total(s, half, &all);
		if (!err)
			cell_dist(&table_add(rows)[ROW_DIST], &all);
		return err;
	}
	err = map_each(bpf_map__fd(skel->maps.threads), sizeof(struct rundelay_key),
		       sizeof(struct rundelay_thread), add_thread, &in);
	table_sort(rows, THREAD_DIST);
	return err;
}

static int remove_thread(void *data, const void *key, const void *value)
{
	const struct rundelay_key *k = key;
	const struct in_half *in = data;

	(void)value;
	if (k->half == in->half)
		bpf_map_delete_elem(bpf_map__fd(skel->maps.threads), key);
	return 0;
}

static int empty(struct session *s, unsigned int half)
{
	struct in_half in = { .half = half };

	if (s->settings.perins)
		map_each(bpf_map__fd(skel->maps.threads), sizeof(struct rundelay_key),
			 sizeof(struct rundelay_thread), remove_thread, &in);
	return percpu_zero(bpf_map__fd(skel->maps.all), &half, sizeof(struct hist));
}

/* With -g: what maps of the span had that have been emptied since. */
static struct hist taken;

static int take_by_stack(struct session *s, unsigned int half)
{
	int err = total(s, half, &taken);

	if (!err)
		err = percpu_zero(bpf_map__fd(skel->maps.all), &half, sizeof(struct hist));
	return err ? err : begin_take(s, half);
}

static int total_by_stack(struct session *s, unsigned int half, struct hist *all)
{
	*all = taken;
	return total(s, half, all);
}

static int empty_by_stack(struct session *s, unsigned int half)
{
	memset(&taken, 0, sizeof(taken));
	return begin_empty(s, half);
}

/* Waits by their beginnings come from other maps, which have no room for a whole span. */
static void report_by_stack(struct session *s)
{
	static struct unit unit;

	unit = *s->unit;
	unit.map_full_help = "more different rows or stacks a second than there is room for";
	unit.take = take_by_stack;
	unit.report = begin_report;
	unit.empty = empty_by_stack;
	unit.total = total_by_stack;
	s->unit = &unit;
}

static void fill_beginning(struct session *s, struct cell *row, const struct beginning *begin)
{
	stacks_fetch(s->stacks, &begin->stack);
	begin_fill(s, &row[EVENT_BEGIN], &row[EVENT_STACK], begin);
	symbols_resolve(stacks_symbols(s->stacks), &row[EVENT_STACK].stack, 1);
}

static void event(struct session *s, const void *data, size_t size, struct table *events)
{
	const struct rundelay_event *e = data;
	struct cell *row = table_add(events);
	uint64_t began = e->time - e->delay;

	(void)size;
	cell_number(&row[EVENT_TIME], wall_of(e->time));
	cell_comm(&row[EVENT_COMM], e->comm);
	cell_number(&row[EVENT_PID], e->tgid);
	cell_number(&row[EVENT_TID], e->tid);
	cell_number(&row[EVENT_CPU], e->cpu);
	cell_number(&row[EVENT_DELAY], e->delay);
	if (s->stacks)
		fill_beginning(s, row, &e->begin);
	recorder_ran(&e->recorder, began, e->time, MOST_NAMED,
		     cell_table(&row[EVENT_RAN], &ran_layout));
	if (detail)
		recorder_happened(&e->recorder, began, e->time, MOST_TOLD,
				  cell_table(&row[EVENT_HAPPENED], &happened_layout));
}

static const struct unit rundelay = {
	.synopsis = {
		.name = "rundelay",
		.summary = "How long do threads wait for a CPU once they are runnable?",
		.description =
			"A wait begins when a thread is woken, also for the first time, or when it is\n"
			"preempted, and ends when it is switched in; being moved to other CPUs in between is\n"
			"part of it. A wait counts where and when it ends: in that interval, on that CPU. The\n"
			"idle tasks do not wait. Percentiles are off by at most 1/32; count, sum, min and max\n"
			"are exact.\n"
			"\n"
			"The scheduler takes both times itself: sums and counts are those of\n"
			"/proc/TID/schedstat (fields 2 and 3). When a thread is to run at once, on an idle CPU\n"
			"or in place of another thread, the scheduler does not look at the clock again and\n"
			"accounts for 0 ns. With --stamps rundelay takes the times, at wakeup and switch: that\n"
			"costs more, and the time that an idle CPU takes to wake up is part of the wait.\n"
			"\n"
			"-g tells how waits began, a row for each stack, with their sum: with a wakeup, by whom\n"
			"and where in that thread (or in an interrupt), or with a preemption, where the thread\n"
			"itself was. Flame graphs have the thread that waits, the cause, who woke it, the stack.\n"
			"\n"
			FILTER_HELP "\n"
			"delay is the wait's length in ns.",
		.examples =
			"  rundelay --duration 10s            all threads, one distribution\n"
			"  rundelay -i 1s --perins            each second, who waited most\n"
			"  rundelay --than 10ms               each wait over 10 ms, and who ran meanwhile\n"
			"  rundelay --flame-graph waits -- make -j8   who makes it wait, as waits.svg\n"
			"  rundelay --filter 'prio<120 && delay>1000000' --perins\n"
			"  rundelay -p 4242 --json -i 1s      a process, for another program to read\n"
			"  rundelay -- make -j8               a command and its children",
		.takes = TAKES_TARGETS | TAKES_INTERVAL | TAKES_DURATION | TAKES_EVENTS |
			 TAKES_HEATMAP | TAKES_PERINS | TAKES_STACKS | TAKES_OUTPUT |
			 TAKES_COMMAND,
		.options = options,
		.check = check,
	},
	.flames = { .value = FLAMEGRAPH_NS },
	.map_full_help = "no room for more threads; --max-threads makes some",
	.rows = rows,
	.events = events,
	.open = open_skeleton,
	.report = report,
	.empty = empty,
	.total = total,
	.event = event,
};

int main(int argc, char **argv)
{
	int status = unit_main(&rundelay, argc, argv);

	begin_free();
	filter_free(&filter);
	return status;
}
