/* SPDX-License-Identifier: GPL-2.0-only */
/* Where in a program or library the functions of an allocator are. */
#ifndef LIBRARY_H
#define LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where such a function begins, as an offset in the file. */
struct place {
	unsigned int kind; /* enum function_kind */
	uint64_t offset;
};

#define MOST_PLACES 64

struct library {
	struct place places[MOST_PLACES];
	unsigned int count;
	bool has_malloc;
	bool throws;	/* it is, or has in it, the C++ library */
	bool allocates; /* it has malloc() and free(), or operator new */
};

/*
 * Fills @lib with the functions that the file at @path defines; functions with several names are
 * there once. Returns 0 or a negative errno.
 */
int library_read(const char *path, struct library *lib);

/* The program interpreter of the file at @path. Returns 0 or a negative errno; -ENOENT: none. */
int library_interpreter(const char *path, char *interpreter, size_t size);

#endif
