/* SPDX-License-Identifier: GPL-2.0-only */
/* The userspace side of bpf/slot.bpf.h: puts compiled expressions into programs. */
#ifndef COMMON_EXPR_SLOT_H
#define COMMON_EXPR_SLOT_H

#include <bpf/libbpf.h>
#include "abi.h"
#include "expr.h"

/*
 * Has libbpf know what programs in the section "event" are. To be called before an object with such
 * programs is opened; more than once does no harm. Returns 0 or a negative errno.
 */
int slots_setup(void);

/*
 * The same for programs of the sections "tp_btf/...", "raw_tp/..." and "perf_event": libbpf goes on to
 * load and attach them by itself, and those whose slots are filled have that done before. Returns 0 or
 * a negative errno.
 */
int slots_setup_builtin(void);

/*
 * Has @slot of @prog, which is of such a section and not loaded yet, be what @code gives, which
 * is copied. The program's type is to be set by bpf_program__set_type(), and what goes with it; which
 * fields there are depends on it. Returns 0 or -ENOMEM.
 */
int slot_fill(const struct bpf_program *prog, enum slot slot, const struct expr_code *code);

/* Has it be @value. */
int slot_set(const struct bpf_program *prog, enum slot slot, int32_t value);

/* What a copy of a program has in its slots, and how it is loaded. */
struct filled_slots {
	const struct expr_code *code[SLOTS]; /* NULL: `value` */
	int32_t value[SLOTS];
	enum bpf_prog_type type;
	enum bpf_attach_type attach_type;
	uint32_t btf_id; /* of the kernel's function that it is attached to; or 0 */
	int btf_fd;	 /* of its module's BTF; 0: it is the kernel's */
};

/*
 * Loads a copy of @prog, which is of the section "event" and has been loaded by libbpf, with @slots
 * in place of what it has itself. Returns the copy's file descriptor, the caller's, or a negative
 * errno.
 */
int slots_load_copy(const struct bpf_program *prog, const struct filled_slots *slots);

/* Forgets what is in slots. After all programs are loaded, copies too, or when they are not going to be. */
void slots_free(void);

#endif
