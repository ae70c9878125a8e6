// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include "utf8.h"

#define REPLACEMENT "\xef\xbf\xbd"

size_t utf8_length(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned long point;
	size_t length, i;

	if (s[0] < 0x80)
		return s[0] ? 1 : 0;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		length = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		length = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		length = 4;
	else
		return 0;
	point = s[0] & (0x7f >> length);
	for (i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (s[i] & 0x3f);
	}
	if ((length == 3 && point < 0x800) || (point >= 0xd800 && point <= 0xdfff) ||
	    (length == 4 && point < 0x10000) || point > 0x10ffff)
		return 0;
	return length;
}

/* C0, DEL and C1; the latter are two bytes in UTF-8. */
static bool is_control(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	return s[0] < 0x20 || s[0] == 0x7f || (s[0] == 0xc2 && s[1] >= 0x80 && s[1] <= 0x9f);
}

size_t utf8_clean(char *buf, size_t size, const char *text, bool printable)
{
	size_t used = 0, characters = 0;

	while (*text) {
		size_t length = utf8_length(text), skip = length ? length : 1;
		const char *shown = text;

		if (!length) {
			shown = REPLACEMENT;
			length = strlen(REPLACEMENT);
		} else if (printable && is_control(text)) {
			shown = "?";
			length = 1;
		}
		if (used + length >= size)
			break;
		memcpy(buf + used, shown, length);
		used += length;
		characters++;
		text += skip;
	}
	buf[used] = 0;
	return characters;
}
