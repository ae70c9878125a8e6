/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's tracing file system, wherever it is mounted, and tracepoints by their records. */
#ifndef COMMON_TRACEFS_H
#define COMMON_TRACEFS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Opens @path there for reading. Where it is not mounted, a mount of this process's own is made that
 * nobody else sees. Returns a file descriptor or a negative errno.
 */
int tracefs_open(const char *path);

/* A field of a tracepoint's record. */
struct trace_field {
	char name[64];
	unsigned int offset, size;
	bool is_signed, is_array;
};

/*
 * The fields of tracepoint @event of @system, the common ones left out: at most @room of them go to
 * @fields, which may be NULL. Returns how many there are or a negative errno; -ENOENT: there is no
 * such tracepoint.
 */
int tracepoint_fields(const char *system, const char *event, struct trace_field *fields,
		      size_t room);

/* Its number, for perf_event_attr.config, or a negative errno. */
int tracepoint_id(const char *system, const char *event);

#endif
