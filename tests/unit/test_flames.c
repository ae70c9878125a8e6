// SPDX-License-Identifier: GPL-2.0-only
/* --flame-graph FILE: the files that there are at each time, and what they say. */
#include "helpers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "flames.h"
#include "quantity.h"
#include "say.h"

static const struct column columns[] = {
	{ .name = "percent", .type = CELL_PERCENT },
	{ .name = "pid", .type = CELL_ID },
	{ .name = "comm", .type = CELL_STRING },
	{ .name = "stack", .type = CELL_STACK },
	{ .name = "count", .type = CELL_COUNT, .adds_up = true },
	{ .name = "bytes", .type = CELL_SIZE, .adds_up = true },
	{ .name = "why", .type = CELL_STRING, .level = true },
	{ .name = "by", .type = CELL_STRING, .level = true },
};

static const struct layout layout = LAYOUT(columns);

static const struct flamegraph_opts look = { .title = "the title", .subtitle = "what was seen" };

static char base[64];

static int setup(void **state)
{
	say_setup("tester", false, false);
	set_clocks();
	if (folder_make(state))
		return -1;
	snprintf(base, sizeof(base), "%s", path_of("cpu"));
	return 0;
}

static int empty(void **state)
{
	(void)state;
	folder_empty();
	return 0;
}

static void add(struct table *t, const char *comm, uint64_t weight, const struct frame *frames,
		unsigned int count)
{
	struct cell *row = table_add(t);

	cell_number(&row[1], 42);
	cell_string(&row[2], comm);
	cell_stack(&row[3], chain_of(frames, count));
	cell_number(&row[4], weight);
	cell_number(&row[5], 1000000 * weight);
}

/* A stack of `leaf`, called by `work`, by `main`. */
static void add_usual(struct table *t, const char *comm, uint64_t weight)
{
	const struct frame frames[] = {
		{ .name = "leaf", .module = "/bin/a" },
		{ .name = "work", .module = "/bin/a" },
		{ .name = "main", .module = "/bin/a" },
	};

	add(t, comm, weight, frames, COUNT(frames));
}

static struct flames *flames(bool stamped)
{
	struct flames *f = flames_new(base, &look, stamped, false);

	assert_non_null(f);
	return f;
}

/* That the file is there, and is a picture in which @what occurs. */
static void check_svg(const char *name, const char *what)
{
	const char *text = content(path_of(name));

	if (!text)
		fail_msg("there is no %s", name);
	assert_int_equal(strncmp(text, "<svg ", 5), 0);
	assert_string_equal(text + strlen(text) - 7, "</svg>\n");
	if (!strstr(text, what))
		fail_msg("%s says nothing of %s", name, what);
}

static void reports_add_up_to_a_graph_at_the_end(void **state)
{
	struct flames *f = flames(false);
	struct table t;

	(void)state;
	table_init(&t, &layout);
	add_usual(&t, "nginx", 5);
	add_usual(&t, "redis", 7);
	assert_int_equal(flames_add(f, &t, WHEN), 0);
	table_clear(&t);
	add_usual(&t, "nginx", 10);
	assert_int_equal(flames_add(f, &t, WHEN + NSEC_PER_SEC), 0);
	table_free(&t);
	/* Until then there is no picture. */
	assert_null(content(path_of("cpu.svg")));
	assert_int_equal(flames_finish(f), 0);
	flames_free(f);
	check_content(path_of("cpu.folded"), "nginx;main;work;leaf 15\nredis;main;work;leaf 7\n");
	check_svg("cpu.svg", "the title");
	check_svg("cpu.svg", "what was seen");
	check_svg("cpu.svg", "redis");
	assert_int_equal(folder_count(), 2);
}

