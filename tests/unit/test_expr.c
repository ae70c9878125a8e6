// SPDX-License-Identifier: GPL-2.0-only
/*
 * Expressions as they are parsed: what constants are worth and what types there are this file's own
 * compiler says, for the same text. What they are worth in the kernel is another test's (expr/).
 */
#include "helpers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/btf.h>
#include "caret.h"
#include "expr/expr.h"

static const struct expr_field fields[] = {
	{ .name = "comm", .content = CONTENT_CHARS, .offset = 8, .size = 16 },
	{ .name = "pid", .offset = 24, .size = 4, .is_signed = true },
	{ .name = "prio", .offset = 28, .size = 4, .is_signed = true },
	{ .name = "c", .offset = 32, .size = 1, .is_signed = true },
	{ .name = "uc", .offset = 33, .size = 1 },
	{ .name = "us", .offset = 34, .size = 2 },
	{ .name = "ui", .offset = 36, .size = 4 },
	{ .name = "l", .offset = 40, .size = 8, .is_signed = true },
	{ .name = "ul", .offset = 48, .size = 8 },
	{ .name = "args", .content = CONTENT_ARRAY, .offset = 56, .size = 8, .elements = 6 },
	{ .name = "name", .content = CONTENT_LOC_CHARS, .offset = 104 },
	{ .name = "file", .content = CONTENT_USER_STRING, .offset = 112 },
	{ .name = "sk", .content = CONTENT_POINTER, .offset = 120 },
	{ .name = "nowhere", .content = CONTENT_POINTER, .offset = 120 },
};

/* The same, for the compiler. */
extern char c;
extern unsigned char uc;
extern unsigned short us;
extern int pid, prio;
extern unsigned int ui;
extern long l;
extern unsigned long ul;
extern unsigned long args[6];

static struct expr_scope scope = { .fields = fields, .count = COUNT(fields) };

static struct expr *parse(const char *text)
{
	struct expr_error error = {};
	struct expr *e = expr_parse(text, &scope, EXPR_WANT_NUMBER, &error);

	if (!e)
		fail_msg("`%s`, at %zu: %s", text, error.at, error.what);
	return e;
}

static void check_constant(const char *text, uint64_t expected, size_t size, bool is_signed)
{
	struct expr *e = parse(text);
	uint64_t value = 0;

	if (!expr_is_constant(e, &value))
		fail_msg("`%s` is no constant", text);
	if (value != expected)
		fail_msg("`%s` is %#lx, not %#lx", text, value, expected);
	assert_int_equal(expr_type(e).size, size);
	assert_int_equal(expr_type(e).is_signed, is_signed);
	expr_free(e);
}

/* It warns of what is written here so that it is understood right. */
#pragma GCC diagnostic ignored "-Wparentheses"
#pragma GCC diagnostic ignored "-Wbool-compare"
#pragma GCC diagnostic ignored "-Wbool-operation"
#pragma GCC diagnostic ignored "-Woverflow"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wint-in-bool-context"
#pragma GCC diagnostic ignored "-Wlogical-not-parentheses"
#pragma GCC diagnostic ignored "-Wtype-limits"

#define IS_SIGNED(x) ((__typeof__(x))-1 < (__typeof__(x))1)

/* The compiler's value of an expression, its width and its sign, are ours. */
#define SAME_AS_C(x) check_constant(#x, (uint64_t)(x), sizeof(x), IS_SIGNED(x))

