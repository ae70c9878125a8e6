// SPDX-License-Identifier: GPL-2.0-only
/* Where does the CPU time go? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include "filter.h"
#include "idle.h"
#include "kernel.h"
#include "need_resched.h"
#include "quantity.h"
#include "sampler.h"
#include "say.h"
#include "stacks.h"
#include "unit.h"
#include "profile.h"
#include "profile.skel.h"

#define DEFAULT_HZ   499
#define MOST_HZ	     100000
#define MOST_PRIO    139
#define TOP_INTERVAL (2 * NSEC_PER_SEC)

/* Room for the stacks of a second, if each sample had another one, in both parts. */
#define MOST_ROOM 65536
#define PARTS	  2

static struct profile *skel;
static struct sampler sampler;
static struct tally samples; /* struct profile_key: uint64_t; not reported yet */

static uint64_t hz = DEFAULT_HZ, than, exclude_pid, running_min, running_max, policy;
static bool exclude_user, exclude_kernel, exclude_guest, exclude_host, top;
static bool has_running_min, has_running_max, has_policy;
static enum wish irqs_disabled, tif_need_resched;
static const char *prio;
static struct filter filter = { .values = { "ip" } };

/* A number from 0 to MOST_PRIO, or two with a dash between them. */
static const char *parse_prio(const char *text, unsigned int *min, unsigned int *max)
{
	char *end;

	if (*text < '0' || *text > '9')
		return "needs a priority from 0 to 139, or a range such as 0-99";
	*min = *max = strtoul(text, &end, 10);
	if (*end == '-' && end[1] >= '0' && end[1] <= '9')
		*max = strtoul(end + 1, &end, 10);
	if (*end || *max > MOST_PRIO || *min > *max)
		return "needs a priority from 0 to 139, or a range such as 0-99";
	return NULL;
}

static const char *check_prio(const char *text)
{
	unsigned int min, max;

	return parse_prio(text, &min, &max);
}

static const struct option_entry options[] = {
	{ "frequency", 'F', OPTION_COUNT, "HZ", "samples a second on each CPU (499)", .value = &hz,
	  .least = 1, .most = MOST_HZ },
	{ "top", 0, OPTION_FLAG, NULL, "the hottest functions, again and again (-i 2s)",
	  .value = &top },
	{ "than", 0, OPTION_COUNT, "PCT",
	  "only seconds in which a CPU had at least PCT % of its time sampled", .value = &than,
	  .least = 1, .most = 100 },
	{ "exclude-user", 0, OPTION_FLAG, NULL, "only time in the kernel", .value = &exclude_user },
	{ "exclude-kernel", 0, OPTION_FLAG, NULL, "only time in user programs",
	  .value = &exclude_kernel },
	{ "exclude-guest", 0, OPTION_FLAG, NULL, "no time in virtual machines",
	  .value = &exclude_guest },
	{ "exclude-host", 'G', OPTION_FLAG, NULL, "only time in virtual machines",
	  .value = &exclude_host },
	FILTER_OPTION(filter, " ip"),
	{ "irqs_disabled", 0, OPTION_EITHER, "[=0|1]", "only code with interrupts off (0: on)",
	  .value = &irqs_disabled },
	{ "tif_need_resched", 0, OPTION_EITHER, "[=0|1]",
	  "only while another thread is due to run there (0: none)", .value = &tif_need_resched },
	{ "nr_running_min", 0, OPTION_COUNT, "N",
	  "only while the CPU has at least N runnable threads", .value = &running_min,
	  .given = &has_running_min, .most = UINT32_MAX },
	{ "nr_running_max", 0, OPTION_COUNT, "N", "only while it has at most N",
	  .value = &running_max, .given = &has_running_max, .most = UINT32_MAX },
	{ "sched_policy", 0, OPTION_COUNT, "N",
	  "only threads of policy N: 0 other, 1 fifo, 2 rr, 3 batch, 5 idle ...", .value = &policy,
	  .given = &has_policy, .most = UINT32_MAX },
	{ "prio", 0, OPTION_CHECKED, "RANGE",
	  "only threads of priorities RANGE (0-99 real time, 120 nice 0)", .value = &prio,
	  .check = check_prio },
	{ "exclude_pid", 0, OPTION_COUNT, "PID", "not this process", .value = &exclude_pid,
	  .least = 1, .most = UINT32_MAX },
	{},
};

enum {
	ABOUT_EVENT,
	ABOUT_HZ,
	ABOUT_CPUS,
	ABOUT_SAMPLES,
	ABOUT_SHARE
};

static const struct column about_row[] = {
	[ABOUT_EVENT] = { .name = "event", .title = "", .type = CELL_STRING },
	[ABOUT_HZ] = { .name = "frequency_hz", .title = "Hz", .type = CELL_COUNT },
	[ABOUT_CPUS] = { .name = "cpus", .title = "CPUs", .type = CELL_COUNT },
	[ABOUT_SAMPLES] = { .name = "samples", .type = CELL_COUNT },
	[ABOUT_SHARE] = { .name = "cpu", .title = "of their time", .type = CELL_PERCENT },
};