/* WHEN is 05:04:05.678 of 2026-01-02 here. */
static void intervals_have_stamps_and_pictures_of_their_own(void **state)
{
	struct flames *f = flames(true);
	struct table t;

	(void)state;
	table_init(&t, &layout);
	add_usual(&t, "nginx", 5);
	add_usual(&t, "earlier-thread", 1);
	assert_int_equal(flames_add(f, &t, WHEN), 0);
	/* They are there at once. */
	check_content(path_of("cpu.folded"), "2026-01-02 05:04:05;earlier-thread;main;work;leaf 1\n"
					     "2026-01-02 05:04:05;nginx;main;work;leaf 5\n");
	check_svg("cpu-20260102_050405.svg", "earlier-thread");
	check_svg("cpu-20260102_050405.svg", "what was seen, from 2026-01-02 05:04:05");
	assert_int_equal(folder_count(), 2);

	table_clear(&t);
	add_usual(&t, "nginx", 10);
	assert_int_equal(flames_add(f, &t, WHEN + 2 * NSEC_PER_SEC), 0);
	table_free(&t);
	assert_int_equal(flames_finish(f), 0);
	flames_free(f);
	check_content(path_of("cpu.folded"), "2026-01-02 05:04:05;earlier-thread;main;work;leaf 1\n"
					     "2026-01-02 05:04:05;nginx;main;work;leaf 5\n"
					     "2026-01-02 05:04:07;nginx;main;work;leaf 10\n");
	check_svg("cpu-20260102_050407.svg", "nginx");
	assert_null(strstr(content(path_of("cpu-20260102_050407.svg")), "earlier-thread"));
	/* The one of all has all. */
	check_svg("cpu.svg", "earlier-thread");
	check_svg("cpu.svg", "16 samples");
	assert_int_equal(folder_count(), 4);
}

/* The weight of @stamp's stacks in the folded file. */
static uint64_t sum_of(const char *stamp)
{
	const char *line = content(path_of("cpu.folded"));
	uint64_t sum = 0;

	assert_non_null(line);
	for (; *line; line = strchr(line, '\n') + 1) {
		if (!strncmp(line, stamp, strlen(stamp)) && line[strlen(stamp)] == ';')
			sum += strtoull(strrchr(strndupa(line, strcspn(line, "\n")), ' '), NULL,
					10);
	}
	return sum;
}

static void intervals_of_one_second_are_told_apart(void **state)
{
	static const uint64_t begins[] = { WHEN, WHEN + 100 * NSEC_PER_MSEC,
					   WHEN + 250 * NSEC_PER_MSEC, WHEN + NSEC_PER_SEC,
					   WHEN + NSEC_PER_SEC + 100 * NSEC_PER_MSEC };
	struct flames *f = flames(true);
	struct table t;
	size_t i;

	(void)state;
	table_init(&t, &layout);
	for (i = 0; i < COUNT(begins); i++) {
		table_clear(&t);
		add_usual(&t, "a", 1 << i);
		add_usual(&t, "b", 100 << i);
		assert_int_equal(flames_add(f, &t, begins[i]), 0);
	}
	table_free(&t);
	assert_int_equal(flames_finish(f), 0);
	flames_free(f);
	assert_int_equal(sum_of("2026-01-02 05:04:05"), 101);
	assert_int_equal(sum_of("2026-01-02 05:04:05.778"), 202);
	assert_int_equal(sum_of("2026-01-02 05:04:05.928"), 404);
	assert_int_equal(sum_of("2026-01-02 05:04:06"), 808);
	assert_int_equal(sum_of("2026-01-02 05:04:06.778"), 1616);
	check_svg("cpu-20260102_050405.svg", "101 samples");
	check_svg("cpu-20260102_050405_1.svg", "202 samples");
	check_svg("cpu-20260102_050405_2.svg", "404 samples");
	check_svg("cpu-20260102_050406.svg", "808 samples");
	check_svg("cpu-20260102_050406_1.svg", "1,616 samples");
	check_svg("cpu.svg", "3,131 samples");
	assert_int_equal(folder_count(), 7);
}

static void an_interval_without_stacks_has_no_picture(void **state)
{
	struct flames *f = flames(true);
	struct table t;

	(void)state;
	table_init(&t, &layout);
	assert_int_equal(flames_add(f, &t, WHEN), 0);
	assert_int_equal(folder_count(), 1);
	assert_int_equal(flames_finish(f), 0);
	flames_free(f);
	check_content(path_of("cpu.folded"), "");
	check_svg("cpu.svg", "");
	assert_int_equal(folder_count(), 2);
	table_free(&t);
}

