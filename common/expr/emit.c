// SPDX-License-Identifier: GPL-2.0-only
/* Code for numbers. */
#include <errno.h>
#include <stdio.h>
#include <linux/types.h>
#include "abi.h"
#include "code.h"
#include "value.h"

static bool is_wide(struct expr_type type)
{
	return type.size == 8;
}

/* @reg, whose lowest bytes are a value of @type, as one. */
static void narrow(struct emitter *m, __u8 reg, struct expr_type type)
{
	unsigned int unused = 32 - 8 * type.size;

	if (type.size >= 4)
		return;
	if (!type.is_signed) {
		code_alu_by(m, false, BPF_AND, reg, (1u << (8 * type.size)) - 1, 0);
		return;
	}
	code_alu_by(m, false, BPF_LSH, reg, unused, 0);
	code_alu_by(m, false, BPF_ARSH, reg, unused, 0);
}

/* @reg, a value of type @from, as one of type @to. */
static void cast(struct emitter *m, __u8 reg, struct expr_type from, struct expr_type to)
{
	if (!is_wide(to)) {
		narrow(m, reg, to);
	} else if (is_wide(from)) {
		return;
	} else if (from.is_signed) {
		code_alu_by(m, true, BPF_LSH, reg, 32, 0);
		code_alu_by(m, true, BPF_ARSH, reg, 32, 0);
	} else {
		code_add(m, BPF_ALU | BPF_MOV | BPF_X, reg, reg, 0, 0);
	}
}

/* Can @e be had in any register, with r5 besides? */
static bool is_simple(const struct expr *e)
{
	const struct expr_field *f = e->field;

	if (e->kind == EXPR_CAST)
		return is_simple(e->operand[0]);
	if (e->kind == EXPR_FIELD)
		return !e->operand[0] && (f->place == PLACE_RECORD || f->place == PLACE_WORD ||
					  f->place == PLACE_CONSTANT);
	return e->kind == EXPR_NUMBER;
}

static void emit_simple(struct emitter *m, __u8 dst, const struct expr *e)
{
	const struct expr_field *f = e->field;

	if (e->kind == EXPR_CAST) {
		emit_simple(m, dst, e->operand[0]);
		cast(m, dst, e->operand[0]->type, e->type);
	} else if (e->kind == EXPR_NUMBER) {
		code_set(m, dst, e->number);
	} else if (f->place == PLACE_CONSTANT) {
		code_set(m, dst, value_as(f->constant, e->type));
	} else if (f->place == PLACE_RECORD) {
		code_load_pieces(m, e->type.size, dst, m->context, f->offset);
		if (e->type.is_signed)
			narrow(m, dst, e->type);
	} else {
		code_load_word(m, dst, f->offset / 8 * 8);
		if (f->offset % 8)
			code_alu_by(m, true, BPF_RSH, dst, 8 * (f->offset % 8), 0);
		narrow(m, dst, e->type);
	}
}

/* Both operands: the first in r0, the second in r1. */
static void emit_both(struct emitter *m, const struct expr *a, const struct expr *b)
{
	int slot;

	if (is_simple(b)) {
		emit_value(m, a);
		emit_simple(m, BPF_REG_1, b);
		return;
	}
	if (is_simple(a)) {
		emit_value(m, b);
		code_move(m, BPF_REG_1, BPF_REG_0);
		emit_simple(m, BPF_REG_0, a);
		return;
	}
	emit_value(m, a);
	if (m->waiting == MOST_WAITING) {
		emit_fail(m, b->at, "this is nested too deep");
		return;
	}
	slot = -8 * (int)++m->waiting;
	code_store(m, slot, BPF_REG_0);
	emit_value(m, b);
	code_move(m, BPF_REG_1, BPF_REG_0);
	code_load(m, 8, BPF_REG_0, BPF_REG_10, slot);
	m->waiting--;
}

static void emit_alu(struct emitter *m, const struct expr *e, __u8 op)
{
	const struct expr *b = e->operand[1];

	if (b->kind == EXPR_NUMBER) {
		emit_value(m, e->operand[0]);
		code_alu_by(m, is_wide(e->type), op, BPF_REG_0, b->number, BPF_REG_1);
		return;
	}
	emit_both(m, e->operand[0], b);
	code_alu(m, is_wide(e->type), op, BPF_REG_0, BPF_REG_1);
}

