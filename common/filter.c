// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>
#include "expr/slot.h"
#include "filter.h"
#include "say.h"

#define NUMBER(named, member, sign)                                      \
	{                                                                \
		.name = named, .place = PLACE_RECORD, .is_signed = sign, \
		.offset = offsetof(struct filter_record, member),        \
		.size = sizeof(((struct filter_record *)0)->member)      \
	}

#define NAME(named)                                                              \
	{                                                                        \
		.name = named, .place = PLACE_RECORD, .content = CONTENT_CHARS,  \
		.offset = offsetof(struct filter_record, comm), .size = COMM_LEN \
	}

/* What all events have speaks of the thread too, which need not be the running one. */
static const struct expr_field of_threads[] = {
	NUMBER("pid", pid, true),  NUMBER("tid", tid, true),	    NAME("comm"),
	NUMBER("cpu", cpu, true),  NUMBER("prio", prio, true),	    NUMBER("_pid", pid, true),
	NUMBER("_tid", tid, true), NUMBER("common_pid", tid, true), NAME("_comm"),
};

#define OF_THREADS (sizeof(of_threads) / sizeof(*of_threads))

/* What expressions may name: @fields has room for all. */
static struct expr_scope scope_of(const struct filter *f, struct expr_field *fields)
{
	size_t count = 0, i;

	for (i = 0; i < FILTER_VALUES && f->values[i]; i++)
		fields[count++] = (struct expr_field){
			.name = f->values[i],
			.place = PLACE_RECORD,
			.offset = i * sizeof(__u64),
			.size = sizeof(__u64),
		};
	memcpy(fields + count, of_threads, sizeof(of_threads));
	return (struct expr_scope){ .fields = fields, .count = count + OF_THREADS };
}

/* Is @text nothing but what a name or a glob consists of? */
static bool is_word(const char *text)
{
	for (; *text; text++) {
		if (!isalnum((unsigned char)*text) && !strchr("*?[]!-_.,:/@#", *text) &&
		    !(*text & 0x80))
			return false;
	}
	return true;
}

/* The filter's expression, or NULL and @error. */
static struct expr *parse(const struct filter *f, const struct expr_scope *scope,
			  struct expr_error *error)
{
	return expr_parse(f->text, scope, EXPR_WANT_NUMBER, error);
}

const char *filter_check(struct filter *f, struct settings *settings)
{
	struct expr_field fields[FILTER_VALUES + OF_THREADS];
	struct expr_scope scope = scope_of(f, fields);
	struct expr_error error;
	struct expr *e;

	if (!f->text || !is_word(f->text))
		return NULL;
	e = parse(f, &scope, &error);
	expr_free(e);
	if (e)
		return NULL;
	if (settings->targets.comm)
		return "--filter has a thread's name, and so has --comm: one will do";
	f->is_glob = true;
	settings->targets.comm = f->text;
	return NULL;
}

int filter_compile(struct filter *f)
{
	struct expr_field fields[FILTER_VALUES + OF_THREADS];
	struct expr_scope scope = scope_of(f, fields);
	struct expr_error error = {};
	struct expr *e;
	int err;

	if (!f->text || f->is_glob)
		return EXIT_DONE;
	f->code = malloc(sizeof(*f->code));
	if (!f->code) {
		say_error("out of memory for the filter");
		return EXIT_FAILED;
	}
	e = parse(f, &scope, &error);
	err = e ? expr_emit_filter(e, f->code, &error) : -EINVAL;
	expr_free(e);
	if (err) {
		expr_say_error(f->text, &scope, &error);
		return EXIT_USAGE;
	}
	return slots_setup_builtin() ? EXIT_FAILED : EXIT_DONE;
}

int filter_use(const struct filter *f, const struct bpf_program *prog)
{
	return f->code ? slot_fill(prog, SLOT_FILTER, f->code) : 0;
}

void filter_free(struct filter *f)
{
	free(f->code);
	f->code = NULL;
	slots_free();
}
