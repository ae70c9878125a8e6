// SPDX-License-Identifier: GPL-2.0-only
/* What does each CPU do, in numbers of events? */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include "counters.h"
#include "maps.h"
#include "quantity.h"
#include "say.h"
#include "tracefs.h"
#include "unit.h"
#include "percpu-stat.h"
#include "percpu-stat.skel.h"

#define USUAL_INTERVAL NSEC_PER_SEC

static struct percpu_stat *skel;
static struct counters counters;
static const char *cpus;
static bool syscalls;

static const struct option_entry options[] = {
	{ "cpus", 'C', OPTION_CHECKED, "LIST", "only these CPUs: 0-3,5", .value = &cpus,
	  .check = check_cpus },
	{ "syscalls", 0, OPTION_FLAG, NULL, "count system calls, too, which there may be many of",
	  .value = &syscalls },
	{},
};

/* What perf counts, by the number of its counter. */
enum {
	CONTEXT_SWITCHES,
	CPU_MIGRATIONS,
	MINOR_FAULTS,
	MAJOR_FAULTS,
	PERF_COUNTED,
};

static const struct {
	const char *name;
	__u64 config;
} by_perf[PERF_COUNTED] = {
	[CONTEXT_SWITCHES] = { "context-switches", PERF_COUNT_SW_CONTEXT_SWITCHES },
	[CPU_MIGRATIONS] = { "cpu-migrations", PERF_COUNT_SW_CPU_MIGRATIONS },
	[MINOR_FAULTS] = { "minor-faults", PERF_COUNT_SW_PAGE_FAULTS_MIN },
	[MAJOR_FAULTS] = { "major-faults", PERF_COUNT_SW_PAGE_FAULTS_MAJ },
};

/* What programs count: the tracepoints whose names they have. */
static struct {
	const char *system, *tracepoint;
	bool there;
} by_program[COUNTED_EVENTS] = {
	[COUNTED_SYSCALL] = { "raw_syscalls", "sys_enter" },
	[COUNTED_HARDIRQ] = { "irq", "irq_handler_entry" },
	[COUNTED_SOFTIRQ] = { "irq", "softirq_entry" },
	[COUNTED_HRTIMER] = { "timer", "hrtimer_expire_entry" },
	[COUNTED_WORK] = { "workqueue", "workqueue_execute_start" },
	[COUNTED_KVM_EXIT] = { "kvm", "kvm_exit" },
	[COUNTED_RECEIVE] = { "net", "netif_receive_skb" },
	[COUNTED_TRANSMIT] = { "net", "net_dev_xmit" },
	[COUNTED_GRO] = { "net", "napi_gro_receive_entry" },
	[COUNTED_PAGE_ALLOC] = { "kmem", "mm_page_alloc" },
	[COUNTED_COMPACTION] = { "compaction", "mm_compaction_migratepages" },
	[COUNTED_RECLAIM] = { "vmscan", "mm_vmscan_direct_reclaim_begin" },
	[COUNTED_MIGRATION] = { "migrate", "mm_migrate_pages" },
	[COUNTED_PAGE_CACHE] = { "filemap", "mm_filemap_add_to_page_cache" },
	[COUNTED_WRITEBACK] = { "writeback", "wbc_writepage" },
	[COUNTED_IDLE] = { "power", "cpu_idle" },
};

enum {
	ROW_SHOWN_CPU,
	ROW_CPU,
	ROW_PERF,
	ROW_PROGRAMS = ROW_PERF + PERF_COUNTED,
	ROW_CELLS = ROW_PROGRAMS + COUNTED_EVENTS,
};

#define COUNT_COLUMN(json, text)                                                             \
	{                                                                                    \
		.name = json, .title = text, .type = CELL_COUNT, .width = 1, .or_null = true \
	}

