// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "clock.h"
#include "flames.h"
#include "functions.h"
#include "heatmap.h"
#include "hold.h"
#include "kernel.h"
#include "lost.h"
#include "picture.h"
#include "quantity.h"
#include "say.h"
#include "stacks.h"
#include "tasks.h"
#include "unit.h"
#include "verifier.h"

/* How often the heat map takes a column at first, and how often the unit looks after itself. */
#define HEATMAP_STEP (100 * NSEC_PER_MSEC)
#define CHORE_STEP   NSEC_PER_SEC

/* Blocks of memory from this size on are mappings; so much that is free is kept. Both in bytes. */
#define LARGE_BLOCK  (128 << 10)
#define SPARE_MEMORY (4 << 20)

/* Single events that are kept for a report; more would take memory without bound. */
#define MOST_KEPT_EVENTS 65536

/* So many single events are taken before other things get their turn. */
#define EVENTS_AT_ONCE 256

/*
 * Signals. They interrupt nothing (SA_RESTART) but the wait for the next thing to do, which they
 * end through an eventfd.
 */
static volatile sig_atomic_t stop_signals, report_asked;
static int wake_fd = -1;

static void on_signal(int signal_number)
{
	uint64_t one = 1;
	int err = errno;
	ssize_t written;

	if (signal_number == SIGUSR1) {
		report_asked = 1;
	} else if (stop_signals++) {
		signal(signal_number, SIG_DFL);
		raise(signal_number);
	}
	/* Cannot fail but by being full, which wakes as well. */
	written = write(wake_fd, &one, sizeof(one));
	(void)written;
	errno = err;
}

