// SPDX-License-Identifier: GPL-2.0-only
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include "known_stacks.h"
#include "tally.h"

/* An address has to be seen so often before its step counts, and to fit in nine of ten cases. */
#define LEAST_SEEN	  4

#define fits(votes, seen) (10 * (votes) >= 9 * (seen))

/* A distance at which the next address has been found. */
struct distance {
	uint32_t words;
	uint32_t votes;
};

/*
 * An address may be on the stack more often than once: left over from an earlier call, or kept in a
 * variable. Each place gets a vote; the true one gets them all. Functions that align their frames
 * have two true ones.
 */
#define DISTANCES 8

/* What is known of the step from an address. */
struct knowledge {
	uint32_t seen, seen_last; /* with a next one, and as the last one */
	struct distance up[DISTANCES], down[DISTANCES], last[DISTANCES];
	struct stack_step told; /* what is in the map */
};

struct known_stacks {
	int steps;
	struct tally known; /* address: struct knowledge */
	uint64_t owner[1 << STEP_BITS];
};

struct known_stacks *known_stacks_new(int steps)
{
	struct known_stacks *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->steps = steps;
	tally_init(&k->known, sizeof(uint64_t), sizeof(struct knowledge));
	return k;
}

void known_stacks_free(struct known_stacks *k)
{
	if (k)
		tally_clear(&k->known);
	free(k);
}

/* Puts @step into the map, at the place that its address @ip has; one without an address empties it. */
static void tell(struct known_stacks *k, uint64_t ip, const struct stack_step *step)
{
	__u32 at = STEP_AT(ip);

	if (k->owner[at] && k->owner[at] != ip)
		return;
	k->owner[at] = step->ip;
	bpf_map_update_elem(k->steps, &at, step, BPF_ANY);
}

/* A new distance takes the place of the one with the fewest votes. */
static void vote(struct distance distances[DISTANCES], uint32_t words)
{
	struct distance *least = distances;
	unsigned int i;

	for (i = 0; i < DISTANCES; i++) {
		if (distances[i].votes && distances[i].words == words) {
			distances[i].votes++;
			return;
		}
		if (distances[i].votes < least->votes)
			least = &distances[i];
	}
	*least = (struct distance){ words, 1 };
}

/* Moves the two distances with most votes to the front. */
static void sort(struct distance distances[DISTANCES])
{
	struct distance *first = distances, *d, other;

	for (; first < distances + 2; first++) {
		for (d = first + 1; d < distances + DISTANCES; d++) {
			if (d->votes <= first->votes)
				continue;
			other = *first;
			*first = *d;
			*d = other;
		}
	}
}

/* What the step from @ip is by now: one without an address if that cannot be said. */
static struct stack_step step_from(struct knowledge *n, uint64_t ip)
{
	struct stack_step step = {};

	sort(n->up);
	sort(n->down);
	sort(n->last);
	if (n->seen_last >= LEAST_SEEN && fits(n->last[0].votes, n->seen_last))
		step.last = n->last[0].words;
	if (n->seen >= LEAST_SEEN && fits(n->up[0].votes, n->seen)) {
		step.from_here = ~0ULL;
		step.distance = n->up[0].words;
	} else if (n->seen >= LEAST_SEEN && fits(n->down[0].votes, n->seen)) {
		step.distance = -(int64_t)n->down[0].words;
	} else if (n->seen >= LEAST_SEEN && fits(n->up[0].votes + n->up[1].votes, n->seen)) {
		step.from_here = ~0ULL;
		step.distance = n->up[0].words;
		step.or_up = n->up[1].words;
	}
	if (step.last || step.distance)
		step.ip = ip;
	return step;
}

/*
 * The step from @ip at @pos to @next, which is somewhere above among the words of @w; 0: there is
 * none. Returns where it most likely is, or 0.
 */
static uint64_t learn_step(struct known_stacks *k, const struct words *w, uint64_t ip, uint64_t pos,
			   uint64_t next)
{
	struct knowledge *n = tally_at(&k->known, &ip);
	uint64_t first = 0, i;
	struct stack_step step;

	for (i = pos + 1; next && i < w->count; i++) {
		if (w->word[i] != next)
			continue;
		first = first ? first : i;
		vote(n->up, i - pos);
		vote(n->down, w->count - i);
	}
	if (next && !first)
		return 0;
	if (next) {
		n->seen++;
	} else {
		vote(n->last, w->count - pos);
		n->seen_last++;
	}
	step = step_from(n, ip);
	if (memcmp(&step, &n->told, sizeof(step)))
		tell(k, ip, &step);
	n->told = step;
	i = (pos & step.from_here) + (w->count & ~step.from_here) + step.distance;
	return i > pos && i < w->count && w->word[i] == next ? i : first;
}

void known_stacks_learn(struct known_stacks *k, const struct words *w)
{
	uint64_t ip = w->start, pos = 0, frame;

	if (w->depth > KNOWN_FRAMES || w->count > KNOWN_WORDS)
		return;
	for (frame = PROGRAMS_FRAMES; frame < w->depth; frame++) {
		pos = learn_step(k, w, ip, pos, w->ip[frame]);
		if (!pos)
			return;
		ip = w->ip[frame];
	}
	learn_step(k, w, ip, pos, 0);
}
