// SPDX-License-Identifier: GPL-2.0-only
/* What happens, event by event? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "kernel.h"
#include "order.h"
#include "quantity.h"
#include "say.h"
#include "shown.h"
#include "stacks.h"
#include "unit.h"
#include "trace.skel.h"

/* Of each CPU, in bytes; the usual ones together, and what anybody may have. */
#define USUAL_BUFFER (16 << 20)
#define USUAL_TOTAL  (256 << 20)
#define LEAST_BUFFER (512 << 10)
#define MOST_BUFFER  (1ULL << 30)

/* Events are shown so often, unless so many come that a buffer fills up. */
#define SHOW_STEP (100 * NSEC_PER_MSEC)

/* Its nice value while events come one by one. */
#define HIGHEST_PRIORITY -20

/* Different stacks that may come in a second, with --flame-graph. */
#define STACK_ROOM 16384

/* So much text is put together before it goes out, in bytes. */
#define TEXT_AT_ONCE (256 << 10)

/*
 * The same of JSON: a report is one line, which nobody can read before it is whole, and a command that
 * prints to the same place would print into it.
 */
#define JSON_AT_ONCE (32 << 20)

static struct session *session;
static struct trace *skel;
static struct engine engine;
static struct buffers buffers;
static struct order order;
static struct writer text;
static volatile struct trace_cpu *on_cpu;
static uint64_t *lost;		/* of each CPU, as told last, from the begin on ... */
static uint64_t *lost_before;	/* ... and in spans that have ended */
static uint64_t *shown;		/* of each event, in this one */
static struct symbols *symbols; /* the unit's own; NULL: those of the stacks do */
static struct tally counts;	/* struct trace_key: how often; not reported yet */
static int timer = -1;
static bool object_begun; /* of JSON */

static uint64_t most_shown, buffer_size;
static bool overwrite, help;
static const char *cgroups;

static const char *parse_buffer_size(const char *pages)
{
	uint64_t page = sysconf(_SC_PAGESIZE), bytes;

	if (parse_size(pages, &bytes))
		return "a buffer has a number of pages, or of bytes with a unit, such as 8M";
	if (pages[strspn(pages, "0123456789")] == 0)
		bytes = bytes > MOST_BUFFER / page ? MOST_BUFFER + 1 : bytes * page;
	if (bytes < page || bytes > MOST_BUFFER)
		return "a buffer has between a page and 1G";
	for (buffer_size = page; buffer_size < bytes; buffer_size *= 2)
		;
	return NULL;
}

/* -e 'EVENT help' is asking what it has. */
static const char *add_events(const char *list)
{
	size_t length = strlen(list);
	const char *wrong;
	char *copy;

	if (length < 6 || strcmp(list + length - 5, " help"))
		return engine_add(list);
	help = true;
	copy = strndup(list, length - 5);
	wrong = copy ? engine_add(copy) : "out of memory";
	free(copy);
	return wrong;
}

static const struct option_entry options[] = {
	{ "event", 'e', OPTION_REPEATED, "EVENT[,EVENT...]",
	  "which events, in what way; may come several times", .check = add_events },
	{ "exit-N", 'N', OPTION_COUNT, "N", "stop after N events", .value = &most_shown,
	  .least = 1 },
	{ "mmap-pages", 'm', OPTION_REPEATED, "PAGES",
	  "the size of each CPU's buffer, in pages or with a unit (16M)",
	  .check = parse_buffer_size },
	{ "overwrite", 0, OPTION_FLAG, NULL,
	  "keep what is newest, and show it at the end, at SIGUSR1, and each -i",
	  .value = &overwrite },
	{ "cgroups", 0, OPTION_STRING, "PATH", "the same as --cgroup", .value = &cgroups },
	{},
};

static const struct column event_columns[] = {
	{ .name = "event", .type = CELL_STRING },
	{ .name = "count", .type = CELL_COUNT },
};

enum {
	ROW_COUNT,
	ROW_EVENT,
	ROW_COMM,
	ROW_PID,
	ROW_STACK,
};

