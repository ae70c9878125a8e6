// SPDX-License-Identifier: GPL-2.0-only
/*
 * What people and other programs write, made up at random, for the parsers of it: the sanitizers
 * watch, and what must hold of any answer is checked.
 *
 * FUZZ_SEED=N gives other inputs, FUZZ_SECONDS=N (of CPU time, 4) more or fewer of them. Inputs
 * depend on the seed alone: what has failed fails again.
 */
#include "helpers.h"

#include <bpf/libbpf.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "comm_glob.h"
#include "quantity.h"
#include "targets.h"
#include "utf8.h"

/* Calls of fuzz(), which share the time. */
#define ROUNDS 8

static uint64_t seed;
static double seconds_each;

static double cpu_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* What fails is shown in a form that can be put into a C string. */
static const char *quoted(const char *text)
{
	static char buf[4 * 512];
	char *to = buf;

	for (; *text && to < buf + sizeof(buf) - 5; text++) {
		if (isprint((unsigned char)*text) && *text != '"' && *text != '\\')
			*to++ = *text;
		else
			to += sprintf(to, "\\%03o", (unsigned char)*text);
	}
	*to = 0;
	return buf;
}

/*
 * An input made of @pieces (ends with NULL), single bytes of @bytes and now and then of any others,
 * in memory of just its size.
 */
static char *make_input(const char *const *pieces, const char *bytes)
{
	char buf[512];
	size_t count = 0, used = 0, parts = random64() % (random64() % 16 ? 8 : 60), i;
	char *text;

	while (pieces[count])
		count++;
	for (i = 0; i < parts && used < sizeof(buf) - 64; i++) {
		unsigned int kind = random64() % 16;

		if (kind < 7)
			used += sprintf(buf + used, "%s", pieces[random64() % count]);
		else if (kind < 9)
			used += sprintf(buf + used, "%llu",
					(unsigned long long)(random64() >> random64() % 64));
		else if (kind < 15)
			buf[used++] = bytes[random64() % strlen(bytes)];
		else
			buf[used++] = 1 + random64() % 255;
	}
	text = malloc(used + 1);
	assert_non_null(text);
	memcpy(text, buf, used);
	text[used] = 0;
	return text;
}

/* Calls @try with inputs for a share of the time; says how many there were. */
static void fuzz(const char *what, const char *const *pieces, const char *bytes,
		 void (*try)(const char *text))
{
	double end = cpu_time() + seconds_each;
	unsigned long inputs = 0;
	int i;

	/* Not 0, from which xorshift would not get away. */
	random_state = seed * 2 + 1;
	do {
		for (i = 0; i < 100; i++, inputs++) {
			char *text = make_input(pieces, bytes);

			try(text);
			free(text);
		}
	} while (cpu_time() < end);
	print_message("%s: %lu inputs\n", what, inputs);
}

static const char *const number_pieces[] = {
	"0",
	"1",
	"9",
	".",
	"ns",
	"us",
	"ms",
	"s",
	"m",
	"k",
	"M",
	"G",
	"T",
	"B",
	"iB",
	"KiB",
	"e9",
	"-",
	"+",
	"0x",
	"inf",
	"nan",
	"1.5",
	"00",
	" ",
	"18446744073709551615",
	"18446744073709551616",
	"4194304",
	"4194305",
	"8191",
	"8192",
	"99999999999999999999999",
	",",
	NULL,
};

#define NUMBER_BYTES "0123456789.,-+ eExXpPnuμsmkMGTBi"

/* The number and the unit that @text is, if it is both; written without strtod(3). */
static bool read_number(const char *text, long double *number, const char **unit)
{
	long double place = 1;

	if (!isdigit((unsigned char)*text))
		return false;
	for (*number = 0; isdigit((unsigned char)*text); text++)
		*number = *number * 10 + (*text - '0');
	if (*text == '.') {
		if (!isdigit((unsigned char)*++text))
			return false;
		for (; isdigit((unsigned char)*text); text++)
			*number += (*text - '0') * (place /= 10);
	}
	*unit = text;
	return true;
}

/* @scale: the unit's, or 0 if there is no such unit. */
static void check_quantity(const char *what, const char *text, int err, uint64_t value,
			   long double scale, long double number)
{
	long double exact = number * scale;

	if (!scale) {
		if (err != -EINVAL)
			fail_msg("%s \"%s\" is not invalid: %d", what, quoted(text), err);
		return;
	}
	/* At the edge both are right. */
	if (fabsl(exact - 0x1p64L) < 0x1p10L)
		return;
	if (err != (exact < 0x1p64L ? 0 : -ERANGE))
		fail_msg("%s \"%s\" gives %d", what, quoted(text), err);
	if (!err && fabsl(value - exact) > 1 + exact * 0x1p-60L)
		fail_msg("%s \"%s\" is taken for %llu", what, quoted(text),
			 (unsigned long long)value);
}

