// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <time.h>
#include "clock.h"
#include "quantity.h"

static uint64_t now(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

uint64_t monotonic_now(void)
{
	return now(CLOCK_MONOTONIC);
}

uint64_t wall_now(void)
{
	return now(CLOCK_REALTIME);
}

uint64_t wall_of(uint64_t monotonic)
{
	return wall_now() - (monotonic_now() - monotonic);
}

static const char *print(char *buf, uint64_t wall, const struct tm *tm, const char *format,
			 const char *end)
{
	size_t used = strftime(buf, CLOCK_LEN, format, tm);

	snprintf(buf + used, CLOCK_LEN - used, ".%06u%s",
		 (unsigned int)(wall % NSEC_PER_SEC / NSEC_PER_USEC), end);
	return buf;
}

const char *clock_local(char *buf, uint64_t wall)
{
	time_t seconds = wall / NSEC_PER_SEC;
	struct tm tm;

	return print(buf, wall, localtime_r(&seconds, &tm), "%H:%M:%S", "");
}

const char *clock_utc(char *buf, uint64_t wall)
{
	time_t seconds = wall / NSEC_PER_SEC;
	struct tm tm;

	return print(buf, wall, gmtime_r(&seconds, &tm), "%Y-%m-%dT%H:%M:%S", "Z");
}
