// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "options.h"
#include "quantity.h"
#include "say.h"
#include "version.h"

/* Long options that have no letter, and end the run, get these for getopt. */
enum {
	SHOW_USAGE = 256,
	FIRST_ENTRY
};

#define MOST_OPTIONS 64

/* No run is longer than this; clocks may be added to it. */
#define MOST_TIME (UINT64_MAX / 4)

/* An interval shorter than this would only measure its own reports. */
#define LEAST_INTERVAL (10 * NSEC_PER_MSEC)

static struct settings set = {
	.kernel_callchain = true,
	.user_callchain = true,
	.max_stack = MAX_STACK,
};

static const struct option_entry common[] = {
	{ "pid", 'p', OPTION_CHECKED, "PID[,PID...]",
	  "only these processes: all their threads, also those they create",
	  .value = &set.targets.pids, .check = check_ids, .takes = TAKES_TARGETS },
	{ "tid", 't', OPTION_CHECKED, "TID[,TID...]", "only these threads",
	  .value = &set.targets.tids, .check = check_ids, .takes = TAKES_TARGETS },
	{ "cpus", 'C', OPTION_CHECKED, "LIST", "only these CPUs: 0-3,5", .value = &set.targets.cpus,
	  .check = check_cpus, .takes = TAKES_TARGETS },
	{ "comm", 0, OPTION_CHECKED, "GLOB[,GLOB...]", "only threads whose name matches",
	  .value = &set.targets.comm, .check = check_comm, .takes = TAKES_TARGETS },
	{ "cgroup", 0, OPTION_STRING, "PATH",
	  "only tasks in this cgroup (v2; its path or the end of it) and below",
	  .value = &set.targets.cgroup, .takes = TAKES_TARGETS },
	{ "interval", 'i', OPTION_TIME, "TIME", "report every TIME (bare numbers: ms)",
	  .value = &set.interval_ns, .least = LEAST_INTERVAL, .bare = NSEC_PER_MSEC,
	  .takes = TAKES_INTERVAL },
	{ "duration", 0, OPTION_TIME, "TIME", "stop after TIME (bare numbers: ms)",
	  .value = &set.duration_ns, .least = 1, .bare = NSEC_PER_MSEC, .takes = TAKES_DURATION },
	{ "than", 0, OPTION_TIME, "TIME", "show single events longer than TIME (bare numbers: ns)",
	  .value = &set.than_ns, .given = &set.than, .bare = 1, .takes = TAKES_EVENTS },
	{ "exit-N", 'N', OPTION_COUNT, "N", "stop after N single events", .value = &set.most_events,
	  .least = 1, .takes = TAKES_EVENTS },
	{ "heatmap", 0, OPTION_STRING, "FILE", "write FILE.lat and FILE.svg: latencies over time",
	  .value = &set.heatmap, .takes = TAKES_HEATMAP },
	{ "perins", 0, OPTION_FLAG, NULL, "a row for each thread instead of one in all",
	  .value = &set.perins, .takes = TAKES_PERINS },
	{ "call-graph", 'g', OPTION_FLAG, NULL, "capture stacks", .value = &set.call_graph,
	  .takes = TAKES_STACKS },
	{ "user-callchain", 0, OPTION_FLAG, NULL, "... with their user part",
	  .value = &set.user_callchain, .takes = TAKES_STACKS },
	{ "no-user-callchain", 0, OPTION_NOT, NULL, "... without it", .value = &set.user_callchain,
	  .takes = TAKES_STACKS },
	{ "kernel-callchain", 0, OPTION_FLAG, NULL,
	  "... with their kernel part (that is so anyway)", .value = &set.kernel_callchain,
	  .takes = TAKES_STACKS },
	{ "no-kernel-callchain", 0, OPTION_NOT, NULL, "... without it",
	  .value = &set.kernel_callchain, .takes = TAKES_STACKS },
	{ "max-stack", 0, OPTION_COUNT, "N", "... at most N frames of each part (127)",
	  .value = &set.max_stack, .least = 1, .most = MAX_STACK, .takes = TAKES_STACKS },
	{ "lines", 0, OPTION_FLAG, NULL,
	  "... with source lines and inlined functions, by debug information", .value = &set.lines,
	  .takes = TAKES_STACKS },
	{ "flame-graph", 0, OPTION_STRING, "FILE",
	  "write FILE.folded and FILE.svg: all stacks (and switch on -g)",
	  .value = &set.flame_graph, .takes = TAKES_STACKS },
	{ "reverse", 0, OPTION_FLAG, NULL, "... with its root on top (an icicle graph)",
	  .value = &set.reverse, .takes = TAKES_STACKS },
	{ "json", 0, OPTION_FLAG, NULL, "one JSON object per report, per line", .value = &set.json,
	  .takes = TAKES_OUTPUT },
	{ "output", 'o', OPTION_STRING, "FILE", "reports go to FILE", .value = &set.output,
	  .takes = TAKES_OUTPUT },
	{ "verbose", 'v', OPTION_FLAG, NULL, "tell how it goes about it", .value = &set.verbose },
	{ "quiet", 'q', OPTION_FLAG, NULL, "no notes on stderr, only errors", .value = &set.quiet },
	{},
};

