/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects of the kernel, by their addresses: in the buckets of an array, which is read and written in
 * place. The kernel's hash takes much longer, and fails where it is interrupted. What there is no
 * room for goes there all the same, so that any --max-live is used up to the end.
 *
 * Most of the time is spent waiting for memory. So what is asked for at first is in one cache line,
 * and neighbours in memory are neighbours here, as an allocator gives them out one after the other.
 *
 * An address has one owner at a time: it is put in before the allocator returns it, and taken out
 * before it can be allocated again. So all that can happen at once is that two CPUs, or a CPU and
 * what interrupts it, want the same free slot. Where frees are only seen when they are over, there are
 * no buckets.
 */
#ifndef BUCKETS_BPF_H
#define BUCKETS_BPF_H

#include "live.bpf.h"

/* GROUP_BUCKETS buckets each; 0: there are none. */
const volatile __u32 bucket_groups = 0;

/*
 * Sized by userspace, as bucket_groups. Cannot be full: what has no room goes into `live`. Such maps
 * begin at a page, so that no bucket is in more cache lines than it needs.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct bucket);
} buckets SEC(".maps");

/* Not 0. The kernel's addresses have their upper bits in common. */
static __always_inline u64 bucket_key(const struct object_key *name)
{
	return (name->address & ~0ULL >> 8) | (u64)(name->name_space + 1) << 56;
}

/* Where @key belongs: a bucket is for a KiB of addresses, or four pages, each a struct of 64 bytes. */
static __always_inline struct bucket *bucket_of(u64 key)
{
	u64 place = key >> (key >> 56 == BY_PAGE + 1 ? 8 : 10);
	u64 group = (place / GROUP_BUCKETS ^ key >> 56) * HASH_FACTOR >> 32;
	u32 at;

	if (!bucket_groups)
		return NULL;
	at = (group * bucket_groups >> 32) * GROUP_BUCKETS + place % GROUP_BUCKETS;
	return bpf_map_lookup_elem(&buckets, &at);
}

/* Where it goes when there is no room: anywhere. */
static __always_inline struct bucket *second_bucket_of(u64 key)
{
	u32 at = (key * HASH_FACTOR >> 32) * (bucket_groups * GROUP_BUCKETS) >> 32;

	return bpf_map_lookup_elem(&buckets, &at);
}

/* Where @key is in @b; BUCKET_SLOTS: nowhere. */
static __always_inline u32 slot_of(struct bucket *b, u64 key)
{
	volatile u64 *keys = b->keys;
	u32 i;

#pragma unroll
	for (i = 0; i < BUCKET_SLOTS; i++) {
		if (keys[i] == key)
			return i;
	}
	return BUCKET_SLOTS;
}

/*
 * Puts @object into a slot that nobody else has. Before 5.12 programs can add in one go, but not
 * compare and exchange: so each adds 1 to the slot's count, and who finds 1 there has it until he
 * takes his away. False: there is no such slot in @b.
 */
static __always_inline bool bucket_put(struct bucket *b, u64 key, const struct object *object)
{
	struct bucket_slot *slot;
	u64 one;
	u32 i;

#pragma unroll
	for (i = 0; i < BUCKET_SLOTS; i++) {
		if (*(volatile u64 *)&b->keys[i])
			continue;
		one = 1ULL << 8 * i;
		__sync_fetch_and_add(&b->claims, one);
		if ((*(volatile u64 *)&b->claims >> 8 * i & 0xff) == 1) {
			slot = &b->slots[i];
			slot->site = object->site.address;
			slot->bytes = object->bytes;
			slot->chain = object->chain;
			slot->time = object->time | (u64)object->site.allocator
							    << SLOT_ALLOCATOR_SHIFT;
			/* Who sees the key sees what has been stored before. */
			asm volatile("" : : : "memory");
			*(volatile u64 *)&b->keys[i] = key;
			return true;
		}
		__sync_fetch_and_add(&b->claims, -one);
	}
	return false;
}

/* False: it is not in @b. */
static __always_inline bool bucket_take(struct bucket *b, u64 key)
{
	u32 i = slot_of(b, key);

	if (i >= BUCKET_SLOTS)
		return false;
	*(volatile u64 *)&b->keys[i] = 0;
	__sync_fetch_and_add(&b->claims, -(1ULL << 8 * i));
	return true;
}

/* Takes out what had no room in @b, its own bucket. Returns as forget(). */
static __always_inline int take_elsewhere(struct bucket *b, const struct object_key *name, u64 key)
{
	struct bucket *second = second_bucket_of(key);
	int err = 0;

	if (!second || !bucket_take(second, key))
		err = forget(name, ALLOC_KMALLOC);
	if (!err)
		__sync_fetch_and_add(&b->elsewhere, -1);
	return err;
}

static __always_inline void put_elsewhere(struct bucket *b, const struct object_key *name, u64 key,
					  const struct object *object)
{
	struct bucket *second = second_bucket_of(key);

	__sync_fetch_and_add(&b->elsewhere, 1);
	/* In its own there may be room by now, but it would not be counted there. */
	if (!(second && second != b && bucket_put(second, key, object)) &&
	    !add_object(name, object))
		__sync_fetch_and_add(&b->elsewhere, -1);
}

static __always_inline void add_in_kernel(const struct object_key *name,
					  const struct object *object)
{
	u64 key = bucket_key(name);
	struct bucket *b = bucket_of(key);

	if (!b) {
		add_object(name, object);
		return;
	}
	/* One whose free was not seen. */
	if (!bucket_take(b, key) && *(volatile u32 *)&b->elsewhere)
		take_elsewhere(b, name, key);
	if (!bucket_put(b, key, object))
		put_elsewhere(b, name, key, object);
}

/* False: it was not there. */
static __always_inline bool forget_in_kernel(enum name_space name_space, u64 address)
{
	struct object_key name = { .address = address, .name_space = name_space };
	u64 key = bucket_key(&name);
	struct bucket *b;

	if (!address)
		return false;
	b = bucket_of(key);
	if (!b)
		return forget(&name, ALLOC_KMALLOC) != -ENOENT;
	return bucket_take(b, key) ||
	       (*(volatile u32 *)&b->elsewhere && take_elsewhere(b, &name, key) != -ENOENT);
}

/* Run by userspace over `buckets`. */
SEC("iter/bpf_map_elem")
int count_slots(struct bpf_iter__bpf_map_elem *ctx)
{
	volatile struct bucket *b = ctx->value;
	struct object object = {};
	u64 key, time;
	u32 i;

	if (!b)
		return 0;
#pragma unroll
	for (i = 0; i < BUCKET_SLOTS; i++) {
		key = b->keys[i];
		if (!key)
			continue;
		time = b->slots[i].time;
		object.time = time & ~0ULL >> (64 - SLOT_ALLOCATOR_SHIFT);
		object.bytes = b->slots[i].bytes;
		object.chain = b->slots[i].chain;
		object.site.address = b->slots[i].site;
		object.site.allocator = time >> SLOT_ALLOCATOR_SHIFT;
		/* Freed meanwhile, and used again? */
		if (b->keys[i] == key && b->slots[i].time == time &&
		    b->slots[i].site == object.site.address && b->slots[i].chain == object.chain)
			count_in_group(&object, object_clock() - object.time);
	}
	return 0;
}

#endif
