/* SPDX-License-Identifier: GPL-2.0-only */
/* The story that a flight recorder (bpf/record.bpf.h) tells of a stretch of time on a CPU. */
#ifndef COMMON_RECORDER_H
#define COMMON_RECORDER_H

#include "table.h"

/* Rows of who ran: comm, tid, sum. */
extern const struct layout ran_layout;

/* Rows of what happened: how long before the end, what, comm, tid and how long. */
extern const struct layout happened_layout;

/*
 * Who was on the CPU of @r between @from and @to (CLOCK_MONOTONIC, ns), longest first, into @ran, a
 * table of ran_layout. At most @most rows; what more of them had is summed up in a last row named
 * "others". What the recorder does not reach back to is a row named "unknown". The idle task is
 * named "idle".
 */
void recorder_ran(const struct recorder *r, uint64_t from, uint64_t to, unsigned int most,
		  struct table *ran);

/*
 * What happened on the CPU of @r between @from and @to, oldest first. Of more than @most things the
 * last ones are shown, and a first row says how many there were before them.
 */
void recorder_happened(const struct recorder *r, uint64_t from, uint64_t to, unsigned int most,
		       struct table *happened);

#endif
