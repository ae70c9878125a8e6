/* SPDX-License-Identifier: GPL-2.0-only */
/* Where CPUs wait for something to do. */
#ifndef COMMON_IDLE_H
#define COMMON_IDLE_H

#include <linux/types.h>
#include "abi.h"

/*
 * Fills @ranges with the code in which this kernel's CPUs idle; what is not needed of it is zeros.
 * Returns how many there are; 0 where the kernel hides its addresses.
 */
unsigned int idle_ranges(struct code_range ranges[IDLE_RANGES]);

#endif
