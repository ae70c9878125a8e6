// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include "events/kind.h"
#include "expr/expr.h"
#include "kernel.h"
#include "print_node.h"

static struct print_node *make(enum node_kind kind)
{
	struct print_node *n = event_have(calloc(1, sizeof(*n)));

	n->kind = kind;
	return n;
}

void node_free(struct print_node *n)
{
	if (!n)
		return;
	node_free(n->a);
	node_free(n->b);
	node_free(n->c);
	free(n->names);
	free(n);
}

bool node_is_text(const struct print_node *n)
{
	return n->kind == NODE_CHOICE ? node_is_text(n->b) : n->kind >= NODE_TEXT;
}

/* Is its value one of 64 bits without a sign, which makes what it is compared with such a one, too? */
static bool is_unsigned_long(const struct print_node *n)
{
	switch (n->kind) {
	case NODE_NUMBER:
		return n->number > INT64_MAX;
	case NODE_FIELD:
	case NODE_ELEMENT:
		return n->size == 8 && !n->is_signed;
	case NODE_CAST:
		return n->size == 8 && n->is_unsigned;
	case NODE_CHOICE:
		return is_unsigned_long(n->b) || is_unsigned_long(n->c);
	default:
		return false;
	}
}

/* Makes sure that all parts are there, else gives up the whole. */
static struct print_node *whole(struct print_node *n, bool complete)
{
	if (complete)
		return n;
	node_free(n);
	return NULL;
}

static bool parse_number(const char *text, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 0);
	while (*end && strchr("uUlL", *end))
		end++;
	return !errno && end != text && !*end;
}

static struct print_node *compile_atom(const char *atom)
{
	struct print_node *n;
	uint64_t number;

	if (parse_number(atom, &number)) {
		n = make(NODE_NUMBER);
		n->number = number;
	} else {
		n = make(NODE_TEXT);
	}
	n->text = atom;
	return n;
}

static struct print_node *place(enum node_kind kind, const struct tep_format_field *field)
{
	struct print_node *n = make(kind);

	n->offset = field->offset;
	n->size = field->size;
	n->is_signed = field->flags & TEP_FIELD_IS_SIGNED;
	n->relative = field->flags & TEP_FIELD_IS_RELATIVE;
	return n;
}

static struct print_node *compile_field(struct tep_event *event, const char *name)
{
	const struct tep_format_field *field = tep_find_any_field(event, name);

	if (!field || field->flags & TEP_FIELD_IS_DYNAMIC)
		return NULL;
	if (field->flags & TEP_FIELD_IS_ARRAY)
		return field->flags & TEP_FIELD_IS_STRING ? place(NODE_CHARS, field) : NULL;
	if (field->size != 1 && field->size != 2 && field->size != 4 && field->size != 8)
		return NULL;
	return place(NODE_FIELD, field);
}

static struct print_node *compile_loc(struct tep_event *event, enum node_kind kind,
				      const char *name)
{
	const struct tep_format_field *field = tep_find_any_field(event, name);

	if (!field || !(field->flags & TEP_FIELD_IS_DYNAMIC))
		return NULL;
	return place(kind, field);
}

/* Types that a value may be cast to; of others it stays as it is. */
static void set_type(struct print_node *n, const char *type)
{
	static const struct {
		const char *name;
		unsigned int size;
		bool is_signed;
	} types[] = {
		{ "long", 8, true },
		{ "long long", 8, true },
		{ "s64", 8, true },
		{ "__s64", 8, true },
		{ "int", 4, true },
		{ "s32", 4, true },
		{ "unsigned int", 4, false },
		{ "unsigned", 4, false },
		{ "u32", 4, false },
		{ "__u32", 4, false },
		{ "short", 2, true },
		{ "s16", 2, true },
		{ "unsigned short", 2, false },
		{ "u16", 2, false },
		{ "__u16", 2, false },
		{ "char", 1, true },
		{ "s8", 1, true },
		{ "unsigned char", 1, false },
		{ "u8", 1, false },
		{ "__u8", 1, false },
		{ "bool", 1, false },
		{ "dev_t", 4, false },
		{ "gfp_t", 4, false },
	};
	size_t i;

	n->size = 8;
	n->is_unsigned = !strncmp(type, "unsigned", 8) || !strcmp(type, "u64") ||
			 !strcmp(type, "__u64") || !strcmp(type, "size_t");
	for (i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (!strcmp(type, types[i].name)) {
			n->size = types[i].size;
			n->is_signed = types[i].is_signed;
		}
	}
}

