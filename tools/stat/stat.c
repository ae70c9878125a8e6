// SPDX-License-Identifier: GPL-2.0-only
/* How many events of each kind were there? */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <bpf/bpf.h>
#include "events/kind.h"
#include "maps.h"
#include "quantity.h"
#include "say.h"
#include "tally.h"
#include "unit.h"
#include "choice.h"
#include "readings.h"
#include "stat.h"
#include "stat.skel.h"

/* Room for threads and their events in a report. */
#define MOST_THREAD_COUNTS 65536

static struct stat *skel;
static struct engine engine;
static struct counters counters;
static struct choice choice;
static bool all_cpus, detailed;

/* The names of the places' tasks, as far as these could be read. */
static char (*comms)[COMM_LEN];

static const struct option_entry options[] = {
	ENGINE_OPTION,
	{ "all-cpus", 'a', OPTION_FLAG, NULL, "count all that happens; CMD only says how long",
	  .value = &all_cpus },
	{ "detailed", 'd', OPTION_FLAG, NULL, "count loads and misses of caches, too",
	  .value = &detailed },
	{},
};

enum {
	ABOUT_USER,
	ABOUT_SYS
};

static const struct column about_row[] = {
	[ABOUT_USER] = { .name = "user", .title = "user %", .type = CELL_DURATION },
	[ABOUT_SYS] = { .name = "sys", .title = "sys %", .type = CELL_DURATION },
};

static const struct layout about_layout = LAYOUT(about_row);

enum {
	ROW_VALUE,
	ROW_COUNT,
	ROW_UNIT,
	ROW_EVENT,
	ROW_CPU,
	ROW_COMM,
	ROW_TID,
	ROW_SUPPORTED,
	ROW_RUNNING,
	ROW_PER_SECOND,
	ROW_RATIO,
	ROW_SHARE,
	ROW_IS,
	ROW_NOTE,
	ROW_CELLS
};

#define VALUE_WIDTH 18

static struct column columns[ROW_CELLS] = {
	[ROW_VALUE] = { .name = "value",
			.title = "count",
			.type = CELL_STRING,
			.right = true,
			.width = VALUE_WIDTH,
			.shown = SHOWN_IN_TEXT },
	[ROW_COUNT] = { .name = "count",
			.type = CELL_COUNT,
			.shown = SHOWN_IN_JSON,
			.or_null = true },
	[ROW_UNIT] = { .name = "unit", .type = CELL_STRING, .shown = SHOWN_IN_JSON },
	[ROW_EVENT] = { .name = "event", .type = CELL_STRING, .width = 5 },
	[ROW_CPU] = { .name = "cpu", .type = CELL_ID, .optional = true, .width = 4 },
	[ROW_COMM] = { .name = "comm", .type = CELL_STRING, .optional = true },
	[ROW_TID] = { .name = "tid", .type = CELL_ID, .optional = true },
	[ROW_SUPPORTED] = { .name = "supported", .type = CELL_FLAG, .shown = SHOWN_IN_JSON },
	[ROW_RUNNING] = { .name = "running", .type = CELL_PERCENT, .shown = SHOWN_IN_JSON },
	[ROW_PER_SECOND] = { .name = "per_second", .type = CELL_RATIO, .shown = SHOWN_IN_JSON },
	[ROW_RATIO] = { .name = "ratio", .type = CELL_RATIO, .shown = SHOWN_IN_JSON },
	[ROW_SHARE] = { .name = "share", .type = CELL_PERCENT, .shown = SHOWN_IN_JSON },
	[ROW_IS] = { .name = "ratio_is", .type = CELL_STRING, .shown = SHOWN_IN_JSON },
	[ROW_NOTE] = { .name = "note", .title = "", .type = CELL_STRING, .shown = SHOWN_IN_TEXT },
};

static const struct layout layout = LAYOUT(columns);

static const struct layout *rows(const struct session *s)
{
	(void)s;
	return &layout;
}

static const struct layout *about(const struct session *s)
{
	(void)s;
	return &about_layout;
}

static const char *check(struct settings *settings)
{
	static const enum spec_attr_id known[] = { ATTR_ALIAS };
	const struct targets *t = &settings->targets;

	if (all_cpus && (t->pids || t->tids || t->comm || t->cgroup))
		return "-a counts all that happens: without -p, -t, --comm and --cgroup";
	if (all_cpus && settings->command)
		settings->command_is_timer = true;
	return choice_check(settings)
		       ?: engine_unknown_attribute(known, sizeof(known) / sizeof(*known));
}

static int size_half(struct session *s, unsigned int half)
{
	int err = bpf_map__set_max_entries(half_map(s->obj, "counts", half), engine.count ?: 1);

	if (!err && engine.count && choice_by_thread(&s->settings))
		err = bpf_map__set_max_entries(half_map(s->obj, "threads", half),
					       MOST_THREAD_COUNTS);
	return err;
}

