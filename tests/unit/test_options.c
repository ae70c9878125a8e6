// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line. Each is parsed in a process of its own, because a parse leaves its marks; what
 * it found comes back through shared memory.
 */
#include "helpers.h"

#include <bpf/libbpf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "options.h"
#include "version.h"

#define MOST_ARGS 40

/* What a parse came to. Strings of @set are those of words, which stay where they are. */
struct result {
	int status; /* -1: go on */
	char *argv[MOST_ARGS + 2];
	struct settings set;
	char out[8192], err[2048];
	/* The unit's own options. */
	bool detail;
	uint64_t depth;
	const char *format;
	bool plain; /* true unless it is cleared */
	enum wish irqs;
	uint64_t percent, room;
	bool has_percent;
	char events[64];
};

static struct result *shared;

static const char *check_format(const char *text)
{
	return strcmp(text, "folded") && strcmp(text, "svg") ? "needs folded or svg" : NULL;
}

/* setup() says where values go. */
static struct option_entry own_options[] = {
	{ .name = "detail", .kind = OPTION_FLAG, .help = "what happened meanwhile" },
	{ .name = "depth",
	  .letter = 'd',
	  .kind = OPTION_COUNT,
	  .arg = "N",
	  .help = "frames of a stack",
	  .least = 2 },
	{ .name = "format",
	  .kind = OPTION_CHECKED,
	  .arg = "FORM",
	  .help = "how to write it",
	  .check = check_format },
	{},
};

/* Those of a unit that takes stacks; the same. */
static struct option_entry wish_options[] = {
	{ .name = "no-plain", .kind = OPTION_NOT, .help = "with everything" },
	{ .name = "irqs",
	  .kind = OPTION_EITHER,
	  .arg = "[=0|1]",
	  .help = "with interrupts off (0: on)" },
	{ .name = "percent",
	  .kind = OPTION_COUNT,
	  .arg = "PCT",
	  .help = "at least so many",
	  .least = 5,
	  .most = 100 },
	{ .name = "room",
	  .kind = OPTION_SIZE,
	  .arg = "SIZE",
	  .help = "not less than that",
	  .least = 16 },
	{},
};

#define TAKES_ALL                                                                         \
	(TAKES_TARGETS | TAKES_INTERVAL | TAKES_DURATION | TAKES_EVENTS | TAKES_HEATMAP | \
	 TAKES_PERINS | TAKES_OUTPUT | TAKES_COMMAND)

static const struct synopsis full = {
	.name = "fullunit",
	.summary = "What does it answer?",
	.description = "It answers exactly this.",
	.examples = "  fullunit -i 1s",
	.takes = TAKES_ALL,
	.options = own_options,
};

static const struct synopsis bare = {
	.name = "bareunit",
	.summary = "What does it answer?",
	.description = "Nothing.",
};

/* Takes other words too; and with a command behind those. */
static const struct synopsis worded = {
	.name = "wordedunit",
	.summary = "What does it answer?",
	.description = "It answers exactly this.",
	.arguments = "ADDR...",
	.takes = TAKES_OUTPUT | TAKES_ARGUMENTS,
	.options = own_options,
};

static const struct synopsis both = {
	.name = "bothunit",
	.summary = "What does it answer?",
	.description = "It answers exactly this.",
	.arguments = "[WORD...]",
	.takes = TAKES_ALL | TAKES_ARGUMENTS,
	.options = own_options,
};

/* Takes stacks, and asks for wishes. */
static const struct synopsis stacked = {
	.name = "stackedunit",
	.summary = "What does it answer?",
	.description = "It answers exactly this.",
	.takes = TAKES_OUTPUT | TAKES_COMMAND | TAKES_STACKS,
	.options = wish_options,
};

/* Cuts @line at its spaces, and takes '' for the empty word; parses it as @unit's. */
static const struct result *parse(const struct synopsis *unit, const char *line)
{
	/* Neither is freed: results point into them. */
	static char words[4096];
	static struct result result;
	int argc = 1, out, err, status;
	char *word, **argv = shared->argv;
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	shared->plain = true;
	snprintf(words, sizeof(words), "%s", line);
	argv[0] = (char *)unit->name;
	for (word = strtok(words, " "); word; word = strtok(NULL, " ")) {
		assert_true(argc <= MOST_ARGS);
		argv[argc++] = strcmp(word, "''") ? word : word + 2;
	}
	argv[argc] = NULL;

	out = memfd_create("out", 0);
	err = memfd_create("err", 0);
	assert_true(out >= 0 && err >= 0);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		dup2(out, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		shared->status = options_parse(unit, argc, argv, &shared->set);
		fflush(stdout);
		fflush(stderr);
		_exit(77);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 77)
		fail_msg("'%s' ends the parser with %#x", line, status);
	result = *shared;
	assert_true(pread(out, result.out, sizeof(result.out) - 1, 0) >= 0);
	assert_true(pread(err, result.err, sizeof(result.err) - 1, 0) >= 0);
	close(out);
	close(err);
	return &result;
}

/* It goes on, and says nothing. */
static const struct result *accept_line(const struct synopsis *unit, const char *line)
{
	const struct result *r = parse(unit, line);

	if (r->status != -1 || *r->err || *r->out)
		fail_msg("'%s' is not taken: %d, %s", line, r->status, r->err);
	return r;
}

