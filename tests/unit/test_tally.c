// SPDX-License-Identifier: GPL-2.0-only
/* Tallies, compared with sorted arrays. Their memory is the sanitizers' to watch. */
#include "helpers.h"

#include <stdlib.h>
#include <string.h>
#include "tally.h"

static void a_value_begins_at_zero_and_stays(void **state)
{
	uint64_t key = 5, *value;
	struct tally t;

	(void)state;
	tally_init(&t, sizeof(key), sizeof(*value));
	assert_int_equal(t.count, 0);
	assert_null(tally_find(&t, &key));
	value = tally_at(&t, &key);
	assert_int_equal(*value, 0);
	*value = 77;
	assert_int_equal(t.count, 1);
	assert_int_equal(*(uint64_t *)tally_at(&t, &key), 77);
	assert_int_equal(*(uint64_t *)tally_find(&t, &key), 77);
	assert_int_equal(t.count, 1);
	/* To look for a key does not add it. */
	key = 6;
	assert_null(tally_find(&t, &key));
	assert_int_equal(t.count, 1);
	tally_clear(&t);
}

static void items_keep_the_order_of_their_coming(void **state)
{
	struct tally t;
	uint32_t key;
	size_t i;

	(void)state;
	tally_init(&t, sizeof(key), sizeof(uint64_t));
	for (i = 0; i < 5000; i++) {
		key = i * 2654435761u;
		*(uint64_t *)tally_at(&t, &key) = i;
		assert_int_equal(t.count, i + 1);
	}
	for (i = 0; i < 5000; i++) {
		key = i * 2654435761u;
		assert_memory_equal(tally_key(&t, i), &key, sizeof(key));
		assert_int_equal(*(uint64_t *)tally_value(&t, i), i);
	}
	tally_clear(&t);
}

/* Keys that differ in a single bit, wherever it is. */
static void every_bit_of_a_key_tells(void **state)
{
	static const size_t sizes[] = { 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 64, 100 };
	unsigned char key[100], *value;
	struct tally t;
	size_t i, bit;

	(void)state;
	for (i = 0; i < COUNT(sizes); i++) {
		tally_init(&t, sizes[i], 3);
		for (bit = 0; bit < 8 * sizes[i]; bit++) {
			memset(key, 0x5a, sizeof(key));
			key[bit / 8] ^= 1 << bit % 8;
			value = tally_at(&t, key);
			assert_memory_equal(value, "\0\0\0", 3);
			memcpy(value, key + bit / 8, 1);
			value[1] = bit;
			value[2] = bit >> 8;
		}
		assert_int_equal(t.count, 8 * sizes[i]);
		for (bit = 0; bit < 8 * sizes[i]; bit++) {
			memset(key, 0x5a, sizeof(key));
			key[bit / 8] ^= 1 << bit % 8;
			value = tally_find(&t, key);
			assert_non_null(value);
			assert_int_equal(value[0], key[bit / 8]);
			assert_int_equal(value[1] | value[2] << 8, bit);
		}
		tally_clear(&t);
	}
}

/* The key handed in is read to its size and no further, from anywhere. */
static void a_key_is_as_long_as_it_is(void **state)
{
	size_t size, at;
	struct tally t;

	(void)state;
	for (size = 1; size < 40; size++) {
		tally_init(&t, size, 1);
		for (at = 0; at < 8; at++) {
			/* Behind it, the sanitizer waits. */
			char *memory = malloc(at + size);

			assert_non_null(memory);
			memset(memory, 'k', at + size);
			(*(char *)tally_at(&t, memory + at))++;
			free(memory);
		}
		assert_int_equal(t.count, 1);
		assert_int_equal(*(char *)tally_value(&t, 0), 8);
		tally_clear(&t);
	}
}

static void values_are_aligned_and_apart(void **state)
{
	size_t key_size, value_size, i;
	struct tally t;

	(void)state;
	for (key_size = 2; key_size < 20; key_size++) {
		for (value_size = 1; value_size < 20; value_size++) {
			tally_init(&t, key_size, value_size);
			for (i = 0; i < 70; i++) {
				char key[20] = { i, 1 }, *value = tally_at(&t, key);

				assert_int_equal((uintptr_t)value % 8, 0);
				memset(value, 'a' + i, value_size);
			}
			for (i = 0; i < 70; i++) {
				const char *value = tally_value(&t, i), *key = tally_key(&t, i);

				assert_int_equal((uintptr_t)value % 8, 0);
				assert_int_equal((uintptr_t)key % 8, 0);
				assert_int_equal(key[0], (char)i);
				assert_int_equal(value[0], (char)('a' + i));
				assert_int_equal(value[value_size - 1], (char)('a' + i));
			}
			tally_clear(&t);
		}
	}
}

/* What the tally is compared with. */
struct pair {
	uint32_t key[3];
	uint64_t sum;
};

static int by_key(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(((struct pair *)a)->key));
}

#define ADDITIONS 100000

static void fill_at_random(struct tally *t, struct pair *pairs, unsigned int spread)
{
	size_t i;

	for (i = 0; i < ADDITIONS; i++) {
		uint64_t random = random64();
		struct pair *pair = &pairs[i];

		*pair = (struct pair){ { random % spread, random >> 33, 3 }, random64() >> 24 };
		pair->key[1] %= 7;
		*(uint64_t *)tally_at(t, pair->key) += pair->sum;
	}
	qsort(pairs, ADDITIONS, sizeof(*pairs), by_key);
}