enum {
	ROW_COUNT,
	ROW_PERCENT,
	ROW_COMM,
	ROW_PID,
	ROW_STACK
};

static const struct column stack_row[] = {
	[ROW_COUNT] = { .name = "count", .title = "samples", .type = CELL_COUNT, .adds_up = true },
	[ROW_PERCENT] = { .name = "count",
			  .title = "percent",
			  .type = CELL_PERCENT,
			  .share_of = ROW_COUNT + 1 },
	[ROW_COMM] = { .name = "comm", .type = CELL_STRING },
	[ROW_PID] = { .name = "pid", .type = CELL_ID },
	[ROW_STACK] = { .name = "stack", .type = CELL_STACK },
};

static const struct layout about_layout = LAYOUT(about_row);
static const struct layout stack_layout = {
	.columns = stack_row,
	.count = sizeof(stack_row) / sizeof(*stack_row),
	.rows_are = "stacks",
	.most_shown = 10,
};

static const char *check(struct settings *settings)
{
	if (top && !settings->interval_ns)
		settings->interval_ns = TOP_INTERVAL;
	if (exclude_user && exclude_kernel)
		return "without --exclude-user and --exclude-kernel both, nothing would be left";
	if (exclude_guest && exclude_host)
		return "without --exclude-guest and -G both, nothing would be left";
	if (has_running_min && has_running_max && running_min > running_max)
		return "--nr_running_min is more than --nr_running_max";
	return filter_check(&filter, settings);
}

static const struct layout *rows(const struct session *s)
{
	(void)s;
	return &stack_layout;
}

static const struct layout *about(const struct session *s)
{
	(void)s;
	return &about_layout;
}

static struct sampler_opts sampler_options(const struct session *s)
{
	return (struct sampler_opts){
		.hz = hz,
		.cpus = s->config->by_cpu ? s->config->cpus : NULL,
		.exclude_user = exclude_user,
		.exclude_kernel = exclude_kernel,
		.exclude_guest = exclude_guest,
		.exclude_host = exclude_host,
	};
}

static void set_filters(void)
{
	struct profile_filters *f = (struct profile_filters *)&skel->rodata->filters;

	f->irqs_off = irqs_disabled;
	f->need_resched = tif_need_resched;
	f->by_running = has_running_min || has_running_max;
	f->running_min = running_min;
	f->running_max = has_running_max ? running_max : UINT32_MAX;
	f->by_policy = has_policy;
	f->policy = policy;
	f->by_prio = prio != NULL;
	if (prio)
		parse_prio(prio, &f->prio_min, &f->prio_max);
	f->exclude_pid = exclude_pid;
	f->timer = sampler.timer;
	if (!tif_need_resched) {
		bpf_program__set_autoload(skel->progs.need_resched_before, false);
		bpf_program__set_autoload(skel->progs.need_resched_after, false);
	}
}

static int open_skeleton(struct session *s)
{
	uint64_t cpus = libbpf_num_possible_cpus(), room;
	struct sampler_opts opts;
	int err = filter_compile(&filter);

	if (err)
		return err;
	skel = profile__open();
	if (!skel)
		return -errno;
	session_use(s, skel);
	skel->rodata->by_filter = filter.code;
	s->settings.call_graph = true;
	s->show_functions = true;
	s->report.only_functions = top;
	tally_init(&samples, sizeof(struct profile_key), sizeof(uint64_t));
	opts = sampler_options(s);
	sampler_choose(&sampler, &opts);
	say_detail("samples come from %s", sampler.event);
	skel->rodata->per_cpu = than;
	set_filters();
	room = cpus * hz * PARTS;
	s->stack_room = room < MOST_ROOM ? room + 1024 : MOST_ROOM;
	err = filter_use(&filter, skel->progs.sample);
	return err ? err : stacks_size(s->obj, "samples", s->stack_room);
}

/* Starts the samples. Returns an exit status. */
static int attach(struct session *s)
{
	struct sampler_opts opts = sampler_options(s);
	int err;

	if (exclude_host && sampler.timer) {
		say_error("-G needs a PMU to tell virtual machines apart, and there is none here");
		return EXIT_CANNOT;
	}
	if (tif_need_resched && !need_resched_find(&skel->bss->need_resched)) {
		say_error("--tif_need_resched: cannot find out which flag that is on this kernel "
			  "(needs CAP_SYS_NICE)");
		return EXIT_CANNOT;
	}
	s->meets_idle = !exclude_kernel && !s->config->only_tgid && !s->config->only_tid &&
			!s->config->chosen;
	err = sampler_start(&sampler, &opts, skel->progs.sample);
	if (!err)
		return EXIT_DONE;
	if (err == -EINVAL)
		say_error(
			"cannot sample %s at %lu Hz: at most kernel.perf_event_max_sample_rate is "
			"allowed",
			sampler.event, (unsigned long)hz);
	else if (err == -ENODEV)
		say_error("cannot sample: none of these CPUs is online");
	else
		say_error("cannot sample %s: %s%s", sampler.event, strerror(-err),
			  kernel_missing(err));
	return err == -EPERM || err == -EACCES || err == -ENODEV ? EXIT_CANNOT : EXIT_FAILED;
}

