// SPDX-License-Identifier: GPL-2.0-only
/*
 * Members of structs, elements of arrays and what pointers point to, by BTF. A node that is in memory
 * (EXPR_AT) is an address, made by its operand, and an offset from there: members and elements at
 * known places only add to the offset.
 */
#include <bpf/btf.h>
#include <string.h>
#include "tree.h"

/* Structs without a name may be in one another so deep, and types may be named so often. */
#define MOST_DEPTH 16

static const struct expr_type address_type = { 8, false };

static const struct btf_type *type_of(const struct typing *t, uint32_t *id)
{
	const struct btf_type *type = btf__type_by_id(t->scope->btf, *id);
	unsigned int i;

	for (i = 0; i < 2 * MOST_DEPTH && type; i++) {
		if (!btf_is_mod(type) && !btf_is_typedef(type) && !btf_is_type_tag(type))
			return type;
		*id = type->type;
		type = btf__type_by_id(t->scope->btf, *id);
	}
	return NULL;
}

/* Is it what strings consist of? */
static bool is_character(const struct typing *t, const struct btf_type *type)
{
	return type && btf_is_int(type) && type->size == 1 &&
	       !strcmp(btf__name_by_offset(t->scope->btf, type->name_off), "char");
}

/* As names of files are in the kernel. `u8` is that too, but by its name it is a number. */
static bool is_unsigned_char(const struct typing *t, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(t->scope->btf, id);
	unsigned int i;

	for (i = 0; i < 2 * MOST_DEPTH && type && btf_is_mod(type); i++)
		type = btf__type_by_id(t->scope->btf, type->type);
	return type && btf_is_int(type) &&
	       !strcmp(btf__name_by_offset(t->scope->btf, type->name_off), "unsigned char");
}

void set_points_to(struct typing *t, struct expr *e, uint32_t type)
{
	uint32_t id = type;

	e->points_to = 0;
	if (!type || !t->scope->btf)
		return;
	e->points_to = type;
	if (!is_unsigned_char(t, type) && !is_character(t, type_of(t, &id)))
		return;
	e->is_string = true;
	e->memory = MEMORY_EITHER;
}

static void set_number(struct expr *e, unsigned int size, bool is_signed)
{
	e->shape = SHAPE_NUMBER;
	e->type = (struct expr_type){ size, is_signed };
}

static bool is_enum(const struct btf_type *type)
{
	return btf_is_enum(type) || btf_is_enum64(type);
}

/* Says what @e, an EXPR_AT, is: a @type. */
static void set_type(struct typing *t, struct expr *e, uint32_t type)
{
	const struct btf_type *b = type_of(t, &type), *of;
	const struct btf_array *array;
	uint32_t id;

	e->is_string = false;
	e->points_to = e->btf_type = 0;
	e->elements = e->step = 0;
	e->bits = e->shift = 0;
	if (b && btf_is_int(b) && b->size <= 8) {
		set_number(e, b->size, btf_int_encoding(b) & BTF_INT_SIGNED);
	} else if (b && is_enum(b) && b->size <= 8) {
		set_number(e, b->size, btf_kflag(b));
	} else if (b && btf_is_ptr(b)) {
		set_number(e, 8, false);
		set_points_to(t, e, b->type);
	} else if (b && btf_is_composite(b)) {
		e->shape = SHAPE_STRUCT;
		e->btf_type = type;
	} else if (b && btf_is_array(b)) {
		array = btf_array(b);
		id = array->type;
		of = type_of(t, &id);
		e->shape = is_character(t, of) || is_unsigned_char(t, array->type) ? SHAPE_TEXT
										   : SHAPE_ARRAY;
		e->elements = array->nelems;
		e->step = btf__resolve_size(t->scope->btf, id);
		e->btf_type = id;
	} else {
		typing_fail(t, e->at, "this is no number, string, struct or array");
	}
}

/* What @address points to: a @type; 0: a string's character. */
static struct expr *at_address(struct typing *t, size_t at, struct expr *address, uint32_t type)
{
	struct expr *e = new_expr(t, EXPR_AT, at);

	if (!e) {
		expr_free(address);
		return NULL;
	}
	e->operand[0] = address;
	e->memory = MEMORY_KERNEL;
	if (type)
		set_type(t, e, type);
	else
		set_number(e, 1, true);
	return e;
}

/* The address of element @index of those that @base leads to: none if it is beyond @elements. */
static struct expr *element_address(struct typing *t, size_t at, struct expr *base,
				    struct expr *index, uint64_t elements, uint64_t step)
{
	struct expr *e;

	index = tree_convert(t, index, address_type);
	e = index ? new_expr(t, EXPR_ELEMENT, at) : NULL;
	if (!e) {
		expr_free(base);
		expr_free(index);
		return NULL;
	}
	e->type = address_type;
	e->operand[0] = base;
	e->operand[1] = index;
	e->elements = elements;
	e->step = step;
	return e;
}

