// SPDX-License-Identifier: GPL-2.0-only
/* Tables, whose memory the leak checker watches. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "table.h"

enum {
	NAME,
	NUMBER,
	DIST,
	PARTS
};

static const struct column part_columns[] = {
	{ .name = "part", .type = CELL_STRING },
	{ .name = "size", .type = CELL_SIZE },
};

static const struct layout part_layout = LAYOUT(part_columns);

static const struct column columns[] = {
	[NAME] = { .name = "name", .type = CELL_STRING },
	[NUMBER] = { .name = "number", .type = CELL_COUNT },
	[DIST] = { .name = "dist", .type = CELL_DIST },
	[PARTS] = { .name = "parts", .type = CELL_TABLE, .layout = &part_layout },
};

static const struct layout layout = LAYOUT(columns);

static void add_full_row(struct table *t, unsigned int number)
{
	struct hist h = { .count = 1, .sum = 1000 - number, .min = 1, .max = 1 };
	struct cell *row = table_add(t), *part;
	char name[32];

	snprintf(name, sizeof(name), "row %u", number);
	cell_string(&row[NAME], name);
	cell_number(&row[NUMBER], number);
	cell_dist(&row[DIST], &h);
	part = table_add(cell_table(&row[PARTS], &part_layout));
	cell_string(&part[0], name);
	cell_number(&part[1], number);
	/* What the cells have been filled from is not theirs. */
	memset(name, 'x', sizeof(name) - 1);
	memset(&h, 0xff, sizeof(h));
}

static void check_full_row(const struct cell *row, unsigned int number)
{
	char name[32];

	snprintf(name, sizeof(name), "row %u", number);
	assert_true(row[NAME].set && row[NUMBER].set && row[DIST].set && row[PARTS].set);
	assert_string_equal(row[NAME].string, name);
	assert_int_equal(row[NUMBER].number, number);
	assert_int_equal(row[DIST].dist->sum, 1000 - number);
	assert_int_equal(row[PARTS].table->rows, 1);
	assert_string_equal(table_row(row[PARTS].table, 0)[0].string, name);
}

static void rows_keep_what_they_were_given(void **state)
{
	struct table t;
	unsigned int i;

	(void)state;
	table_init(&t, &layout);
	assert_int_equal(t.rows, 0);
	for (i = 0; i < 300; i++)
		add_full_row(&t, i);
	assert_int_equal(t.rows, 300);
	for (i = 0; i < 300; i++)
		check_full_row(table_row(&t, i), i);
	table_free(&t);
}

static void a_new_row_has_no_values(void **state)
{
	const struct cell *row;
	struct table t;
	unsigned int i;

	(void)state;
	table_init(&t, &layout);
	for (i = 0; i < 5; i++)
		add_full_row(&t, i);
	table_clear(&t);
	for (i = 0; i < 10; i++) {
		row = table_add(&t);
		assert_false(row[NAME].set || row[NUMBER].set || row[DIST].set || row[PARTS].set);
	}
	table_free(&t);
}

static void a_cleared_table_can_be_filled_again(void **state)
{
	struct table t;
	unsigned int i;

	(void)state;
	table_init(&t, &layout);
	for (i = 0; i < 9; i++)
		add_full_row(&t, i);
	table_clear(&t);
	assert_int_equal(t.rows, 0);
	for (i = 20; i < 40; i++)
		add_full_row(&t, i);
	assert_int_equal(t.rows, 20);
	check_full_row(table_row(&t, 0), 20);
	check_full_row(table_row(&t, 19), 39);
	table_free(&t);
	/* A second time, and a table that never had a row. */
	table_free(&t);
	table_init(&t, &layout);
	table_free(&t);
}

static void a_comm_need_not_end_with_a_nul(void **state)
{
	const char full[COMM_LEN] = { 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h',
				      'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p' };
	const char usual[COMM_LEN] = "nginx\0garbage";
	struct cell *row;
	struct table t;

	(void)state;
	table_init(&t, &layout);
	row = table_add(&t);
	cell_comm(&row[NAME], full);
	assert_string_equal(row[NAME].string, "abcdefghijklmnop");
	row = table_add(&t);
	cell_comm(&row[NAME], usual);
	assert_string_equal(row[NAME].string, "nginx");
	table_free(&t);
}

