/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mappings of which something else is unmapped than was mapped: a part, or several at once. The
 * programs hand these over; what is left of the mappings is worked out here.
 */
#ifndef UNMAP_H
#define UNMAP_H

#include <linux/types.h>
#include "abi.h"
#include "kmemleak.h"

/* Takes note of @notice (PROCESS_UNMAPS). */
void unmap_later(const struct process_notice *notice);

/* Works out what is left by all that have been noted, in @mappings: a map's file descriptor. */
void unmap_all(int mappings);

#endif
