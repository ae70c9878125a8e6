// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
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
#include "heatmap.h"
#include "kernel.h"
#include "lost.h"
#include "quantity.h"
#include "say.h"
#include "tasks.h"
#include "unit.h"

/* How often the heat map takes a column at first, and how often the unit looks after itself. */
#define HEATMAP_STEP (100 * NSEC_PER_MSEC)
#define CHORE_STEP   NSEC_PER_SEC

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

/* What has been lost in the running span. */
static int lost_in_span(struct session *s, uint64_t counts[LOST_REASONS])
{
	int err = lost_read(s->obj, counts), why;

	counts[LOST_BUFFER] += s->events_dropped;
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
 * Makes a report of the running span. With @take the span ends with it, and the next one begins;
 * else it goes on as if nothing had been shown. Returns 0 or a negative errno: of the kernel's, or
 * what @output_err gets, of the output's.
 */
static int make_report(struct session *s, bool take, int *output_err)
{
	unsigned int half = s->control->span & 1;
	uint64_t now = monotonic_now();
	struct report *r = &s->report;
	int err, why;

	if (take) {
		s->control->span++;
		kernel_wait_for_programs();
	}
	if (s->events)
		*output_err = take_events(s, !s->control->observing);
	r->time = wall_of(now);
	r->elapsed_ns = now - s->span_since;
	err = s->unit->report(s, half, &r->rows);
	if (!err)
		err = lost_in_span(s, r->lost);
	if (!err && take && s->heatmap)
		err = add_heat(s, half, now);
	if (!err) {
		s->renderer->report(&s->out, r);
		*output_err = output_flush(&s->out);
		if (!*output_err)
			lost_tell(r->lost, s->unit->map_full_help);
	}
	table_clear(&r->rows);
	if (err || !take)
		return err;

	table_clear(&r->events);
	for (why = 0; why < LOST_REASONS; why++)
		s->lost_before[why] += r->lost[why];
	s->span_since = now;
	memset(&s->heat_before, 0, sizeof(s->heat_before));
	return s->unit->empty(s, half);
}

/* Where tasks without a slot had events, gives them one. */
static void do_chores(struct session *s)
{
	uint64_t counts[LOST_REASONS];

	if (lost_read(s->obj, counts) || counts[LOST_UNKNOWN_TASK] == s->unknown_tasks)
		return;
	s->unknown_tasks = counts[LOST_UNKNOWN_TASK];
	tasks_walk(s->obj);
}

enum wake {
	WAKE_SIGNAL,
	WAKE_EVENTS,
	WAKE_COMMAND,
	WAKE_INTERVAL,
	WAKE_END,
	WAKE_HEAT,
	WAKE_CHORES,
	WAKES
};

static int watch(int epoll, int fd, enum wake what)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = what };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
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

	if (!err && s->events)
		err = watch(epoll, ring_buffer__epoll_fd(s->events), WAKE_EVENTS);
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
	case WAKE_INTERVAL:
		return ends_soon(s) ? 0 : make_report(s, true, output_err);
	case WAKE_END:
		s->stop = true;
		return 0;
	case WAKE_HEAT:
		return add_heat(s, s->control->span & 1, monotonic_now());
	case WAKE_CHORES:
		do_chores(s);
		return 0;
	default:
		return 0;
	}
}

/* Observes until told to stop. Returns a negative errno, the output's in @output_err. */
static int observe(struct session *s, int *output_err)
{
	int timers[WAKES], epoll = epoll_create1(EPOLL_CLOEXEC), err, i, n;
	struct epoll_event ready[WAKES];

	for (i = 0; i < WAKES; i++)
		timers[i] = -1;
	err = epoll < 0 ? -errno : watch_all(s, epoll, timers);
	while (!err && !*output_err && !s->stop && !stop_signals) {
		n = epoll_wait(epoll, ready, WAKES, -1);
		if (n < 0 && errno != EINTR)
			err = -errno;
		for (i = 0; i < n && !err && !*output_err; i++)
			err = handle(s, ready[i].data.u32, timers[ready[i].data.u32], output_err);
		if (report_asked && !err && !*output_err) {
			report_asked = 0;
			err = make_report(s, false, output_err);
		}
	}
	for (i = 0; i < WAKES; i++) {
		if (timers[i] >= 0)
			close(timers[i]);
	}
	if (epoll >= 0)
		close(epoll);
	return err;
}

/* Opens @path with @suffix behind it for a picture; NULL after having told why not. */
static FILE *open_picture(const char *path, const char *suffix, const char *mode)
{
	char name[4096];
	FILE *file;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	file = fopen(name, mode);
	if (!file)
		say_error("cannot write %s: %s", name, strerror(errno));
	return file;
}

