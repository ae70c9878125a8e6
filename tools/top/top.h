/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two halves of top share. Needs abi.h before it. */
#ifndef TOP_H
#define TOP_H

/* Columns of numbers that a table has at most, and those that an event fills. */
#define MOST_COLUMNS	   64
#define MOST_EVENT_COLUMNS 4

/*
 * What slot_unit() gives: the first column that an event fills, and how many; and a bit for each of
 * them whose values may be below 0.
 */
#define TOP_COLUMNS(first, count) ((count) << 8 | (first))
#define TOP_FIRST(columns)	  ((columns)&0xff)
#define TOP_COUNT(columns)	  ((columns) >> 8 & 0xff)
#define TOP_SIGNED(nth)		  (1U << (16 + (nth)))

/*
 * A sum: of the values' lower 32 bits, and of what is above them, by its sign. So it is exact for 2^32
 * values of any size, and small ones need one addition.
 */
struct top_sum {
	__u64 low;
	__u64 high; /* in two's complement */
};

/* A row; in the maps only as many columns as there are. */
struct top_row {
	__u64 events; /* only where all keys share the row */
	char name[SLOT_TEXT_SIZE] __attribute__((aligned(8)));
	struct top_sum sum[MOST_COLUMNS];
};

#endif