static int catch_signals(void)
{
	static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1 };
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART }, old;
	unsigned int i;

	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake_fd < 0)
		return -errno;
	for (i = 0; i < sizeof(caught) / sizeof(*caught); i++) {
		/* nohup means it. */
		if (caught[i] == SIGHUP && !sigaction(SIGHUP, NULL, &old) &&
		    old.sa_handler == SIG_IGN)
			continue;
		sigaction(caught[i], &act, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

/* libbpf's own words: shown with -v, and the program that they name last is remembered. */
static char failed_program[64];

static int on_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[128];
	va_list again;

	va_copy(again, args);
	vsnprintf(line, sizeof(line), format, again);
	va_end(again);
	if (level == LIBBPF_WARN && !*failed_program)
		sscanf(line, "libbpf: prog '%63[^']'", failed_program);
	/* May be long: a verifier's log. */
	if (say_is_verbose() && level != LIBBPF_DEBUG)
		vfprintf(stderr, format, args);
	return 0;
}

/* Tells that the kernel refused to @what; returns the exit status. */
static int refused(const char *what, int err)
{
	bool cannot = err == -EPERM || err == -ESRCH || err == -ENOENT || err == -EOPNOTSUPP ||
		      err == -ENOSYS;

	say_error("cannot %s %s: %s%s", what, *failed_program ? failed_program : "the BPF programs",
		  strerror(-err), kernel_missing(err));
	return cannot ? EXIT_CANNOT : EXIT_FAILED;
}

static int output_failed(struct session *s, int err)
{
	if (err == -EPIPE)
		return EXIT_DONE; /* nobody is interested any more */
	say_error("cannot write the report to %s: %s",
		  s->out.path ? s->out.path : "standard output", strerror(-err));
	return EXIT_FAILED;
}

/* Shows the single events that have come, where the renderer does that at once. */
static void show_events(struct session *s)
{
	if (s->report.events.rows && s->renderer->events(&s->out, &s->report.events))
		table_clear(&s->report.events);
}

static void add_event(struct session *s, const void *data, size_t size)
{
	uint64_t most = s->settings.most_events;

	if (most && s->events_shown >= most)
		return;
	if (s->report.events.rows >= MOST_KEPT_EVENTS) {
		s->events_dropped++;
		return;
	}
	s->unit->event(s, data, size, &s->report.events);
	s->events_shown++;
	show_events(s);
	if (s->events_shown == most)
		s->stop = true;
}

/* Takes an event; after a batch of them, looks up (an error ends ring_buffer__consume()). */
static int on_event(void *context, void *data, size_t size)
{
	struct session *s = context;

	add_event(s, data, size);
	return ++s->events_taken % EVENTS_AT_ONCE ? 0 : -EAGAIN;
}

/*
 * Takes the events that have come: a batch, as more may come without end while programs observe, or
 * with @all each of them. Returns what output_flush() does.
 */
static int take_events(struct session *s, bool all)
{
	int taken, err = 0;

	do {
		taken = ring_buffer__consume(s->events);
		err = output_flush(&s->out);
	} while (all && taken == -EAGAIN && !err);
	return err;
}

/* What has been lost so far. */
static int lost_until_now(struct session *s, uint64_t counts[LOST_REASONS])
{
	int err = lost_read(s->obj, s->unit->made_up, counts);

	counts[LOST_BUFFER] += s->events_dropped;
	if (s->unit->skipped)
		counts[LOST_RECURSION] += s->unit->skipped(s);
	return err;
}

/* What has been lost in the running span. */
static int lost_in_span(struct session *s, uint64_t counts[LOST_REASONS])
{
	int err = lost_until_now(s, counts), why;

	for (why = 0; why < LOST_REASONS; why++)
		counts[why] -= s->lost_before[why];
	return err;
}

/*
 * Adds to the heat map what has come since the last column of the span in @half, which ended at
 * @now.
 */
static int add_heat(struct session *s, unsigned int half, uint64_t now)
{
	struct hist total = {};
	uint64_t lo, hi, middle = now - s->observed_since;
	int err = s->unit->total(s, half, &total);
	unsigned int i;

	/* The middle of the column that ends here. */
	middle -= middle < HEATMAP_STEP / 2 ? middle : HEATMAP_STEP / 2;
	for (i = 0; !err && i < HIST_BUCKETS; i++) {
		uint64_t count = total.bucket[i] - s->heat_before.bucket[i];

		if (!count)
			continue;
		hist_bounds(i, &lo, &hi);
		err = heatmap_add(s->heatmap, middle, lo, hi, count);
	}
	s->heat_before = total;
	return err;
}

/*
 * Ends the half that is written to, at @now; the next one begins. When this returns, no program
 * writes to it.
 */
static void turn(struct session *s, uint64_t now)
{
	s->control->span++;
	kernel_wait_for_programs();
	s->taken_ns = now - s->half_since;
	s->half_since = now;
}

/* Ends the half that is written to, and moves what it has out of the kernel's maps. */
static int take(struct session *s, uint64_t now)
{
	unsigned int half = s->control->span & 1;

	turn(s, now);
	if (s->stacks)
		stacks_heed(s->stacks);
	return s->unit->take(s, half);
}

/* Gives the stacks of the report their names, and puts together what is alike then. */
static void resolve_stacks(struct session *s)
{
	struct report *r = &s->report;
	int stack = column_of(r->rows.layout, CELL_STACK);
	struct callchain **chains;
	size_t i;

	if (!s->stacks || stack < 0 || !r->rows.rows)
		return;
	chains = calloc(r->rows.rows, sizeof(*chains));
	if (!chains) {
		say_error("out of memory for the report");
		exit(EXIT_FAILED);
	}
	for (i = 0; i < r->rows.rows; i++)
		chains[i] = table_row(&r->rows, i)[stack].stack;
	symbols_resolve(stacks_symbols(s->stacks), chains, r->rows.rows);
	free(chains);
	table_merge(&r->rows);
	if (r->rows.layout->sorted_by)
		table_sort(&r->rows, r->rows.layout->sorted_by - 1);
	else
		table_sort(&r->rows, column_that_adds_up(r->rows.layout));
	if (r->functions.layout)
		functions_fill(&r->functions, &r->rows);
}

/*
 * Makes a report of the running span. With @last the span ends with it, and the next one begins;
 * else it goes on as if nothing had been shown. Returns 0 or a negative errno: of the kernel's, or
 * what @output_err gets, of the output's.
 */
static int make_report(struct session *s, bool last, int *output_err)
{
	unsigned int half = s->control->span & 1;
	uint64_t now = monotonic_now();
	struct report *r = &s->report;
	int err = s->unit->read ? s->unit->read(s) : 0, why;

	if (s->unit->take)
		err = err ? err : take(s, now);
	else if (last)
		turn(s, now);
	if (s->events)
		*output_err = take_events(s, !s->control->observing);
	r->time = wall_of(now);
	r->elapsed_ns = now - s->span_since;
	if (!err)
		err = s->unit->report(s, half, &r->rows);
	if (!err)
		err = lost_in_span(s, r->lost);
	if (!err && last && s->heatmap)
		err = add_heat(s, half, now);
	if (!err && (r->rows.rows || !s->unit->tick)) {
		resolve_stacks(s);
		table_shares(&r->rows);
		if (last && s->flames && flames_add(s->flames, &r->rows, wall_of(s->span_since)))
			s->picture_failed = true;
		if (s->most_rows)
			table_cut(&r->rows, s->most_rows);
		s->renderer->report(&s->out, r);
		*output_err = output_flush(&s->out);
		if (!*output_err)
			lost_tell(r->lost, s->unit->map_full_help);
	}
	table_clear(&r->rows);
	table_clear(&r->about);
	table_clear(&r->functions);
	if (err || !last)
		return err;

	table_clear(&r->events);
	for (why = 0; why < LOST_REASONS; why++)
		s->lost_before[why] += r->lost[why];
	s->span_since = now;
	memset(&s->heat_before, 0, sizeof(s->heat_before));
	err = s->unit->empty(s, half);
	if (s->stacks && !s->keep_stacks)
		stacks_clear(s->stacks);
	return err;
}

/* Makes room in maps. Where tasks without a slot had events, gives them one. */
static int do_chores(struct session *s)
{
	uint64_t counts[LOST_REASONS];
	int err = 0;

	if (s->unit->take && !s->resting)
		err = take(s, monotonic_now());
	/* Without slots there are no tasks without one. */
	if (err || !bpf_object__find_program_by_name(s->obj, "task_walk"))
		return err;
	if (s->resting || lost_read(s->obj, s->unit->made_up, counts) ||
	    counts[LOST_UNKNOWN_TASK] == s->unknown_tasks)
		return 0;
	s->unknown_tasks = counts[LOST_UNKNOWN_TASK];
	tasks_walk(s->obj);
	return 0;
}

/* What reports were made of is free, but the last block that is not would keep all before it. */
static void give_back_memory(void)
{
	if (mallinfo2().fordblks > SPARE_MEMORY)
		malloc_trim(0);
}

enum wake {
	WAKE_SIGNAL,
	WAKE_EVENTS,
	WAKE_COMMAND,
	WAKE_INTERVAL,
	WAKE_END,
	WAKE_HEAT,
	WAKE_CHORES,
	WAKE_NOTICES,
	WAKE_ALARM,
	WAKE_UNIT,
	WAKE_OUTPUT,
	WAKES
};

static int watch(int epoll, int fd, enum wake what)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = what };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/* Who reads a pipe may go, long before there is anything to write. Files never tell anything of that. */
static void watch_output(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLERR, .data.u32 = WAKE_OUTPUT };

	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