/* The options that there are: the common ones that the unit takes, then its own. */
static unsigned int collect(const struct synopsis *unit, const struct option_entry **all)
{
	const struct option_entry *o;
	unsigned int n = 0;

	for (o = unit->options; o && o->name; o++)
		all[n++] = o;
	for (o = common; o->name; o++) {
		if (!o->takes || o->takes & unit->takes)
			all[n++] = o;
	}
	return n;
}

static void print_option(const struct option_entry *o)
{
	char names[64], letter[8] = "    ";

	if (o->letter)
		snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	snprintf(names, sizeof(names), "%s--%s%s%s", letter, o->name,
		 o->arg && o->kind != OPTION_EITHER ? " " : "", o->arg ? o->arg : "");
	printf("  %-29s %s%s\n", names,
	       strlen(names) > 29 ? "\n                                " : "", o->help);
}

/* What may stand behind the options. */
static const char *operands(const struct synopsis *unit)
{
	static char text[80];

	snprintf(text, sizeof(text), "%s%s%s", unit->takes & TAKES_ARGUMENTS ? " " : "",
		 unit->takes & TAKES_ARGUMENTS ? unit->arguments : "",
		 unit->takes & TAKES_BARE_COMMAND ? " [[--] CMD [ARG...]]"
		 : unit->takes & TAKES_COMMAND	  ? " [-- CMD [ARG...]]"
						  : "");
	return text;
}

static void print_help(const struct synopsis *unit, const struct option_entry **all,
		       unsigned int count)
{
	unsigned int i;

	printf("Usage: %s [OPTION...]%s\n\n%s\n\n%s\n\nOptions:\n", unit->name, operands(unit),
	       unit->summary, unit->description);
	for (i = 0; i < count; i++)
		print_option(all[i]);
	printf("  -V, --version                 print the version\n"
	       "  -h, --help                    print this\n"
	       "      --usage                   print the options in short\n");
	if (unit->takes & TAKES_COMMAND)
		printf("  -- CMD [ARG...]               run CMD, observe it and its children, stop when "
		       "it ends\n");
	if (unit->takes & (TAKES_INTERVAL | TAKES_DURATION))
		printf("\nTIME is a number with ns, us, ms, s or m (minutes). Filters of different kinds all\n"
		       "have to hold; -p and -t add to each other. Ctrl-C or SIGTERM ends with a complete\n"
		       "final report, a second one stops at once; SIGUSR1 prints a report now.\n");
	if (unit->examples)
		printf("\nExamples:\n%s\n", unit->examples);
	printf("\nExit status: 0 done, 1 failed while running, 2 bad usage, 4 this kernel, hardware or\n"
	       "privilege cannot do it");
	if (unit->takes & TAKES_COMMAND)
		printf("; with -- CMD, CMD's own when %s itself succeeded", unit->name);
	printf(".\n");
}

