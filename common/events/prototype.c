// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/btf.h>
#include "events/kernel_functions.h"
#include "events/prototype.h"
#include "events/registers.h"

#define WORD 8

static void print_to(void *to, const char *format, va_list args)
{
	vfprintf(*(FILE **)to, format, args);
}

/* Making a dump goes through all types of a BTF: the last one is kept. */
static struct btf_dump *dump_of(const struct btf *btf, FILE *to)
{
	static const struct btf *dumped;
	static struct btf_dump *dump;
	static FILE *file;

	file = to;
	if (dumped != btf) {
		btf_dump__free(dump);
		dump = btf_dump__new(btf, print_to, &file, NULL);
		dumped = btf;
	}
	return dump;
}

static void put_type(FILE *to, const struct btf *btf, __u32 id, const char *name)
{
	LIBBPF_OPTS(btf_dump_emit_type_decl_opts, opts, .field_name = name);
	struct btf_dump *dump = id ? dump_of(btf, to) : NULL;

	/* It knows no void. */
	if (!dump || btf_dump__emit_type_decl(dump, id, &opts))
		fprintf(to, *name ? "void %s" : "void", name);
}

char *type_text(const struct btf *btf, __u32 id, const char *name)
{
	char *text = NULL;
	size_t size;
	FILE *to = event_have(open_memstream(&text, &size));

	put_type(to, btf, id, name);
	fclose(to);
	return event_have(text);
}

/* The event's prototype, or NULL; sets its BTF. */
static const struct btf_type *prototype_of(const struct event *event, const struct btf **btf)
{
	__u32 id = kernel_function_prototype(event->function, event->module, btf);
	const struct btf_type *type = id ? btf__type_by_id(*btf, id) : NULL;

	return type && btf_is_func_proto(type) ? type : NULL;
}

char *prototype_text(const struct event *event)
{
	const struct btf *btf;
	const struct btf_type *type = prototype_of(event, &btf);
	const struct btf_param *param = type ? btf_params(type) : NULL;
	char *text = NULL, *call, *end;
	size_t size;
	FILE *to;
	int i;

	if (!type)
		return NULL;
	to = event_have(open_memstream(&text, &size));
	fprintf(to, "%s(", event->function);
	for (i = 0; i < btf_vlen(type); i++, param++) {
		fputs(i ? ", " : "", to);
		/* Without name and type it stands for the arguments that may follow. */
		if (!param->name_off && !param->type)
			fputs("...", to);
		else
			put_type(to, btf, param->type, btf__name_by_offset(btf, param->name_off));
	}
	fprintf(to, "%s)", btf_vlen(type) ? "" : "void");
	fclose(to);
	call = event_have(text);
	end = type_text(btf, type->type, call);
	free(call);
	return end;
}

/* The type behind names and qualifiers; notes whether it is marked as the user's. */
static __u32 strip(const struct btf *btf, __u32 id, bool *user)
{
	const struct btf_type *type;

	for (; id; id = type->type) {
		type = btf__type_by_id(btf, id);
		if (!type || !(btf_is_mod(type) || btf_is_typedef(type) || btf_is_type_tag(type)))
			break;
		if (btf_is_type_tag(type) &&
		    !strcmp(btf__name_by_offset(btf, type->name_off), "user"))
			*user = true;
	}
	return id;
}

static void point_to(const struct btf *btf, __u32 id, struct expr_field *field)
{
	bool user = false;
	const struct btf_type *type;

	field->size = WORD;
	field->is_signed = false;
	id = strip(btf, id, &user);
	type = id ? btf__type_by_id(btf, id) : NULL;
	if (type && btf_is_int(type) && type->size == 1 &&
	    !strcmp(btf__name_by_offset(btf, type->name_off), "char")) {
		field->content = user ? CONTENT_USER_STRING : CONTENT_STRING;
	} else if (type && btf_is_composite(type) && !user) {
		field->content = CONTENT_POINTER;
		field->btf_type = id;
	}
}

/* As compilers have it: an enumeration's type is signed if it needs to be. */
static bool is_signed_enum(const struct btf_type *type)
{
	const struct btf_enum *value = btf_enum(type);
	int i;

	for (i = 0; btf_is_enum(type) && i < btf_vlen(type); i++) {
		if (value[i].val < 0)
			return true;
	}
	return btf_is_enum64(type) && btf_kflag(type);
}

