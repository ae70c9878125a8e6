// SPDX-License-Identifier: GPL-2.0-only
/* What table_merge(), table_shares() and percent() make of rows. */
#include "helpers.h"

#include <stdlib.h>
#include <string.h>

enum {
	COUNT_OF,
	SHARE,
	COMM,
	PID,
	BYTES,
	LEAST,
	MOST,
	STACK
};

static const struct column columns[] = {
	[COUNT_OF] = { .name = "count", .type = CELL_COUNT, .adds_up = true },
	[SHARE] = { .name = "count", .type = CELL_PERCENT, .share_of = COUNT_OF + 1 },
	[COMM] = { .name = "comm", .type = CELL_STRING },
	[PID] = { .name = "pid", .type = CELL_ID },
	[BYTES] = { .name = "live", .type = CELL_SIZE, .adds_up = true },
	[LEAST] = { .name = "min", .type = CELL_DURATION, .lowest = true },
	[MOST] = { .name = "max", .type = CELL_DURATION, .highest = true },
	[STACK] = { .name = "stack", .type = CELL_STACK },
};

static const struct layout layout = LAYOUT(columns);

/* Names are kept once each: so they are here. */
static const char main_name[] = "main", work_name[] = "work", idle_name[] = "idle",
		  program[] = "/bin/program", library[] = "/lib/library.so", source[] = "main.c",
		  other_source[] = "work.c";

/* A row with a stack of @count frames. */
static struct cell *add(struct table *t, uint64_t count, const char *comm, uint64_t pid,
			const struct frame *frames, unsigned int frame_count)
{
	struct cell *row = table_add(t);

	cell_number(&row[COUNT_OF], count);
	cell_string(&row[COMM], comm);
	cell_number(&row[PID], pid);
	cell_number(&row[BYTES], 100 * count);
	cell_number(&row[LEAST], 1000 - count);
	cell_number(&row[MOST], 1000 + count);
	cell_stack(&row[STACK], chain_of(frames, frame_count));
	return row;
}

static uint64_t sum(const struct table *t, unsigned int column)
{
	uint64_t all = 0;
	size_t row;

	for (row = 0; row < t->rows; row++)
		all += table_row(t, row)[column].number;
	return all;
}

/* The only row of @comm and @pid. */
static const struct cell *find(const struct table *t, const char *comm, uint64_t pid)
{
	const struct cell *found = NULL;
	size_t row;

	for (row = 0; row < t->rows; row++) {
		const struct cell *cells = table_row(t, row);

		if (strcmp(cells[COMM].string, comm) || cells[PID].number != pid)
			continue;
		assert_null(found);
		found = cells;
	}
	assert_non_null(found);
	return found;
}

static void rows_that_are_the_same_become_one(void **state)
{
	const struct frame frames[] = {
		{ .name = work_name, .module = program, .addr = 0x1010, .offset = 0x10 },
		{ .name = main_name, .module = program, .addr = 0x2020, .offset = 0x20 },
	};
	const struct cell *row;
	struct table t;

	(void)state;
	table_init(&t, &layout);
	add(&t, 3, "nginx", 1, frames, 2);
	add(&t, 5, "nginx", 2, frames, 2);
	add(&t, 4, "nginx", 1, frames, 2);
	add(&t, 2, "other", 1, frames, 2);
	add(&t, 1, "nginx", 1, frames, 1);
	add(&t, 9, "nginx", 1, frames, 2);
	table_merge(&t);
	assert_int_equal(t.rows, 4);
	row = find(&t, "nginx", 2);
	assert_int_equal(row[COUNT_OF].number, 5);
	row = find(&t, "other", 1);
	assert_int_equal(row[COUNT_OF].number, 2);
	/* The rest is nginx 1: with two frames, and with one. */
	table_sort(&t, COUNT_OF);
	row = table_row(&t, 0);
	assert_int_equal(row[COUNT_OF].number, 3 + 4 + 9);
	assert_int_equal(row[BYTES].number, 1600);
	assert_int_equal(row[LEAST].number, 991);
	assert_int_equal(row[MOST].number, 1009);
	assert_int_equal(row[STACK].stack->frame_count, 2);
	assert_string_equal(row[STACK].stack->frames[0].name, "work");
	row = table_row(&t, 3);
	assert_int_equal(row[COUNT_OF].number, 1);
	assert_int_equal(row[STACK].stack->frame_count, 1);
	table_free(&t);
}

