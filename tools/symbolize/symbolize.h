/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of symbolize share. */
#ifndef SYMBOLIZE_H
#define SYMBOLIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <blazesym.h>
#include "report.h"

/*
 * What is at @addr, in @module (NULL: not known): lines of text, or a JSON object. What cannot be
 * printed of names is replaced.
 */
void print_text(FILE *to, uint64_t addr, const struct blaze_sym *sym, const char *module);
void print_json(FILE *to, uint64_t addr, const struct blaze_sym *sym, const char *module);

/* Reads a hexadecimal number of @length characters, with 0x in front or without. */
bool parse_address(const char *text, size_t length, uint64_t *addr);

/*
 * Answers standard input as `pprof --symbols BINARY` does; returns the exit status. Writes to @out,
 * and leaves what fails there in @out->error.
 */
int pprof_symbols(blaze_symbolizer *symbolizer, const char *binary, struct output *out);

#endif