/* Watches a timer that first goes off at @first, then every @every ns; sets *@fd. */
static int watch_timer(int epoll, uint64_t first, uint64_t every, enum wake what, int *fd)
{
	struct itimerspec when = {
		.it_value = { first / NSEC_PER_SEC, first % NSEC_PER_SEC },
		.it_interval = { every / NSEC_PER_SEC, every % NSEC_PER_SEC },
	};

	*fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (*fd < 0 || timerfd_settime(*fd, TFD_TIMER_ABSTIME, &when, NULL))
		return -errno;
	return watch(epoll, *fd, what);
}

static int watch_all(struct session *s, int epoll, int timers[WAKES])
{
	const struct settings *set = &s->settings;
	uint64_t start = s->observed_since;
	int err = watch(epoll, wake_fd, WAKE_SIGNAL);

	watch_output(epoll, s->out.fd);
	if (!err && s->events)
		err = watch(epoll, ring_buffer__epoll_fd(s->events), WAKE_EVENTS);
	if (!err && s->stacks)
		err = watch(epoll, stacks_fd(s->stacks), WAKE_NOTICES);
	if (!err && s->unit->wake_fd && s->unit->wake_fd() >= 0)
		err = watch(epoll, s->unit->wake_fd(), WAKE_UNIT);
	if (!err && set->command)
		err = watch(epoll, s->command.pidfd, WAKE_COMMAND);
	if (!err && set->interval_ns)
		err = watch_timer(epoll, start + set->interval_ns, set->interval_ns, WAKE_INTERVAL,
				  &timers[WAKE_INTERVAL]);
	if (!err && set->duration_ns)
		err = watch_timer(epoll, start + set->duration_ns, 0, WAKE_END, &timers[WAKE_END]);
	if (!err && s->heatmap)
		err = watch_timer(epoll, start + HEATMAP_STEP, HEATMAP_STEP, WAKE_HEAT,
				  &timers[WAKE_HEAT]);
	if (!err && s->unit->alarm) {
		/* Set by the unit. */
		err = watch_timer(epoll, 0, 0, WAKE_ALARM, &timers[WAKE_ALARM]);
		s->alarm_fd = timers[WAKE_ALARM];
	}
	if (!err)
		err = watch_timer(epoll, start + CHORE_STEP, CHORE_STEP, WAKE_CHORES,
				  &timers[WAKE_CHORES]);
	return err;
}