/* e[index] of an array in a record. */
static struct expr *field_element(struct typing *t, struct expr *e, struct expr *index)
{
	const struct expr_field *f = e->field;
	bool chars = e->shape == SHAPE_TEXT;
	bool known = f->content == CONTENT_CHARS || f->content == CONTENT_ARRAY;
	uint64_t count = chars ? f->size : f->elements;
	struct expr *zero;

	set_number(e, chars ? 1 : f->size, chars || f->is_signed);
	e->operand[0] = tree_convert(t, index, address_type);
	if (!e->operand[0] || e->operand[0]->kind != EXPR_NUMBER || !known ||
	    e->operand[0]->number < count)
		return e;
	zero = new_number(t, e->at, 0, e->type);
	expr_free(e);
	return zero;
}

/* e[index] of an array in memory. */
static struct expr *array_element(struct typing *t, size_t at, struct expr *e, struct expr *index)
{
	uint32_t type = e->btf_type;
	uint64_t elements = e->elements, step = e->step;
	struct expr *base;

	if (index->kind == EXPR_NUMBER && index->number < (elements ? elements : 1u << 20)) {
		e->offset += index->number * step;
		expr_free(index);
		set_type(t, e, type);
		return e;
	}
	base = e->operand[0];
	if (e->offset)
		base = tree_binary(t, EXPR_ADD, at, tree_convert(t, base, address_type),
				   new_number(t, at, e->offset, address_type));
	e->offset = 0;
	e->operand[0] = element_address(t, at, base, index, elements, step);
	if (e->operand[0])
		set_type(t, e, type);
	return e;
}

/* e[index] of a pointer. */
static struct expr *pointed_element(struct typing *t, size_t at, struct expr *e, struct expr *index)
{
	enum expr_memory memory = e->is_string ? e->memory : MEMORY_KERNEL;
	uint32_t type = e->points_to;
	struct expr *address;
	int64_t step = 1;

	if (type)
		step = btf__resolve_size(t->scope->btf, type);
	if (step <= 0) {
		typing_fail(t, e->at, "it is not known how large what this points to is");
		expr_free(e);
		expr_free(index);
		return NULL;
	}
	address = element_address(t, at, e, index, 0, step);
	if (!address)
		return NULL;
	e = at_address(t, at, address, type);
	if (e)
		e->memory = memory;
	return e;
}

struct expr *tree_element(struct typing *t, size_t at, struct expr *e, struct expr *index)
{
	if (!e || !want_number(t, index))
		goto failed;
	if (e->kind == EXPR_FIELD && e->field->place != PLACE_COMM && e->shape != SHAPE_NUMBER)
		return field_element(t, e, index);
	if (e->kind == EXPR_AT && e->elements + e->step)
		return array_element(t, at, e, index);
	if (e->points_to || e->is_string)
		return pointed_element(t, at, e, index);
	typing_fail(t, e->at, "this is no array, so it has no elements");
failed:
	expr_free(e);
	expr_free(index);
	return NULL;
}

/* A bit-field is read as what it is declared as, or, if it crosses that, by the bytes it is in. */
static void set_bits(struct typing *t, struct expr *e, uint64_t bit, unsigned int bits)
{
	unsigned int unit = 8 * e->type.size, bytes = 1;
	uint64_t start = unit ? bit / unit * unit : 0;

	if (!unit || bit + bits > start + unit) {
		start = bit / 8 * 8;
		while (8 * bytes < bit - start + bits)
			bytes *= 2;
		if (bytes > 8) {
			typing_fail(t, e->at, "this bit-field is in too many bytes to be read");
			return;
		}
		unit = 8 * bytes;
	}
	e->offset += start / 8;
	e->unit = unit / 8;
	e->shift = bit - start;
	e->bits = bits;
	e->signed_bits = e->type.is_signed;
	/* As C has it: an int, if that can hold it. */
	if (bits < 32)
		e->type = (struct expr_type){ 4, true };
}

/*
 * Finds member @name of struct @type, also in structs without a name that are in it; adds where it is
 * to @bit. Returns NULL, or its struct's type, and its number there.
 */
static const struct btf_type *find_member(const struct typing *t, uint32_t type, const char *name,
					  unsigned int depth, unsigned int *number, uint64_t *bit)
{
	const struct btf_type *b = type_of(t, &type), *found;
	const struct btf_member *m;
	unsigned int i;

	if (!b || !btf_is_composite(b) || !depth)
		return NULL;
	m = btf_members(b);
	for (i = 0; i < btf_vlen(b); i++, m++) {
		uint64_t at = *bit + btf_member_bit_offset(b, i);

		if (m->name_off) {
			if (strcmp(btf__name_by_offset(t->scope->btf, m->name_off), name))
				continue;
			*number = i;
			*bit = at;
			return b;
		}
		found = find_member(t, m->type, name, depth - 1, number, &at);
		if (found) {
			*bit = at;
			return found;
		}
	}
	return NULL;
}

