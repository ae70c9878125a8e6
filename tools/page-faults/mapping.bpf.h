/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is mapped, told at the fault itself: a process may be gone, run another program or have
 * something else mapped there by the time that somebody looks at /proc/PID/maps, whose names these
 * are.
 */
#ifndef MAPPING_BPF_H
#define MAPPING_BPF_H

#include "vmlinux.h"
#include "abi.h"
#include "page-faults.h"
#include "stack.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* A path of more components is cut off. */
#define MOST_COMPONENTS 32

/*
 * Key: a mapping with MAPPING_NAMED. Filled at a new row's first fault, read by userspace within a
 * second. Forgets the ones that were of use longest ago when it is full; these are named again at
 * their next new row.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, struct mapping_name);
} names SEC(".maps");

/* One element: where a name is put together. Faults do not nest. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct mapping_name);
} name_scratch SEC(".maps");

/* The name that a mapping without a file was given, or NULL. */
static __always_inline const char *anon_name_of(struct vm_area_struct *vma)
{
	struct anon_vma_name *anon_name;

	/* 5.17, with CONFIG_ANON_VMA_NAME. */
	if (!bpf_core_field_exists(vma->anon_name))
		return NULL;
	anon_name = BPF_CORE_READ(vma, anon_name);
	if (!anon_name)
		return NULL;
	return (void *)anon_name + bpf_core_field_offset(struct anon_vma_name, name);
}

/* A file is told by its name's place and hash: its inode may soon be another file's. */
static __always_inline u64 file_id(struct file *file)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	u64 id = hash_step(0, (u64)dentry);

	id = hash_step(id, BPF_CORE_READ(dentry, d_name.hash_len));
	return hash_step(id, (u64)BPF_CORE_READ(dentry, d_parent));
}

/*
 * MAPPING_* of what the struct vm_area_struct at @vma_address maps. Not static, as name_mapping(): so
 * the verifier looks at it once, whatever it knows where it is called.
 */
__noinline u64 mapping_of(u64 vma_address)
{
	struct vm_area_struct *vma = (void *)vma_address;
	struct file *file = BPF_CORE_READ(vma, vm_file);
	struct mm_struct *mm;
	void *named;
	u64 start, end;

	if (file)
		return file_id(file) | MAPPING_NAMED;
	named = BPF_CORE_READ(vma, vm_ops) ? BPF_CORE_READ(vma, vm_private_data) : NULL;
	if (named)
		return hash_step(0, (u64)named) | MAPPING_NAMED;
	mm = BPF_CORE_READ(vma, vm_mm);
	start = BPF_CORE_READ(vma, vm_start);
	end = BPF_CORE_READ(vma, vm_end);
	if (start <= BPF_CORE_READ(mm, brk) && end >= BPF_CORE_READ(mm, start_brk))
		return MAPPING_HEAP;
	if (start <= BPF_CORE_READ(mm, start_stack) && end >= BPF_CORE_READ(mm, start_stack))
		return MAPPING_STACK;
	named = (void *)anon_name_of(vma);
	return named ? hash_step(0, (u64)named) | MAPPING_NAMED : MAPPING_ANON;
}

/* Adds @text to @name. False if there is no room any more. */
static __always_inline bool add_text(struct mapping_name *name, const void *text)
{
	u32 used = name->used;
	int size;

	if (used >= NAME_ROOM)
		return false;
	size = bpf_probe_read_kernel_str(name->text + used, NAME_COMPONENT, text);
	if (size > 0)
		name->used = used + size;
	return true;
}

/* As d_path() does it, up to the top of the mount namespace. */
static __always_inline void name_file(struct file *file, struct mapping_name *name)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry), *parent;
	struct vfsmount *vfs = BPF_CORE_READ(file, f_path.mnt);
	struct mount *mount = (void *)vfs - bpf_core_field_offset(struct mount, mnt), *below;
	int i;

	name->kind = NAME_FILE;
	name->deleted = !BPF_CORE_READ(dentry, d_hash.pprev);
	name->cut_off = true;
	for (i = 0; i < MOST_COMPONENTS; i++) {
		parent = BPF_CORE_READ(dentry, d_parent);
		/* A file that is a root itself is one of no directory, such as memfds. */
		if (!i || (dentry != parent && dentry != BPF_CORE_READ(mount, mnt.mnt_root))) {
			if (!add_text(name, BPF_CORE_READ(dentry, d_name.name)))
				break;
			if (dentry != parent) {
				dentry = parent;
				continue;
			}
		}
		below = BPF_CORE_READ(mount, mnt_parent);
		if (below == mount) {
			name->cut_off = false;
			break;
		}
		dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		mount = below;
	}
}

/* Names @mapping, of the struct vm_area_struct at @vma_address, if that has not been done. */
__noinline int name_mapping(u64 vma_address, u64 mapping)
{
	struct vm_area_struct *vma = (void *)vma_address;
	struct mapping_name *name;
	struct file *file;
	void *special;
	u32 zero = 0;

	if (bpf_map_lookup_elem(&names, &mapping))
		return 0;
	name = bpf_map_lookup_elem(&name_scratch, &zero);
	if (!name)
		return 0;
	name->used = 0;
	name->cut_off = name->deleted = false;
	file = BPF_CORE_READ(vma, vm_file);
	special = BPF_CORE_READ(vma, vm_ops) ? BPF_CORE_READ(vma, vm_private_data) : NULL;
	if (file) {
		name_file(file, name);
	} else if (special) {
		name->kind = NAME_SPECIAL;
		add_text(name, BPF_CORE_READ((struct vm_special_mapping *)special, name));
	} else {
		name->kind = NAME_ANON;
		add_text(name, anon_name_of(vma));
	}
	bpf_map_update_elem(&names, &mapping, name, BPF_ANY);
	return 0;
}

#endif
