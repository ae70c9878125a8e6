// SPDX-License-Identifier: GPL-2.0-only
/* Tests of what the pictures share: text that is safe, text that fits, numbers. */

#include "helpers.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "quantity.h"
#include "svg.h"

#define U_FFFD	   "\xef\xbf\xbd"
#define ELLIPSIS   "\xe2\x80\xa6"
#define OVERRIDE   "\xe2\x80\xae" /* what follows is written from right to left */
#define ISOLATE	   "\xe2\x81\xa7"
#define SEPARATOR  "\xe2\x80\xa8" /* of lines */
#define UMLAUT	   "\xc3\xbc"
#define CHARACTER  "\xe4\xbd\xa0" /* two columns wide */
#define CHARACTER2 "\xe5\xa5\xbd"
#define FIRE	   "\xf0\x9f\x94\xa5"

static void assert_cleaned(const char *text, const char *expected)
{
	char *clean = svg_clean_dup(text);

	assert_string_equal(clean, expected);
	free(clean);
}

static void names_are_cleaned(void **state)
{
	(void)state;
	assert_cleaned("std::vector<int>::push_back(int&&)", "std::vector<int>::push_back(int&&)");
	assert_cleaned("f" UMLAUT "r " CHARACTER " " FIRE, "f" UMLAUT "r " CHARACTER " " FIRE);
	assert_cleaned("a\nb\tc\x1b[31m\x7f", "a" U_FFFD "b" U_FFFD "c" U_FFFD "[31m" U_FFFD);
	assert_cleaned("\xc2\x85", U_FFFD); /* a C1 control */
	assert_cleaned("", "");
	assert_cleaned(NULL, "");
}

static void what_is_not_utf8_is_replaced(void **state)
{
	(void)state;
	assert_cleaned("\xff", U_FFFD);
	assert_cleaned("a\x80z", "a" U_FFFD "z");
	assert_cleaned("\xc3", U_FFFD);			      /* cut short */
	assert_cleaned("\xc3z", U_FFFD "z");		      /* the next byte is kept */
	assert_cleaned("\xc0\xaf", U_FFFD U_FFFD);	      /* an overlong '/' */
	assert_cleaned("\xed\xa0\x80", U_FFFD U_FFFD U_FFFD); /* a surrogate */
	assert_cleaned("\xf4\x90\x80\x80", U_FFFD U_FFFD U_FFFD U_FFFD);
	assert_cleaned("\xef\xbf\xbf", U_FFFD); /* not in XML */
}

static void text_cannot_be_reordered(void **state)
{
	(void)state;
	assert_cleaned("a" OVERRIDE "b", "a" U_FFFD "b");
	assert_cleaned("a" ISOLATE "b", "a" U_FFFD "b");
	assert_cleaned("a" SEPARATOR "b", "a" U_FFFD "b");
}

static void markup_is_escaped(void **state)
{
	FILE *f = capture();
	char *text;

	(void)state;
	svg_text(f, "</script><script>alert(\"1\")&lt;'");
	text = captured(f);
	assert_string_equal(text, "&lt;/script&gt;&lt;script&gt;alert(&quot;1&quot;)&amp;lt;&#39;");
	free(text);
}

static void assert_fitted(const char *name, size_t columns, const char *expected)
{
	FILE *f = capture();
	char *text;

	svg_text_fit(f, name, strlen(name), columns);
	text = captured(f);
	assert_string_equal(text, expected);
	free(text);
}

