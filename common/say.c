// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "say.h"
#include "utf8.h"

static const char *name = "bpf-prof";
static bool verbose, quiet;

void say_setup(const char *unit, bool be_verbose, bool be_quiet)
{
	name = unit;
	verbose = be_verbose;
	quiet = be_quiet;
}

bool say_is_verbose(void)
{
	return verbose;
}

/* One write a line, so that lines of several processes do not mix, and nothing but text. */
static void say(const char *format, va_list args)
{
	char line[1024], clean[1024];
	int length = snprintf(line, sizeof(line), "%s: ", name);

	vsnprintf(line + length, sizeof(line) - length, format, args);
	utf8_clean(clean, sizeof(clean), line, true);
	fprintf(stderr, "%s\n", clean);
}

void say_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
}

void say_error_lines(const char *text)
{
	size_t length = strcspn(text, "\n");

	say_error("%.*s", (int)length, text);
	while (text[length]) {
		char line[1024], clean[1024];

		text += length + 1;
		length = strcspn(text, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)length, text);
		utf8_clean(clean, sizeof(clean), line, true);
		fprintf(stderr, "%s\n", clean);
	}
}

void say_note(const char *format, ...)
{
	va_list args;

	if (quiet)
		return;
	va_start(args, format);
	say(format, args);
	va_end(args);
}

void say_detail(const char *format, ...)
{
	va_list args;

	if (!verbose)
		return;
	va_start(args, format);
	say(format, args);
	va_end(args);
}
