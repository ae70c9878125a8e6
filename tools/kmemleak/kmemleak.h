/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two halves of kmemleak share. Needs abi.h before it. */
#ifndef KMEMLEAK_H
#define KMEMLEAK_H

enum allocator {
	ALLOC_KMALLOC,
	ALLOC_CACHE,
	ALLOC_PAGES,
	ALLOC_PERCPU,
	ALLOC_VMALLOC,
	ALLOC_MALLOC, /* the malloc family of a process */
	ALLOC_MMAP,   /* ... its mappings */
	ALLOC_EVENT,  /* and above: the event of this number, of --alloc */
};

/* SLOT_UNIT of events of --free. */
#define PAIR_FREE 1

/* What an object is told by. */
enum name_space {
	BY_ADDRESS, /* of the kernel, or of process `pid` */
	BY_PAGE,    /* its struct page's address */
	BY_PERCPU,  /* its offset */
};

struct object_key {
	__u64 address;
	__u32 pid; /* 0: the kernel's */
	__u32 name_space;
};

/* Who allocates: by the address that the allocator returns to; for pages by their kind. */
struct site {
	__u64 address; /* 0: not known */
	__u32 allocator;
	__u32 pid; /* whose address it is; 0: the kernel's */
};

/* Of pages, whose events do not say who asked: struct site.address. */
#define PAGES_SITE(order, migratetype) ((order) | (__u64)(migratetype) << 8)

/* An object that has not been freed. */
struct object {
	struct site site;
	__u64 bytes;
	__u64 time;  /* of its allocation, see `jiffies_clock` */
	__u64 chain; /* id of its stack in the maps `chains`; 0: none was taken */
};

/* Objects of the kernel for which there is room side by side, in four cache lines. */
#define BUCKET_SLOTS 6

/* As a struct object, with the allocator above the time. */
struct bucket_slot {
	__u64 site;
	__u64 bytes;
	__u64 chain;
	__u64 time;
};

#define SLOT_ALLOCATOR_SHIFT 56

/* Objects whose addresses are near each other. */
struct bucket {
	__u64 keys[BUCKET_SLOTS]; /* 0: the slot is free, or being filled */
	__u64 claims;		  /* a byte for each slot, see bucket_put() */
	__u32 elsewhere;	  /* so many that belong here are in another bucket or in `live` */
	__u32 pad;
	struct bucket_slot slots[BUCKET_SLOTS];
};

/* So many buckets side by side are for addresses side by side: a page of them. */
#define GROUP_BUCKETS 16

/* What objects are put together by for a report. */
struct group_key {
	struct site site;
	__u64 chain;
};

struct group {
	__u64 count;
	__u64 bytes;
	__u64 age; /* of its oldest object, as struct object.time counts */
};

/*
 * Frees on a CPU: what the first of an event's two programs has just seen to, for the second one to
 * know. It takes it away, so that it stands for that event alone.
 */
struct frees {
	__u64 event;   /* where the event's arguments are: the same for both programs */
	__u64 address; /* what is freed */
	__u64 mine;    /* for a moment: `event` of the program that runs */
	__u64 nested;  /* so many objects the second program has found and taken out */
};

/* Sites whose stacks are wanted, as bits: one that shares another's bit has its stacks taken too. */
#define WATCH_BITS 65536

#define WATCH_BIT(site)                                                                   \
	((((site)->address ^ (__u64)(site)->allocator << 56 ^ (__u64)(site)->pid << 20) * \
	  0x9e3779b97f4a7c15ULL) >>                                                       \
	 48)

/* The functions of a process's allocator, by their arguments. */
enum function_kind {
	CALL_MALLOC,	     /* (size) */
	CALL_CALLOC,	     /* (count, size) */
	CALL_REALLOC,	     /* (old, size) */
	CALL_REALLOCARRAY,   /* (old, count, size) */
	CALL_MEMALIGN,	     /* (alignment, size) */
	CALL_POSIX_MEMALIGN, /* (where to store it, alignment, size) */
	CALL_MMAP,	     /* (address, size, ...) */
	CALL_MREMAP,	     /* (old, old size, size, ...) */
	CALL_FREE,	     /* (old) */
	CALL_MUNMAP,	     /* (old, size) */
	CALL_NEW,	     /* (size): has malloc() do it, and may throw */
	FUNCTION_KINDS
};

/* What userspace has to do about a process. */
enum process_event {
	PROCESS_MADE,	/* by one that is observed */
	PROCESS_EXECED, /* it runs another program */
	PROCESS_ENDED,
	PROCESS_UNMAPS, /* `bytes` at `address`, which is no mapping as it was made */
};

struct process_notice {
	__u32 pid;
	__u32 event; /* enum process_event */
	__u64 time;  /* CLOCK_MONOTONIC, ns */
	__u64 address;
	__u64 bytes;
};

#endif
