// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include "glob.h"
#include "lex.h"

int glob_compile(const char *pattern, struct comm_glob *glob)
{
	char escaped[2 * TOKEN_MOST_TEXT + 1];
	size_t n = 0;

	/* Commas are between the patterns of a list there. */
	for (; *pattern; pattern++) {
		if (n + 3 > sizeof(escaped))
			return -E2BIG;
		if (*pattern == ',')
			escaped[n++] = '\\';
		else if (*pattern == '\\' && pattern[1])
			escaped[n++] = *pattern++;
		escaped[n++] = *pattern;
	}
	escaped[n] = 0;
	return comm_glob_compile(escaped, glob);
}

const char *glob_wrong(const char *pattern)
{
	char plain[TOKEN_MOST_TEXT + 1];
	struct comm_glob glob;
	bool open;

	if (glob_is_plain(pattern, plain, sizeof(plain), &open))
		return NULL;
	switch (glob_compile(pattern, &glob)) {
	case 0:
		return NULL;
	case -E2BIG:
		return "this glob stands for more than 63 characters";
	default:
		return "this glob has a `[` without its `]`";
	}
}

bool glob_matches(const char *pattern, const char *text)
{
	char plain[TOKEN_MOST_TEXT + 1];
	struct comm_glob glob;
	bool open;

	if (glob_is_plain(pattern, plain, sizeof(plain), &open))
		return open ? !strncmp(plain, text, strlen(plain)) : !strcmp(plain, text);
	return !glob_compile(pattern, &glob) && comm_glob_match(&glob, text);
}

bool glob_is_plain(const char *pattern, char *plain, size_t size, bool *open)
{
	size_t n = 0;

	for (; *pattern && *pattern != '*'; pattern++) {
		if (*pattern == '?' || *pattern == '[')
			return false;
		if (*pattern == '\\' && pattern[1])
			pattern++;
		if (n + 1 >= size)
			return false;
		plain[n++] = *pattern;
	}
	plain[n] = 0;
	*open = *pattern == '*';
	return !pattern[strspn(pattern, "*")];
}
