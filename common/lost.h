/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs could not keep, by reason. bpf/lost.bpf.h counts it. */
#ifndef COMMON_LOST_H
#define COMMON_LOST_H

#include <stdbool.h>
#include <stdint.h>
#include <bpf/libbpf.h>
#include <linux/types.h>
#include "abi.h"

/* The reasons, as JSON members. */
extern const char *const lost_names[LOST_REASONS];

uint64_t lost_total(const uint64_t counts[LOST_REASONS]);

/*
 * Reads into @counts what the programs of @obj have lost since they were loaded, the runs that the
 * kernel skipped because the program was already running on that CPU included (kernels from 5.12
 * count those), but for the programs that @made_up, which may be NULL, says yes to. Returns 0 or a
 * negative errno.
 */
int lost_read(struct bpf_object *obj, bool (*made_up)(const char *program),
	      uint64_t counts[LOST_REASONS]);

/*
 * Tells in one line what has been lost in @counts and what helps. @map_full_help says how this unit
 * gets larger maps.
 */
void lost_tell(const uint64_t counts[LOST_REASONS], const char *map_full_help);

#endif
