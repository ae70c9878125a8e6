// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "events/listing.h"
#include "events/show.h"
#include "json.h"
#include "say.h"

/* Longer names are beside their column. */
#define MOST_WIDTH 48

static bool is_wild(const struct spec *spec)
{
	return spec_name_is_wild(spec) || spec_system_is_wild(spec) ||
	       (spec->kind == SPEC_USDT && !spec->name);
}

static int width_of(const struct event_list *events, size_t first)
{
	int width = 0, length;
	size_t i;

	for (i = first; i < events->count; i++) {
		length = strlen(events->events[i].name);
		if (length > width && length <= MOST_WIDTH)
			width = length;
	}
	return width;
}

static int cannot_read(const struct event *event, int err)
{
	say_error("cannot read what %s has: %s", event->name, strerror(-err));
	return EXIT_FAILED;
}

static int show(struct listing *l, struct event *event, bool fields, int width)
{
	int err = fields ? event_read_fields(event) : 0;

	if (err)
		return cannot_read(event, err);
	if (l->json) {
		fputs(l->events.events != event ? "," : "", l->out.file);
		event_print_json(l->out.file, event, fields);
	} else if (fields) {
		fputs(l->events.events != event ? "\n" : "", l->out.file);
		event_print_all(l->out.file, event);
	} else {
		event_print_line(l->out.file, event, width);
	}
	return 0;
}

/*
 * Would the expression @text, NULL: none, do for @event? Returns 0 or, having told, an exit status.
 */
static int check_expression(const struct event *event, const char *text, enum expr_want want)
{
	struct expr_scope scope = event_scope(event);
	struct expr_error error;
	struct expr_code code;
	struct expr *e;
	int err;

	if (!text)
		return 0;
	e = expr_parse(text, &scope, want, &error);
	err = e ? expr_emit(e, &code, &error) : -EINVAL;
	if (err)
		expr_say_error(text, &scope, &error);
	expr_free(e);
	return err ? EXIT_USAGE : 0;
}

/* The same of all expressions that @spec has. */
static int check_expressions(struct event *event, const struct spec *spec)
{
	int status = 0, err = 0;
	unsigned int i;

	if (spec->filter || spec->attr_count)
		err = event_read_fields(event);
	if (err)
		return cannot_read(event, err);
	status = check_expression(event, spec->filter, EXPR_WANT_NUMBER);
	for (i = 0; i < spec->attr_count && !status; i++) {
		if (spec_attr_is_expression(spec->attrs[i].id))
			status = check_expression(event, spec->attrs[i].value, EXPR_WANT_ANY);
	}
	return status;
}

/* Shows what there is of @spec. Returns 0 or an exit status. */
static int list_one(struct listing *l, const struct spec *spec)
{
	bool fields = l->fields || !is_wild(spec);
	size_t i, first = l->events.count;
	struct event_error error;
	int status = 0, width;

	if (events_find(spec, l->pid, &l->events, &error)) {
		say_error("%s", error.what);
		return error.status;
	}
	width = width_of(&l->events, first);
	for (i = first; i < l->events.count && !status; i++)
		status = check_expressions(&l->events.events[i], spec);
	for (i = first; i < l->events.count && !status; i++)
		status = show(l, &l->events.events[i], fields, width);
	return status;
}

int listing_add(struct listing *l, const char *text)
{
	struct spec_error error;
	struct spec_list list;
	unsigned int i;
	int status = 0;

	if (spec_parse(text, &list, &error)) {
		spec_say_error(text, &error);
		return EXIT_USAGE;
	}
	for (i = 0; i < list.count && !status; i++)
		status = list_one(l, &list.specs[i]);
	spec_list_free(&list);
	return status;
}

static int fill_all(struct listing *l, const struct settings *settings,
		    int (*fill)(struct listing *l, const struct settings *settings))
{
	int status;

	if (l->json)
		json_begin_rows(l->out.file, l->tool);
	status = fill(l, settings);
	if (l->json)
		json_end_rows(l->out.file);
	return status;
}

int listing_run(struct listing *l, const struct settings *settings,
		int (*fill)(struct listing *l, const struct settings *settings))
{
	int status, err;

	signal(SIGPIPE, SIG_IGN);
	l->json = settings->json;
	err = output_open(&l->out, settings->output);
	if (err) {
		say_error("cannot write to %s: %s", settings->output, strerror(-err));
		return EXIT_FAILED;
	}
	status = fill_all(l, settings, fill);
	/* What there is of a JSON object that has no end stays here, and what is in a file there. */
	if (status && (l->json || settings->output))
		rewind(l->out.file);
	else
		output_begin(&l->out);
	err = output_close(&l->out);
	events_free(&l->events);
	if (!err || err == -EPIPE) /* nobody is interested any more */
		return status;
	say_error("cannot write to %s: %s", settings->output ?: "standard output", strerror(-err));
	return EXIT_FAILED;
}
