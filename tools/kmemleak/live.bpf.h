/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects that live are in a hash by what they are told by, most of the kernel's in the array of
 * buckets.bpf.h: an allocation puts one in, a free takes it out, and userspace has them counted by site
 * and stack when it wants to know. So an event costs one operation on one map.
 */
#ifndef LIVE_BPF_H
#define LIVE_BPF_H

#include "vmlinux.h"
#include "abi.h"
#include "kmemleak.h"
#include "current.bpf.h"
#include "filter.bpf.h"
#include "known_stack.bpf.h"
#include "lost.bpf.h"
#include "stack.bpf.h"
#include "target.bpf.h"
#include <bpf/bpf_helpers.h>

/* Only some tasks' or CPUs' allocations. */
const volatile bool some_tasks = false;
const volatile __u64 min_size = 0;

/* This unit's own process, whose allocations are left out; 0: it is not to be met. */
const volatile __u32 self = 0;

/* A stack for each object. */
const volatile bool exact = false;

/* struct object.time is in jiffies, else in ns of CLOCK_MONOTONIC. */
const volatile bool jiffies_clock = true;

/* See WATCH_BIT(). */
__u64 watched[WATCH_BITS / 64] = {};

/* Objects younger than this are not counted; as struct object.time. */
__u64 least_age = 0;

/* What a walk is for, and the objects that it had no group for. Set by userspace. */
__u32 for_report = 0;
__u64 groups_missed = 0;

/*
 * Objects that live. Filled at allocation, sized by userspace. When it is full, further objects are
 * lost.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct object_key);
	__type(value, struct object);
} live SEC(".maps");

/* The same for mappings of processes, which userspace may have to go through. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct object_key);
	__type(value, struct object);
} mappings SEC(".maps");

/*
 * Objects that came while `live` was being changed by what they interrupted. The same; a free looks
 * here too while there are any.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct object_key);
	__type(value, struct object);
} aside SEC(".maps");

/*
 * Frees that came so, and when: as struct object.time. Userspace carries them out. When it is full,
 * frees are lost.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct object_key);
	__type(value, u64);
} pending SEC(".maps");

/* Has anything been put into `live` or `mappings`, `aside`, `pending`? */
__u32 hash_used = 0;
__u32 set_aside = 0;
__u32 frees_pending = 0;

/* The stacks of objects. Key: the id; filled at first sight in a half; as the maps `stacks`. */
struct chains {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, u64);
	__type(value, struct stack_key);
} chains_0 SEC(".maps"), chains_1 SEC(".maps");

/* What a walk through the objects finds. When it is full, groups are missing from the report. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 17);
	__type(key, struct group_key);
	__type(value, struct group);
} groups SEC(".maps");

/*
 * When processes began to run another program: their older objects went with the old one's memory.
 * Key: the pid; value: CLOCK_MONOTONIC, ns. Forgets the oldest when it is full.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u64);
} execs SEC(".maps");

static __always_inline u64 object_clock(void)
{
	return jiffies_clock ? bpf_jiffies64() : bpf_ktime_get_ns();
}

static __always_inline bool is_watched(const struct site *site)
{
	u64 bit = WATCH_BIT(site);

	return exact ||
	       *(volatile u64 *)&watched[bit / 64 & (WATCH_BITS / 64 - 1)] >> (bit % 64) & 1;
}

/*
 * Keeps whose the stack at @ctx is, and the stack. @start: see known_stack_here(); 0: it is not a raw
 * tracepoint. Returns its id.
 */
static __always_inline u64 keep_chain(void *ctx, u64 start)
{
	u32 half = current_half();
	struct stack_key key = {};
	u64 id = 0;
	int err;

	if (start && !config.user_stack)
		known_stack_here(ctx, start, half, &key);
	else
		stack_here(ctx, 0, false, half, &key);
	id = hash_step(id, key.space);
	id = hash_step(id, key.kernel);
	id = hash_step(id, key.user);
	id = hash_step(id, key.pid);
	id = hash_step(id, *(u64 *)&key.comm[0]);
	id = hash_step(id, *(u64 *)&key.comm[8]) | 2;
	if (bpf_map_lookup_elem(HALF_MAP(chains, half), &id))
		return id;
	err = bpf_map_update_elem(HALF_MAP(chains, half), &id, &key, BPF_ANY);
	if (!err)
		return id;
	count_lost(lost_because(err));
	return STACK_LOST;
}

/* The map of what @allocator makes. */
#define map_of(allocator) ((allocator) == ALLOC_MMAP ? (void *)&mappings : (void *)&live)

