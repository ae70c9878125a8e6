/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slots: functions that an expression takes the place of before the program is loaded, see
 * common/expr/slot.h. Only for programs in the section "event", of whatever type they are to be:
 *
 *	SEC("event")
 *	int on_event(void *ctx)
 *	{
 *		if (slot_filter(ctx))
 *			add(slot_key(ctx), slot_value(ctx));
 *		return slot_passed_on(ctx);
 *	}
 *
 * The calls of those that stay empty are taken out, with what the verifier finds to depend on them, and
 * what is simple comes in the place of its calls.
 */
#ifndef BPF_SLOT_BPF_H
#define BPF_SLOT_BPF_H

#include "vmlinux.h"
#include "abi.h"
#include <bpf/bpf_helpers.h>
#include "lost.bpf.h"

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

SLOT(slot_filter_outcome, SLOT_FILTER)
SLOT(slot_key, SLOT_KEY)
SLOT(slot_value, SLOT_VALUE)
SLOT(slot_value2, SLOT_VALUE2)
SLOT(slot_value3, SLOT_VALUE3)
SLOT(slot_value4, SLOT_VALUE4)
SLOT(slot_event, SLOT_EVENT)
SLOT(slot_unit, SLOT_UNIT)
SLOT(slot_runs, SLOT_RUNS)

/*
 * What a program gives back. From tracepoints and probes that is whether perf shall see the event, too:
 * with 0, whoever counts it by perf, as `perf stat` does, does not see it as long as the program is there.
 */
SLOT(slot_passed_on, SLOT_PASSED_ON)

/* Fills all of @text, of SLOT_TEXT_SIZE bytes; without an expression it stays as it is. Gives 0. */
#define TEXT_SLOT(name, number)                                                      \
	static __noinline __attribute__((unused)) u64 name(void *ctx, char *text)    \
	{                                                                            \
		u64 value;                                                           \
                                                                                     \
		asm volatile("r0 = %[mark]; %[value] = r0"                           \
			     : [value] "=r"(value)                                   \
			     : [mark] "i"(SLOT_MARK + (number)), "r"(ctx), "r"(text) \
			     : "r0", "r1", "r2", "r3", "r4", "r5", "memory");        \
		return value;                                                        \
	}

/* Does the filter let the event at @ctx pass? Of one that cannot know, that is counted. */
static __always_inline bool slot_filter(void *ctx)
{
	u64 outcome = slot_filter_outcome(ctx);

	if (outcome == FILTER_UNKNOWN) {
		count_lost(LOST_UNREADABLE);
		return false;
	}
	return outcome;
}

TEXT_SLOT(slot_key_text, SLOT_KEY_TEXT)
TEXT_SLOT(slot_name_text, SLOT_NAME_TEXT)

#endif
