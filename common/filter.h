/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * --filter EXPR|GLOB: an expression over the thread that something is counted of, which is compiled
 * into the unit's programs (bpf/filter.bpf.h), or, where a word alone is no expression, a glob of its
 * name as --comm takes it.
 *
 *   FILTER_OPTION      for the unit's options
 *   filter_check()     by its `check`
 *   filter_compile()   by its `open`, before the skeleton is opened
 *   filter_use()       behind that, for each program that asks filter_passes()
 *   filter_free()      at the end
 */
#ifndef COMMON_FILTER_H
#define COMMON_FILTER_H

#include <bpf/libbpf.h>
#include "abi.h"
#include "expr/expr.h"
#include "options.h"

struct filter {
	const char *text;		   /* NULL: none is wanted */
	const char *values[FILTER_VALUES]; /* the names of the unit's own values; NULL: no more */
	bool is_glob;
	struct expr_code *code; /* NULL: there is no expression */
};

/* @own: what the unit has beside the thread itself, as " delay"; or "". */
#define FILTER_OPTION(filter, own)                                                           \
	{                                                                                    \
		.name = "filter", .kind = OPTION_STRING, .arg = "EXPR|GLOB",                 \
		.help = "if EXPR over pid tid comm cpu prio" own " holds; or threads' name", \
		.value = &(filter).text                                                      \
	}

/* For the descriptions of units: what an EXPR is. */
#define FILTER_HELP                                                                                            \
	"--filter takes an expression in C, such as 'prio<120 && comm~\"ng*\"': pid is the process, tid the\n" \
	"thread. A word that is none, such as 'ng*', is the thread's name, as for --comm."

/* Makes @settings observe the threads that a glob is meant for. Says what is wrong, or NULL. */
const char *filter_check(struct filter *f, struct settings *settings);

/* Tells what is wrong with the expression; returns an exit status. */
int filter_compile(struct filter *f);

/* Has @prog, which is not loaded yet, ask the expression. Returns 0 or a negative errno. */
int filter_use(const struct filter *f, const struct bpf_program *prog);

void filter_free(struct filter *f);

#endif
