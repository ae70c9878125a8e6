// SPDX-License-Identifier: GPL-2.0-only
/* The parser: C's operators by their precedence. Types are known as soon as a node is made. */
#include <stdio.h>
#include <string.h>
#include "lex.h"
#include "tree.h"
#include "value.h"

/* Brackets and operators may be nested so deep: what is deeper is no filter that somebody wrote. */
#define MOST_DEPTH 128

/* Bounds how deep a tree can be that leans to its left, a + b + c ... */
#define MOST_LENGTH 4096

struct parser {
	struct typing typing;
	const char *text;
	size_t at; /* behind the token */
	struct token token;
	unsigned int depth;
};

static void advance(struct parser *p)
{
	next_token(p->text, &p->at, &p->token);
	if (p->token.kind == TOKEN_WRONG)
		typing_fail(&p->typing, p->token.at, "%s", p->token.what);
}

static bool is_sign(const struct parser *p, const char *sign)
{
	return p->token.kind == TOKEN_SIGN && !strcmp(p->token.text, sign);
}

static bool take(struct parser *p, const char *sign)
{
	if (p->typing.failed || !is_sign(p, sign))
		return false;
	advance(p);
	return true;
}

static void need(struct parser *p, const char *sign)
{
	if (!take(p, sign))
		typing_fail(&p->typing, p->token.at, "`%s` is missing here", sign);
}

static struct expr *parse_choice(struct parser *p);

/* Names of types in casts; the first ones are words that may stand together. */
static const struct type_name {
	const char *name;
	struct expr_type type;
} type_names[] = {
	{ "unsigned", { 4, false } }, { "signed", { 4, true } },    { "char", { 1, true } },
	{ "short", { 2, true } },     { "int", { 4, true } },	    { "long", { 8, true } },
	{ "s8", { 1, true } },	      { "s16", { 2, true } },	    { "s32", { 4, true } },
	{ "s64", { 8, true } },	      { "u8", { 1, false } },	    { "u16", { 2, false } },
	{ "u32", { 4, false } },      { "u64", { 8, false } },	    { "bool", { 1, false } },
	{ "pid_t", { 4, true } },     { "size_t", { 8, false } },   { "ssize_t", { 8, true } },
	{ "int8_t", { 1, true } },    { "int16_t", { 2, true } },   { "int32_t", { 4, true } },
	{ "int64_t", { 8, true } },   { "uint8_t", { 1, false } },  { "uint16_t", { 2, false } },
	{ "uint32_t", { 4, false } }, { "uint64_t", { 8, false } },
};

static const struct type_name *find_type(const struct parser *p)
{
	unsigned int i;

	if (p->token.kind != TOKEN_NAME)
		return NULL;
	for (i = 0; i < sizeof(type_names) / sizeof(*type_names); i++) {
		if (!strcmp(p->token.text, type_names[i].name))
			return &type_names[i];
	}
	return NULL;
}

/* "(unsigned long)" and such, if that is what stands here: the name that tells its width. */
static const struct type_name *parse_type(struct parser *p, struct expr_type *type)
{
	const struct type_name *word, *tells = NULL;
	bool is_unsigned = false;
	struct parser before = *p;

	if (!take(p, "("))
		return NULL;
	while ((word = find_type(p)) && !p->typing.failed) {
		is_unsigned |= !strcmp(word->name, "unsigned");
		/* In "long int" and "unsigned short" it is the other word. */
		if (!tells || (strcmp(word->name, "int") && strcmp(word->name, "unsigned") &&
			       strcmp(word->name, "signed")))
			tells = word;
		advance(p);
	}
	/* A field may have a type's name. */
	if (tells && is_sign(p, ")") && !find_field(p->typing.scope, tells->name)) {
		advance(p);
		*type = tells->type;
		if (is_unsigned)
			type->is_signed = false;
		return tells;
	}
	*p = before;
	return NULL;
}

static struct expr *parse_unary(struct parser *p);

/* What stands behind "(TYPE)" as one. */
static struct expr *parse_cast(struct parser *p, size_t at, const struct type_name *name,
			       struct expr_type type)
{
	struct expr *e = parse_unary(p);

