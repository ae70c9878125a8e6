// SPDX-License-Identifier: GPL-2.0-only
/* Reports as JSON: parsed back and compared, member by member, with what went in. */
#include "helpers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lost.h"
#include "version.h"

enum {
	COMM,
	TID,
	CALLS,
	HELD,
	WAITED,
	SEEN,
	LATENCY,
	RAN
};

static const struct column ran_columns[] = {
	{ .name = "comm", .type = CELL_STRING },
	{ .name = "sum", .type = CELL_DURATION },
};

static const struct layout ran = LAYOUT(ran_columns);

static const struct column columns[] = {
	[COMM] = { .name = "comm", .title = "THREAD", .type = CELL_STRING },
	[TID] = { .name = "tid", .type = CELL_ID },
	[CALLS] = { .name = "calls", .type = CELL_COUNT },
	[HELD] = { .name = "held", .type = CELL_SIZE },
	[WAITED] = { .name = "waited", .type = CELL_DURATION },
	[SEEN] = { .name = "seen", .type = CELL_TIME },
	[LATENCY] = { .name = "latency", .type = CELL_DIST },
	[RAN] = { .name = "ran", .type = CELL_TABLE, .layout = &ran, .below = true },
};

static const struct layout layout = LAYOUT(columns);

static void a_report_has_what_every_report_has(void **state)
{
	json_object *object, *lost;
	uint64_t total = 0;
	struct report r;
	int why;

	(void)state;
	begin(&r, &layout);
	r.elapsed_ns = 1000123456;
	for (why = 0; why < LOST_REASONS; why++)
		r.lost[why] = 1ULL << (4 * why);
	object = render_and_parse(&r);
	check_string(object, "tool", "rundelay");
	check_string(object, "version", VERSION);
	check_string(object, "time", "2026-01-02T03:04:05.678901Z");
	check_number(object, "elapsed_ns", 1000123456);
	element(object, "rows", 0, 0);
	assert_false(json_object_object_get_ex(object, "events", NULL));
	assert_int_equal(json_object_object_length(object), 6);

	lost = member(object, "lost");
	check_number(lost, "map_full", 1ULL << (4 * LOST_MAP_FULL));
	check_number(lost, "busy", 1ULL << (4 * LOST_BUSY));
	check_number(lost, "recursion", 1ULL << (4 * LOST_RECURSION));
	check_number(lost, "buffer", 1ULL << (4 * LOST_BUFFER));
	/* And the others, each under a name of its own. */
	assert_int_equal(json_object_object_length(lost), LOST_REASONS + 1);
	for (why = 0; why < LOST_REASONS; why++) {
		check_number(lost, lost_names[why], 1ULL << (4 * why));
		total += 1ULL << (4 * why);
	}
	check_number(lost, "total", total);
	json_object_put(object);
	end(&r);
}

static void a_cell_is_a_member_with_its_unit_in_its_name(void **state)
{
	struct table *nested;
	json_object *object, *row;
	struct cell *cells;
	struct report r;

	(void)state;
	begin(&r, &layout);
	cells = table_add(&r.rows);
	cell_string(&cells[COMM], "nginx");
	cell_number(&cells[TID], 4242);
	cell_number(&cells[CALLS], 1234567);
	cell_number(&cells[HELD], 8192);
	cell_number(&cells[WAITED], 12000000);
	cell_number(&cells[SEEN], WHEN);
	nested = cell_table(&cells[RAN], &ran);
	cells = table_add(nested);
	cell_string(&cells[0], "make");
	cell_number(&cells[1], 7);
	cells = table_add(nested);
	cell_string(&cells[0], "idle");
	cell_number(&cells[1], 0);

	object = render_and_parse(&r);
	row = element(object, "rows", 0, 1);
	check_string(row, "comm", "nginx");
	check_number(row, "tid", 4242);
	check_number(row, "calls", 1234567);
	check_number(row, "held_bytes", 8192);
	check_number(row, "waited_ns", 12000000);
	check_string(row, "seen", "2026-01-02T03:04:05.678901Z");
	check_string(element(row, "ran", 0, 2), "comm", "make");
	check_number(element(row, "ran", 0, 2), "sum_ns", 7);
	check_string(element(row, "ran", 1, 2), "comm", "idle");
	check_number(element(row, "ran", 1, 2), "sum_ns", 0);
	/* The distribution has not been set. */
	assert_int_equal(json_object_object_length(row), 7);
	json_object_put(object);
	end(&r);
}

