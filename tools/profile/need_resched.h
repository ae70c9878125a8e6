/* SPDX-License-Identifier: GPL-2.0-only */
/* Which flag of a thread says that another one is due to run. */
#ifndef NEED_RESCHED_H
#define NEED_RESCHED_H

#include <stdbool.h>
#include <linux/types.h>
#include "abi.h"
#include "profile.h"

/*
 * Makes the experiment that profile.bpf.c tells of, until @seen->mask has that one bit. False if
 * that cannot be done.
 */
bool need_resched_find(struct need_resched *seen);

#endif
