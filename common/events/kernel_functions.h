/* SPDX-License-Identifier: GPL-2.0-only */
/* The names of the kernel's functions, and their prototypes' numbers in its BTF. */
#ifndef COMMON_EVENTS_KERNEL_FUNCTIONS_H
#define COMMON_EVENTS_KERNEL_FUNCTIONS_H

#include <stdbool.h>
#include "events/kind.h"

/* A function that the kernel has. */
struct kernel_function {
	const char *name;
	const char *module; /* NULL: the kernel's own */
	uint64_t address;   /* 0: the kernel hides it from us */
};

/*
 * Calls @add for each function that is searched for by name; of those that match wildcards only for
 * what the function tracer can trace, if it says so. What it has added is sorted. Returns 0, or a
 * negative errno after having filled the search's error.
 */
int kernel_functions_find(const struct event_search *search,
			  void (*add)(const struct event_search *search,
				      const struct kernel_function *function));

/*
 * The number of the prototype of function @name of @module (NULL: the kernel itself), and the BTF
 * that it is of, which stays. 0: that is not known.
 */
__u32 kernel_function_prototype(const char *name, const char *module, const struct btf **btf);

#endif
