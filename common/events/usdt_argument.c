// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "events/registers.h"
#include "events/usdt_argument.h"

bool usdt_argument_next(const char **text, const char **argument, size_t *length)
{
	unsigned int depth = 0;
	const char *p = *text;

	while (*p == ' ')
		p++;
	*argument = p;
	/* arm64 has spaces in brackets. */
	for (; *p && (depth || *p != ' '); p++) {
		if (*p == '[' || *p == '(')
			depth++;
		else if (depth && (*p == ']' || *p == ')'))
			depth--;
	}
	*length = p - *argument;
	*text = p;
	return *length;
}

/* A text that is being taken apart. */
struct scan {
	const char *p, *end;
	const struct usdt_probe *probe;
};

static bool skip(struct scan *s, char c)
{
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

static void skip_spaces(struct scan *s)
{
	while (skip(s, ' '))
		;
}

/* A whole number, with a sign or without. */
static bool number(struct scan *s, int64_t *value)
{
	char *end;

	if (s->p == s->end || !(isdigit((unsigned char)*s->p) || *s->p == '-' || *s->p == '+'))
		return false;
	errno = 0;
	*value = *s->p == '-' ? strtoll(s->p, &end, 0) : (int64_t)strtoull(s->p, &end, 0);
	if (errno || end == s->p || end > s->end)
		return false;
	s->p = end;
	return true;
}

/* What an assembler takes as a name. */
static size_t name_length(const struct scan *s)
{
	const char *p = s->p;

	while (p < s->end && (isalnum((unsigned char)*p) || strchr("_.$", *p)))
		p++;
	return p - s->p;
}

static bool a_register(struct scan *s, unsigned int *offset, unsigned int *size)
{
	size_t length = name_length(s);

	if (!register_find(s->probe->machine, s->p, length, offset, size))
		return false;
	s->p += length;
	return true;
}

/* A register that an address is in has to be a whole one. */
static bool address_register(struct scan *s, unsigned int *offset)
{
	unsigned int size;

	return a_register(s, offset, &size) && size == 8;
}

/* "(%rax)", "(%rax,%rbx,8)" */
static bool x86_address(struct scan *s, struct expr_field *field)
{
	int64_t scale = 1;

	field->place = PLACE_USER;
	if (!skip(s, '(') || !skip(s, '%') || !address_register(s, &field->base))
		return false;
	if (skip(s, ')'))
		return true;
	if (!skip(s, ',') || !skip(s, '%') || !address_register(s, &field->index))
		return false;
	if (skip(s, ',') && !number(s, &scale))
		return false;
	field->scale = scale;
	return (scale == 1 || scale == 2 || scale == 4 || scale == 8) && skip(s, ')');
}

/*
 * "counter(%rip)", "8+counter(%rip)", "counter+8(%rip)": the assembler knows how far from the next
 * instruction that is; here it is how far from the probe.
 */
static bool x86_symbol(struct scan *s, struct expr_field *field)
{
	size_t length = name_length(s);
	const struct usdt_probe *probe = s->probe;
	int64_t behind = 0;
	uint64_t address;

	if (!length || !probe->symbol || !probe->symbol(s->p, length, &address, probe->arg))
		return false;
	s->p += length;
	if (s->p < s->end && *s->p != '(' && !number(s, &behind))
		return false;
	/* As addresses wrap around. */
	field->displacement = (uint64_t)field->displacement + behind + address - probe->address;
	return x86_address(s, field) && !field->scale && field->base == registers_of(EM_X86_64)->ip;
}

static bool x86_operand(struct scan *s, struct expr_field *field, unsigned int *size)
{
	int64_t value;

	if (skip(s, '$')) {
		field->place = PLACE_CONSTANT;
		if (!number(s, &value))
			return false;
		field->constant = value;
		return true;
	}
	if (skip(s, '%')) {
		field->place = PLACE_WORD;
		return a_register(s, &field->offset, size);
	}
	if (number(s, &field->displacement))
		skip(s, '+');
	if (s->p < s->end && *s->p != '(')
		return x86_symbol(s, field);
	/* What is at a bare displacement from %rip has no name; nobody writes that. */
	return x86_address(s, field);
}

/* "[x0]", "[sp, 12]", "[x0, x1]", "[x0, x1, lsl 3]", behind the bracket */
static bool arm64_address(struct scan *s, struct expr_field *field)
{
	int64_t shift = 0;

	field->place = PLACE_USER;
	skip_spaces(s);
	if (!address_register(s, &field->base))
		return false;
	skip_spaces(s);
	if (skip(s, ']'))
		return true;
	if (!skip(s, ','))
		return false;
	skip_spaces(s);
	if (address_register(s, &field->index)) {
		skip_spaces(s);
		if (skip(s, ',')) {
			skip_spaces(s);
			if (s->end - s->p < 4 || strncmp(s->p, "lsl ", 4))
				return false;
			s->p += 4;
			skip_spaces(s);
			skip(s, '#');
			if (!number(s, &shift) || shift < 0 || shift > 4)
				return false;
		}
		field->scale = 1 << shift;
	} else {
		skip(s, '#');
		if (!number(s, &field->displacement))
			return false;
	}
	skip_spaces(s);
	return skip(s, ']');
}

static bool arm64_operand(struct scan *s, struct expr_field *field, unsigned int *size)
{
	int64_t value;

	if (skip(s, '['))
		return arm64_address(s, field);
	skip(s, '#');
	if (number(s, &value)) {
		field->place = PLACE_CONSTANT;
		field->constant = value;
		return true;
	}
	field->place = PLACE_WORD;
	return a_register(s, &field->offset, size);
}

/* "-4@" and the like: how large the argument is, and negative if it is signed. */
static bool width(struct scan *s, struct expr_field *field)
{
	const char *at = memchr(s->p, '@', s->end - s->p);
	int64_t size;

	field->size = 0;
	if (!at)
		return true;
	if (!number(s, &size) || s->p != at)
		return false;
	s->p++;
	field->is_signed = size < 0;
	field->size = size < 0 ? -size : size;
	return field->size == 1 || field->size == 2 || field->size == 4 || field->size == 8;
}

/* A constant has its type's value. */
static uint64_t cut(uint64_t value, unsigned int size, bool is_signed)
{
	unsigned int unused = 64 - 8 * size;

	return is_signed ? (uint64_t)((int64_t)(value << unused) >> unused)
			 : value << unused >> unused;
}

bool usdt_argument_parse(const char *text, size_t length, const struct usdt_probe *probe,
			 struct expr_field *field)
{
	struct scan s = { text, text + length, probe };
	unsigned int size = 8;
	bool good;

	memset(field, 0, sizeof(*field));
	field->content = CONTENT_NUMBER;
	if (!registers_of(probe->machine) || !width(&s, field))
		return false;
	good = probe->machine == EM_X86_64 ? x86_operand(&s, field, &size)
					   : arm64_operand(&s, field, &size);
	if (!good || s.p != s.end)
		return false;
	/* Of a register that is narrower nothing is known beside it: %ah's neighbour is another. */
	if (!field->size || (field->place == PLACE_WORD && field->size > size))
		field->size = size;
	if (field->place == PLACE_CONSTANT)
		field->constant = cut(field->constant, field->size, field->is_signed);
	return true;
}

const char *usdt_argument_type(unsigned int size, bool is_signed)
{
	static const char *const types[][2] = {
		[1] = { "unsigned char", "signed char" },
		[2] = { "unsigned short", "short" },
		[4] = { "unsigned int", "int" },
		[8] = { "unsigned long", "long" },
	};

	return types[size][is_signed];
}
