// SPDX-License-Identifier: GPL-2.0-only
/* Globs for thread names: what fnmatch(3) says of a pattern and a name is right. */
#include "helpers.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "comm_glob.h"

/* Up to @most random characters of @alphabet. */
static void draw(char *text, size_t most, const char *alphabet)
{
	size_t length = random64() % (most + 1), i;

	for (i = 0; i < length; i++)
		text[i] = alphabet[random64() % strlen(alphabet)];
	text[length] = 0;
}

static bool matches(const char *patterns, const char *name)
{
	struct comm_glob glob;

	if (comm_glob_compile(patterns, &glob))
		fail_msg("'%s' is refused", patterns);
	return comm_glob_match(&glob, name);
}

/* Has @p a set that does not end? A `]` ends it that is not its first and has no `\` before it. */
static bool has_open_set(const char *p)
{
	for (; *p; p++) {
		if (*p == '\\' && p[1]) {
			p++;
		} else if (*p == '[') {
			p++;
			if (*p == '!' || *p == '^')
				p++;
			if (*p == ']')
				p++;
			while (*p && *p != ']')
				p += *p == '\\' && p[1] ? 2 : 1;
			if (!*p)
				return true;
		}
	}
	return false;
}

/*
 * What POSIX leaves open, and fnmatch(3) and we see differently: a `\` at the end, and a set that
 * does not end, which is refused here.
 */
static bool draw_pattern(char *pattern, size_t most, const char *alphabet)
{
	draw(pattern, most, alphabet);
	return *pattern && pattern[strlen(pattern) - 1] != '\\' && !has_open_set(pattern);
}

static void check_random_patterns(unsigned int rounds, const char *pattern_alphabet,
				  const char *name_alphabet)
{
	char pattern[16], name[16];
	struct comm_glob glob;
	unsigned int hits = 0, i, j;

	for (i = 0; i < rounds; i++) {
		if (!draw_pattern(pattern, 9, pattern_alphabet))
			continue;
		if (comm_glob_compile(pattern, &glob))
			fail_msg("'%s' is refused", pattern);
		for (j = 0; j < 20; j++) {
			draw(name, 6, name_alphabet);
			if (comm_glob_match(&glob, name) == fnmatch(pattern, name, 0))
				fail_msg("'%s' and '%s' should%s match", pattern, name,
					 fnmatch(pattern, name, 0) ? " not" : "");
			hits += comm_glob_match(&glob, name);
		}
	}
	/* Both answers have to occur for this to mean something. */
	assert_in_range(hits, rounds / 50, 19 * rounds);
}

static void stars_and_question_marks_match_as_in_fnmatch(void **state)
{
	(void)state;
	check_random_patterns(20000, "ab*?", "ab");
	check_random_patterns(20000, "aab*", "aab");
}

static void sets_and_escapes_match_as_in_fnmatch(void **state)
{
	(void)state;
	check_random_patterns(60000, "ab-]^!*?[\\c[]", "abc-]\\^!*[?");
	check_random_patterns(60000, "[[]]!^-\\abc", "abc-]\\^![");
	check_random_patterns(20000, "ab\\*?[", "ab*?\\[");
}

static void each_set_has_what_it_says(void **state)
{
	static const char *const sets[] = {
		"[a]",	   "[abc]",   "[a-c]", "[!a-c]",  "[^a-c]",   "[]]",	  "[!]]",
		"[]a]",	   "[a-]",    "[-a]",  "[!-a]",	  "[a!]",     "[a^]",	  "[\\]]",
		"[\\a-c]", "[a\\-c]", "[c-a]", "[a-a]",	  "[][!]",    "[*?]",	  "[0-9a-fA-F]",
		"[\\\\]",  "[--a]",   "[]-a]", "[a-\\]]", "[!a-\\]]", "[a-cx-z]", "[^^]",
		"[!!]",	   "[,]",     "[a,b]", "[!,]",
	};
	char name[2] = "";
	size_t i;
	int c;

	(void)state;
	for (i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		for (c = 1; c < 256; c++) {
			name[0] = c;
			if (matches(sets[i], name) == fnmatch(sets[i], name, 0))
				fail_msg("%s and character %d should%s match", sets[i], c,
					 fnmatch(sets[i], name, 0) ? " not" : "");
		}
		assert_false(matches(sets[i], ""));
		assert_false(matches(sets[i], "aa"));
	}
}

