// SPDX-License-Identifier: GPL-2.0-only
#include <stdint.h>
#include <stdlib.h>
#include <linux/types.h>
#include "abi.h"
#include "kmemleak.h"
#include "watch.h"

/* A site that has had so many more walks with more objects than ever is growing. */
#define GROWTHS 3

/* ... by so much each: a hundredth, and at least so many objects. */
#define LEAST_GROWTH 8

/* In the first walks all sites grow. */
#define FIRST_WALKS 2

/* So much memory is worth to know who holds it. */
#define LARGE (8 << 20)

/* After so many walks without growth a site is not suspicious any more, unless it is large. */
#define PATIENCE 60

/* Bits that several sites share make more stacks than are wanted: this keeps them rare. */
#define MOST_WATCHED 256

struct history {
	uint64_t count, bytes; /* by the last walk */
	uint64_t most;	       /* objects when it had grown last */
	unsigned int growths;
	unsigned int quiet; /* walks since it has grown */
	bool watched;
};

struct watch {
	struct tally histories; /* struct site: struct history */
	unsigned int walks, watched;
};

struct watch *watch_new(void)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (w)
		tally_init(&w->histories, sizeof(struct site), sizeof(struct history));
	return w;
}

void watch_free(struct watch *w)
{
	if (w)
		tally_clear(&w->histories);
	free(w);
}

static void judge(struct watch *w, const struct site *site, struct history *r, volatile __u64 *bits)
{
	bool large = r->bytes >= LARGE;
	__u64 bit = WATCH_BIT(site);

	if (w->walks <= FIRST_WALKS) {
		if (r->count > r->most)
			r->most = r->count;
	} else if (r->count > r->most + r->most / 100 + LEAST_GROWTH) {
		r->growths++;
		r->quiet = 0;
		/* Only now: what grows slowly comes here, too, with time. */
		r->most = r->count;
	} else {
		r->quiet++;
	}
	if (!r->watched && (r->growths >= GROWTHS || large) && w->watched < MOST_WATCHED) {
		r->watched = true;
		w->watched++;
	} else if (r->watched && !large && r->quiet > PATIENCE) {
		r->watched = false;
		r->growths = 0;
		w->watched--;
		bits[bit / 64] &= ~(1ULL << bit % 64);
	}
}

void watch_update(struct watch *w, const struct tally *groups, volatile __u64 *bits)
{
	struct history *r;
	__u64 bit;
	size_t i;

	w->walks++;
	for (i = 0; i < w->histories.count; i++) {
		r = tally_value(&w->histories, i);
		r->count = r->bytes = 0;
	}
	for (i = 0; i < groups->count; i++) {
		const struct group_key *key = tally_key(groups, i);
		const struct group *group = tally_value(groups, i);

		r = tally_at(&w->histories, &key->site);
		r->count += group->count;
		r->bytes += group->bytes;
	}
	for (i = 0; i < w->histories.count; i++)
		judge(w, tally_key(&w->histories, i), tally_value(&w->histories, i), bits);
	/* Also those that share a bit with one that is not watched any more. */
	for (i = 0; i < w->histories.count; i++) {
		r = tally_value(&w->histories, i);
		bit = WATCH_BIT((const struct site *)tally_key(&w->histories, i));
		if (r->watched)
			bits[bit / 64] |= 1ULL << bit % 64;
	}
}

void watch_about(const struct watch *w, const struct tally *groups, bool exact, struct cell *sites,
		 struct cell *with)
{
	struct tally seen;
	uint64_t watched = 0;
	size_t i;

	tally_init(&seen, sizeof(struct site), 1);
	for (i = 0; i < groups->count; i++)
		tally_at(&seen, &((const struct group_key *)tally_key(groups, i))->site);
	for (i = 0; i < seen.count; i++) {
		const struct history *r = tally_find(&w->histories, tally_key(&seen, i));

		watched += exact || (r && r->watched);
	}
	cell_number(sites, seen.count);
	cell_number(with, watched);
	tally_clear(&seen);
}
