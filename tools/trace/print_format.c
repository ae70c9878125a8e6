// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "events/kind.h"
#include "print_format.h"
#include "print_node.h"
#include "tracefs.h"

#define SPEC_LEN 24

enum piece_kind {
	PIECE_TEXT,
	PIECE_DECIMAL, /* plain, fast */
	PIECE_UNSIGNED,
	PIECE_HEX,
	PIECE_FORMATTED, /* a number, by printf()'s `spec` */
	PIECE_CHAR,
	PIECE_STRING,
	PIECE_PADDED, /* a string, by `spec` */
	PIECE_POINTER,
	PIECE_SYMBOL, /* an address of the kernel's code */
	PIECE_SYMBOL_OFFSET,
};

/* A part of the format: text as it is, or what a conversion makes of an expression. */
struct piece {
	enum piece_kind kind;
	unsigned int size;	    /* of the number, in bytes */
	bool is_signed, has_prefix; /* "0x", by the flag # */
	char *text;
	char spec[SPEC_LEN];
	struct print_node *node;
};

struct print_format {
	struct tep_event *event;
	struct piece *pieces; /* NULL: libtraceevent prints it */
	size_t count;
};

static struct tep_handle *tep;
static void (*name_address)(void *arg, struct writer *w, uint64_t address, bool with_offset);
static void *name_arg;

void print_format_names(void (*name)(void *arg, struct writer *w, uint64_t address,
				     bool with_offset),
			void *arg)
{
	name_address = name;
	name_arg = arg;
}

static bool start_tep(void)
{
	if (tep)
		return true;
	tep_set_loglevel(TEP_LOG_NONE);
	tep = tep_alloc();
	if (!tep)
		return false;
	tep_set_long_size(tep, sizeof(long));
	tep_set_page_size(tep, sysconf(_SC_PAGESIZE));
	tep_set_file_bigendian(tep, __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? TEP_BIG_ENDIAN
									   : TEP_LITTLE_ENDIAN);
	return true;
}

void print_formats_end(void)
{
	if (tep)
		tep_free(tep);
	tep = NULL;
}

/* The whole format file, the caller's; NULL: it cannot be read. */
static char *read_file(const char *system, const char *name, size_t *size)
{
	char *path = event_text("events/%s/%s/format", system, name), *text = NULL;
	int fd = tracefs_open(path);
	ssize_t n = fd < 0 ? -1 : 1;

	free(path);
	*size = 0;
	while (n > 0) {
		text = event_have(realloc(text, *size + 16384));
		n = read(fd, text + *size, 16384);
		*size += n > 0 ? n : 0;
	}
	if (fd >= 0)
		close(fd);
	if (n < 0) {
		free(text);
		text = NULL;
	}
	return text;
}

static struct piece *add_piece(struct print_format *f, enum piece_kind kind)
{
	struct piece *p;

	f->pieces = event_have(realloc(f->pieces, (f->count + 1) * sizeof(*f->pieces)));
	p = &f->pieces[f->count++];
	*p = (struct piece){ .kind = kind };
	return p;
}

/* Adds the text up to the next conversion, with C's escapes; moves *@at behind it. */
static void add_text(struct print_format *f, const char **at)
{
	char *text = event_have(malloc(strlen(*at) + 1)), *to = text;

	while (**at && (**at != '%' || (*at)[1] == '%')) {
		char c = *(*at)++;

		if (c == '%')
			++*at;
		if (c == '\\' && **at) {
			c = *(*at)++;
			c = c == 'n' || c == 't' || c == 'r' ? ' ' : c;
		}
		/* An event is a line, whatever its format has, and at the end, too. */
		*to++ = isspace(c) ? ' ' : c;
	}
	while (!**at && to > text && to[-1] == ' ')
		to--;
	*to = 0;
	add_piece(f, PIECE_TEXT)->text = text;
}

/* The number's size by the letters before its conversion; moves *@at behind them. */
static unsigned int number_size(const char **at)
{
	unsigned int size = 4;

	for (; **at && strchr("hlLqjzt", **at); ++*at) {
		if (**at == 'h')
			size /= 2;
		else
			size = **at == 'l' ? sizeof(long) : 8;
		if (**at == 'l' && (*at)[1] == 'l')
			size = 8;
	}
	return size;
}

