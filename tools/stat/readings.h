/* SPDX-License-Identifier: GPL-2.0-only */
/* What was counted in a span: a reading for each event, or for each event and thread or CPU. */
#ifndef READINGS_H
#define READINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "choice.h"

/* What a reading has for an id where it is of all threads and CPUs. */
#define READING_OF_ALL UINT32_MAX

struct reading {
	uint32_t id; /* thread or CPU */
	char comm[COMM_LEN];
	bool supported; /* something here counts it */
	bool counted;	/* ... and did */
	uint64_t count; /* what it would have been if the counter had counted all the time */
	struct counter_value of; /* all zeros for what programs count */
};

struct readings {
	const struct choice *choice;
	uint64_t elapsed_ns;
	struct reading *all; /* by event */
	size_t count;
	size_t *first; /* of each event, and behind the last one */
	size_t event;  /* that readings are added of */
};

/* Adds one of event r->event; valid until the next is added. */
struct reading *readings_add(struct readings *r, uint32_t id);

/* Begins with event @event, the one behind the last that was begun. */
void readings_begin(struct readings *r, size_t event);

/* Has those of event r->event, all of which are there, in the order of their ids. */
void readings_end(struct readings *r);

void readings_init(struct readings *r, const struct choice *choice);
void readings_free(struct readings *r);

/* What is worth knowing of a reading beside its count. What there is not is 0. */
struct reading_note {
	double per_second; /* of the time on CPUs, if that is counted; else below 0 */
	double ratio;	   /* below 0: there is none */
	bool percent;	   /* it is shown as a percentage */
	char is[64];	   /* ... and is this */
};

/* Takes note of reading @at of event @event. */
void readings_note(const struct readings *r, size_t event, size_t at, struct reading_note *note);

#endif
