// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "events/keys.h"
#include "events/kind.h"
#include "events/print_key.h"
#include "say.h"

static const char *value_of(const struct engine_event *e, enum spec_attr_id id)
{
	const struct spec_attr *attr = spec_attr(e->spec, id, 0);

	return attr ? attr->value : NULL;
}

static int refuse(const struct engine_event *e, const char *why)
{
	say_error("%s: %s", e->event->name, why);
	return EXIT_USAGE;
}

/* Notes what kind of key @e has. Returns an exit status. */
static int note(struct keys *k, const struct engine_event *e, const char *text)
{
	bool is_text = e->slots.code[SLOT_KEY_TEXT];

	if (is_text ? k->numbers : k->texts)
		return refuse(e, "its key is a string where others' is a number, or the other way "
				 "round: one table has one kind of keys");
	k->texts = is_text;
	k->numbers = !is_text;
	if (!is_text && e->types[SLOT_KEY].is_signed)
		k->are_signed = true;
	if (!is_text && e->types[SLOT_KEY].size > k->size)
		k->size = e->types[SLOT_KEY].size;
	if (k->text && strcmp(k->text, text))
		k->differ = true;
	k->text = text;
	return EXIT_DONE;
}

/* Rows are for all events: not some named by comm=, and all printed by printkey=. */
static int refuse_both(const struct keys *k, const struct engine_event *e)
{
	if (k->format && k->comm)
		return refuse(e, "it has comm= where another event has printkey=, or the other way "
				 "round, and rows are for all: one will do");
	return EXIT_DONE;
}

/* Has keys printed by @format, which is @e's. Returns an exit status. */
static int use_format(struct keys *k, const struct engine_event *e, const char *format)
{
	const char *wrong = print_key_check(format);

	if (wrong)
		return refuse(e, wrong);
	if (k->only_comm)
		return refuse(e, "printkey= prints numbers, and with --only-comm keys are names");
	if (k->texts)
		return refuse(e, "printkey= prints numbers, and its key is a string");
	if (k->format && strcmp(k->format, format))
		return refuse(e, "another event's printkey= is different, and rows are for all");
	k->format = format;
	return EXIT_DONE;
}

/* What an event is counted by, and what names that; NULL: nothing. */
struct choice {
	const char *key, *comm, *format;
};

static struct choice choose(struct keys *k, const struct engine_event *e)
{
	struct choice c = {
		.key = value_of(e, ATTR_KEY),
		.comm = value_of(e, ATTR_COMM),
		.format = value_of(e, ATTR_PRINTKEY),
	};

	if (!c.key)
		c.key = k->otherwise;
	if (k->only_comm)
		return (struct choice){ .key = c.comm ? c.comm : "_comm", .format = c.format };
	if (c.key || c.comm || c.format || !k->fallback) {
		c.key = c.key ? c.key : k->fallback;
		return c;
	}
	return (struct choice){ .key = k->fallback, .comm = "_comm" };
}

/* Notes what names the keys of an event. */
static void note_name(struct keys *k, const struct choice *c)
{
	if (c->comm && !strcmp(c->comm, "_comm"))
		k->named = true;
	else if (c->comm || c->format)
		k->otherwise_named = true;
}

/* Notes what @e calls the values of @key, if that is a field that it has names for. */
static void note_names(struct keys *k, const struct engine_event *e, const char *key)
{
	k->value_names =
		event_have(realloc(k->value_names, (e->number + 1) * sizeof(*k->value_names)));
	while (k->event_count <= e->number)
		k->value_names[k->event_count++] = (struct value_names){};
	if (key && e->spec->kind == SPEC_TRACEPOINT)
		value_names_read(&k->value_names[e->number], e->event->system, e->event->function,
				 key);
	if (!keys_same_names(k, 0, e->number))
		k->names_differ = true;
}

bool keys_same_names(const struct keys *k, size_t a, size_t b)
{
	return value_names_same(&k->value_names[a], &k->value_names[b]);
}