/* It is bad usage, told in one line on stderr, in which @mentioned (unless NULL) occurs. */
static void refuse_line(const struct synopsis *unit, const char *line, const char *mentioned)
{
	const struct result *r = parse(unit, line);
	size_t name = strlen(unit->name);

	if (r->status != 2)
		fail_msg("'%s' gives status %d: %s", line, r->status, r->err);
	assert_string_equal(r->out, "");
	if (strncmp(r->err, unit->name, name) || strncmp(r->err + name, ": ", 2) ||
	    strchr(r->err, '\n') != r->err + strlen(r->err) - 1)
		fail_msg("'%s' is answered with: '%s'", line, r->err);
	if (mentioned && !strstr(r->err, mentioned))
		fail_msg("'%s' is answered without a word of %s: %s", line, mentioned, r->err);
}

static void nothing_at_all_is_fine(void **state)
{
	const struct result *r = accept_line(&full, "");
	const struct settings none = {
		.kernel_callchain = true,
		.user_callchain = true,
		.max_stack = MAX_STACK,
	};

	(void)state;
	assert_memory_equal(&r->set, &none, sizeof(none));
	accept_line(&bare, "");
}

static void every_option_gets_where_it_belongs(void **state)
{
	const struct result *r;

	(void)state;
	r = accept_line(&full, "--pid 12,13 --cpus 0 --comm nginx* --cgroup /a/b --interval 2s "
			       "--duration 1m --than 5ms --exit-N 7 --heatmap h --perins --json "
			       "--output o --verbose --detail --depth 9 --format svg");
	assert_string_equal(r->set.targets.pids, "12,13");
	assert_null(r->set.targets.tids);
	assert_string_equal(r->set.targets.cpus, "0");
	assert_string_equal(r->set.targets.comm, "nginx*");
	assert_string_equal(r->set.targets.cgroup, "/a/b");
	assert_int_equal(r->set.interval_ns, 2000000000);
	assert_int_equal(r->set.duration_ns, 60000000000);
	assert_true(r->set.than);
	assert_int_equal(r->set.than_ns, 5000000);
	assert_int_equal(r->set.most_events, 7);
	assert_string_equal(r->set.heatmap, "h");
	assert_true(r->set.perins && r->set.json && r->set.verbose);
	assert_false(r->set.quiet);
	assert_string_equal(r->set.output, "o");
	assert_null(r->set.command);
	assert_true(r->detail);
	assert_int_equal(r->depth, 9);
	assert_string_equal(r->format, "svg");

	r = accept_line(&full, "-p 12 -t 14 -C 0 -i 20 --than 5 -N 1 -o o -q -d 2");
	assert_string_equal(r->set.targets.pids, "12");
	assert_string_equal(r->set.targets.tids, "14");
	assert_string_equal(r->set.targets.cpus, "0");
	assert_int_equal(r->set.interval_ns, 20000000);
	assert_int_equal(r->set.than_ns, 5);
	assert_int_equal(r->set.most_events, 1);
	assert_string_equal(r->set.output, "o");
	assert_true(r->set.quiet);
	assert_false(r->set.verbose || r->set.json || r->set.perins || r->detail);
	assert_int_equal(r->depth, 2);
}

static void values_may_be_attached(void **state)
{
	const struct result *r;

	(void)state;
	r = accept_line(&full, "-i1s -p12 --output=x=y --than=3us -vd3");
	assert_int_equal(r->set.interval_ns, 1000000000);
	assert_string_equal(r->set.targets.pids, "12");
	assert_string_equal(r->set.output, "x=y");
	assert_int_equal(r->set.than_ns, 3000);
	assert_true(r->set.verbose);
	assert_int_equal(r->depth, 3);
}

static void the_last_of_several_values_counts(void **state)
{
	(void)state;
	assert_int_equal(accept_line(&full, "-i 1s -i 2s --interval 3s")->set.interval_ns,
			 3000000000);
}

static void beginnings_of_long_options_will_do_if_there_is_one_that_fits(void **state)
{
	(void)state;
	assert_int_equal(accept_line(&full, "--int 1s")->set.interval_ns, 1000000000);
	assert_int_equal(accept_line(&full, "--du=1s")->set.duration_ns, 1000000000);
	assert_true(accept_line(&full, "--per")->set.perins);
	refuse_line(&full, "--c 1", "--c");
	refuse_line(&full, "--p 1", "--p");
	refuse_line(&full, "--de", "--de");   /* detail, depth */
	refuse_line(&full, "--ver", "--ver"); /* verbose, version */
}

