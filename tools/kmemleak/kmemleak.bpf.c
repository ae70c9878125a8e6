// SPDX-License-Identifier: GPL-2.0-only
/*
 * What has been allocated and not been freed: the kernel's allocators. live.bpf.h has what becomes
 * of it; user.bpf.h and pair.bpf.h have other events.
 *
 * The programs are attached to raw tracepoints: those run whatever else is running on the CPU, and
 * are kept only from interrupting themselves.
 */
#include "vmlinux.h"
#include "abi.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "buckets.bpf.h"
#include "hold.bpf.h"
#include "kmemleak.h"
#include "live.bpf.h"
#include "pair.bpf.h"
#include "user.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* kmalloc's third argument is the cache (6.0), not a size. */
const volatile bool kmalloc_event_has_cache = false;

/* kmem_cache_alloc's third argument is a size (before 6.1), not the cache. */
const volatile bool cache_event_has_size = false;

/* percpu_alloc_percpu's first argument is the site (from 6.0). */
const volatile bool percpu_event_has_site = false;

/* Not all frees of caches with sheaves can be seen. */
const volatile bool without_sheaves = false;

/* The numbers of programs for known_stack_here(). */
enum {
	START_KMALLOC = UNWIND + 1,
	START_KMALLOC_NODE,
	START_CACHE,
	START_CACHE_NODE,
	START_PAGES,
};

/* @start: one of these, or UNWIND. */
static __always_inline void made_in_kernel(void *ctx, u64 start, enum allocator allocator, u64 site,
					   enum name_space name_space, u64 address, u64 bytes)
{
	struct object_key key = { .address = address, .name_space = name_space };
	struct object object = {
		.site = { .address = site, .allocator = allocator },
		.bytes = bytes,
	};

	if (address && describe(ctx, start, &object))
		add_in_kernel(&key, &object);
}

/* One element. Filled by the programs for frees; cannot be full. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct frees);
} frees SEC(".maps");

/*
 * The kernel does not run a program that is running on this CPU already: one that an interrupt found
 * there, or, from 7.0, one whose task was preempted. So a free could be missed, and what was freed
 * would look like a leak for ever. Hence each event of this kind has a second program, which does the
 * work where the first one did not. To do it twice does no harm: the memory is nobody else's yet.
 */
static __always_inline struct frees *frees_here(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&frees, &zero);
}

/* For the first program: it has seen to the free of @address. @ctx is the event's, for both. */
static __always_inline void was_seen_to(void *ctx, u64 address)
{
	struct frees *here = frees_here();

	if (!here)
		return;
	here->address = address;
	*(volatile u64 *)&here->event = (u64)ctx;
}

/* For the second one: has the first one not? */
static __always_inline bool was_skipped(void *ctx, struct frees *here, u64 address)
{
	*(volatile u64 *)&here->mine = (u64)ctx;
	if (*(volatile u64 *)&here->mine != *(volatile u64 *)&here->event ||
	    here->address != address)
		return true;
	*(volatile u64 *)&here->event = 0;
	return false;
}

static __always_inline void freed(void *ctx, enum name_space name_space, u64 address)
{
	forget_in_kernel(name_space, address);
	was_seen_to(ctx, address);
}

static __always_inline void freed_again(void *ctx, enum name_space name_space, u64 address)
{
	struct frees *here = frees_here();

	if (here && was_skipped(ctx, here, address) && forget_in_kernel(name_space, address))
		here->nested++;
}

#define ARG(n) (ctx->args[n])

SEC("raw_tp/kmalloc")
int made_kmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	/* Volatile, as one read from either place would not pass the verifier. */
	volatile u64 bytes;

	hold_cpu();
	bytes = ARG(3);
	if (kmalloc_event_has_cache)
		bytes = ARG(4);
	made_in_kernel(ctx, START_KMALLOC, ALLOC_KMALLOC, ARG(0), BY_ADDRESS, ARG(1), bytes);
	release_cpu();
	return 0;
}