/* Whichever row comes first. */
static void the_heaviest_row_gives_the_offsets(void **state)
{
	static const uint64_t orders[][3] = { { 1, 2, 3 }, { 1, 3, 2 }, { 2, 1, 3 },
					      { 2, 3, 1 }, { 3, 1, 2 }, { 3, 2, 1 } };
	const struct frame *kept;
	struct table t;
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(orders); i++) {
		table_init(&t, &layout);
		for (j = 0; j < 3; j++) {
			const struct frame frame = { .name = work_name,
						     .module = program,
						     .addr = 0x1000 + orders[i][j],
						     .offset = orders[i][j] };

			add(&t, orders[i][j], "a", 1, &frame, 1);
		}
		table_merge(&t);
		assert_int_equal(t.rows, 1);
		assert_int_equal(table_row(&t, 0)[COUNT_OF].number, 6);
		kept = table_row(&t, 0)[STACK].stack->frames;
		assert_int_equal(kept->offset, 3);
		assert_int_equal(kept->addr, 0x1003);
		table_free(&t);
	}
}

/* How many rows two stacks of a frame each are. */
static size_t rows_of(const struct frame *a, const struct frame *b)
{
	struct table t;
	size_t rows;

	table_init(&t, &layout);
	add(&t, 1, "a", 1, a, 1);
	add(&t, 2, "a", 1, b, 1);
	table_merge(&t);
	assert_int_equal(sum(&t, COUNT_OF), 3);
	rows = t.rows;
	table_free(&t);
	return rows;
}

static void frames_are_told_apart_by_what_is_known_of_them(void **state)
{
	const struct frame frame = { .name = work_name,
				     .module = program,
				     .file = source,
				     .line = 7,
				     .addr = 0x1000,
				     .offset = 4 };
	struct frame other = frame;

	(void)state;
	assert_int_equal(rows_of(&frame, &other), 1);
	other.addr = 0x1008;
	other.offset = 12;
	assert_int_equal(rows_of(&frame, &other), 1);
	other = frame;
	other.name = main_name;
	assert_int_equal(rows_of(&frame, &other), 2);
	other = frame;
	other.module = library;
	assert_int_equal(rows_of(&frame, &other), 2);
	other.module = NULL;
	assert_int_equal(rows_of(&frame, &other), 2);
	other = frame;
	other.file = other_source;
	assert_int_equal(rows_of(&frame, &other), 2);
	other.file = NULL;
	assert_int_equal(rows_of(&frame, &other), 2);
	other = frame;
	other.line = 8;
	assert_int_equal(rows_of(&frame, &other), 2);
}

static void frames_without_a_name_are_told_apart_by_their_addresses(void **state)
{
	const struct frame frame = { .module = library, .addr = 0x1000 };
	struct frame other = frame;

	(void)state;
	assert_int_equal(rows_of(&frame, &other), 1);
	other.addr = 0x1001;
	assert_int_equal(rows_of(&frame, &other), 2);
	/* Also in the upper half. */
	other.addr = 0x100001000;
	assert_int_equal(rows_of(&frame, &other), 2);
	other = frame;
	other.module = program;
	assert_int_equal(rows_of(&frame, &other), 2);
	other.module = NULL;
	assert_int_equal(rows_of(&frame, &other), 2);
	other = frame;
	other.name = work_name;
	assert_int_equal(rows_of(&frame, &other), 2);
}

static void what_is_inlined_is_another_stack(void **state)
{
	const struct frame inlined[] = {
		{ .name = work_name, .module = program, .inlined = true },
		{ .name = main_name, .module = program, .offset = 3 },
	};
	const struct frame alone[] = { { .name = main_name, .module = program, .offset = 3 } };
	struct table t;

	(void)state;
	table_init(&t, &layout);
	add(&t, 1, "a", 1, inlined, 2);
	add(&t, 2, "a", 1, alone, 1);
	add(&t, 4, "a", 1, inlined, 2);
	table_merge(&t);
	table_sort(&t, COUNT_OF);
	assert_int_equal(t.rows, 2);
	assert_int_equal(table_row(&t, 0)[COUNT_OF].number, 5);
	assert_true(table_row(&t, 0)[STACK].stack->frames[0].inlined);
	assert_int_equal(table_row(&t, 1)[COUNT_OF].number, 2);
	table_free(&t);
}