static void names_are_matched_as_a_whole(void **state)
{
	(void)state;
	assert_true(matches("nginx", "nginx"));
	assert_false(matches("nginx", "nginx2"));
	assert_false(matches("nginx", "xnginx"));
	assert_false(matches("nginx", "ngin"));
	assert_false(matches("nginx", ""));
	assert_true(matches("kworker/[0-3]:*", "kworker/2:1H"));
	assert_false(matches("kworker/[0-3]:*", "kworker/4:1H"));
	assert_false(matches("kworker/[0-3]:*", "kworker/u2:1"));
	assert_true(matches("*", ""));
	assert_true(matches("**", ""));
	assert_false(matches("?", ""));
	assert_false(matches("*?", ""));
	assert_true(matches(".*", ".hidden"));
	assert_true(matches("*", ".hidden"));
}

static void a_list_matches_what_one_of_its_patterns_matches(void **state)
{
	char list[64], patterns[4][8], name[8];
	struct comm_glob glob;
	unsigned int hits = 0, i, j, n, count;
	bool expected;

	(void)state;
	for (i = 0; i < 40000; i++) {
		count = 1 + random64() % 4;
		list[0] = 0;
		for (n = 0; n < count; n++) {
			while (!draw_pattern(patterns[n], 5, "ab*?[]!\\-"))
				;
			strcat(strcat(list, n ? "," : ""), patterns[n]);
		}
		if (comm_glob_compile(list, &glob))
			fail_msg("'%s' is refused", list);
		for (j = 0; j < 20; j++) {
			draw(name, 5, "ab-!");
			expected = false;
			for (n = 0; n < count; n++)
				expected |= !fnmatch(patterns[n], name, 0);
			if (comm_glob_match(&glob, name) != expected)
				fail_msg("'%s' and '%s' should%s match", list, name,
					 expected ? "" : " not");
			hits += expected;
		}
	}
	assert_in_range(hits, 8000, 792000);
}

static void patterns_of_a_list_do_not_run_into_each_other(void **state)
{
	(void)state;
	assert_true(matches("ab,cd", "ab"));
	assert_true(matches("ab,cd", "cd"));
	assert_false(matches("ab,cd", "abcd"));
	assert_false(matches("ab,cd", "ab,cd"));
	assert_false(matches("ab,cd", "d"));
	assert_false(matches("ab*,cd", "cdx"));
	assert_false(matches("ab,*cd", "abx"));
	assert_true(matches("ab\\,cd", "ab,cd"));
	assert_true(matches("a[,]b,c", "a,b"));
	assert_true(matches("a[,]b,c", "c"));
}

/* Wherever its positions are in the word. */
static void the_last_of_many_patterns_is_as_good_as_the_first(void **state)
{
	static const char *const patterns[] = { "a*b", "*ab", "[!a]*", "a?b*", "*", "\\*a" };
	char list[128], name[8];
	unsigned int i, before, round;
	struct comm_glob glob;

	(void)state;
	for (before = 0; before < 20; before++) {
		for (i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
			list[0] = 0;
			/* Three positions more each; no name has a z. */
			for (round = 0; round < before; round++)
				strcat(list, "zz,");
			strcat(list, patterns[i]);
			assert_int_equal(comm_glob_compile(list, &glob), 0);
			for (round = 0; round < 200; round++) {
				draw(name, 5, "ab*");
				if (comm_glob_match(&glob, name) == fnmatch(patterns[i], name, 0))
					fail_msg("'%s' and '%s' should%s match", list, name,
						 fnmatch(patterns[i], name, 0) ? " not" : "");
			}
		}
	}
}

/* @count patterns with @characters question marks together. */
static int compile_marks(unsigned int count, unsigned int characters, struct comm_glob *glob)
{
	char text[256] = "", *to = text;
	unsigned int i;

	for (i = 0; i < count; i++) {
		unsigned int share = i < count - 1 ? 1 : characters - (count - 1);

		if (i)
			*to++ = ',';
		memset(to, '?', share);
		to += share;
	}
	*to = 0;
	return comm_glob_compile(text, glob);
}