/* %p and what may stand behind it. False: that is not known here. */
static bool set_pointer(struct piece *p, const char **at)
{
	if (**at && strchr("SF", **at))
		p->kind = PIECE_SYMBOL_OFFSET;
	else if (**at && strchr("sf", **at))
		p->kind = PIECE_SYMBOL;
	else if (isalnum(**at) && **at != 'x' && **at != 'K')
		return false;
	else
		p->kind = PIECE_POINTER;
	*at += isalnum(**at) != 0;
	return !node_is_text(p->node);
}

/*
 * Adds the conversion at *@at, behind its %, of @node, which it takes over; moves *@at behind it. False:
 * it is not known here.
 */
static bool add_conversion(struct print_format *f, const char **at, struct print_node *node)
{
	const char *begin = *at;
	size_t flags = strspn(begin, "-+ #0123456789."), length;
	struct piece *p = add_piece(f, PIECE_FORMATTED);
	char c;

	p->node = node;
	*at += flags;
	p->size = number_size(at);
	length = flags < SPEC_LEN - 6 ? flags : SPEC_LEN - 6;
	c = **at;
	if (!c || length != flags)
		return false;
	++*at;
	if (c == 'p')
		return set_pointer(p, at);
	if (c == 's') {
		p->kind = flags ? PIECE_PADDED : PIECE_STRING;
		snprintf(p->spec, SPEC_LEN, "%%%.*ss", (int)length, begin);
		return node_is_text(node);
	}
	if (!strchr("diuxXoc", c) || node_is_text(node))
		return false;
	p->is_signed = c == 'd' || c == 'i';
	p->has_prefix = c == 'x' && memchr(begin, '#', flags);
	snprintf(p->spec, SPEC_LEN, "%%%.*sll%c", (int)length, begin, c);
	if (c == 'c')
		p->kind = PIECE_CHAR;
	else if (!flags && p->is_signed)
		p->kind = PIECE_DECIMAL;
	else if (!flags && c == 'u')
		p->kind = PIECE_UNSIGNED;
	else if (!flags && c == 'x')
		p->kind = PIECE_HEX;
	return true;
}

static bool compile(struct print_format *f)
{
	const struct tep_print_arg *arg = f->event->print_fmt.args;
	const char *at = f->event->print_fmt.format;

	if (f->event->flags & TEP_EVENT_FL_FAILED || !at)
		return false;
	while (*at) {
		struct print_node *node;

		add_text(f, &at);
		if (!*at)
			break;
		at++;
		node = node_compile(f->event, arg);
		if (!node || !add_conversion(f, &at, node))
			return false;
		arg = arg->next;
	}
	return true;
}

static void free_pieces(struct print_format *f)
{
	size_t i;

	for (i = 0; i < f->count; i++) {
		free(f->pieces[i].text);
		node_free(f->pieces[i].node);
	}
	free(f->pieces);
	f->pieces = NULL;
	f->count = 0;
}

/*
 * libtraceevent takes "a & (1 | 2)" for "(a & 1) | 2", unless there is a cast before what is in
 * parentheses. Puts one that changes nothing before those of numbers; @text is freed.
 */
static char *keep_groups(char *text, size_t *size)
{
	static const char cast[] = "(u64)";
	char *kept = event_have(malloc(*size * 3 + 1)), *to = kept;
	size_t i;

	for (i = 0; i < *size; i++) {
		if (i >= 2 && i + 1 < *size && text[i] == '(' && isdigit(text[i + 1]) &&
		    !memcmp(text + i - 2, "& ", 2))
			to = mempcpy(to, cast, strlen(cast));
		*to++ = text[i];
	}
	free(text);
	*size = to - kept;
	return kept;
}

/* Does the format have what only the kernel knows, which libtraceevent takes for 0? */
static bool has_unknown(const char *text, size_t size)
{
	const char *format = memmem(text, size, "print fmt:", 10);

	return format && memmem(format, text + size - format, "(jiffies -", 10);
}

struct print_format *print_format_read(const char *system, const char *name)
{
	struct print_format *f;
	struct tep_event *event;
	char *text;
	size_t size;

	text = read_file(system, name, &size);
	if (!text)
		return NULL;
	if (has_unknown(text, size)) {
		free(text);
		return NULL;
	}
	text = keep_groups(text, &size);
	if (start_tep())
		tep_parse_event(tep, text, size, system);
	free(text);
	event = tep ? tep_find_event_by_name(tep, system, name) : NULL;
	/* What is wrong with its print format, it does not print well. */
	if (!event || event->flags & TEP_EVENT_FL_FAILED || !event->print_fmt.format)
		return NULL;
	f = event_have(calloc(1, sizeof(*f)));
	f->event = event;
	if (!compile(f))
		free_pieces(f);
	return f;
}

