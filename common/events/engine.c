// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "events/engine.h"
#include "events/kind.h"
#include "kernel.h"
#include "say.h"

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

/* Compiles @text over @event into @slot, or, if it is a string, into @text_slot. */
static int compile(struct engine_event *e, const char *text, enum slot slot, enum slot text_slot,
		   struct expr_type *type)
{
	struct expr_scope scope = event_scope(e->event);
	enum expr_want want = text_slot == SLOTS ? EXPR_WANT_NUMBER : EXPR_WANT_ANY;
	struct expr_error error;
	struct expr_code *code;
	struct expr *expr = expr_parse(text, &scope, want, &error);
	int err = -EINVAL;

	if (!expr)
		goto out;
	*type = expr_type(expr);
	if (!type->size)
		slot = text_slot;
	code = event_have(calloc(1, sizeof(*code)));
	err = expr_emit(expr, code, &error);
	free(e->codes[slot]);
	e->codes[slot] = code;
	e->slots.code[slot] = code;
out:
	expr_free(expr);
	if (err) {
		say_error("%s: cannot be compiled:", e->event->name);
		expr_say_error(text, &scope, &error);
	}
	return err;
}

/* The event before it has the same fields and so the same code? */
static bool borrow(struct engine_event *e, const struct engine_event *before)
{
	enum slot slot;

	if (before->spec != e->spec || !event_same_fields(before->event, e->event))
		return false;
	for (slot = 0; slot < SLOTS; slot++)
		e->slots.code[slot] = before->slots.code[slot];
	memcpy(e->types, before->types, sizeof(e->types));
	return true;
}

static int compile_all(struct engine_event *e, const struct engine_use *uses, size_t count)
{
	struct expr_type unused;
	int err = 0;
	size_t i;

	if (e->spec->filter)
		err = compile(e, e->spec->filter, SLOT_FILTER, SLOTS, &unused);
	for (i = 0; i < count && !err; i++) {
		const struct spec_attr *attr = spec_attr(e->spec, uses[i].attr, 0);
		const char *text = attr ? attr->value : uses[i].otherwise;

		if (text)
			err = compile(e, text, uses[i].number, uses[i].text,
				      &e->types[uses[i].attr]);
	}
	return err;
}

static int prepare(struct engine *engine, struct engine_event *e, const struct engine_use *uses,
		   size_t count)
{
	struct event_program program;
	int err = event_prepare(e->event, &program);

	if (err) {
		say_error("%s: %s%s", e->event->name, strerror(-err), kernel_missing(err));
		return err;
	}
	e->slots.type = program.type;
	e->slots.attach_type = program.attach_type;
	e->slots.btf_id = program.btf_id;
	e->slots.btf_fd = program.btf_fd;
	e->slots.value[SLOT_FILTER] = 1;
	e->slots.value[SLOT_EVENT] = e->number;
	if (e->number && borrow(e, &engine->events[e->number - 1]))
		return 0;
	return compile_all(e, uses, count);
}

int engine_find(struct engine *e, pid_t pid, const struct engine_use *uses, size_t count)
{
	struct event_error error;
	size_t at = 0, i, j;

	found = event_have(calloc(all.count, sizeof(*found)));
	for (i = 0; i < all.count; i++) {
		if (events_find(&all.specs[i], pid, &found[i], &error)) {
			say_error("%s", error.what);
			return error.status;
		}
		e->count += found[i].count;
	}
	e->events = event_have(calloc(e->count, sizeof(*e->events)));
	for (i = 0; i < all.count; i++) {
		for (j = 0; j < found[i].count; j++, at++) {
			struct engine_event *to = &e->events[at];
			int err = event_read_fields(&found[i].events[j]);

			to->spec = &all.specs[i];
			to->event = &found[i].events[j];
			to->number = at;
			if (err) {
				say_error("cannot read what %s has: %s%s", to->event->name,
					  strerror(-err), kernel_missing(err));
				return EXIT_CANNOT;
			}
			if (prepare(e, to, uses, count))
				return EXIT_USAGE;
		}
	}
	return EXIT_DONE;
}

int engine_attach(struct engine *e, const struct bpf_program *prog, pid_t pid)
{
	size_t i;
	int err;

	e->programs = event_have(calloc(e->count, sizeof(*e->programs)));
	for (i = 0; i < e->count; i++) {
		struct engine_event *event = &e->events[i];

		e->programs[i] = slots_load_copy(prog, &event->slots);
		err = e->programs[i] < 0
			      ? e->programs[i]
			      : event_attach(event->event, e->programs[i], pid, &e->links);
		if (err) {
			say_error("cannot attach to %s: %s%s", event->event->name, strerror(-err),
				  kernel_missing(err));
			return err == -EPERM || err == -EACCES ? EXIT_CANNOT : EXIT_FAILED;
		}
	}
	slots_free();
	return EXIT_DONE;
}

uint64_t engine_misses(const struct engine *e)
{
	uint64_t misses = 0;
	size_t i;

	for (i = 0; e->programs && i < e->count; i++) {
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);

		if (e->programs[i] > 0 && !bpf_obj_get_info_by_fd(e->programs[i], &info, &size))
			misses += info.recursion_misses;
	}
	return misses;
}

void engine_free(struct engine *e)
{
	size_t i;
	int slot;

	event_detach(&e->links);
	for (i = 0; i < e->count; i++) {
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
	memset(e, 0, sizeof(*e));
}
