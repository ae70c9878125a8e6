// SPDX-License-Identifier: GPL-2.0-only
/* What can be traced here? */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include "json.h"
#include "list.h"
#include "options.h"
#include "report.h"
#include "say.h"

/* The kernel's own bound for pids (PID_MAX_LIMIT). */
#define MOST_PIDS (4 << 20)

/* Longer names are beside their column. */
#define MOST_WIDTH 48

static uint64_t pid;
static bool all_fields;

static const struct option_entry options[] = {
	{ "pid", 'p', OPTION_COUNT, "PID",
	  "uprobe: and usdt: are about what this process has mapped", .value = &pid, .least = 1,
	  .most = MOST_PIDS },
	{ "fields", 0, OPTION_FLAG, NULL, "fields, types and an example of each event, of many too",
	  .value = &all_fields },
	{},
};

static const struct synopsis synopsis = {
	.name = "list",
	.summary = "What can be traced here?",
	.description =
		"EVENT is what other units take behind -e; in names * ? [ match:\n"
		"\n"
		"  sys:name                           tracepoints\n"
		"  kprobe:FUNC kretprobe:FUNC         kernel functions with their arguments\n"
		"  fentry:FUNC fexit:FUNC             the same; each takes less time\n"
		"  uprobe:FUNC@\"FILE\" uretprobe:...   functions of programs and libraries\n"
		"  usdt:FILE[:provider:name]          probes that these were built with; FILE may be a PID\n"
		"  cycles page-faults cpu-clock ...   what the CPU and the kernel count\n"
		"\n"
		"Without any, all tracepoints and what is counted. An event that is named in full is shown\n"
		"with its fields, their types, what expressions make of these, and an example that can be\n"
		"run as it is. Filters and attributes may follow the name, as behind -e: whether they can be\n"
		"compiled is found out, and nothing is traced.",
	.examples = "  list 'block:*'                     tracepoints of the block layer\n"
		    "  list sched:sched_switch            ... the fields of one\n"
		    "  list 'sched:sched_switch/prev_comm~\"ng*\"/'   would this filter do?\n"
		    "  list 'kprobe:tcp_*'                kernel functions\n"
		    "  list 'uprobe:*alloc*@\"libc.so.6\"'  functions of a library\n"
		    "  list usdt:/usr/lib/libc.so.6       probes in it",
	.arguments = "[EVENT...]",
	.takes = TAKES_OUTPUT | TAKES_ARGUMENTS,
	.options = options,
};

struct run {
	struct output out;
	bool json;
	size_t rows;
	struct event_list events;
};

static bool is_wild(const struct spec *spec)
{
	return spec_is_wild(spec->name) || spec_is_wild(spec->system) ||
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

static int show(struct run *run, struct event *event, bool fields, int width)
{
	int err = fields ? event_read_fields(event) : 0;

	if (err)
		return cannot_read(event, err);
	if (run->json) {
		fputs(run->rows ? "," : "", run->out.file);
		print_json(run->out.file, event, fields);
	} else if (fields) {
		fputs(run->rows ? "\n" : "", run->out.file);
		print_all(run->out.file, event);
	} else {
		print_line(run->out.file, event, width);
	}
	run->rows++;
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
static int list_one(struct run *run, const struct spec *spec)
{
	bool fields = all_fields || !is_wild(spec);
	size_t i, first = run->events.count;
	struct event_error error;
	int status = 0, width;

	if (events_find(spec, pid, &run->events, &error)) {
		say_error("%s", error.what);
		return error.status;
	}
	width = width_of(&run->events, first);
	for (i = first; i < run->events.count && !status; i++)
		status = check_expressions(&run->events.events[i], spec);
	for (i = first; i < run->events.count && !status; i++)
		status = show(run, &run->events.events[i], fields, width);
	return status;
}

static int list_events(struct run *run, const char *text)
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
		status = list_one(run, &list.specs[i]);
	spec_list_free(&list);
	return status;
}

static int list_all(struct run *run, const struct settings *settings)
{
	unsigned int i;
	int status = 0;

	if (run->json)
		json_begin_rows(run->out.file, synopsis.name);
	for (i = 0; i < settings->argument_count && !status; i++)
		status = list_events(run, settings->arguments[i]);
	if (!settings->argument_count)
		status = list_events(run, "*:*,*");
	if (run->json)
		json_end_rows(run->out.file);
	return status;
}

static int run_to_end(struct run *run, const struct settings *settings)
{
	int status, err;

	err = output_open(&run->out, settings->output);
	if (err) {
		say_error("cannot write to %s: %s", settings->output, strerror(-err));
		return EXIT_FAILED;
	}
	status = list_all(run, settings);
	/* What there is of a JSON object that has no end stays here, and what is in a file there. */
	if (status && (run->json || settings->output))
		rewind(run->out.file);
	else
		output_begin(&run->out);
	err = output_close(&run->out);
	if (!err || err == -EPIPE) /* nobody is interested any more */
		return status;
	say_error("cannot write to %s: %s", settings->output ?: "standard output", strerror(-err));
	return EXIT_FAILED;
}

int main(int argc, char **argv)
{
	struct settings settings;
	struct run run = {};
	int status = options_parse(&synopsis, argc, argv, &settings);

	if (status >= 0)
		return status;
	signal(SIGPIPE, SIG_IGN);
	run.json = settings.json;
	status = run_to_end(&run, &settings);
	events_free(&run.events);
	return status;
}
