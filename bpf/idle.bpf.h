/* SPDX-License-Identifier: GPL-2.0-only */
/* Idle CPUs, told by where they are in the kernel's code. common/idle.h fills in where that is. */
#ifndef BPF_IDLE_BPF_H
#define BPF_IDLE_BPF_H

#include "vmlinux.h"
#include "abi.h"
#include <bpf/bpf_helpers.h>

const volatile struct code_range idle[IDLE_RANGES] = {};

/* Is the running task, interrupted at @ip, idle? What interrupts do meanwhile is not. */
static __always_inline bool is_idle(u64 ip)
{
	int i;

	if ((u32)bpf_get_current_pid_tgid())
		return false;
	for (i = 0; i < IDLE_RANGES; i++) {
		if (ip >= idle[i].from && ip < idle[i].to)
			return true;
	}
	return false;
}

#endif