void print_format_free(struct print_format *f)
{
	if (f)
		free_pieces(f);
	free(f);
}

/* Cuts @number to the size of the conversion's type. */
static uint64_t cut(const struct piece *p, uint64_t number)
{
	unsigned int shift = 64 - 8 * p->size;

	if (!shift)
		return number;
	return p->is_signed ? (uint64_t)((int64_t)(number << shift) >> shift)
			    : number << shift >> shift;
}

static void write_formatted(struct writer *w, const struct piece *p, uint64_t number)
{
	char text[256];
	int length;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	length = snprintf(text, sizeof(text), p->spec, (unsigned long long)number);
#pragma GCC diagnostic pop
	/* C leaves it out before 0, the kernel does not. */
	if (p->has_prefix && !number && length == 1)
		write_text(w, "0x");
	if (length > 0)
		write_bytes(w, text,
			    length < (int)sizeof(text) ? (size_t)length : sizeof(text) - 1);
}

static void write_filled(struct writer *w, const struct piece *p, const char *data, size_t size)
{
	struct writer plain = {};
	char text[512];
	int length;

	node_write_text(p->node, &plain, data, size);
	write_char(&plain, 0);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	length = snprintf(text, sizeof(text), p->spec, plain.text);
#pragma GCC diagnostic pop
	if (length > 0)
		write_bytes(w, text,
			    length < (int)sizeof(text) ? (size_t)length : sizeof(text) - 1);
	writer_free(&plain);
}

static void write_piece(struct writer *w, const struct piece *p, const char *data, size_t size)
{
	uint64_t number = 0;

	if (p->node && p->kind != PIECE_STRING && p->kind != PIECE_PADDED)
		number = node_number(p->node, data, size);
	switch (p->kind) {
	case PIECE_TEXT:
		write_text(w, p->text);
		break;
	case PIECE_DECIMAL:
		write_signed(w, cut(p, number));
		break;
	case PIECE_UNSIGNED:
		write_unsigned(w, cut(p, number));
		break;
	case PIECE_HEX:
		write_hex(w, cut(p, number));
		break;
	case PIECE_FORMATTED:
		write_formatted(w, p, cut(p, number));
		break;
	case PIECE_CHAR:
		write_printable(w, (char[]){ number, 0 }, 1);
		break;
	case PIECE_STRING:
		node_write_text(p->node, w, data, size);
		break;
	case PIECE_PADDED:
		write_filled(w, p, data, size);
		break;
	case PIECE_POINTER:
		write_text(w, "0x");
		write_hex(w, number);
		break;
	case PIECE_SYMBOL:
	case PIECE_SYMBOL_OFFSET:
		name_address(name_arg, w, number, p->kind == PIECE_SYMBOL_OFFSET);
		break;
	}
}

/* Takes what a BPF program is given of a record, whose first bytes are not the record's. */
static void let_print(const struct print_format *f, struct writer *w, const void *data, size_t size,
		      uint32_t tid)
{
	static struct trace_seq seq;
	char *copy = event_have(malloc(size + 8));
	struct tep_record record = { .size = size, .data = copy };
	uint16_t id = f->event->id;

	if (!seq.buffer)
		trace_seq_init(&seq);
	memcpy(copy, data, size);
	memset(copy, 0, 8);
	memcpy(copy, &id, sizeof(id));
	memcpy(copy + 4, &tid, sizeof(tid));
	trace_seq_reset(&seq);
	tep_print_event(tep, &seq, &record, "%s", TEP_PRINT_INFO);
	trace_seq_terminate(&seq);
	while (seq.len && seq.buffer[seq.len - 1] == '\n')
		seq.len--;
	write_printable(w, seq.buffer, seq.len);
	free(copy);
}

void print_format_write(const struct print_format *f, struct writer *w, const void *data,
			size_t size, uint32_t tid)
{
	size_t i;

	if (!f->pieces) {
		let_print(f, w, data, size, tid);
		return;
	}
	for (i = 0; i < f->count; i++)
		write_piece(w, &f->pieces[i], data, size);
}

/*
 * Plugins are not loaded. libtraceevent's own function comes with what loads them, which a static program
 * cannot do.
 */
void free_tep_plugin_paths(struct tep_handle *unused);

void free_tep_plugin_paths(struct tep_handle *unused)
{
	(void)unused;
}
