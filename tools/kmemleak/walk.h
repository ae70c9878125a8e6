/* SPDX-License-Identifier: GPL-2.0-only */
/* Going through all objects that live. */
#ifndef WALK_H
#define WALK_H

#include <linux/types.h>
#include "tally.h"

struct kmemleak;

/*
 * Adds the objects that live to @groups (struct group_key: struct group), those not younger than
 * skel->bss->least_age. Applies frees that are pending. 0 or a negative errno.
 */
int walk_objects(struct kmemleak *skel, struct tally *groups);

#endif