static const struct column stack_columns[] = {
	[ROW_COUNT] = { .name = "count", .type = CELL_COUNT, .adds_up = true },
	[ROW_EVENT] = { .name = "event", .type = CELL_STRING },
	[ROW_COMM] = { .name = "comm", .type = CELL_STRING },
	[ROW_PID] = { .name = "pid", .type = CELL_ID },
	[ROW_STACK] = { .name = "stack", .type = CELL_STACK },
};

static const struct column lost_columns[] = {
	{ .name = "cpu", .type = CELL_ID },
	{ .name = "count", .type = CELL_COUNT },
};

static const struct layout event_layout = LAYOUT(event_columns);
static const struct layout stack_layout = LAYOUT(stack_columns);
static const struct layout lost_layout = LAYOUT(lost_columns);

static const struct column about_columns[] = {
	{ .name = "lost_by_cpu", .type = CELL_TABLE, .layout = &lost_layout },
};

static const struct layout about_layout = LAYOUT(about_columns);

static bool only_counted(const struct session *s)
{
	return s->settings.flame_graph != NULL;
}

static const struct layout *rows(const struct session *s)
{
	return only_counted(s) ? &stack_layout : &event_layout;
}

static const struct layout *about(const struct session *s)
{
	(void)s;
	return &about_layout;
}

/* The argument `help` is the only one that there is. */
static const char *take_arguments(const struct settings *settings)
{
	unsigned int i;

	for (i = 0; i < settings->argument_count; i++) {
		if (strcmp(settings->arguments[i], "help"))
			return "what is behind the options can only be `help`; a command comes "
			       "behind --";
		help = true;
	}
	return NULL;
}

static const char *check(struct settings *settings)
{
	static const enum spec_attr_id known[] = { ATTR_ALIAS, ATTR_STACK, ATTR_MAX_STACK };
	const char *wrong = take_arguments(settings);

	if (wrong)
		return wrong;
	if (!engine_specs()->count)
		return "of which events? -e EVENT, such as -e sched:sched_process_exec; `list` "
		       "knows them";
	if (cgroups && strpbrk(cgroups, ",*?["))
		return "--cgroups takes one cgroup, with those below it: name what they are below";
	if (cgroups)
		settings->targets.cgroup = cgroups;
	if (settings->flame_graph && overwrite)
		return "--flame-graph counts all there is: --overwrite means nothing there";
	if (settings->flame_graph && most_shown)
		return "--flame-graph shows no single events: -N means nothing there";
	if (overwrite && most_shown)
		return "--overwrite shows nothing before the end: -N means nothing there";
	return engine_unknown_attribute(known, sizeof(known) / sizeof(*known));
}

/* How many frames of each part are wanted of @e; 0: no stack. */
static unsigned int frames_of(const struct engine_event *e)
{
	const struct spec_attr *most = spec_attr(e->spec, ATTR_MAX_STACK, 0);
	uint64_t usual = session->settings.max_stack;

	if (!session->settings.call_graph && !most && !spec_attr(e->spec, ATTR_STACK, 0))
		return 0;
	return most && most->number < MAX_STACK ? most->number : usual;
}

static int fill(struct engine_event *event)
{
	return only_counted(session) ? EXIT_DONE : shown_fill(event, frames_of(event));
}

/* Shows what fields there are, and ends. */
static void give_help(void)
{
	size_t i;

	for (i = 0; i < engine.count; i++) {
		/* At each place of a probe it is the same. */
		if (!i || strcmp(engine.events[i].event->name, engine.events[i - 1].event->name))
			shown_write_help(&text, &engine.events[i]);
	}
	fwrite(text.text, 1, text.used, session->out.file);
	exit(output_close(&session->out) ? EXIT_FAILED : EXIT_DONE);
}

static bool any_stacks(void)
{
	size_t i;

	for (i = 0; i < engine.count && !frames_of(&engine.events[i]); i++)
		;
	return i < engine.count;
}

/* Hands on what is put together, or if it is less than @least bytes, lets it wait. */
static void write_out(struct output *out, size_t least)
{
	if (!text.used || text.used < least)
		return;
	fwrite(text.text, 1, text.used, out->file);
	text.used = 0;
}

/* Begins the object that the next report is, with its events. */
static void begin_object(void)
{
	if (!object_begun)
		write_text(&text, "{\"events\":[");
	else
		write_char(&text, ',');
	object_begun = true;
}

