/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where USDT probes' arguments are, as assemblers write it into ELF notes: "-4@%edi 8@-16(%rbp)".
 */
#ifndef COMMON_EVENTS_USDT_ARGUMENT_H
#define COMMON_EVENTS_USDT_ARGUMENT_H

#include <stdbool.h>
#include "expr/expr.h"

/* A probe that arguments are of. */
struct usdt_probe {
	unsigned int machine; /* EM_* */
	uint64_t address;     /* of the probe, as its file counts */
	/*
	 * The address of symbol @name (@length characters), in the same way; false: there is none.
	 */
	bool (*symbol)(const char *name, size_t length, uint64_t *address, void *arg);
	void *arg;
};

/*
 * Finds the first argument in @text, and where what follows it begins: NULL behind the last. False:
 * there is none.
 */
bool usdt_argument_next(const char **text, const char **argument, size_t *length);

/*
 * Where and what argument @text of @length characters is: fills @field's place, content, size, and
 * sign. False: that is not understood, or is no integer.
 */
bool usdt_argument_parse(const char *text, size_t length, const struct usdt_probe *probe,
			 struct expr_field *field);

/* The type of an integer, as C on Linux has it. */
const char *usdt_argument_type(unsigned int size, bool is_signed);

#endif