static void unknown_options_are_bad_usage(void **state)
{
	static const char *const lines[] = { "--nonsense", "--nonsense=1",   "-Z",     "-vZ",
					     "-x 1",	   "--intervall 1s", "--Pid 1" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		refuse_line(&full, lines[i], NULL);
	refuse_line(&full, "--nonsense", "'--nonsense'");
	refuse_line(&full, "-i 1s --nonsense -v", "'--nonsense'");
	refuse_line(&full, "-Z", "'-Z'");
	refuse_line(&full, "-vZ", "'-Z'");
}

static void a_unit_takes_what_it_takes_and_no_more(void **state)
{
	static const struct {
		unsigned int takes;
		const char *lines[6];
	} table[] = {
		{ TAKES_TARGETS, { "-p 1", "-t 1", "-C 0", "--comm x", "--cgroup x" } },
		{ TAKES_INTERVAL, { "-i 1s" } },
		{ TAKES_DURATION, { "--duration 1s" } },
		{ TAKES_EVENTS, { "--than 1ms", "--than 1ms -N 1" } },
		{ TAKES_HEATMAP, { "--heatmap x" } },
		{ TAKES_PERINS, { "--perins" } },
		{ TAKES_OUTPUT, { "--json", "-o x" } },
		{ TAKES_COMMAND, { "-- true" } },
		{ TAKES_STACKS, { "-g", "--max-stack 9", "--lines", "--flame-graph x" } },
		{ TAKES_STACKS,
		  { "--user-callchain", "--no-user-callchain", "--kernel-callchain",
		    "--no-kernel-callchain", "--flame-graph x --reverse" } },
	};
	struct synopsis one = bare;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		for (j = 0; table[i].lines[j]; j++) {
			one.takes = table[i].takes;
			accept_line(&one, table[i].lines[j]);
			one.takes = (TAKES_ALL | TAKES_STACKS) & ~table[i].takes;
			refuse_line(&one, table[i].lines[j], NULL);
			refuse_line(&bare, table[i].lines[j], NULL);
		}
	}
	assert_true(accept_line(&bare, "-v")->set.verbose);
	assert_true(accept_line(&bare, "-q")->set.quiet);
}

static void a_missing_value_is_bad_usage(void **state)
{
	(void)state;
	refuse_line(&full, "-i", "'-i'");
	refuse_line(&full, "-vi", "'-i'");
	refuse_line(&full, "--interval", "'--interval'");
	refuse_line(&full, "-v --pid", "'--pid'");
	refuse_line(&full, "--depth", "'--depth'");
	refuse_line(&full, "-d", "'-d'");
	/* And that it is this. */
	refuse_line(&full, "-i", "value");
	refuse_line(&full, "--interval", "value");
}