/* Takes the place of the renderer that would print a report: there is nothing more to say. */
static void end_text(struct output *out, const struct report *report)
{
	(void)out;
	(void)report;
}

/* The report's object, whose events are there already. */
static void end_json(struct output *out, const struct report *report)
{
	struct output rest = { .fd = -1 };

	write_out(out, 0);
	if (!object_begun && !only_counted(session))
		fputs("{\"events\":[", out->file);
	rest.file = open_memstream(&rest.text, &rest.size);
	if (!rest.file) {
		say_error("out of memory for the report");
		exit(EXIT_FAILED);
	}
	json_renderer.report(&rest, report);
	fclose(rest.file);
	if (only_counted(session))
		fputs(rest.text, out->file);
	else
		fprintf(out->file, "],%s", rest.text + 1);
	free(rest.text);
	object_begun = false;
}

static const struct renderer text_lines = { .report = end_text };
static const struct renderer json_lines = { .report = end_json };

static int size_maps(struct session *s)
{
	unsigned int cpus = libbpf_num_possible_cpus();
	int err = bpf_map__set_max_entries(skel->maps.on_cpu, cpus);

	if (!err)
		err = bpf_map__set_max_entries(skel->maps.buffers, cpus);
	return err ? err : stacks_size(s->obj, "counts", only_counted(s) ? STACK_ROOM : 1);
}

static int open_skeleton(struct session *s)
{
	int status;

	session = s;
	s->renderer = s->settings.json ? &json_lines : &text_lines;
	status = engine_find(&engine, &s->settings, fill);
	if (status)
		return status;
	if (help)
		give_help();
	status = engine_setup();
	if (status)
		return status;
	skel = trace__open();
	if (!skel)
		return -errno;
	session_use(s, skel);
	s->settings.call_graph = only_counted(s) || any_stacks();
	s->stack_room = only_counted(s) ? STACK_ROOM : 1;
	s->resting = !only_counted(s);
	tally_init(&counts, sizeof(struct trace_key), sizeof(uint64_t));
	skel->rodata->some_tasks = engine_some_tasks(&s->settings);
	skel->rodata->count_stacks = only_counted(s);
	return size_maps(s);
}

/* Has what runs on CPUs in our memory. Returns 0 or a negative errno. */
static int see_cpus(void)
{
	unsigned int cpus = libbpf_num_possible_cpus();
	void *memory = mmap(NULL, cpus * sizeof(*on_cpu), PROT_READ, MAP_SHARED,
			    bpf_map__fd(skel->maps.on_cpu), 0);

	if (memory == MAP_FAILED)
		return -errno;
	on_cpu = memory;
	lost = calloc(cpus, sizeof(*lost));
	lost_before = calloc(cpus, sizeof(*lost_before));
	shown = calloc(engine.count, sizeof(*shown));
	return lost && lost_before && shown ? 0 : -ENOMEM;
}

static int try_buffers(void)
{
	return buffers_make(&buffers, buffer_size, overwrite, bpf_map__fd(skel->maps.buffers));
}

/* Buffers as large as is usual, or as anybody may have. Returns 0 or a negative errno. */
static int make_usual_buffers(void)
{
	int err;

	buffer_size = USUAL_BUFFER;
	while (buffer_size * libbpf_num_possible_cpus() > USUAL_TOTAL && buffer_size > LEAST_BUFFER)
		buffer_size /= 2;
	err = try_buffers();
	if (err != -EPERM)
		return err;
	buffers_free(&buffers);
	buffer_size = LEAST_BUFFER;
	return try_buffers();
}

static int make_buffers(void)
{
	char size[QUANTITY_LEN];
	int err = buffer_size ? try_buffers() : make_usual_buffers();

	if (!err)
		return EXIT_DONE;
	if (err == -EPERM) {
		say_error("cannot make buffers of %s for each CPU: %s (needs CAP_IPC_LOCK, or "
			  "-m 512k)",
			  format_size(size, buffer_size), strerror(-err));
		return EXIT_CANNOT;
	}
	if (err == -EACCES) {
		say_error("cannot make buffers: %s (kernel.perf_event_paranoid is above what this "
			  "kernel allows without CAP_SYS_ADMIN)",
			  strerror(-err));
		return EXIT_CANNOT;
	}
	say_error("cannot make buffers of %s for each CPU: %s%s", format_size(size, buffer_size),
		  strerror(-err), err == -ENOMEM ? " (a smaller -m helps)" : kernel_missing(err));
	return EXIT_FAILED;
}