static pid_t counted_command(const struct session *s)
{
	return s->settings.command_is_timer ? 0 : s->command.pid;
}

static int open_skeleton(struct session *s)
{
	int status = choice_make(&choice, &s->settings, detailed, &counters, &engine);
	size_t i;

	if (!status)
		status = engine_setup();
	if (status)
		return status;
	skel = stat__open();
	if (!skel)
		return -errno;
	for (i = 0; i < choice.count; i++)
		column_widen(&columns[ROW_EVENT], choice.events[i].name);
	session_use(s, skel);
	skel->rodata->some_tasks = engine_some_tasks(&s->settings);
	skel->rodata->by_thread = choice_by_thread(&s->settings);
	skel->rodata->command = counted_command(s);
	bpf_program__set_autoload(skel->progs.command_execs, counted_command(s) && engine.count);
	return size_half(s, 0) ?: size_half(s, 1);
}

/* Says what nothing here counts, of what the user named. */
static void tell_unsupported(const struct session *s)
{
	size_t i;

	for (i = 0; i < counters.count && engine_specs()->count; i++) {
		if (counters.counters[i].why_not)
			say_note("nothing here counts %s: %s%s", counters.counters[i].name,
				 strerror(-counters.counters[i].why_not),
				 s->settings.targets.cgroup
					 ? " (of cgroups, with their controller perf_event only)"
				 : counters.counters[i].attr.type == PERF_TYPE_SOFTWARE
					 ? ""
					 : " (it needs a CPU with a PMU that does)");
	}
}

/*
 * Opens the counters of the tasks that there are. Those that a process makes between the two are not
 * counted, so nothing that takes long comes in between.
 */
static int open_counters(const struct session *s)
{
	int status = EXIT_DONE;

	if (counters.count)
		status = counters_places(&counters, &s->settings.targets, counted_command(s));
	if (!status)
		status = counters_open(&counters);
	comms = event_have(calloc(counters.place_count + 1, sizeof(*comms)));
	return status;
}

static int attach(struct session *s)
{
	int status;

	status = engine_attach(&engine, s->obj, &s->settings);
	if (!status)
		status = open_counters(s);
	if (!status)
		tell_unsupported(s);
	return status;
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

/* Whose are the counts of place @p in a row of its own? */
static uint32_t place_id(const struct session *s, const struct counter_place *p)
{
	if (!s->settings.perins)
		return READING_OF_ALL;
	return choice_by_thread(&s->settings) ? (uint32_t)p->pid : (uint32_t)p->cpu;
}

/* Reads the names that tasks have now; those that have ended keep theirs. */
static void read_comms(const struct session *s)
{
	char path[64];
	FILE *file;
	size_t i;

	for (i = 0; i < counters.place_count && choice_by_thread(&s->settings); i++) {
		snprintf(path, sizeof(path), "/proc/%d/comm", counters.places[i].pid);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(comms[i], COMM_LEN, file))
			comms[i][strcspn(comms[i], "\n")] = 0;
		fclose(file);
	}
	/* It may have ended before it could be asked. */
	if (counters.place_count && counters.command && !*comms[0])
		snprintf(comms[0], COMM_LEN, "%.15s", basename(s->settings.command[0]));
}

/* Adds what counter @number counted: one reading for each id, whose places follow each other. */
static void read_counter(const struct session *s, struct readings *r, size_t number)
{
	const struct counter *counter = &counters.counters[number];
	struct reading *reading = NULL;
	size_t i;

	for (i = 0; i < counters.place_count; i++) {
		struct counter_value value = counters_value(&counters, number, i);
		uint32_t id = place_id(s, &counters.places[i]);

		if (counter->fds[i] < 0 && !counter->why_not)
			continue;
		if (!reading || reading->id != id) {
			reading = readings_add(r, id);
			memcpy(reading->comm, comms[i], COMM_LEN);
		}
		reading->supported = !counter->why_not;
		reading->count += counter_scaled(&value);
		reading->of.enabled += value.enabled;
		reading->of.running += value.running;
		reading->counted = reading->supported &&
				   (reading->of.running || !reading->of.enabled);
	}
	readings_end(r);
}