static void try_time(const char *text)
{
	static const struct {
		const char *name;
		long double scale;
	} units[] = { { "", 7 },      { "ns", 1 },   { "us", 1e3L },
		      { "ms", 1e6L }, { "s", 1e9L }, { "m", 6e10L } };
	long double number = 0, scale = 0;
	const char *unit;
	uint64_t value;
	size_t i;
	int err;

	err = parse_time(text, 7, &value);
	if (read_number(text, &number, &unit)) {
		for (i = 0; i < sizeof(units) / sizeof(*units); i++)
			scale = strcmp(unit, units[i].name) ? scale : units[i].scale;
	}
	check_quantity("the time", text, err, value, scale, number);
}

/* What a size may be written as beyond what quantity.h says is its own affair. */
static void try_size(const char *text)
{
	long double number = 0, scale = 0;
	const char *unit = NULL;
	uint64_t value;
	int err;

	err = parse_size(text, &value);
	if (err != 0 && err != -EINVAL && err != -ERANGE)
		fail_msg("the size \"%s\" gives %d", quoted(text), err);
	if (!read_number(text, &number, &unit)) {
		check_quantity("the size", text, err, value, 0, number);
		return;
	}
	switch (*unit) {
	case 0:
	case 'B':
		scale = 1;
		break;
	case 'k':
	case 'K':
		scale = 0x1p10L;
		break;
	case 'M':
		scale = 0x1p20L;
		break;
	case 'G':
		scale = 0x1p30L;
		break;
	case 'T':
		scale = 0x1p40L;
		break;
	}
	if (!scale || err != -EINVAL || !*unit)
		check_quantity("the size", text, err, value, scale, number);
}

static void try_count(const char *text)
{
	bool digits = *text && !text[strspn(text, "0123456789")];
	const char *significant = text + strspn(text, "0");
	char printed[32];
	uint64_t value;
	int err = parse_count(text, &value);

	if (!digits) {
		assert_int_equal(err, -EINVAL);
	} else if (strlen(significant) > 20 ||
		   (strlen(significant) == 20 && strcmp(significant, "18446744073709551615") > 0)) {
		assert_int_equal(err, -ERANGE);
	} else {
		assert_int_equal(err, 0);
		snprintf(printed, sizeof(printed), "%llu", (unsigned long long)value);
		assert_string_equal(printed, *significant ? significant : "0");
	}
}

/* Numbers from @least to @most, and ranges of them if @ranges, with commas between them. */
static bool is_list(const char *text, unsigned long least, unsigned long most, bool ranges)
{
	char *end;

	for (;; text = end + 1) {
		unsigned long first, last;

		if (!isdigit((unsigned char)*text))
			return false;
		first = last = strtoul(text, &end, 10);
		if (ranges && *end == '-') {
			if (!isdigit((unsigned char)end[1]))
				return false;
			last = strtoul(end + 1, &end, 10);
		}
		if (first < least || last < first || last > most)
			return false;
		if (*end != ',')
			return !*end;
	}
}

static void check_answer(const char *what, const char *text, const char *wrong, bool good)
{
	if (!wrong != good)
		fail_msg("%s \"%s\": %s", what, quoted(text), wrong ? wrong : "taken");
	if (wrong && (!*wrong || strchr(wrong, '\n')))
		fail_msg("%s \"%s\" is answered with \"%s\"", what, quoted(text), wrong);
}

/* Are there more than nine digits in a row? Zeros in front make them a matter of taste. */
static bool has_long_number(const char *text)
{
	size_t digits;

	for (; *text; text += digits ? digits : 1) {
		digits = strspn(text, "0123456789");
		if (digits > 9)
			return true;
	}
	return false;
}

static void try_ids(const char *text)
{
	const char *wrong = check_ids(text);

	if (!has_long_number(text))
		check_answer("the ids", text, wrong, is_list(text, 1, 4194304, false));
}

static void try_cpus(const char *text)
{
	const char *wrong = check_cpus(text);

	if (!has_long_number(text))
		check_answer("the CPUs", text, wrong,
			     is_list(text, 0, libbpf_num_possible_cpus() - 1, true));
}

static const char *const glob_pieces[] = {
	"*",
	"?",
	"[",
	"]",
	"[a-z]",
	"[!a-z]",
	"[]]",
	"[^",
	"\\",
	"\\]",
	"-",
	",",
	",,",
	"nginx",
	"kworker/",
	"a",
	"\xff",
	"\xc3\xa4",
	"????????????????",
	"[\x01-\xff]",
	NULL,
};

