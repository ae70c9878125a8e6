// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include "tree.h"

const struct expr_field expr_builtins[] = {
	{ .name = "_pid", .place = PLACE_PID, .size = 4, .is_signed = true },
	{ .name = "_tid", .place = PLACE_TID, .size = 4, .is_signed = true },
	{ .name = "common_pid", .place = PLACE_TID, .size = 4, .is_signed = true },
	{ .name = "_cpu", .place = PLACE_CPU, .size = 4, .is_signed = true },
	{ .name = "_comm", .place = PLACE_COMM, .content = CONTENT_CHARS, .size = 16 },
	{ .name = "_time", .place = PLACE_TIME, .size = 8 },
	{},
};

const struct expr_field *find_field(const struct expr_scope *scope, const char *name)
{
	const struct expr_field *field;
	size_t i;

	for (i = 0; i < scope->count; i++) {
		if (!strcmp(scope->fields[i].name, name))
			return &scope->fields[i];
	}
	for (field = expr_builtins; field->name; field++) {
		if (!strcmp(field->name, name))
			return field;
	}
	return NULL;
}