/* Events are shown at steps of time, so that few do not wait for a buffer to fill up. */
static int start_timer(void)
{
	struct itimerspec when = {
		.it_value.tv_nsec = SHOW_STEP,
		.it_interval.tv_nsec = SHOW_STEP,
	};
	struct epoll_event wake = { .events = EPOLLIN };

	timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (timer < 0 || timerfd_settime(timer, 0, &when, NULL) ||
	    epoll_ctl(buffers.epoll, EPOLL_CTL_ADD, timer, &wake))
		return -errno;
	return 0;
}

/*
 * On a busy machine it would get a small part of a CPU, and buffers would fill up meanwhile. Where it may
 * not have that, it goes without. The command is a process by now, and stays as it is.
 */
static void come_first(void)
{
	setpriority(PRIO_PROCESS, 0, HIGHEST_PRIORITY);
}

static int attach(struct session *s)
{
	int status = EXIT_DONE, err;

	if (!only_counted(s)) {
		come_first();
		err = see_cpus();
		status = err ? EXIT_DONE : make_buffers();
		if (!err && !status && !overwrite)
			err = start_timer();
		if (err) {
			say_error("cannot set up buffers: %s", strerror(-err));
			return EXIT_FAILED;
		}
		symbols = s->stacks ? NULL : symbols_new(false);
		shown_symbols(s->stacks ? stacks_symbols(s->stacks) : symbols);
	}
	if (status)
		return status;
	return engine_attach(&engine, s->obj, &s->settings);
}

static bool is_enough(const struct session *s)
{
	return most_shown && s->events_shown >= most_shown;
}

/* Shows an event. False: that was the last one. */
static bool show(void *arg, const struct trace_record *record, unsigned int cpu)
{
	struct session *s = arg;
	size_t most = s->settings.json ? JSON_AT_ONCE : TEXT_AT_ONCE;

	if (record->event >= engine.count)
		return true;
	shown[record->event]++;
	s->events_shown++;
	if (s->settings.json) {
		begin_object();
		shown_write_json(&text, record, cpu);
	} else {
		shown_write_text(&text, record, cpu);
	}
	if (text.used >= most) {
		write_out(&s->out, most);
		if (output_flush(&s->out))
			return false;
	}
	return !is_enough(s);
}

/* Shows what has come, or with @all, all. */
static void show_events(struct session *s, bool all)
{
	if (is_enough(s) || s->out.error)
		return;
	if (s->stacks)
		stacks_heed(s->stacks);
	order_show(&order, &buffers, on_cpu, all, show, s);
	write_out(&s->out, s->settings.json ? JSON_AT_ONCE : 0);
	if (!is_enough(s))
		return;
	/* What comes now is not missed. */
	s->control->observing = false;
	s->stop = true;
}

static int wake_fd(void)
{
	return timer < 0 ? -1 : buffers.epoll;
}

static void wake(void)
{
	uint64_t count;

	/* How often it went off does not matter. */
	if (read(timer, &count, sizeof(count)) < 0)
		count = 0;
	show_events(session, false);
}

/* Tells, beside how much is lost, on which CPUs. */
static void add_lost(struct session *s)
{
	struct table *by_cpu = cell_table(&table_add(&s->report.about)[0], &lost_layout);
	unsigned int cpus = libbpf_num_possible_cpus(), cpu;
	char size[QUANTITY_LEN];

	for (cpu = 0; cpu < cpus; cpu++) {
		uint64_t count;
		struct cell *row;

		lost[cpu] = on_cpu[cpu].lost;
		count = lost[cpu] - lost_before[cpu];
		if (!count)
			continue;
		row = table_add(by_cpu);
		cell_number(&row[0], cpu);
		cell_number(&row[1], count);
		say_note("%lu events found no room in the buffer of CPU %u (%s; -m takes more)",
			 (unsigned long)count, cpu, format_size(size, buffer_size));
	}
}