/* The value of a name in the kernel's types, which some formats have as it is in the source. */
static bool find_value(const char *text, uint64_t *value)
{
	struct expr_scope scope = { .btf = kernel_btf() };
	struct expr_error error;
	struct expr *e = scope.btf ? expr_parse(text, &scope, EXPR_WANT_NUMBER, &error) : NULL;
	bool found = e && expr_is_constant(e, value);

	expr_free(e);
	return found;
}

static bool compile_names(struct print_node *n, const struct tep_print_flag_sym *list)
{
	for (; list; list = list->next) {
		struct node_name name = { .name = list->str };
		uint64_t value;

		/* A value below 0 is written so. */
		if (*list->value == '-')
			value = strtoll(list->value, NULL, 0);
		else if (!parse_number(list->value, &value) && !find_value(list->value, &value))
			return false;
		name.value = value;
		n->names = event_have(realloc(n->names, (n->name_count + 1) * sizeof(*n->names)));
		n->names[n->name_count++] = name;
	}
	return true;
}

static struct print_node *compile_flags(struct tep_event *event,
					const struct tep_print_arg_flags *flags)
{
	struct print_node *n = make(NODE_FLAGS);

	n->text = flags->delim ? flags->delim : "";
	n->a = node_compile(event, flags->field);
	return whole(n, n->a && compile_names(n, flags->flags));
}

static struct print_node *compile_symbol(struct tep_event *event,
					 const struct tep_print_arg_symbol *symbol)
{
	struct print_node *n = make(NODE_SYMBOL);

	n->a = node_compile(event, symbol->field);
	return whole(n, n->a && compile_names(n, symbol->symbols));
}

static struct print_node *compile_cast(struct tep_event *event,
				       const struct tep_print_arg_typecast *cast)
{
	struct print_node *n = make(NODE_CAST);

	set_type(n, cast->type);
	n->a = node_compile(event, cast->item);
	return whole(n, n->a && !node_is_text(n->a));
}

static struct print_node *compile_choice(struct tep_event *event, const struct tep_print_arg_op *op)
{
	const struct tep_print_arg *arms = op->right;
	struct print_node *n = make(NODE_CHOICE);

	n->a = node_compile(event, op->left);
	if (arms->type == TEP_PRINT_OP && !strcmp(arms->op.op, ":")) {
		n->b = node_compile(event, arms->op.left);
		n->c = node_compile(event, arms->op.right);
	}
	return whole(n, n->a && !node_is_text(n->a) && n->b && n->c &&
				node_is_text(n->b) == node_is_text(n->c));
}

static bool find_operation(const char *text, bool unary, enum node_operation *operation)
{
	static const char operations[][3] = {
		[OP_ADD] = "+",		 [OP_SUBTRACT] = "-",	[OP_MULTIPLY] = "*",
		[OP_DIVIDE] = "/",	 [OP_REMAINDER] = "%",	[OP_SHIFT_LEFT] = "<<",
		[OP_SHIFT_RIGHT] = ">>", [OP_AND] = "&",	[OP_OR] = "|",
		[OP_XOR] = "^",		 [OP_BOTH] = "&&",	[OP_EITHER] = "||",
		[OP_EQUAL] = "==",	 [OP_UNEQUAL] = "!=",	[OP_LESS] = "<",
		[OP_LESS_EQUAL] = "<=",	 [OP_GREATER] = ">",	[OP_GREATER_EQUAL] = ">=",
		[OP_NOT] = "!",		 [OP_COMPLEMENT] = "~",
	};
	unsigned int i;

	for (i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
		if (strcmp(text, operations[i]))
			continue;
		*operation = i;
		return unary ? i == OP_NOT || i == OP_COMPLEMENT || i == OP_SUBTRACT || i == OP_ADD
			     : i != OP_NOT && i != OP_COMPLEMENT;
	}
	return false;
}

