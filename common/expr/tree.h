/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tree of an expression. Its nodes are typed and folded as they are made: tree.c has those that
 * compute, memory.c those that lead through the kernel's structs.
 *
 * All that makes nodes takes over the operands that it is given, also when it fails, which gives NULL
 * after the error was told.
 */
#ifndef COMMON_EXPR_TREE_H
#define COMMON_EXPR_TREE_H

#include "expr.h"

enum expr_kind {
	EXPR_NUMBER,
	EXPR_TEXT,  /* a string in quotes */
	EXPR_FIELD, /* with one operand: an element of it */
	EXPR_AT,    /* what is in memory at its operand plus `offset` */
	EXPR_ELEMENT, /* an address: of the second operand'th element of `step` bytes from the first on */
	EXPR_CAST,
	EXPR_NEGATE,
	EXPR_COMPLEMENT,
	EXPR_NOT,
	EXPR_ADD,
	EXPR_SUBTRACT,
	EXPR_MULTIPLY,
	EXPR_DIVIDE,
	EXPR_REMAINDER,
	EXPR_LEFT,
	EXPR_RIGHT,
	EXPR_AND,
	EXPR_XOR,
	EXPR_OR,
	EXPR_LESS,
	EXPR_LESS_EQUAL,
	EXPR_GREATER,
	EXPR_GREATER_EQUAL,
	EXPR_EQUAL,
	EXPR_UNEQUAL,
	EXPR_BOTH,    /* && */
	EXPR_EITHER,  /* || */
	EXPR_CHOOSE,  /* ?: with three operands */
	EXPR_MATCHES, /* the string of its operand matches `text`, a glob */
	EXPR_SAME,    /* ... is `text` */
};

enum expr_shape {
	SHAPE_NUMBER,
	SHAPE_TEXT,
	SHAPE_ARRAY,
	SHAPE_STRUCT,
};

/* Where an address leads to. */
enum expr_memory {
	MEMORY_KERNEL,
	MEMORY_USER,
	MEMORY_EITHER, /* its highest bit tells */
};

struct expr {
	enum expr_kind kind;
	enum expr_shape shape;
	struct expr_type type; /* of a number */
	size_t at;	       /* in the text, for messages */
	struct expr *operand[3];

	uint64_t number;		/* EXPR_NUMBER: as 64 bits extended by its type's sign */
	char *text;			/* EXPR_TEXT, EXPR_MATCHES, EXPR_SAME */
	const struct expr_field *field; /* EXPR_FIELD */

	/* EXPR_AT */
	enum expr_memory memory;
	int64_t offset;
	/* A bit-field: `bits` (0: it is none) above `shift` others of a number of `unit` bytes. */
	unsigned int bits, shift, unit;
	bool signed_bits;

	/* Arrays, and EXPR_ELEMENT: how many there are (0: unknown) of how many bytes. */
	uint64_t elements;
	uint64_t step;

	/* Types of the scope's BTF, 0: unknown. */
	uint32_t btf_type;  /* of a struct; of an array's elements */
	uint32_t points_to; /* of what a pointer points to */

	bool is_string; /* a pointer to characters */
};

/* What the making of nodes needs to know. */
struct typing {
	const struct expr_scope *scope;
	struct expr_error *error;
	bool failed;
};

/* Only the first error is told: others come of it. Returns NULL. */
struct expr *typing_fail(struct typing *t, size_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

struct expr *new_expr(struct typing *t, enum expr_kind kind, size_t at);
struct expr *new_number(struct typing *t, size_t at, uint64_t number, struct expr_type type);
struct expr *new_text(struct typing *t, size_t at, const char *text);
struct expr *new_field(struct typing *t, size_t at, const struct expr_field *field);

/* Is @e there, and a number? Tells if it is not. */
bool want_number(struct typing *t, const struct expr *e);

/* @e as a number of @type. */
struct expr *tree_convert(struct typing *t, struct expr *e, struct expr_type type);

/* +a: with the type that arithmetic gives it. */
struct expr *tree_plus(struct typing *t, struct expr *a);

struct expr *tree_unary(struct typing *t, enum expr_kind kind, size_t at, struct expr *a);
struct expr *tree_binary(struct typing *t, enum expr_kind kind, size_t at, struct expr *a,
			 struct expr *b);
struct expr *tree_logical(struct typing *t, enum expr_kind kind, size_t at, struct expr *a,
			  struct expr *b);
struct expr *tree_choice(struct typing *t, size_t at, struct expr *condition, struct expr *yes,
			 struct expr *no);

/* @e where a string is needed: a pointer to characters becomes what it points to. */
struct expr *as_text(struct typing *t, struct expr *e);

/* How many characters the string @text has at most; 0: that is not known. */
uint64_t most_characters(const struct expr *text);

/* a == b, a != b (EXPR_EQUAL, EXPR_UNEQUAL) or a ~ b of strings. */
struct expr *compare_text(struct typing *t, enum expr_kind kind, size_t at, struct expr *a,
			  struct expr *b);

/* e[i], e->name, e.name and *e. */
struct expr *tree_element(struct typing *t, size_t at, struct expr *e, struct expr *index);
struct expr *tree_member(struct typing *t, size_t at, struct expr *e, const char *name, bool arrow);

/* Gives the address @e what it points to, a type of the scope's BTF. */
void set_points_to(struct typing *t, struct expr *e, uint32_t type);

/*
 * Finds the enumerator @name in the scope's BTF. Returns how many values it has: enums of sources that
 * do not know each other may use one name.
 */
unsigned int find_enumerator(const struct typing *t, const char *name, uint64_t *value,
			     struct expr_type *type);

/* The scope's field, or else the built-in one, with this name; NULL: there is none. */
const struct expr_field *find_field(const struct expr_scope *scope, const char *name);

#endif
