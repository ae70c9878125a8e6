/* SPDX-License-Identifier: GPL-2.0-only */
/* C's arithmetic on numbers of known types. */
#ifndef COMMON_EXPR_VALUE_H
#define COMMON_EXPR_VALUE_H

#include "tree.h"

/* @number as one of @type: cut off to its width, and extended by its sign. */
uint64_t value_as(uint64_t number, struct expr_type type);

/* What arithmetic makes of an operand of @type: an int at least. */
struct expr_type promoted(struct expr_type type);

/* The type in which operands of types @a and @b are computed together. */
struct expr_type common_type(struct expr_type a, struct expr_type b);

/* The value of `a KIND b`, an operator with two operands of @type, or `KIND a`; it has @type too. */
uint64_t value_of(enum expr_kind kind, struct expr_type type, uint64_t a, uint64_t b);

#endif
