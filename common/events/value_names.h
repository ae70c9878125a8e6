/* SPDX-License-Identifier: GPL-2.0-only */
/* What a tracepoint itself calls the values of a field, when the kernel prints it (__print_symbolic). */
#ifndef COMMON_EVENTS_VALUE_NAMES_H
#define COMMON_EVENTS_VALUE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct value_name {
	uint64_t value;
	char *name;
};

struct value_names {
	struct value_name *names;
	size_t count;
};

/*
 * Takes those of @field from @format, the line of the tracepoint's format that begins "print fmt:".
 * There are none (count 0) where it prints the field in another way.
 */
void value_names_parse(struct value_names *v, const char *format, const char *field);

/* The same of the tracepoint @event of @system, from the kernel. */
void value_names_read(struct value_names *v, const char *system, const char *event,
		      const char *field);

bool value_names_same(const struct value_names *a, const struct value_names *b);

/* NULL: @value has no name. */
const char *value_name(const struct value_names *v, uint64_t value);

void value_names_free(struct value_names *v);

#endif
