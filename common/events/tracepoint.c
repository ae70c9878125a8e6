// SPDX-License-Identifier: GPL-2.0-only
/* Tracepoints, by their records. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/btf.h>
#include "events/kind.h"
#include "events/prototype.h"
#include "events/syscalls.h"
#include "kernel.h"
#include "perf_event.h"
#include "say.h"
#include "tracefs.h"

#define MOST_FIELDS 128

/* The arguments of system calls have 8 bytes each, whatever their type. */
#define SYSCALLS "syscalls"

static void add(struct event_list *found, const char *system, const char *name)
{
	struct event *event = event_add(found, &tracepoint_kind, event_text("%s:%s", system, name));

	event->system = event_have(strdup(system));
	event->function = event_have(strdup(name));
}

static int add_matching(const char *system, const char *name, void *arg)
{
	const struct event_search *search = arg;

	if (spec_matches_system(search->spec, system) && spec_matches_name(search->spec, name))
		add(search->found, system, name);
	return 0;
}

static int find(const struct event_search *search)
{
	const struct spec *spec = search->spec;
	size_t before = search->found->count;
	int err;

	/* Records of the function tracer's own, which have formats like events, and are none. */
	if (!strcmp(spec->system, "ftrace"))
		return event_refuse(search, -EINVAL, EXIT_USAGE,
				    "%s:%s is a record of the function tracer's, no event",
				    spec->system, spec->name);
	if (spec_system_is_wild(spec) || spec_name_is_wild(spec)) {
		err = tracepoint_each(add_matching, (void *)search);
		event_sort(search->found, before);
	} else {
		err = tracepoint_id(spec->system, spec->name);
		if (err >= 0)
			add(search->found, spec->system, spec->name);
	}
	if (err >= 0)
		return 0;
	if (err == -ENOENT && !tracepoint_each(add_matching, (void *)search))
		return event_refuse(search, err, EXIT_USAGE, "this kernel has no tracepoint %s:%s",
				    spec->system, spec->name);
	return event_refuse(search, err, EXIT_CANNOT, "cannot read the tracepoints: %s%s",
			    strerror(-err),
			    err == -EACCES || err == -EPERM ? " (be root)" : kernel_missing(err));
}

/* Types that have been looked for: going through all of the kernel's takes a millisecond. */
static struct known_type {
	char name[64];
	__u32 kind, id; /* 0: there is none */
} * known_types;
static size_t known_type_count;

/* The type called @name in the kernel's BTF; 0: there is none. */
static __u32 find_type(const char *name, __u32 kind)
{
	struct known_type *known;
	size_t i;
	int id;

	for (i = 0; i < known_type_count; i++) {
		if (known_types[i].kind == kind && !strcmp(known_types[i].name, name))
			return known_types[i].id;
	}
	id = kernel_btf() ? btf__find_by_name_kind(kernel_btf(), name, kind) : -ENOENT;
	known_types = event_have(realloc(known_types, (i + 1) * sizeof(*known_types)));
	known = &known_types[known_type_count++];
	snprintf(known->name, sizeof(known->name), "%s", name);
	known->kind = kind;
	known->id = id > 0 ? id : 0;
	return known->id;
}

/* The id of struct or union @type, "const struct sock *", in the kernel's BTF; 0: it is none. */
static __u32 pointed_to(const char *type)
{
	static const char words[][8] = { "const ", "struct ", "union " };
	bool is_union = strstr(type, "union ");
	char name[64];
	unsigned int i;
	size_t length;

	if (!strstr(type, "struct ") && !is_union)
		return 0;
	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!strncmp(type, words[i], strlen(words[i])))
			type += strlen(words[i]);
	}
	length = strcspn(type, " *");
	/* A pointer to a pointer is a number. */
	if (length >= sizeof(name) ||
	    strcspn(strchr(type, '*') + 1, "*") != strlen(strchr(type, '*') + 1))
		return 0;
	memcpy(name, type, length);
	name[length] = 0;
	return find_type(name, is_union ? BTF_KIND_UNION : BTF_KIND_STRUCT);
}

static void point(struct event *event, const char *type, bool of_user, struct expr_field *field)
{
	field->size = 8;
	field->is_signed = false;
	if (!strcmp(type, "const char *") || !strcmp(type, "char *")) {
		field->content = of_user ? CONTENT_USER_STRING : CONTENT_STRING;
		return;
	}
	field->btf_type = of_user ? 0 : pointed_to(type);
	if (field->btf_type) {
		field->content = CONTENT_POINTER;
		event->btf = kernel_btf();
	}
}

