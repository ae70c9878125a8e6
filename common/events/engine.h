/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Units with -e: each event that is named gets a program, a copy of one of the skeleton's (of the
 * section "event", see bpf/event.bpf.h) whose slots have the event's expressions. So what is not
 * wanted costs nothing, and all copies write into the same maps.
 *
 *   engine_add()     the option -e: may come several times
 *   engine_find()    before the skeleton's load, by the unit's `open`: finds events, compiles
 *   engine_attach()  after it, by the unit's `attach`
 *   engine_free()
 */
#ifndef COMMON_EVENTS_ENGINE_H
#define COMMON_EVENTS_ENGINE_H

#include <stdbool.h>
#include "events/event.h"
#include "expr/slot.h"

/* What a unit makes of an attribute: its expression's value goes into a slot. */
struct engine_use {
	enum spec_attr_id attr;
	enum slot number;      /* where a number goes ... */
	enum slot text;	       /* ... and a string; SLOTS: none is taken */
	const char *otherwise; /* in place of one that is not given; NULL: the slot stays empty */
};

/* An event with its program. */
struct engine_event {
	const struct spec *spec;
	const struct event *event;
	unsigned int number; /* from 0, in the order of the command line: what slot_event() gives */
	struct expr_type types[SPEC_ATTRS]; /* what the uses' expressions give; size 0: a string */
	struct slots slots;
	struct expr_code *codes[SLOTS]; /* those that are this event's own */
};

struct engine {
	struct engine_event *events;
	size_t count;
	struct event_links links; /* and the programs themselves */
	int *programs;
};

/*
 * Takes the events of @text, what -e was given. Returns NULL or what is wrong, in several lines; it is
 * static. For struct option_entry.check.
 */
const char *engine_add(const char *text);

/* What -e was given so far. */
const struct spec_list *engine_specs(void);

/*
 * Finds the events and compiles their filters and @uses (@count). @pid: where files are looked for, 0:
 * none in particular. Tells what is wrong; returns an exit status.
 */
int engine_find(struct engine *e, pid_t pid, const struct engine_use *uses, size_t count);

/*
 * Loads copies of @prog, which has been loaded, for all events, and attaches them; probes of files only
 * in process @pid, unless that is 0. Tells what is wrong; returns an exit status.
 */
int engine_attach(struct engine *e, const struct bpf_program *prog, pid_t pid);

/* How often the kernel skipped the programs. */
uint64_t engine_misses(const struct engine *e);

void engine_free(struct engine *e);

#endif
