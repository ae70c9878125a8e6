// SPDX-License-Identifier: GPL-2.0-only
/*
 * Times, sizes and counts: expected values are computed in whole numbers of 128 bits, never in
 * floating point.
 */
#include "helpers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "quantity.h"

#define MINUTE (60 * NSEC_PER_SEC)

static void expect_time(const char *text, uint64_t bare, uint64_t expected)
{
	uint64_t ns = 1;
	int err = parse_time(text, bare, &ns);

	if (err || ns != expected)
		fail_msg("'%s' is %" PRIu64 " ns, but was taken for %" PRIu64 " (%d)", text,
			 expected, ns, err);
}

static void expect_size(const char *text, uint64_t expected)
{
	uint64_t bytes = 1;
	int err = parse_size(text, &bytes);

	if (err || bytes != expected)
		fail_msg("'%s' is %" PRIu64 " bytes, but was taken for %" PRIu64 " (%d)", text,
			 expected, bytes, err);
}

static void expect_refused(const char *what, const char *text, int err, int expected)
{
	if (err != expected)
		fail_msg("%s '%s' gives %d, not %d", what, text, err, expected);
}

static void times_have_units(void **state)
{
	(void)state;
	expect_time("250ns", 1000, 250);
	expect_time("250us", 1, 250000);
	expect_time("10ms", 1, 10000000);
	expect_time("3s", 1, 3000000000);
	expect_time("2m", 1, 2 * MINUTE);
	expect_time("0ns", 1, 0);
	expect_time("0m", 1, 0);
	expect_time("007us", 1, 7000);
}

static void bare_times_count_in_the_unit_that_the_caller_says(void **state)
{
	(void)state;
	expect_time("5", 1, 5);
	expect_time("5", NSEC_PER_MSEC, 5000000);
	expect_time("0.5", NSEC_PER_MSEC, 500000);
	expect_time("0", NSEC_PER_MSEC, 0);
	expect_time("1.25", NSEC_PER_SEC, 1250000000);
	/* A unit that is there wins. */
	expect_time("5us", NSEC_PER_SEC, 5000);
}

static void times_have_fractions(void **state)
{
	(void)state;
	expect_time("1.5s", 1, 1500000000);
	expect_time("1.5m", 1, 90 * NSEC_PER_SEC);
	expect_time("0.001ms", 1, 1000);
	expect_time("0.000000001s", 1, 1);
	expect_time("0.1us", 1, 100);
	expect_time("1.000000000000000000000000000000s", 1, NSEC_PER_SEC);
}

/* What has an exact answer is not off by one: each ns below 300 us, and samples of the rest. */
static void a_fraction_that_is_a_whole_number_of_ns_is_exact(void **state)
{
	const uint64_t ms = NSEC_PER_MSEC, s = NSEC_PER_SEC;
	char text[64];
	uint64_t n, ns;

	(void)state;
	for (n = 0; n < 200000; n++) {
		snprintf(text, sizeof(text), "%" PRIu64 ".%03" PRIu64 "us", n / 1000, n % 1000);
		expect_time(text, 1, n);
	}
	for (n = 0; n < 200000; n++) {
		ns = random64() >> (random64() % 60);
		snprintf(text, sizeof(text), "%" PRIu64 ".%06" PRIu64 "ms", ns / ms, ns % ms);
		expect_time(text, 1, ns);
		snprintf(text, sizeof(text), "%" PRIu64 ".%09" PRIu64, ns / s, ns % s);
		expect_time(text, NSEC_PER_SEC, ns);
	}
}

static void a_fraction_of_a_ns_is_off_by_less_than_one(void **state)
{
	char text[64];
	uint64_t ns, picoseconds;
	int i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		picoseconds = random64() >> (8 + random64() % 50);
		snprintf(text, sizeof(text), "%" PRIu64 ".%06" PRIu64 "us", picoseconds / 1000000,
			 picoseconds % 1000000);
		assert_int_equal(parse_time(text, 1, &ns), 0);
		assert_in_range(ns, picoseconds / 1000, (picoseconds + 999) / 1000);
	}
}

