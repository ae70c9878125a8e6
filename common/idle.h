/* SPDX-License-Identifier: GPL-2.0-only */
/* Where CPUs wait for something to do: learnt from samples, for bpf/idle.bpf.h. */
#ifndef COMMON_IDLE_H
#define COMMON_IDLE_H

#include <stdbool.h>
#include <linux/types.h>
#include "abi.h"
#include "symbols.h"

/*
 * Was the sample of @key one of an idle CPU? @leaf is where it was in the kernel. If so, @places
 * (the programs', IDLE_PLACES of them) gets to know the place, so that such samples come no more.
 * Where the kernel hides its addresses nothing is idle, which is told once.
 */
bool idle_learn(volatile __u64 *places, const struct stack_key *key, __u64 leaf,
		struct symbols *symbols);

#endif
