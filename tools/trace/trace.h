/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two halves of trace share. Needs abi.h before it. */
#ifndef TRACE_H
#define TRACE_H

/* Of a tracepoint's record, or of what else a program is given, so many bytes are kept. */
#define TRACE_DATA 2048

/* What expressions give: arguments that are in memory, and strings. */
#define TRACE_VALUES 4
#define TRACE_TEXTS  2

struct trace_extras {
	__u64 value[TRACE_VALUES];
	char text[TRACE_TEXTS][SLOT_TEXT_SIZE];
};

/*
 * An event as it is handed over. Behind it: a struct trace_extras if TRACE_HAS_EXTRAS, `size` bytes of
 * data, rounded up to a multiple of 8, and, if there are frames, the space of the user's, then the
 * kernel's, then the user's.
 */
struct trace_record {
	__u64 time; /* CLOCK_MONOTONIC, ns */
	__u32 pid, tid;
	char comm[COMM_LEN];
	__u16 event; /* its number */
	__u16 size;
	__u8 kernel, user; /* frames */
	__u8 flags;
	__u8 pad;
};

#define TRACE_HAS_EXTRAS 1
#define TRACE_CUT_OFF	 2 /* there was more data */

/*
 * What slot_unit() gives: how many words of data, the place of the last string in it whose length
 * differs (its "__data_loc", counted in words of 4 bytes; 0: there is none), whether there are extras,
 * and how many frames of each part of the stack are wanted.
 */
#define TRACE_UNIT(words, loc, relative, extras, frames) \
	((words) | (loc) << 10 | (relative) << 19 | (extras) << 20 | (frames) << 21)
#define TRACE_WORDS(unit)    ((unit)&0x3ff)
#define TRACE_LOC(unit)	     ((unit) >> 10 & 0x1ff)
#define TRACE_RELATIVE(unit) ((unit) >> 19 & 1)
#define TRACE_EXTRAS(unit)   ((unit) >> 20 & 1)
#define TRACE_FRAMES(unit)   ((unit) >> 21 & 0x7f)

/* What a CPU is about, in an array that userspace looks into. */
struct trace_cpu {
	__u64 running; /* programs that have begun and not ended */
	__u64 lost;    /* events that found no room in the CPU's buffer */
	__u64 pad[6];  /* a cache line for each */
};

/* With --flame-graph: what is counted by. */
struct trace_key {
	struct stack_key stack;
	__u32 event;
	__u32 pad;
};

#endif