static void what_has_no_value_has_no_member(void **state)
{
	json_object *object;
	struct report r;

	(void)state;
	begin(&r, &layout);
	table_add(&r.rows);
	cell_table(&table_add(&r.rows)[RAN], &ran);
	object = render_and_parse(&r);
	assert_int_equal(json_object_object_length(element(object, "rows", 0, 2)), 0);
	assert_int_equal(json_object_object_length(element(object, "rows", 1, 2)), 1);
	element(element(object, "rows", 1, 2), "ran", 0, 0);
	json_object_put(object);
	end(&r);
}

static void columns_of_text_have_no_member_and_others_may_be_null(void **state)
{
	static const struct column columns[] = {
		{ .name = "shown", .type = CELL_STRING, .shown = SHOWN_IN_TEXT },
		{ .name = "count", .type = CELL_COUNT, .shown = SHOWN_IN_JSON, .or_null = true },
		{ .name = "there", .type = CELL_FLAG },
		{ .name = "ratio", .type = CELL_RATIO },
	};
	static const struct layout layout = LAYOUT(columns);
	json_object *object, *row, *member;
	struct cell *cells;
	struct report r;

	(void)state;
	begin(&r, &layout);
	table_add(&r.rows);
	cells = table_add(&r.rows);
	cell_string(&cells[0], "text");
	cell_number(&cells[1], 5);
	cell_number(&cells[2], true);
	cell_number(&cells[3], 1967);
	object = render_and_parse(&r);
	row = element(object, "rows", 0, 2);
	assert_int_equal(json_object_object_length(row), 1);
	assert_true(json_object_object_get_ex(row, "count", &member));
	assert_null(member);
	row = element(object, "rows", 1, 2);
	assert_int_equal(json_object_object_length(row), 3);
	check_number(row, "count", 5);
	assert_true(json_object_object_get_ex(row, "there", &member));
	assert_true(json_object_is_type(member, json_type_boolean));
	assert_true(json_object_get_boolean(member));
	assert_true(json_object_object_get_ex(row, "ratio", &member));
	assert_true(json_object_get_double(member) == 1.967);
	json_object_put(object);
	end(&r);
}

static void rows_keep_their_order(void **state)
{
	json_object *object;
	struct report r;
	unsigned int i;

	(void)state;
	begin(&r, &layout);
	for (i = 0; i < 50; i++)
		cell_number(&table_add(&r.rows)[TID], i * 7 % 50);
	object = render_and_parse(&r);
	for (i = 0; i < 50; i++)
		check_number(element(object, "rows", i, 50), "tid", i * 7 % 50);
	json_object_put(object);
	end(&r);
}

static void check_about(json_object *row, const char *name, uint64_t exact)
{
	assert_in_range(json_object_get_uint64(member(row, name)), exact - exact / 16,
			exact + exact / 16);
}

static void a_distribution_has_its_statistics_and_buckets(void **state)
{
	/* Value, how often, and the bucket: sixteenths of 2048, 16384, 65536 and none below 16. */
	static const uint64_t expected[][4] = {
		{ 5, 10, 5, 6 },
		{ 3900, 900, 3840, 3968 },
		{ 31000, 50, 30720, 31744 },
		{ 70000, 40, 69632, 73728 },
	};
	json_object *object, *row, *bucket;
	struct hist h = {};
	struct report r;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		add_value(&h, expected[i][0], expected[i][1]);
	begin(&r, &layout);
	cell_dist(&table_add(&r.rows)[LATENCY], &h);
	object = render_and_parse(&r);
	row = element(object, "rows", 0, 1);
	check_number(row, "count", 1000);
	check_number(row, "sum_ns", 7860050); /* 50 + 3510000 + 1550000 + 2800000 */
	check_number(row, "min_ns", 5);
	check_number(row, "avg_ns", 7860);
	check_about(row, "p50_ns", 3900);
	check_about(row, "p95_ns", 31000);
	check_about(row, "p99_ns", 70000);
	check_number(row, "max_ns", 70000);
	for (i = 0; i < 4; i++) {
		bucket = element(row, "hist", i, 4);
		check_number(bucket, "lo_ns", expected[i][2]);
		check_number(bucket, "hi_ns", expected[i][3]);
		check_number(bucket, "count", expected[i][1]);
		assert_int_equal(json_object_object_length(bucket), 3);
	}
	assert_int_equal(json_object_object_length(row), 9);
	json_object_put(object);
	end(&r);
}

