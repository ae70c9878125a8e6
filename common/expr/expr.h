/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Expressions over an event's fields, in C's syntax and with C's meaning: parsed and typed by
 * parse.c, then made into BPF instructions by emit.c, so that a filter or a key costs no more than
 * one written by hand.
 *
 * There are C's operators, casts to types of numbers, integer and character literals, members through
 * pointers whose type BTF tells, elements of arrays and enumerators that are in that BTF. Strings are
 * fields of characters, members that are arrays of them, and what pointers to them lead to; they are
 * compared with a string in quotes, of 127 characters at most, by == and !=, or as a whole with a glob
 * by ~: `*` stands for any characters, `?` for one, `[a-z]` and `[!a-z]` for one of a set. A backslash
 * takes one of these, or a backslash, as it is, with == too. Globs that are more than a prefix and a
 * `*` look at a string's first 199 characters. As a key a string has its first 63.
 *
 * What C leaves undefined has a value here: a division by zero gives 0, so does a shift by as many
 * bits as there are or more, so does an element beyond an array's end, and so does what cannot be
 * read. Numbers wrap around. A string at NULL is empty. One elsewhere that is not in memory when the
 * event comes (a program has not used that page yet, say) cannot be read: as a key it is EXPR_UNREAD, a
 * filter does not know then, and anywhere else it is empty.
 */
#ifndef COMMON_EXPR_EXPR_H
#define COMMON_EXPR_EXPR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/bpf.h>

struct btf;

/* Where a field is. */
enum expr_place {
	/* In a tracepoint's record, which is the program's context, from its byte `offset` on. */
	PLACE_RECORD,
	/*
	 * In a context that is read by words of 8 bytes: struct pt_regs, or the arguments of programs
	 * of type fentry, fexit, tp_btf and raw_tp. `offset` is the first byte's; it need not be a
	 * word's (%ah is at the byte behind %al's).
	 */
	PLACE_WORD,
	/*
	 * In memory, the user's or the kernel's, at the address: the word of the context at `base`,
	 * plus the one at `index` `scale` times (0: there is none), plus `displacement`.
	 */
	PLACE_USER,
	PLACE_KERNEL,
	/* Nowhere: it is `constant`. */
	PLACE_CONSTANT,
	/* Of the running thread; all expressions have these, see expr_builtins. */
	PLACE_PID,
	PLACE_TID,
	PLACE_CPU,
	PLACE_COMM,
	PLACE_TIME,
};

/* What is there. */
enum expr_content {
	CONTENT_NUMBER, /* `size` 1, 2, 4 or 8 */
	CONTENT_ARRAY,	/* `elements` numbers of `size`; only in records */
	CONTENT_CHARS,	/* a string of at most `size` characters, up to a NUL; only in records */
	/*
	 * "__data_loc": 4 bytes that say where in the record, and how long, a string or an array with
	 * elements of `size` is. With `relative`, "__rel_loc". Only in records.
	 */
	CONTENT_LOC_CHARS,
	CONTENT_LOC_ARRAY,
	CONTENT_POINTER,     /* 8 bytes: the kernel address of a `btf_type` of the scope's BTF */
	CONTENT_STRING,	     /* 8 bytes: the kernel address of a string */
	CONTENT_USER_STRING, /* 8 bytes: the user address of a string */
};

/* A field that expressions may name. What its place and content do not speak of is 0. */
struct expr_field {
	const char *name;
	enum expr_place place;
	enum expr_content content;
	unsigned int offset;   /* in the context, in bytes */
	unsigned int size;     /* in bytes; 0 of pointers: 8 */
	unsigned int elements; /* CONTENT_ARRAY: how many */
	bool is_signed;
	bool relative;
	unsigned int base, index, scale; /* PLACE_USER, PLACE_KERNEL */
	int64_t displacement;
	uint64_t constant; /* PLACE_CONSTANT */
	uint32_t btf_type; /* CONTENT_POINTER: the id of what it points to; 0: unknown, a number */
};

/* What an expression may speak of. The caller's; must be there as long as its expressions. */
struct expr_scope {
	const struct expr_field *fields;
	size_t count;
	const struct btf *btf; /* of the fields' `btf_type`; NULL: there are no members */
};

/*
 * What every scope has unless a field of its own has that name, closed by one without a name:
 *
 *   _pid        the running process
 *   _tid        the running thread
 *   common_pid  the same: that is what a record's field of this name says, an int
 *   _cpu        the running CPU
 *   _comm       the running thread's name
 *   _time       CLOCK_MONOTONIC, in ns
 */
extern const struct expr_field expr_builtins[];

/* What is wrong, and where in the text, in bytes. */
struct expr_error {
	size_t at;
	bool show_fields; /* it helps to say which fields there are */
	char what[200];
};

/* A number's type: 1, 2, 4 or 8 bytes. Strings have size 0. */
struct expr_type {
	uint8_t size;
	bool is_signed;
};

/* What an expression is to give. */
enum expr_want {
	EXPR_WANT_NUMBER, /* filters, values; a pointer is a number */
	EXPR_WANT_ANY,	  /* keys: a number or a string */
};

struct expr;

/*
 * Parses and types @text over @scope. Returns the expression, the caller's to expr_free(), or NULL
 * after having filled @error.
 */
struct expr *expr_parse(const char *text, const struct expr_scope *scope, enum expr_want want,
			struct expr_error *error);

/* @e may be NULL. */
void expr_free(struct expr *e);

/* What @e gives; size 0: a string. */
struct expr_type expr_type(const struct expr *e);

/* Does @e not depend on any event? Then it is @value. */
bool expr_is_constant(const struct expr *e, uint64_t *value);

/* What a compiled expression may use at most. */
#define EXPR_MOST_INSNS 512

/* A compiled expression. */
struct expr_code {
	struct bpf_insn insn[EXPR_MOST_INSNS];
	unsigned int count;
	bool is_leaf; /* it uses r0 to r5 only, and no stack: it can stand where it is called */
};

/*
 * Compiles @e into the body of a BPF function with the context in r1, and in r2, for strings, where
 * to put one of at most EXPR_TEXT_SIZE bytes, which is filled up with NULs. A number is left in r0
 * as 64 bits, extended by its type's sign; of a string, 0 is. The code ends without exit
 * and runs through to what is put behind it. It uses all registers and EXPR_STACK bytes of stack.
 * Returns 0 or, after having filled @error, -EINVAL.
 */
int expr_emit(const struct expr *e, struct expr_code *code, struct expr_error *error);

/*
 * The same of a filter: 1, 0, or FILTER_UNKNOWN, when what it says depends on a string that could not be
 * read.
 */
int expr_emit_filter(const struct expr *e, struct expr_code *code, struct expr_error *error);

/* What a string that cannot be read is as a key or a name; 16 bytes. */
#define EXPR_UNREAD    "(not in memory)"

#define EXPR_TEXT_SIZE 64
#define EXPR_STACK     320

/*
 * Tells on stderr, headed by the unit's name, what is wrong with @text: the expression with a caret
 * below the place and, where it helps, the fields that there are.
 */
void expr_say_error(const char *text, const struct expr_scope *scope,
		    const struct expr_error *error);

/* The same into @buf of @size bytes, cut off if it does not fit. Without a last line's end. */
void expr_describe_error(char *buf, size_t size, const char *text, const struct expr_scope *scope,
			 const struct expr_error *error);

#endif