	/* All but 0 is true. */
	if (!strcmp(name->name, "bool"))
		e = tree_binary(&p->typing, EXPR_UNEQUAL, at, e,
				new_number(&p->typing, at, 0, (struct expr_type){ 4, true }));
	e = tree_convert(&p->typing, e, type);
	/* A pointer is a plain number then. */
	if (e) {
		e->points_to = 0;
		e->is_string = false;
	}
	return e;
}

static struct expr *parse_name(struct parser *p)
{
	const struct expr_field *field = find_field(p->typing.scope, p->token.text);
	struct typing *t = &p->typing;
	size_t at = p->token.at;
	struct expr_type type;
	struct expr *e = NULL;
	unsigned int values;
	uint64_t value;

	values = field ? 0 : find_enumerator(t, p->token.text, &value, &type);
	if (field) {
		e = new_field(t, at, field);
	} else if (values == 1) {
		e = new_number(t, at, value, type);
	} else if (values) {
		typing_fail(t, at, "the kernel has different enumerators %s: give the number",
			    p->token.text);
	} else {
		typing_fail(t, at, "there is no %s here", p->token.text);
		t->error->show_fields = true;
	}
	advance(p);
	return e;
}

static struct expr *parse_primary(struct parser *p)
{
	struct typing *t = &p->typing;
	struct expr *e;

	switch (p->token.kind) {
	case TOKEN_NUMBER:
		e = new_number(t, p->token.at, p->token.number, p->token.type);
		advance(p);
		return e;
	case TOKEN_TEXT:
		e = new_text(t, p->token.at, p->token.text);
		advance(p);
		return e;
	case TOKEN_NAME:
		return parse_name(p);
	default:
		break;
	}
	if (!take(p, "("))
		return typing_fail(t, p->token.at,
				   p->token.kind == TOKEN_END
					   ? "something is missing at the end"
					   : "a number, a field or `(` is missing here");
	e = parse_choice(p);
	need(p, ")");
	return e;
}

static struct expr *parse_member(struct parser *p, struct expr *e, bool arrow)
{
	if (p->token.kind == TOKEN_NAME) {
		e = tree_member(&p->typing, p->token.at, e, p->token.text, arrow);
		advance(p);
		return e;
	}
	typing_fail(&p->typing, p->token.at, "a member's name is missing here");
	expr_free(e);
	return NULL;
}

static struct expr *parse_postfix(struct parser *p)
{
	struct expr *e = parse_primary(p), *index;

	while (e && !p->typing.failed) {
		size_t at = p->token.at;

		if (take(p, "[")) {
			index = parse_choice(p);
			need(p, "]");
			e = tree_element(&p->typing, at, e, index);
		} else if (take(p, "->")) {
			e = parse_member(p, e, true);
		} else if (take(p, ".")) {
			e = parse_member(p, e, false);
		} else {
			break;
		}
	}
	return e;
}

static struct expr *parse_unary(struct parser *p)
{
	static const struct expr_type zero = { 4, true };
	struct typing *t = &p->typing;
	const struct type_name *name;
	size_t at = p->token.at;
	struct expr_type type;
	struct expr *e = NULL;

	if (p->depth == MOST_DEPTH)
		typing_fail(t, at, "this is nested too deep");
	if (t->failed)
		return NULL;
	p->depth++;
	if (take(p, "-"))
		e = tree_unary(t, EXPR_NEGATE, at, parse_unary(p));
	else if (take(p, "~"))
		e = tree_unary(t, EXPR_COMPLEMENT, at, parse_unary(p));
	else if (take(p, "!"))
		e = tree_unary(t, EXPR_NOT, at, parse_unary(p));
	else if (take(p, "+"))
		e = tree_plus(t, parse_unary(p));
	else if (take(p, "*"))
		e = tree_element(t, at, parse_unary(p), new_number(t, at, 0, zero));
	else if ((name = parse_type(p, &type)))
		e = parse_cast(p, at, name, type);
	else
		e = parse_postfix(p);
	p->depth--;
	return e;
}