/* A run that fails before it has anything leaves what there was. */
static void what_was_in_the_file_stays_until_there_is_something_new(void **state)
{
	struct flames *f;
	struct table t;
	int stamped;

	(void)state;
	table_init(&t, &layout);
	add_usual(&t, "a", 3);
	for (stamped = 0; stamped < 2; stamped++) {
		write_file(path_of("cpu.folded"), "of;the;run;before 7\n");
		write_file(path_of("cpu.svg"), "an old picture");
		f = flames(stamped);
		check_content(path_of("cpu.folded"), "of;the;run;before 7\n");
		check_content(path_of("cpu.svg"), "an old picture");
		flames_free(f);
		check_content(path_of("cpu.folded"), "of;the;run;before 7\n");

		f = flames(stamped);
		assert_int_equal(flames_add(f, &t, WHEN), 0);
		check_content(path_of("cpu.folded"),
			      stamped ? "2026-01-02 05:04:05;a;main;work;leaf 3\n" : "");
		check_content(path_of("cpu.svg"), "an old picture");
		assert_int_equal(flames_finish(f), 0);
		flames_free(f);
		check_content(path_of("cpu.folded"),
			      stamped ? "2026-01-02 05:04:05;a;main;work;leaf 3\n"
				      : "a;main;work;leaf 3\n");
		check_svg("cpu.svg", "leaf");
		folder_empty();
	}
	table_free(&t);
}

static void the_latest_counts_where_reports_tell_what_there_is(void **state)
{
	struct flames *f = flames_new(base, &look, false, true);
	struct table t;

	(void)state;
	assert_non_null(f);
	table_init(&t, &layout);
	add_usual(&t, "a", 3);
	assert_int_equal(flames_add(f, &t, WHEN), 0);
	table_clear(&t);
	add_usual(&t, "a", 5);
	assert_int_equal(flames_add(f, &t, WHEN), 0);
	table_free(&t);
	assert_int_equal(flames_finish(f), 0);
	flames_free(f);
	check_content(path_of("cpu.folded"), "a;main;work;leaf 5\n");
}

static void bytes_are_the_weight_where_the_picture_is_of_bytes(void **state)
{
	struct flamegraph *graph = flamegraph_new(&look);
	struct table t;
	FILE *file = fopen(path_of("bytes.folded"), "w");

	(void)state;
	assert_non_null(graph);
	assert_non_null(file);
	table_init(&t, &layout);
	add_usual(&t, "a", 3);
	assert_int_equal(flames_add_rows(graph, &t, true), 0);
	assert_int_equal(flamegraph_write_folded(graph, file, NULL), 0);
	assert_int_equal(fclose(file), 0);
	table_free(&t);
	flamegraph_free(graph);
	check_content(path_of("bytes.folded"), "a;main;work;leaf 3000000\n");
}

static struct flames *refused(const char *path, const char *mentioned)
{
	const char *told;
	struct flames *f;

	catch_begin();
	f = flames_new(path, &look, false, false);
	told = catch_end();
	check_told(told, mentioned);
	return f;
}

static void what_cannot_be_written_is_told_at_once(void **state)
{
	unsigned int files = open_files();

	(void)state;
	assert_null(refused(path_of("missing/cpu"), "missing/cpu.svg: No such file"));
	assert_null(refused("/dev/null/cpu", "/dev/null/cpu.svg: Not a directory"));
	assert_int_equal(mkdir(path_of("cpu.svg"), 0700), 0);
	assert_null(refused(base, "cpu.svg: Is a directory"));
	assert_int_equal(folder_count(), 1);
	folder_empty();
	assert_int_equal(mkdir(path_of("cpu.folded"), 0700), 0);
	assert_null(refused(base, "cpu.folded: Is a directory"));
	assert_int_equal(folder_count(), 1);
	assert_int_equal(open_files(), files);
	flames_free(NULL);
}

static void a_full_disk_is_told(void **state)
{
	const char *told;
	struct flames *f;
	struct table t;
	int stamped, err;

	(void)state;
	table_init(&t, &layout);
	add_usual(&t, "a", 3);
	for (stamped = 0; stamped < 2; stamped++) {
		assert_int_equal(symlink("/dev/full", path_of("cpu.folded")), 0);
		f = flames(stamped);
		catch_begin();
		err = flames_add(f, &t, WHEN);
		if (!stamped) {
			assert_int_equal(err, 0);
			err = flames_finish(f);
		}
		told = catch_end();
		assert_int_equal(err, -ENOSPC);
		check_told(told, "cpu.folded: No space left on device");
		flames_free(f);
		folder_empty();
	}
	assert_int_equal(symlink("/dev/full", path_of("cpu.svg")), 0);
	f = flames(false);
	assert_int_equal(flames_add(f, &t, WHEN), 0);
	catch_begin();
	err = flames_finish(f);
	told = catch_end();
	assert_int_equal(err, -ENOSPC);
	check_told(told, "cpu.svg: No space left on device");
	flames_free(f);
	table_free(&t);
}

