// SPDX-License-Identifier: GPL-2.0-only
/*
 * Histograms as userspace reads them. They are filled here by the definition of a bucket in abi.h,
 * not by the programs' code (test_hist_bpf.c has that), and figures are compared with those of the
 * sorted samples.
 */
#include "helpers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hist.h"

#define LIMIT (1ULL << HIST_MAX_BITS)

/* Above 0, below 1. */
static double random_share(void)
{
	return ((random64() >> 12) + 0.5) / (1ULL << 52);
}

/* The bucket of @value by abi.h: a power of two has 16, all of the same width. */
static unsigned int bucket_of(uint64_t value)
{
	uint64_t power = 16;
	unsigned int powers = 0;

	if (value < 16)
		return value;
	if (value >= LIMIT)
		return HIST_BUCKETS - 1;
	while (value >= 2 * power) {
		power *= 2;
		powers++;
	}
	return 16 + 16 * powers + (value - power) / (power / 16);
}

static void fill(struct hist *h, const uint64_t *samples, size_t count)
{
	size_t i;

	memset(h, 0, sizeof(*h));
	h->count = count;
	for (i = 0; i < count; i++) {
		h->sum += samples[i];
		if (!i || samples[i] < h->min)
			h->min = samples[i];
		if (samples[i] > h->max)
			h->max = samples[i];
		h->bucket[bucket_of(samples[i])]++;
	}
}

