// SPDX-License-Identifier: GPL-2.0-only
#include "field.h"

/* The number at @at; 0 where there is none. */
static uint64_t number_at(const struct field_data *from, size_t at, unsigned int size,
			  bool is_signed)
{
	unsigned int shift = 64 - 8 * size;
	uint64_t number = 0;

	if (size > 8 || at + size > from->size)
		return 0;
	memcpy((char *)&number + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 8 - size : 0),
	       from->data + at, size);
	if (is_signed && shift)
		return (int64_t)(number << shift) >> shift;
	return number;
}

static void write_number(struct writer *w, uint64_t number, bool is_signed)
{
	if (is_signed)
		write_signed(w, number);
	else
		write_unsigned(w, number);
}

static void write_address(struct writer *w, uint64_t address, bool json)
{
	write_text(w, json ? "\"0x" : "0x");
	write_hex(w, address);
	if (json)
		write_char(w, '"');
}

static void write_chars(struct writer *w, const struct field_data *from, size_t at, size_t size,
			bool json)
{
	if (at >= from->size)
		size = at = 0;
	else if (size > from->size - at)
		size = from->size - at;
	if (json)
		write_quoted(w, from->data + at, size, false);
	else
		write_printable(w, from->data + at, size);
}

static void write_array(struct writer *w, const struct field_data *from,
			const struct expr_field *field, size_t at, unsigned int elements)
{
	unsigned int i;

	write_char(w, '[');
	for (i = 0; i < elements; i++) {
		if (i)
			write_char(w, ',');
		write_number(w,
			     number_at(from, at + i * field->size, field->size, field->is_signed),
			     field->is_signed);
	}
	write_char(w, ']');
}

/* What a "__data_loc" leads to. */
static void write_located(struct writer *w, const struct field_data *from,
			  const struct expr_field *field, bool json)
{
	uint32_t loc = number_at(from, field->offset, sizeof(loc), false);
	size_t at = (loc & 0xffff) + (field->relative ? field->offset + 4 : 0), size = loc >> 16;

	if (field->content == CONTENT_LOC_CHARS)
		write_chars(w, from, at, size, json);
	else
		write_array(w, from, field, at, field->size ? size / field->size : 0);
}

/* The number that is in the field, or the address. */
static uint64_t number_of(const struct field *f, const struct field_data *from)
{
	const struct expr_field *field = &f->of->expr;

	if (f->value >= 0)
		return from->extras ? from->extras->value[f->value] : 0;
	if (field->place == PLACE_CONSTANT)
		return field->constant;
	return number_at(from, field->offset, field->size ? field->size : 8, field->is_signed);
}

void field_write(const struct field *f, struct writer *w, const struct field_data *from, bool json)
{
	const struct expr_field *field = &f->of->expr;

	switch (field->content) {
	case CONTENT_NUMBER:
		write_number(w, number_of(f, from), field->is_signed);
		break;
	case CONTENT_ARRAY:
		write_array(w, from, field, field->offset, field->elements);
		break;
	case CONTENT_CHARS:
		write_chars(w, from, field->offset, field->size, json);
		break;
	case CONTENT_LOC_CHARS:
	case CONTENT_LOC_ARRAY:
		write_located(w, from, field, json);
		break;
	case CONTENT_STRING:
	case CONTENT_USER_STRING:
		if (f->text >= 0 && from->extras) {
			write_quoted(w, from->extras->text[f->text], SLOT_TEXT_SIZE, !json);
			break;
		}
		/* fall through */
	case CONTENT_POINTER:
		write_address(w, number_of(f, from), json);
		break;
	}
}
