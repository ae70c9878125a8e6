/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an event's printkey= says: "FORMAT" or printf("FORMAT", key), as printf() takes it, with one
 * conversion of a number.
 */
#ifndef COMMON_EVENTS_PRINT_KEY_H
#define COMMON_EVENTS_PRINT_KEY_H

#include <stdint.h>

/* Room for a key that is printed; what is longer is cut off. */
#define PRINTED_KEY 128

/* NULL: @text will do; else what is wrong with it. */
const char *print_key_check(const char *text);

/*
 * Prints @number, of a type of @size bytes, as @text, which will do, says; returns @buf, of PRINTED_KEY
 * bytes.
 */
const char *print_key(char *buf, const char *text, uint64_t number, unsigned int size);

#endif