static void print_usage(const struct synopsis *unit, const struct option_entry **all,
			unsigned int count)
{
	int column = printf("Usage: %s", unit->name);
	char word[80];
	unsigned int i;

	for (i = 0; i < count; i++) {
		const struct option_entry *o = all[i];
		const char *arg = o->arg ? o->arg : "";

		if (o->letter)
			snprintf(word, sizeof(word), " [-%c%s%s]", o->letter, *arg ? " " : "", arg);
		else
			snprintf(word, sizeof(word), " [--%s%s%s]", o->name,
				 *arg && o->kind != OPTION_EITHER ? " " : "", arg);
		if (column + strlen(word) > 90)
			column = printf("\n          ") - 1;
		column += printf("%s", word);
	}
	printf(" [-V] [-h] [--usage]%s\n", operands(unit));
}

static bool bad_value(const struct option_entry *o, const char *text, const char *wanted)
{
	if (o->letter)
		say_error("'%s' will not do for -%c, --%s: %s", text, o->letter, o->name, wanted);
	else
		say_error("'%s' will not do for --%s: %s", text, o->name, wanted);
	return false;
}

/* Does the long option have a value, and may that be left out? */
static int argument_of(const struct option_entry *o)
{
	if (o->kind == OPTION_EITHER)
		return optional_argument;
	return o->arg ? required_argument : no_argument;
}

static bool take(const struct option_entry *o, const char *text)
{
	char least[QUANTITY_LEN], wanted[128];
	const char *wrong;
	uint64_t number;

	if (o->given)
		*o->given = true;
	switch (o->kind) {
	case OPTION_FLAG:
		*(bool *)o->value = true;
		return true;
	case OPTION_NOT:
		*(bool *)o->value = false;
		return true;
	case OPTION_EITHER:
		if (text && strcmp(text, "0") && strcmp(text, "1"))
			return bad_value(o, text, "is 0 or 1");
		*(enum wish *)o->value = text && *text == '0' ? WISH_NO : WISH_YES;
		return true;
	case OPTION_COUNT:
		if (parse_count(text, &number) || number < o->least ||
		    (o->most && number > o->most)) {
			snprintf(wanted, sizeof(wanted),
				 o->most ? "needs a whole number from %llu to %llu"
					 : "needs a whole number of at least %llu",
				 (unsigned long long)o->least, (unsigned long long)o->most);
			return bad_value(o, text, wanted);
		}
		*(uint64_t *)o->value = number;
		return true;
	case OPTION_TIME:
		if (parse_time(text, o->bare, &number))
			return bad_value(o, text, "needs a time such as 250us, 10ms, 1.5s or 2m");
		if (number > MOST_TIME)
			return bad_value(o, text, "is longer than anybody will wait");
		if (number < o->least) {
			snprintf(wanted, sizeof(wanted), "needs at least %s",
				 format_bound(least, o->least));
			return bad_value(o, text, wanted);
		}
		*(uint64_t *)o->value = number;
		return true;
	case OPTION_SIZE:
		if (parse_size(text, &number) || number < o->least)
			return bad_value(o, text, "needs a size such as 100, 4k or 1.5M");
		*(uint64_t *)o->value = number;
		return true;
	case OPTION_REPEATED:
		wrong = o->check(text);
		if (wrong)
			say_error_lines(wrong);
		return !wrong;
	case OPTION_STRING:
	case OPTION_CHECKED:
		wrong = !*text	   ? "needs a value that is not empty"
			: o->check ? o->check(text)
				   : NULL;
		if (wrong)
			return bad_value(o, text, wrong);
		if (*(const char **)o->value)
			return bad_value(o, text,
					 "is there twice; a list has commas between its words");
		*(const char **)o->value = text;
		return true;
	}
	return false;
}

/* What cannot go together, or NULL. */
static const char *conflict(const struct synopsis *unit)
{
	if (unit->takes & TAKES_EVENTS && set.most_events && !set.than)
		return "-N counts single events: it needs --than";
	if (set.reverse && !set.flame_graph)
		return "--reverse turns the picture around: it needs --flame-graph";
	if (unit->takes & TAKES_STACKS && !set.kernel_callchain && !set.user_callchain)
		return "without either part there are no stacks";
	if (set.verbose && set.quiet)
		return "-v and -q contradict each other";
	set.command_is_timer = unit->timed_by_command && set.command &&
			       (set.targets.pids || set.targets.tids);
	if (set.command && !set.command_is_timer && (set.targets.pids || set.targets.tids))
		return "-p and -t observe what runs already, -- CMD a new command: choose one";
	return unit->check ? unit->check(&set) : NULL;
}