static struct column columns[ROW_CELLS] = {
	[ROW_SHOWN_CPU] = { .name = "cpu",
			    .type = CELL_STRING,
			    .right = true,
			    .width = 4,
			    .shown = SHOWN_IN_TEXT },
	[ROW_CPU] = { .name = "cpu", .type = CELL_ID, .shown = SHOWN_IN_JSON },
	[ROW_PERF + CONTEXT_SWITCHES] = COUNT_COLUMN("context_switches", "csw"),
	[ROW_PERF + CPU_MIGRATIONS] = COUNT_COLUMN("cpu_migrations", "cpu-mig"),
	[ROW_PERF + MINOR_FAULTS] = COUNT_COLUMN("minor_faults", "minflt"),
	[ROW_PERF + MAJOR_FAULTS] = COUNT_COLUMN("major_faults", "majflt"),
	[ROW_PROGRAMS + COUNTED_SYSCALL] = COUNT_COLUMN("syscalls", "syscalls"),
	[ROW_PROGRAMS + COUNTED_HARDIRQ] = COUNT_COLUMN("hardirqs", "hardirq"),
	[ROW_PROGRAMS + COUNTED_SOFTIRQ] = COUNT_COLUMN("softirqs", "softirq"),
	[ROW_PROGRAMS + COUNTED_HRTIMER] = COUNT_COLUMN("hrtimers", "hrtimer"),
	[ROW_PROGRAMS + COUNTED_WORK] = COUNT_COLUMN("workqueue", "workq"),
	[ROW_PROGRAMS + COUNTED_KVM_EXIT] = COUNT_COLUMN("kvm_exits", "kvm-exit"),
	[ROW_PROGRAMS + COUNTED_RECEIVE] = COUNT_COLUMN("net_received", "recv"),
	[ROW_PROGRAMS + COUNTED_TRANSMIT] = COUNT_COLUMN("net_transmitted", "xmit"),
	[ROW_PROGRAMS + COUNTED_GRO] = COUNT_COLUMN("gro_received", "gro"),
	[ROW_PROGRAMS + COUNTED_PAGE_ALLOC] = COUNT_COLUMN("page_allocs", "alloc"),
	[ROW_PROGRAMS + COUNTED_COMPACTION] = COUNT_COLUMN("compactions", "compact"),
	[ROW_PROGRAMS + COUNTED_RECLAIM] = COUNT_COLUMN("direct_reclaims", "reclaim"),
	[ROW_PROGRAMS + COUNTED_MIGRATION] = COUNT_COLUMN("page_migrations", "migrate"),
	[ROW_PROGRAMS + COUNTED_PAGE_CACHE] = COUNT_COLUMN("page_cache_adds", "cache"),
	[ROW_PROGRAMS + COUNTED_WRITEBACK] = COUNT_COLUMN("writebacks", "wb"),
	[ROW_PROGRAMS + COUNTED_IDLE] = COUNT_COLUMN("idles", "idle"),
};

static const struct layout layout = LAYOUT(columns);

static const struct layout *rows(const struct session *s)
{
	(void)s;
	return &layout;
}

static const char *check(struct settings *settings)
{
	settings->targets.cpus = cpus;
	settings->command_is_timer = settings->command;
	if (!settings->interval_ns)
		settings->interval_ns = USUAL_INTERVAL;
	return NULL;
}

/* Leaves out the programs whose tracepoints this kernel does not have, or that are not asked for. */
static int choose_programs(struct session *s)
{
	struct bpf_program *prog;
	int i, err = 0;

	for (i = 0; i < COUNTED_EVENTS && !err; i++) {
		by_program[i].there =
			(i != COUNTED_SYSCALL || syscalls) &&
			tracepoint_id(by_program[i].system, by_program[i].tracepoint) >= 0;
		prog = bpf_object__find_program_by_name(s->obj, by_program[i].tracepoint);
		err = bpf_program__set_autoload(prog, by_program[i].there);
		if (!by_program[i].there && i != COUNTED_SYSCALL)
			say_detail("this kernel does not have the tracepoint %s:%s",
				   by_program[i].system, by_program[i].tracepoint);
	}
	columns[ROW_PROGRAMS + COUNTED_SYSCALL].optional = !syscalls;
	return err;
}

static int open_skeleton(struct session *s)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE };
	int status = counters_places(&counters, &s->settings.targets, 0);
	unsigned int i;

	if (status)
		return status;
	for (i = 0; i < PERF_COUNTED; i++) {
		attr.config = by_perf[i].config;
		counters_add(&counters, by_perf[i].name, &attr);
	}
	for (i = 0; i < ROW_CELLS; i++) {
		if (columns[i].type == CELL_COUNT)
			column_widen(&columns[i], columns[i].title);
	}
	skel = percpu_stat__open();
	if (!skel)
		return -errno;
	session_use(s, skel);
	return choose_programs(s);
}

static int attach(struct session *s)
{
	(void)s;
	return counters_open(&counters);
}

static void begin(struct session *s)
{
	(void)s;
	counters_start(&counters);
}

static int read_counters(struct session *s)
{
	(void)s;
	return counters_read(&counters);
}

