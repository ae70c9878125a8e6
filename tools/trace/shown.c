// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <stdlib.h>
#include <time.h>
#include "clock.h"
#include "events/kind.h"
#include "field.h"
#include "kernel.h"
#include "print_format.h"
#include "quantity.h"
#include "say.h"
#include "shown.h"
#include "stacks.h"
#include "tally.h"
#include "tracefs.h"

#define MOST_FIELDS 128

struct shown {
	const char *name;
	struct field *fields;
	size_t field_count;
	struct print_format *format; /* NULL: fields are shown one by one */
};

static struct shown *events; /* by their numbers */
static size_t event_count;
static struct symbols *symbols;
static struct tally code; /* an address of the kernel's: char *, what it is called, with its offset */

const char *shown_name(const struct engine_event *event)
{
	const struct spec_attr *alias = spec_attr(event->spec, ATTR_ALIAS, 0);

	return alias ? alias->value : event->event->name;
}

/* Is this "arg0" of a function whose argument has a name? */
static bool is_second_name(const struct event *event, const struct event_field *field)
{
	size_t i;

	if (strncmp(field->name, "arg", 3) || !isdigit(field->name[3]))
		return false;
	for (i = 0; i < event->field_count; i++) {
		const struct event_field *other = &event->fields[i];

		if (other != field && other->usable && strcmp(other->name, field->name) &&
		    other->expr.place == field->expr.place &&
		    other->expr.offset == field->expr.offset &&
		    other->expr.base == field->expr.base &&
		    other->expr.displacement == field->expr.displacement)
			return true;
	}
	return false;
}

/* Takes the value of @field by an expression. Where there is no slot left, that is told. */
static int take_value(struct engine_event *e, struct field *field, unsigned int *used)
{
	static const enum slot slots[TRACE_VALUES] = { SLOT_VALUE, SLOT_VALUE2, SLOT_VALUE3,
						       SLOT_VALUE4 };

	if (*used == TRACE_VALUES) {
		say_note("%s: %s is not shown: of arguments in memory only %u are", e->event->name,
			 field->of->name, TRACE_VALUES);
		field->of = NULL;
		return EXIT_DONE;
	}
	field->value = (*used)++;
	return engine_compile(e, field->of->name, slots[field->value], SLOTS);
}

/* Takes the string that @field points to, if there is a slot left; else only its address is shown. */
static int take_text(struct engine_event *e, struct field *field, unsigned int *used)
{
	static const enum slot slots[TRACE_TEXTS] = { SLOT_KEY_TEXT, SLOT_NAME_TEXT };

	if (*used == TRACE_TEXTS)
		return EXIT_DONE;
	field->text = (*used)++;
	return engine_compile(e, field->of->name, SLOTS, slots[field->text]);
}

static bool is_string(const struct expr_field *field)
{
	return field->content == CONTENT_STRING || field->content == CONTENT_USER_STRING;
}

/* Is it nowhere in what the program is given as it is? */
static bool needs_value(const struct engine_event *e, const struct expr_field *field)
{
	return field->place == PLACE_USER || field->place == PLACE_KERNEL ||
	       (e->slots.type == BPF_PROG_TYPE_PERF_EVENT && field->place == PLACE_WORD);
}

/* Returns an exit status; sets @extras if there are any. */
static int find_fields(struct engine_event *e, struct shown *shown, bool *extras)
{
	const struct event *event = e->event;
	unsigned int values = 0, texts = 0;
	int status = EXIT_DONE;
	size_t i;

	shown->fields = event_have(calloc(event->field_count + 1, sizeof(*shown->fields)));
	for (i = 0; i < event->field_count && !status; i++) {
		const struct event_field *of = &event->fields[i];
		struct field *field = &shown->fields[shown->field_count];

		if (!of->usable || is_second_name(event, of))
			continue;
		*field = (struct field){ .of = of, .value = -1, .text = -1 };
		if (is_string(&of->expr))
			status = take_text(e, field, &texts);
		if (!status && field->text < 0 && needs_value(e, &of->expr))
			status = take_value(e, field, &values);
		shown->field_count += field->of != NULL;
	}
	*extras = values || texts;
	return status;
}

/*
 * How many bytes of a tracepoint's record come before what differs in length, and where it says how long
 * the last of that is. Returns them as slot_unit() has them, or a negative errno.
 */
