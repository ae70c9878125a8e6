// SPDX-License-Identifier: GPL-2.0-only
/* How an expression's error is told. */
#include <stdio.h>
#include <string.h>
#include "caret.h"
#include "say.h"
#include "tree.h"

#define MOST_ERROR 2000
#define MOST_WIDTH 96

/* Puts words one after the other into @buf, with line breaks so that they stay within a width. */
struct list {
	char *buf;
	size_t size, used, column;
};

static void add_word(struct list *l, const char *word)
{
	size_t length = strlen(word);
	const char *before = " ";

	if (l->column + 1 + length > MOST_WIDTH) {
		before = "\n    ";
		l->column = 3;
	}
	l->column += 1 + length;
	if (l->used < l->size)
		l->used += snprintf(l->buf + l->used, l->size - l->used, "%s%s", before, word);
}

static void add_fields(struct list *l, const struct expr_scope *scope)
{
	const struct expr_field *f;
	size_t i;

	l->column = MOST_WIDTH;
	if (l->used < l->size)
		l->used += snprintf(l->buf + l->used, l->size - l->used, "\n  there are:");
	l->column = strlen("  there are:");
	for (i = 0; i < scope->count; i++)
		add_word(l, scope->fields[i].name);
	for (f = expr_builtins; f->name; f++) {
		if (find_field(scope, f->name) == f)
			add_word(l, f->name);
	}
}

void expr_describe_error(char *buf, size_t size, const char *text, const struct expr_scope *scope,
			 const struct expr_error *error)
{
	struct list list = { .buf = buf, .size = size };
	char lines[600];

	caret_lines(lines, sizeof(lines), text, error->at);
	list.used = snprintf(buf, size, "%s\n%s", error->what, lines);
	if (error->show_fields)
		add_fields(&list, scope);
}

void expr_say_error(const char *text, const struct expr_scope *scope,
		    const struct expr_error *error)
{
	char all[MOST_ERROR], *line, *rest = NULL;

	expr_describe_error(all, sizeof(all), text, scope, error);
	line = strtok_r(all, "\n", &rest);
	say_error("%s", line);
	while ((line = strtok_r(NULL, "\n", &rest)))
		fprintf(stderr, "%s\n", line);
}
