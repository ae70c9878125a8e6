/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Places where programs put together what does not fit on their stack: a few in an array of each CPU, as
 * a program may be held up there by others that need one too. Probes' programs take turns in any order,
 * as they may be preempted.
 */
#ifndef BPF_PLACE_BPF_H
#define BPF_PLACE_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

/* What each place begins with. */
struct place {
	u64 users;  /* more than one: who came later is to look elsewhere */
	u64 number; /* its own, for who has taken it */
};

/*
 * Finds one of the @count places (known to the compiler) of the array @places that nobody else uses.
 * NULL: there is none.
 */
static __always_inline void *take_place(void *places, u32 count)
{
	struct place *place;
	u32 i, at;

#pragma unroll
	for (i = 0; i < count; i++) {
		at = i;
		place = bpf_map_lookup_elem(places, &at);
		if (!place)
			return NULL;
		__sync_fetch_and_add(&place->users, 1);
		if (*(volatile u64 *)&place->users == 1) {
			place->number = i;
			return place;
		}
		__sync_fetch_and_add(&place->users, -1);
	}
	return NULL;
}

static __always_inline void leave_place(struct place *place)
{
	__sync_fetch_and_add(&place->users, -1);
}

#endif