/* Adds what a program counted, by CPU or of all. */
static int read_program(const struct session *s, unsigned int half, struct readings *r, __u32 event)
{
	int fd = bpf_map__fd(half_map(s->obj, "counts", half)), cpus = libbpf_num_possible_cpus();
	bool by_cpu = choice_by_cpu(&s->settings);
	uint64_t *counts = calloc(cpus, sizeof(*counts));
	struct reading *reading = NULL;
	int cpu, err = 0;

	if (!counts)
		return -ENOMEM;
	if (bpf_map_lookup_elem(fd, &event, counts))
		err = -errno;
	for (cpu = 0; cpu < cpus && !err; cpu++) {
		if (s->config->by_cpu && !(s->config->cpus[cpu / 64] >> (cpu % 64) & 1))
			continue;
		if (!reading || by_cpu)
			reading = readings_add(r, by_cpu ? (uint32_t)cpu : READING_OF_ALL);
		reading->supported = reading->counted = true;
		reading->count += counts[cpu];
	}
	free(counts);
	return err;
}

/* Adds what a program counted, by thread. */
static void read_threads(const struct tally *all, struct readings *r, __u32 event)
{
	size_t i;

	for (i = 0; i < all->count; i++) {
		const struct thread_key *key = tally_key(all, i);
		const struct thread_count *count = tally_value(all, i);
		struct reading *reading;

		if (key->event != event)
			continue;
		reading = readings_add(r, key->tid);
		reading->supported = reading->counted = true;
		reading->count = count->count;
		memcpy(reading->comm, count->comm, COMM_LEN);
	}
	readings_end(r);
}

static int read_all(struct session *s, unsigned int half, struct readings *r)
{
	bool by_thread = engine.count && choice_by_thread(&s->settings);
	struct tally threads;
	int err = 0;
	size_t i;

	tally_init(&threads, sizeof(struct thread_key), sizeof(struct thread_count));
	if (by_thread)
		err = half_read(s->obj, "threads", half, &threads);
	read_comms(s);
	for (i = 0; i < choice.count && !err; i++) {
		const struct shown_event *e = &choice.events[i];

		readings_begin(r, i);
		if (!e->by_program)
			read_counter(s, r, e->number);
		else if (by_thread)
			read_threads(&threads, r, e->number);
		else
			err = read_program(s, half, r, e->number);
	}
	tally_clear(&threads);
	return err;
}

static void value_text(char *text, size_t size, const struct reading *reading, bool is_clock)
{
	char buf[QUANTITY_LEN];

	if (!reading->supported)
		snprintf(text, size, "<not supported>");
	else if (!reading->counted)
		snprintf(text, size, "<not counted>");
	else if (is_clock)
		snprintf(text, size, "%.2f msec", (double)reading->count / NSEC_PER_MSEC);
	else
		snprintf(text, size, "%s", format_count(buf, reading->count));
}

/* "26.817 K/sec" */
static void rate_text(char *text, size_t size, double rate)
{
	const char *unit[] = { " /sec", " K/sec", " M/sec", " G/sec" };
	unsigned int i = 0;

	for (; rate >= 1000 && i < 3; i++)
		rate /= 1000;
	snprintf(text, size, "%9.3f%s", rate, unit[i]);
}

static void note_text(char *text, size_t size, const struct reading *reading,
		      const struct reading_note *note)
{
	const struct counter_value *of = &reading->of;
	size_t used = 0;

	*text = 0;
	if (note->ratio >= 0 && note->percent)
		used = snprintf(text, size, "# %8.2f%%  %s", 100 * note->ratio, note->is);
	else if (note->ratio >= 0)
		used = snprintf(text, size, "# %9.3f  %s", note->ratio, note->is);
	else if (note->per_second >= 0) {
		used = snprintf(text, size, "# ");
		rate_text(text + used, size - used, note->per_second);
		used = strlen(text);
	}
	if (of->running && of->running < of->enabled)
		snprintf(text + used, size - used, "%s(counted %.2f%% of the time)",
			 used ? "  " : "", 100.0 * of->running / of->enabled);
}

static void fill_note(struct cell *cells, const struct reading *reading,
		      const struct reading_note *note)
{
	const struct counter_value *of = &reading->of;
	char text[128];

	if (of->running && of->running < of->enabled)
		cell_number(&cells[ROW_RUNNING], percent(of->running, of->enabled));
	if (note->per_second >= 0)
		cell_number(&cells[ROW_PER_SECOND], note->per_second * RATIO_UNIT + 0.5);
	if (note->ratio >= 0) {
		if (note->percent)
			cell_number(&cells[ROW_SHARE], note->ratio * 100 * PERCENT_UNIT + 0.5);
		else
			cell_number(&cells[ROW_RATIO], note->ratio * RATIO_UNIT + 0.5);
		cell_string(&cells[ROW_IS], note->is);
	}
	note_text(text, sizeof(text), reading, note);
	cell_string(&cells[ROW_NOTE], text);
}