static void an_empty_value_is_bad_usage(void **state)
{
	static const char *const lines[] = {
		"-p ''",      "--pid=", "-t ''",       "-C ''",	   "--comm=",
		"--cgroup=",  "-i ''",	"--duration=", "--than=",  "--than 1 -N ''",
		"--heatmap=", "-o ''",	"--output=",   "--depth=", "--format="
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		refuse_line(&full, lines[i], "''");
}

static void a_value_for_a_flag_is_bad_usage(void **state)
{
	(void)state;
	refuse_line(&full, "--json=1", "--json");
	refuse_line(&full, "--detail=no", "--detail");
	/* The option as it was written; the hint at --help is not meant. */
	refuse_line(&full, "--version=1", "'--version");
	refuse_line(&full, "--help=me", "'--help");
	refuse_line(&full, "--usage=x", "'--usage");
}

static void times_are_checked(void **state)
{
	(void)state;
	assert_int_equal(accept_line(&full, "-i 10")->set.interval_ns, 10000000);
	assert_int_equal(accept_line(&full, "-i 10ms")->set.interval_ns, 10000000);
	assert_int_equal(accept_line(&full, "-i 0.01s")->set.interval_ns, 10000000);
	assert_int_equal(accept_line(&full, "-i 12.5")->set.interval_ns, 12500000);
	refuse_line(&full, "-i 9", "10 ms");
	refuse_line(&full, "-i 0", "10 ms");
	refuse_line(&full, "--interval 9999999ns", "10 ms");
	refuse_line(&full, "-i -1", "'-1'");
	refuse_line(&full, "-i abc", "'abc'");
	refuse_line(&full, "-i 1h", "'1h'");
	refuse_line(&full, "-i 18446744073710", "'18446744073710'");
	assert_int_equal(accept_line(&full, "--duration 1")->set.duration_ns, 1000000);
	assert_int_equal(accept_line(&full, "--duration 1ns")->set.duration_ns, 1);
	refuse_line(&full, "--duration 0", "--duration");
	refuse_line(&full, "--duration x", "--duration");
	assert_int_equal(accept_line(&full, "--than 12")->set.than_ns, 12);
	assert_true(accept_line(&full, "--than 0")->set.than);
	assert_int_equal(accept_line(&full, "--than 2m")->set.than_ns, 120000000000);
	refuse_line(&full, "--than ten", "--than");
}

static void counts_are_checked(void **state)
{
	(void)state;
	assert_int_equal(accept_line(&full, "--than 1 -N 18446744073709551615")->set.most_events,
			 UINT64_MAX);
	refuse_line(&full, "--than 1 -N 0", "-N");
	refuse_line(&full, "--than 1 -N -1", "-N");
	refuse_line(&full, "--than 1 -N 1.5", "-N");
	refuse_line(&full, "--than 1 -N 1k", "-N");
	refuse_line(&full, "--than 1 -N 18446744073709551616", "-N");
	refuse_line(&full, "-d 1", "at least 2");
	refuse_line(&full, "--format png", "needs folded or svg");
}

/* What -e has taken, with a comma behind each. */
static const char *take_event(const char *text)
{
	strcat(shared->events, text);
	strcat(shared->events, ",");
	return strcmp(text, "bad") ? NULL : "it is bad\n  bad\n  ^";
}

static const struct option_entry event_options[] = {
	{ .name = "event",
	  .letter = 'e',
	  .kind = OPTION_REPEATED,
	  .arg = "EVENT",
	  .help = "which events",
	  .check = take_event },
	{},
};

static const struct synopsis eventful = {
	.name = "eventfulunit",
	.summary = "What does it answer?",
	.description = "It answers exactly this.",
	.options = event_options,
};

static void some_options_may_come_several_times(void **state)
{
	const struct result *r;

	(void)state;
	assert_string_equal(accept_line(&eventful, "-e a --event=b -ec")->events, "a,b,c,");
	assert_string_equal(accept_line(&eventful, "")->events, "");
	refuse_line(&eventful, "-e", "missing");
	r = parse(&eventful, "-e a -e bad -e c");
	assert_int_equal(r->status, 2);
	assert_string_equal(r->err, "eventfulunit: it is bad\n  bad\n  ^\n");
	assert_string_equal(r->events, "a,bad,");
}

static void ids_are_checked(void **state)
{
	static const char *const good[] = { "1", "1,2,3", "4194304", "12,12", "007" };
	static const char *const bad[] = { "0",
					   "1,",
					   ",1",
					   "1,,2",
					   "-1",
					   "1-3",
					   "a",
					   "1,a",
					   "1;2",
					   "+1",
					   "1.0",
					   "0x10",
					   "4194305",
					   "4294967297",
					   "1,0",
					   "99999999999",
					   "18446744073709551617",
					   "self",
					   "*" };
	char line[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		snprintf(line, sizeof(line), "-p %s", good[i]);
		assert_string_equal(accept_line(&full, line)->set.targets.pids, good[i]);
		snprintf(line, sizeof(line), "--tid=%s", good[i]);
		assert_string_equal(accept_line(&full, line)->set.targets.tids, good[i]);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(line, sizeof(line), "-p %s", bad[i]);
		refuse_line(&full, line, "-p");
		snprintf(line, sizeof(line), "-t %s", bad[i]);
		refuse_line(&full, line, "-t");
	}
}

static void cpu_lists_are_checked(void **state)
{
	static const char *const bad[] = { "-1",
					   "0-",
					   "-",
					   "-0",
					   "a",
					   "0,",
					   ",0",
					   "0,,0",
					   "0-0-0",
					   "0--0",
					   "1-0",
					   "0-a",
					   "+0",
					   "0x0",
					   "0.0",
					   "0;1",
					   "8192",
					   "0-8192",
					   "4294967296",
					   "0-4294967296",
					   "99999999999999999999",
					   "all" };
	int last = libbpf_num_possible_cpus() - 1;
	char line[64];
	size_t i;

	(void)state;
	assert_true(last >= 0);
	accept_line(&full, "-C 0");
	accept_line(&full, "-C 0,0");
	accept_line(&full, "-C 0-0,0");
	snprintf(line, sizeof(line), "-C 0-%d,%d", last, last);
	accept_line(&full, line);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(line, sizeof(line), "-C %s", bad[i]);
		refuse_line(&full, line, "-C");
	}
	/* What this machine has not. */
	snprintf(line, sizeof(line), "-C %d", last + 1);
	refuse_line(&full, line, "this machine");
	snprintf(line, sizeof(line), "-C 0,0-%d", last + 1);
	refuse_line(&full, line, "this machine");
}

static void globs_are_checked(void **state)
{
	(void)state;
	accept_line(&full, "--comm nginx*,kworker/[0-3]:*");
	accept_line(&full, "--comm [!a]?");
	refuse_line(&full, "--comm nginx,", "--comm");
	refuse_line(&full, "--comm kworker/[0-3", "--comm");
	accept_line(&full,
		    "--comm ???????????????????????????????????????????????????????????????");
	refuse_line(&full,
		    "--comm ????????????????????????????????????????????????????????????????",
		    "--comm");
}

static void a_command_stands_behind_two_dashes(void **state)
{
	const struct result *r;

	(void)state;
	r = accept_line(&full, "-i 1s -- sh -c exit --json -i");
	assert_int_equal(r->set.interval_ns, 1000000000);
	assert_string_equal(r->set.command[0], "sh");
	assert_string_equal(r->set.command[1], "-c");
	assert_string_equal(r->set.command[2], "exit");
	assert_string_equal(r->set.command[3], "--json");
	assert_string_equal(r->set.command[4], "-i");
	assert_null(r->set.command[5]);
	assert_false(r->set.json);
	assert_string_equal(accept_line(&full, "-- --")->set.command[0], "--");

	refuse_line(&full, "sleep 1", "'sleep'");
	refuse_line(&full, "-v sleep 1 --json", "'sleep'");
	refuse_line(&full, "sleep -- 1", "'sleep'");
	refuse_line(&full, "-", "'-'");
	refuse_line(&full, "--", "--");
	refuse_line(&full, "-v --", "--");
	refuse_line(&bare, "--", NULL);
	refuse_line(&bare, "-- true", NULL);
	refuse_line(&bare, "x", "'x'");
}

