// SPDX-License-Identifier: GPL-2.0-only
/* Times of day. Instants are from `date -u -d @SECONDS`; zones are rules of TZ, not files. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "clock.h"

#define SECOND 1000000000ULL

static void check_utc(uint64_t wall, const char *expected)
{
	char buf[CLOCK_LEN];
	const char *text = clock_utc(buf, wall);

	assert_ptr_equal(text, buf);
	assert_string_equal(text, expected);
}

static void check_local(const char *zone, uint64_t wall, const char *expected)
{
	char buf[CLOCK_LEN];

	setenv("TZ", zone, 1);
	tzset();
	assert_string_equal(clock_local(buf, wall), expected);
	assert_string_equal(buf, expected);
}

static void known_instants_have_their_utc(void **state)
{
	(void)state;
	setenv("TZ", "EST5", 1);
	tzset();
	check_utc(0, "1970-01-01T00:00:00.000000Z");
	check_utc(1767323045678901234ULL, "2026-01-02T03:04:05.678901Z");
	check_utc(951782400 * SECOND, "2000-02-29T00:00:00.000000Z");
	check_utc(951868799 * SECOND, "2000-02-29T23:59:59.000000Z");
	check_utc(2147483648 * SECOND, "2038-01-19T03:14:08.000000Z");
	check_utc(4102444800 * SECOND, "2100-01-01T00:00:00.000000Z");
	check_utc(UINT64_MAX, "2554-07-21T23:34:33.709551Z");
}

static void microseconds_are_rounded_down(void **state)
{
	(void)state;
	check_utc(1, "1970-01-01T00:00:00.000000Z");
	check_utc(999, "1970-01-01T00:00:00.000000Z");
	check_utc(1000, "1970-01-01T00:00:00.000001Z");
	check_utc(SECOND - 1, "1970-01-01T00:00:00.999999Z");
	check_utc(SECOND + 50000, "1970-01-01T00:00:01.000050Z");
}

static void known_instants_have_their_local_time(void **state)
{
	(void)state;
	check_local("UTC0", 1767323045678901234ULL, "03:04:05.678901");
	check_local("IST-5:30", 1767323045678901234ULL, "08:34:05.678901");
	check_local("EST5", 1767323045678901234ULL, "22:04:05.678901");
	check_local("EST5", 0, "19:00:00.000000");
}

/* 2026-03-08 and 2026-11-01: New York's clocks jump at 2:00. */
static void local_time_follows_daylight_saving(void **state)
{
	const char *zone = "EST5EDT,M3.2.0,M11.1.0";

	(void)state;
	check_local(zone, 1772953199 * SECOND + 999999999, "01:59:59.999999");
	check_local(zone, 1772953200 * SECOND, "03:00:00.000000");
	check_local(zone, 1793512799 * SECOND, "01:59:59.000000");
	check_local(zone, 1793512800 * SECOND, "01:00:00.000000");
}

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

static void the_clocks_are_the_kernels(void **state)
{
	uint64_t before, now;

	(void)state;
	before = read_clock(CLOCK_MONOTONIC);
	now = monotonic_now();
	assert_in_range(now, before, read_clock(CLOCK_MONOTONIC));
	before = read_clock(CLOCK_REALTIME);
	now = wall_now();
	assert_in_range(now, before, read_clock(CLOCK_REALTIME));
}

/* Whatever the two clocks say between two looks at both. */
static void check_wall_of(int64_t offset)
{
	uint64_t wall = read_clock(CLOCK_REALTIME), monotonic = read_clock(CLOCK_MONOTONIC);
	uint64_t at = monotonic + offset, result = wall_of(at);
	uint64_t later = read_clock(CLOCK_MONOTONIC), wall_later = read_clock(CLOCK_REALTIME);

	assert_in_range(result, wall + offset - (later - monotonic), wall_later + offset);
}

static void instants_of_the_monotonic_clock_have_a_wall_time(void **state)
{
	(void)state;
	check_wall_of(0);
	check_wall_of(-1000);
	check_wall_of(-(int64_t)SECOND);
	check_wall_of(SECOND);
	check_wall_of(3600 * SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_instants_have_their_utc),
		cmocka_unit_test(microseconds_are_rounded_down),
		cmocka_unit_test(known_instants_have_their_local_time),
		cmocka_unit_test(local_time_follows_daylight_saving),
		cmocka_unit_test(the_clocks_are_the_kernels),
		cmocka_unit_test(instants_of_the_monotonic_clock_have_a_wall_time),
	};

	return cmocka_run_group_tests_name("clocks", tests, NULL, NULL);
}
