// SPDX-License-Identifier: GPL-2.0-only
/* Names that tracepoints have for the values of their fields. */
#include "helpers.h"

#include <stdio.h>
#include <string.h>
#include "events/value_names.h"

static struct value_names names;

static void read_from(const char *format, const char *field)
{
	value_names_free(&names);
	value_names_parse(&names, format, field);
}

static int forget(void **state)
{
	(void)state;
	value_names_free(&names);
	return 0;
}

static const char *const softirq =
	"print fmt: \"vec=%u [action=%s]\", REC->vec, __print_symbolic(REC->vec, { 0, \"HI\" }, { 1, "
	"\"TIMER\" }, { 9, \"RCU\" })\n";

static void values_have_the_names_of_the_format(void **state)
{
	(void)state;
	read_from(softirq, "vec");
	assert_int_equal(names.count, 3);
	assert_string_equal(value_name(&names, 0), "HI");
	assert_string_equal(value_name(&names, 9), "RCU");
	assert_null(value_name(&names, 2));
}

static void other_fields_have_none(void **state)
{
	(void)state;
	read_from(softirq, "ve");
	assert_int_equal(names.count, 0);
	read_from(softirq, "vector");
	assert_int_equal(names.count, 0);
	read_from(softirq, "");
	assert_int_equal(names.count, 0);
	assert_null(value_name(&names, 0));
}

static void the_second_of_several_fields_is_found(void **state)
{
	(void)state;
	read_from("print fmt: \"%s %s\", __print_symbolic(REC->a, {1,\"one\"}), "
		  "__print_symbolic(REC->b, {0x10,\"sixteen\"}, { -6ULL, \"minus six\" })",
		  "b");
	assert_int_equal(names.count, 2);
	assert_string_equal(value_name(&names, 16), "sixteen");
	assert_string_equal(value_name(&names, -6), "minus six");
}

static void names_that_are_not_all_known_are_none(void **state)
{
	static const char *const formats[] = {
		"__print_symbolic(REC->a, { 1, \"one\" }, { SOME_CONSTANT, \"two\" })",
		"__print_symbolic(REC->a, { 1, \"one\" }, { 1 << 2, \"two\" })",
		"__print_symbolic(REC->a, { 1, \"one\" }, { 2, two })",
		"__print_symbolic(REC->a, { 1, \"one\" }",
		"__print_symbolic(REC->a, { 1, \"one\" },",
		"__print_symbolic(REC->a, { 1, \"one",
		"__print_symbolic(REC->a, { 1",
		"__print_symbolic(REC->a, { ",
		"__print_symbolic(REC->a, ",
		"__print_symbolic(REC->a & 3, { 1, \"one\" })",
		"__print_symbolic((REC->a), { 1, \"one\" })",
		"__print_flags(REC->a, \"|\", { 1, \"one\" })",
		"",
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(formats); i++) {
		read_from(formats[i], "a");
		if (names.count)
			fail_msg("'%s' has names", formats[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(values_have_the_names_of_the_format, forget),
		cmocka_unit_test_teardown(other_fields_have_none, forget),
		cmocka_unit_test_teardown(the_second_of_several_fields_is_found, forget),
		cmocka_unit_test_teardown(names_that_are_not_all_known_are_none, forget),
	};

	return cmocka_run_group_tests_name("names of values", tests, NULL, NULL);
}