static void buckets_are_in_order_and_their_counts_add_up(void **state)
{
	uint64_t random = random64(), before = 0, sum = 0;
	json_object *object, *list, *bucket;
	struct hist h = {};
	struct report r;
	size_t i;

	(void)state;
	for (i = 0; i < 3000; i++) {
		random = random64();
		add_value(&h, random >> (20 + random % 44), 1);
	}
	begin(&r, &layout);
	cell_dist(&table_add(&r.rows)[LATENCY], &h);
	object = render_and_parse(&r);
	list = member(element(object, "rows", 0, 1), "hist");
	for (i = 0; i < json_object_array_length(list); i++) {
		bucket = json_object_array_get_idx(list, i);
		assert_true(json_object_get_uint64(member(bucket, "lo_ns")) >= before);
		before = json_object_get_uint64(member(bucket, "hi_ns"));
		assert_true(json_object_get_uint64(member(bucket, "lo_ns")) < before);
		assert_true(json_object_get_uint64(member(bucket, "count")) > 0);
		sum += json_object_get_uint64(member(bucket, "count"));
	}
	assert_int_equal(sum, 3000);
	json_object_put(object);
	end(&r);
}

static void an_empty_distribution_has_no_statistics(void **state)
{
	static const char *const names[] = { "min_ns", "avg_ns", "p50_ns",
					     "p95_ns", "p99_ns", "max_ns" };
	json_object *object, *row;
	struct hist h = {};
	struct report r;
	size_t i;

	(void)state;
	begin(&r, &layout);
	cell_dist(&table_add(&r.rows)[LATENCY], &h);
	object = render_and_parse(&r);
	row = element(object, "rows", 0, 1);
	check_number(row, "count", 0);
	check_number(row, "sum_ns", 0);
	for (i = 0; i < 6; i++)
		check_null(row, names[i]);
	element(row, "hist", 0, 0);
	json_object_put(object);
	end(&r);
}

/* Of which a double would not know all digits. */
static void large_numbers_keep_all_their_digits(void **state)
{
	static const uint64_t numbers[] = { (1ULL << 53) + 1, INT64_MAX, 1ULL << 63, UINT64_MAX - 1,
					    UINT64_MAX };
	char digits[32], *text;
	json_object *object;
	struct report r;
	size_t i;

	(void)state;
	begin(&r, &layout);
	r.elapsed_ns = UINT64_MAX;
	for (i = 0; i < 5; i++) {
		struct cell *row = table_add(&r.rows);

		cell_number(&row[TID], numbers[i]);
		cell_number(&row[WAITED], numbers[i]);
	}
	text = render_with(&json_renderer, &r);
	object = parse_line(text);
	check_number(object, "elapsed_ns", UINT64_MAX);
	for (i = 0; i < 5; i++) {
		check_number(element(object, "rows", i, 5), "waited_ns", numbers[i]);
		snprintf(digits, sizeof(digits), "\"tid\":%llu,", (unsigned long long)numbers[i]);
		assert_non_null(strstr(text, digits));
	}
	json_object_put(object);
	free(text);
	end(&r);
}

static void hostile_names_come_back_as_they_were(void **state)
{
	/* What is a name, and what a reader gets of it. */
	static const char *const names[][2] = {
		{ "", "" },
		{ "say \"hi\"", "say \"hi\"" },
		{ "C:\\n\\", "C:\\n\\" },
		{ "a\nb\r\tc", "a\nb\r\tc" },
		{ "\033[2J\033]0;x\a", "\033[2J\033]0;x\a" },
		{ "\x01\x1f\x7f\b\f", "\x01\x1f\x7f\b\f" },
		{ "</script>&'", "</script>&'" },
		{ "{\"a\":1}],", "{\"a\":1}]," },
		{ "%s%n%d", "%s%n%d" },
		{ "äöü€😀\xc2\x9b", "äöü€😀\xc2\x9b" },
		{ "\xff", REPLACEMENT },
		{ "a\x80z", "a" REPLACEMENT "z" },
		{ "\xc3", REPLACEMENT },
		{ "\\u0041\\", "\\u0041\\" },
	};
	size_t count = sizeof(names) / sizeof(*names), i;
	json_object *object;
	struct report r;

	(void)state;
	begin(&r, &layout);
	for (i = 0; i < count; i++)
		cell_string(&table_add(&r.rows)[COMM], names[i][0]);
	object = render_and_parse(&r);
	for (i = 0; i < count; i++)
		check_string(element(object, "rows", i, count), "comm", names[i][1]);
	json_object_put(object);
	end(&r);
}

