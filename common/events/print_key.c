// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "events/print_key.h"

/* Flags, width and precision are so long at most, with a NUL. */
#define FLAGS_ROOM 8

/* A format, taken apart: from `begin` to `end`, with its conversion from `at` to `behind`. */
struct format {
	const char *begin, *at, *behind, *end;
	char flags[FLAGS_ROOM];
	char letter;
};

/* Finds the format in @text, between its quotes. False: there is none. */
static bool find(struct format *f, const char *text)
{
	static const char call[] = "printf(";
	bool called = !strncmp(text, call, strlen(call));
	const char *rest;

	/* The quotes around a whole value are not part of it. */
	f->begin = text;
	f->end = text + strlen(text);
	if (!called)
		return true;
	f->begin += strlen(call) + 1;
	if (f->begin[-1] != '"')
		return false;
	f->end = strchr(f->begin, '"');
	if (!f->end)
		return false;
	rest = f->end + 1;
	if (*rest++ != ',')
		return false;
	rest += strspn(rest, " ");
	return !strcmp(rest, "key)");
}

/* The next conversion in @f from @at on, or its end. %% is none. */
static const char *next(const struct format *f, const char *at)
{
	for (; at < f->end; at++) {
		if (*at == '%' && at[1] != '%')
			return at;
		at += *at == '%';
	}
	return f->end;
}

/* Returns NULL or what is wrong with @text. */
static const char *take_apart(struct format *f, const char *text)
{
	static const char usage[] =
		"printkey= is printf(\"FORMAT\", key) or \"FORMAT\", where FORMAT "
		"has one of %d %u %x %X %o %c";
	size_t length;

	if (!find(f, text))
		return usage;
	f->at = next(f, f->begin);
	if (f->at == f->end)
		return usage;
	length = strspn(f->at + 1, "-+ #0123456789.");
	if (length >= FLAGS_ROOM)
		return "printkey= has a conversion that is too long";
	memcpy(f->flags, f->at + 1, length);
	f->flags[length] = 0;
	/* How long the number is, we know. */
	f->behind = f->at + 1 + length;
	f->behind += strspn(f->behind, "hlqjzt");
	f->letter = *f->behind++;
	if (!f->letter || !strchr("diuxXoc", f->letter) || next(f, f->behind) != f->end)
		return usage;
	return NULL;
}

const char *print_key_check(const char *text)
{
	struct format f;

	return take_apart(&f, text);
}

/* Appends what stands from @from to @to, where %% is a %. */
static void append(char *buf, const char *from, const char *to)
{
	size_t used = strlen(buf);

	for (; from < to && used + 1 < PRINTED_KEY; from++) {
		buf[used++] = *from;
		from += *from == '%';
	}
	buf[used] = 0;
}

/* What C has of @number, of @size bytes, where no sign is shown. */
static uint64_t without_sign(uint64_t number, unsigned int size)
{
	return size < sizeof(number) ? number & ((1ULL << 8 * size) - 1) : number;
}

const char *print_key(char *buf, const char *text, uint64_t number, unsigned int size)
{
	char one[FLAGS_ROOM + 4], *to;
	struct format f;

	buf[0] = 0;
	if (take_apart(&f, text))
		return buf;
	append(buf, f.begin, f.at);
	to = buf + strlen(buf);
	if (f.letter == 'c') {
		snprintf(one, sizeof(one), "%%%sc", f.flags);
		snprintf(to, PRINTED_KEY - (to - buf), one, (int)number);
	} else {
		if (strchr("uxXo", f.letter))
			number = without_sign(number, size);
		snprintf(one, sizeof(one), "%%%sll%c", f.flags, f.letter);
		snprintf(to, PRINTED_KEY - (to - buf), one, (unsigned long long)number);
	}
	append(buf, f.behind, f.end);
	return buf;
}
