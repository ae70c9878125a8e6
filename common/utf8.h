/* SPDX-License-Identifier: GPL-2.0-only */
/* Names come from other programs and may hold any bytes; what we print is text. */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The length of the UTF-8 sequence that @text (ending with a NUL) starts with: 1 to 4 bytes, or 0
 * if that is not valid UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
 */
size_t utf8_length(const char *text);

/*
 * Copies @text to @buf of @size bytes: what is not valid UTF-8 becomes U+FFFD, and with @printable
 * a control character becomes a question mark, so that a name cannot steer a terminal. Cut off
 * between characters if it does not fit; 3 * strlen(text) + 1 bytes are always enough. Returns the
 * number of characters.
 */
size_t utf8_clean(char *buf, size_t size, const char *text, bool printable);

#endif
