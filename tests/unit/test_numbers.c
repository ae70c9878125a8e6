// SPDX-License-Identifier: GPL-2.0-only
/*
 * Distributions of numbers, which may be below 0. They are filled here by their bounds alone, and
 * figures are compared with those of the sorted numbers; and how reports show them.
 */
#include "helpers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "numbers.h"

#define SAMPLES 3000
#define LIMIT	(1LL << HIST_MAX_BITS)

static int64_t samples[SAMPLES];

/* What is -0 has no numbers. */
static bool is_used(unsigned int bucket)
{
	return bucket != NUMBERS_ZERO - 1 && bucket < NUMBERS_ZERO + HIST_BUCKETS &&
	       bucket >= NUMBERS_ZERO - HIST_BUCKETS;
}

/* The bucket that @number, signed, is in; there is exactly one. */
static unsigned int bucket_of(int64_t number)
{
	unsigned int i, found = 0, at = 0;
	uint64_t lo, hi;

	for (i = 0; i < NUMBERS_BUCKETS; i++) {
		if (!is_used(i))
			continue;
		numbers_bounds(i, &lo, &hi);
		if (number >= (int64_t)lo && ((i >= NUMBERS_ZERO && !hi) || number < (int64_t)hi)) {
			at = i;
			found++;
		}
	}
	assert_int_equal(found, 1);
	return at;
}

static void fill(struct numbers *n, size_t count)
{
	size_t i;

	memset(n, 0, sizeof(*n));
	n->is_signed = true;
	n->count = count;
	for (i = 0; i < count; i++) {
		n->sum += samples[i];
		if (!i || samples[i] < (int64_t)n->min)
			n->min = samples[i];
		if (!i || samples[i] > (int64_t)n->max)
			n->max = samples[i];
		n->bucket[bucket_of(samples[i])]++;
	}
}

static int smaller_first(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* The nearest rank's. */
static int64_t exact(size_t count, double percent)
{
	size_t rank = ceil(percent * count / 100);

	qsort(samples, count, sizeof(*samples), smaller_first);
	return samples[rank ? rank - 1 : 0];
}

static void check_percentiles(size_t count)
{
	static const double percents[] = { 0, 1, 25, 50, 75, 95, 99, 100 };
	struct numbers n;
	int64_t truth, got;
	size_t i;

	fill(&n, count);
	for (i = 0; i < COUNT(percents); i++) {
		truth = exact(count, percents[i]);
		got = numbers_percentile(&n, percents[i]);
		assert_true(llabs(got - truth) <= llabs(truth) / 32);
		assert_true(got >= (int64_t)n.min && got <= (int64_t)n.max);
	}
}

static void percentiles_are_within_a_32nd_of_the_exact_ones(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < SAMPLES; i++)
		samples[i] =
			(int64_t)(random64() >> (25 + random64() % 38)) * (random64() & 1 ? 1 : -1);
	check_percentiles(SAMPLES);
	for (i = 0; i < SAMPLES; i++)
		samples[i] = -1 - (int64_t)(random64() >> 30);
	check_percentiles(SAMPLES);
	for (i = 0; i < SAMPLES; i++)
		samples[i] = (int64_t)(random64() % 41) - 20;
	check_percentiles(SAMPLES);
}

static void equal_numbers_have_all_percentiles_exact(void **state)
{
	static const int64_t ones[] = { 0,  1,	   -1,	       15,	  -16,	     17,
					-8, 12345, -123456789, LIMIT - 1, -LIMIT + 1 };
	struct numbers n;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(ones); i++) {
		samples[0] = samples[1] = ones[i];
		fill(&n, 2);
		assert_true((int64_t)numbers_percentile(&n, 1) == ones[i]);
		assert_true((int64_t)numbers_percentile(&n, 99) == ones[i]);
		assert_true((int64_t)numbers_average(&n) == ones[i]);
	}
}

static void percentiles_among_the_largest_are_the_extremes(void **state)
{
	struct numbers n;

	(void)state;
	samples[0] = INT64_MIN;
	samples[1] = -LIMIT;
	samples[2] = LIMIT;
	samples[3] = INT64_MAX;
	fill(&n, 4);
	assert_true((int64_t)numbers_percentile(&n, 25) == INT64_MIN);
	assert_true((int64_t)numbers_percentile(&n, 50) == INT64_MIN);
	assert_true((int64_t)numbers_percentile(&n, 75) == INT64_MAX);
	assert_true((int64_t)numbers_percentile(&n, 100) == INT64_MAX);
}

