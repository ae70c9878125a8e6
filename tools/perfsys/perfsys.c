// SPDX-License-Identifier: GPL-2.0-only
/* What does the kernel do when system time is high? */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "clock.h"
#include "flames.h"
#include "functions.h"
#include "idle.h"
#include "kernel.h"
#include "quantity.h"
#include "sampler.h"
#include "say.h"
#include "stacks.h"
#include "unit.h"
#include "album.h"
#include "cpu_times.h"
#include "perfsys.skel.h"

#define DEFAULT_PERIOD (3 * NSEC_PER_SEC)
#define DEFAULT_GATE   10
#define DEFAULT_HZ     200
#define DEFAULT_KEEP   100
#define MOST_HZ	       10000
#define LEAST_PERIOD   (10 * NSEC_PER_MSEC)
#define MOST_PERIOD    (24 * 60 * 60 * NSEC_PER_SEC)

/* Bare numbers below this are coolbpf's seconds; nobody polls every 3 ms. */
#define FEW_ARE_SECONDS (100 * NSEC_PER_SEC)

/* Room for different stacks of a second. */
#define MOST_ROOM 16384

/* Of a title's CPUs, and of all. */
#define TITLE_CPUS 200
#define ALL_CPUS   (MAX_CPUS * sizeof("8191"))

static struct perfsys *skel;
static struct cpu_times *times;
static struct sampler sampler;
static struct tally samples; /* struct stack_key: uint64_t */
static bool sampling;

/* What is being sampled. */
static __u64 high[MAX_CPUS / 64];
static double highest;
static uint64_t moment;	       /* ns since the epoch */
static char picture[PATH_MAX]; /* empty: no report of it has been made */
static bool drawn;
static uint64_t pictures;

/* What went wrong last time: told when it is another reason than before. */
static struct {
	int sampling, writing, removing;
} trouble;

static const char *period_text, *sample_text, *directory, *cpus;
static uint64_t gate = DEFAULT_GATE, hz = DEFAULT_HZ, keep = DEFAULT_KEEP, most_pictures;

static int parse_period(const char *text, uint64_t *ns)
{
	bool bare = !text[strspn(text, "0123456789.")];

	if (bare && !parse_time(text, NSEC_PER_SEC, ns) && *ns < FEW_ARE_SECONDS)
		return 0;
	return parse_time(text, NSEC_PER_MSEC, ns);
}

static const char *check_period(const char *text)
{
	uint64_t ns;

	if (parse_period(text, &ns))
		return "needs a time such as 500ms, 3s or 2m";
	return ns < LEAST_PERIOD  ? "needs at least 10 ms"
	       : ns > MOST_PERIOD ? "is longer than a day"
				  : NULL;
}

static const struct option_entry options[] = {
	{ "interval", 'i', OPTION_CHECKED, "TIME",
	  "look at system time every TIME (3s; bare numbers: see below)", .value = &period_text,
	  .check = check_period },
	{ "gate", 'g', OPTION_COUNT, "PCT", "sample CPUs with at least PCT % of it (10)",
	  .value = &gate, .least = 1, .most = 100 },
	{ "sample", 's', OPTION_CHECKED, "TIME", "... for TIME (3s; bare numbers: see below)",
	  .value = &sample_text, .check = check_period },
	{ "freq", 'f', OPTION_COUNT, "HZ", "... so often a second (200)", .value = &hz, .least = 1,
	  .most = MOST_HZ },
	{ "cpus", 'C', OPTION_CHECKED, "LIST", "only these CPUs: 0-3,5", .value = &cpus,
	  .check = check_cpus },
	{ "directory", 0, OPTION_STRING, "DIR", "pictures go there (the working directory)",
	  .value = &directory },
	{ "keep", 0, OPTION_COUNT, "N", "keep the latest N pictures there (100)", .value = &keep,
	  .least = 1, .most = INT_MAX },
	{ "exit-N", 'N', OPTION_COUNT, "N", "stop after N pictures", .value = &most_pictures,
	  .least = 1 },
	{},
};

