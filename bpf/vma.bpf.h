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

/*
 * The slot for @address: the number of pivots below it, up to the first that is not or is missing.
 * Without branches, of which the verifier would have to follow each. Addresses of processes have
 * their top bit clear; what stands behind a narrow node's pivots are pointers of the kernel's.
 */
static __always_inline u32 maple_slot(const u64 *pivots, u64 address)
{
	u64 going = 1;
	u32 slot = 0, i;

#pragma nounroll
	for (i = 0; i < MAPLE_PIVOTS; i++) {
		u64 p = pivots[i], there = i ? p | -p : -1ULL;

		going &= (p - address & ~p & there) >> 63;
		slot += going;
	}
	return slot;
}

static __always_inline u32 maple_type_of(u64 entry)
{
	return entry >> MAPLE_TYPE_SHIFT & MAPLE_TYPE_MASK;
}

/* What the node at @entry holds for @address. */
static __noinline u64 maple_step(u64 entry, u64 address)
{
	u64 pivots[MAPLE_PIVOTS] = {}, node = entry & ~MAPLE_NODE_MASK, slots = node;

	if (maple_type_of(entry) == bpf_core_enum_value(enum maple_type, maple_arange_64))
		slots += bpf_core_field_offset(struct maple_arange_64, slot);
	else
		slots += bpf_core_field_offset(struct maple_range_64, slot);
	node += bpf_core_field_offset(struct maple_range_64, pivot);
	bpf_probe_read_kernel(pivots, sizeof(pivots), (void *)node);
	slots += maple_slot(pivots, address) * sizeof(entry);
	entry = 0;
	bpf_probe_read_kernel(&entry, sizeof(entry), (void *)slots);
	return entry;
}

/*
 * What the tree with root @entry holds for @address. A tree that changes meanwhile gives anything.
 * Unrolled: to 6.1, verifiers do not know each shape of a loop that clang makes of this.
 */
static __always_inline u64 maple_find(u64 entry, u64 address)
{
	u32 level;
	bool leaf;

	if (!is_maple_node(entry))
		return 0;
#pragma unroll
	for (level = 0; level < MAPLE_LEVELS; level++) {
		leaf = maple_type_of(entry) == bpf_core_enum_value(enum maple_type, maple_leaf_64);
		entry = maple_step(entry, address);
		if (leaf)
			return entry;
	}
	return 0;
}

static __always_inline bool vma_has(struct vm_area_struct *vma, struct mm_struct *mm, u64 address)
{
	return vma && BPF_CORE_READ(vma, vm_start) <= address &&
	       address < BPF_CORE_READ(vma, vm_end) && BPF_CORE_READ(vma, vm_mm) == mm;
}

/*
 * The address of the struct vm_area_struct that @address is in; 0: cannot be told. Not static: so
 * the verifier looks at it once, whatever it knows where it is called.
 */
__noinline u64 current_vma(u64 address)
{
	struct task_struct *p = (void *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(p, mm);
	struct vm_area_struct *vma;
	int i;

	if (bpf_core_field_exists(((struct task_struct___vmacache *)p)->vmacache)) {
		/* To 6.0 each thread remembers those that it used last: this one has just been. */
		struct vm_area_struct *used[4] = {};

		bpf_core_read(&used, sizeof(used),
			      &((struct task_struct___vmacache *)p)->vmacache.vmas);
#pragma unroll
		for (i = 0; i < 4; i++) {
			if (vma_has(used[i], mm, address))
				return (u64)used[i];
		}
		return 0;
	}
	if (!bpf_core_field_exists(mm->mm_mt))
		return 0;
	/* From 6.1, a process' mappings are in a maple tree. */
	vma = (void *)maple_find((u64)BPF_CORE_READ(mm, mm_mt.ma_root), address);
	return vma_has(vma, mm, address) ? (u64)vma : 0;
}

#endif
