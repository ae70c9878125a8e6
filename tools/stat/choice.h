/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which events are shown, and who counts each: perf's own counters what these are for, and programs all
 * else. Tracepoints, too: perf's counters do not count those at which another's program says so.
 */
#ifndef CHOICE_H
#define CHOICE_H

#include <stdbool.h>
#include "counters.h"
#include "events/engine.h"

struct shown_event {
	char *name;
	bool by_program;
	size_t number; /* of the counter, or the program's event */
	bool is_clock; /* counts ns */
};

struct choice {
	struct shown_event *events;
	size_t count;
};

/* Are rows those of threads, or of CPUs, or is there one for each event? */
bool choice_by_thread(const struct settings *settings);
bool choice_by_cpu(const struct settings *settings);

/* Is what is counted what some tasks do, not all that happens on CPUs? */
bool choice_of_tasks(const struct settings *settings);

/* What is wrong with what -e names, which programs and counters cannot do together; or NULL; static. */
const char *choice_check(const struct settings *settings);

/*
 * Finds the events of -e, or without any the usual ones, and with @detailed those of caches: adds them
 * to @c, and to @counters or @engine. Tells what is wrong; returns an exit status.
 */
int choice_make(struct choice *c, const struct settings *settings, bool detailed,
		struct counters *counters, struct engine *engine);
void choice_free(struct choice *c);

#endif