/* Is the end so near that its report takes this interval's place? */
static bool ends_soon(const struct session *s)
{
	uint64_t end = s->observed_since + s->settings.duration_ns;

	return s->settings.duration_ns && monotonic_now() + s->settings.interval_ns / 10 >= end;
}

void session_alarm(struct session *s, uint64_t in_ns)
{
	struct itimerspec when = {
		.it_value = { in_ns / NSEC_PER_SEC, in_ns % NSEC_PER_SEC },
	};

	timerfd_settime(s->alarm_fd, 0, &when, NULL);
}

/* One thing to do. Returns a negative errno, the output's in @output_err. */
static int handle(struct session *s, enum wake what, int timer, int *output_err)
{
	uint64_t count;

	/* An eventfd and a timer want to be read; how often they went off does not matter. */
	if (what == WAKE_SIGNAL)
		timer = wake_fd;
	if (timer >= 0 && read(timer, &count, sizeof(count)) < 0)
		return 0;
	switch (what) {
	case WAKE_EVENTS:
		*output_err = take_events(s, false);
		return 0;
	case WAKE_COMMAND:
		command_reap(&s->command);
		s->stop = true;
		return 0;
	case WAKE_ALARM:
		return s->unit->alarm(s) ?: make_report(s, true, output_err);
	case WAKE_INTERVAL:
		if (s->unit->tick)
			return s->unit->tick(s);
		return ends_soon(s) ? 0 : make_report(s, true, output_err);
	case WAKE_END:
		s->stop = true;
		return 0;
	case WAKE_HEAT:
		return add_heat(s, s->control->span & 1, monotonic_now());
	case WAKE_CHORES:
		give_back_memory();
		return do_chores(s);
	case WAKE_NOTICES:
		stacks_heed(s->stacks);
		return 0;
	case WAKE_UNIT:
		s->unit->wake();
		*output_err = output_flush(&s->out);
		return 0;
	case WAKE_OUTPUT:
		*output_err = -EPIPE;
		return 0;
	default:
		return 0;
	}
}