/* A pattern takes a position more than it has characters, and there are 64. */
static void patterns_have_room_for_64_positions(void **state)
{
	struct comm_glob glob;
	unsigned int count;
	char name[80];

	(void)state;
	memset(name, 'x', sizeof(name));
	for (count = 1; count <= 32; count++) {
		unsigned int last = 64 - count - (count - 1);

		assert_int_equal(compile_marks(count, 64 - count + 1, &glob), -E2BIG);
		assert_int_equal(compile_marks(count, 64 - count, &glob), 0);
		name[last] = 0;
		assert_true(comm_glob_match(&glob, name));
		name[last] = 'x';
		name[last + 1] = 0;
		assert_false(comm_glob_match(&glob, name));
		name[last + 1] = 'x';
	}
	assert_int_equal(compile_marks(33, 33, &glob), -E2BIG);
}

static void a_set_takes_one_position_and_a_star_none(void **state)
{
	char text[2048], name[80];
	unsigned int i;

	(void)state;
	memset(name, 'b', sizeof(name));
	text[0] = 0;
	for (i = 0; i < 63; i++)
		strcat(text, i % 3 == 0 ? "***[a-c]" : i % 3 == 1 ? "\\b**" : "b");
	name[63] = 0;
	assert_true(matches(text, name));
	name[62] = 0;
	assert_false(matches(text, name));
	assert_int_equal(comm_glob_compile(strcat(text, "b"), &(struct comm_glob){}), -E2BIG);
}

static void empty_patterns_are_invalid(void **state)
{
	static const char *const texts[] = { "", ",", "a,", ",a", "a,,b", "*,", ",*", "a,b," };
	struct comm_glob glob;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (comm_glob_compile(texts[i], &glob) != -EINVAL)
			fail_msg("'%s' is not -EINVAL", texts[i]);
	}
}

static void sets_that_do_not_end_are_invalid(void **state)
{
	static const char *const texts[] = { "[",    "[a",    "[]",	"[!",	"[!]",
					     "[^]",  "[a-",   "[a-]b[", "a,[b", "[a,b",
					     "[\\]", "[a\\]", "[!\\]",	"[]a" };
	struct comm_glob glob;
	char pattern[16];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (comm_glob_compile(texts[i], &glob) != -EINVAL)
			fail_msg("'%s' is not -EINVAL", texts[i]);
	}
	for (i = 0; i < 50000; i++) {
		draw(pattern, 8, "[[]!^-\\a*");
		if (*pattern &&
		    (comm_glob_compile(pattern, &glob) == -EINVAL) != has_open_set(pattern))
			fail_msg("'%s': is a set open in it?", pattern);
	}
}

/* A name of the kernel's has up to 15 bytes, in no known encoding. */
static void names_may_have_any_bytes(void **state)
{
	const char *name = "\x80\x81\xc3\xa4\xff\xfe\x01\x7f\xe2\x82\xac\xa0\x9b\xf0\xbf";

	(void)state;
	assert_int_equal(strlen(name), COMM_LEN - 1);
	assert_true(matches("*", name));
	assert_true(matches(name, name));
	assert_true(matches("???????????????", name));
	assert_false(matches("??????????????", name));
	assert_false(matches("????????????????", name));
	assert_true(matches("[\x80-\xff][\x80-\x81]*[!\x80-\xbe]", name));
	assert_true(matches("[!a-z]*\xff\xfe*\xbf", name));
	assert_false(matches("*[\xc0-\xff]", name));
	assert_false(matches("[\x01-\x7f]*", name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stars_and_question_marks_match_as_in_fnmatch),
		cmocka_unit_test(sets_and_escapes_match_as_in_fnmatch),
		cmocka_unit_test(each_set_has_what_it_says),
		cmocka_unit_test(names_are_matched_as_a_whole),
		cmocka_unit_test(a_list_matches_what_one_of_its_patterns_matches),
		cmocka_unit_test(patterns_of_a_list_do_not_run_into_each_other),
		cmocka_unit_test(the_last_of_many_patterns_is_as_good_as_the_first),
		cmocka_unit_test(patterns_have_room_for_64_positions),
		cmocka_unit_test(a_set_takes_one_position_and_a_star_none),
		cmocka_unit_test(empty_patterns_are_invalid),
		cmocka_unit_test(sets_that_do_not_end_are_invalid),
		cmocka_unit_test(names_may_have_any_bytes),
	};

	return cmocka_run_group_tests_name("globs for thread names", tests, NULL, NULL);
}
