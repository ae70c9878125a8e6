// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lex.h"

/* Longer ones first: what is found first is it. */
static const char *const signs[] = { "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "->", "<",
				     ">",  "+",	 "-",  "*",  "/",  "%",	 "&",  "|",  "^",  "~",
				     "!",  "?",	 ":",  "(",  ")",  "[",	 "]",  ".",  "," };

/* The type that C gives a decimal constant, or, when not @decimal, one in another base. */
static struct expr_type type_of(uint64_t number, bool decimal, bool is_unsigned, bool is_long)
{
	struct expr_type t = { 4, !is_unsigned };

	if (is_long || number > UINT32_MAX || (decimal && !is_unsigned && number > INT32_MAX))
		t.size = 8;
	else if (!is_unsigned && number > INT32_MAX)
		t.is_signed = false;
	if (t.size == 8 && number > INT64_MAX)
		t.is_signed = false;
	return t;
}

static void read_number(const char *text, size_t *at, struct token *token)
{
	bool is_unsigned = false, is_long = false, decimal;
	char *end;

	errno = 0;
	decimal = text[*at] != '0';
	token->number = strtoull(text + *at, &end, 0);
	for (;; end++) {
		if (*end == 'u' || *end == 'U')
			is_unsigned = true;
		else if (*end == 'l' || *end == 'L')
			is_long = true;
		else
			break;
	}
	token->kind = TOKEN_NUMBER;
	token->type = type_of(token->number, decimal, is_unsigned, is_long);
	if (errno || isalnum((unsigned char)*end) || *end == '_' || *end == '.') {
		token->kind = TOKEN_WRONG;
		token->what = errno ? "this number does not fit into 64 bits"
				    : "this is no whole number";
	}
	*at = end - text;
}

/* What globs know: behind a backslash it is itself, which is for these to see. */
#define SPECIAL "*?[]\\"

/*
 * Reads one character, or what a backslash makes of it, to @to; what is special goes there with its
 * backslash. Returns how many characters that are, 0 behind a backslash that means nothing.
 */
static size_t read_character(const char *text, size_t *at, char *to)
{
	static const char from[] = "ntr'\"", means[] = "\n\t\r'\"";
	const char *found;

	to[0] = text[(*at)++];
	if (to[0] != '\\')
		return 1;
	to[1] = text[*at];
	if (!to[1])
		return 0;
	++*at;
	if (strchr(SPECIAL, to[1]))
		return 2;
	found = strchr(from, to[1]);
	if (found)
		to[0] = means[found - from];
	return !!found;
}

void text_unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (*text == '\\')
			text++;
		*to++ = *text;
	}
	*to = 0;
}

static void read_text(const char *text, size_t *at, struct token *token)
{
	char quote = text[(*at)++];
	size_t length = 0, more;

	token->kind = TOKEN_WRONG;
	token->what = "this string has no end";
	/* What ends a string may be spoken of by itself. */
	if (quote == '\'' && !strncmp(text + *at, "\\0'", 3)) {
		*at += 3;
		token->kind = TOKEN_NUMBER;
		token->number = 0;
		token->type = (struct expr_type){ 4, true };
		return;
	}
	while (text[*at] && text[*at] != quote) {
		if (length + (text[*at] == '\\') >= sizeof(token->text) - 1) {
			token->what = "a string is at most 127 characters long";
			return;
		}
		more = read_character(text, at, &token->text[length]);
		if (!more) {
			token->what = "a backslash is before what needs none";
			return;
		}
		length += more;
	}
	if (!text[*at])
		return;
	++*at;
	token->text[length] = 0;
	token->kind = TOKEN_TEXT;
	if (quote == '"')
		return;
	/* A character's value is an int, as in C. */
	text_unescape(token->text);
	token->kind = strlen(token->text) == 1 ? TOKEN_NUMBER : TOKEN_WRONG;
	token->what = "in single quotes there is one character";
	token->number = (int64_t)(signed char)token->text[0];
	token->type = (struct expr_type){ 4, true };
}

static void read_name(const char *text, size_t *at, struct token *token)
{
	size_t length = 0;

	while (isalnum((unsigned char)text[*at + length]) || text[*at + length] == '_')
		length++;
	token->kind = TOKEN_NAME;
	if (length >= sizeof(token->text)) {
		token->kind = TOKEN_WRONG;
		token->what = "this name is too long";
	} else {
		memcpy(token->text, text + *at, length);
		token->text[length] = 0;
	}
	*at += length;
}

static void read_sign(const char *text, size_t *at, struct token *token)
{
	unsigned int i;

	for (i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
		size_t length = strlen(signs[i]);

		if (strncmp(text + *at, signs[i], length))
			continue;
		token->kind = TOKEN_SIGN;
		strcpy(token->text, signs[i]);
		*at += length;
		return;
	}
	token->kind = TOKEN_WRONG;
	token->what = text[*at] == '=' ? "`=` does not compare, `==` does"
				       : "this does not belong into an expression";
}

void next_token(const char *text, size_t *at, struct token *token)
{
	memset(token, 0, sizeof(*token));
	*at += strspn(text + *at, " \t\n");
	token->at = *at;
	if (!text[*at])
		return;
	if (isdigit((unsigned char)text[*at]))
		read_number(text, at, token);
	else if (text[*at] == '"' || text[*at] == '\'')
		read_text(text, at, token);
	else if (isalpha((unsigned char)text[*at]) || text[*at] == '_')
		read_name(text, at, token);
	else
		read_sign(text, at, token);
}