static int smaller_first(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The nearest rank, in whole numbers: @tenths are tenths of a percent. */
static uint64_t exact_percentile(const uint64_t *sorted, uint64_t count, uint64_t tenths)
{
	uint64_t rank = (tenths * count + 999) / 1000;

	return sorted[rank ? rank - 1 : 0];
}

/* Compares all kinds of percentiles of @samples, which gets sorted. */
static void check_percentiles(const char *name, uint64_t *samples, size_t count)
{
	static const unsigned int tenths[] = { 0,   5,	 10,  50,  70,	140, 250, 280,
					       290, 495, 500, 505, 550, 560, 570, 580,
					       750, 900, 950, 990, 999, 1000 };
	struct hist h;
	size_t i;

	fill(&h, samples, count);
	qsort(samples, count, sizeof(*samples), smaller_first);
	for (i = 0; i < sizeof(tenths) / sizeof(*tenths); i++) {
		uint64_t exact = exact_percentile(samples, count, tenths[i]);
		uint64_t got = hist_percentile(&h, tenths[i] / 10.0);
		uint64_t off = got > exact ? got - exact : exact - got;

		if (off > exact / 32)
			fail_msg("%s: p%g of %zu values is %llu, not %llu", name, tenths[i] / 10.0,
				 count, (unsigned long long)exact, (unsigned long long)got);
		assert_in_range(got, h.min, h.max);
	}
}

#define MOST_SAMPLES 20000

static void check_distribution(const char *name, uint64_t (*draw)(void))
{
	static const size_t counts[] = { 1, 2, 3, 7, 20, 99, 100, 101, 1000, MOST_SAMPLES };
	static uint64_t samples[MOST_SAMPLES];
	size_t i, n;

	for (n = 0; n < sizeof(counts) / sizeof(*counts); n++) {
		for (i = 0; i < counts[n]; i++)
			samples[i] = draw();
		check_percentiles(name, samples, counts[n]);
	}
}

static uint64_t draw_uniform(void)
{
	return random64() % 1000000;
}

static uint64_t draw_small(void)
{
	return random64() % 40;
}

static uint64_t draw_exponential(void)
{
	return -log(random_share()) * 50000;
}

static uint64_t draw_bimodal(void)
{
	return random64() % 10 < 9 ? 1500 + random64() % 1000 : 7900000 + random64() % 200000;
}

static uint64_t draw_pareto(void)
{
	double value = 800 / pow(random_share(), 1.2);

	return value < 1e11 ? value : 1e11;
}

static uint64_t draw_near_power(void)
{
	return (1ULL << (random64() % 38 + 1)) + random64() % 3 - 1;
}

/* Up to where the last bucket begins, which larger values share. */
static uint64_t draw_large(void)
{
	return (LIMIT >> (random64() % 8 + 1)) + random64() % (LIMIT >> 2);
}

static void percentiles_are_within_a_32nd_of_the_exact_ones(void **state)
{
	(void)state;
	check_distribution("uniform", draw_uniform);
	check_distribution("small", draw_small);
	check_distribution("exponential", draw_exponential);
	check_distribution("bimodal", draw_bimodal);
	check_distribution("pareto", draw_pareto);
	check_distribution("near powers of two", draw_near_power);
	check_distribution("large", draw_large);
}

static void equal_values_have_all_percentiles_exact(void **state)
{
	static const uint64_t values[] = { 0,	      1,	  15,	     16,   17,	 31,
					   32,	      33,	  1023,	     1024, 1087, 12345,
					   999999999, 1ULL << 39, LIMIT - 1, LIMIT };
	uint64_t samples[50];
	struct hist h;
	size_t v, i;
	int p;

	(void)state;
	for (v = 0; v < sizeof(values) / sizeof(*values); v++) {
		for (i = 0; i < 50; i++)
			samples[i] = values[v];
		fill(&h, samples, 50);
		for (p = 0; p <= 100; p += 5)
			assert_int_equal(hist_percentile(&h, p), values[v]);
	}
}

/* The n-th of 100 values is the n-th percentile, also where n / 100 * 100 is more than n. */
static void the_nth_of_100_values_is_the_nth_percentile(void **state)
{
	uint64_t samples[100];
	struct hist h;
	int n, i;

	(void)state;
	for (n = 1; n < 100; n++) {
		for (i = 0; i < 100; i++)
			samples[i] = i < n ? 3 : 9;
		fill(&h, samples, 100);
		if (hist_percentile(&h, n) != 3)
			fail_msg("%d of 100 values are 3, but p%d is %llu", n, n,
				 (unsigned long long)hist_percentile(&h, n));
		assert_int_equal(hist_percentile(&h, n + 0.5), 9);
	}
}

static void a_percentile_is_the_middle_of_its_bucket(void **state)
{
	/* A bucket is 64 wide there: 1024 to 1087. Those around keep min and max away. */
	const uint64_t samples[] = { 1, 1025, 1025, 1025, 5000 };
	struct hist h;

	(void)state;
	fill(&h, samples, 5);
	assert_int_equal(hist_percentile(&h, 50), 1024 + 32);
}

static void a_percentile_is_never_outside_of_min_and_max(void **state)
{
	const uint64_t low[] = { 1024, 1025 }, high[] = { 1080, 1087 };
	struct hist h;

	(void)state;
	fill(&h, low, 2);
	assert_int_equal(hist_percentile(&h, 50), 1025);
	fill(&h, high, 2);
	assert_int_equal(hist_percentile(&h, 50), 1080);
}

static void percentiles_among_the_largest_values_are_the_maximum(void **state)
{
	uint64_t samples[] = { 5, 2 * LIMIT, 3 * LIMIT, 1ULL << 60, 0 };
	static const uint64_t maxima[] = { 1ULL << 60, INT64_MAX, UINT64_MAX - 1, UINT64_MAX };
	struct hist h;
	int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		samples[4] = maxima[i];
		fill(&h, samples, 5);
		assert_int_equal(hist_percentile(&h, 20), 5);
		assert_int_equal(hist_percentile(&h, 21), maxima[i]);
		assert_int_equal(hist_percentile(&h, 50), maxima[i]);
		assert_int_equal(hist_percentile(&h, 100), maxima[i]);
	}
}

/* Only for values from 2^40 on is the error larger than 1/32. */
static void values_just_below_the_limit_are_as_exact_as_others(void **state)
{
	uint64_t samples[100], got;
	struct hist h;
	int i;

	(void)state;
	for (i = 0; i < 99; i++)
		samples[i] = LIMIT - 1;
	samples[99] = 1024 * LIMIT;
	fill(&h, samples, 100);
	got = hist_percentile(&h, 50);
	if (got < LIMIT - LIMIT / 32 || got > LIMIT + LIMIT / 32)
		fail_msg("p50 of 99 times 2^40 - 1 and one 2^50 is %llu", (unsigned long long)got);
}

static void buckets_tile_the_range_without_gap_or_overlap(void **state)
{
	uint64_t lo, hi, next = 0;
	unsigned int i;

	(void)state;
	for (i = 0; i < HIST_BUCKETS; i++) {
		hist_bounds(i, &lo, &hi);
		assert_int_equal(lo, next);
		assert_true(hi > lo);
		if (i < HIST_BUCKETS - 1) {
			assert_true(hi - lo == 1 || hi - lo <= lo / 16);
			assert_true(hi <= LIMIT);
		}
		next = hi;
	}
	assert_int_equal(next, UINT64_MAX);
}