static void set_count(struct cell *cells, unsigned int column, uint64_t count)
{
	char text[QUANTITY_LEN];

	cell_number(&cells[column], count);
	column_widen(&columns[column], format_count(text, count));
}

/* Adds a row of what CPU @cpu (in text, @shown) counted. */
static void add_row(struct table *rows, int cpu, const char *shown, const uint64_t *perf,
		    const struct cpu_counts *programs)
{
	struct cell *cells = table_add(rows);
	unsigned int i;

	cell_string(&cells[ROW_SHOWN_CPU], shown);
	if (cpu >= 0)
		cell_number(&cells[ROW_CPU], cpu);
	for (i = 0; i < PERF_COUNTED; i++)
		set_count(cells, ROW_PERF + i, perf[i]);
	for (i = 0; i < COUNTED_EVENTS; i++) {
		if (by_program[i].there)
			set_count(cells, ROW_PROGRAMS + i, programs->count[i]);
	}
}

/* A row for each CPU that is online, and in text one of all. */
static void add_rows(const struct session *s, struct table *rows, const struct cpu_counts *counts)
{
	uint64_t perf[PERF_COUNTED], all_perf[PERF_COUNTED] = {};
	struct cpu_counts all = {};
	size_t place, i;
	char text[16];

	for (place = 0; place < counters.place_count; place++) {
		int cpu = counters.places[place].cpu;

		if (counters.counters[0].fds[place] < 0)
			continue;
		for (i = 0; i < PERF_COUNTED; i++) {
			perf[i] = counters_value(&counters, i, place).count;
			all_perf[i] += perf[i];
		}
		for (i = 0; i < COUNTED_EVENTS; i++)
			all.count[i] += counts[cpu].count[i];
		snprintf(text, sizeof(text), "%d", cpu);
		add_row(rows, cpu, text, perf, &counts[cpu]);
	}
	if (!s->settings.json && rows->rows > 1)
		add_row(rows, -1, "all", all_perf, &all);
}

static int report(struct session *s, unsigned int half, struct table *rows)
{
	int fd = bpf_map__fd(half_map(s->obj, "counts", half));
	struct cpu_counts *counts = calloc(libbpf_num_possible_cpus(), sizeof(*counts));
	int err = counts ? 0 : -ENOMEM;
	__u32 zero = 0;

	if (!err && bpf_map_lookup_elem(fd, &zero, counts))
		err = -errno;
	if (!err)
		add_rows(s, rows, counts);
	free(counts);
	return err;
}

static int empty(struct session *s, unsigned int half)
{
	__u32 zero = 0;

	counters_next(&counters);
	return percpu_zero(bpf_map__fd(half_map(s->obj, "counts", half)), &zero,
			   sizeof(struct cpu_counts));
}

static const struct unit percpu_stat = {
	.synopsis = {
		.name = "percpu-stat",
		.summary = "What does each CPU do, in numbers of events?",
		.description =
			"A row for each CPU, anew each second unless -i says otherwise, of what happened there meanwhile:\n"
			"csw        context switches            alloc      allocations of pages\n"
			"cpu-mig    threads that came from      compact    migrations of pages for compaction\n"
			"           another CPU                 reclaim    allocations that had to reclaim memory\n"
			"minflt     page faults without I/O     migrate    migrations of pages\n"
			"majflt     page faults with I/O        cache      pages added to the page cache\n"
			"hardirq    interrupt handlers          wb         pages written back, one by one\n"
			"softirq    soft interrupts             idle       times that it went to sleep\n"
			"hrtimer    high-resolution timers      recv       packets received\n"
			"workq      work of kernel workers      xmit       packets sent\n"
			"kvm-exit   exits of virtual machines   gro        packets received by GRO\n"
			"and with --syscalls, system calls. A dash: this kernel does not have such an event. CMD only\n"
			"says how long.",
		.examples =
			"  percpu-stat                             each second, until Ctrl-C\n"
			"  percpu-stat --syscalls -C 0-1 -i 5s\n"
			"  percpu-stat --json -i 100ms -- CMD",
		.takes = TAKES_INTERVAL | TAKES_DURATION | TAKES_OUTPUT | TAKES_COMMAND,
		.options = options,
		.check = check,
	},
	.map_full_help = "that cannot be",
	.rows = rows,
	.open = open_skeleton,
	.attach = attach,
	.begin = begin,
	.read = read_counters,
	.report = report,
	.empty = empty,
};

int main(int argc, char **argv)
{
	int status = unit_main(&percpu_stat, argc, argv);

	counters_free(&counters);
	return status;
}
