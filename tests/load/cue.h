/* SPDX-License-Identifier: GPL-2.0-only */
/* How a load with --wait is told by its test to go on. */
#ifndef LOAD_CUE_H
#define LOAD_CUE_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Says a line, then waits for one on standard input; ends with status 1 if there is none. */
__attribute__((format(printf, 1, 2))) static inline void await_line(const char *say, ...)
{
	char line[16];
	va_list args;

	va_start(args, say);
	vprintf(say, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		exit(1);
}

#endif
