/* SPDX-License-Identifier: GPL-2.0-only */
/* Idle CPUs, told by where they are in the kernel's code. common/idle.h learns where that is. */
#ifndef BPF_IDLE_BPF_H
#define BPF_IDLE_BPF_H

#include "vmlinux.h"
#include "abi.h"
#include <bpf/bpf_helpers.h>

/* Userspace fills it, the first ones first. */
__u64 idle_places[IDLE_PLACES] = {};

/*
 * Is the running task, interrupted at @ip, known to be idle? What interrupts do meanwhile is not.
 */
static __always_inline bool is_idle(u64 ip)
{
	int i;

	if ((u32)bpf_get_current_pid_tgid())
		return false;
	for (i = 0; i < IDLE_PLACES; i++) {
		u64 place = *(volatile u64 *)&idle_places[i];

		if (!place)
			break;
		if (ip == place)
			return true;
	}
	return false;
}

#endif
