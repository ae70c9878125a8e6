// SPDX-License-Identifier: GPL-2.0-only
/* Nodes that compute. Those with constant operands are constants themselves. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "glob.h"
#include "lex.h"
#include "tree.h"
#include "value.h"

static const struct expr_type truth = { 4, true };

struct expr *typing_fail(struct typing *t, size_t at, const char *format, ...)
{
	va_list args;

	if (t->failed)
		return NULL;
	t->failed = true;
	t->error->at = at;
	t->error->show_fields = false;
	va_start(args, format);
	vsnprintf(t->error->what, sizeof(t->error->what), format, args);
	va_end(args);
	return NULL;
}

struct expr *new_expr(struct typing *t, enum expr_kind kind, size_t at)
{
	struct expr *e = calloc(1, sizeof(*e));

	if (!e)
		return typing_fail(t, at, "there is no memory for this");
	e->kind = kind;
	e->at = at;
	return e;
}

void expr_free(struct expr *e)
{
	unsigned int i;

	if (!e)
		return;
	for (i = 0; i < 3; i++)
		expr_free(e->operand[i]);
	free(e->text);
	free(e);
}

static struct expr *free_all(struct expr *a, struct expr *b, struct expr *c)
{
	expr_free(a);
	expr_free(b);
	expr_free(c);
	return NULL;
}

struct expr_type expr_type(const struct expr *e)
{
	return e->shape == SHAPE_NUMBER ? e->type : (struct expr_type){};
}

bool expr_is_constant(const struct expr *e, uint64_t *value)
{
	if (e->kind != EXPR_NUMBER)
		return false;
	*value = e->number;
	return true;
}

struct expr *new_number(struct typing *t, size_t at, uint64_t number, struct expr_type type)
{
	struct expr *e = new_expr(t, EXPR_NUMBER, at);

	if (!e)
		return NULL;
	e->number = value_as(number, type);
	e->type = type;
	return e;
}

struct expr *new_text(struct typing *t, size_t at, const char *text)
{
	struct expr *e = new_expr(t, EXPR_TEXT, at);

	if (!e)
		return NULL;
	e->shape = SHAPE_TEXT;
	e->text = strdup(text);
	if (e->text)
		return e;
	expr_free(e);
	return typing_fail(t, at, "there is no memory for this");
}

static enum expr_shape shape_of(const struct expr_field *field)
{
	switch (field->content) {
	case CONTENT_CHARS:
	case CONTENT_LOC_CHARS:
		return SHAPE_TEXT;
	case CONTENT_ARRAY:
	case CONTENT_LOC_ARRAY:
		return SHAPE_ARRAY;
	default:
		return SHAPE_NUMBER;
	}
}

struct expr *new_field(struct typing *t, size_t at, const struct expr_field *field)
{
	struct expr *e = new_expr(t, EXPR_FIELD, at);

	if (!e)
		return NULL;
	e->field = field;
	e->shape = shape_of(field);
	e->type = (struct expr_type){ field->size, field->is_signed };
	if (field->content == CONTENT_POINTER || field->content == CONTENT_STRING ||
	    field->content == CONTENT_USER_STRING)
		e->type = (struct expr_type){ 8, false };
	if (field->content == CONTENT_POINTER)
		set_points_to(t, e, field->btf_type);
	if (field->content == CONTENT_STRING || field->content == CONTENT_USER_STRING)
		e->is_string = true;
	if (field->content == CONTENT_USER_STRING)
		e->memory = MEMORY_USER;
	else if (field->content == CONTENT_STRING)
		e->memory = MEMORY_EITHER;
	return e;
}

bool want_number(struct typing *t, const struct expr *e)
{
	static const char *const what[] = {
		[SHAPE_TEXT] = "this is a string, where a number is needed",
		[SHAPE_ARRAY] = "this is an array: it needs an index, such as [0]",
		[SHAPE_STRUCT] = "this is a struct: name one of its members",
	};

	if (e && e->shape != SHAPE_NUMBER)
		typing_fail(t, e->at, "%s", what[e->shape]);
	return e && !t->failed;
}

struct expr *tree_convert(struct typing *t, struct expr *e, struct expr_type type)
{
	struct expr *cast;

	if (!want_number(t, e))
		return free_all(e, NULL, NULL);
	if (e->kind == EXPR_NUMBER) {
		e->number = value_as(e->number, type);
		e->type = type;
		return e;
	}
	if (e->type.size == type.size && e->type.is_signed == type.is_signed)
		return e;
	cast = new_expr(t, EXPR_CAST, e->at);
	if (!cast)
		return free_all(e, NULL, NULL);
	cast->type = type;
	cast->operand[0] = e;
	return cast;
}

/* Puts a constant in the place of @e if its operands are constants. */
static struct expr *fold(struct typing *t, struct expr *e, struct expr_type operands)
{
	const struct expr *a = e->operand[0], *b = e->operand[1];
	struct expr *number;

