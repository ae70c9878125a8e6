// SPDX-License-Identifier: GPL-2.0-only
/* Events, as lines of text or as JSON objects. */
#include <stdlib.h>
#include <string.h>
#include <bpf/btf.h>
#include "events/show.h"
#include "json.h"
#include "say.h"
#include "utf8.h"

#define MOST_NAME 40 /* columns of fields' names and types; what is longer pushes the rest aside */

/* Prints @text, which may come from any file, as nothing but text, in @width columns. */
static void put(FILE *to, const char *text, int width)
{
	size_t size = 3 * strlen(text) + 1;
	char *clean = malloc(size);
	int used;

	if (!clean) {
		say_error("out of memory for the events");
		exit(EXIT_FAILED);
	}
	used = utf8_clean(clean, size, text, true);
	fprintf(to, "%s%*s", clean, used < width ? width - used : 0, "");
	free(clean);
}

void event_print_line(FILE *to, const struct event *event, int width)
{
	char *detail = event_detail(event);

	put(to, event->name, detail ? width : 0);
	if (detail) {
		fputs("  ", to);
		put(to, detail, 0);
	}
	fputc('\n', to);
	free(detail);
}

/* What expressions make of a field. */
static const char *meaning_of(const struct event *event, const struct event_field *f)
{
	static char text[160];
	const struct expr_field *field = &f->expr;
	const char *name;

	if (!f->usable)
		return "not for expressions";
	switch (field->content) {
	case CONTENT_CHARS:
		snprintf(text, sizeof(text), "string of at most %u", field->size);
		return text;
	case CONTENT_LOC_CHARS:
	case CONTENT_STRING:
		return "string";
	case CONTENT_USER_STRING:
		return "string of the user's";
	case CONTENT_POINTER:
		name = btf__name_by_offset(event->btf,
					   btf__type_by_id(event->btf, field->btf_type)->name_off);
		snprintf(text, sizeof(text), "members by ->%s%s", *name ? " of " : "", name);
		return text;
	default:
		break;
	}
	snprintf(text, sizeof(text), "%sint%u", field->is_signed ? "" : "u", 8 * field->size);
	if (field->content == CONTENT_LOC_ARRAY)
		strcat(text, "[]");
	else if (field->content == CONTENT_ARRAY)
		snprintf(text + strlen(text), 16, "[%u]", field->elements);
	else if (field->place == PLACE_CONSTANT)
		snprintf(text + strlen(text), 32, ", always %lld", (long long)field->constant);
	return text;
}

/* Is @field another name for the one before it? */
static bool is_another_name(const struct event *event, size_t field)
{
	const struct event_field *f = &event->fields[field];

	return field && !strncmp(f->name, "arg", 3) && strncmp(f[-1].name, "arg", 3) &&
	       !strcmp(f->type, f[-1].type) && f->usable == f[-1].usable &&
	       f->expr.offset == f[-1].expr.offset && f->expr.place == f[-1].expr.place;
}

static int width_of(const struct event *event, bool types)
{
	int width = 5, length;
	size_t i;

	for (i = 0; i < event->field_count; i++) {
		length = strlen(types ? event->fields[i].type : event->fields[i].name);
		if (length > width && length <= MOST_NAME)
			width = length;
	}
	return width;
}

static void print_fields(FILE *to, const struct event *event)
{
	int names = width_of(event, false), types = width_of(event, true);
	bool numbered = false;
	size_t i;

	fprintf(to, "\n  %-*s  %-*s  in expressions\n", names, "field", types, "type");
	for (i = 0; i < event->field_count; i++) {
		const struct event_field *field = &event->fields[i];

		if (is_another_name(event, i)) {
			numbered = true;
			continue;
		}
		fputs("  ", to);
		put(to, field->name, names);
		fputs("  ", to);
		put(to, field->type, types);
		fputs("  ", to);
		put(to, meaning_of(event, field), 0);
		fputc('\n', to);
	}
	if (numbered)
		fputs("  arg0, arg1...: the arguments in their order\n", to);
}

void event_print_all(FILE *to, const struct event *event)
{
	char *detail = event_detail(event), *example = event_example(event);
	const struct expr_field *field;

	put(to, event->name, 0);
	fprintf(to, ": %s\n", event_title(event));
	if (detail) {
		fputs("  ", to);
		put(to, detail, 0);
		fputc('\n', to);
	}
	if (event->field_count)
		print_fields(to, event);
	fputs("\n  as all events:", to);
	for (field = expr_builtins; field->name; field++)
		fprintf(to, " %s", field->name);
	fputs("\n\n  ", to);
	put(to, example, 0);
	fputc('\n', to);
	free(example);
	free(detail);
}

static json_object *json_of_field(const struct event *event, const struct event_field *field)
{
	json_object *object = json_have(json_object_new_object());

	json_add_text(object, "name", field->name);
	json_add_text(object, "type", field->type);
	json_add(object, "usable", json_object_new_boolean(field->usable));
	if (!field->usable)
		return object;
	json_add_text(object, "meaning", meaning_of(event, field));
	if (field->expr.place == PLACE_RECORD)
		json_add_number(object, "offset", field->expr.offset);
	if (field->expr.size)
		json_add_number(object, "size_bytes", field->expr.size);
	json_add(object, "signed", json_object_new_boolean(field->expr.is_signed));
	if (field->expr.content == CONTENT_ARRAY)
		json_add_number(object, "elements", field->expr.elements);
	return object;
}

static void add_fields(json_object *object, const struct event *event)
{
	json_object *list = json_have(json_object_new_array());
	char *example = event_example(event);
	size_t i;

	for (i = 0; i < event->field_count; i++)
		json_object_array_add(list, json_of_field(event, &event->fields[i]));
	json_add(object, "fields", list);
	json_add_text(object, "example", example);
	free(example);
}

void event_print_json(FILE *to, const struct event *event, bool wanted)
{
	json_object *object = json_have(json_object_new_object());
	char *detail = event_detail(event);

	json_add_text(object, "event", event->name);
	json_add_text(object, "kind", event_kind_name(event));
	json_add_text(object, "detail", detail);
	json_add_text(object, "system", event->system);
	json_add_text(object, "name", event->function);
	json_add_text(object, "module", event->module);
	json_add_text(object, "file", event->file);
	if (event->file)
		json_add_address(object, "addr", event->address);
	json_add_text(object, "arguments", event->arguments);
	if (event->arguments)
		json_add(object, "semaphore", json_object_new_boolean(event->semaphore));
	if (wanted)
		add_fields(object, event);
	json_put(to, object);
	free(detail);
}