/* Puts @object where it belongs. False: it is lost. */
static __always_inline bool add_object(const struct object_key *key, const struct object *object)
{
	int err;

	/* It is another object that has been freed. */
	if (*(volatile u32 *)&frees_pending)
		bpf_map_delete_elem(&pending, key);
	if (!*(volatile u32 *)&hash_used)
		hash_used = 1;
	err = bpf_map_update_elem(map_of(object->site.allocator), key, object, BPF_ANY);
	if (!err)
		return true;
	/* In use by what this interrupted: -EBUSY, from 6.15 -EDEADLK or -ETIMEDOUT. */
	if (lost_because(err) == LOST_BUSY && !bpf_map_update_elem(&aside, key, object, BPF_ANY)) {
		set_aside = 1;
		return true;
	}
	count_lost(lost_because(err));
	return false;
}

/* One element for each CPU: memory for a moment. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} moment SEC(".maps");

/* Does a process run at the raw tracepoint @ctx, and no interrupt or softirq? */
static __always_inline bool in_process(void *ctx)
{
	struct task_struct *p = (void *)bpf_get_current_task();
	u32 zero = 0;
	u64 *scratch = bpf_map_lookup_elem(&moment, &zero);

	return scratch && BPF_CORE_READ(p, mm) && on_task_stack(ctx, scratch);
}

/* Is an object of @bytes by the running task to be kept? @start: as in keep_chain(). */
static __always_inline bool object_wanted(void *ctx, u64 start, u64 bytes)
{
	if (bytes < min_size || !observing() || (some_tasks && !current_wanted()))
		return false;
	if (!filter_passes((void *)bpf_get_current_task(), bytes))
		return false;
	return !start || bpf_get_current_pid_tgid() >> 32 != self || !in_process(ctx);
}

/* Fills in what the moment says. False: the object is not wanted. */
static __always_inline bool describe(void *ctx, u64 start, struct object *object)
{
	if (!object_wanted(ctx, start, object->bytes))
		return false;
	object->time = object_clock();
	if (is_watched(&object->site))
		object->chain = keep_chain(ctx, start);
	return true;
}

static __always_inline void made(void *ctx, u64 start, const struct object_key *key,
				 struct object *object)
{
	if (key->address && describe(ctx, start, object))
		add_object(key, object);
}

/*
 * Takes the object out that @allocator, or one of its kind, made. Returns 0; -ENOENT: it was not
 * there; -EBUSY: nobody can tell now, so userspace will take it out.
 */
static __always_inline int forget(const struct object_key *key, enum allocator allocator)
{
	int err, aside_err = -ENOENT;
	u64 now;

	err = bpf_map_delete_elem(map_of(allocator), key);
	if (!err)
		return 0;
	if (*(volatile u32 *)&set_aside)
		aside_err = bpf_map_delete_elem(&aside, key);
	if (!aside_err)
		return 0;
	/* Older than the unit, or not wanted? */
	if (err == -ENOENT && aside_err == -ENOENT)
		return -ENOENT;
	frees_pending = 1;
	now = object_clock();
	if (bpf_map_update_elem(&pending, key, &now, BPF_ANY))
		count_lost(LOST_BUSY);
	return -EBUSY;
}

/* @age: as struct object.time counts. */
static __noinline int count_in_group(const struct object *object, u64 age)
{
	struct group_key key = { .site = object->site, .chain = object->chain };
	struct group first, *group;

	if (age < least_age)
		return 0;
	group = bpf_map_lookup_elem(&groups, &key);
	if (!group) {
		first.count = 1;
		first.bytes = object->bytes;
		first.age = age;
		if (bpf_map_update_elem(&groups, &key, &first, BPF_NOEXIST)) {
			groups_missed++;
			if (for_report)
				count_lost(LOST_MAP_FULL);
		}
		return 0;
	}
	group->count++;
	group->bytes += object->bytes;
	if (age > group->age)
		group->age = age;
	return 0;
}

/* Run by userspace over `live`, `mappings` and `aside`. */
SEC("iter/bpf_map_elem")
int count_objects(struct bpf_iter__bpf_map_elem *ctx)
{
	volatile struct object_key *key_there = ctx->key;
	volatile struct object *there = ctx->value;
	struct object_key name;
	struct object object;
	u64 *exec;

	if (!there || !key_there)
		return 0;
	name.address = key_there->address;
	name.pid = key_there->pid;
	name.name_space = key_there->name_space;
	object.time = there->time;
	object.bytes = there->bytes;
	object.chain = there->chain;
	object.site.address = there->site.address;
	object.site.allocator = there->site.allocator;
	object.site.pid = there->site.pid;
	/* Freed meanwhile, and used again? */
	if (there->time != object.time || there->chain != object.chain ||
	    there->site.address != object.site.address || key_there->address != name.address)
		return 0;
	if (frees_pending && bpf_map_lookup_elem(&pending, &name))
		return 0;
	if (name.pid) {
		exec = bpf_map_lookup_elem(&execs, &name.pid);
		if (exec && object.time < *exec)
			return 0;
	}
	return count_in_group(&object, object_clock() - object.time);
}

#endif
