// SPDX-License-Identifier: GPL-2.0-only
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "say.h"
#include "tally.h"

#define LEAST_SIZE 64

static size_t aligned(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

static size_t item_size(const struct tally *t)
{
	return aligned(t->key_size) + aligned(t->value_size);
}

static void *or_die(void *memory)
{
	if (!memory) {
		say_error("out of memory for the figures");
		exit(EXIT_FAILED);
	}
	return memory;
}

void tally_init(struct tally *t, size_t key_size, size_t value_size)
{
	memset(t, 0, sizeof(*t));
	t->key_size = key_size;
	t->value_size = value_size;
}

void tally_clear(struct tally *t)
{
	free(t->items);
	free(t->slots);
	tally_init(t, t->key_size, t->value_size);
}

const void *tally_key(const struct tally *t, size_t i)
{
	return t->items + i * item_size(t);
}

void *tally_value(const struct tally *t, size_t i)
{
	return t->items + i * item_size(t) + aligned(t->key_size);
}

/* Eight bytes at a time; the top bits of a product are its best. */
static size_t hash_of(const struct tally *t, const void *key)
{
	const char *at = key;
	size_t left = t->key_size;
	uint64_t hash = 0, word;

	for (; left; left -= left < 8 ? left : 8, at += 8) {
		word = 0;
		memcpy(&word, at, left < 8 ? left : 8);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 32;
	}
	return hash;
}

/* The slot of @key, or the empty one where it would stand. */
static unsigned *slot_of(const struct tally *t, const void *key)
{
	size_t at = hash_of(t, key);

	for (;; at++) {
		unsigned *slot = &t->slots[at & (t->size - 1)];

		if (!*slot || !memcmp(tally_key(t, *slot - 1), key, t->key_size))
			return slot;
	}
}

void *tally_find(const struct tally *t, const void *key)
{
	unsigned slot = t->size ? *slot_of(t, key) : 0;

	return slot ? tally_value(t, slot - 1) : NULL;
}

/* At most half of the slots are taken. */
static void grow(struct tally *t)
{
	size_t i;

	free(t->slots);
	t->size = t->size ? 2 * t->size : LEAST_SIZE;
	t->slots = or_die(calloc(t->size, sizeof(*t->slots)));
	for (i = 0; i < t->count; i++)
		*slot_of(t, tally_key(t, i)) = i + 1;
}

void *tally_at(struct tally *t, const void *key)
{
	void *value = tally_find(t, key);

	if (value)
		return value;
	if (t->count >= t->size / 2)
		grow(t);
	if (t->count == t->room) {
		t->room = t->room ? 2 * t->room : LEAST_SIZE / 2;
		t->items = or_die(reallocarray(t->items, t->room, item_size(t)));
	}
	memset(t->items + t->count * item_size(t), 0, item_size(t));
	memcpy(t->items + t->count * item_size(t), key, t->key_size);
	*slot_of(t, key) = t->count + 1;
	return tally_value(t, t->count++);
}

struct sorting {
	const struct tally *tally;
	int (*compare)(const struct tally *t, size_t a, size_t b);
};

static int compare_items(const void *a, const void *b, void *data)
{
	const struct sorting *by = data;

	return by->compare(by->tally, *(const size_t *)a, *(const size_t *)b);
}

size_t *tally_sorted(const struct tally *t,
		     int (*compare)(const struct tally *t, size_t a, size_t b))
{
	size_t *order = or_die(calloc(t->count + 1, sizeof(*order))), i;
	struct sorting by = { t, compare };

	for (i = 0; i < t->count; i++)
		order[i] = i;
	qsort_r(order, t->count, sizeof(*order), compare_items, &by);
	return order;
}
