/* SPDX-License-Identifier: GPL-2.0-only */
/* The userspace side of bpf/hold.bpf.h. */
#ifndef COMMON_HOLD_H
#define COMMON_HOLD_H

#include <bpf/libbpf.h>

/* Has the programs of @obj that ask for it not be preempted, where the kernel can. Before load. */
void hold_programs(struct bpf_object *obj);

#endif
