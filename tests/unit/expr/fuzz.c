// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fuzz target of expressions: any text is parsed or refused, any error can be told, and what code
 * is made has the shape that the kernel's verifier asks for before anything else: each jump leads to an
 * instruction, and all instructions can be come to.
 */
#include <bpf/btf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "expr/expr.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static struct expr_field fields[] = {
	{ .name = "comm", .content = CONTENT_CHARS, .offset = 8, .size = 16 },
	{ .name = "long_name", .content = CONTENT_CHARS, .offset = 25, .size = 61 },
	{ .name = "pid", .offset = 24, .size = 4, .is_signed = true },
	{ .name = "c", .offset = 32, .size = 1, .is_signed = true },
	{ .name = "us", .offset = 35, .size = 2 },
	{ .name = "l", .offset = 40, .size = 8, .is_signed = true },
	{ .name = "args", .content = CONTENT_ARRAY, .offset = 56, .size = 8, .elements = 6 },
	{ .name = "name", .content = CONTENT_LOC_CHARS, .offset = 104 },
	{ .name = "list", .content = CONTENT_LOC_ARRAY, .offset = 108, .size = 2, .relative = true },
	{ .name = "file", .content = CONTENT_USER_STRING, .offset = 112 },
	{ .name = "text", .content = CONTENT_STRING, .offset = 120 },
	{ .name = "arg1", .place = PLACE_WORD, .offset = 9, .size = 2, .is_signed = true },
	{ .name = "arg2",
	  .place = PLACE_USER,
	  .base = 8,
	  .index = 16,
	  .scale = 8,
	  .displacement = -4,
	  .size = 4 },
	{ .name = "arg3", .place = PLACE_CONSTANT, .constant = 5, .size = 8 },
	{ .name = "s", .content = CONTENT_POINTER, .place = PLACE_WORD, .offset = 8 },
};

static struct expr_scope scope = { .fields = fields, .count = COUNT(fields) };

/* struct s: numbers, bit-fields, a string, arrays, a pointer to itself. */
static void make_btf(void)
{
	struct btf *btf = btf__new_empty();
	int number, character, text, list, self, s;

	number = btf__add_int(btf, "unsigned int", 4, 0);
	character = btf__add_int(btf, "char", 1, BTF_INT_SIGNED);
	text = btf__add_array(btf, number, character, 12);
	s = 6;
	list = btf__add_array(btf, number, s, 3);
	self = btf__add_ptr(btf, s);
	if (btf__add_struct(btf, "s", 40) != s)
		abort();
	btf__add_field(btf, "n", number, 0, 0);
	btf__add_field(btf, "bits", number, 37, 5);
	btf__add_field(btf, "text", text, 64, 0);
	btf__add_field(btf, "list", list, 160, 0);
	btf__add_field(btf, "self", self, 256, 0);
	scope.btf = btf;
	fields[COUNT(fields) - 1].btf_type = s;
}

static bool is_wide(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static bool is_jump(const struct bpf_insn *insn)
{
	__u8 class = BPF_CLASS(insn->code);

	return (class == BPF_JMP || class == BPF_JMP32) && BPF_OP(insn->code) != BPF_CALL;
}

/* Follows all ways through the code from its first instruction; its end is behind the last one. */
static void check(const struct expr_code *code)
{
	static bool met[EXPR_MOST_INSNS + 1];
	static unsigned int waiting[EXPR_MOST_INSNS + 1];
	unsigned int count = 0, i;

	memset(met, 0, sizeof(met));
	waiting[count++] = 0;
	met[0] = true;
	while (count) {
		unsigned int at = waiting[--count], next[2], n = 0;
		const struct bpf_insn *insn = &code->insn[at];

		if (at == code->count)
			continue;
		if (is_wide(insn))
			met[at + 1] = true;
		if (!is_jump(insn) || BPF_OP(insn->code) != BPF_JA)
			next[n++] = at + 1 + is_wide(insn);
		if (is_jump(insn))
			next[n++] = at + 1 + insn->off;
		while (n--) {
			if (next[n] > code->count || (next[n] && is_wide(&code->insn[next[n] - 1])))
				abort();
			if (met[next[n]])
				continue;
			met[next[n]] = true;
			waiting[count++] = next[n];
		}
	}
	for (i = 0; i <= code->count; i++) {
		if (!met[i])
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct expr_code code;
	struct expr_error error = {};
	char told[300];
	struct expr *e;
	char *text;
	bool good;

	if (!scope.btf)
		make_btf();
	text = malloc(size + 1);
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	e = expr_parse(text, &scope, size % 2 ? EXPR_WANT_ANY : EXPR_WANT_NUMBER, &error);
	good = e && !expr_emit(e, &code, &error);
	if (good)
		check(&code);
	else if (!error.what[0] || error.at > size)
		abort();
	else
		expr_describe_error(told, sizeof(told), text, &scope, &error);
	expr_free(e);
	free(text);
	return 0;
}
