// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "maps.h"

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

	if (!keys || !value) {
		err = -ENOMEM;
		goto out;
	}
	more = bpf_map_get_next_key(fd, NULL, key);
	while (!more && !err) {
		/* Asked for before the element may go. */
		more = bpf_map_get_next_key(fd, key, next);
		if (!bpf_map_lookup_elem(fd, key, value))
			err = see(data, key, value);
		memcpy(key, next, key_size);
	}
out:
	free(value);
	free(keys);
	return err;
}
