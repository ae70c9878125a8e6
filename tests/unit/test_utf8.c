// SPDX-License-Identifier: GPL-2.0-only
/* UTF-8 by the syntax of RFC 3629, section 4, written here as the table that it is there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "utf8.h"

#define REPLACEMENT "\xef\xbf\xbd"

struct range {
	unsigned char from, to;
};

static const struct {
	unsigned int length;
	struct range bytes[4];
} syntax[] = {
	{ 1, { { 0x01, 0x7f } } }, /* 0 ends a text */
	{ 2, { { 0xc2, 0xdf }, { 0x80, 0xbf } } },
	{ 3, { { 0xe0, 0xe0 }, { 0xa0, 0xbf }, { 0x80, 0xbf } } },
	{ 3, { { 0xe1, 0xec }, { 0x80, 0xbf }, { 0x80, 0xbf } } },
	{ 3, { { 0xed, 0xed }, { 0x80, 0x9f }, { 0x80, 0xbf } } },
	{ 3, { { 0xee, 0xef }, { 0x80, 0xbf }, { 0x80, 0xbf } } },
	{ 4, { { 0xf0, 0xf0 }, { 0x90, 0xbf }, { 0x80, 0xbf }, { 0x80, 0xbf } } },
	{ 4, { { 0xf1, 0xf3 }, { 0x80, 0xbf }, { 0x80, 0xbf }, { 0x80, 0xbf } } },
	{ 4, { { 0xf4, 0xf4 }, { 0x80, 0x8f }, { 0x80, 0xbf }, { 0x80, 0xbf } } },
};

/* The length of the sequence at @text, or 0. */
static size_t length_of(const char *text)
{
	size_t i, b;

	for (i = 0; i < sizeof(syntax) / sizeof(*syntax); i++) {
		for (b = 0; b < syntax[i].length; b++) {
			unsigned char byte = text[b];

			if (byte < syntax[i].bytes[b].from || byte > syntax[i].bytes[b].to)
				break;
		}
		if (b == syntax[i].length)
			return b;
	}
	return 0;
}

static void check_length(const char *text)
{
	if (utf8_length(text) != length_of(text))
		fail_msg("%02x %02x %02x %02x is taken for %zu bytes, not %zu",
			 (unsigned char)text[0], (unsigned char)text[1], (unsigned char)text[2],
			 (unsigned char)text[3], utf8_length(text), length_of(text));
}

static void the_syntax_of_rfc_3629_is_known(void **state)
{
	/* The bytes at which a rule of the syntax begins or ends, and some between. */
	static const unsigned char third[] = { 0x00, 0x01, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f,
					       0xa0, 0xbf, 0xc0, 0xc2, 0xe0, 0xf4, 0xff };
	char text[5] = "";
	int a, b;
	size_t c, d;

	(void)state;
	for (a = 0; a < 256; a++) {
		for (b = 0; b < (a ? 256 : 1); b++) {
			for (c = 0; c < (b ? sizeof(third) : 1); c++) {
				for (d = 0; d < (third[c] ? sizeof(third) : 1); d++) {
					text[0] = a;
					text[1] = b;
					text[2] = third[c];
					text[3] = third[d];
					check_length(text);
				}
			}
		}
	}
}

/* Writes code point @point in UTF-8, as RFC 3629, section 3, has it; returns its length. */
static size_t encode(char *text, unsigned long point)
{
	size_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4, i;

	for (i = length - 1; i; i--, point >>= 6)
		text[i] = 0x80 | (point & 0x3f);
	text[0] = length == 1 ? point : (0xf00 >> length & 0xff) | point;
	text[length] = 0;
	return length;
}

static void every_code_point_but_surrogates_is_valid(void **state)
{
	unsigned long point;
	char text[8];
	size_t length;

	(void)state;
	for (point = 1; point < 0x120000; point++) {
		length = encode(text, point);
		if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
			length = 0;
		if (utf8_length(text) != length)
			fail_msg("U+%04lX is taken for %zu bytes, not %zu", point,
				 utf8_length(text), length);
	}
}

static void overlong_truncated_and_foreign_sequences_are_invalid(void **state)
{
	static const char *const texts[] = {
		"\xc0\x80",
		"\xc1\xbf",
		"\xe0\x80\x80",
		"\xe0\x9f\xbf",
		"\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf",
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xf8\x88\x80\x80\x80",
		"\xfc\x84\x80\x80\x80\x80",
		"\xfe",
		"\xff",
		"\x80",
		"\xbf",
		"\xc3",
		"\xe2\x82",
		"\xf0\x9f\x98",
		"\xc3(",
		"\xe2(\xa1",
		"\xe2\x82(",
		"\xf0\x9f(\xbc",
		"\xf0\x9f\x98(",
	};
	size_t i;

	(void)state;
	assert_int_equal(utf8_length(""), 0);
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (utf8_length(texts[i]))
			fail_msg("text %zu is taken for %zu bytes", i, utf8_length(texts[i]));
	}
}

static bool is_control(const char *text, size_t length)
{
	unsigned char first = text[0], second = text[1];

	if (length == 1)
		return first <= 0x1f || first == 0x7f;
	return length == 2 && first == 0xc2 && second <= 0x9f;
}

/*
 * Is @clean what @text should become? Each run of invalid bytes has at least one U+FFFD, and not
 * more of them than bytes: how many is nobody's business.
 */