static void a_command_may_come_without_dashes_where_the_unit_says_so(void **state)
{
	struct synopsis loose = full;
	const struct result *r;

	(void)state;
	loose.takes |= TAKES_BARE_COMMAND;
	r = accept_line(&loose, "-i 1s sleep --json -- 1");
	assert_int_equal(r->set.interval_ns, 1000000000);
	assert_string_equal(r->set.command[0], "sleep");
	assert_string_equal(r->set.command[1], "--json");
	assert_string_equal(r->set.command[2], "--");
	assert_string_equal(r->set.command[3], "1");
	assert_null(r->set.command[4]);
	assert_false(r->set.json);
	assert_string_equal(accept_line(&loose, "-- sleep 1")->set.command[0], "sleep");
	assert_null(accept_line(&loose, "-i 1s")->set.command);
	refuse_line(&loose, "-i 1s --", "--");
	refuse_line(&loose, "--nonsense sleep", "'--nonsense'");
}

static void a_command_beside_tasks_only_says_how_long(void **state)
{
	struct synopsis timed = full;

	(void)state;
	timed.timed_by_command = true;
	assert_true(accept_line(&timed, "-p 1 -- true")->set.command_is_timer);
	assert_true(accept_line(&timed, "-t 1 -- true")->set.command_is_timer);
	assert_false(accept_line(&timed, "-C 0 -- true")->set.command_is_timer);
	assert_false(accept_line(&timed, "-p 1")->set.command_is_timer);
	assert_false(accept_line(&full, "-- true")->set.command_is_timer);
}

/* getopt(3) takes what follows -o for its value, so this is no separator any more. */
static void two_dashes_that_are_a_value_separate_nothing(void **state)
{
	(void)state;
	refuse_line(&full, "-o -- true", NULL);
	refuse_line(&full, "--output -- true -v", NULL);
}

static void what_cannot_go_together_is_bad_usage(void **state)
{
	(void)state;
	refuse_line(&full, "-N 5", "--than");
	refuse_line(&full, "-v -q", "-q");
	refuse_line(&full, "-p 1 -- true", "-p");
	refuse_line(&full, "-t 1 -- true", "-t");
	/* These can. */
	accept_line(&full, "-p 1 -t 1");
	accept_line(&full, "-C 0 --comm x -- true");
	accept_line(&full, "--json --than 1ms -N 3 -- true");
}

/* @words are divided by single spaces. */
static void assert_arguments(const struct result *r, const char *words)
{
	char said[256] = "";
	char **word;

	assert_non_null(r->set.arguments);
	for (word = r->set.arguments; *word; word++) {
		strcat(said, word == r->set.arguments ? "" : " ");
		strcat(said, *word);
	}
	assert_string_equal(said, words);
	assert_int_equal(word - r->set.arguments, r->set.argument_count);
}

static void other_words_are_arguments_where_they_may_be(void **state)
{
	const struct result *r;

	(void)state;
	assert_arguments(accept_line(&worded, ""), "");
	assert_arguments(accept_line(&worded, "a"), "a");
	assert_arguments(accept_line(&worded, "a b c d e f g h"), "a b c d e f g h");
	assert_arguments(accept_line(&worded, "- ''"), "- ");

	/* In front of options, between them and behind them. */
	r = accept_line(&worded, "a -d 7 b --json c -o file");
	assert_arguments(r, "a b c");
	assert_int_equal(r->depth, 7);
	assert_true(r->set.json);
	assert_string_equal(r->set.output, "file");

	/* Behind two dashes, all of them. */
	assert_arguments(accept_line(&worded, "--"), "");
	r = accept_line(&worded, "a -- -d b -- --json");
	assert_arguments(r, "a -d b -- --json");
	assert_false(r->set.json);
	assert_null(r->set.command);

	refuse_line(&worded, "a --nonsense b", "'--nonsense'");
	refuse_line(&worded, "a -o", "'-o'");
	assert_null(accept_line(&full, "-v")->set.arguments);
}

static void arguments_and_a_command_are_told_apart(void **state)
{
	const struct result *r;

	(void)state;
	r = accept_line(&both, "a -v b -- true -v c");
	assert_arguments(r, "a b");
	assert_string_equal(r->set.command[0], "true");
	assert_string_equal(r->set.command[1], "-v");
	assert_string_equal(r->set.command[2], "c");
	assert_null(r->set.command[3]);
	r = accept_line(&both, "a");
	assert_arguments(r, "a");
	assert_null(r->set.command);
	assert_arguments(accept_line(&both, "-- true"), "");
	refuse_line(&both, "a --", "missing");
}

static void help_names_the_arguments(void **state)
{
	const char *const lines[] = { "--help", "--usage" };
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_non_null(strstr(parse(&worded, lines[i])->out, "] ADDR...\n"));
		assert_non_null(
			strstr(parse(&both, lines[i])->out, "] [WORD...] [-- CMD [ARG...]]\n"));
		assert_null(strstr(parse(&full, lines[i])->out, "WORD"));
	}
}