static int record_unit(const struct event *event)
{
	struct trace_field fields[MOST_FIELDS];
	int count = tracepoint_fields(event->system, event->function, fields, MOST_FIELDS), i;
	unsigned int end = 0, loc = 0;
	bool relative = false;

	for (i = 0; i < count && i < MOST_FIELDS; i++) {
		const struct trace_field *f = &fields[i];

		/* Programs are not given those of system calls. */
		if (f->is_dynamic && !strcmp(event->system, "syscalls"))
			continue;
		if (f->offset + f->size > end)
			end = f->offset + f->size;
		if (f->is_dynamic && f->offset >= loc) {
			loc = f->offset;
			relative = f->relative;
		}
	}
	if (count < 0)
		return count;
	if (end > TRACE_DATA)
		end = TRACE_DATA;
	/* In words of 4 bytes, of which there are no more. */
	return TRACE_UNIT((end + 7) / 8, loc / 4 < 512 ? loc / 4 : 0, relative, 0, 0);
}

/* How many bytes of what the program is given its fields take. */
static int words_unit(const struct shown *shown)
{
	unsigned int end = 0;
	size_t i;

	for (i = 0; i < shown->field_count; i++) {
		const struct field *f = &shown->fields[i];

		if (f->value < 0 && f->of->expr.place == PLACE_WORD && f->of->expr.offset + 8 > end)
			end = f->of->expr.offset + 8;
	}
	return TRACE_UNIT((end + 7) / 8, 0, 0, 0, 0);
}

int shown_fill(struct engine_event *e, unsigned int frames)
{
	bool of_record = e->slots.type == BPF_PROG_TYPE_TRACEPOINT, extras = false;
	struct shown *shown;
	int status, unit;

	events = event_have(realloc(events, (e->number + 1) * sizeof(*events)));
	event_count = e->number + 1;
	shown = &events[e->number];
	*shown = (struct shown){ .name = shown_name(e) };
	status = find_fields(e, shown, &extras);
	if (status)
		return status;
	unit = of_record ? record_unit(e->event) : words_unit(shown);
	if (unit < 0) {
		say_error("cannot read what %s has: %s%s", e->event->name, strerror(-unit),
			  kernel_missing(unit));
		return EXIT_CANNOT;
	}
	if (of_record)
		shown->format = print_format_read(e->event->system, e->event->function);
	e->slots.value[SLOT_UNIT] = unit | TRACE_UNIT(0, 0, 0, (unsigned int)extras, frames);
	return EXIT_DONE;
}

/* Is it in a module of the kernel's, not in the kernel itself? */
static bool in_module(const struct frame *f)
{
	return f->module && f->module[0] == '[' && strcmp(f->module, "[kernel]");
}

/* The name of one address, to be kept: "name+0x1f", with " [module]", or "0x..." where there is none. */
static char *look_up(uint64_t address)
{
	struct callchain *chain = callchain_new(1, 0);
	const struct frame *f;
	char *name = NULL;

	chain->ips[0] = address;
	if (symbols) {
		symbols_resolve(symbols, &chain, 1);
		/* What has been inlined comes first. */
		f = chain->frame_count ? &chain->frames[chain->frame_count - 1] : NULL;
		if (f && f->name)
			name = event_text("%s+0x%llx%s%s", f->name, (unsigned long long)f->offset,
					  in_module(f) ? " " : "", in_module(f) ? f->module : "");
	}
	callchain_free(chain);
	return name ? name : event_text("0x%llx", (unsigned long long)address);
}

static void write_code(void *arg, struct writer *w, uint64_t address, bool with_offset)
{
	const char *name;
	char **known;

	(void)arg;
	if (!code.key_size)
		tally_init(&code, sizeof(uint64_t), sizeof(char *));
	known = tally_at(&code, &address);
	if (!*known)
		*known = look_up(address);
	name = *known;
	if (with_offset) {
		write_text(w, name);
		return;
	}
	write_bytes(w, name, strcspn(name, "+"));
	write_text(w, name + strcspn(name, " "));
}

void shown_symbols(struct symbols *of)
{
	symbols = of;
	print_format_names(write_code, NULL);
}