static void large_unsigned_numbers_are_no_negative_ones(void **state)
{
	struct numbers n = { .count = 2, .sum = UINT64_MAX, .min = 5, .max = UINT64_MAX - 5 };

	(void)state;
	n.bucket[NUMBERS_ZERO + 5] = n.bucket[NUMBERS_ZERO + HIST_BUCKETS - 1] = 1;
	assert_true(numbers_percentile(&n, 50) == 5);
	assert_true(numbers_percentile(&n, 99) == UINT64_MAX - 5);
	assert_true(numbers_average(&n) == UINT64_MAX / 2);
}

static void buckets_tile_the_range_without_gap_or_overlap(void **state)
{
	uint64_t lo, hi, before = 1ULL << 63;
	unsigned int i;

	(void)state;
	for (i = NUMBERS_ZERO - HIST_BUCKETS; i < NUMBERS_ZERO + HIST_BUCKETS; i++) {
		if (!is_used(i))
			continue;
		numbers_bounds(i, &lo, &hi);
		assert_true(lo == before);
		before = hi;
	}
	assert_true(before == 0);
}

static void the_average_is_rounded_towards_0(void **state)
{
	struct numbers n;

	(void)state;
	samples[0] = -3;
	samples[1] = -4;
	fill(&n, 2);
	assert_true((int64_t)numbers_average(&n) == -3);
	samples[0] = 3;
	samples[1] = 4;
	fill(&n, 2);
	assert_true((int64_t)numbers_average(&n) == 3);
	fill(&n, 0);
	assert_true(numbers_average(&n) == 0 && numbers_percentile(&n, 50) == 0);
}

/* Reports */

enum {
	KEY,
	NAME,
	SUM,
	NUMBERS
};

static const struct column columns[] = {
	[KEY] = { .name = "key", .type = CELL_SIGNED_ID, .optional = true },
	[NAME] = { .name = "name", .type = CELL_STRING, .optional = true },
	[SUM] = { .name = "sum of it", .type = CELL_NUMBER },
	[NUMBERS] = { .name = "numbers", .type = CELL_NUMBERS },
};

static const struct layout layout = LAYOUT(columns);

static struct cell *add_row(struct report *r, int64_t key, int64_t sum)
{
	struct cell *row = table_add(&r->rows);

	cell_number(&row[KEY], key);
	cell_number(&row[SUM], sum);
	return row;
}

static void check_signed(json_object *object, const char *name, int64_t expected)
{
	json_object *number = member(object, name);

	assert_true(json_object_is_type(number, json_type_int));
	assert_true(json_object_get_int64(number) == expected);
}

static void json_has_numbers_with_their_signs(void **state)
{
	json_object *object, *row, *bucket;
	struct numbers n;
	struct cell *cells;
	struct report r;

	(void)state;
	samples[0] = -1000;
	samples[1] = -7;
	samples[2] = 4;
	fill(&n, 3);
	begin(&r, &layout);
	cells = add_row(&r, -1, INT64_MIN);
	cell_numbers(&cells[NUMBERS], &n);
	object = render_and_parse(&r);
	row = element(object, "rows", 0, 1);
	check_signed(row, "key", -1);
	check_signed(row, "sum of it", INT64_MIN);
	check_number(row, "count", 3);
	check_signed(row, "sum", -1003);
	check_signed(row, "min", -1000);
	check_signed(row, "avg", -334);
	check_signed(row, "p50", -7);
	check_signed(row, "max", 4);
	bucket = element(row, "hist", 0, 3);
	assert_true(json_object_get_int64(member(bucket, "lo")) <= -1000);
	assert_true(json_object_get_int64(member(bucket, "hi")) > -1000);
	check_signed(element(row, "hist", 1, 3), "lo", -7);
	check_signed(element(row, "hist", 1, 3), "hi", -6);
	check_signed(element(row, "hist", 2, 3), "lo", 4);
	check_number(element(row, "hist", 2, 3), "count", 1);
	assert_false(json_object_object_get_ex(row, "name", NULL));
	json_object_put(object);
	end(&r);
}

