/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Units with -e: each event that is named gets a program, a copy of one of the skeleton's `on_event` (of
 * the section "event", see bpf/event.bpf.h) whose slots have the event's expressions. So what is not
 * wanted costs nothing, and all copies write into the same maps.
 *
 *   ENGINE_OPTION     the option -e: may come several times
 *   engine_setup()    before the skeleton is opened
 *   engine_find()     before its load, by the unit's `open`: finds events, compiles
 *   engine_attach()   after it, by the unit's `attach`
 *   engine_free()
 */
#ifndef COMMON_EVENTS_ENGINE_H
#define COMMON_EVENTS_ENGINE_H

#include <stdbool.h>
#include "events/event.h"
#include "expr/slot.h"
#include "options.h"

/* An event with its program. */
struct engine_event {
	const struct spec *spec;
	const struct event *event;
	unsigned int number; /* from 0, in the order of the command line: what slot_event() gives */
	struct expr_type types[SLOTS]; /* what the slots' expressions give; size 0: a string */
	struct filled_slots slots;
	struct expr_code *codes[SLOTS]; /* what is in them, the event's own */
	size_t first_link, link_count;	/* of the engine's links */
};

struct engine {
	struct engine_event *events;
	size_t count;

	/* Set by a unit that counts some events in another way: are those of @spec wanted? NULL: all are. */
	bool (*wanted)(const struct spec *spec);

	struct event_links links; /* and the programs themselves */
	int *programs;
	bool one_each;	  /* programs for many events at once are refused here */
	int runs_fd;	  /* the map `perf_runs`; negative: runs are not counted */
	uint64_t not_run; /* see engine_misses() */
};

#define ENGINE_OPTION                                                                            \
	{                                                                                        \
		.name = "event", .letter = 'e', .kind = OPTION_REPEATED,                         \
		.arg = "EVENT[,EVENT...]",                                                       \
		.help = "which events, in what way; may come several times", .check = engine_add \
	}

/* For the descriptions of units: what an EVENT is. */
#define ENGINE_EVENT_HELP                                                                              \
	"EVENT is sys:name (a tracepoint), kprobe:FUNC, kretprobe:FUNC, fentry:FUNC, fexit:FUNC,\n"    \
	"uprobe:FUNC@\"FILE\", uretprobe:FUNC@\"FILE\", usdt:FILE:provider:name or what perf counts\n" \
	"(page-faults, cycles ...); names may have wildcards. Behind it come /FILTER/ATTR/ATTR.../:\n" \
	"FILTER is an expression in C over the event's fields, which `list EVENT` shows, and\n"        \
	"_pid _tid _cpu _comm _time."

/*
 * Takes the events of @text, what -e was given. Returns NULL or what is wrong, in several lines; it is
 * static. For struct option_entry.check.
 */
const char *engine_add(const char *text);

/* What -e was given so far. */
const struct spec_list *engine_specs(void);

/* What is wrong with the attributes of events, for a unit that knows @known, or NULL; it is static. */
const char *engine_unknown_attribute(const enum spec_attr_id *known, size_t count);

/* Are the events of some tasks only wanted? Then the skeleton's some_tasks has to be so. */
bool engine_some_tasks(const struct settings *settings);

/* See slots_setup(). */
int engine_setup(void);

/*
 * Finds the events and compiles their filters; @fill does the rest for each by engine_compile() and
 * slots.value (NULL: nothing is to be done). It returns an exit status, after having told what is
 * wrong; so does this.
 */
int engine_find(struct engine *e, const struct settings *settings,
		int (*fill)(struct engine_event *event));

/*
 * Compiles @text over @event into slot @number, or, if it is a string, into @text_slot. SLOTS for one
 * of them: that is not wanted. Tells what is wrong; returns an exit status.
 */
int engine_compile(struct engine_event *event, const char *text, enum slot number,
		   enum slot text_slot);

/*
 * Loads copies of the program `on_event` of @obj, which has been loaded, for all events, and attaches
 * them. Tells what is wrong; returns an exit status.
 */
int engine_attach(struct engine *e, const struct bpf_object *obj, const struct settings *settings);

/*
 * How often the kernel skipped the programs: as far as it counts that, and at clocks and other software
 * events, if the object has the map `perf_runs`, what they had to run more often than they did.
 */
uint64_t engine_misses(struct engine *e);

void engine_free(struct engine *e);

#endif