/* Takes a record apart; returns where its stack begins. */
static const uint64_t *take_apart(const struct trace_record *record, struct field_data *parts)
{
	const char *at = (const char *)(record + 1);

	*parts = (struct field_data){ .size = record->size };
	if (record->flags & TRACE_HAS_EXTRAS) {
		parts->extras = (const void *)at;
		at += sizeof(struct trace_extras);
	}
	parts->data = at;
	return (const void *)(at + ((record->size + 7) & ~7));
}

/* The stack at @at, to be freed; NULL: there is none. */
static struct callchain *stack_of(const struct trace_record *record, const uint64_t *at)
{
	unsigned int user;
	struct callchain *chain;

	if (!symbols || (!record->kernel && !record->user))
		return NULL;
	user = stack_sound_depth(at + 1 + record->kernel, record->user);
	chain = callchain_new(record->kernel, user);
	chain->space = at[0];
	memcpy(chain->ips, at + 1, (record->kernel + user) * sizeof(*at));
	if (user)
		symbols_look_again(symbols, chain);
	symbols_resolve(symbols, &chain, 1);
	return chain;
}

static void write_frames(struct writer *w, const struct callchain *chain)
{
	unsigned int i;

	for (i = 0; i < chain->frame_count; i++) {
		const struct frame *f = &chain->frames[i];

		write_text(w, "        ");
		if (f->name) {
			write_printable(w, f->name, strlen(f->name));
		} else {
			write_text(w, "0x");
			write_hex(w, f->addr);
		}
		if (f->name && !f->inlined && f->addr) {
			write_text(w, "+0x");
			write_hex(w, f->offset);
		}
		if (f->module) {
			write_text(w, f->module[0] == '[' ? " " : " (");
			write_printable(w, f->module, strlen(f->module));
			write_text(w, f->module[0] == '[' ? "" : ")");
		}
		if (f->file) {
			write_text(w, f->inlined ? " inlined " : " ");
			write_printable(w, f->file, strlen(f->file));
			write_char(w, ':');
			write_unsigned(w, f->line);
		}
		write_char(w, '\n');
	}
}

/* When the clock shows zero, in ns since the epoch; the same all the time, so that times are in order. */
static uint64_t clock_zero(void)
{
	static uint64_t zero;

	if (!zero)
		zero = wall_of(0);
	return zero;
}

/* "15:46:33.123456" or, of JSON, "2026-01-02T03:04:05.678901Z". */
static void write_time(struct writer *w, uint64_t monotonic, bool json)
{
	uint64_t wall = clock_zero() + monotonic, second = wall / NSEC_PER_SEC;
	static uint64_t known;
	static char text[CLOCK_LEN];
	static size_t length;

	if (known != second) {
		if (json)
			clock_utc(text, second * NSEC_PER_SEC);
		else
			clock_local(text, second * NSEC_PER_SEC);
		length = strcspn(text, ".");
		known = second;
	}
	write_bytes(w, text, length);
	write_char(w, '.');
	write_padded(w, wall % NSEC_PER_SEC / NSEC_PER_USEC, 6);
	if (json)
		write_char(w, 'Z');
}

#define TID_WIDTH 7

static void write_tid(struct writer *w, uint32_t tid)
{
	uint32_t least;
	unsigned int width;

	for (width = TID_WIDTH, least = 1000000; width > 1 && tid < least; width--, least /= 10)
		write_char(w, ' ');
	write_unsigned(w, tid);
}

static void write_field(struct writer *w, const struct field *f, const struct field_data *parts)
{
	write_char(w, ' ');
	write_text(w, f->of->name);
	write_char(w, '=');
	field_write(f, w, parts, false);
}

void shown_write_text(struct writer *w, const struct trace_record *record, unsigned int cpu)
{
	const struct shown *shown = &events[record->event];
	struct field_data parts;
	const uint64_t *stack = take_apart(record, &parts);
	struct callchain *chain;
	size_t i;

	write_time(w, record->time, false);
	write_char(w, ' ');
	write_right(w, record->comm, COMM_LEN, COMM_LEN - 1);
	write_char(w, ' ');
	write_tid(w, record->tid);
	write_text(w, " [");
	write_padded(w, cpu, 3);
	write_text(w, "] ");
	write_text(w, shown->name);
	write_char(w, ':');
	if (shown->format) {
		write_char(w, ' ');
		print_format_write(shown->format, w, parts.data, parts.size, record->tid);
	}
	/* Formats tell the addresses of strings only. */
	for (i = 0; i < shown->field_count; i++) {
		if (!shown->format || shown->fields[i].text >= 0)
			write_field(w, &shown->fields[i], &parts);
	}
	if (record->flags & TRACE_CUT_OFF)
		write_text(w, " ...");
	write_char(w, '\n');
	chain = stack_of(record, stack);
	if (chain)
		write_frames(w, chain);
	callchain_free(chain);
}