static void check_at_random(unsigned int spread)
{
	struct pair *pairs = calloc(ADDITIONS, sizeof(*pairs));
	size_t i, n, different = 0;
	struct tally t;

	assert_non_null(pairs);
	tally_init(&t, sizeof(pairs->key), sizeof(uint64_t));
	fill_at_random(&t, pairs, spread);
	for (i = 0; i < ADDITIONS; i += n) {
		uint64_t sum = 0, *value = tally_find(&t, pairs[i].key);

		for (n = 0; i + n < ADDITIONS && !by_key(&pairs[i], &pairs[i + n]); n++)
			sum += pairs[i + n].sum;
		assert_non_null(value);
		assert_int_equal(*value, sum);
		different++;
	}
	assert_int_equal(t.count, different);
	/* What never came is not there. */
	for (i = 0; i < ADDITIONS; i++) {
		pairs[i].key[2] = 4;
		assert_null(tally_find(&t, pairs[i].key));
	}
	tally_clear(&t);
	free(pairs);
}

static void it_adds_up_like_a_sorted_array(void **state)
{
	(void)state;
	check_at_random(10);	     /* few keys, often */
	check_at_random(20000);	     /* some */
	check_at_random(4000000000); /* hardly one twice */
}

/* Addresses, which are alike but for some bits in their middle, must not pile up. */
static void regular_keys_are_not_slower(void **state)
{
	static const unsigned int shifts[] = { 0, 4, 12, 20, 32, 47 };
	struct tally t;
	uint64_t key;
	size_t s, i;

	(void)state;
	for (s = 0; s < COUNT(shifts); s++) {
		tally_init(&t, sizeof(key), 8);
		for (i = 0; i < 60000; i++) {
			key = 0xffff800000000000ULL ^ (uint64_t)i << shifts[s];
			(*(uint64_t *)tally_at(&t, &key))++;
		}
		assert_int_equal(t.count, 60000);
		tally_clear(&t);
	}
}

static void a_cleared_tally_can_be_filled_again(void **state)
{
	struct tally t;
	uint64_t key;
	int round;

	(void)state;
	tally_init(&t, sizeof(key), sizeof(key));
	/* One that is empty too. */
	tally_clear(&t);
	for (round = 1; round < 5; round++) {
		for (key = 0; key < 300u * round; key++)
			*(uint64_t *)tally_at(&t, &key) += key + round;
		assert_int_equal(t.count, 300 * round);
		for (key = 0; key < 300u * round; key++)
			assert_int_equal(*(uint64_t *)tally_find(&t, &key), key + round);
		tally_clear(&t);
		assert_int_equal(t.count, 0);
		key = 1;
		assert_null(tally_find(&t, &key));
		assert_int_equal(t.key_size, sizeof(key));
		assert_int_equal(t.value_size, sizeof(key));
	}
	tally_clear(&t);
	tally_clear(&t);
}

/* The largest value first; of equal ones the smaller key. */
static int by_value(const struct tally *t, size_t a, size_t b)
{
	uint64_t x = *(uint64_t *)tally_value(t, a), y = *(uint64_t *)tally_value(t, b);
	uint64_t key = *(const uint64_t *)tally_key(t, a);
	uint64_t other = *(const uint64_t *)tally_key(t, b);

	if (x != y)
		return x > y ? -1 : 1;
	return key < other ? -1 : key > other;
}

static void items_are_sorted_as_is_asked_for(void **state)
{
	uint64_t key, before = UINT64_MAX, last = 0, value;
	bool seen[1000] = {};
	struct tally t;
	size_t *order, i;

	(void)state;
	tally_init(&t, sizeof(key), sizeof(uint64_t));
	order = tally_sorted(&t, by_value);
	assert_non_null(order);
	free(order);
	for (i = 0; i < 1000; i++) {
		key = random64();
		*(uint64_t *)tally_at(&t, &key) = random64() % 100;
	}
	order = tally_sorted(&t, by_value);
	for (i = 0; i < 1000; i++) {
		assert_false(seen[order[i]]);
		seen[order[i]] = true;
		key = *(const uint64_t *)tally_key(&t, order[i]);
		value = *(uint64_t *)tally_value(&t, order[i]);
		assert_true(value < before || (value == before && key > last));
		before = value;
		last = key;
	}
	free(order);
	tally_clear(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_begins_at_zero_and_stays),
		cmocka_unit_test(items_keep_the_order_of_their_coming),
		cmocka_unit_test(every_bit_of_a_key_tells),
		cmocka_unit_test(a_key_is_as_long_as_it_is),
		cmocka_unit_test(values_are_aligned_and_apart),
		cmocka_unit_test(it_adds_up_like_a_sorted_array),
		cmocka_unit_test(regular_keys_are_not_slower),
		cmocka_unit_test(a_cleared_tally_can_be_filled_again),
		cmocka_unit_test(items_are_sorted_as_is_asked_for),
	};

	return cmocka_run_group_tests_name("tallies", tests, NULL, NULL);
}