static void try_glob(const char *text)
{
	struct comm_glob glob;
	int err = comm_glob_compile(text, &glob);
	char name[COMM_LEN];
	size_t i;

	if (err) {
		if (err != -EINVAL && err != -E2BIG)
			fail_msg("the glob \"%s\" gives %d", quoted(text), err);
		assert_non_null(check_comm(text));
		return;
	}
	assert_null(check_comm(text));
	assert_true(*text && glob.start && glob.accept);
	/* No position can be stepped to that does not follow another one of its pattern. */
	for (i = 0; i < 256; i++)
		assert_int_equal(glob.step[i] & glob.start, 0);
	if (!text[strcspn(text, "*?[\\,")] && !comm_glob_match(&glob, text))
		fail_msg("\"%s\" does not match itself", quoted(text));
	if (!strcmp(text, "*"))
		assert_true(comm_glob_match(&glob, ""));
	/* Any name will do, and a list matches what its first pattern does. */
	for (i = 0; i < sizeof(name) - 1; i++)
		name[i] = 1 + random64() % 255;
	name[random64() % sizeof(name)] = 0;
	name[sizeof(name) - 1] = 0;
	if (strlen(text) < 100 && comm_glob_match(&glob, name)) {
		char longer[128];

		snprintf(longer, sizeof(longer), "%s,*", text);
		err = comm_glob_compile(longer, &glob);
		assert_true(err == -E2BIG || (!err && comm_glob_match(&glob, name)));
	}
}

static const char *const text_pieces[] = {
	"a",
	"nginx",
	"\033[2J",
	"\n",
	"\x7f",
	"\xc2\x9b",
	"\xc3\xa4",
	"€",
	"😀",
	"\xe2",
	"\x82",
	"\xf0\x9f",
	"\xff",
	"\xed\xa0\x80",
	"\xc0\x80",
	"\xf4\x90\x80\x80",
	"\xef\xbf\xbd",
	NULL,
};

static void try_text(const char *text)
{
	size_t enough = 3 * strlen(text) + 1,
	       size = random64() % 3 ? enough : 1 + random64() % enough;
	size_t count, again, length, characters = 0;
	bool printable = random64() % 2;
	char *clean = malloc(size), *twice = malloc(size);
	const char *p;

	assert_true(clean && twice);
	count = utf8_clean(clean, size, text, printable);
	assert_true(strlen(clean) < size);
	for (p = clean; *p; p += length, characters++) {
		length = utf8_length(p);
		if (!length || (printable && ((unsigned char)*p < 0x20 || *p == 0x7f ||
					      (*p == '\xc2' && (unsigned char)p[1] < 0xa0))))
			fail_msg("the text \"%s\" is not clean then", quoted(text));
	}
	assert_int_equal(characters, count);
	/* What is clean stays as it is. */
	again = utf8_clean(twice, size, clean, printable);
	assert_string_equal(twice, clean);
	assert_int_equal(again, count);
	/* Nothing is lost but for want of room. */
	if (size == enough)
		assert_true(strlen(clean) >= (printable ? strlen(text) / 2 : strlen(text)));
	free(clean);
	free(twice);
}

static void times_are_right_or_refused(void **state)
{
	(void)state;
	fuzz("parse_time", number_pieces, NUMBER_BYTES, try_time);
}

static void sizes_are_right_or_refused(void **state)
{
	(void)state;
	fuzz("parse_size", number_pieces, NUMBER_BYTES, try_size);
}

static void counts_are_right_or_refused(void **state)
{
	(void)state;
	fuzz("parse_count", number_pieces, "0123456789", try_count);
}

static void ids_are_right_or_refused(void **state)
{
	(void)state;
	fuzz("check_ids", number_pieces, "0123456789,,", try_ids);
}

static void cpus_are_right_or_refused(void **state)
{
	(void)state;
	fuzz("check_cpus", number_pieces, "0011,,--234", try_cpus);
}

static void globs_are_sound_or_refused(void **state)
{
	(void)state;
	fuzz("comm_glob_compile", glob_pieces, "ab[]!^-*?\\,", try_glob);
	/* And what numbers are made of, which are names. */
	fuzz("comm_glob_compile", number_pieces, NUMBER_BYTES, try_glob);
}

static void text_is_clean_whatever_it_was(void **state)
{
	(void)state;
	fuzz("utf8_clean", text_pieces, "a\x80\xbf\xc2\xe0\xf4\x1b", try_text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_right_or_refused),
		cmocka_unit_test(sizes_are_right_or_refused),
		cmocka_unit_test(counts_are_right_or_refused),
		cmocka_unit_test(ids_are_right_or_refused),
		cmocka_unit_test(cpus_are_right_or_refused),
		cmocka_unit_test(globs_are_sound_or_refused),
		cmocka_unit_test(text_is_clean_whatever_it_was),
	};
	const char *number = getenv("FUZZ_SEED"), *seconds = getenv("FUZZ_SECONDS");

	seed = number ? strtoull(number, NULL, 0) : 20260102;
	seconds_each = (seconds ? atof(seconds) : 4) / ROUNDS;
	print_message("FUZZ_SEED=%llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests_name("parsers of anything", tests, NULL, NULL);
}