static const char *what_is_wrong(const char *text, const char *clean, bool printable, size_t count)
{
	size_t characters = 0, invalid, length, replaced;

	while (*text) {
		length = length_of(text);
		if (length) {
			if (printable && is_control(text, length)) {
				if (*clean++ != '?')
					return "has a control character";
			} else {
				if (strncmp(clean, text, length))
					return "lacks a character";
				clean += length;
			}
			characters++;
			text += length;
			continue;
		}
		for (invalid = 0; *text && !length_of(text); text++)
			invalid++;
		for (replaced = 0; replaced < invalid && !strncmp(clean, REPLACEMENT, 3);
		     clean += 3)
			replaced++;
		if (!replaced)
			return "hides invalid bytes";
		characters += replaced;
	}
	if (*clean)
		return "has too much at its end";
	return characters == count ? NULL : "has another number of characters";
}

/* Cleans @text in a buffer of just enough bytes, which the sanitizer watches. */
static void check_clean(const char *text)
{
	size_t size = 3 * strlen(text) + 1, count;
	char *buf = malloc(size);
	const char *wrong;
	int printable;

	assert_non_null(buf);
	for (printable = 0; printable < 2; printable++) {
		count = utf8_clean(buf, size, text, printable);
		wrong = what_is_wrong(text, buf, printable, count);
		if (wrong)
			fail_msg("%02x %02x ... (%zu bytes) cleaned %s", (unsigned char)text[0],
				 (unsigned char)text[1], strlen(text), wrong);
	}
	free(buf);
}

static void all_inputs_of_one_and_two_bytes_are_cleaned(void **state)
{
	char text[3] = "";
	int a, b;

	(void)state;
	check_clean("");
	for (a = 1; a < 256; a++) {
		text[0] = a;
		for (b = 0; b < 256; b++) {
			text[1] = b;
			check_clean(text);
		}
	}
}

static void random_bytes_are_cleaned(void **state)
{
	static const unsigned char likely[] = { 0x1b, 0x41, 0x7f, 0x80, 0x9b, 0xbf,
						0xc2, 0xc3, 0xe0, 0xe2, 0xed, 0xa0,
						0xf0, 0x9f, 0xf4, 0x8f, 0xff, 0x0a };
	uint64_t random = 1181783497276652981ULL;
	char text[16];
	int i, j;

	(void)state;
	for (i = 0; i < 100000; i++) {
		for (j = 0; j < 15; j++) {
			random = random * 6364136223846793005ULL + 1442695040888963407ULL;
			text[j] = likely[(random >> 33) % sizeof(likely)];
		}
		text[(random >> 50) % 16] = 0;
		text[15] = 0;
		check_clean(text);
	}
}

static void control_characters_become_question_marks_where_asked(void **state)
{
	char buf[64];

	(void)state;
	assert_int_equal(utf8_clean(buf, sizeof(buf), "a\033[2J\a\x7f\r\n\tz", true), 11);
	assert_string_equal(buf, "a?[2J?????z");
	/* C1, of which U+009B begins a terminal's commands as ESC [ does. */
	assert_int_equal(utf8_clean(buf, sizeof(buf), "\xc2\x80\xc2\x9bK\xc2\x9f\xc2\xa0", true),
			 5);
	assert_string_equal(buf, "??K?\xc2\xa0");
	/* The same as a bare byte is not UTF-8. */
	assert_int_equal(utf8_clean(buf, sizeof(buf), "\x9bK", true), 2);
	assert_string_equal(buf, REPLACEMENT "K");
	assert_int_equal(utf8_clean(buf, sizeof(buf), "a\033[2J\xc2\x9bz\n", false), 8);
	assert_string_equal(buf, "a\033[2J\xc2\x9bz\n");
}

/* Whatever the room, as many characters as fit, and none in part. */
static void text_is_cut_off_between_characters(void **state)
{
	static const char text[] = "aä€😀\xff\033z";
	static const char *const pieces[] = { "a", "ä", "€", "😀", REPLACEMENT, "?", "z" };
	char whole[64] = "", *buf;
	size_t size, used, fit, count;

	(void)state;
	for (count = 0; count < 7; count++)
		strcat(whole, pieces[count]);
	for (size = 1; size <= strlen(whole) + 2; size++) {
		buf = malloc(size);
		assert_non_null(buf);
		memset(buf, 'x', size);
		for (used = fit = 0; fit < 7 && used + strlen(pieces[fit]) < size; fit++)
			used += strlen(pieces[fit]);
		count = utf8_clean(buf, size, text, true);
		assert_int_equal(count, fit);
		assert_int_equal(strlen(buf), used);
		assert_memory_equal(buf, whole, used);
		free(buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_syntax_of_rfc_3629_is_known),
		cmocka_unit_test(every_code_point_but_surrogates_is_valid),
		cmocka_unit_test(overlong_truncated_and_foreign_sequences_are_invalid),
		cmocka_unit_test(all_inputs_of_one_and_two_bytes_are_cleaned),
		cmocka_unit_test(random_bytes_are_cleaned),
		cmocka_unit_test(control_characters_become_question_marks_where_asked),
		cmocka_unit_test(text_is_cut_off_between_characters),
	};

	return cmocka_run_group_tests_name("UTF-8", tests, NULL, NULL);
}