static void constants_are_what_the_compiler_makes_of_them(void **state)
{
	(void)state;
	SAME_AS_C(1 + 2 * 3);
	SAME_AS_C((1 + 2) * 3);
	SAME_AS_C(10 - 4 - 3);
	SAME_AS_C(100 / 7 / 2);
	SAME_AS_C(100 % 7 * 2);
	SAME_AS_C(-100 / 7);
	SAME_AS_C(-100 % 7);
	SAME_AS_C(1 << 3 + 1);
	SAME_AS_C(1 << 30 >> 29);
	SAME_AS_C(1u << 31 >> 31);
	SAME_AS_C(6 & 3 == 3);
	SAME_AS_C(6 ^ 3 | 8);
	SAME_AS_C(1 | 6 & 4 ^ 7);
	SAME_AS_C(1 < 2 == 1);
	SAME_AS_C(3 > 2 > 1);
	SAME_AS_C(!0 + !5);
	SAME_AS_C(~0);
	SAME_AS_C(~0u);
	SAME_AS_C(-1 < 0u);
	SAME_AS_C(-1l < 0u);
	SAME_AS_C(2147483647 + 0);
	SAME_AS_C(2147483648);
	SAME_AS_C(0x80000000);
	SAME_AS_C(0xffffffff + 1);
	SAME_AS_C(4294967295 + 1);
	SAME_AS_C(0xffffffffffffffff);
	SAME_AS_C(017 + 0x1f);
	SAME_AS_C(7ul);
	SAME_AS_C(1 ? -1 : 0u);
	SAME_AS_C(0 ? 1 : 2 ? 3 : 4);
	SAME_AS_C(1 || 0 && 0);
	SAME_AS_C('a' + '\n' + '\'' + '\\');
	SAME_AS_C('\0');
	SAME_AS_C((unsigned char)300);
	SAME_AS_C((char)200);
	SAME_AS_C((unsigned short)-1 + 1);
	SAME_AS_C((long)-1 >> 60);
	SAME_AS_C((unsigned long)-1 >> 60);
	SAME_AS_C((long int)1 << 40);
	SAME_AS_C((unsigned int)5 - 6);
	SAME_AS_C(-(unsigned char)1);
	SAME_AS_C(+-+1);
}

static void what_c_leaves_undefined_is_0(void **state)
{
	(void)state;
	check_constant("1 / 0", 0, 4, true);
	check_constant("7ul % 0", 0, 8, false);
	check_constant("1 << 32", 0, 4, true);
	check_constant("1 << -1", 0, 4, true);
	check_constant("-1 >> 32", 0, 4, true);
	check_constant("1l << 64", 0, 8, true);
	/* And what does not fit wraps around. */
	check_constant("(int)0x80000000 / -1", (uint64_t)INT32_MIN, 4, true);
	check_constant("(int)0x80000000 % -1", 0, 4, true);
	check_constant("2147483647 + 1", (uint64_t)INT32_MIN, 4, true);
	check_constant("args[6]", 0, 8, false);
	check_constant("args[-1]", 0, 8, false);
	check_constant("(bool)256", 1, 1, false);
}

static void one_side_may_tell_alone(void **state)
{
	(void)state;
	check_constant("pid && 0", 0, 4, true);
	check_constant("0 && pid", 0, 4, true);
	check_constant("3 || pid", 1, 4, true);
	check_constant("pid || 1", 1, 4, true);
	check_constant("comm ~ \"*\"", 1, 4, true);
	check_constant("comm == \"longer than sixteen\"", 0, 4, true);
	check_constant("comm ~ \"longer than sixteen*\"", 0, 4, true);
	check_constant("comm != \"longer than sixteen\"", 1, 4, true);
	check_constant("\"abc\" ~ \"a?[c-d]\"", 1, 4, true);
	check_constant("\"a,c\" ~ \"a,*\"", 1, 4, true);
	check_constant("\"a*c\" ~ \"a\\*c\"", 1, 4, true);
	check_constant("\"abc\" ~ \"a\\*c\"", 0, 4, true);
	/* A backslash takes the next one as it is, also where that would be itself anyway. */
	check_constant("\"a*c\" == \"a\\*c\"", 1, 4, true);
	check_constant("\"a\\?[]\" == \"a?[]\"", 1, 4, true);
	check_constant("\"a\\\\*c\" == \"a\\*c\"", 0, 4, true);
	check_constant("\"a\\\\bc\" ~ \"a\\\\*c\"", 1, 4, true);
	check_constant("\"a*c\" ~ \"a\\\\*c\"", 0, 4, true);
	check_constant("'\\*' + '\\\\'", '*' + '\\', 4, true);
	check_constant("\"abc\" == \"abc\"", 1, 4, true);
}

static void check_type(const char *text, size_t size, bool is_signed)
{
	struct expr *e = parse(text);
	uint64_t value;

	if (expr_type(e).size != size || expr_type(e).is_signed != is_signed)
		fail_msg("`%s` has %u bytes, %s", text, expr_type(e).size,
			 expr_type(e).is_signed ? "signed" : "unsigned");
	assert_false(expr_is_constant(e, &value));
	expr_free(e);
}

