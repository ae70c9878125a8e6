// SPDX-License-Identifier: GPL-2.0-only
/* Overlapping ranges made disjoint, compared with trying every range for every address. */
#include "helpers.h"
#include "spans.h"

#define ADDRS 64

/* The ref that counts at @addr by the rule's own words; -1: none. */
static long slow_answer(const struct span *spans, size_t cnt, uint64_t addr, enum span_rule rule)
{
	long best = -1;

	for (size_t i = 0; i < cnt; i++) {
		if (addr < spans[i].addr || addr - spans[i].addr >= spans[i].len)
			continue;
		if (best < 0 || rule == SPAN_LATER || spans[i].ref > spans[best].ref)
			best = (long)i;
	}
	return best < 0 ? -1 : (long)spans[best].ref;
}

static int by_addr(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

static void check_random(enum span_rule rule, unsigned int seed)
{
	struct span in[24], *out;
	size_t cnt;

	srand(seed);
	cnt = (size_t)(rand() % 24);
	for (size_t i = 0; i < cnt; i++) {
		in[i].addr = (uint64_t)(rand() % ADDRS);
		in[i].len = (uint32_t)(rand() % 20);
		in[i].ref = (uint32_t)(rand() % 1000);
	}
	qsort(in, cnt, sizeof(*in), by_addr);
	out = malloc(sizeof(in));
	memcpy(out, in, sizeof(in));
	size_t out_cnt = cnt;

	assert_int_equal(spans_flatten(&out, &out_cnt, rule), 0);
	for (size_t i = 1; i < out_cnt; i++)
		assert_true(out[i - 1].addr + out[i - 1].len <= out[i].addr);
	for (uint64_t addr = 0; addr < ADDRS + 32; addr++) {
		const struct span *found = spans_find(out, out_cnt, addr);

		assert_int_equal(found ? (long)found->ref : -1, slow_answer(in, cnt, addr, rule));
	}
	free(out);
}

static void later_ranges_count(void **state)
{
	(void)state;
	for (unsigned int seed = 0; seed < 3000; seed++)
		check_random(SPAN_LATER, seed);
}

static void higher_refs_count(void **state)
{
	(void)state;
	for (unsigned int seed = 0; seed < 3000; seed++)
		check_random(SPAN_HIGHER, seed);
}

static void ranges_at_the_end_of_the_address_space_do_not_wrap(void **state)
{
	struct span *spans = malloc(2 * sizeof(*spans));
	size_t cnt = 2;

	(void)state;
	spans[0] = (struct span){ UINT64_MAX - 15, 100, 1 };
	spans[1] = (struct span){ UINT64_MAX - 3, UINT32_MAX, 2 };
	assert_int_equal(spans_flatten(&spans, &cnt, SPAN_LATER), 0);
	assert_null(spans_find(spans, cnt, 5));
	assert_int_equal(spans_find(spans, cnt, UINT64_MAX - 10)->ref, 1);
	assert_int_equal(spans_find(spans, cnt, UINT64_MAX - 1)->ref, 2);
	free(spans);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(later_ranges_count),
		cmocka_unit_test(higher_refs_count),
		cmocka_unit_test(ranges_at_the_end_of_the_address_space_do_not_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
