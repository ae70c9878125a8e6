// SPDX-License-Identifier: GPL-2.0-only
/* A command line for an event. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "events/show.h"
#include "say.h"

/* Units that take any event. */
static const struct {
	const char *name;
	bool needs_key;
} units[] = {
	{ "trace", false },
	{ "top", true },
};

/* Is the unit @name where this one is? */
static bool is_here(const char *name)
{
	char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (length < 0)
		return false;
	path[length] = 0;
	slash = strrchr(path, '/');
	snprintf(slash + 1, sizeof(path) - (slash + 1 - path), "%s", name);
	return !access(path, X_OK);
}

/* A field that is good for a filter: a number. NULL: there is none. */
static const struct expr_field *number_of(const struct event *event)
{
	size_t i;

	for (i = 0; i < event->scope_count; i++) {
		const struct expr_field *field = &event->scope[i];

		if (field->content == CONTENT_NUMBER && field->place != PLACE_CONSTANT &&
		    strncmp(field->name, "__", 2))
			return field;
	}
	return NULL;
}

/* Prints @text as it has to be within the shell's single quotes. */
static void put_quoted(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", to);
		else
			fputc(*text, to);
	}
}

char *event_example(const struct event *event)
{
	const struct expr_field *field = number_of(event);
	const char *name = field ? field->name : "_pid";
	unsigned int unit = !is_here(units[0].name) && is_here(units[1].name);
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to) {
		fprintf(to, "%s -e '", units[unit].name);
		put_quoted(to, event->name);
		fprintf(to, "/%s!=0/", name);
		if (units[unit].needs_key)
			fprintf(to, "key=%s/", name);
		fputs("' --duration 1s", to);
		fclose(to);
	}
	if (!text) {
		say_error("out of memory for the example");
		exit(EXIT_FAILED);
	}
	return text;
}