#define SAME_TYPE(x) check_type(#x, sizeof(x), IS_SIGNED(x))

static void types_are_the_compilers(void **state)
{
	(void)state;
	SAME_TYPE(c);
	SAME_TYPE(uc);
	SAME_TYPE(us);
	SAME_TYPE(l);
	SAME_TYPE(+c);
	SAME_TYPE(-uc);
	SAME_TYPE(~us);
	SAME_TYPE(!l);
	SAME_TYPE(uc + us);
	SAME_TYPE(pid + ui);
	SAME_TYPE(pid + l);
	SAME_TYPE(ui + l);
	SAME_TYPE(ul + l);
	SAME_TYPE(c << ul);
	SAME_TYPE(ul >> c);
	SAME_TYPE(pid < l);
	SAME_TYPE(l && ul);
	SAME_TYPE(pid ? c : ui);
	SAME_TYPE(pid ? c : uc);
	SAME_TYPE((short)l);
	SAME_TYPE((unsigned)c * l);
	SAME_TYPE(args[2]);
	SAME_TYPE(args[pid] + 1);
	check_type("_pid", 4, true);
	check_type("common_pid", 4, true);
	check_type("_time", 8, false);
	check_type("sk", 8, false);
	check_type("file == 0", 4, true);
	check_type("comm == \"x\"", 4, true);
	check_type("comm[3]", 1, true);
	check_type("file[0]", 1, true);
	check_type("name[0] == 'a'", 4, true);
	check_type("\"x\" != _comm", 4, true);
}

static void strings_are_keys(void **state)
{
	static const char *const texts[] = { "comm", "name", "file", "_comm", "(comm)" };
	struct expr_error error;
	struct expr *e;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		e = expr_parse(texts[i], &scope, EXPR_WANT_ANY, &error);
		assert_non_null(e);
		assert_int_equal(expr_type(e).size, 0);
		expr_free(e);
	}
	e = expr_parse("(u64)file", &scope, EXPR_WANT_ANY, &error);
	assert_non_null(e);
	assert_int_equal(expr_type(e).size, 8);
	expr_free(e);
}

static const struct wrong {
	const char *text;
	size_t at;
	const char *what;
	bool fields;
} wrongs[] = {
	{ "", 0, "missing at the end", false },
	{ "pid >", 5, "missing at the end", false },
	{ "pid > 1 && prio2 < 3", 11, "there is no prio2 here", true },
	{ "pid = 3", 4, "`==`", false },
	{ "pid 3", 4, "operator is missing", false },
	{ "(pid", 4, "`)` is missing", false },
	{ "pid ? 1", 7, "`:` is missing", false },
	{ "args[1", 6, "`]` is missing", false },
	{ "pid @ 3", 4, "does not belong", false },
	{ "1.5 < pid", 0, "no whole number", false },
	{ "12ab", 0, "no whole number", false },
	{ "99999999999999999999", 0, "64 bits", false },
	{ "comm == \"x", 8, "no end", false },
	{ "comm == \"\\q\"", 8, "backslash", false },
	{ "'ab' == c", 0, "one character", false },
	{ "comm", 0, "string", false },
	{ "\"x\"", 0, "nothing that this string is compared with", false },
	{ "comm + 1", 5, "have ==, != and ~", false },
	{ "comm < \"x\"", 5, "have ==, != and ~", false },
	{ "comm == name", 5, "must be a string in quotes", false },
	{ "comm == 3", 5, "must be a string in quotes", false },
	{ "pid == \"x\"", 0, "no string", false },
	{ "pid ~ \"x\"", 0, "no string", false },
	{ "comm ~ \"[a\"", 7, "without its `]`", false },
	{ "comm ~ \"?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", 7,
	  "more than 63", false },
	{ "args", 0, "needs an index", false },
	{ "args + 1", 0, "needs an index", false },
	{ "pid[0]", 0, "no array", false },
	{ "_comm[0]", 0, "no array", false },
	{ "pid->x", 0, "no struct", false },
	{ "nowhere->x", 0, "no struct", false },
	{ "sk->", 4, "member's name is missing", false },
	{ "pid.x", 0, "no struct", false },
	{ "!comm", 1, "string", false },
	{ "(int)comm", 5, "string", false },
	{ "comm ? 1 : 2", 0, "string", false },
	{ "args[comm]", 5, "string", false },
};