static void add_counts(struct session *s, struct table *rows)
{
	size_t i;

	for (i = 0; i < counts.count; i++) {
		const struct trace_key *key = tally_key(&counts, i);
		struct cell *row = table_add(rows);

		cell_number(&row[ROW_COUNT], *(uint64_t *)tally_value(&counts, i));
		cell_string(&row[ROW_EVENT], shown_name(&engine.events[key->event]));
		cell_comm(&row[ROW_COMM], key->stack.comm);
		cell_number(&row[ROW_PID], key->stack.pid);
		cell_stack(&row[ROW_STACK], stacks_chain(s->stacks, &key->stack));
	}
}

static int take(struct session *s, unsigned int half)
{
	if (!only_counted(s))
		return 0;
	return stacks_take(s->stacks, "counts", half, &counts, stacks_add_number);
}

static int report(struct session *s, unsigned int half, struct table *rows)
{
	size_t i;

	(void)half;
	if (only_counted(s)) {
		add_counts(s, rows);
		return 0;
	}
	show_events(s, !s->control->observing);
	add_lost(s);
	for (i = 0; i < engine.count; i++) {
		struct cell *row;

		if (!shown[i])
			continue;
		row = table_add(rows);
		cell_string(&row[0], shown_name(&engine.events[i]));
		cell_number(&row[1], shown[i]);
	}
	/* What has been shown is, whichever report comes next. */
	memset(shown, 0, engine.count * sizeof(*shown));
	return 0;
}

static int empty(struct session *s, unsigned int half)
{
	unsigned int cpus = libbpf_num_possible_cpus();

	(void)half;
	tally_clear(&counts);
	if (!only_counted(s))
		memcpy(lost_before, lost, cpus * sizeof(*lost));
	return 0;
}

static uint64_t skipped(struct session *s)
{
	(void)s;
	return engine_misses(&engine);
}

static const struct unit trace = {
	.synopsis = {
		.name = "trace",
		.summary = "What happens, event by event?",
		.description =
			"A line for each event of -e, in the order of their times on all CPUs: when, which thread\n"
			"on which CPU, and what the event tells: of tracepoints as the kernel prints them, of others\n"
			"each field by its name. Stacks are below: of all events with -g, else of those with the\n"
			"attribute stack or max-stack=N. alias=NAME is another name for an event. `trace -e EVENT\n"
			"help` shows its fields. With --flame-graph nothing is printed: the kernel counts stacks.\n"
			"\n"
			"Events go through a buffer of each CPU (-m). What finds no room there is counted and told.\n"
			"Each report of --json has the events since the one before; its rows say how many of each.\n"
			"\n"
			ENGINE_EVENT_HELP,
		.examples =
			"  trace -e sched:sched_process_exec -N 10\n"
			"  trace -e 'sched:sched_stat_runtime/runtime>1000000/' -C 0-1\n"
			"  trace -e 'syscalls:sys_enter_connect//stack/' --json --duration 10s\n"
			"  trace -e skb:kfree_skb -g --flame-graph drops --duration 10s",
		.takes = TAKES_TARGETS | TAKES_INTERVAL | TAKES_DURATION | TAKES_STACKS |
			 TAKES_OUTPUT | TAKES_COMMAND | TAKES_ARGUMENTS,
		.arguments = "[help]",
		.options = options,
		.check = check,
	},
	.map_full_help = "more different stacks a second than there is room for, or children of the "
			 "command",
	.flames = { .title = "trace" },
	.rows = rows,
	.about = about,
	.open = open_skeleton,
	.attach = attach,
	.take = take,
	.report = report,
	.empty = empty,
	.skipped = skipped,
	.wake_fd = wake_fd,
	.wake = wake,
};

int main(int argc, char **argv)
{
	int status = unit_main(&trace, argc, argv);

	engine_free(&engine);
	order_free(&order, &buffers);
	buffers_free(&buffers);
	shown_free();
	symbols_free(symbols);
	writer_free(&text);
	tally_clear(&counts);
	free(lost);
	free(lost_before);
	free(shown);
	return status;
}