static void labels_fit_their_columns(void **state)
{
	(void)state;
	assert_fitted("do_sys_poll", 11, "do_sys_poll");
	assert_fitted("do_sys_poll", 100, "do_sys_poll");
	assert_fitted("do_sys_poll", 10, "do_sys_po" ELLIPSIS);
	assert_fitted("do_sys_poll", 4, "do_" ELLIPSIS);
	assert_fitted("do_sys_poll", 3, "");
	assert_fitted("do_sys_poll", 0, "");
	assert_fitted("ls", 2, "ls");
	assert_fitted("", 5, "");
	/* Two columns each, and never cut within a character. */
	assert_fitted(CHARACTER CHARACTER2, 4, CHARACTER CHARACTER2);
	assert_fitted(CHARACTER CHARACTER2 CHARACTER, 5, CHARACTER CHARACTER2 ELLIPSIS);
	assert_fitted(CHARACTER CHARACTER2 CHARACTER, 4, CHARACTER ELLIPSIS);
	assert_fitted("a<b<c", 4, "a&lt;b" ELLIPSIS);
}

static void assert_px(int64_t hundredths, const char *expected)
{
	FILE *f = capture();
	char *text;

	svg_px(f, hundredths);
	text = captured(f);
	assert_string_equal(text, expected);
	free(text);
}

static void coordinates_are_short(void **state)
{
	(void)state;
	assert_px(0, "0");
	assert_px(1200, "12");
	assert_px(1250, "12.5");
	assert_px(1205, "12.05");
	assert_px(-7, "-0.07");
	assert_px(INT64_MIN, "-92233720368547758.08");
}

static void scaling_does_not_overflow(void **state)
{
	(void)state;
	assert_int_equal(svg_scale(1, 3, 100), 33);
	assert_int_equal(svg_scale(UINT64_MAX, UINT64_MAX, 118000), 118000);
	assert_int_equal(svg_scale(UINT64_MAX / 2, UINT64_MAX, 118000), 58999);
	assert_int_equal(svg_scale(5, 0, 100), 0);
}

static void logarithms_agree_with_libm(void **state)
{
	uint64_t v;
	int i;

	(void)state;
	for (i = 0; i < 64; i++)
		assert_int_equal(svg_log2(1ull << i), i * 65536);
	for (v = 1; v < UINT64_MAX / 3; v = v * 3 + 1)
		assert_true(fabs(svg_log2(v) / 65536.0 - log2(v)) < 2 / 65536.0);
	assert_int_equal(svg_log2(0), -65536);
}

static void percentages_are_rounded(void **state)
{
	char buf[QUANTITY_LEN];

	(void)state;
	assert_string_equal(svg_percent(buf, 1, 3), "33.33%");
	assert_string_equal(svg_percent(buf, 2, 3), "66.67%");
	assert_string_equal(svg_percent(buf, UINT64_MAX, UINT64_MAX), "100.00%");
	assert_string_equal(svg_percent(buf, 0, 0), "0.00%");
}

static void colors_run_from_anchor_to_anchor(void **state)
{
	static const uint32_t anchors[] = { 0x000000, 0x6400c8, 0xffffff };

	(void)state;
	assert_int_equal(svg_color(anchors, 3, 0, 10), 0x000000);
	assert_int_equal(svg_color(anchors, 3, 5, 10), 0x6400c8);
	assert_int_equal(svg_color(anchors, 3, 10, 10), 0xffffff);
	assert_int_equal(svg_color(anchors, 3, 1, 4), 0x320064);
}

static void a_full_disk_is_noticed(void **state)
{
	FILE *f = fopen("/dev/full", "w");
	int i;

	(void)state;
	assert_non_null(f);
	for (i = 0; i < 10000; i++)
		svg_text(f, "more than the buffer holds");
	assert_true(svg_flush(f) < 0);
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_cleaned),
		cmocka_unit_test(what_is_not_utf8_is_replaced),
		cmocka_unit_test(text_cannot_be_reordered),
		cmocka_unit_test(markup_is_escaped),
		cmocka_unit_test(labels_fit_their_columns),
		cmocka_unit_test(coordinates_are_short),
		cmocka_unit_test(scaling_does_not_overflow),
		cmocka_unit_test(logarithms_agree_with_libm),
		cmocka_unit_test(percentages_are_rounded),
		cmocka_unit_test(colors_run_from_anchor_to_anchor),
		cmocka_unit_test(a_full_disk_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