static struct expr *no_such_member(struct typing *t, const struct expr *e, size_t at,
				   const char *name)
{
	uint32_t id = e->btf_type;
	const struct btf_type *b = type_of(t, &id);
	const char *of = b ? btf__name_by_offset(t->scope->btf, b->name_off) : NULL;

	if (b && btf_is_composite(b) && !btf_vlen(b))
		return typing_fail(t, at, "the kernel's BTF does not say what is in %s",
				   of && *of ? of : "this");
	return typing_fail(t, at, "%s has no member %s", of && *of ? of : "this struct", name);
}

/* Has @e, an EXPR_AT that is a struct, be its member @name. */
static struct expr *member_of(struct typing *t, size_t at, struct expr *e, const char *name)
{
	const struct btf_type *b;
	unsigned int number = 0, bits;
	uint64_t bit = 0;

	b = find_member(t, e->btf_type, name, MOST_DEPTH, &number, &bit);
	if (!b) {
		no_such_member(t, e, at, name);
		expr_free(e);
		return NULL;
	}
	bits = btf_member_bitfield_size(b, number);
	e->at = at;
	set_type(t, e, btf_members(b)[number].type);
	if (bits && !t->failed)
		set_bits(t, e, bit, bits);
	else
		e->offset += bit / 8;
	return e;
}

struct expr *tree_member(struct typing *t, size_t at, struct expr *e, const char *name, bool arrow)
{
	const struct btf_type *b = NULL;
	uint32_t type;

	if (!e || t->failed)
		goto failed;
	if (e->shape == SHAPE_STRUCT) {
		if (!arrow)
			return member_of(t, at, e, name);
		typing_fail(t, at,
			    "this is a struct, and no pointer to one: its members are "
			    "behind `.`");
		goto failed;
	}
	type = e->points_to;
	if (type)
		b = type_of(t, &type);
	if (b && btf_is_fwd(b)) {
		typing_fail(t, at, "the kernel's BTF does not say what is in %s",
			    btf__name_by_offset(t->scope->btf, b->name_off));
	} else if (!b || !btf_is_composite(b)) {
		typing_fail(t, e->at, "this is no struct and no pointer to one");
	} else if (!arrow) {
		typing_fail(t, at, "this is a pointer: its members are behind `->`");
	} else {
		e = at_address(t, at, e, type);
		return e ? member_of(t, at, e, name) : NULL;
	}
failed:
	expr_free(e);
	return NULL;
}

/* Does @btf say which enums are signed? Before Linux 6.0 none does, and so none is told to be. */
static bool tells_signs(const struct btf *btf)
{
	uint32_t id, count = btf__type_cnt(btf);

	for (id = 1; id < count; id++) {
		const struct btf_type *b = btf__type_by_id(btf, id);

		if (is_enum(b) && btf_kflag(b))
			return true;
	}
	return false;
}

/* An enumerator of 32 bits: below 0 only if its type may be. */
static uint64_t small_enumerator(const struct btf *btf, const struct btf_type *b, int32_t value)
{
	if (value >= 0 || btf_kflag(b) || !tells_signs(btf))
		return (uint64_t)(int64_t)value;
	return (uint32_t)value;
}

static bool find_in_enum(const struct btf *btf, const struct btf_type *b, const char *name,
			 uint64_t *value)
{
	unsigned int i;

	for (i = 0; i < btf_vlen(b); i++) {
		uint32_t named = btf_is_enum(b) ? btf_enum(b)[i].name_off
						: btf_enum64(b)[i].name_off;

		if (strcmp(btf__name_by_offset(btf, named), name))
			continue;
		*value = btf_is_enum(b) ? small_enumerator(btf, b, btf_enum(b)[i].val)
					: btf_enum64_value(&btf_enum64(b)[i]);
		return true;
	}
	return false;
}

unsigned int find_enumerator(const struct typing *t, const char *name, uint64_t *value,
			     struct expr_type *type)
{
	const struct btf *btf = t->scope->btf;
	uint32_t id, count = btf ? btf__type_cnt(btf) : 0;
	unsigned int values = 0;
	uint64_t one;

	for (id = 1; id < count; id++) {
		const struct btf_type *b = btf__type_by_id(btf, id);

		if (!is_enum(b) || !find_in_enum(btf, b, name, &one) || (values && one == *value))
			continue;
		values++;
		*value = one;
		/* As C has it: an int if it is one. */
		*type = (struct expr_type){ 4, true };
		if ((uint64_t)(int64_t)(int32_t)one != one)
			*type = (struct expr_type){ b->size > 4 ? 8 : 4, btf_kflag(b) };
	}
	return values;
}