	if (a->kind != EXPR_NUMBER || (b && b->kind != EXPR_NUMBER))
		return e;
	number = new_number(t, e->at, value_of(e->kind, operands, a->number, b ? b->number : 0),
			    e->type);
	expr_free(e);
	return number;
}

struct expr *tree_plus(struct typing *t, struct expr *a)
{
	if (!want_number(t, a))
		return free_all(a, NULL, NULL);
	return tree_convert(t, a, promoted(a->type));
}

struct expr *tree_unary(struct typing *t, enum expr_kind kind, size_t at, struct expr *a)
{
	struct expr_type type;
	struct expr *e;

	if (!want_number(t, a))
		return free_all(a, NULL, NULL);
	type = promoted(a->type);
	a = tree_convert(t, a, type);
	e = a ? new_expr(t, kind, at) : NULL;
	if (!e)
		return free_all(a, NULL, NULL);
	e->type = kind == EXPR_NOT ? truth : type;
	e->operand[0] = a;
	return fold(t, e, type);
}

static bool is_comparison(enum expr_kind kind)
{
	return kind >= EXPR_LESS && kind <= EXPR_UNEQUAL;
}

struct expr *tree_binary(struct typing *t, enum expr_kind kind, size_t at, struct expr *a,
			 struct expr *b)
{
	struct expr_type type;
	struct expr *e;

	if (!want_number(t, a) || !want_number(t, b))
		return free_all(a, b, NULL);
	if (kind == EXPR_LEFT || kind == EXPR_RIGHT) {
		type = promoted(a->type);
		b = tree_convert(t, b, promoted(b->type));
	} else {
		type = common_type(a->type, b->type);
		b = tree_convert(t, b, type);
	}
	a = tree_convert(t, a, type);
	e = a && b ? new_expr(t, kind, at) : NULL;
	if (!e)
		return free_all(a, b, NULL);
	e->type = is_comparison(kind) ? truth : type;
	e->operand[0] = a;
	e->operand[1] = b;
	return fold(t, e, type);
}

/* Is @e true or false, and nothing else? */
static struct expr *truth_of(struct typing *t, size_t at, struct expr *e)
{
	return tree_binary(t, EXPR_UNEQUAL, at, e, new_number(t, at, 0, truth));
}

/* Nothing that is evaluated has an effect, so one side alone may tell, whichever it is. */
struct expr *tree_logical(struct typing *t, enum expr_kind kind, size_t at, struct expr *a,
			  struct expr *b)
{
	const struct expr *constant;
	struct expr *e;

	if (!want_number(t, a) || !want_number(t, b))
		return free_all(a, b, NULL);
	constant = a->kind == EXPR_NUMBER ? a : b->kind == EXPR_NUMBER ? b : NULL;
	if (constant && !constant->number == (kind == EXPR_BOTH)) {
		free_all(a, b, NULL);
		return new_number(t, at, kind == EXPR_EITHER, truth);
	}
	if (constant) {
		e = constant == a ? b : a;
		expr_free(constant == a ? a : b);
		return truth_of(t, at, e);
	}
	e = new_expr(t, kind, at);
	if (!e)
		return free_all(a, b, NULL);
	e->type = truth;
	e->operand[0] = a;
	e->operand[1] = b;
	return e;
}

static bool is_null(const struct expr *e)
{
	return e->kind == EXPR_NUMBER && !e->number;
}

/* What a choice of @yes and @no points to: the same, or one of them is NULL; 0: nothing known. */
static uint32_t pointee_of_both(const struct expr *yes, const struct expr *no)
{
	if (is_null(no))
		return yes->points_to;
	if (is_null(yes))
		return no->points_to;
	return yes->points_to == no->points_to ? yes->points_to : 0;
}

