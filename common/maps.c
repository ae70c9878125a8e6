// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "maps.h"
#include "tally.h"
#include "undisturbed.h"

/* So many elements are taken from a map at once; no bucket of a hash has as many. */
#define BATCH 1024

/* So many are gone through in less than a millisecond. */
#define SOME_ELEMENTS 256

/* Memory for a value for each possible CPU, zeroed; the kernel spaces them by 8 bytes. */
static void *values_for_all(size_t size, int *cpus, size_t *stride)
{
	*cpus = libbpf_num_possible_cpus();
	*stride = (size + 7) / 8 * 8;
	if (*cpus < 0) {
		errno = -*cpus;
		return NULL;
	}
	return calloc(*cpus, *stride);
}

int percpu_read(int fd, const void *key, size_t size, void (*add)(void *total, const void *one),
		void *total)
{
	size_t stride;
	int cpus, i, err = 0;
	char *values = values_for_all(size, &cpus, &stride);

	if (!values)
		return -errno;
	if (bpf_map_lookup_elem(fd, key, values))
		err = -errno;
	for (i = 0; !err && i < cpus; i++)
		add(total, values + i * stride);
	free(values);
	return err;
}

int percpu_zero(int fd, const void *key, size_t size)
{
	size_t stride;
	int cpus, err = 0;
	char *values = values_for_all(size, &cpus, &stride);

	if (!values)
		return -errno;
	if (bpf_map_update_elem(fd, key, values, BPF_EXIST))
		err = -errno;
	free(values);
	return err;
}

int map_each(int fd, size_t key_size, size_t value_size,
	     int (*see)(void *data, const void *key, const void *value), void *data)
{
	char *keys = malloc(2 * key_size), *key = keys, *next = keys ? keys + key_size : NULL;
	void *value = malloc(value_size);
	int err = 0, more;
	size_t seen = 0;

	if (!keys || !value) {
		err = -ENOMEM;
		goto out;
	}
	undisturbed_begin();
	more = bpf_map_get_next_key(fd, NULL, key);
	while (!more && !err) {
		/* Others may have the CPU in between. */
		if (++seen % SOME_ELEMENTS == 0) {
			undisturbed_end();
			undisturbed_begin();
		}
		/* Asked for before the element may go. */
		more = bpf_map_get_next_key(fd, key, next);
		if (!bpf_map_lookup_elem(fd, key, value))
			err = see(data, key, value);
		memcpy(key, next, key_size);
	}
	undisturbed_end();
out:
	free(value);
	free(keys);
	return err;
}

struct bpf_map *half_map(const struct bpf_object *obj, const char *name, unsigned int half)
{
	char full[32];

	snprintf(full, sizeof(full), "%s_%u", name, half);
	return bpf_object__find_map_by_name(obj, full);
}

int map_take(const struct bpf_map *map, int (*take)(void *data, const void *key, const void *value),
	     void *data)
{
	size_t key_size = bpf_map__key_size(map), value_size = bpf_map__value_size(map);
	char *keys = malloc(BATCH * key_size), *values = malloc(BATCH * value_size);
	int err = keys && values ? 0 : -ENOMEM;
	__u32 count, i, at = 0, *from = NULL;
	bool end = false;

	while (!err && !end) {
		count = BATCH;
		if (bpf_map_lookup_and_delete_batch(bpf_map__fd(map), from, &at, keys, values,
						    &count, NULL)) {
			end = errno == ENOENT;
			err = end ? 0 : -errno;
		}
		for (i = 0; !err && i < count; i++)
			err = take(data, keys + i * key_size, values + i * value_size);
		from = &at;
	}
	free(keys);
	free(values);
	return err;
}

static int copy(void *data, const void *key, const void *value)
{
	struct tally *to = data;

	memcpy(tally_at(to, key), value, to->value_size);
	return 0;
}

int half_read(const struct bpf_object *obj, const char *name, unsigned int half, struct tally *into)
{
	const struct bpf_map *map = half_map(obj, name, half);

	return map_each(bpf_map__fd(map), into->key_size, into->value_size, copy, into);
}

static int forget(void *data, const void *key, const void *value)
{
	const int *fd = data;

	(void)value;
	return bpf_map_delete_elem(*fd, key) && errno != ENOENT ? -errno : 0;
}

/*
 * One by one: while the kernel goes through a whole map for us it lets no program at a perf event run
 * on that CPU, whoever has it meanwhile.
 */
int half_empty(const struct bpf_object *obj, const char *name, unsigned int half)
{
	const struct bpf_map *map = half_map(obj, name, half);
	int fd = bpf_map__fd(map);

	return map_each(fd, bpf_map__key_size(map), bpf_map__value_size(map), forget, &fd);
}
