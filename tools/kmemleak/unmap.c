// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "maps.h"
#include "say.h"
#include "unmap.h"

/* A mapping, or what is left of one. */
struct mapping {
	struct object_key key;
	struct object object;
	uint64_t from, to;
	bool there;   /* the map has it */
	bool changed; /* it is not any more as the map has it */
};

static struct {
	struct process_notice *notices;
	size_t notice_count, notice_room;
	struct mapping *mappings;
	size_t count, room;
} todo;

static void *grow(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? 2 * *room : 64;
	array = reallocarray(array, *room, size);
	if (!array) {
		say_error("out of memory for mappings");
		exit(EXIT_FAILED);
	}
	return array;
}

void unmap_later(const struct process_notice *notice)
{
	todo.notices =
		grow(todo.notices, todo.notice_count, &todo.notice_room, sizeof(*todo.notices));
	todo.notices[todo.notice_count++] = *notice;
}

static void add(const struct mapping *mapping)
{
	todo.mappings = grow(todo.mappings, todo.count, &todo.room, sizeof(*todo.mappings));
	todo.mappings[todo.count++] = *mapping;
}

static int see(void *data, const void *key, const void *value)
{
	struct mapping m = {
		.key = *(const struct object_key *)key,
		.object = *(const struct object *)value,
		.there = true,
	};
	uint64_t page = getpagesize();

	(void)data;
	m.from = m.key.address;
	m.to = m.from + (m.object.bytes + page - 1) / page * page;
	add(&m);
	return 0;
}

/* Takes @n out of mapping number @i; what is left at its end becomes a mapping of its own. */
static void apply(const struct process_notice *n, size_t i)
{
	struct mapping *m = &todo.mappings[i], rest = *m;
	uint64_t hole = n->address, hole_end = hole + n->bytes;

	if (m->key.pid != n->pid || m->object.time > n->time || m->to <= hole ||
	    m->from >= hole_end)
		return;
	m->changed = true;
	m->to = hole > m->from ? hole : m->from;
	rest.from = hole_end;
	rest.there = false;
	rest.changed = true;
	if (rest.from < rest.to)
		add(&rest);
}

/* Writes what has become of @m into the map @fd. */
static void write_back(int fd, const struct mapping *m)
{
	struct object_key key = m->key;
	struct object object = m->object;

	if (!m->changed || (m->there && bpf_map_delete_elem(fd, &key)) || m->from >= m->to)
		return;
	key.address = m->from;
	object.bytes = m->to - m->from;
	bpf_map_update_elem(fd, &key, &object, BPF_ANY);
}

void unmap_all(int mappings)
{
	size_t n, i, count;

	if (!todo.notice_count)
		return;
	todo.count = 0;
	map_each(mappings, sizeof(struct object_key), sizeof(struct object), see, NULL);
	for (n = 0; n < todo.notice_count; n++) {
		count = todo.count;
		for (i = 0; i < count; i++)
			apply(&todo.notices[n], i);
	}
	for (i = 0; i < todo.count; i++)
		write_back(mappings, &todo.mappings[i]);
	todo.notice_count = 0;
}
