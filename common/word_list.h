/* SPDX-License-Identifier: GPL-2.0-only */
/* Lists as the command line has them: words with commas between them. */
#ifndef COMMON_WORD_LIST_H
#define COMMON_WORD_LIST_H

#include <stdbool.h>
#include <string.h>

/* Is @word one of @list, which may be NULL? */
static inline bool list_has(const char *list, const char *word)
{
	size_t length = strlen(word), n;

	for (; list && *list; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		if (n == length && !strncmp(list, word, n))
			return true;
	}
	return false;
}

#endif