static void what_is_no_time_is_invalid(void **state)
{
	static const char *const texts[] = {
		"",	      "s",     "ns",	".",	".5",	".5s",	    "5.",    "5.s",
		"1.5.2",      "1..5",  "-1",	"-1s",	"+1",	"+1s",	    "-0",    " 1",
		"1 ",	      "1 s",   "1s ",	" 1s",	"0x10", "0x10s",    "1e3",   "1e3s",
		"1E3",	      "1p3",   "inf",	"INF",	"nan",	"infinity", "1S",    "1MS",
		"1Ms",	      "1h",    "1min",	"1sec", "1ss",	"1n",	    "1u",    "1k",
		"1,5s",	      "1_000", "1'000", "1s2",	"1m30", "1m30s",    "1.5.s", "ms10",
		"1\xc2\xb5s", "\t1",   "1\n",	"1s\n", "--1",	"%d",	    "1s,2s", "\xff",
	};
	uint64_t ns;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		expect_refused("the time", texts[i], parse_time(texts[i], 1, &ns), -EINVAL);
}

static void times_end_at_64_bits(void **state)
{
	uint64_t ns;
	static const char *const too_large[] = {
		"18446744073709551616",
		"18446744073709551616ns",
		"18446744073709551.616us",
		"18446744073709.551616ms",
		"18446744073.709551616s",
		"18446744074s",
		"307445735m",
		"99999999999999999999999999999999999999999999999999999s",
	};
	size_t i;

	(void)state;
	expect_time("18446744073709551615", 1, UINT64_MAX);
	expect_time("18446744073709551615ns", 1, UINT64_MAX);
	expect_time("18446744073709551614ns", 1, UINT64_MAX - 1);
	expect_time("9223372036854775807ns", 1, INT64_MAX);
	expect_time("9007199254740993ns", 1, 9007199254740993);
	expect_time("18446744073709551us", 1, 18446744073709551000ULL);
	expect_time("18446744073s", 1, 18446744073000000000ULL);
	expect_time("307445734m", 1, 307445734 * MINUTE);
	expect_time("18446744073709", NSEC_PER_MSEC, 18446744073709000000ULL);
	expect_time("18446744073709551.615us", 1, UINT64_MAX);
	expect_time("18446744073709.551615ms", 1, UINT64_MAX);
	expect_time("18446744073.709551615s", 1, UINT64_MAX);
	for (i = 0; i < sizeof(too_large) / sizeof(*too_large); i++)
		expect_refused("the time", too_large[i], parse_time(too_large[i], 1, &ns), -ERANGE);
	expect_refused("the time", "18446744073710 (ms)",
		       parse_time("18446744073710", NSEC_PER_MSEC, &ns), -ERANGE);
}

static void very_long_numbers_are_numbers(void **state)
{
	char text[6002];
	uint64_t ns;

	(void)state;
	memset(text, '9', sizeof(text));
	text[6000] = 0;
	assert_int_equal(parse_time(text, 1, &ns), -ERANGE);
	assert_int_equal(parse_size(text, &ns), -ERANGE);
	assert_int_equal(parse_count(text, &ns), -ERANGE);
	memset(text, '0', sizeof(text));
	strcpy(text + 6000, "7");
	expect_time(text, 1, 7);
	expect_size(text, 7);
	text[1] = '.';
	expect_time(text, NSEC_PER_SEC, 0);
}

static void sizes_have_units_of_powers_of_1024(void **state)
{
	static const char *const names[] = { "k", "M", "G", "T" };
	static const char *const behind[] = { "", "B", "iB" };
	uint64_t factor = 1024;
	unsigned int i, j;
	char text[64];

	(void)state;
	expect_size("0", 0);
	expect_size("4096", 4096);
	for (i = 0; i < 4; i++, factor *= 1024) {
		for (j = 0; j < 3; j++) {
			snprintf(text, sizeof(text), "3%s%s", names[i], behind[j]);
			expect_size(text, 3 * factor);
			snprintf(text, sizeof(text), "1.5%s%s", names[i], behind[j]);
			expect_size(text, factor + factor / 2);
		}
	}
}

static void what_is_no_size_is_invalid(void **state)
{
	static const char *const texts[] = {
		"",    "k",    "B",   ".5k",  "5.k", "1.5.2k", "-1k", "+1k", " 1k",
		"1 k", "1k ",  "0x1", "1e3k", "inf", "1m",     "1g",  "1t",  "1ib",
		"1Mb", "1MIB", "1kk", "1s",   "1P",  "1kiBB",  "1i",  "1iB", "1,5k",
	};
	uint64_t bytes;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		expect_refused("the size", texts[i], parse_size(texts[i], &bytes), -EINVAL);
}