enum {
	ROW_TIME,
	ROW_CPUS,
	ROW_SYSTEM,
	ROW_SAMPLES,
	ROW_HOTTEST,
	ROW_SHARE,
	ROW_FILE
};

static const struct column row[] = {
	[ROW_TIME] = { .name = "began", .type = CELL_TIME },
	[ROW_CPUS] = { .name = "cpus", .type = CELL_STRING },
	[ROW_SYSTEM] = { .name = "system", .type = CELL_PERCENT },
	[ROW_SAMPLES] = { .name = "samples", .type = CELL_COUNT, .width = 7 },
	[ROW_HOTTEST] = { .name = "hottest", .type = CELL_STRING, .width = 30 },
	[ROW_SHARE] = { .name = "hottest", .title = "share", .type = CELL_PERCENT },
	[ROW_FILE] = { .name = "file", .type = CELL_STRING },
};

static const struct layout layout = LAYOUT(row);

enum {
	STACK_COUNT,
	STACK_COMM,
	STACK_STACK
};

static const struct column stack_row[] = {
	[STACK_COUNT] = { .name = "count", .type = CELL_COUNT, .adds_up = true },
	[STACK_COMM] = { .name = "comm", .type = CELL_STRING },
	[STACK_STACK] = { .name = "stack", .type = CELL_STACK },
};

static const struct layout stack_layout = LAYOUT(stack_row);

static const struct layout *rows(const struct session *s)
{
	(void)s;
	return &layout;
}

static uint64_t period_of(const char *text)
{
	uint64_t ns = DEFAULT_PERIOD;

	if (text)
		parse_period(text, &ns);
	return ns;
}

static struct sampler_opts sampler_options(void)
{
	return (struct sampler_opts){ .hz = hz, .cpus = high, .exclude_user = true };
}

static int open_skeleton(struct session *s)
{
	uint64_t room = libbpf_num_possible_cpus() * hz;
	struct sampler_opts opts = sampler_options();

	skel = perfsys__open();
	times = cpu_times_new();
	if (!skel || !times)
		return -ENOMEM;
	session_use(s, skel);
	s->settings.call_graph = true;
	s->settings.user_callchain = false;
	s->settings.targets.cpus = cpus;
	s->settings.interval_ns = period_of(period_text);
	s->resting = true;
	if (!directory)
		directory = ".";
	tally_init(&samples, sizeof(struct stack_key), sizeof(uint64_t));
	opts.cpus = NULL;
	sampler_choose(&sampler, &opts);
	s->stack_room = room < MOST_ROOM ? room + 256 : MOST_ROOM;
	return stacks_size(s->obj, "samples", s->stack_room);
}

/* Tells what went wrong, unless it is what went wrong @before. */
static void tell_once(int *before, const char *what, const char *which, int err)
{
	if (err && err != *before)
		say_error("cannot %s %s: %s; going on", what, which, strerror(-err));
	*before = err;
}

/* What would fail at each catch is better known now than in a week. Returns an exit status. */
static int try_sampling(const struct session *s)
{
	struct sampler_opts opts = sampler_options();
	int err;

	opts.cpus = s->config->by_cpu ? s->config->cpus : NULL;
	err = sampler_start(&sampler, &opts, skel->progs.sample);
	sampler_stop(&sampler);
	if (!err || err == -ENODEV) /* they are offline, for now */
		return EXIT_DONE;
	if (err == -EINVAL)
		say_error("cannot sample %s at %lu Hz: at most kernel.perf_event_max_sample_rate "
			  "is allowed",
			  sampler.event, (unsigned long)hz);
	else
		say_error("cannot sample %s: %s%s", sampler.event, strerror(-err),
			  err == -EACCES ? " (kernel.perf_event_paranoid above 2 wants root)"
					 : kernel_missing(err));
	return err == -EPERM || err == -EACCES ? EXIT_CANNOT : EXIT_FAILED;
}

