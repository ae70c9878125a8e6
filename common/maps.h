/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading and emptying maps. */
#ifndef COMMON_MAPS_H
#define COMMON_MAPS_H

#include <stddef.h>
#include <bpf/libbpf.h>

struct tally;

/*
 * Calls @add(@total, value) for each possible CPU's value of @key in map @fd, whose values have
 * @size bytes. Returns 0 or a negative errno.
 */
int percpu_read(int fd, const void *key, size_t size, void (*add)(void *total, const void *one),
		void *total);

/*
 * Calls @see(@data, key, value) for each element of hash @fd. @see may delete that element. Returns
 * 0, a negative errno, or the first result of @see that is not 0, which ends it.
 */
int map_each(int fd, size_t key_size, size_t value_size,
	     int (*see)(void *data, const void *key, const void *value), void *data);

/*
 * Empties the hash @map, which no program uses now: calls @take for each of its elements. Returns 0,
 * a negative errno, or the first result of @take that is not 0, which ends it.
 */
int map_take(const struct bpf_map *map, int (*take)(void *data, const void *key, const void *value),
	     void *data);

/* The map of half @half (struct bpf_control) of those called @name, which are NAME_0 and NAME_1. */
struct bpf_map *half_map(const struct bpf_object *obj, const char *name, unsigned int half);

/*
 * Adds what the hash @name has in @half to @into, whose keys and values are of the same sizes. Returns
 * 0 or a negative errno.
 */
int half_read(const struct bpf_object *obj, const char *name, unsigned int half,
	      struct tally *into);

/* Empties it, which no program uses now. Returns 0 or a negative errno. */
int half_empty(const struct bpf_object *obj, const char *name, unsigned int half);

/* Sets each CPU's value of @key to zeros. Returns 0 or a negative errno. */
int percpu_zero(int fd, const void *key, size_t size);

#endif