bool expr_field_of_type(const struct btf *btf, __u32 id, struct expr_field *field)
{
	const struct btf_type *type;
	bool user = false;

	id = strip(btf, id, &user);
	type = id ? btf__type_by_id(btf, id) : NULL;
	if (!type)
		return false;
	field->content = CONTENT_NUMBER;
	if (btf_is_ptr(type)) {
		point_to(btf, type->type, field);
		return true;
	}
	if (!btf_is_int(type) && !btf_is_any_enum(type))
		return false;
	field->size = type->size;
	field->is_signed = btf_is_int(type) ? btf_int_encoding(type) & BTF_INT_SIGNED
					    : is_signed_enum(type);
	return field->size <= WORD;
}

/* How arguments are being given places. */
struct places {
	const struct registers *registers;
	enum argument_places are;
	unsigned int used;     /* registers, or words of a program of type fentry */
	unsigned int on_stack; /* words */
};

/* Where an argument of @size bytes is that is no struct, or goes as one word. */
static void place_word(struct places *p, struct expr_field *field)
{
	if (p->are == ARGUMENTS_IN_WORDS || p->are == RESULT_BEHIND_WORDS) {
		field->place = PLACE_WORD;
		field->offset = p->used++ * WORD;
	} else if (p->used < p->registers->argument_count) {
		field->place = PLACE_WORD;
		field->offset = p->registers->arguments[p->used++];
	} else {
		field->place = PLACE_KERNEL;
		field->base = p->registers->stack;
		field->displacement = p->registers->first_on_stack + p->on_stack++ * WORD;
	}
}

/* Passes by an argument that takes more than a word, or is a struct. */
static void pass(struct places *p, __s64 size)
{
	unsigned int words = size > 0 ? (size + WORD - 1) / WORD : 1;

	if (p->are == ARGUMENTS_IN_WORDS || p->are == RESULT_BEHIND_WORDS)
		p->used += words;
	else if (size > 2 * WORD && p->registers->large_by_address)
		p->used++;
	else if (size <= 2 * WORD && p->used + words <= p->registers->argument_count)
		p->used += words;
	else
		p->on_stack += words;
}

static void add_argument(struct event *event, const struct btf *btf, const struct btf_param *param,
			 unsigned int number, struct places *p)
{
	const char *name = btf__name_by_offset(btf, param->name_off);
	struct expr_field field = {};
	char *type = type_text(btf, param->type, ""), numbered[16];
	bool usable = expr_field_of_type(btf, param->type, &field);

	if (usable)
		place_word(p, &field);
	else
		pass(p, btf__resolve_size(btf, param->type));
	snprintf(numbered, sizeof(numbered), "arg%u", number);
	if (*name)
		event_add_field(event, name, type, usable ? &field : NULL);
	event_add_field(event, numbered, type, usable ? &field : NULL);
	free(type);
}

static void add_result(struct event *event, const struct btf *btf, __u32 id, unsigned int offset)
{
	struct expr_field field = { .place = PLACE_WORD, .offset = offset };
	char *type = type_text(btf, id, "");
	bool usable = expr_field_of_type(btf, id, &field);

	if (id)
		event_add_field(event, "ret", type, usable ? &field : NULL);
	free(type);
}

void register_fields(struct event *event, unsigned int machine, bool result)
{
	const struct registers *registers = registers_of(machine);
	struct expr_field field = { .place = PLACE_WORD, .size = WORD };
	unsigned int i;
	char name[16];

	for (i = 0; registers && !result && i < registers->argument_count; i++) {
		snprintf(name, sizeof(name), "arg%u", i);
		field.offset = registers->arguments[i];
		event_add_field(event, name, "unsigned long", &field);
	}
	if (registers && result) {
		field.offset = registers->result;
		field.is_signed = true;
		event_add_field(event, "ret", "long", &field);
	}
}

int prototype_fields(struct event *event, enum argument_places places)
{
	struct places p = { .registers = registers_of(HOST_MACHINE), .are = places };
	const struct btf *btf;
	const struct btf_type *type = prototype_of(event, &btf);
	const struct btf_param *param = type ? btf_params(type) : NULL;
	bool in_registers = places == ARGUMENTS_IN_REGISTERS || places == RESULT_IN_REGISTER;
	int i;

	if (in_registers && (!type || event->offset)) {
		register_fields(event, HOST_MACHINE, places == RESULT_IN_REGISTER);
		return 0;
	}
	if (!type)
		return -ENOENT;
	event->btf = btf;
	for (i = 0; places != RESULT_IN_REGISTER && i < btf_vlen(type); i++, param++) {
		if (param->type)
			add_argument(event, btf, param, i, &p);
	}
	if (places == RESULT_IN_REGISTER)
		add_result(event, btf, type->type, p.registers->result);
	else if (places == RESULT_BEHIND_WORDS)
		add_result(event, btf, type->type, p.used * WORD);
	return 0;
}
