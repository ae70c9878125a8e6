// SPDX-License-Identifier: GPL-2.0-only
/* The functions on stacks: what they took themselves, and what with their callees. */
#include "helpers.h"

#include <stdlib.h>
#include <string.h>
#include "functions.h"

static const struct column columns[] = {
	{ .name = "comm", .type = CELL_STRING },
	{ .name = "stack", .type = CELL_STACK },
	{ .name = "sum", .type = CELL_DURATION, .adds_up = true },
};

static const struct layout layout = LAYOUT(columns);

/* Names and modules are kept once each; so they are here. */
static const char main_name[] = "main", work_name[] = "work", leaf_name[] = "leaf",
		  program[] = "/bin/program", library[] = "/lib/x86/library.so",
		  kernel[] = "[kernel]";

static void add(struct table *t, uint64_t weight, const struct frame *frames, unsigned int count)
{
	struct cell *row = table_add(t);

	cell_string(&row[0], "a");
	cell_stack(&row[1], chain_of(frames, count));
	cell_number(&row[2], weight);
}

/* A cell of the function @name in @module (NULL: without one). */
static const struct cell *find(const struct table *functions, const char *name, const char *module,
			       const char *column)
{
	const struct layout *l = functions->layout;
	unsigned int name_at = column_of(l, CELL_STRING), i;
	size_t row;

	assert_string_equal(l->columns[name_at].name, "name");
	assert_string_equal(l->columns[name_at + 1].name, "module");
	for (row = 0; row < functions->rows; row++) {
		const struct cell *cells = table_row(functions, row);

		if (strcmp(cells[name_at].string, name) || cells[name_at + 1].set != !!module ||
		    (module && strcmp(cells[name_at + 1].string, module)))
			continue;
		for (i = 0; i < l->count; i++) {
			if (l->columns[i].title && !strcmp(l->columns[i].title, column))
				return &cells[i];
		}
	}
	fail_msg("there is no %s of %s in %s", column, name, module ? module : "nothing");
	return NULL;
}

static void check(const struct table *functions, const char *name, const char *module,
		  uint64_t self, uint64_t total)
{
	assert_int_equal(find(functions, name, module, "self count")->number, self);
	assert_int_equal(find(functions, name, module, "total count")->number, total);
}

static void a_leaf_has_the_weight_and_its_callers_have_it_in_all(void **state)
{
	const struct frame frames[] = {
		{ .name = leaf_name, .module = program },
		{ .name = work_name, .module = program },
		{ .name = main_name, .module = program },
	};
	struct table rows, functions;

	(void)state;
	table_init(&rows, &layout);
	table_init(&functions, &functions_layout);
	add(&rows, 60, frames, 3);     /* leaf work main */
	add(&rows, 30, frames + 1, 2); /* work main */
	add(&rows, 10, frames + 2, 1); /* main */
	add(&rows, 100, frames, 1);    /* leaf */
	functions_fill(&functions, &rows);
	assert_int_equal(functions.rows, 3);
	check(&functions, "leaf", program, 160, 160);
	check(&functions, "work", program, 30, 90);
	check(&functions, "main", program, 10, 100);
	assert_int_equal(find(&functions, "leaf", program, "self")->number, 8000);
	assert_int_equal(find(&functions, "leaf", program, "total")->number, 8000);
	assert_int_equal(find(&functions, "work", program, "self")->number, 1500);
	assert_int_equal(find(&functions, "work", program, "total")->number, 4500);
	assert_int_equal(find(&functions, "main", program, "self")->number, 500);
	assert_int_equal(find(&functions, "main", program, "total")->number, 5000);
	table_free(&rows);
	table_free(&functions);
}