static void write_json_frame(struct writer *w, const struct frame *f)
{
	write_text(w, "{\"name\":");
	if (f->name) {
		write_quoted(w, f->name, strlen(f->name), false);
	} else {
		write_text(w, "null,\"addr\":\"0x");
		write_hex(w, f->addr);
		write_char(w, '"');
	}
	if (f->name && !f->inlined && f->addr) {
		write_text(w, ",\"offset\":");
		write_unsigned(w, f->offset);
	}
	if (f->module) {
		write_text(w, ",\"module\":");
		write_quoted(w, f->module, strlen(f->module), false);
	}
	if (f->file) {
		write_text(w, ",\"file\":");
		write_quoted(w, f->file, strlen(f->file), false);
	}
	if (f->line) {
		write_text(w, ",\"line\":");
		write_unsigned(w, f->line);
	}
	if (f->inlined)
		write_text(w, ",\"inlined\":true");
	write_char(w, '}');
}

static void write_json_stack(struct writer *w, const struct callchain *chain)
{
	unsigned int i;

	write_text(w, ",\"stack\":[");
	for (i = 0; i < chain->frame_count; i++) {
		if (i)
			write_char(w, ',');
		write_json_frame(w, &chain->frames[i]);
	}
	write_char(w, ']');
}

static void write_member(struct writer *w, const char *name, uint64_t number)
{
	write_text(w, ",\"");
	write_text(w, name);
	write_text(w, "\":");
	write_unsigned(w, number);
}

void shown_write_json(struct writer *w, const struct trace_record *record, unsigned int cpu)
{
	const struct shown *shown = &events[record->event];
	struct field_data parts;
	const uint64_t *stack = take_apart(record, &parts);
	struct callchain *chain;
	size_t i;

	write_text(w, "{\"time\":\"");
	write_time(w, record->time, true);
	write_char(w, '"');
	write_member(w, "monotonic_ns", record->time);
	write_text(w, ",\"comm\":");
	write_quoted(w, record->comm, COMM_LEN, false);
	write_member(w, "pid", record->pid);
	write_member(w, "tid", record->tid);
	write_member(w, "cpu", cpu);
	write_text(w, ",\"event\":");
	write_quoted(w, shown->name, strlen(shown->name), false);
	write_text(w, ",\"fields\":{");
	for (i = 0; i < shown->field_count; i++) {
		const struct field *f = &shown->fields[i];

		if (i)
			write_char(w, ',');
		write_quoted(w, f->of->name, strlen(f->of->name), false);
		write_char(w, ':');
		field_write(f, w, &parts, true);
	}
	write_char(w, '}');
	if (record->flags & TRACE_CUT_OFF)
		write_text(w, ",\"cut_off\":true");
	chain = stack_of(record, stack);
	if (chain)
		write_json_stack(w, chain);
	callchain_free(chain);
	write_char(w, '}');
}

void shown_write_help(struct writer *w, const struct engine_event *event)
{
	const struct event *of = event->event;
	size_t i;

	write_text(w, of->name);
	write_text(w, "  ");
	write_text(w, event_title(of));
	write_char(w, '\n');
	for (i = 0; i < of->field_count; i++) {
		const struct event_field *field = &of->fields[i];

		write_text(w, "    ");
		write_text(w, field->type);
		write_char(w, ' ');
		write_text(w, field->name);
		write_text(w, field->usable ? "\n" : "  (expressions cannot name it)\n");
	}
}

void shown_free(void)
{
	size_t i;

	for (i = 0; i < event_count; i++) {
		free(events[i].fields);
		print_format_free(events[i].format);
	}
	for (i = 0; code.key_size && i < code.count; i++)
		free(*(char **)tally_value(&code, i));
	if (code.key_size)
		tally_clear(&code);
	free(events);
	events = NULL;
	event_count = 0;
	print_formats_end();
}