/* Also when what was typed has lines and colours of its own. */
static void an_error_is_one_line_whatever_was_typed(void **state)
{
	static const char *const lines[] = { "-i 1\n2", "--comm [a\nb", "--non\nsense", "x\ny",
					     "-i \033[31mred" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		refuse_line(&full, lines[i], NULL);
		assert_null(strchr(parse(&full, lines[i])->err, '\033'));
	}
}

static void a_very_long_value_is_refused_like_a_short_one(void **state)
{
	char line[3000] = "-i ";

	(void)state;
	memset(line + 3, '1', sizeof(line) - 4);
	refuse_line(&full, line, NULL);
}

static void version_names_the_unit_and_its_version(void **state)
{
	static const char *const lines[] = { "-V", "--version", "-v -V --nonsense" };
	const struct result *r;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		r = parse(&full, lines[i]);
		assert_int_equal(r->status, 0);
		assert_string_equal(r->out, "fullunit " VERSION "\n");
		assert_string_equal(r->err, "");
	}
}

/* Is the option there as a word of its own? */
static bool names(const char *text, const char *option)
{
	const char *at = text;

	while ((at = strstr(at, option))) {
		char before = at == text ? ' ' : at[-1], behind = at[strlen(option)];

		if (strchr(" [\n", before) && strchr(" ],=\n", behind))
			return true;
		at++;
	}
	return false;
}

static void help_names_every_option_and_no_other(void **state)
{
	static const char *const longs[] = {
		"--pid",      "--tid",	  "--cpus",   "--comm",	   "--cgroup", "--interval",
		"--duration", "--than",	  "--exit-N", "--heatmap", "--perins", "--json",
		"--output",   "--detail", "--depth",  "--format",
	};
	static const char *const always[] = { "--verbose", "--quiet", "--version",
					      "--help",	   "--usage", "-v",
					      "-q",	   "-V",      "-h" };
	static const char *const letters[] = { "-p", "-t", "-C", "-i", "-N", "-o", "-d" };
	char with[8192];
	const struct result *r;
	size_t i;

	(void)state;
	r = parse(&full, "--help");
	assert_int_equal(r->status, 0);
	assert_string_equal(r->err, "");
	snprintf(with, sizeof(with), "%s", r->out);
	assert_int_equal(strncmp(with, "Usage: fullunit ", 16), 0);
	assert_non_null(strstr(with, "What does it answer?"));
	assert_non_null(strstr(with, "It answers exactly this."));
	assert_non_null(strstr(with, "  fullunit -i 1s"));
	assert_non_null(strstr(with, "-- CMD"));
	assert_non_null(strstr(with, "how to write it"));
	assert_string_equal(parse(&full, "-h")->out, with);

	r = parse(&bare, "--help");
	assert_int_equal(r->status, 0);
	assert_null(strstr(r->out, "[-- CMD"));
	for (i = 0; i < sizeof(longs) / sizeof(*longs); i++) {
		if (!names(with, longs[i]))
			fail_msg("--help does not name %s", longs[i]);
		if (names(r->out, longs[i]))
			fail_msg("--help of a unit that does not take it names %s", longs[i]);
	}
	for (i = 0; i < sizeof(letters) / sizeof(*letters); i++)
		assert_true(names(with, letters[i]));
	for (i = 0; i < sizeof(always) / sizeof(*always); i++)
		assert_true(names(with, always[i]) && names(r->out, always[i]));
}

static void help_fits_the_screen(void **state)
{
	const struct synopsis *const units[] = { &full, &stacked };
	const char *line, *end;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(units); i++) {
		for (line = parse(units[i], "--help")->out; *line; line = end + 1) {
			end = strchr(line, '\n');
			assert_non_null(end);
			assert_in_range(end - line, 0, 100);
		}
	}
}

static void usage_names_every_option_in_short(void **state)
{
	static const char *const words[] = {
		"[-p PID[,PID...]]",
		"[-t TID[,TID...]]",
		"[-C LIST]",
		"[--cgroup PATH]",
		"[-i TIME]",
		"[--duration TIME]",
		"[--than TIME]",
		"[-N N]",
		"[--heatmap FILE]",
		"[--perins]",
		"[--json]",
		"[-o FILE]",
		"[-v]",
		"[-q]",
		"[-V]",
		"[-h]",
		"[--usage]",
		"[--detail]",
		"[-d N]",
		"[--format FORM]",
		"[-- CMD [ARG...]]",
	};
	const struct result *r = parse(&full, "--usage");
	size_t i;

	(void)state;
	assert_int_equal(r->status, 0);
	assert_string_equal(r->err, "");
	assert_int_equal(strncmp(r->out, "Usage: fullunit ", 16), 0);
	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!strstr(r->out, words[i]))
			fail_msg("--usage lacks %s:\n%s", words[i], r->out);
	}
	r = parse(&bare, "--usage");
	assert_null(strstr(r->out, "-p"));
	assert_null(strstr(r->out, "CMD"));
	assert_non_null(strstr(r->out, "[-v]"));
}