static int refuse(const struct synopsis *unit, const char *what, const char *option)
{
	say_error("%s '%s'; see %s --help", what, option, unit->name);
	return EXIT_USAGE;
}

int options_parse(const struct synopsis *unit, int argc, char **argv, struct settings *settings)
{
	const struct option_entry *all[MOST_OPTIONS];
	struct option longs[MOST_OPTIONS + 4] = {};
	char letters[3 * MOST_OPTIONS] = "-:", *to = letters + 2, letter[3] = "-?";
	unsigned int count = collect(unit, all), i;
	const char *wrong;
	int c, before = 1;

	say_setup(unit->name, false, false);
	set.user_callchain = !unit->kernel_stacks;
	/* With '-', getopt gives other words as if they were values of an option 1. */
	if (unit->takes & TAKES_ARGUMENTS)
		set.arguments = argv + 1;
	else
		*letters = '+';
	*to++ = 'h';
	*to++ = 'V';
	for (i = 0; i < count; i++) {
		longs[i].name = all[i]->name;
		longs[i].has_arg = argument_of(all[i]);
		longs[i].val = FIRST_ENTRY + i;
		if (!all[i]->letter)
			continue;
		*to++ = all[i]->letter;
		if (all[i]->arg)
			*to++ = ':';
	}
	*to = 0;
	longs[i++] = (struct option){ "help", no_argument, NULL, 'h' };
	longs[i++] = (struct option){ "version", no_argument, NULL, 'V' };
	longs[i++] = (struct option){ "usage", no_argument, NULL, SHOW_USAGE };

	opterr = 0;
	/* Where a word is looked for: a `--` that is an option's value separates nothing. */
	while (before = optind, (c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		letter[1] = optopt;
		switch (c) {
		case 1:
			/* getopt is behind this place already. */
			set.arguments[set.argument_count++] = optarg;
			continue;
		case 'h':
			print_help(unit, all, count);
			return EXIT_DONE;
		case 'V':
			printf("%s %s\n", unit->name, VERSION);
			return EXIT_DONE;
		case SHOW_USAGE:
			print_usage(unit, all, count);
			return EXIT_DONE;
		case '?':
			/* A long option that there is, with a value that it does not take. */
			if (optopt >= FIRST_ENTRY || optopt == SHOW_USAGE ||
			    (optopt && !strncmp(argv[optind - 1], "--", 2)))
				return refuse(unit, "no value is taken by", argv[optind - 1]);
			return refuse(unit, "unknown or ambiguous option",
				      optopt && optopt < 256 ? letter : argv[optind - 1]);
		case ':':
			return refuse(unit, "a value is missing behind",
				      optopt >= FIRST_ENTRY ? argv[optind - 1] : letter);
		}
		for (i = 0; i < count; i++) {
			if (c == all[i]->letter || c == (int)(FIRST_ENTRY + i))
				break;
		}
		if (!take(all[i], optarg))
			return EXIT_USAGE;
	}
	if (unit->takes & TAKES_ARGUMENTS && !(unit->takes & TAKES_COMMAND)) {
		while (optind < argc)
			set.arguments[set.argument_count++] = argv[optind++];
	} else if (optind < argc) {
		bool separated = optind > before && !strcmp(argv[optind - 1], "--");

		if (!(unit->takes & TAKES_COMMAND) ||
		    !(separated || unit->takes & TAKES_BARE_COMMAND))
			return refuse(unit,
				      unit->takes & TAKES_COMMAND
					      ? "a command stands behind --; cannot take"
					      : "cannot take",
				      argv[optind]);
		set.command = argv + optind;
	} else if (optind > before && !strcmp(argv[argc - 1], "--")) {
		say_error("a command is missing behind --");
		return EXIT_USAGE;
	}
	if (set.arguments)
		set.arguments[set.argument_count] = NULL;
	if (set.flame_graph)
		set.call_graph = true;
	wrong = conflict(unit);
	if (wrong) {
		say_error("%s", wrong);
		return EXIT_USAGE;
	}
	say_setup(unit->name, set.verbose, set.quiet);
	*settings = set;
	return -1;
}
