// SPDX-License-Identifier: GPL-2.0-only
#include "value.h"

uint64_t value_as(uint64_t number, struct expr_type type)
{
	unsigned int unused = 64 - 8 * type.size;

	if (!type.size || !unused)
		return number;
	number <<= unused;
	return type.is_signed ? (uint64_t)((int64_t)number >> unused) : number >> unused;
}

struct expr_type promoted(struct expr_type type)
{
	return type.size < 4 ? (struct expr_type){ 4, true } : type;
}

struct expr_type common_type(struct expr_type a, struct expr_type b)
{
	a = promoted(a);
	b = promoted(b);
	if (a.size == b.size)
		return (struct expr_type){ a.size, a.is_signed && b.is_signed };
	return a.size > b.size ? a : b;
}

static uint64_t divided(struct expr_type type, uint64_t a, uint64_t b, bool remainder)
{
	if (!b)
		return 0;
	if (!type.is_signed)
		return remainder ? a % b : a / b;
	/* The one quotient that does not fit: wraps around. */
	if ((int64_t)b == -1)
		return remainder ? 0 : -a;
	return remainder ? (int64_t)a % (int64_t)b : (int64_t)a / (int64_t)b;
}

static uint64_t shifted(struct expr_type type, uint64_t a, uint64_t b, bool left)
{
	/* A negative number of bits is a large one here. */
	if (b >= 8u * type.size)
		return 0;
	if (left)
		return a << b;
	return type.is_signed ? (uint64_t)((int64_t)a >> b) : a >> b;
}

static bool is_less(struct expr_type type, uint64_t a, uint64_t b)
{
	return type.is_signed ? (int64_t)a < (int64_t)b : a < b;
}

uint64_t value_of(enum expr_kind kind, struct expr_type type, uint64_t a, uint64_t b)
{
	switch (kind) {
	case EXPR_NEGATE:
		return value_as(-a, type);
	case EXPR_COMPLEMENT:
		return value_as(~a, type);
	case EXPR_NOT:
		return !a;
	case EXPR_ADD:
		return value_as(a + b, type);
	case EXPR_SUBTRACT:
		return value_as(a - b, type);
	case EXPR_MULTIPLY:
		return value_as(a * b, type);
	case EXPR_DIVIDE:
		return value_as(divided(type, a, b, false), type);
	case EXPR_REMAINDER:
		return value_as(divided(type, a, b, true), type);
	case EXPR_LEFT:
		return value_as(shifted(type, a, b, true), type);
	case EXPR_RIGHT:
		return value_as(shifted(type, a, b, false), type);
	case EXPR_AND:
		return a & b;
	case EXPR_XOR:
		return a ^ b;
	case EXPR_OR:
		return a | b;
	case EXPR_LESS:
		return is_less(type, a, b);
	case EXPR_LESS_EQUAL:
		return !is_less(type, b, a);
	case EXPR_GREATER:
		return is_less(type, b, a);
	case EXPR_GREATER_EQUAL:
		return !is_less(type, a, b);
	case EXPR_EQUAL:
		return a == b;
	case EXPR_UNEQUAL:
		return a != b;
	default:
		return 0;
	}
}
