/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel types that the programs read, and only the members that they read.
 *
 * Nothing here has to match a kernel's layout: preserve_access_index makes clang record every
 * access by name, and libbpf puts in the running kernel's offsets at load. A member that some
 * kernels spell differently has its own flavour, `struct name___what`; libbpf ignores what stands
 * behind the three underscores when it looks the type up. bpf/compat.bpf.h chooses between them.
 */
#ifndef VMLINUX_H
#define VMLINUX_H

/* For bpf_tracing.h: these are the kernel's own names of registers. */
#define __VMLINUX_H__

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;

typedef __s8 s8;
typedef __u8 u8;
typedef __s16 s16;
typedef __u16 u16;
typedef __s32 s32;
typedef __u32 u32;
typedef __s64 s64;
typedef __u64 u64;

typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u32 __wsum;

typedef _Bool bool;
typedef int pid_t;
typedef unsigned long size_t;

enum {
	false = 0,
	true = 1
};

#define NULL ((void *)0)

/* The parts of the BPF system call's interface that programs name. */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERF_EVENT_ARRAY = 4,
	BPF_MAP_TYPE_PERCPU_HASH = 5,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_F_NO_PREALLOC = 1,
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1,
	BPF_F_USER_STACK = 1 << 8,
	BPF_F_MMAPABLE = 1 << 10,
};

#define BPF_F_CURRENT_CPU 0xffffffffULL

/* Error numbers that map operations return, negated. */
enum {
	ENOMEM = 12,
	ENOENT = 2,
	EBUSY = 16,
	EEXIST = 17,
	E2BIG = 7,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kernfs_node {
	u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
	int level;
};

/* 5.5 to 6.0: the ancestors' ids stand in the cgroup itself. */
struct cgroup___ids {
	u64 ancestor_ids[1];
};

/* From 6.1: the ancestors themselves. */
struct cgroup___pointers {
	struct cgroup *ancestors[1];
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct rq {
	u64 clock;
	unsigned int nr_running;
};

struct cfs_rq {
	struct rq *rq;
};

struct sched_entity {
	struct cfs_rq *cfs_rq;
};

struct sched_info {
	unsigned long pcount;
	unsigned long long run_delay;
	unsigned long long last_queued;
};

struct thread_info {
	unsigned long flags;
};

struct qstr {
	u64 hash_len;
	const unsigned char *name;
};

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};

struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
};

struct vm_special_mapping {
	const char *name;
};

struct anon_vma_name {
	char name[1];
};

struct vm_operations_struct;

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	struct mm_struct *vm_mm;
	const struct vm_operations_struct *vm_ops;
	struct file *vm_file;
	void *vm_private_data;
	struct anon_vma_name *anon_name;
};

struct maple_tree {
	void *ma_root;
};

struct maple_range_64 {
	unsigned long pivot[15];
	void *slot[16];
};

struct maple_arange_64 {
	unsigned long pivot[9];
	void *slot[10];
};

enum maple_type {
	maple_dense,
	maple_leaf_64,
	maple_range_64,
	maple_arange_64,
};

struct mm_struct {
	struct maple_tree mm_mt;
	unsigned long start_brk, brk, start_stack;
};

/* To 6.0. */
struct vmacache {
	struct vm_area_struct *vmas[4];
};

struct task_struct {
	struct thread_info thread_info;
	void *stack;
	unsigned int __state;
	int prio;
	unsigned int policy;
	struct sched_entity se;
	struct sched_info sched_info;
	pid_t pid;
	pid_t tgid;
	u64 start_time;
	char comm[16];
	struct task_struct *group_leader;
	struct css_set *cgroups;
	u64 self_exec_id;
	struct mm_struct *mm;
	int pagefault_disabled;
};

/* Before 5.14. */
struct task_struct___state {
	volatile long state;
};

/* To 6.0. */
struct task_struct___vmacache {
	struct vmacache vmacache;
};

/* 6.4 to 6.18. */
struct bpf_local_storage_map {
	bool bpf_ma;
};

struct bpf_local_storage_map___nolock {
	bool use_kmalloc_nolock;
};

struct irqaction {
	const char *name;
};

struct kmem_cache {
	unsigned int size;
	void *cpu_sheaves;
};

struct callback_head;

struct sk_buff {
	__u8 fclone : 2;
};

struct bpf_iter_meta;

struct bpf_map;

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	void *key;
	void *value;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

/* What a program at a raw tracepoint is given: the tracepoint's arguments. */
struct bpf_raw_tracepoint_args {
	u64 args[0];
};

#if defined(__TARGET_ARCH_x86)
#include "x86_64.h"
#elif defined(__TARGET_ARCH_arm64)
#include "arm64.h"
#else
#error "no register layout for this architecture; add one beside x86_64.h"
#endif

#endif
