// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "events/engine.h"
#include "events/kind.h"
#include "kernel.h"
#include "maps.h"
#include "say.h"

/* What is told of an expression; of more fields than that some are left out. */
#define MOST_ERROR 8192

/* In place of an event's program: another event's does it. */
#define SHARED_PROGRAM (-1)

/* All of -e, in the order given; the specs of a list stay where they are. */
static struct spec_list *lists;
static size_t list_count;

static struct spec_list all;
static struct event_list *found; /* of each spec */

const char *engine_add(const char *text)
{
	static char wrong[1024];
	struct spec_error error;
	struct spec_list list;
	unsigned int i;

	if (spec_parse(text, &list, &error)) {
		spec_describe_error(wrong, sizeof(wrong), text, &error);
		return wrong;
	}
	lists = event_have(realloc(lists, (list_count + 1) * sizeof(*lists)));
	lists[list_count++] = list;
	all.specs = event_have(realloc(all.specs, (all.count + list.count) * sizeof(*all.specs)));
	for (i = 0; i < list.count; i++)
		all.specs[all.count++] = list.specs[i];
	return NULL;
}

const struct spec_list *engine_specs(void)
{
	return &all;
}

static bool is_known(enum spec_attr_id id, const enum spec_attr_id *known, size_t count)
{
	size_t i;

	for (i = 0; i < count && known[i] != id; i++)
		;
	return i < count;
}

const char *engine_unknown_attribute(const enum spec_attr_id *known, size_t count)
{
	static char wrong[256];
	unsigned int i, j;

	for (i = 0; i < all.count; i++) {
		const struct spec *spec = &all.specs[i];

		for (j = 0; j < spec->attr_count; j++) {
			if (is_known(spec->attrs[j].id, known, count))
				continue;
			snprintf(wrong, sizeof(wrong), "%s: %s means nothing here", spec->text,
				 spec_attr_name(spec->attrs[j].id));
			return wrong;
		}
	}
	return NULL;
}

bool engine_some_tasks(const struct settings *settings)
{
	const struct targets *t = &settings->targets;

	return (settings->command && !settings->command_is_timer) || t->pids || t->tids ||
	       t->cpus || t->comm || t->cgroup;
}

int engine_setup(void)
{
	return slots_setup();
}

/* The only process that is observed, as long as it has no children, or 0. */
static pid_t only_pid(const struct settings *settings)
{
	const char *pids = settings->targets.pids;

	return pids && !settings->targets.tids && !strchr(pids, ',') ? atoi(pids) : 0;
}

int engine_compile(struct engine_event *e, const char *text, enum slot number, enum slot text_slot)
{
	struct expr_scope scope = event_scope(e->event);
	enum expr_want want = text_slot == SLOTS ? EXPR_WANT_NUMBER : EXPR_WANT_ANY;
	struct expr_error error = {};
	char wrong[MOST_ERROR];
	struct expr_code *code;
	struct expr *expr = expr_parse(text, &scope, want, &error);
	enum slot slot = number;
	int err = -EINVAL, used;

	if (!expr)
		goto out;
	if (!expr_type(expr).size)
		slot = text_slot;
	if (slot == SLOTS) {
		snprintf(error.what, sizeof(error.what), "it is a number, and a string is wanted");
		goto out;
	}
	e->types[slot] = expr_type(expr);
	code = event_have(calloc(1, sizeof(*code)));
	free(e->codes[slot]);
	e->codes[slot] = code;
	e->slots.code[slot] = code;
	err = slot == SLOT_FILTER ? expr_emit_filter(expr, code, &error)
				  : expr_emit(expr, code, &error);
out:
	expr_free(expr);
	if (!err)
		return EXIT_DONE;
	used = snprintf(wrong, sizeof(wrong) / 2, "%s: ", e->event->name);
	expr_describe_error(wrong + used, sizeof(wrong) - used, text, &scope, &error);
	say_error_lines(wrong);
	return EXIT_USAGE;
}

/* What the program of @e is to be. Returns an exit status. */
static int prepare(struct engine_event *e)
{
	struct event_program program = {};
	int err = event_prepare(e->event, &program);

	if (err) {
		say_error("%s: %s%s", e->event->name, strerror(-err), kernel_missing(err));
		return EXIT_CANNOT;
	}
	e->slots.type = program.type;
	e->slots.value[SLOT_PASSED_ON] = program.type == BPF_PROG_TYPE_TRACEPOINT ||
					 program.type == BPF_PROG_TYPE_KPROBE;
	e->slots.attach_type = program.attach_type;
	e->slots.btf_id = program.btf_id;
	e->slots.btf_fd = program.btf_fd;
	return EXIT_DONE;
}

static int compile(struct engine_event *e, int (*fill)(struct engine_event *event))
{
	int status = EXIT_DONE;

	e->slots.value[SLOT_FILTER] = 1;
	e->slots.value[SLOT_EVENT] = e->number;
	if (e->spec->filter)
		status = engine_compile(e, e->spec->filter, SLOT_FILTER, SLOTS);
	if (!status && fill)
		status = fill(e);
	return status;
}