/* The last frame counts as much as the first, and so does their order. */
static void all_frames_count(void **state)
{
	const struct frame stacks[][3] = {
		{ { .name = work_name }, { .name = work_name }, { .name = main_name } },
		{ { .name = work_name }, { .name = work_name }, { .name = idle_name } },
		{ { .name = work_name }, { .name = main_name }, { .name = work_name } },
		{ { .name = main_name }, { .name = work_name }, { .name = work_name } },
	};
	struct table t;
	size_t i, round;

	(void)state;
	table_init(&t, &layout);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < COUNT(stacks); i++)
			add(&t, 1 + i, "a", 1, stacks[i], 3);
	}
	table_merge(&t);
	table_sort(&t, COUNT_OF);
	assert_int_equal(t.rows, 4);
	for (i = 0; i < 4; i++) {
		const struct cell *row = table_row(&t, i);
		unsigned int f;

		assert_int_equal(row[COUNT_OF].number, 3 * (4 - i));
		for (f = 0; f < 3; f++)
			assert_ptr_equal(row[STACK].stack->frames[f].name, stacks[3 - i][f].name);
	}
	table_free(&t);
}

static void what_is_not_there_is_a_value_of_its_own(void **state)
{
	const struct frame frame = { .name = work_name };
	struct cell *row;
	struct table t;
	size_t i, without = 0;

	(void)state;
	table_init(&t, &layout);
	add(&t, 1, "a", 0, &frame, 1);
	add(&t, 2, "", 1, &frame, 1);
	for (i = 0; i < 2; i++) {
		/* Nothing but a count, and all but the pid. */
		cell_number(&table_add(&t)[COUNT_OF], 10);
		row = add(&t, 100, "a", 0, &frame, 1);
		row[PID].set = false;
	}
	table_merge(&t);
	assert_int_equal(t.rows, 4);
	assert_int_equal(sum(&t, COUNT_OF), 223);
	for (i = 0; i < 4; i++) {
		const struct cell *cells = table_row(&t, i);

		if (!cells[COMM].set) {
			assert_int_equal(cells[COUNT_OF].number, 20);
			assert_false(cells[STACK].set || cells[PID].set);
			without++;
		} else if (!cells[PID].set) {
			assert_int_equal(cells[COUNT_OF].number, 200);
			without++;
		}
	}
	assert_int_equal(without, 2);
	table_free(&t);
}

static void without_rows_there_is_nothing_to_do(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, &layout);
	table_merge(&t);
	table_shares(&t);
	assert_int_equal(t.rows, 0);
	add(&t, 7, "a", 1, NULL, 0);
	table_merge(&t);
	assert_int_equal(t.rows, 1);
	assert_int_equal(table_row(&t, 0)[COUNT_OF].number, 7);
	table_clear(&t);
	table_merge(&t);
	assert_int_equal(t.rows, 0);
	table_free(&t);
}

static void a_merged_table_can_be_added_to_and_merged_again(void **state)
{
	const struct frame frame = { .name = work_name };
	struct table t;
	unsigned int round, i;

	(void)state;
	table_init(&t, &layout);
	for (round = 1; round < 6; round++) {
		for (i = 0; i < 20; i++)
			add(&t, 1, i % 2 ? "a" : "b", i % 4 / 2, &frame, 1);
		table_merge(&t);
		assert_int_equal(t.rows, 4);
		for (i = 0; i < 4; i++)
			assert_int_equal(table_row(&t, i)[COUNT_OF].number, 5 * round);
	}
	table_free(&t);
}

/* A layout of which nothing adds up: rows that are the same are still one. */
static void nothing_has_to_add_up(void **state)
{
	static const struct column plain[] = { { .name = "comm", .type = CELL_STRING } };
	static const struct layout plain_layout = LAYOUT(plain);
	struct table t;

	(void)state;
	table_init(&t, &plain_layout);
	cell_string(&table_add(&t)[0], "a");
	cell_string(&table_add(&t)[0], "b");
	cell_string(&table_add(&t)[0], "a");
	table_merge(&t);
	assert_int_equal(t.rows, 2);
	assert_int_equal(column_that_adds_up(&plain_layout), -1);
	table_free(&t);
}

#define ROWS 10000

/* A row as the second implementation has it. */
struct naive {
	uint64_t count, bytes, least, most, pid, heaviest, offset;
	char comm[8];
	struct frame frames[3];
	unsigned int frame_count;
};

static bool same(const struct naive *a, const struct naive *b)
{
	unsigned int i;

	if (strcmp(a->comm, b->comm) || a->pid != b->pid || a->frame_count != b->frame_count)
		return false;
	for (i = 0; i < a->frame_count; i++) {
		const struct frame *x = &a->frames[i], *y = &b->frames[i];

		if (x->name != y->name || x->module != y->module || x->line != y->line ||
		    (!x->name && x->addr != y->addr))
			return false;
	}
	return true;
}

