/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mapping (VMA) that an address of the running process is in, for programs that run while the
 * kernel handles a fault there. Takes no lock: bpf_find_vma() (5.17) does, and finds nothing while
 * another thread of the process maps something; and before it, there is no such helper.
 */
#ifndef BPF_VMA_BPF_H
#define BPF_VMA_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/*
 * Maple trees, as include/linux/maple_tree.h has them: a pointer to a node has the node's type in
 * its low bits. A node's slot i holds what is up to and with pivot i; the last pivots may be
 * missing, or 0.
 */
#define MAPLE_NODE_MASK	 0xffULL
#define MAPLE_TYPE_SHIFT 3
#define MAPLE_TYPE_MASK	 0xf
#define MAPLE_PIVOTS	 15 /* at most */
#define MAPLE_LEVELS	 10 /* at least 5 branches each: enough for the mappings of a process */

/* Of a tree with more than one entry, which any process' has, the root is a node. */
static __always_inline bool is_maple_node(u64 root)
{
	return (root & 3) == 2 && root > 4096;
}

/* What the tree with root @entry holds for @address. A tree that changes meanwhile gives anything. */
static __noinline u64 maple_find(u64 entry, u64 address)
{
	u32 level, i;

	if (!is_maple_node(entry))
		return 0;
	for (level = 0; level < MAPLE_LEVELS; level++) {
		u32 type = entry >> MAPLE_TYPE_SHIFT & MAPLE_TYPE_MASK;
		bool wide = type == bpf_core_enum_value(enum maple_type, maple_arange_64);
		u64 node = entry & ~MAPLE_NODE_MASK, pivots[MAPLE_PIVOTS] = {}, slots;
		u32 count = wide ? 9 : 15;

		slots = wide ? bpf_core_field_offset(struct maple_arange_64, slot)
			     : bpf_core_field_offset(struct maple_range_64, slot);
		bpf_probe_read_kernel(
			pivots, sizeof(pivots),
			(void *)(node + bpf_core_field_offset(struct maple_range_64, pivot)));
		for (i = 0; i < MAPLE_PIVOTS; i++) {
			if (i >= count || pivots[i] >= address || (i && !pivots[i]))
				break;
		}
		entry = 0;
		bpf_probe_read_kernel(&entry, sizeof(entry), (void *)(node + slots + i * 8));
		if (type == bpf_core_enum_value(enum maple_type, maple_leaf_64))
			return entry;
	}
	return 0;
}

static __always_inline bool vma_has(struct vm_area_struct *vma, struct mm_struct *mm, u64 address)
{
	return vma && BPF_CORE_READ(vma, vm_start) <= address &&
	       address < BPF_CORE_READ(vma, vm_end) && BPF_CORE_READ(vma, vm_mm) == mm;
}

/* NULL: cannot be told. */
static __always_inline struct vm_area_struct *current_vma(u64 address)
{
	struct task_struct *p = (void *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(p, mm);
	struct vm_area_struct *vma;
	int i;

	if (bpf_core_field_exists(((struct task_struct___vmacache *)p)->vmacache)) {
		/* To 6.0 each thread remembers those that it used last: this one has just been. */
		struct vmacache cache = {};

		bpf_core_read(&cache, sizeof(cache),
			      &((struct task_struct___vmacache *)p)->vmacache);
#pragma unroll
		for (i = 0; i < 4; i++) {
			if (vma_has(cache.vmas[i], mm, address))
				return cache.vmas[i];
		}
		return NULL;
	}
	if (!bpf_core_field_exists(mm->mm_mt))
		return NULL;
	/* From 6.1, a process' mappings are in a maple tree. */
	vma = (void *)maple_find((u64)BPF_CORE_READ(mm, mm_mt.ma_root), address);
	return vma_has(vma, mm, address) ? vma : NULL;
}

#endif