static void make_positive(struct emitter *m, bool wide, __u8 reg)
{
	struct jumps is_positive = {};

	code_jump_if_by(m, wide, BPF_JSGE, reg, 0, 0, &is_positive);
	code_add(m, (wide ? BPF_ALU64 : BPF_ALU) | BPF_NEG, reg, 0, 0, 0);
	code_land(m, &is_positive);
}

/*
 * r0 / r1, or the remainder. The kernel's division is of unsigned numbers only, so that signed ones
 * are divided by their magnitudes. By 0 it gives 0, but leaves the dividend as the remainder.
 */
static void emit_division(struct emitter *m, const struct expr *e)
{
	bool remainder = e->kind == EXPR_REMAINDER, wide = is_wide(e->type);
	__u8 op = remainder ? BPF_MOD : BPF_DIV;
	struct jumps by_zero = {}, is_positive = {}, end = {};

	emit_both(m, e->operand[0], e->operand[1]);
	if (remainder)
		code_jump_if_by(m, wide, BPF_JEQ, BPF_REG_1, 0, 0, &by_zero);
	if (!e->type.is_signed) {
		code_alu(m, wide, op, BPF_REG_0, BPF_REG_1);
	} else {
		/* r2: is the result negative? */
		code_move(m, BPF_REG_2, BPF_REG_0);
		if (!remainder)
			code_alu(m, true, BPF_XOR, BPF_REG_2, BPF_REG_1);
		make_positive(m, wide, BPF_REG_0);
		make_positive(m, wide, BPF_REG_1);
		code_alu(m, wide, op, BPF_REG_0, BPF_REG_1);
		code_jump_if_by(m, wide, BPF_JSGE, BPF_REG_2, 0, 0, &is_positive);
		code_add(m, (wide ? BPF_ALU64 : BPF_ALU) | BPF_NEG, BPF_REG_0, 0, 0, 0);
		code_land(m, &is_positive);
	}
	if (!remainder)
		return;
	code_jump(m, &end);
	code_land(m, &by_zero);
	code_set(m, BPF_REG_0, 0);
	code_land(m, &end);
}

static void emit_shift(struct emitter *m, const struct expr *e)
{
	const struct expr *a = e->operand[0], *b = e->operand[1];
	__u8 op = e->kind == EXPR_LEFT ? BPF_LSH : e->type.is_signed ? BPF_ARSH : BPF_RSH;
	struct jumps too_far = {}, end = {};
	bool wide = is_wide(e->type);
	unsigned int bits = 8 * e->type.size;

	if (b->kind == EXPR_NUMBER && b->number < bits) {
		emit_value(m, a);
		code_alu_by(m, wide, op, BPF_REG_0, b->number, 0);
		return;
	}
	emit_both(m, a, b);
	/* A negative number of bits is a large one here. */
	code_jump_if_by(m, is_wide(b->type), BPF_JGE, BPF_REG_1, bits, 0, &too_far);
	code_alu(m, wide, op, BPF_REG_0, BPF_REG_1);
	code_jump(m, &end);
	code_land(m, &too_far);
	code_set(m, BPF_REG_0, 0);
	code_land(m, &end);
}

/* The number of @size bytes in memory at r3 into r0. What cannot be read is 0. */
static void emit_read(struct emitter *m, enum expr_memory memory, unsigned int size)
{
	struct jumps kernel = {}, end = {};

	code_move(m, BPF_REG_1, BPF_REG_10);
	code_alu_by(m, true, BPF_ADD, BPF_REG_1, SCRATCH, 0);
	code_set(m, BPF_REG_2, size);
	if (memory == MEMORY_KERNEL)
		code_no_user_address(m);
	if (memory == MEMORY_EITHER)
		code_jump_if_by(m, true, BPF_JSLT, BPF_REG_3, 0, 0, &kernel);
	if (memory != MEMORY_KERNEL)
		code_call(m, BPF_FUNC_probe_read_user);
	if (memory == MEMORY_EITHER)
		code_jump(m, &end);
	code_land(m, &kernel);
	if (memory != MEMORY_USER)
		code_call(m, BPF_FUNC_probe_read_kernel);
	code_land(m, &end);
	code_load(m, size, BPF_REG_0, BPF_REG_10, SCRATCH);
}