static int write_heatmap(struct session *s)
{
	static const struct {
		const char *suffix;
		int (*write)(struct heatmap *hm, FILE *file);
	} forms[] = { { ".lat", heatmap_write_lat }, { ".svg", heatmap_write_svg } };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		FILE *file = open_picture(s->settings.heatmap, forms[i].suffix, "we");
		int err;

		if (!file)
			return EXIT_FAILED;
		err = forms[i].write(s->heatmap, file);
		if (fclose(file) && !err)
			err = -errno;
		if (err) {
			say_error("cannot write %s%s: %s", s->settings.heatmap, forms[i].suffix,
				  strerror(-err));
			return EXIT_FAILED;
		}
	}
	return EXIT_DONE;
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
	FILE *lat = open_picture(s->settings.heatmap, ".lat", "ae");
	FILE *svg = lat ? open_picture(s->settings.heatmap, ".svg", "ae") : NULL;

	if (lat)
		fclose(lat);
	if (svg)
		fclose(svg);
	if (!svg)
		return EXIT_FAILED;
	s->heatmap = heatmap_new(&options);
	if (!s->heatmap) {
		say_error("out of memory for the heat map");
		return EXIT_FAILED;
	}
	return EXIT_DONE;
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

/*
 * With BPF_PROF_VERIFIER=stats in the environment, the verifier's statistics for each program go to
 * stderr: tests see by them how far programs are from its limits.
 */
#define STATS_LEVEL 4
#define STATS_SIZE  1024

static bool wants_verifier_stats(void)
{
	const char *wish = getenv("BPF_PROF_VERIFIER");

	return wish && !strcmp(wish, "stats");
}

static void ask_verifier(struct bpf_object *obj)
{
	struct bpf_program *prog;

	if (!wants_verifier_stats())
		return;
	bpf_object__for_each_program(prog, obj)
	{
		bpf_program__set_log_level(prog, STATS_LEVEL);
		bpf_program__set_log_buf(prog, calloc(1, STATS_SIZE), STATS_SIZE);
	}
}

static void tell_verified(struct bpf_object *obj)
{
	struct bpf_program *prog;
	size_t size;
	char *log;

	if (!wants_verifier_stats())
		return;
	bpf_object__for_each_program(prog, obj)
	{
		log = (char *)bpf_program__log_buf(prog, &size);
		if (bpf_program__fd(prog) >= 0 && log)
			fprintf(stderr, "verified %s: %.*s", bpf_program__name(prog), (int)size,
				log);
		bpf_program__set_log_buf(prog, NULL, 0);
		free(log);
	}
}

/* Opens, configures, loads and attaches the programs. Returns an exit status. */
static int start(struct session *s)
{
	const struct unit *unit = s->unit;
	struct bpf_program *walk;
	struct bpf_map *events;
	int err, status;

	err = unit->open(s);
	if (err)
		return refused("open", err);
	status = targets_configure(&s->settings.targets, s->command.pid, s->config);
	if (status)
		return status;
	s->config->than = s->settings.than_ns;
	s->config->events = s->settings.than;
	err = targets_size(s->config, s->obj);
	if (!err)
		err = tasks_configure(s->obj, s->config);
	walk = bpf_object__find_program_by_name(s->obj, "task_walk");
	if (walk)
		bpf_program__set_autoattach(walk, false);
	ask_verifier(s->obj);
	if (!err)
		err = bpf_object__load_skeleton(s->skeleton);
	tell_verified(s->obj);
	if (err)
		return refused("load", err);

	err = targets_fill(&s->settings.targets, s->command.pid, s->config, s->obj);
	if (!err)
		err = kernel_wait_setup();
	if (!err && s->settings.than) {
		events = bpf_object__find_map_by_name(s->obj, "events");
		s->events = ring_buffer__new(bpf_map__fd(events), on_event, s, NULL);
		err = s->events ? 0 : -errno;
	}
	if (err)
		return refused("set up maps for", err);
	err = bpf_object__attach_skeleton(s->skeleton);
	if (!err)
		err = tasks_walk(s->obj);
	return err ? refused("attach", err) : EXIT_DONE;
}

/* Runs what has been started, up to and with the final report. Returns an exit status. */
static int run(struct session *s)
{
	const struct settings *set = &s->settings;
	int err = 0, output_err = 0;

	targets_hint(&set->targets, s->config);
	if (isatty(STDERR_FILENO) && !set->interval_ns && !set->duration_ns && !set->command)
		say_note("observing until Ctrl-C");
	output_begin(&s->out);
	s->observed_since = s->span_since = monotonic_now();
	s->control->observing = true;
	say_detail("observing");
	if (set->command) {
		err = command_start(&s->command);
		if (err) {
			say_error("cannot run %s: %s", set->command[0], strerror(-err));
			return EXIT_FAILED;
		}
	}
	err = observe(s, &output_err);
	s->control->observing = false;
	if (!err && !output_err)
		err = make_report(s, true, &output_err);
	if (err) {
		say_error("cannot read the maps: %s", strerror(-err));
		return EXIT_FAILED;
	}
	if (output_err)
		return output_failed(s, output_err);
	return s->heatmap ? write_heatmap(s) : EXIT_DONE;
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
	table_free(&s->report.rows);
	if (s->report.events.layout)
		table_free(&s->report.events);
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
	status = options_parse(&unit->synopsis, argc, argv, &s.settings);

	if (status >= 0)
		return fflush(stdout) ? EXIT_FAILED : status;
	libbpf_set_print(on_libbpf);
	s.report.tool = unit->synopsis.name;
	table_init(&s.report.rows, unit->rows(&s));
	if (unit->events)
		table_init(&s.report.events, unit->events(&s));

	status = prepare(&s);
	if (!status)
		status = start(&s);
	if (!status)
		status = run(&s);
	return finish(&s, status);
}