static void errors_are_told_with_their_place(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(wrongs); i++) {
		const struct wrong *w = &wrongs[i];
		struct expr_error error = {};
		struct expr *e = expr_parse(w->text, &scope, EXPR_WANT_NUMBER, &error);

		if (e)
			fail_msg("`%s` has nothing wrong with it", w->text);
		if (error.at != w->at || !strstr(error.what, w->what) ||
		    error.show_fields != w->fields)
			fail_msg("`%s`: at %zu, not %zu: %s", w->text, error.at, w->at, error.what);
	}
}

static void what_is_too_long_or_too_deep_is_refused(void **state)
{
	char *text = malloc(100001);
	struct expr_error error = {};
	static const char *const deep[] = { "(", "-", "!", "pid+(", "pid?", "args[", "(int)" };
	size_t i, n;

	(void)state;
	assert_non_null(text);
	for (i = 0; i < COUNT(deep); i++) {
		text[0] = 0;
		for (n = 0; n < 500; n++)
			memcpy(text + n * strlen(deep[i]), deep[i], strlen(deep[i]) + 1);
		assert_null(expr_parse(text, &scope, EXPR_WANT_NUMBER, &error));
		assert_non_null(strstr(error.what, "too deep"));
	}
	memset(text, '1', 100000);
	text[100000] = 0;
	assert_null(expr_parse(text, &scope, EXPR_WANT_NUMBER, &error));
	assert_non_null(strstr(error.what, "4096"));
	free(text);
}

/* "pid + pid + ...", @count times. */
static int emit_sum(unsigned int count, struct expr_code *code, struct expr_error *error)
{
	char text[4096] = "pid";
	struct expr *e;
	int err;

	while (--count)
		strcat(text, "+pid");
	e = parse(text);
	err = expr_emit(e, code, error);
	expr_free(e);
	return err;
}

static void at_most_512_instructions_are_made(void **state)
{
	static struct expr_code code;
	struct expr_error error = {};
	char expected[100];
	unsigned int each;

	(void)state;
	assert_int_equal(emit_sum(2, &code, &error), 0);
	each = code.count;
	assert_int_equal(emit_sum(3, &code, &error), 0);
	each = code.count - each;
	assert_int_equal(emit_sum(800, &code, &error), -EINVAL);
	snprintf(expected, sizeof(expected), "needs %u instructions; 512 are the most", code.count);
	assert_non_null(strstr(error.what, expected));
	/* The number is what they are, not what fits. */
	assert_int_equal(emit_sum(3, &code, &error), 0);
	snprintf(expected, sizeof(expected), "needs %u instructions", code.count + 797 * each);
	assert_int_equal(emit_sum(800, &code, &error), -EINVAL);
	error.at = 1;
	error.what[0] = 0;
	assert_int_equal(emit_sum(800, &code, &error), -EINVAL);
	assert_int_equal(error.at, 0);
	assert_non_null(strstr(error.what, expected));
}

static void the_caret_is_below_the_place(void **state)
{
	struct expr_error error = {};
	char text[1000];

	(void)state;
	assert_null(expr_parse("pid > 1 && prio2 < 3", &scope, EXPR_WANT_NUMBER, &error));
	expr_describe_error(text, sizeof(text), "pid > 1 && prio2 < 3", &scope, &error);
	assert_string_equal(text, "there is no prio2 here\n"
				  "  pid > 1 && prio2 < 3\n"
				  "             ^\n"
				  "  there are: comm pid prio c uc us ui l ul args name file sk "
				  "nowhere _pid _tid common_pid _cpu\n"
				  "    _comm _time");
	assert_null(expr_parse("pid pid", &scope, EXPR_WANT_NUMBER, &error));
	expr_describe_error(text, sizeof(text), "pid pid", &scope, &error);
	assert_string_equal(text, "an operator is missing before this\n  pid pid\n      ^");
	/* What does not fit is cut off, and within its bounds. */
	expr_describe_error(text, 10, "pid pid", &scope, &error);
	assert_string_equal(text, "an operat");
}