/* The event @event of @spec becomes the one of @number. Returns an exit status. */
static int add(struct engine *engine, size_t number, const struct spec *spec, struct event *event,
	       int (*fill)(struct engine_event *event))
{
	struct engine_event *e = &engine->events[number];
	int err = event_read_fields(event), status;

	e->spec = spec;
	e->event = event;
	e->number = number;
	if (err) {
		say_error("cannot read what %s has: %s%s", event->name, strerror(-err),
			  kernel_missing(err));
		return EXIT_CANNOT;
	}
	status = prepare(e);
	return status ? status : compile(e, fill);
}

int engine_find(struct engine *e, const struct settings *settings,
		int (*fill)(struct engine_event *event))
{
	struct event_error error;
	size_t at = 0, i, j;
	int status;

	found = event_have(calloc(all.count, sizeof(*found)));
	for (i = 0; i < all.count; i++) {
		if (e->wanted && !e->wanted(&all.specs[i]))
			continue;
		if (events_find(&all.specs[i], only_pid(settings), &found[i], &error)) {
			say_error("%s", error.what);
			return error.status;
		}
		e->count += found[i].count;
	}
	e->events = event_have(calloc(e->count, sizeof(*e->events)));
	for (i = 0; i < all.count; i++) {
		for (j = 0; j < found[i].count; j++) {
			status = add(e, at++, &all.specs[i], &found[i].events[j], fill);
			if (status)
				return status;
		}
	}
	return EXIT_DONE;
}

/*
 * Tells that the kernel refused to @what @e; returns the exit status. The verifier says -EACCES too, of
 * a program that is wrong.
 */
static int refused(const struct engine_event *e, const char *what, int err)
{
	const char *help = kernel_missing(err);

	if (err == -EMFILE)
		help = " (each event takes two: raise ulimit -n)";
	say_error("cannot %s %s: %s%s", what, e->event->name, strerror(-err), help);
	return err == -EPERM || err == -EOPNOTSUPP ? EXIT_CANNOT : EXIT_FAILED;
}

/*
 * How often probes of @event were passed by. Returns false if that cannot be known; they count as 0.
 */
static bool passed_by(const struct engine *e, const struct engine_event *event, uint64_t *count)
{
	bool known = event->link_count == 0;
	uint64_t one;
	size_t i;
	int err;

	*count = 0;
	for (i = 0; i < event->link_count; i++) {
		err = event_missed(event->event, e->links.fds[event->first_link + i], &one);
		*count += err ? 0 : one;
		known |= !err;
	}
	return known;
}

static void warn_of_returns(const struct engine *e, const struct engine_event *event)
{
	uint64_t count;

	if (event->spec->kind == SPEC_KRETPROBE && !passed_by(e, event, &count))
		say_note("%s: returns may be missed, which this kernel does not tell, where many "
			 "calls sleep: fexit:%s has all",
			 event->event->name, event->event->function);
}

/* Tells that @e could not be attached; returns the exit status. */
static int cannot_attach(const struct engine_event *e, int err)
{
	if (err != -E2BIG)
		return refused(e, "attach to", err == -EACCES ? -EPERM : err);
	say_error(
		"cannot attach to %s: the kernel has room for 64 programs there, other tools' among "
		"them",
		e->event->name);
	return EXIT_FAILED;
}

/* Attaches a program of its own to event @i. Returns an exit status. */
static int attach_one(struct engine *e, size_t i, const struct bpf_program *prog, pid_t pid)
{
	struct engine_event *event = &e->events[i];
	int err;

	e->programs[i] = slots_load_copy(prog, &event->slots);
	if (e->programs[i] < 0)
		return refused(event, "load a program for", e->programs[i]);
	event->first_link = e->links.count;
	err = event_attach(event->event, e->programs[i], pid, &e->links);
	event->link_count = e->links.count - event->first_link;
	if (err)
		return cannot_attach(event, err);
	warn_of_returns(e, event);
	return EXIT_DONE;
}

static bool same_code(const struct expr_code *a, const struct expr_code *b)
{
	return a == b || (a && b && a->count == b->count &&
			  !memcmp(a->insn, b->insn, a->count * sizeof(*a->insn)));
}

/* Do the programs of both differ in the number of the event only? */
static bool same_program(const struct engine_event *a, const struct engine_event *b)
{
	int slot;

	if (a->event->kind != b->event->kind)
		return false;
	for (slot = 0; slot < SLOTS; slot++) {
		if (!same_code(a->slots.code[slot], b->slots.code[slot]) ||
		    (slot != SLOT_EVENT && a->slots.value[slot] != b->slots.value[slot]))
			return false;
	}
	return true;
}

/* Its event's number is what a program that is attached to many has as their cookie. */
static const struct expr_code number_by_cookie = {
	.insn = { { .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_attach_cookie } },
	.count = 1,
	.is_leaf = true,
};

