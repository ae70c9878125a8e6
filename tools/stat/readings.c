// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "events/kind.h"
#include "quantity.h"
#include "readings.h"

void readings_init(struct readings *r, const struct choice *choice)
{
	memset(r, 0, sizeof(*r));
	r->choice = choice;
	r->first = event_have(calloc(choice->count + 1, sizeof(*r->first)));
}

void readings_free(struct readings *r)
{
	free(r->all);
	free(r->first);
	memset(r, 0, sizeof(*r));
}

void readings_begin(struct readings *r, size_t event)
{
	r->event = event;
	r->first[event] = r->first[event + 1] = r->count;
}

struct reading *readings_add(struct readings *r, uint32_t id)
{
	if (!(r->count & (r->count - 1)))
		r->all = event_have(
			realloc(r->all, (r->count ? 2 * r->count : 1) * sizeof(*r->all)));
	r->all[r->count] = (struct reading){ .id = id };
	r->first[r->event + 1] = r->count + 1;
	return &r->all[r->count++];
}

static int by_id(const void *a, const void *b)
{
	const struct reading *one = a, *other = b;

	return (one->id > other->id) - (one->id < other->id);
}

void readings_end(struct readings *r)
{
	size_t first = r->first[r->event];

	if (r->count - first > 1)
		qsort(&r->all[first], r->count - first, sizeof(*r->all), by_id);
}

/* The reading of event @event that has @id and counted something, or NULL. */
static const struct reading *find(const struct readings *r, size_t event, uint32_t id)
{
	const struct reading wanted = { .id = id }, *found;
	size_t count = r->first[event + 1] - r->first[event];

	if (!count)
		return NULL;
	found = bsearch(&wanted, &r->all[r->first[event]], count, sizeof(*found), by_id);
	return found && found->counted && found->count ? found : NULL;
}

/* The same of the event that is called @name, @length long, and has the modifiers @modifiers. */
static const struct reading *named(const struct readings *r, const char *name,
				   const char *modifiers, uint32_t id)
{
	size_t i, length = strlen(name);

	for (i = 0; i < r->choice->count; i++) {
		const char *other = r->choice->events[i].name;

		if (!strncmp(other, name, length) && !strcmp(other + length, modifiers))
			return find(r, i, id);
	}
	return NULL;
}

/* The time on CPUs that @id had, in ns, or 0: it is not counted. */
static uint64_t clock_of(const struct readings *r, uint32_t id)
{
	const struct reading *found;
	size_t i;

	for (i = 0; i < r->choice->count; i++) {
		if (!r->choice->events[i].is_clock)
			continue;
		found = find(r, i, id);
		if (found)
			return found->count;
	}
	return 0;
}

/* What events are a part of. */
static const struct {
	const char *name, *whole, *is;
	bool percent;
} parts[] = {
	{ "instructions", "cycles", "insn per cycle", false },
	{ "branch-misses", "branches", "of all branches", true },
	{ "branch-misses", "branch-instructions", "of all branches", true },
	{ "cache-misses", "cache-references", "of all cache refs", true },
	{ "stalled-cycles-frontend", "cycles", "frontend cycles idle", true },
	{ "stalled-cycles-backend", "cycles", "backend cycles idle", true },
};

static void set_ratio(struct reading_note *note, const struct reading *part,
		      const struct reading *whole, bool percent)
{
	note->ratio = (double)part->count / whole->count;
	note->percent = percent;
}

/* Takes note of cache misses, NAME-misses: their whole is NAMEs. */
static void note_misses(const struct readings *r, const char *name, size_t length,
			const char *modifiers, const struct reading *reading,
			struct reading_note *note)
{
	static const char misses[] = "-misses";
	size_t base = length - strlen(misses);
	const struct reading *whole;
	char accesses[64];

	if (length <= strlen(misses) || strncmp(name + base, misses, strlen(misses)))
		return;
	snprintf(accesses, sizeof(accesses), "%.*s%s", (int)base, name,
		 base > 2 && !strncmp(name + base - 2, "ch", 2) ? "es" : "s");
	whole = named(r, accesses, modifiers, reading->id);
	if (!whole)
		return;
	set_ratio(note, reading, whole, true);
	snprintf(note->is, sizeof(note->is), "of all %.50s", accesses);
}

static void note_parts(const struct readings *r, const char *name, const struct reading *reading,
		       struct reading_note *note)
{
	size_t length = strcspn(name, ":"), i;
	const char *modifiers = name + length;
	const struct reading *whole;

	for (i = 0; i < sizeof(parts) / sizeof(*parts) && note->ratio < 0; i++) {
		if (strlen(parts[i].name) != length || strncmp(parts[i].name, name, length))
			continue;
		whole = named(r, parts[i].whole, modifiers, reading->id);
		if (!whole)
			continue;
		set_ratio(note, reading, whole, parts[i].percent);
		snprintf(note->is, sizeof(note->is), "%s", parts[i].is);
	}
	if (note->ratio < 0)
		note_misses(r, name, length, modifiers, reading, note);
}

void readings_note(const struct readings *r, size_t event, size_t at, struct reading_note *note)
{
	const struct shown_event *e = &r->choice->events[event];
	const struct reading *reading = &r->all[at];
	uint64_t clock = clock_of(r, reading->id);
	bool cycles = !strncmp(e->name, "cycles", 6) && (!e->name[6] || e->name[6] == ':');

	*note = (struct reading_note){ .per_second = -1, .ratio = -1 };
	if (!reading->counted)
		return;
	if (e->is_clock) {
		note->ratio = (double)reading->count / r->elapsed_ns;
		snprintf(note->is, sizeof(note->is), "CPUs utilized");
		return;
	}
	if (clock)
		note->per_second = (double)reading->count / clock * NSEC_PER_SEC;
	note_parts(r, e->name, reading, note);
	if (cycles && clock) {
		note->ratio = (double)reading->count / clock;
		snprintf(note->is, sizeof(note->is), "GHz");
	}
}
