/* SPDX-License-Identifier: GPL-2.0-only */
/* A report: what a unit found in a stretch of time. And where reports go. */
#ifndef COMMON_REPORT_H
#define COMMON_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "table.h"

struct report {
	const char *tool;
	uint64_t time;	     /* of its end: ns since the epoch */
	uint64_t elapsed_ns; /* how long it covers */
	uint64_t lost[LOST_REASONS];
	struct table about;	/* one row: what holds for all rows; layout NULL: nothing */
	struct table functions; /* of the rows' stacks; layout NULL: none */
	bool only_functions;	/* text leaves the rows out */
	struct table rows;
	struct table events; /* single events, oldest first; layout NULL: the unit has none */
};

/*
 * Where reports go. What is printed is collected and written at once: stdio would drop what it
 * could not write, and with it the reason.
 */
struct output {
	FILE *file; /* print here */
	char *text; /* what has been printed since the last flush ... */
	size_t size;
	int fd;		  /* ... and goes here */
	const char *path; /* NULL: standard output */
	bool terminal;
	bool colour;
	bool refresh;	   /* each report takes the place of the one before */
	bool head_printed; /* the head above the events stands */
	bool reported;	   /* a report has been shown */
	int error;	   /* the first that there was: a negative errno */
};

/*
 * Opens @path, or standard output when it is NULL. Returns 0 or a negative errno. What is in the
 * file stays until output_begin(). The caller closes it with output_close().
 */
int output_open(struct output *out, const char *path);

/* Empties the file: what comes now takes its place. */
void output_begin(struct output *out);

/*
 * Hands on what has been printed. Returns 0, -EPIPE when nobody reads any more, or another negative
 * errno.
 */
int output_flush(struct output *out);

/* Flushes and closes; the same errors. */
int output_close(struct output *out);

/*
 * A way to show reports. Events come one table at a time, as they happen: `events` shows them and
 * returns true, or returns false to have them kept until the report.
 */
struct renderer {
	bool (*events)(struct output *out, const struct table *events);
	void (*report)(struct output *out, const struct report *report);
};

extern const struct renderer text_renderer;
extern const struct renderer json_renderer;

#endif
