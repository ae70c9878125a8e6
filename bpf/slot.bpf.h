/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slots: functions that an expression takes the place of before the program is loaded, see
 * common/expr/slot.h. Only for programs in the section "event", of whatever type they are to be:
 *
 *	SEC("event")
 *	int on_event(void *ctx)
 *	{
 *		if (!slot_filter(ctx))
 *			return 0;
 *		add(slot_key(ctx), slot_value(ctx));
 *		...
 *
 * The calls of those that stay empty are taken out, with what the verifier finds to depend on them, and
 * what is simple comes in the place of its calls.
 */
#ifndef BPF_SLOT_BPF_H
#define BPF_SLOT_BPF_H

#include "vmlinux.h"
#include "abi.h"
#include <bpf/bpf_helpers.h>

/*
 * What is in it only keeps the compiler from knowing what comes out, and the context in r1 where all
 * functions have their first argument, the text in r2.
 */
#define SLOT(name, number)                                                    \
	static __noinline __attribute__((unused)) u64 name(void *ctx)         \
	{                                                                     \
		u64 value;                                                    \
                                                                              \
		asm volatile("r0 = %[mark]; %[value] = r0"                    \
			     : [value] "=r"(value)                            \
			     : [mark] "i"(SLOT_MARK + (number)), "r"(ctx)     \
			     : "r0", "r1", "r2", "r3", "r4", "r5", "memory"); \
		return value;                                                 \
	}

SLOT(slot_filter, SLOT_FILTER)
SLOT(slot_key, SLOT_KEY)
SLOT(slot_value, SLOT_VALUE)
SLOT(slot_value2, SLOT_VALUE2)

/* Fills all of @text, of SLOT_TEXT_SIZE bytes; without an expression it stays as it is. Gives 0. */
static __noinline __attribute__((unused)) u64 slot_key_text(void *ctx, char *text)
{
	u64 value;

	asm volatile("r0 = %[mark]; %[value] = r0"
		     : [value] "=r"(value)
		     : [mark] "i"(SLOT_MARK + SLOT_KEY_TEXT), "r"(ctx), "r"(text)
		     : "r0", "r1", "r2", "r3", "r4", "r5", "memory");
	return value;
}

#endif
