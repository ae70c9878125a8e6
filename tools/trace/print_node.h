/* SPDX-License-Identifier: GPL-2.0-only */
/* An expression of a print format, as it is evaluated for each record. */
#ifndef TRACE_PRINT_NODE_H
#define TRACE_PRINT_NODE_H

#include <stdbool.h>
#include <traceevent/event-parse.h>
#include "writer.h"

enum node_kind {
	/* Numbers. */
	NODE_NUMBER,
	NODE_FIELD,
	NODE_ELEMENT, /* `a` of an array of `size` each, `number` of them */
	NODE_CAST,
	NODE_OPERATION, /* `operation` */
	NODE_LENGTH,	/* of what the "__data_loc" at `offset` leads to, in bytes */
	/* Strings. */
	NODE_TEXT,
	NODE_CHARS, /* `size` characters at `offset` */
	NODE_LOC,   /* ... where the "__data_loc" there says */
	NODE_FLAGS,
	NODE_SYMBOL,
	/* Either, as `b` and `c` are: by `a`. */
	NODE_CHOICE,
};

enum node_operation {
	OP_ADD,
	OP_SUBTRACT,
	OP_MULTIPLY,
	OP_DIVIDE,
	OP_REMAINDER,
	OP_SHIFT_LEFT,
	OP_SHIFT_RIGHT,
	OP_AND,
	OP_OR,
	OP_XOR,
	OP_BOTH,
	OP_EITHER,
	OP_EQUAL,
	OP_UNEQUAL,
	OP_LESS,
	OP_LESS_EQUAL,
	OP_GREATER,
	OP_GREATER_EQUAL,
	OP_NOT,
	OP_COMPLEMENT,
};

struct node_name {
	uint64_t value;
	const char *name; /* libtraceevent's */
};

struct print_node {
	enum node_kind kind;
	enum node_operation operation;
	struct print_node *a, *b, *c;
	uint64_t number;
	unsigned int offset, size;
	bool is_signed, relative;
	bool is_unsigned; /* of a cast: to 64 bits; of an operation: between such */
	const char *text; /* libtraceevent's; of NODE_FLAGS: what is between them */
	struct node_name *names;
	size_t name_count;
};

/* The expression @arg over @event. NULL: it has something that is not known here. */
struct print_node *node_compile(struct tep_event *event, const struct tep_print_arg *arg);
void node_free(struct print_node *n);

bool node_is_text(const struct print_node *n);

/* Of the record @data of @size bytes; what is not in it is 0, or no text. */
uint64_t node_number(const struct print_node *n, const char *data, size_t size);
void node_write_text(const struct print_node *n, struct writer *w, const char *data, size_t size);

#endif
