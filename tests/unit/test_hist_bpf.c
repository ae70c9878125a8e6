// SPDX-License-Identifier: GPL-2.0-only
/*
 * Histograms as the programs fill them: the very code of bpf/hist.bpf.h, which needs nothing of the
 * kernel but names for types.
 */
#include "helpers.h"

#include <stdlib.h>
#include <string.h>
#include <linux/types.h>
#include "hist.h"

/* In place of what it includes. */
#define VMLINUX_H
#define __BPF_HELPERS__
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
typedef __u32 u32;
typedef __u64 u64;
#include "hist.bpf.h"

#define LIMIT (1ULL << HIST_MAX_BITS)

static void check_bucket(uint64_t value)
{
	unsigned int bucket = hist_bucket(value);
	uint64_t lo, hi;

	assert_in_range(bucket, 0, HIST_BUCKETS - 1);
	hist_bounds(bucket, &lo, &hi);
	if (value < lo || (value >= hi && hi != UINT64_MAX))
		fail_msg("%llu is put into bucket %u: [%llu, %llu)", (unsigned long long)value,
			 bucket, (unsigned long long)lo, (unsigned long long)hi);
}

static void the_highest_bit_is_found_in_every_position(void **state)
{
	unsigned int bit;

	(void)state;
	for (bit = 0; bit < 64; bit++) {
		assert_int_equal(highest_bit(1ULL << bit), bit);
		assert_int_equal(highest_bit((1ULL << bit) | ((1ULL << bit) - 1)), bit);
		assert_int_equal(highest_bit((1ULL << bit) | (random64() & ((1ULL << bit) - 1))),
				 bit);
	}
}

static void every_value_falls_into_the_bucket_that_bounds_it(void **state)
{
	uint64_t lo, hi, value;
	unsigned int i;

	(void)state;
	for (value = 0; value < 1 << 20; value++)
		check_bucket(value);
	for (i = 0; i < 64; i++) {
		check_bucket((1ULL << i) - 1);
		check_bucket(1ULL << i);
		check_bucket((1ULL << i) + 1);
	}
	for (i = 0; i < 1000000; i++)
		check_bucket(random64() >> random64() % 64);
	for (i = 0; i < HIST_BUCKETS; i++) {
		hist_bounds(i, &lo, &hi);
		assert_int_equal(hist_bucket(lo), i);
		if (hi != UINT64_MAX)
			assert_int_equal(hist_bucket(hi - 1), i);
	}
}

static void values_from_the_limit_on_share_the_last_bucket(void **state)
{
	unsigned int bit;

	(void)state;
	assert_int_equal(hist_bucket(LIMIT), HIST_BUCKETS - 1);
	assert_int_equal(hist_bucket(UINT64_MAX), HIST_BUCKETS - 1);
	for (bit = HIST_MAX_BITS; bit < 64; bit++)
		assert_int_equal(hist_bucket(1ULL << bit), HIST_BUCKETS - 1);
}

static void count_sum_min_and_max_are_exact(void **state)
{
	uint64_t sum = 0, least = UINT64_MAX, most = 0, value, i, buckets;
	struct hist h = {};

	(void)state;
	for (i = 1; i <= 10000; i++) {
		unsigned int b = 0;

		value = random64() >> (10 + random64() % 54);
		sum += value;
		least = value < least ? value : least;
		most = value > most ? value : most;
		hist_add(&h, value);
		assert_int_equal(h.count, i);
		assert_int_equal(h.sum, sum);
		assert_int_equal(h.min, least);
		assert_int_equal(h.max, most);
		if (i % 100)
			continue;
		for (buckets = 0; b < HIST_BUCKETS; b++)
			buckets += h.bucket[b];
		assert_int_equal(buckets, i);
	}
}

static void the_first_value_is_min_and_max_whatever_it_is(void **state)
{
	static const uint64_t values[] = { 0, 1, 16, LIMIT, UINT64_MAX };
	unsigned int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		struct hist h = {};

		hist_add(&h, values[i]);
		assert_int_equal(h.min, values[i]);
		assert_int_equal(h.max, values[i]);
		assert_int_equal(h.bucket[hist_bucket(values[i])], 1);
	}
}

static int smaller_first(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* From the program's end to the reader's. */
static void percentiles_are_those_of_the_values_added(void **state)
{
	static const unsigned int percents[] = { 1, 10, 50, 90, 95, 99, 100 };
	static uint64_t values[10000];
	struct hist h = {};
	size_t i;

	(void)state;
	for (i = 0; i < 10000; i++) {
		values[i] = random64() >> (26 + random64() % 30);
		hist_add(&h, values[i]);
	}
	qsort(values, 10000, sizeof(*values), smaller_first);
	for (i = 0; i < sizeof(percents) / sizeof(*percents); i++) {
		uint64_t exact = values[percents[i] * 100 - 1];
		uint64_t got = hist_percentile(&h, percents[i]);

		assert_in_range(got, exact - exact / 32, exact + exact / 32);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_highest_bit_is_found_in_every_position),
		cmocka_unit_test(every_value_falls_into_the_bucket_that_bounds_it),
		cmocka_unit_test(values_from_the_limit_on_share_the_last_bucket),
		cmocka_unit_test(count_sum_min_and_max_are_exact),
		cmocka_unit_test(the_first_value_is_min_and_max_whatever_it_is),
		cmocka_unit_test(percentiles_are_those_of_the_values_added),
	};

	return cmocka_run_group_tests_name("histograms in programs", tests, NULL, NULL);
}
