/* SPDX-License-Identifier: GPL-2.0-only */
/* The names of the kernel's software and hardware events, as perf(1) has them. */
#ifndef COMMON_EVENTS_PERF_NAMES_H
#define COMMON_EVENTS_PERF_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

struct perf_name {
	const char *name;
	const char *alias; /* another name, or NULL */
	__u32 type;	   /* enum perf_type_id */
	__u64 config;
};

/* The timer that `profile` means. */
#define PERF_PROFILE_NAME "profile"

/*
 * All that have names, one after the other: @at counts from 0; false behind the last. Names of
 * caches' events are put together in a buffer: they are valid until the next call.
 */
bool perf_name_at(size_t at, struct perf_name *name);

/*
 * Finds @text, which is @length long: a name or alias, `profile`, or rNNN, a raw event's number in
 * hexadecimal. @found may be NULL.
 */
bool perf_name_find(const char *text, size_t length, struct perf_name *found);

#endif
