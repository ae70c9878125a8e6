// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "events/kind.h"
#include "events/value_names.h"
#include "tracefs.h"

/* Behind @text and the spaces around it, or NULL if it is not there. */
static const char *skip(const char *at, const char *text)
{
	if (!at)
		return NULL;
	at += strspn(at, " ");
	if (strncmp(at, text, strlen(text)))
		return NULL;
	at += strlen(text);
	return at + strspn(at, " ");
}

/* A number as C has it, such as -6ULL; names of constants are none. NULL: there is none. */
static const char *take_number(const char *at, uint64_t *value)
{
	char *end;

	if (!at)
		return NULL;
	*value = strtoull(at, &end, 0);
	if (end == at)
		return NULL;
	return end + strspn(end, "uUlL");
}

static const char *take_name(const char *at, char **name)
{
	const char *end = at ? strchr(at, '"') : NULL;

	if (!end)
		return NULL;
	*name = event_have(strndup(at, end - at));
	return end + 1;
}

/* Adds what is in `{ 3, "NET_RX" }` at @at. Returns what is behind it, or NULL: it is no such thing. */
static const char *take_pair(struct value_names *v, const char *at)
{
	struct value_name one = {};

	at = take_number(skip(at, "{"), &one.value);
	at = take_name(skip(skip(at, ","), "\""), &one.name);
	at = skip(at, "}");
	if (!at) {
		free(one.name);
		return NULL;
	}
	v->names = event_have(realloc(v->names, (v->count + 1) * sizeof(*v->names)));
	v->names[v->count++] = one;
	return at;
}

/* The pairs of "__print_symbolic(REC->FIELD, ...", or NULL. */
static const char *find_pairs(const char *format, const char *field)
{
	static const char call[] = "__print_symbolic(";
	const char *at = format, *pairs;

	while ((at = strstr(at, call))) {
		at += strlen(call);
		pairs = skip(skip(skip(at, "REC->"), field), ",");
		if (pairs)
			return pairs;
	}
	return NULL;
}

void value_names_parse(struct value_names *v, const char *format, const char *field)
{
	const char *at = find_pairs(format, field), *next;

	*v = (struct value_names){};
	while (at) {
		at = take_pair(v, at);
		next = skip(at, ",");
		if (!next && skip(at, ")"))
			return;
		at = next;
	}
	/* Some of its names would be worse than none. */
	value_names_free(v);
}

void value_names_read(struct value_names *v, const char *system, const char *event,
		      const char *field)
{
	char *format = tracepoint_print_format(system, event);

	*v = (struct value_names){};
	if (format)
		value_names_parse(v, format, field);
	free(format);
}

bool value_names_same(const struct value_names *a, const struct value_names *b)
{
	size_t i;

	for (i = 0; i < a->count && i < b->count; i++) {
		if (a->names[i].value != b->names[i].value ||
		    strcmp(a->names[i].name, b->names[i].name))
			return false;
	}
	return a->count == b->count;
}

const char *value_name(const struct value_names *v, uint64_t value)
{
	size_t i;

	for (i = 0; i < v->count; i++) {
		if (v->names[i].value == value)
			return v->names[i].name;
	}
	return NULL;
}

void value_names_free(struct value_names *v)
{
	while (v->count)
		free(v->names[--v->count].name);
	free(v->names);
	*v = (struct value_names){};
}