/* Somebody removes the folder meanwhile. */
static void a_picture_that_fails_is_told(void **state)
{
	struct flames *f;
	const char *told;
	struct table t;
	char gone[80];
	int err;

	(void)state;
	snprintf(gone, sizeof(gone), "%s", path_of("gone/cpu"));
	assert_int_equal(mkdir(path_of("gone"), 0700), 0);
	table_init(&t, &layout);
	add_usual(&t, "a", 3);
	f = flames_new(gone, &look, true, false);
	assert_non_null(f);
	assert_int_equal(unlink(path_of("gone/cpu.folded")), 0);
	assert_int_equal(rmdir(path_of("gone")), 0);
	catch_begin();
	err = flames_add(f, &t, WHEN);
	told = catch_end();
	assert_int_equal(err, -ENOENT);
	check_told(told, "gone/cpu-20260102_050405.svg: No such file");
	catch_begin();
	err = flames_finish(f);
	told = catch_end();
	assert_int_equal(err, -ENOENT);
	check_told(told, "gone/cpu.svg: No such file");
	flames_free(f);
	table_free(&t);
}

/* What a report's rows with one stack become, without FILE. */
static void check_folded(const struct table *t, const char *expected)
{
	struct flamegraph *graph = flamegraph_new(&look);
	char *text = NULL;
	size_t size;
	FILE *file;

	assert_non_null(graph);
	assert_int_equal(flames_add_rows(graph, t, false), 0);
	file = open_memstream(&text, &size);
	assert_int_equal(flamegraph_write_folded(graph, file, NULL), 0);
	fclose(file);
	assert_string_equal(text, expected);
	free(text);
	flamegraph_free(graph);
}

static void frames_of_the_kernel_are_marked(void **state)
{
	const struct frame frames[] = {
		{ .name = "vfs_read", .module = "[kernel]", .kernel = true },
		{ .name = "nft_do_chain", .module = "[nf_tables]", .kernel = true },
		{ .name = "[cut off]", .kernel = true },
		{ .name = "read", .module = "/lib/libc.so.6" },
		{ .name = "main", .module = "/bin/a" },
		{ .name = "[cut off]" },
	};
	struct table t;

	(void)state;
	table_init(&t, &layout);
	add(&t, "nginx", 4, frames, COUNT(frames));
	check_folded(&t, "nginx;[cut off];main;read;[cut off]_[k];nft_do_chain_[k];vfs_read_[k] "
			 "4\n");
	table_free(&t);
}

static void what_has_no_name_is_labelled_by_where_it_is(void **state)
{
	const struct frame frames[] = {
		{ .module = "[kernel]", .addr = 1, .kernel = true },
		{ .module = "/lib/libc.so.6", .addr = 2 },
		{ .module = "/bin/program", .addr = 3 },
		{ .addr = 4 },
	};
	struct table t;

	(void)state;
	table_init(&t, &layout);
	add(&t, "nginx", 4, frames, COUNT(frames));
	check_folded(&t, "nginx;[unknown];[program];[libc.so.6];[kernel]_[k] 4\n");
	table_free(&t);
}

static void names_cannot_break_a_stack(void **state)
{
	const struct frame frames[] = {
		{ .name = "operator;()" },
		{ .name = "two\nlines 7" },
		{ .name = "\xff" },
		{ .name = "std::map<int, long>::find(int const&) const" },
		{ .module = "/tmp/a;b" },
	};
	struct table t;

	(void)state;
	table_init(&t, &layout);
	add(&t, "my;co\nmm", 4, frames, COUNT(frames));
	check_folded(&t, "my:co" REPLACEMENT "mm;[a:b];std::map<int, long>::find(int const&) "
			 "const;" REPLACEMENT ";two" REPLACEMENT "lines 7;operator:() 4\n");
	table_free(&t);
}

static void a_thread_without_a_name_has_one_here(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, &layout);
	add_usual(&t, "", 4);
	/* And without a stack it is all that there is. */
	add(&t, "idle", 2, NULL, 0);
	check_folded(&t, "[no name];main;work;leaf 4\nidle 2\n");
	table_free(&t);
}

static void rows_need_no_comm(void **state)
{
	static const struct column without[] = {
		{ .name = "live", .type = CELL_SIZE, .adds_up = true },
		{ .name = "stack", .type = CELL_STACK },
	};
	static const struct layout without_comm = LAYOUT(without);
	const struct frame frames[] = { { .name = "leaf" }, { .name = "main" } };
	struct cell *row;
	struct table t;

	(void)state;
	table_init(&t, &without_comm);
	row = table_add(&t);
	cell_number(&row[0], 4096);
	cell_stack(&row[1], chain_of(frames, 2));
	/* Neither thread nor stack: nothing to show. */
	row = table_add(&t);
	cell_number(&row[0], 1);
	cell_stack(&row[1], chain_of(frames, 0));
	check_folded(&t, "main;leaf 4096\n");
	table_free(&t);
}

