// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include "events/kind.h"
#include "utf8.h"
#include "writer.h"

char *writer_room(struct writer *w, size_t size)
{
	if (w->room - w->used < size) {
		w->room = 2 * w->room + size + 4096;
		w->text = event_have(realloc(w->text, w->room));
	}
	return w->text + w->used;
}

void writer_free(struct writer *w)
{
	free(w->text);
	memset(w, 0, sizeof(*w));
}

#define MOST_DIGITS 20

void write_padded(struct writer *w, uint64_t number, unsigned int width)
{
	char digits[MOST_DIGITS], *at = digits + sizeof(digits);

	do {
		*--at = '0' + number % 10;
		number /= 10;
	} while (number);
	while (at > digits && (size_t)(digits + sizeof(digits) - at) < width)
		*--at = '0';
	write_bytes(w, at, digits + sizeof(digits) - at);
}

void write_unsigned(struct writer *w, uint64_t number)
{
	write_padded(w, number, 1);
}

void write_signed(struct writer *w, int64_t number)
{
	if (number < 0)
		write_char(w, '-');
	write_padded(w, number < 0 ? -(uint64_t)number : (uint64_t)number, 1);
}

void write_hex(struct writer *w, uint64_t number)
{
	char digits[16], *at = digits + sizeof(digits);

	do {
		*--at = "0123456789abcdef"[number & 15];
		number >>= 4;
	} while (number);
	write_bytes(w, at, digits + sizeof(digits) - at);
}

static size_t plain_length(const char *bytes, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		if (bytes[i] < ' ' || bytes[i] > '~' || bytes[i] == '"' || bytes[i] == '\\')
			break;
	}
	return i;
}

/* Nearly all text is plain. Puts what is not through utf8_clean(): the caller's to free. */
static char *cleaned(const char *bytes, size_t size, bool printable)
{
	char *text = event_have(malloc(size + 1)), *clean = event_have(malloc(3 * size + 1));

	memcpy(text, bytes, size);
	text[size] = 0;
	utf8_clean(clean, 3 * size + 1, text, printable);
	free(text);
	return clean;
}

void write_printable(struct writer *w, const char *bytes, size_t size)
{
	char *clean;

	size = strnlen(bytes, size);
	if (plain_length(bytes, size) == size) {
		write_bytes(w, bytes, size);
		return;
	}
	clean = cleaned(bytes, size, true);
	write_text(w, clean);
	free(clean);
}

static void write_escaped(struct writer *w, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\') {
			write_char(w, '\\');
			write_char(w, *text);
		} else if ((unsigned char)*text < ' ') {
			write_text(w, "\\u00");
			write_char(w, "01"[*text >> 4]);
			write_char(w, "0123456789abcdef"[*text & 15]);
		} else {
			write_char(w, *text);
		}
	}
}

void write_quoted(struct writer *w, const char *bytes, size_t size, bool printable)
{
	char *clean;

	size = strnlen(bytes, size);
	write_char(w, '"');
	if (plain_length(bytes, size) == size) {
		write_bytes(w, bytes, size);
	} else {
		clean = cleaned(bytes, size, printable);
		write_escaped(w, clean);
		free(clean);
	}
	write_char(w, '"');
}

void write_right(struct writer *w, const char *text, size_t size, size_t width)
{
	size = strnlen(text, size);
	for (; width > size; width--)
		write_char(w, ' ');
	write_printable(w, text, size);
}