static void try_directory(void)
{
	char inside[PATH_MAX];

	if (snprintf(inside, sizeof(inside), "%s/.", directory) >= PATH_MAX)
		tell_once(&trouble.writing, "write to", directory, -ENAMETOOLONG);
	else if (eaccess(inside, W_OK | X_OK))
		tell_once(&trouble.writing, "write to", directory, -errno);
}

static int attach(struct session *s)
{
	int status = try_sampling(s), err;

	if (status)
		return status;
	try_directory();
	err = cpu_times_begin(times);
	if (!err)
		return EXIT_DONE;
	say_error("cannot read /proc/stat: %s", strerror(-err));
	return EXIT_CANNOT;
}

/* Another look at system time: is there something to sample? */
static int tick(struct session *s)
{
	const __u64 *wanted = s->config->by_cpu ? s->config->cpus : NULL;
	struct sampler_opts opts = sampler_options();
	int count, err;

	if (sampling)
		return 0;
	count = cpu_times_high(times, gate, wanted, high, &highest);
	if (count <= 0)
		return count;
	err = sampler_start(&sampler, &opts, skel->progs.sample);
	if (err == -ENODEV)
		return 0; /* it went offline */
	tell_once(&trouble.sampling, "sample", sampler.event, err);
	if (err)
		return 0;
	moment = wall_now();
	sampling = true;
	s->resting = false;
	session_alarm(s, period_of(sample_text));
	return 0;
}

/* Sampling is over; a report is made of it, then. */
static int alarm_over(struct session *s)
{
	(void)s;
	sampler_stop(&sampler);
	return 0;
}

static int take(struct session *s, unsigned int half)
{
	int err = stacks_take(s->stacks, "samples", half, &samples, stacks_add_number);
	size_t i;

	for (i = 0; i < samples.count; i++) {
		const struct stack_key *key = tally_key(&samples, i);

		if (idle_learn(skel->bss->idle_places, key, stacks_leaf(s->stacks, key),
			       stacks_symbols(s->stacks)))
			*(uint64_t *)tally_value(&samples, i) = 0;
	}
	return err;
}

/* The CPUs that were sampled: 1:4. */
static const char *name_cpus(void)
{
	static char names[ALL_CPUS];
	size_t used = 0;
	int cpu;

	for (cpu = 0; cpu < MAX_CPUS; cpu++) {
		if (high[cpu / 64] >> (cpu % 64) & 1)
			used += sprintf(names + used, "%s%d", used ? ":" : "", cpu);
	}
	return names;
}

static void add_stacks(struct session *s, struct table *stacks)
{
	struct callchain **chains = calloc(samples.count + 1, sizeof(*chains));
	struct cell *cells;
	size_t i;

	for (i = 0; chains && i < samples.count; i++) {
		const struct stack_key *key = tally_key(&samples, i);

		cells = table_add(stacks);
		chains[i] = stacks_chain(s->stacks, key);
		cell_number(&cells[STACK_COUNT], *(uint64_t *)tally_value(&samples, i));
		cell_comm(&cells[STACK_COMM], key->comm);
		cell_stack(&cells[STACK_STACK], chains[i]);
	}
	if (chains)
		symbols_resolve(stacks_symbols(s->stacks), chains, samples.count);
	free(chains);
	table_merge(stacks);
}

static int draw(const char *names, const struct table *stacks)
{
	char title[sizeof(ALBUM_TITLE) + TITLE_CPUS], subtitle[100], text[CLOCK_LEN];
	struct flamegraph_opts look = { .title = title, .subtitle = subtitle };
	struct flamegraph *graph;
	int err;

	if (snprintf(title, sizeof(title), ALBUM_TITLE "%s", names) >= (int)sizeof(title))
		strcpy(title + sizeof(title) - 4, "...");
	snprintf(subtitle, sizeof(subtitle), "%.0f %% system time; %s at %lu Hz from %s", highest,
		 sampler.event, (unsigned long)hz, clock_local(text, moment));
	graph = flamegraph_new(&look);
	err = graph ? flames_add_rows(graph, stacks, false) : -ENOMEM;
	if (!err)
		err = album_add(picture, graph);
	flamegraph_free(graph);
	return err;
}

