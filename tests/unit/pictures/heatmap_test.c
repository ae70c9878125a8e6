// SPDX-License-Identifier: GPL-2.0-only
/* Tests of heat maps: the model, merging of columns, the text, and what is true of the picture. */

#include "helpers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "heatmap.h"
#include "quantity.h"

/* 2026-01-02 03:04:05 UTC */
#define START 1767323045000000000ull

static struct heatmap *map(uint64_t column_ns, size_t max_columns)
{
	const struct heatmap_opts opts = {
		.title = "test", .start = START, .column_ns = column_ns, .max_columns = max_columns
	};
	struct heatmap *hm = heatmap_new(&opts);

	assert_non_null(hm);
	return hm;
}

static char *lat_of(struct heatmap *hm)
{
	FILE *f = capture();

	assert_int_equal(heatmap_write_lat(hm, f), 0);
	return captured(f);
}

static char *svg_of(struct heatmap *hm)
{
	FILE *f = capture();

	assert_int_equal(heatmap_write_svg(hm, f), 0);
	return captured(f);
}

static void assert_lat(struct heatmap *hm, const char *expected)
{
	char *text = lat_of(hm);

	assert_string_equal(text, expected);
	free(text);
}

/* The bounds of bucket @n of a histogram of 16 buckets for each power of two. */
static void bucket(unsigned int n, uint64_t *lo, uint64_t *hi)
{
	uint64_t width = n < 32 ? 1 : 1ull << (n / 16 - 1);

	*lo = n < 32 ? n : (16 + n % 16) * width;
	*hi = *lo + width;
}

static void cells_are_written(void **state)
{
	struct heatmap *hm = map(NSEC_PER_SEC, 0);

	(void)state;
	assert_int_equal(heatmap_add(hm, 2500000000, 512, 544, 3), 0);
	assert_int_equal(heatmap_add(hm, 500000000, 1024, 1088, 1), 0);
	assert_int_equal(heatmap_add(hm, 2999999999, 512, 544, 4), 0);
	assert_int_equal(heatmap_add(hm, 2000000000, 16, 17, 2), 0);
	assert_int_equal(heatmap_add(hm, 1000000000, 16, 17, 0), 0);
	assert_lat(hm, "# start 2026-01-02T03:04:05.000000Z column_ns 1000000000\n"
		       "# TIME_NS(since start) LO_NS HI_NS(exclusive) COUNT\n"
		       "0 1024 1088 1\n"
		       "2000000000 16 17 2\n"
		       "2000000000 512 544 7\n");
	heatmap_free(hm);
}

static void columns_merge_when_there_are_too_many(void **state)
{
	struct heatmap *hm = map(10, 4);
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_int_equal(heatmap_add(hm, i * 10, 1, 2, 1 << i), 0);
	assert_int_equal(heatmap_add(hm, 40, 2, 3, 100), 0);
	assert_lat(hm, "# start 2026-01-02T03:04:05.000000Z column_ns 20\n"
		       "# TIME_NS(since start) LO_NS HI_NS(exclusive) COUNT\n"
		       "0 1 2 3\n"
		       "20 1 2 12\n"
		       "40 2 3 100\n");
	/* Far ahead: many times at once. */
	assert_int_equal(heatmap_add(hm, 10240, 1, 2, 1), 0);
	assert_lat(hm, "# start 2026-01-02T03:04:05.000000Z column_ns 5120\n"
		       "# TIME_NS(since start) LO_NS HI_NS(exclusive) COUNT\n"
		       "0 1 2 15\n"
		       "0 2 3 100\n"
		       "10240 1 2 1\n");
	heatmap_free(hm);
}

