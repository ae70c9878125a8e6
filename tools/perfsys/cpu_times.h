/* SPDX-License-Identifier: GPL-2.0-only */
/* How much of its time each CPU spends in the kernel, by /proc/stat. */
#ifndef CPU_TIMES_H
#define CPU_TIMES_H

#include <stdbool.h>
#include <linux/types.h>
#include "abi.h"

struct cpu_times;

/* NULL when memory is short. */
struct cpu_times *cpu_times_new(void);
void cpu_times_free(struct cpu_times *t);

/* The time from now on counts. Returns 0 or a negative errno. */
int cpu_times_begin(struct cpu_times *t);

/*
 * Sets the bits in @high of those of the CPUs @wanted (NULL: all) that spent at least @gate percent
 * of their time in the kernel since the time that counts began, interrupts included, and *@highest to
 * the most that one of them did, in percent. Then time counts anew; but for CPUs of which too little
 * has passed to judge, it goes on. Returns the number of bits, or a negative errno.
 */
int cpu_times_high(struct cpu_times *t, unsigned int gate, const __u64 *wanted,
		   __u64 high[MAX_CPUS / 64], double *highest);

#endif
