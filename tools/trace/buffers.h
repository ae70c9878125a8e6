/* SPDX-License-Identifier: GPL-2.0-only */
/* The buffers through which events come: one for each CPU, in memory that the kernel writes to. */
#ifndef TRACE_BUFFERS_H
#define TRACE_BUFFERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Records, one behind the other, each with its size in a uint64_t before it. */
struct records {
	char *bytes;
	size_t used, room;
};

struct buffer {
	int cpu, fd;
	char *memory;	/* a page of the kernel's about the buffer, then the buffer */
	uint64_t taken; /* with `overwrite`: from this position on, records have been taken before */
};

struct buffers {
	struct buffer *each;
	unsigned int count;
	size_t size; /* of each, in bytes */
	bool overwrite;
	int epoll; /* readable when one has filled up enough */
};

/*
 * Makes a buffer of @size bytes, a power of two and of pages, for each CPU that is online and hands them
 * to the map @fd. With @overwrite, what is new takes the place of what is oldest. Returns 0 or a
 * negative errno; buffers_free() in either case.
 */
int buffers_make(struct buffers *b, size_t size, bool overwrite, int fd);
void buffers_free(struct buffers *b);

/*
 * Moves what has come to buffer @number since the last time behind @to; with `overwrite` the newest comes
 * first, and what comes meanwhile finds no room. Out of memory ends the process.
 */
void buffers_take(struct buffers *b, unsigned int number, struct records *to);

#endif