/* The integer that @type, as a record's format writes it, is; size 0: it is not known as one. */
static struct expr_type integer(const char *type)
{
	static const struct {
		const char *name;
		struct expr_type type;
	} integers[] = {
		{ "char", { 1, true } },
		{ "signed char", { 1, true } },
		{ "unsigned char", { 1, false } },
		{ "u8", { 1, false } },
		{ "__u8", { 1, false } },
		{ "uint8_t", { 1, false } },
		{ "s8", { 1, true } },
		{ "bool", { 1, false } },
		{ "short", { 2, true } },
		{ "unsigned short", { 2, false } },
		{ "u16", { 2, false } },
		{ "__u16", { 2, false } },
		{ "umode_t", { 2, false } },
		{ "s16", { 2, true } },
		{ "int", { 4, true } },
		{ "unsigned int", { 4, false } },
		{ "unsigned", { 4, false } },
		{ "u32", { 4, false } },
		{ "__u32", { 4, false } },
		{ "s32", { 4, true } },
		{ "__s32", { 4, true } },
		{ "pid_t", { 4, true } },
		{ "uid_t", { 4, false } },
		{ "gid_t", { 4, false } },
		{ "long", { 8, true } },
		{ "unsigned long", { 8, false } },
		{ "size_t", { 8, false } },
		{ "ssize_t", { 8, true } },
		{ "long long", { 8, true } },
		{ "unsigned long long", { 8, false } },
		{ "u64", { 8, false } },
		{ "__u64", { 8, false } },
		{ "s64", { 8, true } },
		{ "__s64", { 8, true } },
	};
	struct expr_field field = {};
	size_t i;
	__u32 id;

	if (!strncmp(type, "const ", 6))
		type += 6;
	for (i = 0; i < sizeof(integers) / sizeof(*integers); i++) {
		if (!strcmp(type, integers[i].name))
			return integers[i].type;
	}
	/* Others (key_t, rwf_t) the kernel knows. */
	id = find_type(type, BTF_KIND_TYPEDEF);
	if (!id || !expr_field_of_type(kernel_btf(), id, &field) || field.content != CONTENT_NUMBER)
		return (struct expr_type){};
	return (struct expr_type){ field.size, field.is_signed };
}

/* The type of an array's elements: what is before its brackets, without "__data_loc ". */
static void element_type(const struct trace_field *from, char *type, size_t size)
{
	const char *begin = from->type;

	if (from->is_dynamic)
		begin = strchr(begin, ' ') + 1;
	snprintf(type, size, "%.*s", (int)strcspn(begin, "["), begin);
}

/* Arrays of characters are strings. False: nothing is known of its elements. */
static bool array(const struct trace_field *from, struct expr_field *field)
{
	struct expr_type element;
	char type[64];

	element_type(from, type, sizeof(type));
	if (!strcmp(type, "char")) {
		field->content = from->is_dynamic ? CONTENT_LOC_CHARS : CONTENT_CHARS;
		return from->is_dynamic || from->size;
	}
	if (from->is_dynamic && !strchr(from->type, '['))
		return false;
	element = integer(type);
	if (!element.size && from->elements && from->size / from->elements <= 8)
		element = (struct expr_type){ from->size / from->elements, from->is_signed };
	if (!element.size || (element.size & (element.size - 1)))
		return false;
	field->content = from->is_dynamic ? CONTENT_LOC_ARRAY : CONTENT_ARRAY;
	field->size = element.size;
	field->is_signed = element.is_signed;
	field->elements = from->is_dynamic ? 0 : from->size / element.size;
	return from->is_dynamic || field->elements;
}

/* What is in 8 bytes because it is a system call's argument is as wide as its type. */
static void narrow(const struct trace_field *from, struct expr_field *field)
{
	struct expr_type type = integer(from->type);

	if (!type.size || type.size > from->size)
		return;
	field->size = type.size;
	field->is_signed = type.is_signed;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	field->offset += from->size - type.size;
#endif
}

static void add_field(struct event *event, const struct trace_field *from)
{
	bool is_syscall = !strcmp(event->system, SYSCALLS), usable;
	struct expr_field field = {
		.place = PLACE_RECORD,
		.content = CONTENT_NUMBER,
		.offset = from->offset,
		.size = from->size,
		.is_signed = from->is_signed,
		.relative = from->relative,
	};
	size_t length = strlen(from->type);

	usable = from->size && from->size <= 8 && !(from->size & (from->size - 1));
	if (from->is_array)
		usable = array(from, &field);
	else if (length && from->type[length - 1] == '*' && from->size == 8)
		point(event, from->type, is_syscall || strstr(from->type, "__user"), &field);
	else if (is_syscall && usable)
		narrow(from, &field);
	/* Programs get a system call's arguments, not what else later kernels have in its record. */
	if (is_syscall && from->is_dynamic)
		usable = false;
	event_add_field(event, from->name, from->type, usable ? &field : NULL);
}

static int read_fields(struct event *event)
{
	struct trace_field fields[MOST_FIELDS];
	int count = tracepoint_fields(event->system, event->function, fields, MOST_FIELDS), i;

	for (i = 0; i < count && i < MOST_FIELDS; i++)
		add_field(event, &fields[i]);
	return count < 0 ? count : 0;
}

static int attach(const struct event *event, int prog, pid_t pid, struct event_links *links)
{
	int err = -ENOENT;

	(void)pid;
	if (syscalls_wanted(event, links->expected))
		err = syscalls_attach(&links->syscalls, event, prog);
	if (err != -ENOENT)
		return err;
	return event_add_link(links, event_open_tracepoint(event->system, event->function, prog));
}

const struct event_kind tracepoint_kind = {
	.name = "tracepoint",
	.title = "tracepoint",
	.find = find,
	.read_fields = read_fields,
	.program = BPF_PROG_TYPE_TRACEPOINT,
	.attach = attach,
};