/* What is in memory: by the kernel's helpers, as it may be gone. */
static void emit_at(struct emitter *m, const struct expr *e)
{
	unsigned int unused = 64 - e->bits - e->shift;

	emit_value(m, e->operand[0]);
	code_move(m, BPF_REG_3, BPF_REG_0);
	if (e->offset)
		code_alu_by(m, true, BPF_ADD, BPF_REG_3, e->offset, BPF_REG_1);
	emit_read(m, e->memory, e->bits ? e->unit : e->type.size);
	if (!e->bits) {
		if (e->type.is_signed)
			narrow(m, BPF_REG_0, e->type);
		return;
	}
	code_alu_by(m, true, BPF_LSH, BPF_REG_0, unused, 0);
	code_alu_by(m, true, e->signed_bits ? BPF_ARSH : BPF_RSH, BPF_REG_0, 64 - e->bits, 0);
}

/* The address of an element; 0 if it is beyond the last one. */
static void emit_element_address(struct emitter *m, const struct expr *e)
{
	struct jumps inside = {}, end = {};

	emit_both(m, e->operand[0], e->operand[1]);
	if (e->elements) {
		code_jump_if_by(m, true, BPF_JLT, BPF_REG_1, e->elements, BPF_REG_2, &inside);
		code_set(m, BPF_REG_0, 0);
		code_jump(m, &end);
		code_land(m, &inside);
	}
	if (e->step != 1)
		code_alu_by(m, true, BPF_MUL, BPF_REG_1, e->step, BPF_REG_2);
	code_alu(m, true, BPF_ADD, BPF_REG_0, BPF_REG_1);
	code_land(m, &end);
}

/* An element of an array in the record, at an index that is not known. */
static void emit_record_element(struct emitter *m, const struct expr *e)
{
	const struct expr_field *f = e->field;
	unsigned int elements = f->content == CONTENT_CHARS ? f->size : f->elements;
	struct jumps outside = {};

	emit_value(m, e->operand[0]);
	code_move(m, BPF_REG_4, BPF_REG_0);
	code_set(m, BPF_REG_0, 0);
	if (f->content == CONTENT_LOC_CHARS || f->content == CONTENT_LOC_ARRAY) {
		emit_location(m, f);
		code_alu_by(m, true, BPF_DIV, BPF_REG_2, e->type.size, 0);
		code_set(m, BPF_REG_0, 0);
		code_jump_if(m, true, BPF_JGE, BPF_REG_4, BPF_REG_2, &outside);
	} else {
		code_jump_if_by(m, true, BPF_JGE, BPF_REG_4, elements, BPF_REG_2, &outside);
		code_load_address(m, BPF_REG_3, m->context, f->offset);
	}
	code_alu_by(m, true, BPF_MUL, BPF_REG_4, e->type.size, 0);
	code_alu(m, true, BPF_ADD, BPF_REG_3, BPF_REG_4);
	emit_read(m, MEMORY_KERNEL, e->type.size);
	if (e->type.is_signed)
		narrow(m, BPF_REG_0, e->type);
	code_land(m, &outside);
}

/* A field in memory at what registers say. */
static void emit_indirect(struct emitter *m, const struct expr *e)
{
	const struct expr_field *f = e->field;

	code_load_word(m, BPF_REG_3, f->base);
	if (f->scale) {
		code_load_word(m, BPF_REG_1, f->index);
		code_alu_by(m, true, BPF_MUL, BPF_REG_1, f->scale, 0);
		code_alu(m, true, BPF_ADD, BPF_REG_3, BPF_REG_1);
	}
	if (f->displacement)
		code_alu_by(m, true, BPF_ADD, BPF_REG_3, f->displacement, BPF_REG_1);
	emit_read(m, f->place == PLACE_USER ? MEMORY_USER : MEMORY_KERNEL, e->type.size);
	if (e->type.is_signed)
		narrow(m, BPF_REG_0, e->type);
}

/* An element at an index that is known, and that is there. */
static void emit_known_element(struct emitter *m, const struct expr *e)
{
	unsigned int offset = e->field->offset + e->operand[0]->number * e->type.size;

	code_load_pieces(m, e->type.size, BPF_REG_0, m->context, offset);
	if (e->type.is_signed)
		narrow(m, BPF_REG_0, e->type);
}

static void emit_field(struct emitter *m, const struct expr *e)
{
	const struct expr_field *f = e->field;
	bool here = f->content == CONTENT_ARRAY || f->content == CONTENT_CHARS;

	switch (f->place) {
	case PLACE_PID:
		code_call(m, BPF_FUNC_get_current_pid_tgid);
		code_alu_by(m, true, BPF_RSH, BPF_REG_0, 32, 0);
		return;
	case PLACE_TID:
		code_call(m, BPF_FUNC_get_current_pid_tgid);
		return;
	case PLACE_CPU:
		code_call(m, BPF_FUNC_get_smp_processor_id);
		return;
	case PLACE_TIME:
		code_call(m, BPF_FUNC_ktime_get_ns);
		return;
	case PLACE_USER:
	case PLACE_KERNEL:
		emit_indirect(m, e);
		return;
	default:
		break;
	}
	if (!e->operand[0])
		emit_simple(m, BPF_REG_0, e);
	else if (here && e->operand[0]->kind == EXPR_NUMBER)
		emit_known_element(m, e);
	else
		emit_record_element(m, e);
}

