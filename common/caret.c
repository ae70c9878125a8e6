// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>
#include "caret.h"
#include "utf8.h"

/* So many characters of a line are shown. */
#define MOST_SHOWN 90

#define INDENT	   "  "
#define CUT	   "..."

/* What is at @text: the length of its character, which is one byte if it is none. */
static size_t character(const char *text)
{
	size_t length = utf8_length(text);

	return length ? length : 1;
}

/* How many characters there are in @length bytes. */
static size_t characters(const char *text, size_t length)
{
	size_t count = 0, at = 0;

	for (; at < length; at += character(text + at))
		count++;
	return count;
}

/* Skips @count characters, not beyond @end. */
static const char *skip(const char *text, const char *end, size_t count)
{
	while (count-- && text < end)
		text += character(text);
	return text < end ? text : end;
}

/* Appends, as far as there is room. */
static void append(char *buf, size_t size, const char *text)
{
	size_t used = strlen(buf);

	if (used + 1 < size)
		snprintf(buf + used, size - used, "%s", text);
}

/* One character for each of the line's: what would steer a terminal is a space. */
static void append_line(char *buf, size_t size, const char *line, const char *end)
{
	char one[16], clean[16];
	size_t length;

	for (; line < end; line += length) {
		length = character(line);
		snprintf(one, sizeof(one), "%.*s", (int)length, line);
		utf8_clean(clean, sizeof(clean), one, false);
		if ((unsigned char)*line < ' ' || *line == 0x7f)
			strcpy(clean, " ");
		append(buf, size, clean);
	}
}

void caret_lines(char *buf, size_t size, const char *text, size_t at)
{
	size_t length = strlen(text), place, before, i;
	const char *line = text, *end, *from;

	if (at > length)
		at = length;
	for (from = text; from < text + at; from++) {
		if (*from == '\n')
			line = from + 1;
	}
	end = line + strcspn(line, "\n");
	place = characters(line, text + at - line);
	/* Of a long line, what is around the place. */
	before = place > MOST_SHOWN * 2 / 3 ? place - MOST_SHOWN * 2 / 3 : 0;
	from = skip(line, end, before);
	snprintf(buf, size, INDENT "%s", before ? CUT : "");
	line = from;
	from = skip(from, end, MOST_SHOWN);
	append_line(buf, size, line, from);
	append(buf, size, from < end ? CUT "\n" INDENT : "\n" INDENT);
	for (i = 0; i < place - before + (before ? strlen(CUT) : 0); i++)
		append(buf, size, " ");
	append(buf, size, "^");
}