static void one_that_calls_itself_counts_once(void **state)
{
	const struct frame frames[] = {
		{ .name = work_name, .module = program, .addr = 1 },
		{ .name = work_name, .module = program, .addr = 2 },
		{ .name = main_name, .module = program },
		{ .name = work_name, .module = program, .addr = 3 },
	};
	struct table rows, functions;

	(void)state;
	table_init(&rows, &layout);
	table_init(&functions, &functions_layout);
	add(&rows, 7, frames, 4);
	add(&rows, 5, frames, 4);
	add(&rows, 1, frames + 2, 2);
	functions_fill(&functions, &rows);
	assert_int_equal(functions.rows, 2);
	check(&functions, "work", program, 12, 13);
	check(&functions, "main", program, 1, 13);
	table_free(&rows);
	table_free(&functions);
}

static void the_same_name_elsewhere_is_another_function(void **state)
{
	const struct frame frames[] = {
		{ .name = work_name, .module = program },
		{ .name = work_name, .module = library },
		{ .name = work_name },
		{ .name = work_name, .module = kernel, .kernel = true },
	};
	struct table rows, functions;

	(void)state;
	table_init(&rows, &layout);
	table_init(&functions, &functions_layout);
	add(&rows, 4, frames, 4);
	functions_fill(&functions, &rows);
	assert_int_equal(functions.rows, 4);
	check(&functions, "work", program, 4, 4);
	check(&functions, "work", library, 0, 4);
	check(&functions, "work", NULL, 0, 4);
	check(&functions, "work", kernel, 0, 4);
	table_free(&rows);
	table_free(&functions);
}

/* Of which only the place is known. */
static void what_has_no_name_is_told_by_its_module(void **state)
{
	const struct frame frames[] = {
		{ .module = library, .addr = 0x1000 },
		{ .module = library, .addr = 0x2000 },
		{ .module = program, .addr = 0x1000 },
		{ .module = kernel, .addr = 0x1000 },
		{ .addr = 0x3000 },
		{ .addr = 0x4000 },
	};
	struct table rows, functions;

	(void)state;
	table_init(&rows, &layout);
	table_init(&functions, &functions_layout);
	add(&rows, 4, frames, 6);
	add(&rows, 1, frames + 1, 5);
	functions_fill(&functions, &rows);
	assert_int_equal(functions.rows, 4);
	check(&functions, "[library.so]", library, 5, 5);
	check(&functions, "[program]", program, 0, 5);
	check(&functions, "[kernel]", kernel, 0, 5);
	check(&functions, "[unknown]", NULL, 0, 5);
	table_free(&rows);
	table_free(&functions);
}

/* The hottest first; of those that took the same, the ones that called more. */
static void the_order_is_by_self_then_by_total(void **state)
{
	static char names[40][8];
	struct table rows, functions;
	struct frame frames[41];
	unsigned int i, self = 0, total = 0;

	(void)state;
	table_init(&rows, &layout);
	table_init(&functions, &functions_layout);
	frames[40] = (struct frame){ .name = main_name };
	for (i = 0; i < 40; i++) {
		snprintf(names[i], sizeof(names[i]), "f%u", i);
		frames[i] = (struct frame){ .name = names[i] };
	}
	/* Each one takes as much as another one or two, and has been called by all behind it. */
	for (i = 0; i < 40; i++)
		add(&rows, 1 + i * 7 % 40 / 2, frames + i, 41 - i);
	functions_fill(&functions, &rows);
	assert_int_equal(functions.rows, 41);
	for (i = 0; i < functions_layout.count; i++) {
		const char *title = functions_layout.columns[i].title;

		if (title && !strcmp(title, "self count"))
			self = i;
		if (title && !strcmp(title, "total count"))
			total = i;
	}
	for (i = 1; i < functions.rows; i++) {
		const struct cell *before = table_row(&functions, i - 1),
				  *row = table_row(&functions, i);

		assert_true(row[self].number <= before[self].number);
		if (row[self].number == before[self].number)
			assert_true(row[total].number <= before[total].number);
	}
	assert_int_equal(table_row(&functions, 40)[self].number, 0);
	table_free(&rows);
	table_free(&functions);
}