static void emit_choice(struct emitter *m, const struct expr *e)
{
	struct jumps no = {}, end = {};

	emit_branch(m, e->operand[0], false, &no);
	emit_value(m, e->operand[1]);
	code_jump(m, &end);
	code_land(m, &no);
	emit_value(m, e->operand[2]);
	code_land(m, &end);
}

/* 1 or 0. */
static void emit_truth(struct emitter *m, const struct expr *e)
{
	struct jumps no = {}, end = {};

	emit_branch(m, e, false, &no);
	code_set(m, BPF_REG_0, 1);
	code_jump(m, &end);
	code_land(m, &no);
	code_set(m, BPF_REG_0, 0);
	code_land(m, &end);
}

static __u8 operation_of(enum expr_kind kind)
{
	switch (kind) {
	case EXPR_ADD:
		return BPF_ADD;
	case EXPR_SUBTRACT:
		return BPF_SUB;
	case EXPR_MULTIPLY:
		return BPF_MUL;
	case EXPR_AND:
		return BPF_AND;
	case EXPR_XOR:
		return BPF_XOR;
	default:
		return BPF_OR;
	}
}

void emit_value(struct emitter *m, const struct expr *e)
{
	if (m->failed)
		return;
	switch (e->kind) {
	case EXPR_NUMBER:
		code_set(m, BPF_REG_0, e->number);
		return;
	case EXPR_FIELD:
		emit_field(m, e);
		return;
	case EXPR_AT:
		emit_at(m, e);
		return;
	case EXPR_ELEMENT:
		emit_element_address(m, e);
		return;
	case EXPR_CAST:
		emit_value(m, e->operand[0]);
		cast(m, BPF_REG_0, e->operand[0]->type, e->type);
		return;
	case EXPR_NEGATE:
		emit_value(m, e->operand[0]);
		code_add(m, (is_wide(e->type) ? BPF_ALU64 : BPF_ALU) | BPF_NEG, BPF_REG_0, 0, 0, 0);
		return;
	case EXPR_COMPLEMENT:
		emit_value(m, e->operand[0]);
		code_alu_by(m, is_wide(e->type), BPF_XOR, BPF_REG_0, -1, 0);
		return;
	case EXPR_DIVIDE:
	case EXPR_REMAINDER:
		emit_division(m, e);
		return;
	case EXPR_LEFT:
	case EXPR_RIGHT:
		emit_shift(m, e);
		return;
	case EXPR_CHOOSE:
		emit_choice(m, e);
		return;
	case EXPR_ADD:
	case EXPR_SUBTRACT:
	case EXPR_MULTIPLY:
	case EXPR_AND:
	case EXPR_XOR:
	case EXPR_OR:
		emit_alu(m, e, operation_of(e->kind));
		return;
	default:
		emit_truth(m, e);
	}
}

/* The jump that is taken if the comparison holds; or, with @inverse, if it does not. */
static __u8 jump_of(enum expr_kind kind, bool is_signed, bool inverse)
{
	switch (kind) {
	case EXPR_LESS:
		return inverse	   ? jump_of(EXPR_GREATER_EQUAL, is_signed, false)
		       : is_signed ? BPF_JSLT
				   : BPF_JLT;
	case EXPR_LESS_EQUAL:
		return inverse	   ? jump_of(EXPR_GREATER, is_signed, false)
		       : is_signed ? BPF_JSLE
				   : BPF_JLE;
	case EXPR_GREATER:
		return inverse	   ? jump_of(EXPR_LESS_EQUAL, is_signed, false)
		       : is_signed ? BPF_JSGT
				   : BPF_JGT;
	case EXPR_GREATER_EQUAL:
		return inverse	   ? jump_of(EXPR_LESS, is_signed, false)
		       : is_signed ? BPF_JSGE
				   : BPF_JGE;
	case EXPR_EQUAL:
		return inverse ? BPF_JNE : BPF_JEQ;
	default:
		return inverse ? BPF_JEQ : BPF_JNE;
	}
}

