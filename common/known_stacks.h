/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The userspace side of bpf/known_stack.bpf.h: finds the return addresses of a stack that the kernel
 * has unwound among the words that are on it, and so how far it is from each to the next.
 *
 * System calls begin at a random depth on some kernels (randomize_kstack_offset). So where the
 * distance varies but the next address is always as far from the stack's top, that is what counts.
 */
#ifndef COMMON_KNOWN_STACKS_H
#define COMMON_KNOWN_STACKS_H

#include <stddef.h>
#include <linux/types.h>
#include "abi.h"

struct known_stacks;

/* @steps: the map `stack_steps`. NULL when memory is short. */
struct known_stacks *known_stacks_new(int steps);
void known_stacks_free(struct known_stacks *k);

/* Learns from a stack. What has been found often enough goes into the map. */
void known_stacks_learn(struct known_stacks *k, const struct words *w);

#endif
