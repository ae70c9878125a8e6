/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two halves of num-dist share. Needs abi.h before it. */
#ifndef NUM_DIST_H
#define NUM_DIST_H

/* What slot_unit() gives. */
#define DIST_SIGNED 1 /* the numbers may be below 0 */
#define DIST_KEYED  2 /* there is a key */

struct dist_key {
	__u32 event; /* its number */
	__u32 pad;
	union event_key key; /* in the maps only as much of it as there is */
};

/* The largest of each that a CPU had, in an order of all numbers that begins at 0: see DIST_ORDER. */
struct dist_extremes {
	__u64 above; /* the largest number */
	__u64 below; /* ... with all bits turned: the smallest one */
};

/* Of signed numbers the sign's bit is turned: then they have the order of others. */
#define DIST_ORDER(number, is_signed) ((number) ^ (__u64)(is_signed) << 63)

/* A distribution; behind it in the maps: buckets, as many as there are, and extremes of each CPU. */
struct dist {
	char name[SLOT_TEXT_SIZE] __attribute__((aligned(8))); /* of the key */
	__u64 sum;
};

/*
 * Buckets of a struct hist, then, where there are signed numbers, as many again for those below 0, by
 * their absolute values.
 */
#define DIST_BUCKETS(is_signed) ((is_signed) ? 2 * HIST_BUCKETS : HIST_BUCKETS)

#endif
