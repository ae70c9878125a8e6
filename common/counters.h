/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What perf counts by itself, without programs: events of the kernel and the CPU, of tasks or on CPUs.
 *
 *   counters_places()  who is counted
 *   counters_add()     what
 *   counters_open()    from here on counters are there ...
 *   counters_start()   ... and from here on they count: those of a command from its exec on
 *   counters_read()    what there was since the last counters_next()
 *   counters_free()
 */
#ifndef COMMON_COUNTERS_H
#define COMMON_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <linux/perf_event.h>
#include "targets.h"

/* What was counted, and how long it was to be counted and really was, in ns: counters are shared. */
struct counter_value {
	uint64_t count, enabled, running;
};

/* Where something is counted: a task, a CPU, or a task on a CPU. */
struct counter_place {
	pid_t pid;    /* -1: all tasks */
	int cpu;      /* -1: all CPUs */
	bool threads; /* what threads that the task makes do is counted with it */
};

struct counter {
	char *name;
	struct perf_event_attr attr;
	int why_not; /* 0, or the negative errno: nothing here counts it */
	int *fds;    /* of each place; -1: that has gone */
	struct counter_value *before, *now;
};

struct counters {
	struct counter_place *places;
	size_t place_count;
	struct counter *counters;
	size_t count;
	size_t reference; /* of tasks on CPUs: the counter that tells how long they were there, or 0 */

	bool children; /* what tasks that the places' tasks make do is counted with these */
	bool command;
	int cgroup; /* an open directory, whose tasks are counted; -1: no matter which */
};

/*
 * Has @c count what @targets say, without `comm`, or process @command (0: none) and its children, from
 * its exec on. A cgroup goes with CPUs only. Tells what is wrong; returns an exit status.
 */
int counters_places(struct counters *c, const struct targets *targets, pid_t command);

/* Adds what @attr says, where only type, config and what is excluded need to be set; copies @name. */
void counters_add(struct counters *c, const char *name, const struct perf_event_attr *attr);

/*
 * Opens all counters. Those that there is nothing for here have `why_not`. Tells what else is wrong;
 * returns an exit status.
 */
int counters_open(struct counters *c);

void counters_start(struct counters *c);

/* Reads all counters. Returns 0 or a negative errno. */
int counters_read(struct counters *c);

/* What counter @i counted at @place, by the last counters_read(). */
struct counter_value counters_value(const struct counters *c, size_t i, size_t place);

/* A new span begins with what was read last. */
void counters_next(struct counters *c);

/* What would have been counted if the counter had not been shared. */
uint64_t counter_scaled(const struct counter_value *value);

void counters_free(struct counters *c);

#endif
