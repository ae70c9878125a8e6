/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's tracing file system, wherever it is mounted, and tracepoints by their records. */
#ifndef COMMON_TRACEFS_H
#define COMMON_TRACEFS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Opens @path there for reading. Where it is not mounted, a mount of this process's own is made
 * that nobody else sees. Returns a file descriptor or a negative errno.
 */
int tracefs_open(const char *path);

/* A field of a tracepoint's record. */
struct trace_field {
	char name[64];
	char type[64]; /* as it is written there, with an array's brackets: "char[16]" */
	unsigned int offset, size;
	bool is_signed;
	bool is_array;	 /* of `elements`, 0: that is not known, or differs from record to record */
	bool is_dynamic; /* "__data_loc": 4 bytes that say where in the record it is, and how long */
	bool relative;	 /* ... counted from behind these 4 bytes ("__rel_loc") */
	unsigned int elements;
};

/*
 * The fields of tracepoint @event of @system, the common ones left out: at most @room of them go to
 * @fields, which may be NULL. Returns how many there are or a negative errno; -ENOENT: there is no
 * such tracepoint.
 */
int tracepoint_fields(const char *system, const char *event, struct trace_field *fields,
		      size_t room);

/*
 * Calls @found, with @arg, for each tracepoint there is, in the kernel's order, until it returns
 * other than 0. Returns what it returned, or a negative errno.
 */
int tracepoint_each(int (*found)(const char *system, const char *event, void *arg), void *arg);

/*
 * How the kernel prints it: the line of its format that begins "print fmt:", to be freed; NULL with
 * errno set.
 */
char *tracepoint_print_format(const char *system, const char *event);

/* Its number, for perf_event_attr.config, or a negative errno. */
int tracepoint_id(const char *system, const char *event);

#endif
