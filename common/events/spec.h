/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events as the command line names them, `-e EVENT[,EVENT...]`:
 *
 *   EVENT   sys:name  kprobe:FUNC  uprobe:FUNC@"FILE"  usdt:FILE:provider:name  cycles ...
 *           and behind it [/FILTER[/ATTR[/ATTR]...]][/]
 *
 * This is about where the parts of the text begin and end, and nothing else: whether there is such
 * an event is found out by event.h, and what an expression means by the expressions.
 *
 * Commas and slashes in quotes or brackets divide nothing: a division stands in parentheses, (a/b).
 * Names in quotes are what they are: nothing in them is a wildcard.
 */
#ifndef COMMON_EVENTS_SPEC_H
#define COMMON_EVENTS_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum spec_kind {
	SPEC_TRACEPOINT,
	SPEC_KPROBE,
	SPEC_KRETPROBE,
	SPEC_FENTRY,
	SPEC_FEXIT,
	SPEC_UPROBE,
	SPEC_URETPROBE,
	SPEC_USDT,
	SPEC_PERF,
	SPEC_KINDS,
};

enum spec_attr_id {
	ATTR_KEY,
	ATTR_NUM,
	ATTR_TOP_BY,
	ATTR_TOP_ADD,
	ATTR_COMM,
	ATTR_PTR,
	ATTR_SIZE,
	ATTR_ROLE,
	ATTR_ALIAS,
	ATTR_STACK,
	ATTR_MAX_STACK,
	ATTR_UNTRACED,
	ATTR_TRIGGER,
	ATTR_PRINTKEY,
	SPEC_ATTRS,
};

/* An attribute as it was given. */
struct spec_attr {
	enum spec_attr_id id;
	char *value;	 /* NULL for those without */
	uint64_t number; /* ATTR_MAX_STACK: frames */
	size_t at;	 /* where the value, or else the attribute, is in the list, in bytes */
};

/* One event of a list. What is not given is NULL or 0. */
struct spec {
	enum spec_kind kind;
	char *text;	   /* what names it, as it was written */
	char *system;	   /* a tracepoint's system, a USDT probe's provider; may have wildcards */
	char *name;	   /* the tracepoint, function, probe or perf event; may have wildcards */
	bool plain_system; /* it was in quotes: what looks like wildcards is none */
	bool plain_name;   /* ... the name */
	char *file;	   /* of uprobes and USDT probes: a path, a bare name, or of USDT a PID */
	uint64_t offset;   /* behind the function's begin, in bytes */
	uint64_t address;  /* in the file's own counting, in place of a function: `name` is NULL */
	char *modifiers;   /* of perf events: u, k */
	char *options;	   /* of `profile`: "-F 500" */
	char *filter;	   /* an expression */
	size_t at;	   /* where it begins in the list, in bytes ... */
	size_t filter_at;  /* ... and its filter */
	struct spec_attr *attrs; /* in the order in which they were given */
	unsigned int attr_count;
};

struct spec_list {
	struct spec *specs;
	unsigned int count;
};

/* What is wrong with a list, and where in it, in bytes. */
struct spec_error {
	size_t at;
	char what[256];
};

/*
 * Takes @text apart into @list, which is the caller's to spec_list_free(). Returns 0, or -EINVAL
 * after having filled @error; then the list is empty.
 */
int spec_parse(const char *text, struct spec_list *list, struct spec_error *error);
void spec_list_free(struct spec_list *list);

/*
 * The attribute @id of @spec, or of several such the one that @nth (from 0) others precede; or
 * NULL.
 */
const struct spec_attr *spec_attr(const struct spec *spec, enum spec_attr_id id, unsigned int nth);

/* An attribute's name, and what -e calls a kind. */
const char *spec_attr_name(enum spec_attr_id id);
const char *spec_kind_name(enum spec_kind kind);

/* Is the attribute's value an expression? */
bool spec_attr_is_expression(enum spec_attr_id id);

/* Have its names wildcards (* ? [)? */
bool spec_system_is_wild(const struct spec *spec);
bool spec_name_is_wild(const struct spec *spec);

/* Does all of @system match the spec's, or @name? Where it has none, each does. */
bool spec_matches_system(const struct spec *spec, const char *system);
bool spec_matches_name(const struct spec *spec, const char *name);

/* @name in quotes, in which it is nothing but itself; the caller's to free. */
char *spec_quoted(const char *name);

/* The same, without the quotes where there is no need for them. */
char *spec_word(const char *name);

/*
 * Puts what is wrong with the list @text into @buf of @size bytes, cut off if it does not fit: a
 * line of what, one of the list, and one with a caret below the place. Without a last line's end.
 */
void spec_describe_error(char *buf, size_t size, const char *text, const struct spec_error *error);

/* Tells the same on stderr, headed by the unit's name. */
void spec_say_error(const char *text, const struct spec_error *error);

#endif