/*
 * Attaches one program to event @first and all others whose programs are the same and that have none
 * yet. Nothing is told if that cannot be done: then they get their own. True: it could.
 */
static bool attach_alike(struct engine *e, size_t first, const struct bpf_program *prog)
{
	const struct event **alike = event_have(calloc(e->count, sizeof(*alike)));
	uint64_t *numbers = event_have(calloc(e->count, sizeof(*numbers)));
	struct filled_slots slots = e->events[first].slots;
	struct event_program program;
	size_t count = 0, i;
	int fd = -ENOENT;

	if (e->one_each || !event_prepare_many(e->events[first].event, &program))
		goto out;
	for (i = first; i < e->count; i++) {
		if (e->programs[i] || !event_prepare_many(e->events[i].event, &program) ||
		    !same_program(&e->events[first], &e->events[i]))
			continue;
		numbers[count] = e->events[i].number;
		alike[count++] = e->events[i].event;
	}
	if (count < 2)
		goto out;
	slots.attach_type = program.attach_type;
	slots.code[SLOT_EVENT] = &number_by_cookie;
	fd = slots_load_copy(prog, &slots);
	e->one_each = fd < 0;
	if (fd < 0)
		goto out;
	if (event_attach_many(alike, numbers, count, fd, &e->links)) {
		e->one_each = true;
		close(fd);
		fd = -ENOENT;
		goto out;
	}
	for (i = 0; i < count; i++)
		e->programs[numbers[i]] = SHARED_PROGRAM;
	e->programs[first] = fd;
	e->events[first].first_link = e->links.count - 1;
	e->events[first].link_count = 1;
	warn_of_returns(e, &e->events[first]);
out:
	free(alike);
	free(numbers);
	return fd >= 0;
}

/* Each event takes two files, and 1024 is the usual soft limit; the hard one is there to be used. */
static void allow_files(void)
{
	struct rlimit files;

	if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* Has the programs at perf events count their runs, where @obj has a map for that. */
static void count_runs(struct engine *e, const struct bpf_object *obj)
{
	size_t i;

	e->runs_fd = bpf_object__find_map_fd_by_name(obj, "perf_runs");
	for (i = 0; i < e->count && e->runs_fd >= 0; i++)
		e->events[i].slots.value[SLOT_RUNS] = event_is_counted(e->events[i].event);
}

int engine_attach(struct engine *e, const struct bpf_object *obj, const struct settings *settings)
{
	const struct bpf_program *prog = bpf_object__find_program_by_name(obj, "on_event");
	pid_t pid = only_pid(settings);
	int status = EXIT_DONE;
	size_t i;

	allow_files();
	count_runs(e, obj);
	e->programs = event_have(calloc(e->count, sizeof(*e->programs)));
	e->links.expected = e->count;
	for (i = 0; i < e->count && !status; i++) {
		if (!e->programs[i] && !attach_alike(e, i, prog))
			status = attach_one(e, i, prog, pid);
	}
	slots_free();
	return status;
}

static void add_runs(void *total, const void *one)
{
	*(uint64_t *)total += *(const __u64 *)one;
}

/* How often programs at perf events had to run and did not. Never less than before. */
static uint64_t not_run(struct engine *e)
{
	uint64_t due = 0, runs = 0;
	__u32 zero = 0;
	size_t i, j;

	/* What comes in between is not missing. */
	for (i = 0; i < e->count; i++) {
		const struct engine_event *event = &e->events[i];

		for (j = 0; event->slots.value[SLOT_RUNS] && j < event->link_count; j++)
			due += event_due(event->event, e->links.fds[event->first_link + j]);
	}
	if (due && !percpu_read(e->runs_fd, &zero, sizeof(__u64), add_runs, &runs) && due > runs &&
	    due - runs > e->not_run)
		e->not_run = due - runs;
	return e->not_run;
}

uint64_t engine_misses(struct engine *e)
{
	uint64_t misses = event_misses(&e->links), passed;
	size_t i;

	for (i = 0; e->programs && i < e->count; i++) {
		if (e->programs[i] > 0)
			misses += event_program_misses(e->programs[i]);
		passed_by(e, &e->events[i], &passed);
		misses += passed;
	}
	return e->programs && e->runs_fd > 0 ? misses + not_run(e) : misses;
}

void engine_free(struct engine *e)
{
	size_t i;
	int slot;

	event_detach(&e->links);
	for (i = 0; i < e->count && e->events; i++) {
		if (e->programs && e->programs[i] > 0)
			close(e->programs[i]);
		if (e->events[i].slots.btf_fd)
			close(e->events[i].slots.btf_fd);
		for (slot = 0; slot < SLOTS; slot++)
			free(e->events[i].codes[slot]);
	}
	free(e->events);
	free(e->programs);
	for (i = 0; found && i < all.count; i++)
		events_free(&found[i]);
	free(found);
	free(all.specs);
	for (i = 0; i < list_count; i++)
		spec_list_free(&lists[i]);
	free(lists);
	slots_free();
	memset(e, 0, sizeof(*e));
}