/* A report that is asked for meanwhile has the same picture, of what there is of it by then. */
static void add_picture(const char *names, const struct table *stacks)
{
	int err = *picture ? 0 : album_name(directory, moment, picture, sizeof(picture));

	if (!err)
		err = draw(names, stacks);
	drawn = !err;
	tell_once(&trouble.writing, "write", picture, err);
	/* Also when there was no room for it: there may be too many others. */
	err = album_trim(directory, keep, picture);
	if (drawn)
		tell_once(&trouble.removing, "remove old pictures from", directory, err);
}

static int report(struct session *s, unsigned int half, struct table *rows)
{
	const char *names;
	struct table stacks;
	struct functions_hottest hottest;
	struct cell *cells;

	(void)half;
	if (!sampling)
		return 0;
	names = name_cpus();
	table_init(&stacks, &stack_layout);
	add_stacks(s, &stacks);
	cells = table_add(rows);
	cell_number(&cells[ROW_TIME], moment);
	cell_string(&cells[ROW_CPUS], names);
	cell_number(&cells[ROW_SYSTEM], highest * PERCENT_UNIT);
	if (functions_hottest(&stacks, &hottest) && hottest.all) {
		cell_number(&cells[ROW_SAMPLES], hottest.all);
		cell_string(&cells[ROW_HOTTEST], hottest.name);
		cell_number(&cells[ROW_SHARE], percent(hottest.self, hottest.all));
		add_picture(names, &stacks);
		if (drawn)
			cell_string(&cells[ROW_FILE], picture);
	} else {
		cell_number(&cells[ROW_SAMPLES], 0);
	}
	table_free(&stacks);
	return 0;
}

static int empty(struct session *s, unsigned int half)
{
	(void)half;
	tally_clear(&samples);
	if (sampling) {
		sampling = false;
		s->resting = true;
		pictures += drawn;
		if (drawn && pictures == most_pictures)
			s->stop = true;
		drawn = false;
		*picture = 0;
		malloc_trim(0);
	}
	return cpu_times_begin(times);
}

static const struct unit perfsys = {
	.synopsis = {
		.name = "perfsys",
		.summary = "What does the kernel do when system time is high?",
		.description =
			"Looks at the system time of each CPU (with interrupts') again and again. Where its share\n"
			"is above the gate, samples what the kernel does there, and writes a flame graph that is\n"
			"named by the moment, YYYYMMDD_HHMMSS.svg. Below the gate it writes nothing and costs\n"
			"next to nothing; it is made to run for weeks. Shares are measured over at least 200 ms, and\n"
			"longer for gates below 10 %.\n"
			"\n"
			"Bare numbers for -i and -s: below 100 seconds, as coolbpf's perfSys has them, from 100 on\n"
			"milliseconds.",
		.examples =
			"  perfsys                                     at 10 %, every 3 s\n"
			"  perfsys -g 30 -i 1s -s 5s --directory /var/tmp/sys --keep 20\n"
			"  perfsys -N 1 --json                         wait for it to happen once",
		.takes = TAKES_DURATION | TAKES_OUTPUT,
		.options = options,
	},
	.map_full_help = "more different stacks a second than there is room for; lower -f",
	.rows = rows,
	.open = open_skeleton,
	.attach = attach,
	.tick = tick,
	.alarm = alarm_over,
	.take = take,
	.report = report,
	.empty = empty,
};

int main(int argc, char **argv)
{
	int status = unit_main(&perfsys, argc, argv);

	sampler_stop(&sampler);
	tally_clear(&samples);
	cpu_times_free(times);
	return status;
}
