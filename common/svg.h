/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMMON_SVG_H
#define COMMON_SVG_H

/*
 * What the SVG pictures share: text that is safe to show, text that is cut to a width, and
 * the arithmetic of places and colours.
 *
 * A picture shows names that come out of other people's binaries. They pass two gates: each
 * is cleaned once, when it comes in (svg_clean()), and escaped wherever it is written
 * (svg_text()). Names are only ever written as character data, never into an attribute, a
 * style or a script.
 *
 * Coordinates are integers, in hundredths of a pixel. That keeps pictures the same byte for
 * byte on every machine and in every locale: printf("%.2f") writes "1,50" in some.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Hundredths of a pixel in a pixel. */
#define SVG_PX 100

/*
 * Copies @text to @dst (room for SVG_CLEAN_ROOM(strlen(text)) bytes) with everything that is
 * not valid UTF-8, every control character, and what would reorder the text around it (bidi
 * controls, line separators), replaced by U+FFFD. Returns the length, without the final NUL.
 */
#define SVG_CLEAN_ROOM(len) (3 * (len) + 1)
size_t svg_clean(char *dst, const char *text);

/* A cleaned copy that the caller frees; of "" for NULL. NULL when memory is short. */
char *svg_clean_dup(const char *text);

/* Writes cleaned text as XML character data. svg_text() writes all of it. */
void svg_text(FILE *f, const char *text);
void svg_text_len(FILE *f, const char *text, size_t len);

/*
 * How many of the @len bytes of cleaned @text to show in @columns columns of a fixed-width font,
 * where a CJK character or an emoji takes two. When that is fewer than @len, an ellipsis, for
 * which a column is kept, is to follow. 0 where fewer than three characters would be left
 * of a longer text: that tells nobody anything.
 */
size_t svg_fit(const char *text, size_t len, size_t columns);

/* Writes what svg_fit() returns, and the ellipsis. */
void svg_text_fit(FILE *f, const char *text, size_t len, size_t columns);

/* Writes a coordinate given in hundredths of a pixel: "12", "12.5", "12.34". */
void svg_px(FILE *f, int64_t hundredths);

/* @value * @to / @from, rounded down, without overflow on the way. 0 where @from is 0. */
uint64_t svg_scale(uint64_t value, uint64_t from, uint64_t to);

/* The logarithm to base 2 of @value, in units of 1/65536. @value 0 counts as one half. */
int64_t svg_log2(uint64_t value);

/* Prints "12.34%" into @buf of QUANTITY_LEN bytes (quantity.h) and returns it. */
char *svg_percent(char *buf, uint64_t part, uint64_t whole);

/* A colour, 0xRRGGBB, @part/@whole of the way through the @n anchors at evenly spaced places. */
uint32_t svg_color(const uint32_t *anchors, size_t n, unsigned int part, unsigned int whole);

/*
 * Flushes. Returns 0, or a negative errno when anything written to @f so far was lost; the
 * caller still owns @f.
 */
int svg_flush(FILE *f);

#endif