/* An element of an array in the record. */
static struct print_node *compile_element(struct tep_event *event,
					  const struct tep_print_arg_op *op)
{
	const struct tep_format_field *field = NULL;
	struct print_node *n;

	if (op->left->type == TEP_PRINT_FIELD)
		field = tep_find_any_field(event, op->left->field.name);
	if (!field || !(field->flags & TEP_FIELD_IS_ARRAY) || field->flags & TEP_FIELD_IS_DYNAMIC ||
	    !field->arraylen || field->size / field->arraylen > 8)
		return NULL;
	n = place(NODE_ELEMENT, field);
	n->number = field->arraylen;
	n->size = field->size / field->arraylen;
	n->a = node_compile(event, op->right);
	return whole(n, n->a && !node_is_text(n->a));
}

static struct print_node *compile_operation(struct tep_event *event,
					    const struct tep_print_arg_op *op)
{
	bool unary = !op->left || op->left->type == TEP_PRINT_NULL;
	struct print_node *n;

	if (!strcmp(op->op, "?"))
		return compile_choice(event, op);
	if (!strcmp(op->op, "["))
		return compile_element(event, op);
	n = make(NODE_OPERATION);
	if (unary) {
		n->a = make(NODE_NUMBER);
		n->a->text = "0";
	} else {
		n->a = node_compile(event, op->left);
	}
	n->b = node_compile(event, op->right);
	n->is_unsigned = n->a && n->b && (is_unsigned_long(n->a) || is_unsigned_long(n->b));
	return whole(n, n->a && n->b && !node_is_text(n->a) && !node_is_text(n->b) &&
				find_operation(op->op, unary, &n->operation));
}

struct print_node *node_compile(struct tep_event *event, const struct tep_print_arg *arg)
{
	if (!arg)
		return NULL;
	switch (arg->type) {
	case TEP_PRINT_ATOM:
		return compile_atom(arg->atom.atom);
	case TEP_PRINT_FIELD:
		return compile_field(event, arg->field.name);
	case TEP_PRINT_FLAGS:
		return compile_flags(event, &arg->flags);
	case TEP_PRINT_SYMBOL:
		return compile_symbol(event, &arg->symbol);
	case TEP_PRINT_TYPE:
		return compile_cast(event, &arg->typecast);
	case TEP_PRINT_OP:
		return compile_operation(event, &arg->op);
	case TEP_PRINT_STRING:
		return compile_loc(event, NODE_LOC, arg->string.string);
	case TEP_PRINT_DYNAMIC_ARRAY_LEN:
		return arg->dynarray.field
			       ? compile_loc(event, NODE_LENGTH, arg->dynarray.field->name)
			       : NULL;
	default:
		return NULL;
	}
}

/* @size bytes at @data as a number. */
static uint64_t number_at(const char *data, unsigned int size, bool is_signed)
{
	uint64_t number = 0;
	unsigned int shift = 64 - 8 * size;

	/* Both orders: the bytes of a number of 8, then where this one's begin. */
	memcpy((char *)&number + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 8 - size : 0), data,
	       size);
	if (is_signed && shift)
		return (int64_t)(number << shift) >> shift;
	return number;
}

static uint64_t shifted(const struct print_node *n, uint64_t a, uint64_t b)
{
	if (b > 63)
		return 0;
	if (n->operation == OP_SHIFT_LEFT)
		return a << b;
	return n->is_unsigned ? a >> b : (uint64_t)((int64_t)a >> b);
}

/* By 0 it is 0. */
static uint64_t divided(const struct print_node *n, uint64_t a, uint64_t b)
{
	bool quotient = n->operation == OP_DIVIDE;

	if (!b)
		return 0;
	if (n->is_unsigned)
		return quotient ? a / b : a % b;
	if ((int64_t)b == -1) /* which the CPU refuses, of the least number */
		return quotient ? -a : 0;
	return quotient ? (int64_t)a / (int64_t)b : (int64_t)a % (int64_t)b;
}

static uint64_t operate(const struct print_node *n, uint64_t a, uint64_t b)
{
	switch (n->operation) {
	case OP_ADD:
		return a + b;
	case OP_SUBTRACT:
		return a - b;
	case OP_MULTIPLY:
		return a * b;
	case OP_DIVIDE:
	case OP_REMAINDER:
		return divided(n, a, b);
	case OP_SHIFT_LEFT:
	case OP_SHIFT_RIGHT:
		return shifted(n, a, b);
	case OP_AND:
		return a & b;
	case OP_OR:
		return a | b;
	case OP_XOR:
		return a ^ b;
	case OP_BOTH:
		return a && b;
	case OP_EITHER:
		return a || b;
	case OP_EQUAL:
		return a == b;
	case OP_UNEQUAL:
		return a != b;
	case OP_LESS:
		return n->is_unsigned ? a < b : (int64_t)a < (int64_t)b;
	case OP_LESS_EQUAL:
		return n->is_unsigned ? a <= b : (int64_t)a <= (int64_t)b;
	case OP_GREATER:
		return n->is_unsigned ? a > b : (int64_t)a > (int64_t)b;
	case OP_GREATER_EQUAL:
		return n->is_unsigned ? a >= b : (int64_t)a >= (int64_t)b;
	case OP_NOT:
		return !b;
	case OP_COMPLEMENT:
		return ~b;
	}
	return 0;
}