/* Before 6.1. */
SEC("raw_tp/kmalloc_node")
int made_kmalloc_node(struct bpf_raw_tracepoint_args *ctx)
{
	hold_cpu();
	made_in_kernel(ctx, START_KMALLOC_NODE, ALLOC_KMALLOC, ARG(0), BY_ADDRESS, ARG(1), ARG(3));
	release_cpu();
	return 0;
}

static __always_inline void made_by_cache(struct bpf_raw_tracepoint_args *ctx, u64 start)
{
	struct kmem_cache *cache = (void *)ARG(2);
	u64 bytes = cache_event_has_size ? ARG(3) : BPF_CORE_READ(cache, size);

	if (without_sheaves && cache_has_sheaves(cache))
		return;
	made_in_kernel(ctx, start, ALLOC_CACHE, ARG(0), BY_ADDRESS, ARG(1), bytes);
}

SEC("raw_tp/kmem_cache_alloc")
int made_in_cache(struct bpf_raw_tracepoint_args *ctx)
{
	hold_cpu();
	made_by_cache(ctx, START_CACHE);
	release_cpu();
	return 0;
}

/* Before 6.1. */
SEC("raw_tp/kmem_cache_alloc_node")
int made_in_cache_node(struct bpf_raw_tracepoint_args *ctx)
{
	hold_cpu();
	made_by_cache(ctx, START_CACHE_NODE);
	release_cpu();
	return 0;
}

SEC("raw_tp/kfree")
int freed_kmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	hold_cpu();
	freed(ctx, BY_ADDRESS, ARG(1));
	release_cpu();
	return 0;
}

SEC("raw_tp/kfree")
int kfree_again(struct bpf_raw_tracepoint_args *ctx)
{
	freed_again(ctx, BY_ADDRESS, ARG(1));
	return 0;
}

SEC("raw_tp/kmem_cache_free")
int freed_in_cache(struct bpf_raw_tracepoint_args *ctx)
{
	hold_cpu();
	freed(ctx, BY_ADDRESS, ARG(1));
	release_cpu();
	return 0;
}

SEC("raw_tp/kmem_cache_free")
int cache_again(struct bpf_raw_tracepoint_args *ctx)
{
	freed_again(ctx, BY_ADDRESS, ARG(1));
	return 0;
}

SEC("raw_tp/mm_page_alloc")
int made_pages(struct bpf_raw_tracepoint_args *ctx)
{
	u32 order = ARG(1);

	hold_cpu();
	made_in_kernel(ctx, START_PAGES, ALLOC_PAGES, PAGES_SITE(order, ARG(3)), BY_PAGE, ARG(0),
		       (u64)page_size << (order & 31));
	release_cpu();
	return 0;
}

SEC("raw_tp/mm_page_free")
int freed_pages(struct bpf_raw_tracepoint_args *ctx)
{
	hold_cpu();
	freed(ctx, BY_PAGE, ARG(0));
	release_cpu();
	return 0;
}

SEC("raw_tp/mm_page_free")
int pages_again(struct bpf_raw_tracepoint_args *ctx)
{
	freed_again(ctx, BY_PAGE, ARG(0));
	return 0;
}

SEC("raw_tp/percpu_alloc_percpu")
int made_percpu(struct bpf_raw_tracepoint_args *ctx)
{
	hold_cpu();
	if (percpu_event_has_site)
		made_in_kernel(ctx, UNWIND, ALLOC_PERCPU, ARG(0), BY_PERCPU, ARG(7), ARG(3));
	else
		made_in_kernel(ctx, UNWIND, ALLOC_PERCPU, 0, BY_PERCPU, ARG(6), ARG(2));
	release_cpu();
	return 0;
}

SEC("raw_tp/percpu_free_percpu")
int freed_percpu(struct bpf_raw_tracepoint_args *ctx)
{
	hold_cpu();
	forget_in_kernel(BY_PERCPU, ARG(2));
	release_cpu();
	return 0;
}