/* What is waited for. */
struct waiting {
	int epoll;
	int timers[WAKES];
};

static int waiting_begin(struct session *s, struct waiting *w)
{
	unsigned int i;

	for (i = 0; i < WAKES; i++)
		w->timers[i] = -1;
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	return w->epoll < 0 ? -errno : watch_all(s, w->epoll, w->timers);
}

static void waiting_end(struct waiting *w)
{
	unsigned int i;

	for (i = 0; i < WAKES; i++) {
		if (w->timers[i] >= 0)
			close(w->timers[i]);
	}
	if (w->epoll >= 0)
		close(w->epoll);
}

/* Observes until told to stop. Returns a negative errno, the output's in @output_err. */
static int observe(struct session *s, struct waiting *w, int *output_err)
{
	struct epoll_event ready[WAKES];
	int err = 0, i, n;

	while (!err && !*output_err && !s->stop && !stop_signals) {
		n = epoll_wait(w->epoll, ready, WAKES, -1);
		if (n < 0 && errno != EINTR)
			err = -errno;
		for (i = 0; i < n && !err && !*output_err; i++)
			err = handle(s, ready[i].data.u32, w->timers[ready[i].data.u32],
				     output_err);
		if (report_asked && !err && !*output_err) {
			report_asked = 0;
			err = make_report(s, false, output_err);
		}
	}
	return err;
}

static int write_lat(void *heatmap, FILE *file)
{
	return heatmap_write_lat(heatmap, file);
}

static int write_svg(void *heatmap, FILE *file)
{
	return heatmap_write_svg(heatmap, file);
}

static int write_heatmap(struct session *s, const char *suffix,
			 int (*write)(void *heatmap, FILE *file))
{
	int err = picture_write(s->settings.heatmap, suffix, write, s->heatmap);

	return err ? picture_failed(s->settings.heatmap, suffix, err) : 0;
}

/* Writes the pictures that are due at the end. Returns an exit status. */
static int write_pictures(struct session *s)
{
	int err = 0;

	if (s->heatmap)
		err = write_heatmap(s, ".lat", write_lat);
	if (!err && s->heatmap)
		err = write_heatmap(s, ".svg", write_svg);
	if (!err && s->flames && !s->picture_failed)
		err = flames_finish(s->flames);
	return err || s->picture_failed ? EXIT_FAILED : EXIT_DONE;
}

