/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs that must not be preempted. Those at tracepoints (from 7.0) and probes (from 6.0) may be,
 * where the kernel is built for it: then a program that another task has in its middle is skipped
 * for all others on that CPU, and what the kernel keeps for a CPU is mixed up: the addresses of a
 * stack that is being copied (bpf_get_stack()), and programs' own stacks (from 6.13).
 *
 * The kernel has functions against that since 6.10. A call of what older kernels do not have cannot
 * be loaded there; so these are instructions without effect that common/hold.h makes such calls of.
 */
#ifndef BPF_HOLD_BPF_H
#define BPF_HOLD_BPF_H

#include "abi.h"
#include <bpf/bpf_helpers.h>

#define HOLD_MARK(mark) \
	asm volatile("r0 = %0" : : "i"(mark) : "r0", "r1", "r2", "r3", "r4", "r5", "memory")

/* Around a program's whole body: what it had in variables before may be lost. */
static __always_inline void hold_cpu(void)
{
	HOLD_MARK(HOLD_CPU);
}

static __always_inline void release_cpu(void)
{
	HOLD_MARK(RELEASE_CPU);
}

#endif