/* From 6.3. The event comes for failures too. */
SEC("raw_tp/alloc_vmap_area")
int made_vmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	hold_cpu();
	if (!(u32)ARG(5))
		made_in_kernel(ctx, UNWIND, ALLOC_VMALLOC, 0, BY_ADDRESS, ARG(0), ARG(1));
	release_cpu();
	return 0;
}

SEC("raw_tp/free_vmap_area_noflush")
int freed_vmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	hold_cpu();
	forget_in_kernel(BY_ADDRESS, ARG(0));
	release_cpu();
	return 0;
}

/* So many the kernel frees in bulk at most: a page of pointers. */
#define MOST_IN_BULK 512

/*
 * What is freed in bulk, such as what kfree_rcu() has collected, has no tracepoint of its own: it is
 * seen only where the kernel lets programs be attached to its functions. Returns how many objects it
 * has taken out.
 */
static __always_inline u32 free_bulk(u64 objects, u64 count)
{
	u64 address;
	u32 i, found = 0;

	for (i = 0; i < MOST_IN_BULK; i++) {
		if (i >= count)
			break;
		if (!bpf_probe_read_kernel(&address, sizeof(address),
					   (void *)(objects + i * sizeof(address))))
			found += forget_in_kernel(BY_ADDRESS, address);
	}
	return found;
}

/* Before 5.11, an argument of type void ** may not be read as the others are. */
static __always_inline u64 third_argument(u64 *ctx)
{
	u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), &ctx[2]);
	return value;
}

/* (cache, count, objects) */
SEC("fentry/kmem_cache_free_bulk")
int freed_in_bulk(u64 *ctx)
{
	u64 count = ctx[1], objects;

	hold_cpu();
	objects = third_argument(ctx);
	free_bulk(objects, count);
	if (count > MOST_IN_BULK)
		count_lost_many(LOST_UNSEEN, count - MOST_IN_BULK);
	was_seen_to(ctx, objects);
	release_cpu();
	return 0;
}

SEC("fentry/kmem_cache_free_bulk")
int bulk_again(u64 *ctx)
{
	u64 count = ctx[1], objects = third_argument(ctx);
	struct frees *here = frees_here();

	if (here && was_skipped(ctx, here, objects))
		here->nested += free_bulk(objects, count);
	return 0;
}

/* From 6.18: what goes back to a cache with sheaves comes past nothing else. */
SEC("fentry/kvfree_call_rcu")
int BPF_PROG(freed_by_rcu, struct callback_head *head, u64 address)
{
	hold_cpu();
	forget_in_kernel(BY_ADDRESS, address);
	release_cpu();
	return 0;
}

/*
 * Before 6.1, kmem_cache_free's event comes when the object has been freed: by then it may be
 * somebody else's.
 */
SEC("fentry/kmem_cache_free")
int BPF_PROG(freed_early, struct kmem_cache *cache, u64 address)
{
	hold_cpu();
	freed(ctx, BY_ADDRESS, address);
	release_cpu();
	return 0;
}

SEC("fentry/kmem_cache_free")
int BPF_PROG(early_again, struct kmem_cache *cache, u64 address)
{
	freed_again(ctx, BY_ADDRESS, address);
	return 0;
}

/*
 * In softirqs, a packet's head goes into a store of the CPU's, which goes back to the slab in bulk; so
 * do those of a whole list. Where that cannot be seen, the end of its use is the end of its life.
 * Heads that come in pairs are freed one by one.
 */
static __always_inline void freed_packet(u64 packet)
{
	struct sk_buff *p = (void *)packet;

	if (!BPF_CORE_READ_BITFIELD_PROBED(p, fclone))
		forget_in_kernel(BY_ADDRESS, packet);
}

SEC("raw_tp/consume_skb")
int packet_consumed(struct bpf_raw_tracepoint_args *ctx)
{
	hold_cpu();
	freed_packet(ARG(0));
	release_cpu();
	return 0;
}

SEC("raw_tp/kfree_skb")
int packet_dropped(struct bpf_raw_tracepoint_args *ctx)
{
	hold_cpu();
	freed_packet(ARG(0));
	release_cpu();
	return 0;
}
