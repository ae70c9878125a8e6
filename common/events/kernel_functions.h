/* SPDX-License-Identifier: GPL-2.0-only */
/* The names of the kernel's functions, and their prototypes' numbers in its BTF. */
#ifndef COMMON_EVENTS_KERNEL_FUNCTIONS_H
#define COMMON_EVENTS_KERNEL_FUNCTIONS_H

#include <stdbool.h>
#include "events/kind.h"

/*
 * Calls @found for each function that matches @pattern and that the kernel can trace, or if it does
 * not tell, that it has. @module is NULL for the kernel's own. Returns 0 or a negative errno.
 */
int kernel_functions_each(const char *pattern,
			  void (*found)(const char *name, const char *module, void *arg),
			  void *arg);

/*
 * Is there a function called @name, and in which module (@size bytes; "" for the kernel itself)?
 * Returns 0, -ENOENT, or another negative errno.
 */
int kernel_function_find(const char *name, char *module, size_t size);

/*
 * The number of the prototype of function @name of @module (NULL: the kernel itself), and the BTF
 * that it is of, which stays. 0: that is not known.
 */
__u32 kernel_function_prototype(const char *name, const char *module, const struct btf **btf);

#endif
