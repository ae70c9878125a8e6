// SPDX-License-Identifier: GPL-2.0-only
/* What the SVG pictures share; see svg.h. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "quantity.h"
#include "svg.h"
#include "utf8.h"

#define ELLIPSIS    "\xe2\x80\xa6" /* U+2026 */
#define FEWEST	    4		   /* columns of a text that is cut */
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* The length and the code point of the UTF-8 sequence at @text; 0 where it is none. */
static size_t decode(const char *text, uint32_t *code)
{
	size_t len = utf8_length(text), i;

	*code = (unsigned char)text[0];
	if (len > 1)
		*code &= 0x7f >> len;
	for (i = 1; i < len; i++)
		*code = *code << 6 | (text[i] & 0x3f);
	return len;
}

static bool showable(uint32_t code)
{
	if (code < 0x20 || (code >= 0x7f && code < 0xa0))
		return false; /* C0 and C1 controls: not XML, and a terminal would obey them */
	if ((code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e))
		return false; /* zero width, bidi marks, line separators, bidi embeddings */
	if ((code >= 0x2060 && code <= 0x206f) || code == 0xfeff || code == 0x61c)
		return false; /* invisible operators, bidi isolates, byte order mark */
	if ((code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) == 0xfffe)
		return false; /* noncharacters */
	return true;
}

size_t svg_clean(char *dst, const char *text)
{
	char *d = dst;

	while (*text) {
		uint32_t code;
		size_t len = decode(text, &code);
		bool show = len && showable(code);
		size_t shown = show ? len : strlen(REPLACEMENT);

		memcpy(d, show ? text : REPLACEMENT, shown);
		d += shown;
		text += len ? len : 1;
	}
	*d = '\0';
	return d - dst;
}

char *svg_clean_dup(const char *text)
{
	char *copy;

	if (!text)
		text = "";
	copy = malloc(SVG_CLEAN_ROOM(strlen(text)));
	if (copy)
		svg_clean(copy, text);
	return copy;
}

void svg_text_len(FILE *f, const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		size_t plain = 0;

		while (text + plain < end && !strchr("&<>\"'", text[plain]))
			plain++;
		fwrite(text, 1, plain, f);
		text += plain;
		if (text == end)
			break;
		switch (*text++) {
		case '&':
			fputs("&amp;", f);
			break;
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '"':
			fputs("&quot;", f);
			break;
		case '\'':
			fputs("&#39;", f);
			break;
		}
	}
}

void svg_text(FILE *f, const char *text)
{
	svg_text_len(f, text, strlen(text));
}

/* The blocks that fixed-width fonts draw two columns wide, near enough to cut a label by. */
static bool wide(uint32_t code)
{
	return code >= 0x1100 &&
	       (code <= 0x115f || (code >= 0x2e80 && code <= 0xa4cf) ||
		(code >= 0xac00 && code <= 0xd7a3) || (code >= 0xf900 && code <= 0xfaff) ||
		(code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60) ||
		(code >= 0xffe0 && code <= 0xffe6) || (code >= 0x1f300 && code <= 0x1faff) ||
		(code >= 0x20000 && code <= 0x3fffd));
}

size_t svg_fit(const char *text, size_t len, size_t columns)
{
	size_t used = 0, keep = 0, pos = 0;

	while (pos < len) {
		uint32_t code;
		size_t bytes = decode(text + pos, &code);

		used += wide(code) ? 2 : 1;
		pos += bytes ? bytes : 1;
		if (used < columns)
			keep = pos;
		if (used > columns)
			return columns < FEWEST ? 0 : keep;
	}
	return len;
}

void svg_text_fit(FILE *f, const char *text, size_t len, size_t columns)
{
	size_t fits = svg_fit(text, len, columns);

	svg_text_len(f, text, fits);
	if (fits && fits < len)
		fputs(ELLIPSIS, f);
}

void svg_px(FILE *f, int64_t hundredths)
{
	uint64_t n = hundredths;

	if (hundredths < 0) {
		fputc('-', f);
		n = -n;
	}
	fprintf(f, "%" PRIu64, n / SVG_PX);
	n %= SVG_PX;
	if (n % 10)
		fprintf(f, ".%02" PRIu64, n);
	else if (n)
		fprintf(f, ".%" PRIu64, n / 10);
}

uint64_t svg_scale(uint64_t value, uint64_t from, uint64_t to)
{
	return from ? (unsigned __int128)value * to / from : 0;
}

int64_t svg_log2(uint64_t value)
{
	int64_t log;
	uint64_t m;
	int i;

	if (!value)
		return -65536;
	log = 63 - __builtin_clzll(value);
	/* The mantissa, in [1, 2) as a 32-bit fraction; squaring it yields a bit a time. */
	m = (log >= 32 ? value >> (log - 32) : value << (32 - log));
	for (i = 0; i < 16; i++) {
		m = (unsigned __int128)m * m >> 32;
		log <<= 1;
		if (m >> 33) {
			m >>= 1;
			log |= 1;
		}
	}
	return log;
}

char *svg_percent(char *buf, uint64_t part, uint64_t whole)
{
	uint64_t n = whole ? ((unsigned __int128)part * 10000 + whole / 2) / whole : 0;

	snprintf(buf, QUANTITY_LEN, "%" PRIu64 ".%02" PRIu64 "%%", n / 100, n % 100);
	return buf;
}

uint32_t svg_color(const uint32_t *anchors, size_t n, unsigned int part, unsigned int whole)
{
	unsigned int place = whole ? part * (n - 1) : 0;
	unsigned int i = whole ? place / whole : 0;
	uint32_t color = 0;
	int shift;

	if (i + 1 >= n)
		return anchors[n - 1];
	for (shift = 0; shift <= 16; shift += 8) {
		int from = anchors[i] >> shift & 0xff;
		int to = anchors[i + 1] >> shift & 0xff;
		int step = whole ? (int)(place % whole) * (to - from) / (int)whole : 0;

		color |= (uint32_t)(from + step) << shift;
	}
	return color;
}

int svg_flush(FILE *f)
{
	/* After an error, each write that was to follow failed too and set errno. */
	if (fflush(f) == EOF || ferror(f))
		return errno ? -errno : -EIO;
	return 0;
}
