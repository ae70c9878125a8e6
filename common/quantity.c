// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "quantity.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit times[] = {
	{ "ns", 1 },	       { "us", NSEC_PER_USEC },	   { "ms", NSEC_PER_MSEC },
	{ "s", NSEC_PER_SEC }, { "m", 60 * NSEC_PER_SEC }, {},
};

static const struct unit sizes[] = {
	{ "B", 1 },
	{ "k", 1ULL << 10 },
	{ "K", 1ULL << 10 },
	{ "kB", 1ULL << 10 },
	{ "KiB", 1ULL << 10 },
	{ "kiB", 1ULL << 10 },
	{ "M", 1ULL << 20 },
	{ "MB", 1ULL << 20 },
	{ "MiB", 1ULL << 20 },
	{ "G", 1ULL << 30 },
	{ "GB", 1ULL << 30 },
	{ "GiB", 1ULL << 30 },
	{ "T", 1ULL << 40 },
	{ "TB", 1ULL << 40 },
	{ "TiB", 1ULL << 40 },
	{},
};

static int parse_with_units(const char *text, const struct unit *units, uint64_t factor,
			    uint64_t *value)
{
	size_t whole = strspn(text, "0123456789"), fraction = 0;
	const char *suffix = text + whole;
	unsigned __int128 scaled = 0, ten = 1;
	const char *p;

	if (*suffix == '.') {
		fraction = strspn(suffix + 1, "0123456789");
		suffix += 1 + fraction;
	}
	if (!whole || (suffix[-1] == '.' && !fraction))
		return -EINVAL;
	if (*suffix) {
		for (; units->name && strcmp(units->name, suffix); units++)
			;
		if (!units->name)
			return -EINVAL;
		factor = units->factor;
	}
	for (p = text; p < text + whole; p++) {
		scaled = 10 * scaled + (*p - '0');
		if (scaled > UINT64_MAX)
			return -ERANGE;
	}
	/* Digits behind the 18th are less than a millionth of the smallest unit. */
	for (p++; fraction && ten < 1000000000000000000ULL; p++, fraction--) {
		scaled = 10 * scaled + (*p - '0');
		ten *= 10;
	}
	scaled = scaled / ten * factor + scaled % ten * factor / ten;
	if (scaled > UINT64_MAX)
		return -ERANGE;
	*value = scaled;
	return 0;
}

int parse_time(const char *text, uint64_t bare, uint64_t *ns)
{
	return parse_with_units(text, times, bare, ns);
}

int parse_size(const char *text, uint64_t *bytes)
{
	return parse_with_units(text, sizes, 1, bytes);
}

int parse_count(const char *text, uint64_t *count)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || text[digits])
		return -EINVAL;
	errno = 0;
	*count = strtoull(text, NULL, 10);
	return -errno;
}

/*
 * @value in the largest of @units (of @n, smallest first) that leaves at least 1. @trim: see
 * format_bound().
 */
static const char *format_scaled(char *buf, uint64_t value, const struct unit *units, int n,
				 bool trim)
{
	int i = n - 1, digits, length;
	char number[QUANTITY_LEN - 8];
	double scaled;

	while (i && value < units[i].factor)
		i--;
	scaled = (double)value / units[i].factor;
	/* What would be printed as 1000.0 us or 1024 KiB is one of the next unit. */
	if (i && i < n - 1) {
		double next = units[i + 1].factor / units[i].factor;

		if (scaled >= next - (next > 1000 ? 0.5 : 0.05))
			scaled = (double)value / units[++i].factor;
	}
	if (units[i].factor == 1) {
		snprintf(buf, QUANTITY_LEN, "%" PRIu64 " %s", value, units[i].name);
		return buf;
	}
	digits = scaled < 9.9995 ? 3 : scaled < 99.995 ? 2 : scaled < 999.95 ? 1 : 0;
	length = snprintf(number, sizeof(number), "%.*f", digits, scaled);
	if (trim && digits) {
		while (number[length - 1] == '0')
			number[--length] = 0;
		if (number[length - 1] == '.')
			number[--length] = 0;
	}
	snprintf(buf, QUANTITY_LEN, "%s %s", number, units[i].name);
	return buf;
}

static const struct unit shown_times[] = {
	{ "ns", 1 },
	{ "us", NSEC_PER_USEC },
	{ "ms", NSEC_PER_MSEC },
	{ "s", NSEC_PER_SEC },
};

static const struct unit shown_sizes[] = {
	{ "B", 1 },
	{ "KiB", 1ULL << 10 },
	{ "MiB", 1ULL << 20 },
	{ "GiB", 1ULL << 30 },
	{ "TiB", 1ULL << 40 },
};

const char *format_time(char *buf, uint64_t ns)
{
	return format_scaled(buf, ns, shown_times, 4, false);
}

const char *format_size(char *buf, uint64_t bytes)
{
	return format_scaled(buf, bytes, shown_sizes, 5, false);
}

const char *format_bound(char *buf, uint64_t ns)
{
	return format_scaled(buf, ns, shown_times, 4, true);
}

const char *format_count(char *buf, uint64_t count)
{
	char digits[QUANTITY_LEN], *to = buf;
	int n = snprintf(digits, sizeof(digits), "%" PRIu64, count), i;

	for (i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = 0;
	return buf;
}

const char *format_number(char *buf, int64_t number)
{
	if (number >= 0)
		return format_count(buf, number);
	buf[0] = '-';
	format_count(buf + 1, -(uint64_t)number);
	return buf;
}