static void emit_comparison(struct emitter *m, const struct expr *e, bool when, struct jumps *to)
{
	const struct expr *a = e->operand[0], *b = e->operand[1];
	__u8 op = jump_of(e->kind, a->type.is_signed, !when);

	if (b->kind == EXPR_NUMBER) {
		emit_value(m, a);
		code_jump_if_by(m, is_wide(a->type), op, BPF_REG_0, b->number, BPF_REG_1, to);
		return;
	}
	emit_both(m, a, b);
	code_jump_if(m, is_wide(a->type), op, BPF_REG_0, BPF_REG_1, to);
}

static void emit_logical(struct emitter *m, const struct expr *e, bool when, struct jumps *to)
{
	bool first_tells = e->kind == EXPR_EITHER;
	struct jumps end = {};

	/* The first one alone tells if it is true in ||, false in &&. */
	emit_branch(m, e->operand[0], first_tells, when == first_tells ? to : &end);
	emit_branch(m, e->operand[1], when, to);
	code_land(m, &end);
}

void emit_branch(struct emitter *m, const struct expr *e, bool when, struct jumps *to)
{
	if (m->failed)
		return;
	switch (e->kind) {
	case EXPR_NOT:
		emit_branch(m, e->operand[0], !when, to);
		return;
	case EXPR_BOTH:
	case EXPR_EITHER:
		emit_logical(m, e, when, to);
		return;
	case EXPR_SAME:
	case EXPR_MATCHES:
		emit_text_branch(m, e, when, to);
		return;
	case EXPR_LESS:
	case EXPR_LESS_EQUAL:
	case EXPR_GREATER:
	case EXPR_GREATER_EQUAL:
	case EXPR_EQUAL:
	case EXPR_UNEQUAL:
		emit_comparison(m, e, when, to);
		return;
	default:
		emit_value(m, e);
		code_jump_if_by(m, is_wide(e->type), when ? BPF_JNE : BPF_JEQ, BPF_REG_0, 0, 0, to);
	}
}

/* Makes the code with the context in @context. */
static struct emitter emit_all(const struct expr *e, struct expr_code *code,
			       struct expr_error *error, __u8 context)
{
	struct emitter m = { .code = code, .error = error, .context = context, .is_leaf = true };

	code_move(&m, context, BPF_REG_1);
	if (e->shape == SHAPE_TEXT) {
		emit_text(&m, e);
	} else {
		emit_value(&m, e);
		cast(&m, BPF_REG_0, e->type, (struct expr_type){ 8, e->type.is_signed });
	}
	return m;
}

/* The same of a filter: with a third outcome. */
static struct emitter emit_filter(const struct expr *e, struct expr_code *code,
				  struct expr_error *error, __u8 context)
{
	struct emitter m = { .code = code, .error = error, .context = context, .is_leaf = true };
	struct jumps no = {}, unknown = {}, end = {};

	m.unknown = &unknown;
	code_move(&m, context, BPF_REG_1);
	emit_branch(&m, e, false, &no);
	code_set(&m, BPF_REG_0, 1);
	code_jump(&m, &end);
	if (unknown.last) {
		code_land(&m, &unknown);
		code_set(&m, BPF_REG_0, FILTER_UNKNOWN);
		code_jump(&m, &end);
	}
	code_land(&m, &no);
	code_set(&m, BPF_REG_0, 0);
	code_land(&m, &end);
	return m;
}

static int emit(const struct expr *e, struct expr_code *code, struct expr_error *error,
		struct emitter (*all)(const struct expr *e, struct expr_code *code,
				      struct expr_error *error, __u8 context))
{
	struct emitter m;
	char what[100];

	/* Helpers leave r6 to r9 as they are, which are the caller's if there is no call. */
	m = all(e, code, error, BPF_REG_4);
	if (!m.is_leaf)
		m = all(e, code, error, BPF_REG_6);
	if (m.count > EXPR_MOST_INSNS) {
		snprintf(what, sizeof(what), "this needs %u instructions; %u are the most", m.count,
			 EXPR_MOST_INSNS);
		emit_fail(&m, 0, what);
	}
	code->count = m.count;
	code->is_leaf = m.is_leaf;
	return m.failed ? -EINVAL : 0;
}

int expr_emit(const struct expr *e, struct expr_code *code, struct expr_error *error)
{
	return emit(e, code, error, emit_all);
}

int expr_emit_filter(const struct expr *e, struct expr_code *code, struct expr_error *error)
{
	return emit(e, code, error, emit_filter);
}
