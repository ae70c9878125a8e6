/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Values by key, in memory: what maps of the kernel are emptied into. Keys and values are bytes of
 * fixed sizes. Out of memory ends the process: a report with parts missing would be a wrong one.
 */
#ifndef COMMON_TALLY_H
#define COMMON_TALLY_H

#include <stdbool.h>
#include <stddef.h>

struct tally {
	size_t key_size, value_size;
	size_t count;	 /* of keys */
	size_t size;	 /* of the table: a power of two, or 0 */
	char *items;	 /* keys, each with its value behind it, in the order of their coming */
	size_t room;	 /* of items */
	unsigned *slots; /* number of an item plus one; 0: empty */
};

/* An empty one. Sizes are in bytes; a value is at a multiple of 8. */
void tally_init(struct tally *t, size_t key_size, size_t value_size);

/* Forgets all; the tally can be filled again. */
void tally_clear(struct tally *t);

/* The value of @key, NULL if there is none. Valid until a key is added. */
void *tally_find(const struct tally *t, const void *key);

/* The value of @key, zeros if it is new. Valid until the next one is added. */
void *tally_at(struct tally *t, const void *key);

/* Item @i of the order in which they came. */
const void *tally_key(const struct tally *t, size_t i);
void *tally_value(const struct tally *t, size_t i);

/*
 * The numbers of all items in the order that @compare gives those of two: below 0, 0 or above. The
 * caller's to free.
 */
size_t *tally_sorted(const struct tally *t,
		     int (*compare)(const struct tally *t, size_t a, size_t b));

#endif
