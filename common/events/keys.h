/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What events of -e are counted by, for units whose tables have a row for each key: key=, comm= and
 * printkey= of events, -k and --only-comm. One table has one kind of keys, numbers or strings.
 */
#ifndef COMMON_EVENTS_KEYS_H
#define COMMON_EVENTS_KEYS_H

#include <linux/types.h>
#include "abi.h"
#include "events/engine.h"
#include "events/value_names.h"
#include "table.h"

struct keys {
	/* The unit says these. */
	const char *otherwise; /* -k: of events without key=; NULL: not given */
	const char *fallback;  /* where neither is given: with the thread's name; NULL: no key */
	bool only_comm;	       /* the name is the key */

	/* keys_fill() finds out these. */
	bool numbers, texts;
	bool are_signed;
	unsigned int size;		 /* of the largest number's type, in bytes */
	const char *format;		 /* of printkey=; NULL: none */
	bool comm;			 /* there are events with comm= */
	struct value_names *value_names; /* of the field that is the key, of each event */
	size_t event_count;		 /* of which these are */
	bool names_differ;		 /* they are not the same for all */
	const char *text;		 /* the expression, if all events have the same */
	bool differ;			 /* they do not */
	bool named, otherwise_named; /* there are events with comm=_comm, and with other names */
};

/* Compiles the key of @event, and its name. Tells what is wrong; returns an exit status. */
int keys_fill(struct keys *k, struct engine_event *event);

/* Makes two columns of text, the one of keys and the one of their names behind it. */
void keys_columns(const struct keys *k, struct column columns[2]);

/*
 * Fills a row's cells of these: @key, and what it is called: what printkey= says, or else @name, from the
 * kernel, or what the tracepoint calls that value. The columns become as wide as that.
 */
void keys_cells(const struct keys *k, const union event_key *key, const char *name,
		struct cell cells[2], struct column columns[2]);

/*
 * The same of a row that is @event's alone, a number: other events may call the same values something
 * else. In rows of all events they have a name only if all agree.
 */
void keys_cells_of(const struct keys *k, size_t event, const union event_key *key, const char *name,
		   struct cell cells[2], struct column columns[2]);

/* Do the events @a and @b, numbers, call the values of their keys the same? */
bool keys_same_names(const struct keys *k, size_t a, size_t b);

/* Are all rows threads, which have their names? Then the last one counts: see rename_thread(). */
bool keys_are_threads(const struct keys *k);

void keys_free(struct keys *k);

/* How @a and @b are in order: below, above or 0. */
int keys_compare(const struct keys *k, const union event_key *a, const union event_key *b);

#endif
