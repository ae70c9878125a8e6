/* SPDX-License-Identifier: GPL-2.0-only */
/* For the tests of the shim: fixtures, other tools' answers, processes to look at. */
#ifndef BLAZESYM_TEST_HELPERS_H
#define BLAZESYM_TEST_HELPERS_H

/* cmocka wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "blazesym.h"

/* The path of a fixture, absolute. */
const char *fixture(const char *name);
/* The path of a fixture's source. */
const char *source(const char *name);

/* The first line of a command's output, without newline; "" if it has none. Good for some calls. */
const char *output_of(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Run a command; fails the test if it fails. */
void run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The address nm gives for a symbol; fails the test if there is none. */
uint64_t nm_addr(const char *file, const char *symbol);
/* The size nm gives. */
uint64_t nm_size(const char *file, const char *symbol);
/* The line in a fixture's source that has "line: @marker". */
unsigned int source_line(const char *name, const char *marker);

/* A process from a fixture that writes two addresses and waits. */
struct child {
	pid_t pid;
	int in; /* closing it ends the process */
	int out;
	uint64_t addr;
	uint64_t shared_addr;
};

/* Run @path. @setup, if not NULL, runs in the child before; false from it ends the child. */
void child_start(struct child *child, const char *path, bool (*setup)(void *), void *arg);
/* End it and wait for it. */
void child_end(struct child *child);

/* A symbolizer with these; fails the test if there is none. */
blaze_symbolizer *symbolizer(bool code_info, bool inlined_fns, bool demangle);
/* One address of an ELF file. Free the result. */
const struct blaze_syms *elf_addr(blaze_symbolizer *symbolizer, const char *path, bool debug_syms,
				  uint64_t addr);
/* One address of a process. Free the result. */
const struct blaze_syms *process_addr(blaze_symbolizer *symbolizer, pid_t pid, uint64_t addr);

/* That @addr in @path is @name + @offset; NULL @name: nothing, for @reason. */
void expect_elf(blaze_symbolizer *symbolizer, const char *path, uint64_t addr, const char *name,
		uint64_t offset);
void expect_no_elf(blaze_symbolizer *symbolizer, const char *path, uint64_t addr,
		   blaze_symbolize_reason reason);

/* Ends the test, as one that cannot be had here, and says why. */
static inline void pass_over(const char *why)
{
	print_message("%s\n", why);
	skip();
}

#endif /* BLAZESYM_TEST_HELPERS_H */