/* How many U+FFFD stand for them is open, but the characters around them stay. */
static void no_bytes_make_a_line_invalid(void **state)
{
	uint64_t random = random64();
	struct report r;
	char name[16];
	int i, j;

	(void)state;
	begin(&r, &layout);
	for (i = 0; i < 3000; i++) {
		for (j = 0; j < 15; j++) {
			random = random * 6364136223846793005ULL + 1442695040888963407ULL;
			name[j] = random >> 56;
		}
		name[15] = 0;
		cell_string(&table_add(&r.rows)[COMM], name);
	}
	json_object_put(render_and_parse(&r));
	end(&r);
}

static void events_are_kept_for_their_report(void **state)
{
	struct output out = {};
	json_object *object;
	struct report r;
	char *text = NULL;
	size_t size;

	(void)state;
	begin(&r, &layout);
	table_init(&r.events, &layout);
	object = render_and_parse(&r);
	element(object, "events", 0, 0);
	json_object_put(object);

	cell_number(&table_add(&r.events)[WAITED], 5);
	cell_number(&table_add(&r.events)[WAITED], 6);
	cell_table(&table_add(&r.events)[RAN], &ran);
	out.file = open_memstream(&text, &size);
	assert_false(json_renderer.events(&out, &r.events));
	fclose(out.file);
	assert_int_equal(size, 0);
	free(text);

	object = render_and_parse(&r);
	check_number(element(object, "events", 0, 3), "waited_ns", 5);
	check_number(element(object, "events", 1, 3), "waited_ns", 6);
	element(element(object, "events", 2, 3), "ran", 0, 0);
	element(object, "rows", 0, 0);
	json_object_put(object);
	end(&r);
}

static void each_report_is_a_line(void **state)
{
	struct output out = {};
	char *text = NULL, *line, *rest;
	json_object *object;
	struct report r;
	size_t size, i;

	(void)state;
	begin(&r, &layout);
	cell_string(&table_add(&r.rows)[COMM], "a\nb");
	out.file = open_memstream(&text, &size);
	for (i = 0; i < 3; i++) {
		r.elapsed_ns = i;
		json_renderer.report(&out, &r);
	}
	fclose(out.file);
	rest = text;
	for (i = 0; i < 3; i++) {
		line = strndup(rest, strcspn(rest, "\n") + 1);
		object = parse_line(line);
		check_number(object, "elapsed_ns", i);
		json_object_put(object);
		rest += strlen(line);
		free(line);
	}
	assert_string_equal(rest, "");
	free(text);
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_has_what_every_report_has),
		cmocka_unit_test(a_cell_is_a_member_with_its_unit_in_its_name),
		cmocka_unit_test(what_has_no_value_has_no_member),
		cmocka_unit_test(columns_of_text_have_no_member_and_others_may_be_null),
		cmocka_unit_test(rows_keep_their_order),
		cmocka_unit_test(a_distribution_has_its_statistics_and_buckets),
		cmocka_unit_test(buckets_are_in_order_and_their_counts_add_up),
		cmocka_unit_test(an_empty_distribution_has_no_statistics),
		cmocka_unit_test(large_numbers_keep_all_their_digits),
		cmocka_unit_test(hostile_names_come_back_as_they_were),
		cmocka_unit_test(no_bytes_make_a_line_invalid),
		cmocka_unit_test(events_are_kept_for_their_report),
		cmocka_unit_test(each_report_is_a_line),
	};

	return cmocka_run_group_tests_name("reports as JSON", tests, NULL, NULL);
}