static void add_row(const struct session *s, struct table *rows, const struct readings *r,
		    size_t event, size_t at)
{
	const struct shown_event *e = &choice.events[event];
	const struct reading *reading = &r->all[at];
	struct cell *cells = table_add(rows);
	struct reading_note note;
	char text[64];

	value_text(text, sizeof(text), reading, e->is_clock);
	cell_string(&cells[ROW_VALUE], text);
	if (reading->counted)
		cell_number(&cells[ROW_COUNT], reading->count);
	if (e->is_clock)
		cell_string(&cells[ROW_UNIT], "ns");
	cell_string(&cells[ROW_EVENT], e->name);
	if (choice_by_cpu(&s->settings))
		cell_number(&cells[ROW_CPU], reading->id);
	if (choice_by_thread(&s->settings)) {
		cell_comm(&cells[ROW_COMM], reading->comm);
		cell_number(&cells[ROW_TID], reading->id);
	}
	cell_number(&cells[ROW_SUPPORTED], reading->supported);
	readings_note(r, event, at, &note);
	fill_note(cells, reading, &note);
}

/* What the command used, once it has ended: nothing else is a child of ours. */
static void fill_about(struct session *s)
{
	struct cell *cells;
	struct rusage used;

	if (!s->settings.command || s->command.pid || s->settings.interval_ns ||
	    getrusage(RUSAGE_CHILDREN, &used))
		return;
	cells = table_add(&s->report.about);
	cell_number(&cells[ABOUT_USER],
		    used.ru_utime.tv_sec * NSEC_PER_SEC + used.ru_utime.tv_usec * NSEC_PER_USEC);
	cell_number(&cells[ABOUT_SYS],
		    used.ru_stime.tv_sec * NSEC_PER_SEC + used.ru_stime.tv_usec * NSEC_PER_USEC);
}

static int report(struct session *s, unsigned int half, struct table *rows)
{
	struct readings r;
	size_t event, at;
	int err;

	readings_init(&r, &choice);
	r.elapsed_ns = s->report.elapsed_ns;
	err = read_all(s, half, &r);
	for (event = 0; event < choice.count && !err; event++) {
		for (at = r.first[event]; at < r.first[event + 1]; at++)
			add_row(s, rows, &r, event, at);
	}
	readings_free(&r);
	fill_about(s);
	return err;
}

static int empty(struct session *s, unsigned int half)
{
	int fd = bpf_map__fd(half_map(s->obj, "counts", half)), err = 0;
	__u32 i;

	counters_next(&counters);
	for (i = 0; i < engine.count && !err; i++)
		err = percpu_zero(fd, &i, sizeof(__u64));
	return err ? err : half_empty(s->obj, "threads", half);
}

static uint64_t skipped(struct session *s)
{
	(void)s;
	return engine_misses(&engine);
}

static const struct unit stat_unit = {
	.synopsis = {
		.name = "stat",
		.summary = "How many events of each kind were there?",
		.description =
			"Counts the events of -e; without it, time on CPUs, context switches, migrations, page faults,\n"
			"cycles, instructions and branches: of CMD and its children from its exec on, of -p and -t, else\n"
			"of all that happens (-a). With -a, -p or -t, CMD only says how long. <not supported>: nothing\n"
			"here counts that. Where several events share the CPU's counters, what they would have counted\n"
			"alone is estimated, and how long they did is shown. Beside a count stand what part it is of\n"
			"another one, or how many there were in a second of time on CPUs.\n"
			"--perins: a row for each thread of CMD, -p, -t or --comm, else for each CPU. What only the CPU\n"
			"counts, and clocks, are counted for the threads that there are at the start, together with what\n"
			"threads do that they make. Before Linux 5.13, -p counts with a process its children, too.\n"
			"\n"
			ENGINE_EVENT_HELP,
		.examples =
			"  stat -- CMD                                        the usual events of a command\n"
			"  stat -d -i 1s --duration 10s                       of the whole machine, with caches\n"
			"  stat -e 'syscalls:sys_enter_*' -- CMD              its system calls, by name\n"
			"  stat -e 'sched:sched_process_*' -a -- sleep 10\n"
			"  stat -e 'syscalls:sys_enter_read/count<10/alias=short/' --perins -- CMD",
		.takes = TAKES_TARGETS | TAKES_INTERVAL | TAKES_DURATION | TAKES_PERINS | TAKES_OUTPUT |
			 TAKES_COMMAND | TAKES_BARE_COMMAND,
		.timed_by_command = true,
		.options = options,
		.check = check,
	},
	.map_full_help = "there are more threads than there is room for",
	.rows = rows,
	.about = about,
	.open = open_skeleton,
	.attach = attach,
	.begin = begin,
	.read = read_counters,
	.report = report,
	.empty = empty,
	.skipped = skipped,
};

int main(int argc, char **argv)
{
	int status = unit_main(&stat_unit, argc, argv);

	choice_free(&choice);
	counters_free(&counters);
	engine_free(&engine);
	free(comms);
	return status;
}