/* From what binds least (C's table). `~` compares a string with a glob. */
static const struct sign {
	const char *sign;
	int level;
	enum expr_kind kind;
} signs[] = {
	{ "||", 1, EXPR_EITHER },     { "&&", 2, EXPR_BOTH },	  { "|", 3, EXPR_OR },
	{ "^", 4, EXPR_XOR },	      { "&", 5, EXPR_AND },	  { "==", 6, EXPR_EQUAL },
	{ "!=", 6, EXPR_UNEQUAL },    { "~", 6, EXPR_MATCHES },	  { "<", 7, EXPR_LESS },
	{ "<=", 7, EXPR_LESS_EQUAL }, { ">", 7, EXPR_GREATER },	  { ">=", 7, EXPR_GREATER_EQUAL },
	{ "<<", 8, EXPR_LEFT },	      { ">>", 8, EXPR_RIGHT },	  { "+", 9, EXPR_ADD },
	{ "-", 9, EXPR_SUBTRACT },    { "*", 10, EXPR_MULTIPLY }, { "/", 10, EXPR_DIVIDE },
	{ "%", 10, EXPR_REMAINDER },
};

static const struct sign *find_sign(const struct parser *p, int least)
{
	unsigned int i;

	for (i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
		if (signs[i].level >= least && is_sign(p, signs[i].sign))
			return &signs[i];
	}
	return NULL;
}

/* Is the comparison of @a and @b one of strings? A pointer to characters is a number beside one. */
static bool compares_text(enum expr_kind kind, const struct expr *a, const struct expr *b)
{
	return kind == EXPR_MATCHES || (a && a->shape == SHAPE_TEXT) ||
	       (b && b->shape == SHAPE_TEXT);
}

static struct expr *parse_binary(struct parser *p, int least)
{
	struct expr *left = parse_unary(p), *right;
	struct typing *t = &p->typing;
	const struct sign *op;

	while (!t->failed && (op = find_sign(p, least))) {
		size_t at = p->token.at;

		advance(p);
		right = parse_binary(p, op->level + 1);
		if (op->kind == EXPR_BOTH || op->kind == EXPR_EITHER)
			left = tree_logical(t, op->kind, at, left, right);
		else if (compares_text(op->kind, left, right))
			left = compare_text(t, op->kind, at, left, right);
		else
			left = tree_binary(t, op->kind, at, left, right);
	}
	return left;
}

static struct expr *parse_choice(struct parser *p)
{
	struct expr *condition, *yes, *no;
	size_t at;

	if (p->depth == MOST_DEPTH)
		typing_fail(&p->typing, p->token.at, "this is nested too deep");
	if (p->typing.failed)
		return NULL;
	p->depth++;
	condition = parse_binary(p, 1);
	at = p->token.at;
	if (take(p, "?")) {
		yes = parse_choice(p);
		need(p, ":");
		no = parse_choice(p);
		condition = tree_choice(&p->typing, at, condition, yes, no);
	}
	p->depth--;
	return condition;
}

/* Is @e of the kind that is wanted? Takes it over and returns what is. */
static struct expr *as_wanted(struct typing *t, struct expr *e, enum expr_want want)
{
	if (!e || t->failed)
		return e;
	if (e->kind == EXPR_TEXT)
		typing_fail(t, e->at, "there is nothing that this string is compared with");
	else if (want == EXPR_WANT_ANY && e->is_string)
		e = as_text(t, e);
	else if (want == EXPR_WANT_NUMBER || e->shape != SHAPE_TEXT)
		want_number(t, e);
	return e;
}

struct expr *expr_parse(const char *text, const struct expr_scope *scope, enum expr_want want,
			struct expr_error *error)
{
	struct parser p = { .typing = { .scope = scope, .error = error }, .text = text };
	struct typing *t = &p.typing;
	struct expr *e;

	if (strnlen(text, MOST_LENGTH) == MOST_LENGTH) {
		typing_fail(t, 0, "an expression is shorter than %u characters", MOST_LENGTH);
		return NULL;
	}
	advance(&p);
	e = parse_choice(&p);
	if (p.token.kind != TOKEN_END)
		typing_fail(t, p.token.at, "an operator is missing before this");
	e = as_wanted(t, e, want);
	if (!t->failed)
		return e;
	expr_free(e);
	return NULL;
}