static void a_caret_counts_characters(void **state)
{
	char lines[1000], text[300];
	const char *caret;

	(void)state;
	caret_lines(lines, sizeof(lines), "a == \"\xc3\xa9\xc3\xa9\" x", 11);
	assert_string_equal(lines, "  a == \"\xc3\xa9\xc3\xa9\" x\n           ^");
	caret_lines(lines, sizeof(lines), "a\tb \x1b\xff?", 6);
	assert_string_equal(lines, "  a b  " REPLACEMENT "?\n        ^");
	caret_lines(lines, sizeof(lines), "one\ntwo x\nthree", 8);
	assert_string_equal(lines, "  two x\n      ^");
	caret_lines(lines, sizeof(lines), "", 0);
	assert_string_equal(lines, "  \n  ^");
	caret_lines(lines, sizeof(lines), "abc", 99);
	assert_string_equal(lines, "  abc\n     ^");

	/* Of a long text what is around the place is shown, and the place is still the place. */
	memset(text, 'a', 299);
	text[299] = 0;
	text[200] = 'X';
	caret_lines(lines, sizeof(lines), text, 200);
	caret = strchr(lines, '^');
	assert_non_null(caret);
	assert_true(strlen(lines) < 250);
	assert_int_equal(caret - (strchr(lines, '\n') + 1), strchr(lines, 'X') - lines);
	assert_non_null(strstr(lines, "..."));
	caret_lines(lines, 12, text, 200);
	assert_int_equal(strlen(lines), 11);
}

/* struct sock, with what is in it, an unfinished one, and pointers to both. */
static struct btf *small_btf(uint32_t *sock_pointer, uint32_t *unknown_pointer)
{
	struct btf *btf = btf__new_empty();
	int u32_id, char_id, index_id, text_id, inner_id, sock_id, list_id, enum_id;

	assert_non_null(btf);
	u32_id = btf__add_int(btf, "unsigned int", 4, 0);
	char_id = btf__add_int(btf, "char", 1, BTF_INT_SIGNED);
	index_id = btf__add_int(btf, "index", 4, 0);
	text_id = btf__add_array(btf, index_id, char_id, 12);
	list_id = btf__add_array(btf, index_id, u32_id, 3);
	enum_id = btf__add_enum(btf, "state", 4);
	btf__add_enum_value(btf, "TCP_ESTABLISHED", 1);
	btf__add_enum_value(btf, "TCP_WRONG", -2);
	inner_id = btf__add_union(btf, NULL, 4);
	btf__add_field(btf, "hidden", u32_id, 0, 0);
	btf__add_field(btf, "also", enum_id, 0, 0);
	sock_id = btf__add_struct(btf, "sock", 32);
	btf__add_field(btf, "state", u32_id, 0, 0);
	btf__add_field(btf, "name", text_id, 32, 0);
	btf__add_field(btf, "list", list_id, 128, 0);
	btf__add_field(btf, NULL, inner_id, 224, 0);
	*sock_pointer = sock_id;
	*unknown_pointer = btf__add_fwd(btf, "secret", BTF_FWD_STRUCT);
	return btf;
}

