/* SPDX-License-Identifier: GPL-2.0-only */
/* A kernel function's arguments and what it returns, typed by the kernel's BTF. */
#ifndef COMMON_EVENTS_PROTOTYPE_H
#define COMMON_EVENTS_PROTOTYPE_H

#include "events/kind.h"

/* "int tcp_abort(struct sock *sk, int err)", the caller's to free; NULL: that is not known. */
char *prototype_text(const struct event *event);

/* Where a program finds a function's arguments and what it returns. */
enum argument_places {
	ARGUMENTS_IN_REGISTERS, /* of a probe at the function's begin */
	RESULT_IN_REGISTER,	/* of a probe at its return; the arguments are gone by then */
	ARGUMENTS_IN_WORDS,	/* of a program of type fentry */
	RESULT_BEHIND_WORDS,	/* ... fexit: both */
};

/*
 * Adds the fields of a function: its arguments by their names and as arg0, arg1..., and ret. Where
 * there is no prototype, or behind the function's begin, those of registers are numbers. Returns 0
 * or a negative errno.
 */
int prototype_fields(struct event *event, enum argument_places places);

/* The registers in which arguments come, as numbers arg0, arg1...; or ret, in which results do. */
void register_fields(struct event *event, unsigned int machine, bool result);

/*
 * What an expression makes of a value of type @id of @btf in one word of 8 bytes: fills content,
 * size, sign and what it points to. False: that is no number and no pointer.
 */
bool expr_field_of_type(const struct btf *btf, __u32 id, struct expr_field *field);

/* The type @id of @btf as C writes it, the caller's to free. */
char *type_text(const struct btf *btf, __u32 id, const char *name);

#endif