int keys_fill(struct keys *k, struct engine_event *e)
{
	struct choice c = choose(k, e);
	int status;

	note_name(k, &c);
	note_names(k, e, c.key);
	if (!c.key && !c.comm && !c.format)
		return EXIT_DONE;
	if (!c.key)
		return refuse(e, "it has no key that comm= or printkey= could name");
	if (c.comm && c.format)
		return refuse(e, "comm= and printkey= both name its key: one will do");
	status = engine_compile(e, c.key, SLOT_KEY, SLOT_KEY_TEXT);
	if (!status)
		status = note(k, e, c.key);
	if (!status && c.comm)
		status = engine_compile(e, c.comm, SLOTS, SLOT_NAME_TEXT);
	if (!status && c.format)
		status = use_format(k, e, c.format);
	k->comm = k->comm || value_of(e, ATTR_COMM);
	return status ? status : refuse_both(k, e);
}

bool keys_are_threads(const struct keys *k)
{
	return k->text && !k->differ && !strcmp(k->text, "_tid") && k->named && !k->otherwise_named;
}

void keys_free(struct keys *k)
{
	while (k->event_count)
		value_names_free(&k->value_names[--k->event_count]);
	free(k->value_names);
	k->value_names = NULL;
}

/* What text calls the column. */
static const char *title(const struct keys *k)
{
	if (!k->text || k->differ)
		return "key";
	return k->text[0] == '_' ? k->text + 1 : k->text;
}

/* How wide numbers and strings are in text, at least. */
#define NUMBER_WIDTH 7
#define STRING_WIDTH (COMM_LEN - 1)

void keys_columns(const struct keys *k, struct column columns[2])
{
	columns[0] = (struct column){
		.name = "key",
		.title = title(k),
		.type = k->texts	? CELL_STRING
			: k->are_signed ? CELL_SIGNED_ID
					: CELL_ID,
		.width = k->texts ? STRING_WIDTH : NUMBER_WIDTH,
		.optional = true,
	};
	columns[1] = (struct column){
		.name = "name",
		.type = CELL_STRING,
		.width = STRING_WIDTH,
		.optional = true,
	};
	column_widen(&columns[0], columns[0].title);
}

/* A string of the kernel's. One that fills its place has been cut off there, and that is seen. */
static void text_cell(struct cell *c, struct column *column, const char text[SLOT_TEXT_SIZE])
{
	bool whole = strnlen(text, SLOT_TEXT_SIZE) < SLOT_TEXT_SIZE - 1;
	char ended[SLOT_TEXT_SIZE + 4];

	snprintf(ended, sizeof(ended), "%.*s%s", SLOT_TEXT_SIZE - 1, text, whole ? "" : "...");
	cell_string(c, ended);
	column_widen(column, ended);
}

/* Fills a row's cells, with what its values are called in @names, which may be NULL. */
static void fill(const struct keys *k, const struct value_names *names, const union event_key *key,
		 const char *name, struct cell cells[2], struct column columns[2])
{
	char printed[PRINTED_KEY];
	const char *called;

	if (k->texts)
		text_cell(&cells[0], &columns[0], key->text);
	else
		cell_number(&cells[0], key->number);
	if (k->format) {
		cell_string(&cells[1], print_key(printed, k->format, key->number, k->size));
		column_widen(&columns[1], printed);
	} else if (name && *name) {
		text_cell(&cells[1], &columns[1], name);
	} else if (!k->texts && names) {
		called = value_name(names, key->number);
		if (called) {
			cell_string(&cells[1], called);
			column_widen(&columns[1], called);
		}
	}
}

void keys_cells(const struct keys *k, const union event_key *key, const char *name,
		struct cell cells[2], struct column columns[2])
{
	bool agreed = k->event_count && !k->names_differ && !k->differ;

	fill(k, agreed ? &k->value_names[0] : NULL, key, name, cells, columns);
}

void keys_cells_of(const struct keys *k, size_t event, const union event_key *key, const char *name,
		   struct cell cells[2], struct column columns[2])
{
	fill(k, &k->value_names[event], key, name, cells, columns);
}

int keys_compare(const struct keys *k, const union event_key *a, const union event_key *b)
{
	if (k->texts)
		return memcmp(a->text, b->text, sizeof(a->text));
	if (k->are_signed)
		return ((int64_t)a->number > (int64_t)b->number) -
		       ((int64_t)a->number < (int64_t)b->number);
	return (a->number > b->number) - (a->number < b->number);
}
