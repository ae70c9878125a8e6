// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each character that a pattern stands for (a `?` and a set are one, a `*` is none) moves the
 * automaton on by one position, that is one bit. A pattern with n of them has n + 1 positions; the
 * patterns' positions follow each other. A pattern's first position cannot be moved to, because no
 * step leads there.
 */
#include <errno.h>
#include <string.h>
#include "comm_glob.h"

/* Puts the characters of the set behind `[` into @set; returns what follows its `]`, or NULL. */
static const char *scan_set(const char *p, bool set[256])
{
	bool invert = *p == '!' || *p == '^';
	const char *first;
	int c;

	memset(set, 0, 256 * sizeof(*set));
	if (invert)
		p++;
	/* A `]` that comes first stands for itself. */
	for (first = p; *p && (*p != ']' || p == first); p++) {
		unsigned char from, to;

		if (*p == '\\' && p[1])
			p++;
		from = to = *p;
		if (p[1] == '-' && p[2] && p[2] != ']') {
			p += 2;
			if (*p == '\\' && p[1])
				p++;
			to = *p;
		}
		for (c = from; c <= to; c++)
			set[c] = true;
	}
	if (*p != ']')
		return NULL;
	for (c = 0; invert && c < 256; c++)
		set[c] = !set[c];
	return p + 1;
}

int comm_glob_compile(const char *patterns, struct comm_glob *glob)
{
	unsigned int at = 0, c;
	const char *p = patterns;

	memset(glob, 0, sizeof(*glob));
	for (;;) {
		const char *first = p;

		if (at > 63)
			return -E2BIG;
		glob->start |= 1ULL << at;
		while (*p && *p != ',') {
			bool set[256] = {};

			if (*p == '*') {
				glob->stay |= 1ULL << at;
				p++;
				continue;
			}
			if (*p == '?') {
				memset(set, true, sizeof(set));
				p++;
			} else if (*p == '[') {
				p = scan_set(p + 1, set);
				if (!p)
					return -EINVAL;
			} else {
				if (*p == '\\' && p[1])
					p++;
				set[(unsigned char)*p++] = true;
			}
			if (++at > 63)
				return -E2BIG;
			for (c = 0; c < 256; c++)
				glob->step[c] |= (__u64)set[c] << at;
		}
		if (p == first)
			return -EINVAL;
		glob->accept |= 1ULL << at;
		if (!*p)
			return 0;
		p++;
		at++;
	}
}

bool comm_glob_match(const struct comm_glob *glob, const char *name)
{
	__u64 at = glob->start;

	for (; *name; name++)
		at = ((at << 1) & glob->step[(unsigned char)*name]) | (at & glob->stay);
	return at & glob->accept;
}