/* Frames by the hundred, with names as long as C++ has them. */
static void stacks_may_be_deep_and_names_long(void **state)
{
	static char name[5000];
	struct frame frames[300];
	char *expected = calloc(300, 5010), *to = expected;
	struct table t;
	size_t i;

	(void)state;
	assert_non_null(expected);
	memset(name, 'n', sizeof(name) - 1);
	to = stpcpy(to, "a");
	for (i = 0; i < 300; i++) {
		frames[i] = (struct frame){ .name = name, .kernel = true };
		to = stpcpy(stpcpy(stpcpy(to, ";"), name), "_[k]");
	}
	strcpy(to, " 9\n");
	table_init(&t, &layout);
	add(&t, "a", 9, frames, 300);
	check_folded(&t, expected);
	table_free(&t);
	free(expected);
}

static void weights_that_do_not_fit_are_told(void **state)
{
	struct flames *f = flames(false);
	const char *told;
	struct table t;
	int err;

	(void)state;
	table_init(&t, &layout);
	add_usual(&t, "a", UINT64_MAX);
	add_usual(&t, "b", 1);
	catch_begin();
	err = flames_add(f, &t, WHEN);
	told = catch_end();
	assert_int_equal(err, -EOVERFLOW);
	check_told(told, "cannot add to the flame graph");
	flames_free(f);
	table_free(&t);
}

static void nothing_is_left_open(void **state)
{
	unsigned int files = open_files();
	struct flames *f = flames(true);
	struct table t;

	(void)state;
	table_init(&t, &layout);
	add_usual(&t, "a", 3);
	assert_int_equal(flames_add(f, &t, WHEN), 0);
	assert_int_equal(open_files(), files + 1);
	assert_int_equal(flames_finish(f), 0);
	flames_free(f);
	assert_int_equal(open_files(), files);
	table_free(&t);
}

static struct cell *cell_of(struct table *t, size_t row, unsigned int column)
{
	return &t->cells[row * t->layout->count + column];
}

static void columns_may_be_levels_of_their_own(void **state)
{
	struct flames *f = flames(false);
	struct table t;

	(void)state;
	table_init(&t, &layout);
	add_usual(&t, "nginx", 3);
	cell_string(cell_of(&t, 0, 6), "wakeup");
	cell_string(cell_of(&t, 0, 7), "redis");
	add_usual(&t, "nginx", 4);
	cell_string(cell_of(&t, 1, 6), "preemption");
	assert_int_equal(flames_add(f, &t, WHEN), 0);
	assert_int_equal(flames_finish(f), 0);
	flames_free(f);
	table_free(&t);
	check_content(path_of("cpu.folded"), "nginx;preemption;main;work;leaf 4\n"
					     "nginx;wakeup;redis;main;work;leaf 3\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, empty, empty)
	const struct CMUnitTest tests[] = {
		TEST(reports_add_up_to_a_graph_at_the_end),
		TEST(intervals_have_stamps_and_pictures_of_their_own),
		TEST(intervals_of_one_second_are_told_apart),
		TEST(an_interval_without_stacks_has_no_picture),
		TEST(what_was_in_the_file_stays_until_there_is_something_new),
		TEST(what_cannot_be_written_is_told_at_once),
		TEST(a_full_disk_is_told),
		TEST(a_picture_that_fails_is_told),
		TEST(frames_of_the_kernel_are_marked),
		TEST(what_has_no_name_is_labelled_by_where_it_is),
		TEST(names_cannot_break_a_stack),
		TEST(a_thread_without_a_name_has_one_here),
		TEST(rows_need_no_comm),
		TEST(columns_may_be_levels_of_their_own),
		TEST(bytes_are_the_weight_where_the_picture_is_of_bytes),
		TEST(the_latest_counts_where_reports_tell_what_there_is),
		TEST(stacks_may_be_deep_and_names_long),
		TEST(weights_that_do_not_fit_are_told),
		TEST(nothing_is_left_open),
	};

	alarm(60); /* rather than hang for ever */
	return cmocka_run_group_tests_name("flame graphs of reports", tests, setup, folder_remove);
}
