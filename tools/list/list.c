// SPDX-License-Identifier: GPL-2.0-only
/* What can be traced here? */
#include "events/listing.h"
#include "options.h"
#include "say.h"

/* The kernel's own bound for pids (PID_MAX_LIMIT). */
#define MOST_PIDS (4 << 20)

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
		"EVENT is what other units take behind -e; in names * ? [ match, unless these are in quotes:\n"
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

/*
 * All tracepoints and what is counted. What cannot be had, such as tracepoints without privilege, has
 * been told then; the rest is there all the same.
 */
static int list_usual(struct listing *l)
{
	static const char *const usual[] = { "*:*", "*" };
	int status = EXIT_DONE;
	size_t i;

	for (i = 0; i < sizeof(usual) / sizeof(*usual); i++)
		status = listing_add(l, usual[i]) ?: status;
	return l->events.count && status == EXIT_CANNOT ? EXIT_DONE : status;
}

static int fill(struct listing *l, const struct settings *settings)
{
	unsigned int i;
	int status = EXIT_DONE;

	for (i = 0; i < settings->argument_count && !status; i++)
		status = listing_add(l, settings->arguments[i]);
	return settings->argument_count ? status : list_usual(l);
}

int main(int argc, char **argv)
{
	struct settings settings;
	struct listing listing = { .tool = synopsis.name };
	int status = options_parse(&synopsis, argc, argv, &settings);

	if (status >= 0)
		return status;
	listing.pid = pid;
	listing.fields = all_fields;
	return listing_run(&listing, &settings, fill);
}
