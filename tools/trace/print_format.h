/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the kernel would print a tracepoint's record: its print format, which libtraceevent parses. What
 * comes of that is made into a form that prints fast; formats with something that this does not know are
 * left to libtraceevent altogether.
 */
#ifndef TRACE_PRINT_FORMAT_H
#define TRACE_PRINT_FORMAT_H

#include <stdbool.h>
#include "writer.h"

struct print_format;

/* NULL: there is none that could be read. */
struct print_format *print_format_read(const char *system, const char *name);
void print_format_free(struct print_format *f);

/* What has an address of the kernel's code is printed by @name, with @arg: with its offset or without. */
void print_format_names(void (*name)(void *arg, struct writer *w, uint64_t address,
				     bool with_offset),
			void *arg);

/* Prints the record @data of @size bytes, of thread @tid. */
void print_format_write(const struct print_format *f, struct writer *w, const void *data,
			size_t size, uint32_t tid);

/* To be called when all formats are freed. */
void print_formats_end(void);

#endif
