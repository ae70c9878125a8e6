/* SPDX-License-Identifier: GPL-2.0-only */
/* The words of an expression. */
#ifndef COMMON_EXPR_LEX_H
#define COMMON_EXPR_LEX_H

#include "expr.h"

/* Of a name, and of a string without its quotes. */
#define TOKEN_MOST_TEXT 127

enum token_kind {
	TOKEN_END,
	TOKEN_NUMBER,
	TOKEN_TEXT,
	TOKEN_NAME,
	TOKEN_SIGN,  /* an operator or bracket, in `text` */
	TOKEN_WRONG, /* `what` says why */
};

struct token {
	enum token_kind kind;
	size_t at;
	char text[TOKEN_MOST_TEXT +
		  1]; /* a name or sign; a string as globs have it: without quotes */
	uint64_t number;
	struct expr_type type; /* of a number, as C has it */
	const char *what;
};

/* The next one of @text from @at on; sets @at to what is behind it. */
void next_token(const char *text, size_t *at, struct token *token);

/* Makes of a string as globs have it the characters that it stands for. */
void text_unescape(char *text);

#endif
