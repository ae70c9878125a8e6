/* SPDX-License-Identifier: GPL-2.0-only */
/* Units whose answer is a list of events: what names them, and how they are shown. */
#ifndef COMMON_EVENTS_LISTING_H
#define COMMON_EVENTS_LISTING_H

#include "events/event.h"
#include "options.h"
#include "report.h"

/* The first three are the unit's to set; the others begin as zeros. */
struct listing {
	const char *tool; /* the unit's name */
	pid_t pid;	  /* files are those that it has mapped; 0: none */
	bool fields;	  /* also of many events: fields, types and an example of each */
	bool json;
	struct output out;
	struct event_list events; /* all that are shown */
};

/*
 * Shows the events that @text, as behind -e, names, if all of its expressions can be compiled. Tells
 * what is wrong; returns an exit status.
 */
int listing_add(struct listing *l, const char *text);

/*
 * Has @fill, which returns an exit status, add what there is to show, and puts it where @settings say:
 * of JSON, and in a file, nothing unless all went well. Returns the unit's exit status.
 */
int listing_run(struct listing *l, const struct settings *settings,
		int (*fill)(struct listing *l, const struct settings *settings));

#endif
