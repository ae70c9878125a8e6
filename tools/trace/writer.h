/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text that is put together piece by piece, fast: there may be a million lines a second, so nothing here
 * goes through formats.
 */
#ifndef TRACE_WRITER_H
#define TRACE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct writer {
	char *text;
	size_t used, room;
};

/* Makes room for @size more bytes and returns where they go. Out of memory ends the process. */
char *writer_room(struct writer *w, size_t size);

static inline void write_bytes(struct writer *w, const char *bytes, size_t size)
{
	memcpy(writer_room(w, size), bytes, size);
	w->used += size;
}

static inline void write_char(struct writer *w, char c)
{
	*writer_room(w, 1) = c;
	w->used++;
}

static inline void write_text(struct writer *w, const char *text)
{
	write_bytes(w, text, strlen(text));
}

/* In decimal; with at least @width digits, zeros first. */
void write_padded(struct writer *w, uint64_t number, unsigned int width);
void write_unsigned(struct writer *w, uint64_t number);
void write_signed(struct writer *w, int64_t number);

/* In hexadecimal, without "0x". */
void write_hex(struct writer *w, uint64_t number);

/* At most @size bytes of @bytes up to a NUL, as a terminal can show them. */
void write_printable(struct writer *w, const char *bytes, size_t size);

/* The same as a JSON string, with its quotes; all characters, or with @printable those a terminal can show. */
void write_quoted(struct writer *w, const char *bytes, size_t size, bool printable);

/* @text to the right of @width columns. */
void write_right(struct writer *w, const char *text, size_t size, size_t width);

void writer_free(struct writer *w);

#endif