static void nothing_is_lost_in_a_long_run(void **state)
{
	struct heatmap *hm = map(NSEC_PER_SEC, 0);
	uint64_t added = 0, by_row[100] = { 0 }, found[100] = { 0 }, found_all = 0;
	uint64_t time, lo, hi, count, column = 0, last = 0;
	unsigned int second, seed = 3, columns = 0;
	char *text, *line, *rest;

	(void)state;
	/* Two days, in seconds. */
	for (second = 0; second < 2 * 86400; second++) {
		unsigned int row = 200 + rand_r(&seed) % 100;

		count = 1 + rand_r(&seed) % 50;
		bucket(row, &lo, &hi);
		assert_int_equal(heatmap_add(hm, second * NSEC_PER_SEC + NSEC_PER_SEC / 2, lo, hi,
					     count),
				 0);
		added += count;
		by_row[row - 200] += count;
	}
	text = lat_of(hm);
	assert_non_null(strstr(text, "column_ns "));
	column = strtoull(strstr(text, "column_ns ") + 10, NULL, 10);
	assert_int_equal(column, 512 * NSEC_PER_SEC);
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		unsigned int row;

		if (line[0] == '#')
			continue;
		assert_int_equal(sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &time,
					&lo, &hi, &count),
				 4);
		assert_int_equal(time % column, 0);
		assert_true(time >= last);
		columns += !columns || time > last;
		last = time;
		for (row = 200;; row++) {
			uint64_t row_lo, row_hi;

			assert_true(row < 300);
			bucket(row, &row_lo, &row_hi);
			if (row_lo == lo && row_hi == hi)
				break;
		}
		found[row - 200] += count;
		found_all += count;
	}
	free(text);
	assert_int_equal(found_all, added);
	assert_memory_equal(found, by_row, sizeof(found));
	assert_in_range(columns, 300, 600);
	heatmap_free(hm);
}

static void memory_is_bounded(void **state)
{
	size_t before = memory_live(), after_an_hour;
	struct heatmap *hm = map(NSEC_PER_SEC, 0);
	unsigned int second, row;
	uint64_t lo, hi;

	(void)state;
	memory_reset_peak();
	for (second = 0; second < 3600; second++) {
		bucket(second % 400, &lo, &hi);
		assert_int_equal(heatmap_add(hm, second * NSEC_PER_SEC, lo, hi, 1), 0);
	}
	after_an_hour = memory_live();
	for (; second < 360000; second++) {
		bucket(second % 400, &lo, &hi);
		assert_int_equal(heatmap_add(hm, second * NSEC_PER_SEC, lo, hi, 1), 0);
	}
	assert_int_equal(memory_live(), after_an_hour);
	/* All buckets that such a histogram of 64-bit values can have. */
	for (row = 0; row < 61 * 16; row++) {
		bucket(row, &lo, &hi);
		if (hi > lo)
			assert_int_equal(heatmap_add(hm, 0, lo, hi, 1), 0);
	}
	assert_true(memory_peak() - before < 5500000);
	heatmap_free(hm);
	assert_int_equal(memory_live(), before);
}

static void bad_cells_are_refused(void **state)
{
	struct heatmap *hm = map(NSEC_PER_SEC, 0);
	struct heatmap_opts opts = { .column_ns = 0 };
	uint64_t i;
	char *text;

	(void)state;
	assert_null(heatmap_new(&opts));
	opts.column_ns = UINT64_MAX;
	assert_null(heatmap_new(&opts));
	assert_int_equal(heatmap_add(hm, 0, 5, 5, 1), -EINVAL);
	assert_int_equal(heatmap_add(hm, 0, 6, 5, 1), -EINVAL);
	assert_int_equal(heatmap_add(hm, UINT64_MAX, 5, 6, 1), -EINVAL);
	assert_int_equal(heatmap_add(hm, 0, 5, 6, UINT64_MAX), 0);
	assert_int_equal(heatmap_add(hm, 0, 7, 8, 1), -EOVERFLOW);
	heatmap_free(hm);

	hm = map(NSEC_PER_SEC, 0);
	for (i = 0; i < HEATMAP_RANGES; i++)
		assert_int_equal(heatmap_add(hm, 0, i, i + 1, 1), 0);
	assert_int_equal(heatmap_add(hm, 0, i, i + 1, 1), -ENOSPC);
	assert_int_equal(heatmap_add(hm, 0, 3, 4, 1), 0);
	text = lat_of(hm);
	assert_int_equal(occurrences(text, "\n"), 2 + HEATMAP_RANGES);
	free(text);
	heatmap_free(hm);
}

/* A run as they are: a busy band, a slow one, and a burst. */
static struct heatmap *run(unsigned int seconds)
{
	struct heatmap *hm = map(NSEC_PER_SEC, 0);
	unsigned int seed = 5, s, i;
	uint64_t lo, hi;

	for (s = 0; s < seconds; s++) {
		for (i = 0; i < 40; i++) {
			bucket(120 + i + rand_r(&seed) % 10, &lo, &hi);
			assert_int_equal(heatmap_add(hm, s * NSEC_PER_SEC, lo, hi,
						     1 + rand_r(&seed) % (i * i + 1)),
					 0);
		}
		bucket(s / 10 % 5 ? 250 : 330, &lo, &hi);
		assert_int_equal(heatmap_add(hm, s * NSEC_PER_SEC, lo, hi, 2), 0);
	}
	return hm;
}