static void draw(struct naive *row, size_t number)
{
	const char *const names[] = { main_name, work_name, idle_name, NULL };
	uint64_t random = random64();
	unsigned int i;

	memset(row, 0, sizeof(*row));
	/* No two are as heavy: the heaviest is known. */
	row->count = row->heaviest = (random64() % 1000) * ROWS + number;
	row->bytes = random64() >> 30;
	row->least = random64() >> 8;
	row->most = random64() >> 8;
	row->pid = random % 3;
	snprintf(row->comm, sizeof(row->comm), "c%u", (unsigned int)(random >> 8) % 3);
	row->frame_count = (random >> 16) % 4;
	row->offset = row->frame_count ? random64() % 100 : 0;
	for (i = 0; i < row->frame_count; i++, random = random64()) {
		row->frames[i].name = names[(random >> 24) % 4];
		row->frames[i].module = (random >> 32) % 4 ? program : library;
		row->frames[i].line = (random >> 40) % 4 ? 0 : 5;
		row->frames[i].addr = 0x1000 + (random >> 48) % 2;
		row->frames[i].offset = row->offset;
	}
}

/* Adds @row to the first of @rows that is the same, or behind them; returns how many there are. */
static size_t merge_naively(struct naive *rows, size_t count, const struct naive *row)
{
	struct naive *to;
	size_t i;

	for (i = 0; i < count && !same(&rows[i], row); i++)
		;
	to = &rows[i];
	if (i == count) {
		*to = *row;
		return count + 1;
	}
	to->count += row->count;
	to->bytes += row->bytes;
	to->least = row->least < to->least ? row->least : to->least;
	to->most = row->most > to->most ? row->most : to->most;
	if (row->heaviest > to->heaviest) {
		to->heaviest = row->heaviest;
		to->offset = row->offset;
	}
	return count;
}

static void add_naive(struct table *t, const struct naive *row)
{
	struct cell *cells = add(t, row->count, row->comm, row->pid, row->frames, row->frame_count);

	cells[BYTES].number = row->bytes;
	cells[LEAST].number = row->least;
	cells[MOST].number = row->most;
}

static void check_naive(const struct cell *cells, struct naive *rows, size_t count)
{
	struct naive key = { .pid = cells[PID].number };
	const struct callchain *chain = cells[STACK].stack;
	size_t i;

	strcpy(key.comm, cells[COMM].string);
	key.frame_count = chain->frame_count;
	if (chain->frame_count)
		memcpy(key.frames, chain->frames, chain->frame_count * sizeof(*chain->frames));
	for (i = 0; i < count && !same(&rows[i], &key); i++)
		;
	assert_true(i < count);
	assert_int_equal(cells[COUNT_OF].number, rows[i].count);
	assert_int_equal(cells[BYTES].number, rows[i].bytes);
	assert_int_equal(cells[LEAST].number, rows[i].least);
	assert_int_equal(cells[MOST].number, rows[i].most);
	if (chain->frame_count)
		assert_int_equal(chain->frames[0].offset, rows[i].offset);
	/* Each is found once. */
	rows[i].pid = UINT64_MAX;
}

static void it_merges_like_a_comparison_of_each_with_each(void **state)
{
	struct naive *rows = calloc(ROWS, sizeof(*rows)), row;
	uint64_t counts = 0, bytes = 0;
	size_t count = 0, i;
	struct table t;

	(void)state;
	assert_non_null(rows);
	table_init(&t, &layout);
	for (i = 0; i < ROWS; i++) {
		draw(&row, i);
		counts += row.count;
		bytes += row.bytes;
		add_naive(&t, &row);
		count = merge_naively(rows, count, &row);
	}
	/* Many alike, and many that are not. */
	assert_in_range(count, 500, ROWS / 2);
	table_merge(&t);
	assert_int_equal(t.rows, count);
	assert_int_equal(sum(&t, COUNT_OF), counts);
	assert_int_equal(sum(&t, BYTES), bytes);
	for (i = 0; i < t.rows; i++)
		check_naive(table_row(&t, i), rows, count);
	table_free(&t);
	free(rows);
}

static void percentages_are_rounded_to_two_digits(void **state)
{
	(void)state;
	assert_int_equal(percent(0, 7), 0);
	assert_int_equal(percent(7, 7), 100 * PERCENT_UNIT);
	assert_int_equal(percent(1, 3), 3333);
	assert_int_equal(percent(2, 3), 6667);
	assert_int_equal(percent(1, 20000), 1); /* 0.005 % */
	assert_int_equal(percent(1, 20001), 0);
	/* Of several CPUs' time, say. */
	assert_int_equal(percent(21, 10), 210 * PERCENT_UNIT);
	assert_int_equal(percent(UINT64_MAX, UINT64_MAX), 100 * PERCENT_UNIT);
	assert_int_equal(percent(UINT64_MAX / 4, UINT64_MAX), 25 * PERCENT_UNIT);
	/* Of nothing, nothing. */
	assert_int_equal(percent(0, 0), 0);
	assert_int_equal(percent(5, 0), 0);
}