static void stacks_are_taken_when_they_are_asked_for(void **state)
{
	const struct result *r = accept_line(&stacked, "");

	(void)state;
	assert_false(r->set.call_graph || r->set.lines || r->set.reverse);
	assert_null(r->set.flame_graph);
	assert_true(r->set.kernel_callchain && r->set.user_callchain);
	assert_int_equal(r->set.max_stack, MAX_STACK);
	assert_true(accept_line(&stacked, "-g")->set.call_graph);
	r = accept_line(&stacked, "--call-graph --lines --max-stack 16");
	assert_true(r->set.call_graph && r->set.lines);
	assert_int_equal(r->set.max_stack, 16);
	/* Who wants a picture wants what is in it. */
	r = accept_line(&stacked, "--flame-graph out/cpu");
	assert_true(r->set.call_graph);
	assert_string_equal(r->set.flame_graph, "out/cpu");
	assert_false(r->set.reverse);
	assert_true(accept_line(&stacked, "--reverse --flame-graph=x")->set.reverse);
	refuse_line(&stacked, "--reverse", "--flame-graph");
	refuse_line(&stacked, "-g --reverse", "--flame-graph");
	refuse_line(&stacked, "--flame-graph", "'--flame-graph'");
	refuse_line(&stacked, "--flame-graph=", "''");
	refuse_line(&stacked, "--flame-graph x --flame-graph y", "twice");
}

static void a_part_of_a_stack_can_be_left_out_but_not_both(void **state)
{
	const struct result *r;

	(void)state;
	r = accept_line(&stacked, "-g --no-user-callchain");
	assert_true(r->set.kernel_callchain && !r->set.user_callchain);
	r = accept_line(&stacked, "-g --no-kernel-callchain");
	assert_true(!r->set.kernel_callchain && r->set.user_callchain);
	/* The last one counts. */
	r = accept_line(&stacked, "-g --no-user-callchain --user-callchain");
	assert_true(r->set.kernel_callchain && r->set.user_callchain);
	r = accept_line(&stacked, "-g --kernel-callchain --no-kernel-callchain");
	assert_false(r->set.kernel_callchain);
	r = accept_line(&stacked,
			"--no-user-callchain --no-kernel-callchain --kernel-callchain -g");
	assert_true(r->set.kernel_callchain && !r->set.user_callchain);
	refuse_line(&stacked, "-g --no-user-callchain --no-kernel-callchain", "part");
	refuse_line(&stacked, "--no-kernel-callchain --no-user-callchain", "part");
	refuse_line(&stacked, "--no-user-callchain=1", "'--no-user-callchain");
}

static void frames_are_at_least_one_and_at_most_what_is_kept(void **state)
{
	(void)state;
	assert_int_equal(MAX_STACK, 127);
	assert_int_equal(accept_line(&stacked, "--max-stack 1")->set.max_stack, 1);
	assert_int_equal(accept_line(&stacked, "--max-stack 127")->set.max_stack, 127);
	refuse_line(&stacked, "--max-stack 0", "from 1 to 127");
	refuse_line(&stacked, "--max-stack 128", "from 1 to 127");
	refuse_line(&stacked, "--max-stack 18446744073709551617", "from 1 to 127");
	refuse_line(&stacked, "--max-stack -1", "--max-stack");
	refuse_line(&stacked, "--max-stack", "value");
	/* And a unit's own count with two bounds. */
	assert_int_equal(accept_line(&stacked, "--percent 5")->percent, 5);
	assert_int_equal(accept_line(&stacked, "--percent 100")->percent, 100);
	assert_true(accept_line(&stacked, "--percent 100")->has_percent);
	assert_false(accept_line(&stacked, "")->has_percent);
	refuse_line(&stacked, "--percent 4", "from 5 to 100");
	refuse_line(&stacked, "--percent 101", "from 5 to 100");
}

static void sizes_are_checked(void **state)
{
	(void)state;
	assert_int_equal(accept_line(&stacked, "--room 16")->room, 16);
	assert_int_equal(accept_line(&stacked, "--room 4k")->room, 4096);
	assert_int_equal(accept_line(&stacked, "--room=1.5M")->room, 3 << 19);
	refuse_line(&stacked, "--room 15", "needs a size");
	refuse_line(&stacked, "--room -1", "needs a size");
	refuse_line(&stacked, "--room 4s", "'4s'");
	refuse_line(&stacked, "--room ''", "needs a size");
	refuse_line(&stacked, "--room 99999999999999999999", "needs a size");
}

static void what_is_on_can_be_switched_off(void **state)
{
	(void)state;
	assert_true(accept_line(&stacked, "")->plain);
	assert_false(accept_line(&stacked, "--no-plain")->plain);
	assert_false(accept_line(&stacked, "--no-plain --no-plain")->plain);
	refuse_line(&stacked, "--no-plain=0", "'--no-plain");
	refuse_line(&stacked, "--plain", "'--plain'");
}

static void something_or_its_contrary_can_be_wished_for(void **state)
{
	const struct result *r;

	(void)state;
	assert_int_equal(accept_line(&stacked, "")->irqs, WISH_ANY);
	assert_int_equal(accept_line(&stacked, "--irqs")->irqs, WISH_YES);
	assert_int_equal(accept_line(&stacked, "--irqs=1")->irqs, WISH_YES);
	assert_int_equal(accept_line(&stacked, "--irqs=0")->irqs, WISH_NO);
	assert_int_equal(accept_line(&stacked, "--irqs=0 --irqs")->irqs, WISH_YES);
	assert_int_equal(accept_line(&stacked, "--irqs --irqs=0")->irqs, WISH_NO);
	refuse_line(&stacked, "--irqs=2", "is 0 or 1");
	refuse_line(&stacked, "--irqs=", "is 0 or 1");
	refuse_line(&stacked, "--irqs=01", "is 0 or 1");
	refuse_line(&stacked, "--irqs=yes", "'yes'");
	/* A value has to be attached: what stands apart is a word of its own. */
	refuse_line(&stacked, "--irqs 0", "'0'");
	r = accept_line(&stacked, "--irqs -- true");
	assert_int_equal(r->irqs, WISH_YES);
	assert_string_equal(r->set.command[0], "true");
}