static void check_order(const struct table *t, const unsigned int *order, unsigned int count)
{
	unsigned int i;

	assert_int_equal(t->rows, count);
	for (i = 0; i < count; i++)
		check_full_row(table_row(t, i), order[i]);
}

static void rows_behind_a_number_can_be_cut_off(void **state)
{
	static const unsigned int first[] = { 5, 900 };
	struct table t;

	(void)state;
	table_init(&t, &layout);
	table_cut(&t, 3);
	assert_int_equal(t.rows, 0);
	add_full_row(&t, 5);
	add_full_row(&t, 900);
	add_full_row(&t, 17);
	table_cut(&t, 4);
	assert_int_equal(t.rows, 3);
	table_cut(&t, 2);
	check_order(&t, first, 2);
	add_full_row(&t, 1);
	assert_int_equal(t.rows, 3);
	table_cut(&t, 0);
	assert_int_equal(t.rows, 0);
	table_free(&t);
}

static void sorting_puts_the_largest_first_and_keeps_rows_together(void **state)
{
	static const unsigned int numbers[] = { 5, 900, 0, 17, 16, 899, 1 };
	static const unsigned int by_number[] = { 900, 899, 17, 16, 5, 1, 0 };
	static const unsigned int by_sum[] = { 0, 1, 5, 16, 17, 899, 900 };
	struct table t;
	unsigned int i;

	(void)state;
	table_init(&t, &layout);
	table_sort(&t, NUMBER);
	assert_int_equal(t.rows, 0);
	for (i = 0; i < 7; i++)
		add_full_row(&t, numbers[i]);
	table_sort(&t, NUMBER);
	check_order(&t, by_number, 7);
	table_sort(&t, DIST);
	check_order(&t, by_sum, 7);
	table_free(&t);
}

static void numbers_are_compared_in_all_their_64_bits(void **state)
{
	static const uint64_t numbers[] = { 1,		UINT64_MAX, 1ULL << 63, (1ULL << 32) + 1,
					    1ULL << 32, 2,	    0 };
	static const uint64_t sorted[] = { UINT64_MAX, 1ULL << 63, (1ULL << 32) + 1, 1ULL << 32, 2,
					   1,	       0 };
	struct table t;
	unsigned int i;

	(void)state;
	table_init(&t, &layout);
	for (i = 0; i < 7; i++)
		cell_number(&table_add(&t)[NUMBER], numbers[i]);
	table_sort(&t, NUMBER);
	for (i = 0; i < 7; i++)
		assert_true(table_row(&t, i)[NUMBER].number == sorted[i]);
	table_free(&t);
}

static void rows_without_the_value_come_last(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, &layout);
	table_add(&t);
	add_full_row(&t, 3);
	table_add(&t);
	add_full_row(&t, 4);
	table_sort(&t, NUMBER);
	check_full_row(table_row(&t, 0), 4);
	check_full_row(table_row(&t, 1), 3);
	assert_false(table_row(&t, 2)[NUMBER].set);
	table_sort(&t, DIST);
	check_full_row(table_row(&t, 0), 3);
	check_full_row(table_row(&t, 1), 4);
	assert_false(table_row(&t, 3)[DIST].set);
	table_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_keep_what_they_were_given),
		cmocka_unit_test(a_new_row_has_no_values),
		cmocka_unit_test(a_cleared_table_can_be_filled_again),
		cmocka_unit_test(a_comm_need_not_end_with_a_nul),
		cmocka_unit_test(rows_behind_a_number_can_be_cut_off),
		cmocka_unit_test(sorting_puts_the_largest_first_and_keeps_rows_together),
		cmocka_unit_test(numbers_are_compared_in_all_their_64_bits),
		cmocka_unit_test(rows_without_the_value_come_last),
	};

	return cmocka_run_group_tests_name("tables", tests, NULL, NULL);
}