static void sizes_end_at_64_bits(void **state)
{
	uint64_t bytes;

	(void)state;
	expect_size("18446744073709551615", UINT64_MAX);
	expect_size("16777215T", 16777215ULL << 40);
	expect_size("18014398509481983k", 18014398509481983ULL << 10);
	expect_refused("the size", "2^64", parse_size("18446744073709551616", &bytes), -ERANGE);
	expect_refused("the size", "2^64", parse_size("16777216T", &bytes), -ERANGE);
	expect_refused("the size", "2^64", parse_size("18014398509481984k", &bytes), -ERANGE);
}

static void counts_are_whole_decimal_numbers(void **state)
{
	static const char *const bad[] = { "",	  " ",	 "-1",	"+1", "-0",  "1.0", "1.",
					   "1k",  "0x1", "1e3", " 1", "1 ",  "1,",  "1,000",
					   "inf", "a1",	 "1a",	"\n", "1\n", "½" };
	uint64_t count;
	size_t i;

	(void)state;
	assert_int_equal(parse_count("0", &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(parse_count("1234567", &count), 0);
	assert_int_equal(count, 1234567);
	assert_int_equal(parse_count("0010", &count), 0);
	assert_int_equal(count, 10);
	assert_int_equal(parse_count("18446744073709551615", &count), 0);
	assert_true(count == UINT64_MAX);
	assert_int_equal(parse_count("18446744073709551616", &count), -ERANGE);
	assert_int_equal(parse_count("99999999999999999999999", &count), -ERANGE);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		expect_refused("the count", bad[i], parse_count(bad[i], &count), -EINVAL);
}

/* Whatever happened before. */
static void an_old_errno_does_not_matter(void **state)
{
	uint64_t count;

	(void)state;
	errno = ERANGE;
	assert_int_equal(parse_count("1", &count), 0);
	errno = ERANGE;
	assert_int_equal(parse_time("1s", 1, &count), 0);
}

struct scale {
	const char *name;
	uint64_t factor;
};

static const struct scale time_scales[] = {
	{ "ns", 1 }, { "us", NSEC_PER_USEC }, { "ms", NSEC_PER_MSEC }, { "s", NSEC_PER_SEC }, {},
};

static const struct scale size_scales[] = {
	{ "B", 1 },
	{ "KiB", 1ULL << 10 },
	{ "MiB", 1ULL << 20 },
	{ "GiB", 1ULL << 30 },
	{ "TiB", 1ULL << 40 },
	{},
};

/*
 * Is @text what quantity.h promises for @value: the nearest number with its digits, in the largest
 * unit that leaves at least 1, with four significant digits?
 */
static const char *what_is_wrong(const char *text, uint64_t value, const struct scale *scales)
{
	const struct scale *s = scales;
	unsigned __int128 printed = 0, exact, off, ten = 1;
	unsigned int digits = 0;
	bool behind_point = false;
	const char *p;

	for (p = text; (*p >= '0' && *p <= '9') || *p == '.'; p++) {
		if (*p == '.') {
			behind_point = true;
			continue;
		}
		printed = 10 * printed + (*p - '0');
		digits += printed > 0;
		if (behind_point)
			ten *= 10;
	}
	if (p == text || *p++ != ' ')
		return "is not a number, a space and a unit";
	while (s->name && strcmp(s->name, p))
		s++;
	if (!s->name)
		return "has an unknown unit";

	exact = (unsigned __int128)value * ten;
	off = printed * s->factor > exact ? printed * s->factor - exact
					  : exact - printed * s->factor;
	/* Half of the last digit, and what a double is off. */
	if (2 * off > s->factor + (exact >> 50))
		return "is not the nearest such number";
	if (s == scales)
		return ten == 1 && (!s[1].name || value < s[1].factor)
			       ? NULL
			       : "should be a whole number below the next unit";
	if (printed < ten)
		return "is less than 1";
	if (s[1].name && printed * s->factor >= ten * s[1].factor)
		return "should have the next unit";
	if (digits != 4 && (digits < 4 || s[1].name))
		return "has not four significant digits";
	return NULL;
}

static void check_printed(uint64_t value, const char *(*format)(char *, uint64_t),
			  const struct scale *scales)
{
	char buf[QUANTITY_LEN];
	const char *text = format(buf, value), *wrong;

	assert_ptr_equal(text, buf);
	wrong = what_is_wrong(text, value, scales);
	if (wrong)
		fail_msg("%" PRIu64 " is printed as '%s', which %s", value, text, wrong);
}

static void check_all_printed(const char *(*format)(char *, uint64_t), const struct scale *scales)
{
	const struct scale *s;
	uint64_t i, near;

	for (i = 0; i < 1100000; i += i < 20000 ? 1 : 13)
		check_printed(i, format, scales);
	for (s = scales; s->name; s++) {
		for (near = 1; near <= 10000; near *= 10) {
			for (i = 0; i < 3000; i++) {
				uint64_t step = s->factor / 1000 ? s->factor / 1000 : 1;

				check_printed(near * s->factor + i - 1500, format, scales);
				check_printed(near * s->factor + i * step / 10, format, scales);
				check_printed(near * s->factor - i * step / 10, format, scales);
			}
		}
	}
	for (i = 0; i < 300000; i++)
		check_printed(random64() >> random64() % 64, format, scales);
	check_printed(UINT64_MAX, format, scales);
}

static void times_are_printed_with_four_digits_in_the_largest_unit(void **state)
{
	char buf[QUANTITY_LEN];

	(void)state;
	assert_string_equal(format_time(buf, 0), "0 ns");
	assert_string_equal(format_time(buf, 1), "1 ns");
	assert_string_equal(format_time(buf, 999), "999 ns");
	assert_string_equal(format_time(buf, 1000), "1.000 us");
	assert_string_equal(format_time(buf, 1234), "1.234 us");
	assert_string_equal(format_time(buf, 9999), "9.999 us");
	assert_string_equal(format_time(buf, 10000), "10.00 us");
	assert_string_equal(format_time(buf, 99994), "99.99 us");
	assert_string_equal(format_time(buf, 99996), "100.0 us");
	assert_string_equal(format_time(buf, 999949), "999.9 us");
	assert_string_equal(format_time(buf, 999951), "1.000 ms");
	assert_string_equal(format_time(buf, 9999600), "10.00 ms");
	assert_string_equal(format_time(buf, 999960000), "1.000 s");
	assert_string_equal(format_time(buf, 59999000000), "60.00 s");
	assert_string_equal(format_time(buf, 999900000000), "999.9 s");
	check_all_printed(format_time, time_scales);
}

static void sizes_are_printed_with_four_digits_in_the_largest_unit(void **state)
{
	char buf[QUANTITY_LEN];

	(void)state;
	assert_string_equal(format_size(buf, 0), "0 B");
	assert_string_equal(format_size(buf, 999), "999 B");
	assert_string_equal(format_size(buf, 1023), "1023 B");
	assert_string_equal(format_size(buf, 1024), "1.000 KiB");
	assert_string_equal(format_size(buf, 1536), "1.500 KiB");
	assert_string_equal(format_size(buf, 4096), "4.000 KiB");
	assert_string_equal(format_size(buf, 102400), "100.0 KiB");
	assert_string_equal(format_size(buf, 5ULL << 30), "5.000 GiB");
	check_all_printed(format_size, size_scales);
}

static void bounds_are_times_without_zeros_behind_the_point(void **state)
{
	char bound[QUANTITY_LEN], expected[QUANTITY_LEN], unit[8];
	uint64_t ns;
	int i;

	(void)state;
	assert_string_equal(format_bound(bound, 0), "0 ns");
	assert_string_equal(format_bound(bound, 512000), "512 us");
	assert_string_equal(format_bound(bound, 544000), "544 us");
	assert_string_equal(format_bound(bound, 1500), "1.5 us");
	assert_string_equal(format_bound(bound, 1000000), "1 ms");
	assert_string_equal(format_bound(bound, 100000000), "100 ms");
	for (i = 0; i < 300000; i++) {
		ns = i < 110000 ? (uint64_t)i * 10 : random64() >> random64() % 64;
		format_time(expected, ns);
		snprintf(unit, sizeof(unit), "%s", strchr(expected, ' '));
		*strchr(expected, ' ') = 0;
		if (strchr(expected, '.')) {
			while (expected[strlen(expected) - 1] == '0')
				expected[strlen(expected) - 1] = 0;
			if (expected[strlen(expected) - 1] == '.')
				expected[strlen(expected) - 1] = 0;
		}
		strcat(expected, unit);
		if (strcmp(format_bound(bound, ns), expected))
			fail_msg("the bound %" PRIu64 " is '%s', not '%s'", ns, bound, expected);
	}
}

static void counts_are_grouped_by_thousands(void **state)
{
	char buf[QUANTITY_LEN], *from, *to;
	uint64_t count, back;
	int i;

	(void)state;
	assert_string_equal(format_count(buf, 0), "0");
	assert_string_equal(format_count(buf, 12), "12");
	assert_string_equal(format_count(buf, 999), "999");
	assert_string_equal(format_count(buf, 1000), "1,000");
	assert_string_equal(format_count(buf, 12345), "12,345");
	assert_string_equal(format_count(buf, 100000), "100,000");
	assert_string_equal(format_count(buf, 1234567), "1,234,567");
	assert_string_equal(format_count(buf, UINT64_MAX), "18,446,744,073,709,551,615");
	for (i = 0; i < 10000; i++) {
		count = random64() >> random64() % 64;
		format_count(buf, count);
		for (from = to = buf; *from; from++) {
			if (*from == ',')
				assert_int_equal(strcspn(from + 1, ","), 3);
			else
				*to++ = *from;
		}
		*to = 0;
		assert_int_equal(parse_count(buf, &back), 0);
		assert_true(back == count);
	}
}

static void numbers_below_0_have_a_sign_before_their_groups(void **state)
{
	char buf[QUANTITY_LEN];

	(void)state;
	assert_string_equal(format_number(buf, 0), "0");
	assert_string_equal(format_number(buf, 1234), "1,234");
	assert_string_equal(format_number(buf, -1), "-1");
	assert_string_equal(format_number(buf, -123), "-123");
	assert_string_equal(format_number(buf, -1000), "-1,000");
	assert_string_equal(format_number(buf, INT64_MAX), "9,223,372,036,854,775,807");
	assert_string_equal(format_number(buf, INT64_MIN), "-9,223,372,036,854,775,808");
}

/* Without the space that people like. */
static void squeeze(char *text)
{
	char *space = strchr(text, ' ');

	assert_non_null(space);
	memmove(space, space + 1, strlen(space));
}

static void what_is_printed_can_be_read_back(void **state)
{
	char buf[QUANTITY_LEN];
	uint64_t value, back, off;
	int i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		value = random64() >> (1 + random64() % 63);
		format_time(buf, value);
		squeeze(buf);
		assert_int_equal(parse_time(buf, 12345, &back), 0);
		off = back > value ? back - value : value - back;
		assert_true(off <= (value < 1000 ? 0 : value / 2000 + 1));
		format_bound(buf, value);
		squeeze(buf);
		assert_int_equal(parse_time(buf, 12345, &back), 0);
		off = back > value ? back - value : value - back;
		assert_true(off <= (value < 1000 ? 0 : value / 2000 + 1));
		format_size(buf, value);
		squeeze(buf);
		assert_int_equal(parse_size(buf, &back), 0);
		off = back > value ? back - value : value - back;
		assert_true(off <= (value < 1000 ? 0 : value / 1990 + 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_have_units),
		cmocka_unit_test(bare_times_count_in_the_unit_that_the_caller_says),
		cmocka_unit_test(times_have_fractions),
		cmocka_unit_test(a_fraction_that_is_a_whole_number_of_ns_is_exact),
		cmocka_unit_test(a_fraction_of_a_ns_is_off_by_less_than_one),
		cmocka_unit_test(what_is_no_time_is_invalid),
		cmocka_unit_test(times_end_at_64_bits),
		cmocka_unit_test(very_long_numbers_are_numbers),
		cmocka_unit_test(sizes_have_units_of_powers_of_1024),
		cmocka_unit_test(what_is_no_size_is_invalid),
		cmocka_unit_test(sizes_end_at_64_bits),
		cmocka_unit_test(counts_are_whole_decimal_numbers),
		cmocka_unit_test(an_old_errno_does_not_matter),
		cmocka_unit_test(times_are_printed_with_four_digits_in_the_largest_unit),
		cmocka_unit_test(sizes_are_printed_with_four_digits_in_the_largest_unit),
		cmocka_unit_test(bounds_are_times_without_zeros_behind_the_point),
		cmocka_unit_test(counts_are_grouped_by_thousands),
		cmocka_unit_test(numbers_below_0_have_a_sign_before_their_groups),
		cmocka_unit_test(what_is_printed_can_be_read_back),
	};

	return cmocka_run_group_tests_name("quantities", tests, NULL, NULL);
}