/* A number with commas, and what follows it. */
static uint64_t count_of(const char *s)
{
	uint64_t n = 0;

	for (; (*s >= '0' && *s <= '9') || *s == ','; s++) {
		if (*s != ',')
			n = n * 10 + *s - '0';
	}
	assert_int_equal(strncmp(s, " events", 7), 0);
	return n;
}

static uint64_t total_of(struct heatmap *hm)
{
	char *text = lat_of(hm), *line, *rest;
	uint64_t total = 0;

	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (line[0] != '#')
			total += strtoull(strrchr(line, ' '), NULL, 10);
	}
	free(text);
	return total;
}

static void cells_tile_the_area(void **state)
{
	static const unsigned int lengths[] = { 1, 7, 120, 248, 497, 600, 5000 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct heatmap *hm = run(lengths[i]);
		uint64_t total = 0, max = 0;
		char *svg = svg_of(hm), *end;
		const char *s;
		int right = 76, x, bottom = 0, step, y, width, height;

		assert_self_contained(svg);
		end = strstr(svg, "<g class=\"sums\">");
		assert_non_null(end);
		*end = '\0';
		for (s = strstr(svg, "<g class=\"cells\">") + 1; (s = strpbrk(s, "<")); s++) {
			if (sscanf(s, "<g transform=\"translate(%d,0)", &x) == 1) {
				/* This run has no empty columns. */
				assert_int_equal(x, right);
				bottom = 506;
			} else if (sscanf(s,
					  "<rect class=\"s%d\" y=\"%d\" width=\"%d\" height=\"%d\"",
					  &step, &y, &width, &height) == 4) {
				/* From the bottom up, and none over another. */
				assert_true(y >= 66 && y + height <= bottom);
				assert_true(width >= 4 && height >= 1);
				assert_in_range(step, 0, 11);
				right = x + width;
				bottom = y;
				s = strchr(strchr(strstr(s, "<title>"), '\n') + 1, '\n') + 1;
				total += count_of(s);
				if (count_of(s) > max)
					max = count_of(s);
			}
		}
		assert_int_equal(right, 1070);
		/* Columns and rows were joined for the picture, and nothing was lost. */
		assert_int_equal(total, total_of(hm));
		free(svg);
		heatmap_free(hm);
	}
}

static void a_cell_tells_what_it_is(void **state)
{
	struct heatmap *hm = map(NSEC_PER_SEC, 0);
	char *svg;

	(void)state;
	assert_int_equal(heatmap_add(hm, 1500000000, 512000, 544000, 3), 0);
	assert_int_equal(heatmap_add(hm, 1500000000, 1024000, 1088000, 1), 0);
	svg = svg_of(hm);
	assert_non_null(strstr(svg, "<title>03:04:06 .. 03:04:07\n507.9 us .. 557.1 us\n"
				    "3 events, 75.00% of the column</title>"));
	assert_non_null(strstr(svg, ">03:04:06</text>"));
	assert_non_null(strstr(svg, ">1 ms</text>"));
	free(svg);
	heatmap_free(hm);
}

static void the_clock_is_as_sharp_as_needed(void **state)
{
	static const struct {
		uint64_t column_ns;
		unsigned int columns;
		const char *shown;
	} cases[] = {
		{ 1000000, 100, ">03:04:05.010</text>" },
		{ 50000, 100, ">03:04:05.001000</text>" },
		{ NSEC_PER_SEC, 60, ">03:04:10</text>" },
		{ 60 * NSEC_PER_SEC, 60, ">03:10</text>" },
		{ 3600 * NSEC_PER_SEC, 24 * 10, ">01-03 00:00</text>" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct heatmap *hm = map(cases[i].column_ns, 0);
		unsigned int c;
		char *svg;

		for (c = 0; c < cases[i].columns; c++)
			assert_int_equal(heatmap_add(hm, c * cases[i].column_ns, 1000, 1100, 1), 0);
		svg = svg_of(hm);
		assert_non_null(strstr(svg, cases[i].shown));
		free(svg);
		heatmap_free(hm);
	}
}

static void the_clock_is_the_local_one(void **state)
{
	struct heatmap *hm = run(60);
	char *svg;

	(void)state;
	setenv("TZ", "XYZ-05:30", 1);
	tzset();
	svg = svg_of(hm);
	setenv("TZ", "UTC", 1);
	tzset();
	assert_non_null(strstr(svg, ">08:34:10</text>"));
	assert_non_null(strstr(svg, "from 2026-01-02 08:34:05"));
	free(svg);
	heatmap_free(hm);
}

/* Whatever the ranges: one, the extremes, overlapping ones. */
static void any_ranges_make_a_picture(void **state)
{
	static const uint64_t cases[][6] = {
		{ 1000, 1001 },
		{ 0, 1 },
		{ 0, UINT64_MAX },
		{ UINT64_MAX - 1, UINT64_MAX },
		{ 0, 1, UINT64_MAX - 1, UINT64_MAX },
		{ 1000, 2000, 1500, 3000, 100, 100000 },
		{ 1, 2, 2, 3, 3, 4 },
		{ 10, 11, 10, 1000, 999, 1000 },
	};
	size_t i;
	int j;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct heatmap *hm = map(NSEC_PER_SEC, 0);
		char *svg;

		for (j = 0; j < 6 && cases[i][j + 1]; j += 2)
			assert_int_equal(heatmap_add(hm, j * NSEC_PER_SEC, cases[i][j],
						     cases[i][j + 1], UINT64_MAX / 4),
					 0);
		svg = svg_of(hm);
		assert_self_contained(svg);
		assert_true(occurrences(svg, "of the column") >= 1);
		free(svg);
		heatmap_free(hm);
	}
}