/* Before anything is loaded: can the heat map be written at the end? */
static int start_heatmap(struct session *s)
{
	struct heatmap_opts options = {
		.title = s->unit->synopsis.name,
		.subtitle = s->unit->synopsis.summary,
		.column_ns = HEATMAP_STEP,
		.start = wall_now(),
	};

	if (picture_check(s->settings.heatmap, ".lat") ||
	    picture_check(s->settings.heatmap, ".svg"))
		return EXIT_FAILED;
	s->heatmap = heatmap_new(&options);
	if (!s->heatmap) {
		say_error("out of memory for the heat map");
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static int start_flames(struct session *s)
{
	struct flamegraph_opts look = s->unit->flames;

	if (!look.title)
		look.title = s->unit->synopsis.name;
	if (!look.subtitle)
		look.subtitle = s->unit->synopsis.summary;
	look.inverted = s->settings.reverse;
	s->flames =
		flames_new(s->settings.flame_graph, &look, s->settings.interval_ns, s->unit->holds);
	return s->flames ? EXIT_DONE : EXIT_FAILED;
}

/* Everything that can be checked before the kernel is touched. Returns an exit status. */
static int prepare(struct session *s)
{
	const struct settings *set = &s->settings;
	int err, status;

	status = kernel_check();
	if (status)
		return status;
	err = catch_signals();
	if (!err)
		err = output_open(&s->out, set->output);
	if (err) {
		say_error("cannot open %s: %s", set->output ? set->output : "standard output",
			  strerror(-err));
		return EXIT_FAILED;
	}
	s->renderer = set->json ? &json_renderer : &text_renderer;
	s->out.refresh = s->out.terminal && set->interval_ns && !set->than && !set->json;
	if (set->heatmap && start_heatmap(s))
		return EXIT_FAILED;
	if (set->flame_graph && start_flames(s))
		return EXIT_FAILED;
	if (set->command) {
		err = command_hold(&s->command, set->command);
		if (err) {
			say_error("cannot make a process for %s: %s", set->command[0],
				  strerror(-err));
			return EXIT_FAILED;
		}
	}
	return EXIT_DONE;
}

static int configure_stacks(struct session *s)
{
	const struct settings *set = &s->settings;
	struct bpf_program *exec = bpf_object__find_program_by_name(s->obj, "stack_exec");
	int err = 0;

	s->config->max_stack = set->max_stack;
	s->config->kernel_stack = set->call_graph && set->kernel_callchain;
	s->config->user_stack = set->call_graph && set->user_callchain;
	if (exec && !s->config->user_stack)
		bpf_program__set_autoload(exec, false);
	if (!s->config->user_stack)
		err = stacks_without_users(s->obj);
	return err ? err : stacks_size(s->obj, "stacks", set->call_graph ? s->stack_room : 1);
}

/*
 * Reading the kernel's names takes a tenth of a second. Where they are wanted while something is
 * observed, that comes before: meanwhile processes would come and go unseen.
 */
static void read_names_early(struct session *s)
{
	if (s->stacks && s->config->user_stack && s->config->kernel_stack &&
	    (s->settings.interval_ns || s->meets_idle))
		symbols_read_kernel(stacks_symbols(s->stacks));
}

/* The process that is observed with its children, or 0. */
static pid_t observed_command(const struct session *s)
{
	return s->settings.command_is_timer ? 0 : s->command.pid;
}

/* Opens, configures, loads and attaches the programs. Returns an exit status. */
static int start(struct session *s)
{
	const struct settings *set = &s->settings;
	const struct unit *unit = s->unit;
	struct bpf_program *walk;
	struct bpf_map *events;
	int err, status;

	err = unit->open(s);
	if (err)
		return err < 0 ? refused("open", err) : err;
	if (s->show_functions)
		table_init(&s->report.functions, &functions_layout);
	status = targets_configure(&s->settings.targets, observed_command(s), s->config);
	if (status)
		return status;
	s->config->than = s->settings.than_ns;
	s->config->events = s->settings.than;
	err = targets_size(s->config, s->obj);
	if (!err)
		err = tasks_configure(s->obj, s->config);
	if (!err && stacks_there(s->obj))
		err = configure_stacks(s);
	walk = bpf_object__find_program_by_name(s->obj, "task_walk");
	if (walk)
		bpf_program__set_autoattach(walk, false);
	verifier_ask(s->obj);
	hold_programs(s->obj);
	if (!err)
		err = bpf_object__load_skeleton(s->skeleton);
	kernel_btf_free();
	verifier_tell_all(s->obj);
	if (err)
		return refused("load", err);

	err = targets_fill(&s->settings.targets, observed_command(s), s->config, s->obj);
	if (!err)
		err = kernel_wait_setup();
	if (!err && s->settings.than) {
		events = bpf_object__find_map_by_name(s->obj, "events");
		s->events = ring_buffer__new(bpf_map__fd(events), on_event, s, NULL);
		err = s->events ? 0 : -errno;
	}
	if (!err && stacks_there(s->obj) && set->call_graph) {
		s->stacks = stacks_new(s->obj, set->lines);
		err = s->stacks ? 0 : -errno;
	}
	if (err)
		return refused("set up maps for", err);
	err = bpf_object__attach_skeleton(s->skeleton);
	if (!err && unit->attach)
		return unit->attach(s);
	if (!err)
		err = tasks_walk(s->obj);
	return err ? refused("attach", err) : EXIT_DONE;
}

/* Runs what has been started, up to and with the final report. Returns an exit status. */
static int run(struct session *s)
{
	const struct settings *set = &s->settings;
	const struct unit *unit = s->unit;
	int err, output_err = 0;
	struct waiting waiting;

	read_names_early(s);
	targets_hint(&set->targets, s->config);
	if (isatty(STDERR_FILENO) && !set->interval_ns && !set->duration_ns && !set->command)
		say_note("observing until Ctrl-C");
	output_begin(&s->out);
	s->observed_since = s->span_since = s->half_since = monotonic_now();
	/* Before it observes what is made for this. */
	err = waiting_begin(s, &waiting);
	/* Attaching takes seconds, and what the kernel skipped meanwhile is missing nowhere. */
	if (!err)
		err = lost_until_now(s, s->lost_before);
	s->control->observing = true;
	if (unit->begin)
		unit->begin(s);
	say_detail("observing");
	if (!err && set->command) {
		err = command_start(&s->command);
		if (err) {
			say_error("cannot run %s: %s", set->command[0], strerror(-err));
			waiting_end(&waiting);
			return EXIT_FAILED;
		}
	}
	if (!err)
		err = observe(s, &waiting, &output_err);
	waiting_end(&waiting);
	s->control->observing = false;
	if (!err && !output_err)
		err = make_report(s, true, &output_err);
	if (err) {
		say_error("cannot read the maps: %s", strerror(-err));
		return EXIT_FAILED;
	}
	if (output_err)
		return output_failed(s, output_err);
	return write_pictures(s);
}

static int finish(struct session *s, int status)
{
	int err, failed_before;

	ring_buffer__free(s->events);
	if (s->skeleton) {
		bpf_object__destroy_skeleton(s->skeleton);
		free(s->skeleton_memory);
	}
	heatmap_free(s->heatmap);
	flames_free(s->flames);
	table_free(&s->report.rows);
	table_free(&s->report.events);
	table_free(&s->report.about);
	table_free(&s->report.functions);
	stacks_free(s->stacks);
	failed_before = s->out.error;
	err = s->out.file ? output_close(&s->out) : 0;
	if (err && !failed_before && status == EXIT_DONE)
		status = output_failed(s, err);
	/* Its own end counts, not the one that we may bring about. */
	if (status == EXIT_DONE && s->command.argv && !s->command.pid)
		status = command_status(&s->command);
	command_end(&s->command);
	return status;
}

/* What is opened later must not take the place of a standard stream that was closed. */
static void open_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int unit_main(const struct unit *unit, int argc, char **argv)
{
	struct session s = { .unit = unit };
	int status;

	open_standard_streams();
	/*
	 * Tables that grow and go are mappings of their own, which the kernel gets back: as parts of
	 * the heap, where the C library puts them once the first of them has gone, they leave holes.
	 */
	mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
	status = options_parse(&unit->synopsis, argc, argv, &s.settings);

	if (status >= 0)
		return fflush(stdout) ? EXIT_FAILED : status;
	libbpf_set_print(on_libbpf);
	s.report.tool = unit->synopsis.name;
	table_init(&s.report.rows, unit->rows(&s));
	if (unit->events)
		table_init(&s.report.events, unit->events(&s));
	if (unit->about)
		table_init(&s.report.about, unit->about(&s));

	status = prepare(&s);
	if (!status)
		status = start(&s);
	if (!status)
		status = run(&s);
	return finish(&s, status);
}