/* Counts of @window by CPU, of those that were idle there none. */
static void count_cpus(struct session *s, const struct tally *window, struct tally *on_cpu)
{
	size_t i;

	for (i = 0; i < window->count; i++) {
		const struct profile_key *key = tally_key(window, i);
		uint64_t *count = tally_value(window, i);

		if (idle_learn(skel->bss->idle_places, &key->stack,
			       stacks_leaf(s->stacks, &key->stack), stacks_symbols(s->stacks)))
			*count = 0;
		*(uint64_t *)tally_at(on_cpu, &key->cpu) += *count;
	}
}

/* Takes a stretch of time's samples: with --than, of the CPUs that were as busy in it as that. */
static int take(struct session *s, unsigned int half)
{
	uint64_t least = (uint64_t)((double)hz * s->taken_ns / NSEC_PER_SEC * than / 100);
	struct tally window, on_cpu;
	size_t i;
	int err;

	tally_init(&window, samples.key_size, samples.value_size);
	tally_init(&on_cpu, sizeof(__u32), sizeof(uint64_t));
	err = stacks_take(s->stacks, "samples", half, &window, stacks_add_number);
	count_cpus(s, &window, &on_cpu);
	for (i = 0; i < window.count; i++) {
		struct profile_key key = *(const struct profile_key *)tally_key(&window, i);
		uint64_t count = *(uint64_t *)tally_value(&window, i);

		if (!count || *(uint64_t *)tally_find(&on_cpu, &key.cpu) < least)
			continue;
		key.cpu = 0;
		*(uint64_t *)tally_at(&samples, &key) += count;
	}
	tally_clear(&window);
	tally_clear(&on_cpu);
	return err;
}

static int report(struct session *s, unsigned int half, struct table *rows)
{
	struct cell *about = table_add(&s->report.about), *row;
	uint64_t count, all = 0, possible;
	size_t i;

	(void)half;
	for (i = 0; i < samples.count; i++) {
		const struct profile_key *key = tally_key(&samples, i);

		row = table_add(rows);
		count = *(uint64_t *)tally_value(&samples, i);
		all += count;
		cell_number(&row[ROW_COUNT], count);
		cell_comm(&row[ROW_COMM], key->stack.comm);
		cell_number(&row[ROW_PID], key->stack.pid);
		cell_stack(&row[ROW_STACK], stacks_chain(s->stacks, &key->stack));
	}
	/* In millionths of a sample: a short report has few. */
	possible = sampler.count * hz * (s->report.elapsed_ns / NSEC_PER_USEC);
	cell_string(&about[ABOUT_EVENT], sampler.event);
	cell_number(&about[ABOUT_HZ], hz);
	cell_number(&about[ABOUT_CPUS], sampler.count);
	cell_number(&about[ABOUT_SAMPLES], all);
	cell_number(&about[ABOUT_SHARE], percent(1000000 * all, possible));
	return 0;
}

static int empty(struct session *s, unsigned int half)
{
	(void)s;
	(void)half;
	tally_clear(&samples);
	return 0;
}

static const struct unit profile = {
	.synopsis = {
		.name = "profile",
		.summary = "Where does the CPU time go?",
		.description =
			"Each CPU is sampled at a steady rate: by cycles where there is a PMU, else by a timer\n"
			"(cpu-clock). A sample stands for the time since the one before; idle CPUs give none.\n"
			"Equal stacks are counted in the kernel. `self` is what a function took itself, `total`\n"
			"what it and those that it called took. Stacks go by frame pointers: a program without\n"
			"them shows its innermost function, and often not who called it.\n"
			"\n"
			"A timer cannot interrupt code that has interrupts off: what it finds is the place where\n"
			"they come on again. --irqs_disabled then takes the samples that had to wait for that.\n"
			"\n"
			FILTER_HELP "\n"
			"ip is the address of the instruction.",
		.examples =
			"  profile --duration 10s                      the whole machine\n"
			"  profile -p 4242 -F 999 --flame-graph cpu    a process, as cpu.folded and cpu.svg\n"
			"  profile --top --exclude-user                where the kernel spends its time, live\n"
			"  profile -i 10m --flame-graph cpu            a flame graph of each 10 minutes\n"
			"  profile -- make -j8                         a command and its children",
		.takes = TAKES_TARGETS | TAKES_INTERVAL | TAKES_DURATION | TAKES_STACKS |
			 TAKES_OUTPUT | TAKES_COMMAND,
		.options = options,
		.check = check,
	},
	.map_full_help = "more different stacks a second than there is room for; lower -F",
	.rows = rows,
	.about = about,
	.open = open_skeleton,
	.attach = attach,
	.take = take,
	.report = report,
	.empty = empty,
};

int main(int argc, char **argv)
{
	int status = unit_main(&profile, argc, argv);

	sampler_stop(&sampler);
	tally_clear(&samples);
	filter_free(&filter);
	return status;
}