static void shares_are_those_of_their_columns_sum(void **state)
{
	static const struct column shared[] = {
		{ .name = "size", .type = CELL_PERCENT, .share_of = 4 },
		{ .name = "count", .type = CELL_COUNT },
		{ .name = "count", .type = CELL_PERCENT, .share_of = 2 },
		{ .name = "size", .type = CELL_SIZE },
		{ .name = "alone", .type = CELL_PERCENT },
	};
	static const struct layout shared_layout = LAYOUT(shared);
	static const uint64_t numbers[][4] = {
		{ 0, 10, 1000, 0 },
		{ 5000, 20, 2000, 6 },
		{ 2500, 70, 7000, 3 },
		{ 2500, 0, 0, 3 },
	};
	struct table t;
	size_t i;

	(void)state;
	table_init(&t, &shared_layout);
	for (i = 0; i < COUNT(numbers); i++) {
		struct cell *row = table_add(&t);

		cell_number(&row[1], numbers[i][1]);
		if (numbers[i][3])
			cell_number(&row[3], numbers[i][3]);
	}
	table_shares(&t);
	for (i = 0; i < COUNT(numbers); i++) {
		assert_true(table_row(&t, i)[0].set && table_row(&t, i)[2].set);
		assert_int_equal(table_row(&t, i)[0].number, numbers[i][0]);
		assert_int_equal(table_row(&t, i)[2].number, numbers[i][2]);
		assert_false(table_row(&t, i)[4].set);
	}
	table_free(&t);
}

static void of_nothing_there_are_no_shares(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, &layout);
	add(&t, 0, "a", 1, NULL, 0);
	add(&t, 0, "b", 1, NULL, 0);
	table_shares(&t);
	assert_false(table_row(&t, 0)[SHARE].set);
	assert_false(table_row(&t, 1)[SHARE].set);
	table_free(&t);
}

static void columns_are_found(void **state)
{
	(void)state;
	assert_int_equal(column_of(&layout, CELL_STACK), STACK);
	assert_int_equal(column_of(&layout, CELL_COUNT), COUNT_OF);
	assert_int_equal(column_of(&layout, CELL_DURATION), LEAST);
	assert_int_equal(column_of(&layout, CELL_DIST), -1);
	assert_int_equal(column_that_adds_up(&layout), COUNT_OF);
}

/* Its memory is the table's: what leaks, the sanitizer tells. */
static void a_stack_belongs_to_its_table(void **state)
{
	const struct frame frame = { .name = work_name };
	struct table t;
	unsigned int i;

	(void)state;
	table_init(&t, &layout);
	for (i = 0; i < 3; i++)
		add(&t, 1, "a", i, &frame, 1);
	/* One that was never resolved. */
	cell_stack(&table_add(&t)[STACK], callchain_new(2, 3));
	table_clear(&t);
	add(&t, 1, "a", 1, &frame, 1);
	table_free(&t);
	callchain_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_that_are_the_same_become_one),
		cmocka_unit_test(the_heaviest_row_gives_the_offsets),
		cmocka_unit_test(frames_are_told_apart_by_what_is_known_of_them),
		cmocka_unit_test(frames_without_a_name_are_told_apart_by_their_addresses),
		cmocka_unit_test(what_is_inlined_is_another_stack),
		cmocka_unit_test(all_frames_count),
		cmocka_unit_test(what_is_not_there_is_a_value_of_its_own),
		cmocka_unit_test(without_rows_there_is_nothing_to_do),
		cmocka_unit_test(a_merged_table_can_be_added_to_and_merged_again),
		cmocka_unit_test(nothing_has_to_add_up),
		cmocka_unit_test(it_merges_like_a_comparison_of_each_with_each),
		cmocka_unit_test(percentages_are_rounded_to_two_digits),
		cmocka_unit_test(shares_are_those_of_their_columns_sum),
		cmocka_unit_test(of_nothing_there_are_no_shares),
		cmocka_unit_test(columns_are_found),
		cmocka_unit_test(a_stack_belongs_to_its_table),
	};

	return cmocka_run_group_tests_name("merging rows", tests, NULL, NULL);
}
