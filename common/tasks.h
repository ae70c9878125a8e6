/* SPDX-License-Identifier: GPL-2.0-only */
/* The userspace side of bpf/task.bpf.h: what a unit keeps for each task. */
#ifndef COMMON_TASKS_H
#define COMMON_TASKS_H

#include <bpf/libbpf.h>
#include <linux/types.h>
#include "abi.h"

/*
 * Chooses where the slots of @obj live, by what the kernel has, and switches off the programs that
 * are not needed then. To be called before load. Returns 0 or a negative errno; nothing to do for
 * an object without slots.
 */
int tasks_configure(struct bpf_object *obj, struct bpf_config *config);

/*
 * Gives each task that has none a slot. To be called when everything is attached, and again
 * whenever events of tasks without a slot were lost. Returns 0 or a negative errno.
 */
int tasks_walk(const struct bpf_object *obj);

#endif