struct expr *tree_choice(struct typing *t, size_t at, struct expr *condition, struct expr *yes,
			 struct expr *no)
{
	struct expr_type type;
	uint32_t points_to;
	struct expr *e;

	if (!want_number(t, condition) || !want_number(t, yes) || !want_number(t, no))
		return free_all(condition, yes, no);
	type = common_type(yes->type, no->type);
	points_to = pointee_of_both(yes, no);
	yes = tree_convert(t, yes, type);
	no = tree_convert(t, no, type);
	if (!yes || !no)
		return free_all(condition, yes, no);
	if (condition->kind == EXPR_NUMBER) {
		e = condition->number ? yes : no;
		free_all(condition, condition->number ? no : yes, NULL);
		return e;
	}
	e = new_expr(t, EXPR_CHOOSE, at);
	if (!e)
		return free_all(condition, yes, no);
	e->type = type;
	e->operand[0] = condition;
	e->operand[1] = yes;
	e->operand[2] = no;
	set_points_to(t, e, points_to);
	return e;
}

struct expr *as_text(struct typing *t, struct expr *e)
{
	struct expr *at;

	if (!e || e->shape == SHAPE_TEXT)
		return e;
	if (!e->is_string) {
		typing_fail(t, e->at, "this is no string");
		return free_all(e, NULL, NULL);
	}
	at = new_expr(t, EXPR_AT, e->at);
	if (!at)
		return free_all(e, NULL, NULL);
	at->shape = SHAPE_TEXT;
	at->memory = e->memory;
	at->operand[0] = e;
	return at;
}

uint64_t most_characters(const struct expr *text)
{
	if (text->kind == EXPR_AT)
		return text->elements;
	return text->kind == EXPR_FIELD && text->field->content == CONTENT_CHARS ? text->field->size
										 : 0;
}

/* What the comparison is known to give, whatever the string is; -1: nothing. */
static int known_result(const struct expr *text, enum expr_kind kind, const char *literal)
{
	char plain[TOKEN_MOST_TEXT + 1];
	bool open = false;

	if (text->kind == EXPR_TEXT)
		return kind == EXPR_MATCHES ? glob_matches(literal, text->text)
					    : !strcmp(literal, text->text);
	if (kind != EXPR_MATCHES)
		strcpy(plain, literal);
	else if (!glob_is_plain(literal, plain, sizeof(plain), &open))
		return -1;
	if (open && !*plain)
		return 1;
	if (text->kind == EXPR_FIELD && text->field->content == CONTENT_CHARS && !text->field->size)
		return !*plain;
	return most_characters(text) && strlen(plain) > most_characters(text) ? 0 : -1;
}

struct expr *compare_text(struct typing *t, enum expr_kind kind, size_t at, struct expr *a,
			  struct expr *b)
{
	struct expr *text, *literal, *e = NULL;
	const char *wrong;
	int known;

	if (t->failed || !a || !b)
		return free_all(a, b, NULL);
	if (kind != EXPR_EQUAL && kind != EXPR_UNEQUAL && kind != EXPR_MATCHES) {
		typing_fail(t, at, "strings cannot be computed with; they have ==, != and ~");
		return free_all(a, b, NULL);
	}
	if (a->kind != EXPR_TEXT && b->kind != EXPR_TEXT) {
		typing_fail(t, at, "one side of this must be a string in quotes");
		return free_all(a, b, NULL);
	}
	literal = b->kind == EXPR_TEXT ? b : a;
	text = as_text(t, literal == a ? b : a);
	wrong = text && kind == EXPR_MATCHES ? glob_wrong(literal->text) : NULL;
	if (wrong)
		typing_fail(t, literal->at, "%s", wrong);
	if (!text || t->failed)
		return free_all(text, literal, NULL);
	if (text->kind == EXPR_TEXT)
		text_unescape(text->text);
	if (kind != EXPR_MATCHES)
		text_unescape(literal->text);
	known = known_result(text, kind, literal->text);
	if (known >= 0) {
		e = new_number(t, at, known, truth);
		expr_free(text);
	} else {
		e = new_expr(t, kind == EXPR_MATCHES ? EXPR_MATCHES : EXPR_SAME, at);
	}
	if (e && known < 0) {
		e->type = truth;
		e->operand[0] = text;
		e->text = literal->text;
		literal->text = NULL;
	}
	expr_free(literal);
	return e && kind == EXPR_UNEQUAL ? tree_unary(t, EXPR_NOT, at, e) : e;
}