static void help_shows_how_wishes_and_stacks_are_written(void **state)
{
	static const char *const longs[] = { "--call-graph",
					     "--user-callchain",
					     "--no-user-callchain",
					     "--kernel-callchain",
					     "--no-kernel-callchain",
					     "--max-stack",
					     "--lines",
					     "--flame-graph",
					     "--reverse" };
	const char *help, *usage;
	char with[8192];
	size_t i;

	(void)state;
	snprintf(with, sizeof(with), "%s", parse(&stacked, "--help")->out);
	help = with;
	assert_non_null(strstr(help, " --irqs[=0|1] "));
	assert_non_null(strstr(help, " --max-stack N "));
	assert_non_null(strstr(help, " --flame-graph FILE "));
	assert_non_null(strstr(help, "  -g, --call-graph "));
	assert_non_null(strstr(help, " --no-plain "));
	for (i = 0; i < COUNT(longs); i++) {
		assert_true(names(help, longs[i]));
		assert_false(names(parse(&full, "--help")->out, longs[i]));
	}
	usage = parse(&stacked, "--usage")->out;
	assert_non_null(strstr(usage, " [--irqs[=0|1]]"));
	assert_non_null(strstr(usage, " [--no-plain]"));
	assert_non_null(strstr(usage, " [-g]"));
	assert_non_null(strstr(usage, " [--max-stack N]"));
	assert_non_null(strstr(usage, " [--no-kernel-callchain]"));
	assert_non_null(strstr(usage, " [--flame-graph FILE]"));
}

static int setup(void **state)
{
	(void)state;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		return -1;
	own_options[0].value = &shared->detail;
	own_options[1].value = &shared->depth;
	own_options[2].value = &shared->format;
	wish_options[0].value = &shared->plain;
	wish_options[1].value = &shared->irqs;
	wish_options[2].value = &shared->percent;
	wish_options[2].given = &shared->has_percent;
	wish_options[3].value = &shared->room;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_at_all_is_fine),
		cmocka_unit_test(every_option_gets_where_it_belongs),
		cmocka_unit_test(values_may_be_attached),
		cmocka_unit_test(the_last_of_several_values_counts),
		cmocka_unit_test(beginnings_of_long_options_will_do_if_there_is_one_that_fits),
		cmocka_unit_test(unknown_options_are_bad_usage),
		cmocka_unit_test(a_unit_takes_what_it_takes_and_no_more),
		cmocka_unit_test(a_missing_value_is_bad_usage),
		cmocka_unit_test(an_empty_value_is_bad_usage),
		cmocka_unit_test(a_value_for_a_flag_is_bad_usage),
		cmocka_unit_test(times_are_checked),
		cmocka_unit_test(counts_are_checked),
		cmocka_unit_test(some_options_may_come_several_times),
		cmocka_unit_test(ids_are_checked),
		cmocka_unit_test(cpu_lists_are_checked),
		cmocka_unit_test(globs_are_checked),
		cmocka_unit_test(a_command_stands_behind_two_dashes),
		cmocka_unit_test(a_command_may_come_without_dashes_where_the_unit_says_so),
		cmocka_unit_test(a_command_beside_tasks_only_says_how_long),
		cmocka_unit_test(two_dashes_that_are_a_value_separate_nothing),
		cmocka_unit_test(other_words_are_arguments_where_they_may_be),
		cmocka_unit_test(arguments_and_a_command_are_told_apart),
		cmocka_unit_test(help_names_the_arguments),
		cmocka_unit_test(what_cannot_go_together_is_bad_usage),
		cmocka_unit_test(an_error_is_one_line_whatever_was_typed),
		cmocka_unit_test(a_very_long_value_is_refused_like_a_short_one),
		cmocka_unit_test(version_names_the_unit_and_its_version),
		cmocka_unit_test(help_names_every_option_and_no_other),
		cmocka_unit_test(help_fits_the_screen),
		cmocka_unit_test(usage_names_every_option_in_short),
		cmocka_unit_test(stacks_are_taken_when_they_are_asked_for),
		cmocka_unit_test(a_part_of_a_stack_can_be_left_out_but_not_both),
		cmocka_unit_test(frames_are_at_least_one_and_at_most_what_is_kept),
		cmocka_unit_test(sizes_are_checked),
		cmocka_unit_test(what_is_on_can_be_switched_off),
		cmocka_unit_test(something_or_its_contrary_can_be_wished_for),
		cmocka_unit_test(help_shows_how_wishes_and_stacks_are_written),
	};

	return cmocka_run_group_tests_name("the command line", tests, setup, NULL);
}
