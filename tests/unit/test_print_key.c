// SPDX-License-Identifier: GPL-2.0-only
/* printkey=: what printf() prints of a number, with formats that can do no harm. */
#include "helpers.h"

#include <stdio.h>
#include <string.h>
#include "events/print_key.h"

static void check(const char *text, uint64_t number, const char *expected)
{
	char printed[PRINTED_KEY];

	assert_null(print_key_check(text));
	assert_string_equal(print_key(printed, text, number, sizeof(number)), expected);
}

static void keys_are_printed_as_printf_does(void **state)
{
	(void)state;
	check("%d", 42, "42");
	check("%d", -7, "-7");
	check("%i", INT64_MIN, "-9223372036854775808");
	check("%u", UINT64_MAX, "18446744073709551615");
	check("%x", UINT64_MAX, "ffffffffffffffff");
	check("%#X", 0xbeef, "0XBEEF");
	check("%#o", 8, "010");
	check("%c", 'k', "k");
	check("%6d|", 42, "    42|");
	check("%-6d|", 42, "42    |");
	check("%06.3d", 42, "   042");
	check("%+d", 42, "+42");
}

static void what_stands_around_stays(void **state)
{
	(void)state;
	check("vector %d of 10", 3, "vector 3 of 10");
	check("%%%d%%", 3, "%3%");
	check("%d%%d", 3, "3%d");
}

static void how_long_the_number_is_does_not_matter(void **state)
{
	(void)state;
	check("%ld", -5, "-5");
	check("%lld", 1ULL << 40, "1099511627776");
	check("%hhx", 0x12345, "12345");
	check("%zu", 9, "9");
}

static void without_a_sign_numbers_are_as_wide_as_their_type(void **state)
{
	char printed[PRINTED_KEY];

	(void)state;
	assert_string_equal(print_key(printed, "%x", (uint64_t)-5, 4), "fffffffb");
	assert_string_equal(print_key(printed, "%u", (uint64_t)-5, 2), "65531");
	assert_string_equal(print_key(printed, "%o", (uint64_t)-1, 1), "377");
	assert_string_equal(print_key(printed, "%d", (uint64_t)-5, 4), "-5");
	assert_string_equal(print_key(printed, "%x", (uint64_t)-5, 8), "fffffffffffffffb");
}

static void a_call_of_printf_is_the_same(void **state)
{
	(void)state;
	check("printf(\"%d\", key)", 4, "4");
	check("printf(\"<%04x>\",key)", 4, "<0004>");
}

static void what_is_no_such_format_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"text",
		"%",
		"100%",
		"%%",
		"%s",
		"%n",
		"%p",
		"%f",
		"%d %d",
		"%d %s",
		"%*d",
		"%1$d",
		"%l",
		"%123456789d",
		"%.99999999d",
		"printf(",
		"printf(\"",
		"printf(\"%d",
		"printf(\"%d\"",
		"printf(\"%d\")",
		"printf(\"%d\", pid)",
		"printf(\"%d\", key",
		"printf(\"%d\", key) ",
		"printf(%d, key)",
		"printf(\"%s\", key)",
		"printf(\"%d\" key)",
		"printf(\"%d\"key)",
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		if (!print_key_check(bad[i]))
			fail_msg("'%s' is accepted", bad[i]);
	}
}

static void what_is_too_long_is_cut_off(void **state)
{
	char text[400], printed[PRINTED_KEY];

	(void)state;
	memset(text, 'x', sizeof(text));
	strcpy(text + 390, "%d");
	assert_null(print_key_check(text));
	assert_int_equal(strlen(print_key(printed, text, 5, 8)), PRINTED_KEY - 1);
	memcpy(text, "%99999d", 7);
	strcpy(text + 390, "end");
	assert_null(print_key_check(text));
	assert_int_equal(strlen(print_key(printed, text, 5, 8)), PRINTED_KEY - 1);
}

/* No text has more printed than there is room for, or read what is not there. */
static void any_text_is_a_format_or_refused(void **state)
{
	static const char *const parts[] = { "%",  "d",	   "x", "c",  "%%", "printf(", "\"",
					     ", ", "key)", "#", "99", ".",  "ll",      "z",
					     "s",  "*",	   "$", "-",  " ",  "key" };
	char text[128], printed[PRINTED_KEY];
	unsigned int i, words, accepted = 0;

	(void)state;
	for (i = 0; i < 200000; i++) {
		text[0] = 0;
		for (words = random64() % 8; words; words--)
			strcat(text, parts[random64() % COUNT(parts)]);
		if (print_key_check(text))
			continue;
		accepted++;
		assert_true(strlen(print_key(printed, text, random64(), random64() % 8 + 1)) <
			    PRINTED_KEY);
	}
	assert_true(accepted > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_printed_as_printf_does),
		cmocka_unit_test(what_stands_around_stays),
		cmocka_unit_test(how_long_the_number_is_does_not_matter),
		cmocka_unit_test(without_a_sign_numbers_are_as_wide_as_their_type),
		cmocka_unit_test(a_call_of_printf_is_the_same),
		cmocka_unit_test(what_is_no_such_format_is_refused),
		cmocka_unit_test(what_is_too_long_is_cut_off),
		cmocka_unit_test(any_text_is_a_format_or_refused),
	};

	return cmocka_run_group_tests_name("printed keys", tests, NULL, NULL);
}