static void without_stacks_there_are_no_functions(void **state)
{
	struct functions_hottest hottest;
	struct table rows, functions;

	(void)state;
	table_init(&rows, &layout);
	table_init(&functions, &functions_layout);
	functions_fill(&functions, &rows);
	assert_int_equal(functions.rows, 0);
	assert_false(functions_hottest(&rows, &hottest));
	/* A stack without frames, and one without weight. */
	add(&rows, 5, NULL, 0);
	functions_fill(&functions, &rows);
	assert_int_equal(functions.rows, 0);
	assert_false(functions_hottest(&rows, &hottest));
	add(&rows, 0, &(struct frame){ .name = main_name }, 1);
	functions_fill(&functions, &rows);
	assert_int_equal(functions.rows, 1);
	check(&functions, "main", NULL, 0, 0);
	table_free(&rows);
	table_free(&functions);
}

static void the_hottest_took_most_itself(void **state)
{
	const struct frame frames[] = {
		{ .name = leaf_name, .module = program },
		{ .name = work_name, .module = program },
		{ .name = main_name, .module = program },
	};
	struct functions_hottest hottest;
	struct table rows;

	(void)state;
	table_init(&rows, &layout);
	add(&rows, 10, frames, 3);
	add(&rows, 15, frames + 1, 2);
	add(&rows, 10, frames, 2);
	add(&rows, 5, frames + 2, 1);
	assert_true(functions_hottest(&rows, &hottest));
	assert_string_equal(hottest.name, "leaf");
	assert_int_equal(hottest.self, 20);
	assert_int_equal(hottest.all, 40);
	/* What has no name can be it too. */
	add(&rows, 100, &(struct frame){ .module = library, .addr = 0x1000 }, 1);
	assert_true(functions_hottest(&rows, &hottest));
	assert_string_equal(hottest.name, "[library.so]");
	assert_int_equal(hottest.self, 100);
	assert_int_equal(hottest.all, 140);
	table_free(&rows);
}

/* As many stacks and functions as make the tables grow, compared with simple sums. */
static void figures_are_those_of_simple_sums(void **state)
{
	enum {
		FUNCTIONS = 300,
		STACKS = 4000
	};
	static char names[FUNCTIONS][8];
	static uint64_t self[FUNCTIONS], total[FUNCTIONS];
	struct functions_hottest hottest;
	struct table rows, functions;
	uint64_t most = 0;
	unsigned int i, j;

	(void)state;
	table_init(&rows, &layout);
	table_init(&functions, &functions_layout);
	for (i = 0; i < FUNCTIONS; i++)
		snprintf(names[i], sizeof(names[i]), "f%u", i);
	for (i = 0; i < STACKS; i++) {
		unsigned int count = 1 + random64() % 30;
		uint64_t weight = random64() % 1000;
		bool there[FUNCTIONS] = {};
		struct frame frames[30] = {};

		for (j = 0; j < count; j++) {
			unsigned int f = random64() % FUNCTIONS;

			frames[j].name = names[f];
			self[f] += j ? 0 : weight;
			total[f] += there[f] ? 0 : weight;
			there[f] = true;
		}
		add(&rows, weight, frames, count);
	}
	functions_fill(&functions, &rows);
	assert_int_equal(functions.rows, FUNCTIONS);
	for (i = 0; i < FUNCTIONS; i++) {
		check(&functions, names[i], NULL, self[i], total[i]);
		most = self[i] > most ? self[i] : most;
	}
	assert_true(functions_hottest(&rows, &hottest));
	assert_int_equal(hottest.self, most);
	table_free(&rows);
	table_free(&functions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leaf_has_the_weight_and_its_callers_have_it_in_all),
		cmocka_unit_test(one_that_calls_itself_counts_once),
		cmocka_unit_test(the_same_name_elsewhere_is_another_function),
		cmocka_unit_test(what_has_no_name_is_told_by_its_module),
		cmocka_unit_test(the_order_is_by_self_then_by_total),
		cmocka_unit_test(without_stacks_there_are_no_functions),
		cmocka_unit_test(the_hottest_took_most_itself),
		cmocka_unit_test(figures_are_those_of_simple_sums),
	};

	return cmocka_run_group_tests_name("functions", tests, NULL, NULL);
}