static uint32_t loc_at(const struct print_node *n, const char *data, size_t size)
{
	uint32_t loc = 0;

	if (n->offset + sizeof(loc) <= size)
		memcpy(&loc, data + n->offset, sizeof(loc));
	return loc;
}

static uint64_t element(const struct print_node *n, const char *data, size_t size)
{
	uint64_t index = node_number(n->a, data, size);
	size_t at = n->offset + index * n->size;

	if (index >= n->number || at + n->size > size)
		return 0;
	return number_at(data + at, n->size, n->is_signed);
}

uint64_t node_number(const struct print_node *n, const char *data, size_t size)
{
	uint64_t number;

	switch (n->kind) {
	case NODE_NUMBER:
		return n->number;
	case NODE_FIELD:
		return n->offset + n->size <= size
			       ? number_at(data + n->offset, n->size, n->is_signed)
			       : 0;
	case NODE_ELEMENT:
		return element(n, data, size);
	case NODE_CAST:
		number = node_number(n->a, data, size);
		return n->size == 8
			       ? number
			       : number_at((char *)&number + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
								      ? 8 - n->size
								      : 0),
					   n->size, n->is_signed);
	case NODE_OPERATION:
		return operate(n, node_number(n->a, data, size), node_number(n->b, data, size));
	case NODE_LENGTH:
		return loc_at(n, data, size) >> 16;
	case NODE_CHOICE:
		return node_number(node_number(n->a, data, size) ? n->b : n->c, data, size);
	default:
		return 0;
	}
}

static void write_rest(struct writer *w, uint64_t rest)
{
	write_text(w, "0x");
	write_hex(w, rest);
}

/* As the kernel does, see trace_print_flags_seq(). */
static void write_flags(const struct print_node *n, struct writer *w, uint64_t flags)
{
	bool first = true;
	size_t i;

	for (i = 0; i < n->name_count && flags; i++) {
		uint64_t mask = n->names[i].value;

		if ((flags & mask) != mask)
			continue;
		flags &= ~mask;
		if (!first)
			write_text(w, n->text);
		write_text(w, n->names[i].name);
		first = false;
	}
	if (!flags)
		return;
	if (!first)
		write_text(w, n->text);
	write_rest(w, flags);
}

static void write_symbol(const struct print_node *n, struct writer *w, uint64_t value)
{
	size_t i;

	for (i = 0; i < n->name_count; i++) {
		if (n->names[i].value == value) {
			write_text(w, n->names[i].name);
			return;
		}
	}
	write_rest(w, value);
}

static void write_loc(const struct print_node *n, struct writer *w, const char *data, size_t size)
{
	uint32_t loc = loc_at(n, data, size);
	size_t at = (loc & 0xffff) + (n->relative ? n->offset + 4 : 0), length = loc >> 16;

	if (at >= size)
		return;
	if (length > size - at)
		length = size - at;
	write_printable(w, data + at, length);
}

void node_write_text(const struct print_node *n, struct writer *w, const char *data, size_t size)
{
	switch (n->kind) {
	case NODE_NUMBER:
	case NODE_TEXT:
		write_text(w, n->text);
		break;
	case NODE_CHARS:
		if (n->offset + n->size <= size)
			write_printable(w, data + n->offset, n->size);
		break;
	case NODE_LOC:
		write_loc(n, w, data, size);
		break;
	case NODE_FLAGS:
		write_flags(n, w, node_number(n->a, data, size));
		break;
	case NODE_SYMBOL:
		write_symbol(n, w, node_number(n->a, data, size));
		break;
	case NODE_CHOICE:
		node_write_text(node_number(n->a, data, size) ? n->b : n->c, w, data, size);
		break;
	default:
		break;
	}
}
