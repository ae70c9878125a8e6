/* SPDX-License-Identifier: GPL-2.0-only */
/* Counting by key. */
#ifndef BPF_COUNT_BPF_H
#define BPF_COUNT_BPF_H

#include "vmlinux.h"
#include "lost.bpf.h"
#include <bpf/bpf_helpers.h>

/* Adds 1 to the u64 that hash @map has for @key; counts as lost what there is no room for. */
static __always_inline void count_key(void *map, const void *key)
{
	u64 one = 1, *count = bpf_map_lookup_elem(map, key);
	int err;

	if (!count) {
		err = bpf_map_update_elem(map, key, &one, BPF_NOEXIST);
		if (!err)
			return;
		/* Another CPU may have been first. */
		count = bpf_map_lookup_elem(map, key);
		if (!count) {
			count_lost(lost_because(err));
			return;
		}
	}
	__sync_fetch_and_add(count, 1);
}

#endif
