/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a unit: options, the kernel's means, the skeleton, targets, load, attach, reports at
 * each interval and signal, the final report, the end. A unit says what is particular to it in a
 * struct unit, and its main() is a call of unit_main().
 */
#ifndef COMMON_UNIT_H
#define COMMON_UNIT_H

#include <bpf/libbpf.h>
#include "command.h"
#include "flamegraph.h"
#include "options.h"
#include "report.h"

struct flames;
struct heatmap;
struct stacks;

/* A run of a unit. */
struct session {
	const struct unit *unit;
	struct settings settings;

	/* The skeleton's parts; session_use() sets them. */
	void *skeleton_memory;
	struct bpf_object_skeleton *skeleton;
	struct bpf_object *obj;
	struct bpf_config *config;
	volatile struct bpf_control *control;

	struct output out;
	const struct renderer *renderer;
	struct report report;
	struct command command;
	struct ring_buffer *events;

	bool stop;		 /* it is time for the final report */
	uint64_t observed_since; /* CLOCK_MONOTONIC ns */
	uint64_t span_since;	 /* ... of the report that is due next */
	uint64_t half_since;	 /* ... of the half that is written to */
	uint64_t lost_before[LOST_REASONS];
	uint64_t unknown_tasks; /* LOST_UNKNOWN_TASK when all tasks were walked last */
	uint64_t events_taken;	/* from the buffer */
	uint64_t events_shown;
	uint64_t events_dropped; /* not kept for a report: too many */

	struct stacks *stacks;	 /* NULL: no stacks are taken */
	bool keep_stacks;	 /* they may be met again after a report; `open` sets it */
	unsigned int stack_room; /* different ones that may come in a second; `open` sets it */
	int alarm_fd;		 /* see session_alarm() */
	bool resting;	       /* nothing is observed for now: there is no need to look after it */
	uint64_t most_rows;    /* of a report, when sorted; 0: all */
	bool meets_idle;       /* idle CPUs are told by their stacks' names; `attach` sets it */
	bool show_functions;   /* a table of the stacks' functions; `open` sets it */
	bool picture_failed;   /* and that has been told */
	struct flames *flames; /* with --flame-graph */
	uint64_t taken_ns;     /* how long the half that is being taken was written to */

	struct heatmap *heatmap;
	struct hist heat_before; /* the running span's distribution at the last column */
};

struct unit {
	struct synopsis synopsis;

	/* What helps when its maps are full. */
	const char *map_full_help;

	/* Its rows and single events. May look at the settings. events: NULL if it has none. */
	const struct layout *(*rows)(const struct session *s);
	const struct layout *(*events)(const struct session *s);

	/* What holds for all rows of a report, which `report` fills; NULL: nothing. */
	const struct layout *(*about)(const struct session *s);

	/* Units that take stacks: how the flame graph looks; the title and colours will do. */
	struct flamegraph_opts flames;

	/* Its rows are what there is, not what has come: the last report's make the flame graph. */
	bool holds;

	/*
	 * Opens the skeleton, hands it over by session_use(), and sets up what is particular to
	 * the unit. Runs before load. Returns 0, a negative errno, or, after having told what is
	 * wrong, an exit status.
	 */
	int (*open)(struct session *s);

	/*
	 * After load, before anything observes: attaches what libbpf does not by itself. Tells what
	 * went wrong; returns an exit status.
	 */
	int (*attach)(struct session *s);

	/*
	 * Units that count without programs, too: what is counted counts from here on. A command waits
	 * yet. NULL: there is no need.
	 */
	void (*begin)(struct session *s);

	/*
	 * Reads what the kernel counts without programs: at the moment that a report is of, and waits for
	 * nothing. Returns 0 or a negative errno. May be NULL.
	 */
	int (*read)(struct session *s);

	/*
	 * Units whose maps have no room for a whole span: moves half @half, which no program writes
	 * now, out of them to where `report` finds it. Called at least each second. NULL: there is
	 * no need.
	 */
	int (*take)(struct session *s, unsigned int half);

	/*
	 * Units that watch something and report when there is something to tell: `tick` comes in
	 * place of a report at each interval; when the time that it gave session_alarm() is over,
	 * `alarm`, and then a report. One without rows is not shown. Return 0 or a negative errno.
	 */
	int (*tick)(struct session *s);
	int (*alarm)(struct session *s);

	/* Adds the rows of half @half (struct bpf_control). Returns 0 or a negative errno. */
	int (*report)(struct session *s, unsigned int half, struct table *rows);

	/*
	 * Empties half @half, which no program writes now, or forgets what was taken. Returns 0 or a
	 * negative errno.
	 */
	int (*empty)(struct session *s, unsigned int half);

	/* The distribution of all of half @half, for the heat map; NULL if the unit has none. */
	int (*total)(struct session *s, unsigned int half, struct hist *total);

	/*
	 * Units that know better than the kernel how often their programs were skipped: at perf
	 * events, where it does not count that, and where `made_up` says so. Never less than before. NULL: there are none.
	 */
	uint64_t (*skipped)(struct session *s);

	/*
	 * Does another program make up for what the kernel skips of the one called @program? Then
	 * `skipped` tells what is lost of both. NULL: there are none such.
	 */
	bool (*made_up)(const char *program);

	/*
	 * Units that have something of their own to wait for: when `wake_fd`, asked after `attach`, is
	 * readable, `wake` comes, and what it has printed is shown. NULL, or -1: there is nothing.
	 */
	int (*wake_fd)(void);
	void (*wake)(void);

	/* Adds a row to @events for what came through the map `events`. */
	void (*event)(struct session *s, const void *data, size_t size, struct table *events);
};

/* For units with an `alarm`: it is due in @in_ns (not 0). */
void session_alarm(struct session *s, uint64_t in_ns);

/* Runs @unit; returns its exit status. */
int unit_main(const struct unit *unit, int argc, char **argv);

/* Takes over the skeleton @skel, as opened by bpftool's NAME__open(). */
#define session_use(s, skel)                                                         \
	do {                                                                         \
		(s)->skeleton_memory = (skel);                                       \
		(s)->skeleton = (skel)->skeleton;                                    \
		(s)->obj = (skel)->obj;                                              \
		(s)->config = (struct bpf_config *)&(skel)->rodata->config;          \
		(s)->control = (volatile struct bpf_control *)&(skel)->bss->control; \
	} while (0)

#endif