static void buckets_begin_at_each_16th_of_a_power_of_two(void **state)
{
	unsigned int power, part, i = 16;
	uint64_t lo, hi;

	(void)state;
	for (i = 0; i < 16; i++) {
		hist_bounds(i, &lo, &hi);
		assert_int_equal(lo, i);
		assert_int_equal(hi, i + 1);
	}
	for (power = 4; power < HIST_MAX_BITS; power++) {
		for (part = 0; part < 16; part++) {
			hist_bounds(i++, &lo, &hi);
			assert_int_equal(lo, (1ULL << power) / 16 * (16 + part));
		}
	}
	assert_true(HIST_BUCKETS >= i);
}

static void a_value_lies_within_the_bounds_of_its_bucket(void **state)
{
	uint64_t lo, hi, value;
	int i;

	(void)state;
	for (i = 0; i < 200000; i++) {
		value = random64() >> (24 + random64() % 40);
		hist_bounds(bucket_of(value), &lo, &hi);
		assert_true(value >= lo && value < hi);
	}
}

static void the_average_is_the_sum_over_the_count_rounded_down(void **state)
{
	const uint64_t odd[] = { 3, 4, 4 }, wide[] = { 1ULL << 62, (1ULL << 62) + 2 };
	struct hist h;

	(void)state;
	fill(&h, odd, 3);
	assert_int_equal(hist_average(&h), 3);
	fill(&h, wide, 2);
	assert_int_equal(hist_average(&h), (1ULL << 62) + 1);
}

static void an_empty_histogram_has_zeros(void **state)
{
	struct hist h = {};

	(void)state;
	assert_int_equal(hist_average(&h), 0);
	assert_int_equal(hist_percentile(&h, 0), 0);
	assert_int_equal(hist_percentile(&h, 50), 0);
	assert_int_equal(hist_percentile(&h, 100), 0);
}

static void the_merge_of_parts_is_the_histogram_of_the_whole(void **state)
{
	static uint64_t samples[3000];
	static const size_t cuts[] = { 0, 0, 1, 500, 500, 2999, 3000, 3000 };
	struct hist whole, part, merged = {};
	size_t i;

	(void)state;
	for (i = 0; i < 3000; i++)
		samples[i] = i % 100 ? draw_exponential() : LIMIT + draw_uniform();
	fill(&whole, samples, 3000);
	for (i = 0; i + 1 < sizeof(cuts) / sizeof(*cuts); i++) {
		fill(&part, samples + cuts[i], cuts[i + 1] - cuts[i]);
		hist_merge(&merged, &part);
	}
	assert_memory_equal(&merged, &whole, sizeof(whole));
}

/* A program leaves min at 0 until the first value; that is not a smallest value. */
static void merging_an_empty_histogram_changes_nothing(void **state)
{
	const uint64_t samples[] = { 70, 80, 90 };
	struct hist h, before, empty = {};

	(void)state;
	fill(&h, samples, 3);
	before = h;
	hist_merge(&h, &empty);
	assert_memory_equal(&h, &before, sizeof(h));
	hist_merge(&empty, &h);
	assert_memory_equal(&empty, &before, sizeof(h));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_are_within_a_32nd_of_the_exact_ones),
		cmocka_unit_test(equal_values_have_all_percentiles_exact),
		cmocka_unit_test(the_nth_of_100_values_is_the_nth_percentile),
		cmocka_unit_test(a_percentile_is_the_middle_of_its_bucket),
		cmocka_unit_test(a_percentile_is_never_outside_of_min_and_max),
		cmocka_unit_test(percentiles_among_the_largest_values_are_the_maximum),
		cmocka_unit_test(values_just_below_the_limit_are_as_exact_as_others),
		cmocka_unit_test(buckets_tile_the_range_without_gap_or_overlap),
		cmocka_unit_test(buckets_begin_at_each_16th_of_a_power_of_two),
		cmocka_unit_test(a_value_lies_within_the_bounds_of_its_bucket),
		cmocka_unit_test(the_average_is_the_sum_over_the_count_rounded_down),
		cmocka_unit_test(an_empty_histogram_has_zeros),
		cmocka_unit_test(the_merge_of_parts_is_the_histogram_of_the_whole),
		cmocka_unit_test(merging_an_empty_histogram_changes_nothing),
	};

	return cmocka_run_group_tests_name("histograms", tests, NULL, NULL);
}