static void members_are_typed_by_btf(void **state)
{
	static const struct wrong member_wrongs[] = {
		{ "sk->nothing", 4, "sock has no member nothing", false },
		{ "sk.state", 3, "behind `->`", false },
		{ "sk->name + 1", 9, "have ==", false },
		{ "sk->list", 4, "needs an index", false },
		{ "sk->list[0].x", 4, "no struct", false },
		{ "nowhere->x", 9, "does not say what is in secret", false },
		{ "*sk", 0, "struct: name one", false },
		{ "sk[0]", 2, "struct: name one", false },
		{ "TCP_NONE == 1", 0, "there is no TCP_NONE here", true },
	};
	struct expr_field own[COUNT(fields)];
	struct expr_scope with_btf = { .fields = own, .count = COUNT(fields) };
	uint32_t sock, unknown;
	struct btf *btf = small_btf(&sock, &unknown);
	struct expr_scope before = scope;
	size_t i;

	(void)state;
	memcpy(own, fields, sizeof(own));
	own[COUNT(fields) - 2].btf_type = sock;
	own[COUNT(fields) - 1].btf_type = unknown;
	with_btf.btf = btf;
	scope = with_btf;
	check_type("sk->state", 4, false);
	check_type("sk->name ~ \"*x\"", 4, true);
	check_type("sk->name[3]", 1, true);
	check_type("sk->list[1]", 4, false);
	check_type("sk->list[pid]", 4, false);
	check_type("sk->hidden + sk->also", 4, false);
	check_type("(*sk).state == TCP_ESTABLISHED", 4, true);
	check_type("sk[1].state", 4, false);
	check_constant("TCP_ESTABLISHED", 1, 4, true);
	check_constant("TCP_WRONG - 1", -3, 4, true);
	for (i = 0; i < COUNT(member_wrongs); i++) {
		const struct wrong *w = &member_wrongs[i];
		struct expr_error error = {};

		assert_null(expr_parse(w->text, &scope, EXPR_WANT_NUMBER, &error));
		if (error.at != w->at || !strstr(error.what, w->what) ||
		    error.show_fields != w->fields)
			fail_msg("`%s`: at %zu, not %zu: %s", w->text, error.at, w->at, error.what);
	}
	scope = before;
	btf__free(btf);
}

static void a_field_is_found_before_what_is_built_in(void **state)
{
	static const struct expr_field own[] = {
		{ .name = "_pid", .offset = 8, .size = 8 },
		{ .name = "int", .offset = 16, .size = 8 },
	};
	struct expr_scope before = scope;

	(void)state;
	scope = (struct expr_scope){ .fields = own, .count = COUNT(own) };
	check_type("_pid", 8, false);
	check_type("(int) + 1", 8, false);
	scope = before;
}

/* As C has them: of a type that is unsigned, one with the highest bit set is large. */
static void enumerators_have_their_types_sign(void **state)
{
	struct expr_scope before = scope;
	struct btf *btf = btf__new_empty();
	struct expr_error error;

	(void)state;
	assert_non_null(btf);
	assert_true(btf__add_enum(btf, "below", 4) > 0);
	assert_int_equal(btf__add_enum_value(btf, "ONE_BELOW", -1), 0);
	assert_true(btf__add_enum(btf, "large", 4) > 0);
	assert_int_equal(btf__add_enum_value(btf, "LARGE", 0xf0000007), 0);
	scope.btf = btf;
	check_constant("ONE_BELOW", (uint64_t)-1, 4, true);
	check_constant("LARGE", 0xf0000007, 4, false);
	check_constant("LARGE > 0", 1, 4, true);
	/* Another enum with a value of this name: the same is no harm. */
	assert_true(btf__add_enum(btf, "more", 4) > 0);
	assert_int_equal(btf__add_enum_value(btf, "LARGE", 0xf0000007), 0);
	check_constant("LARGE", 0xf0000007, 4, false);
	assert_true(btf__add_enum(btf, "other", 4) > 0);
	assert_int_equal(btf__add_enum_value(btf, "LARGE", 7), 0);
	assert_null(expr_parse("LARGE", &scope, EXPR_WANT_NUMBER, &error));
	assert_non_null(strstr(error.what, "different enumerators LARGE"));
	scope = before;
	btf__free(btf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constants_are_what_the_compiler_makes_of_them),
		cmocka_unit_test(what_c_leaves_undefined_is_0),
		cmocka_unit_test(one_side_may_tell_alone),
		cmocka_unit_test(types_are_the_compilers),
		cmocka_unit_test(strings_are_keys),
		cmocka_unit_test(errors_are_told_with_their_place),
		cmocka_unit_test(what_is_too_long_or_too_deep_is_refused),
		cmocka_unit_test(at_most_512_instructions_are_made),
		cmocka_unit_test(the_caret_is_below_the_place),
		cmocka_unit_test(a_caret_counts_characters),
		cmocka_unit_test(members_are_typed_by_btf),
		cmocka_unit_test(a_field_is_found_before_what_is_built_in),
		cmocka_unit_test(enumerators_have_their_types_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