static void texts_cannot_become_markup(void **state)
{
	const struct heatmap_opts opts = { .title = "</title><script>alert(1)</script>",
					   .subtitle = "]]><b onclick=\"x\">&",
					   .unit = "<events>\xff",
					   .column_ns = 1 };
	struct heatmap *hm = heatmap_new(&opts);
	char *svg;

	(void)state;
	assert_int_equal(heatmap_add(hm, 0, 1, 2, 1), 0);
	svg = svg_of(hm);
	assert_self_contained(svg);
	assert_null(strstr(svg, "<script"));
	free(svg);
	heatmap_free(hm);
}

static void nothing_makes_a_picture_too(void **state)
{
	struct heatmap *hm = map(NSEC_PER_SEC, 0);
	char *svg = svg_of(hm);

	(void)state;
	assert_self_contained(svg);
	assert_non_null(strstr(svg, "Nothing was recorded"));
	free(svg);
	heatmap_free(hm);
}

static void short_memory_is_survived(void **state)
{
	const struct heatmap_opts opts = { .column_ns = 10, .max_columns = 4 };
	size_t before = memory_live();
	bool succeeded = false;
	unsigned long nth;

	(void)state;
	for (nth = 1; !succeeded && nth < 1000; nth++) {
		FILE *null = fopen("/dev/null", "w");
		struct heatmap *hm;
		int err = -ENOMEM, i;

		memory_fail_from(nth);
		hm = heatmap_new(&opts);
		for (i = 0; hm && i < 80; i++) {
			err = heatmap_add(hm, i, i, i + 1, 1);
			if (err)
				break;
		}
		if (!err)
			err = heatmap_write_lat(hm, null);
		if (!err)
			err = heatmap_write_svg(hm, null);
		memory_fail_from(0);
		if (err)
			assert_int_equal(err, -ENOMEM);
		else
			succeeded = true;
		heatmap_free(hm);
		fclose(null);
	}
	assert_true(succeeded);
	assert_int_equal(memory_live(), before);
}

static void a_full_disk_is_an_error(void **state)
{
	struct heatmap *hm = run(60);
	FILE *f = fopen("/dev/full", "w");

	(void)state;
	assert_int_equal(heatmap_write_svg(hm, f), -ENOSPC);
	clearerr(f);
	assert_int_equal(heatmap_write_lat(hm, f), -ENOSPC);
	fclose(f);
	heatmap_free(hm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_are_written),
		cmocka_unit_test(columns_merge_when_there_are_too_many),
		cmocka_unit_test(nothing_is_lost_in_a_long_run),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(bad_cells_are_refused),
		cmocka_unit_test(cells_tile_the_area),
		cmocka_unit_test(a_cell_tells_what_it_is),
		cmocka_unit_test(the_clock_is_as_sharp_as_needed),
		cmocka_unit_test(the_clock_is_the_local_one),
		cmocka_unit_test(any_ranges_make_a_picture),
		cmocka_unit_test(texts_cannot_become_markup),
		cmocka_unit_test(nothing_makes_a_picture_too),
		cmocka_unit_test(short_memory_is_survived),
		cmocka_unit_test(a_full_disk_is_an_error),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
