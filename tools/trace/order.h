/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The events of all CPUs in the order of their times. A CPU's come nearly in order: what interrupts a
 * program is later than it, but in its buffer before it. What is shown is as old as is needed for nothing
 * older to come any more: a CPU without a running program has handed over all that is older than now. So
 * a quiet CPU holds nobody up, and one that stays in the midst of something does so for a while only.
 */
#ifndef TRACE_ORDER_H
#define TRACE_ORDER_H

#include <stdbool.h>
#include <linux/types.h>
#include "abi.h"
#include "buffers.h"
#include "trace.h"

/* An event in `records`. */
struct order_item {
	uint64_t time;
	size_t at;
};

/* A CPU's events that are not shown yet. */
struct order_stream {
	struct records records;
	struct order_item *items; /* by time */
	size_t count, room, next;
	uint64_t complete; /* all that is older is there */
};

struct order {
	struct order_stream *streams; /* as many as there are buffers */
	struct records spare;
	unsigned int *heap; /* streams with events, the one with the oldest first */
	unsigned int heaped;
};

/*
 * Takes what has come to the buffers @b and calls @show, with @arg, for what is old enough, or with
 * @all for all, in order, until it returns false. @cpus: what CPUs are about.
 */
void order_show(struct order *o, struct buffers *b, const volatile struct trace_cpu *cpus, bool all,
		bool (*show)(void *arg, const struct trace_record *record, unsigned int cpu),
		void *arg);

void order_free(struct order *o, const struct buffers *b);

#endif