static void json_has_bounds_for_the_largest(void **state)
{
	json_object *object, *row;
	struct numbers n;
	struct cell *cells;
	struct report r;

	(void)state;
	samples[0] = INT64_MIN;
	samples[1] = INT64_MAX;
	fill(&n, 2);
	begin(&r, &layout);
	cells = add_row(&r, 0, 0);
	cell_numbers(&cells[NUMBERS], &n);
	n.is_signed = false;
	n.bucket[NUMBERS_ZERO - HIST_BUCKETS] = 0;
	cells = add_row(&r, 0, 0);
	cell_numbers(&cells[NUMBERS], &n);
	object = render_and_parse(&r);
	row = element(object, "rows", 0, 2);
	check_signed(element(row, "hist", 0, 2), "lo", INT64_MIN);
	check_signed(element(row, "hist", 0, 2), "hi", 1 - LIMIT);
	check_signed(element(row, "hist", 1, 2), "lo", LIMIT);
	check_signed(element(row, "hist", 1, 2), "hi", INT64_MAX);
	row = element(object, "rows", 1, 2);
	check_number(element(row, "hist", 0, 1), "hi", UINT64_MAX);
	json_object_put(object);
	end(&r);
}

/* The line of @p that begins with @begin, spaces before it aside; NULL if there is none. */
static const char *line_of(const struct page *p, const char *begin)
{
	size_t i;

	for (i = 0; i < p->count; i++) {
		const char *line = p->lines[i] + strspn(p->lines[i], " ");

		if (!strncmp(line, begin, strlen(begin)))
			return line;
	}
	return NULL;
}

static void text_shows_figures_and_a_picture(void **state)
{
	struct numbers n;
	struct cell *cells;
	struct report r;
	struct page p;
	size_t i;

	(void)state;
	for (i = 0; i < 30; i++)
		samples[i] = i < 10 ? -19 : 3;
	fill(&n, 30);
	begin(&r, &layout);
	cells = add_row(&r, -11, -1234567);
	cell_numbers(&cells[NUMBERS], &n);
	page_of(&p, render_with(&text_renderer, &r));
	assert_string_equal(p.lines[1] + strspn(p.lines[1], " "),
			    "key    sum of it        count        sum        min        avg"
			    "        p50        p95        p99        max");
	assert_non_null(line_of(
		&p, "-11   -1,234,567           30       -130        -19         -4          3"));
	assert_non_null(line_of(&p, "range"));
	assert_non_null(line_of(&p, "-19 ..        -18           10  ####################"));
	assert_non_null(line_of(&p, "..."));
	assert_non_null(line_of(
		&p, "3 ..          4           20  ########################################"));
	assert_null(line_of(&p, "0 .."));
	page_free(&p);
	end(&r);
}

static void text_leaves_out_columns_that_nobody_has(void **state)
{
	struct cell *cells;
	struct report r;
	struct page p;

	(void)state;
	begin(&r, &layout);
	add_row(&r, 5, 6);
	page_of(&p, render_with(&text_renderer, &r));
	assert_null(strstr(p.lines[1], "name"));
	assert_non_null(strstr(p.lines[1], "key  "));
	page_free(&p);
	cells = table_add(&r.rows);
	cell_string(&cells[NAME], "other");
	page_of(&p, render_with(&text_renderer, &r));
	assert_non_null(strstr(p.lines[1], "key  name  "));
	assert_non_null(line_of(&p, "5  -      "));
	assert_non_null(line_of(&p, "-  other  "));
	page_free(&p);
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_are_within_a_32nd_of_the_exact_ones),
		cmocka_unit_test(equal_numbers_have_all_percentiles_exact),
		cmocka_unit_test(percentiles_among_the_largest_are_the_extremes),
		cmocka_unit_test(large_unsigned_numbers_are_no_negative_ones),
		cmocka_unit_test(buckets_tile_the_range_without_gap_or_overlap),
		cmocka_unit_test(the_average_is_rounded_towards_0),
		cmocka_unit_test(json_has_numbers_with_their_signs),
		cmocka_unit_test(json_has_bounds_for_the_largest),
		cmocka_unit_test(text_shows_figures_and_a_picture),
		cmocka_unit_test(text_leaves_out_columns_that_nobody_has),
	};

	set_clocks();
	return cmocka_run_group_tests_name("numbers", tests, NULL, NULL);
}
