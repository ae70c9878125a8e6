// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "events/kind.h"
#include "order.h"
#include "quantity.h"

/* A program runs for a microsecond: so often it is looked whether it has ended. */
#define LOOKS 1000

/* A CPU that is found running programs whenever we look holds the others up for so long at most. */
#define MOST_HELD_UP (200 * NSEC_PER_MSEC)

/* Until when is all there that has happened on @cpu, at @now? */
static uint64_t complete_until(const volatile struct trace_cpu *cpu, uint64_t before, uint64_t now)
{
	unsigned int i;

	for (i = 0; i < LOOKS; i++) {
		if (!__atomic_load_n(&cpu->running, __ATOMIC_ACQUIRE))
			return now;
	}
	return now - before > MOST_HELD_UP ? now - MOST_HELD_UP : before;
}

static void add_item(struct order_stream *s, size_t at)
{
	const struct trace_record *record = (void *)(s->records.bytes + at);

	if (s->count == s->room) {
		s->room = 2 * s->room + 64;
		s->items = event_have(realloc(s->items, s->room * sizeof(*s->items)));
	}
	s->items[s->count++] = (struct order_item){ record->time, at };
}

static int compare(const void *a, const void *b)
{
	const struct order_item *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static void sort(struct order_stream *s)
{
	size_t i;

	for (i = 1; i < s->count && s->items[i - 1].time <= s->items[i].time; i++)
		;
	if (i < s->count)
		qsort(s->items, s->count, sizeof(*s->items), compare);
}

static uint64_t size_of(const struct order_stream *s, size_t at)
{
	return *(const uint64_t *)(s->records.bytes + at);
}

/* Finds what is in the stream's records. */
static void find_items(struct order_stream *s)
{
	size_t at = 0, size;

	s->count = s->next = 0;
	while (at < s->records.used) {
		size = size_of(s, at);
		at += sizeof(uint64_t);
		add_item(s, at);
		at += size;
	}
	sort(s);
}

static uint64_t first_time(const struct order *o, unsigned int number)
{
	const struct order_stream *s = &o->streams[number];

	return s->items[s->next].time;
}

/* The stream at @at may have become later than those below it. */
static void sink(struct order *o, unsigned int at)
{
	unsigned int child, moved = o->heap[at];

	while ((child = 2 * at + 1) < o->heaped) {
		if (child + 1 < o->heaped &&
		    first_time(o, o->heap[child + 1]) < first_time(o, o->heap[child]))
			child++;
		if (first_time(o, moved) <= first_time(o, o->heap[child]))
			break;
		o->heap[at] = o->heap[child];
		at = child;
	}
	o->heap[at] = moved;
}

static void make_heap(struct order *o, unsigned int streams)
{
	unsigned int i;

	o->heaped = 0;
	for (i = 0; i < streams; i++) {
		if (o->streams[i].next < o->streams[i].count)
			o->heap[o->heaped++] = i;
	}
	for (i = o->heaped / 2; i-- > 0;)
		sink(o, i);
}

/* The stream with the oldest event has had it taken. */
static void step(struct order *o)
{
	struct order_stream *s = &o->streams[o->heap[0]];

	if (++s->next == s->count)
		o->heap[0] = o->heap[--o->heaped];
	if (o->heaped)
		sink(o, 0);
}

/* What has not been shown stays. */
static void keep_rest(struct order *o, struct order_stream *s)
{
	struct records kept = o->spare;
	size_t i;

	kept.used = 0;
	for (i = s->next; i < s->count; i++) {
		size_t begin = s->items[i].at - sizeof(uint64_t);
		size_t size = sizeof(uint64_t) + size_of(s, begin);

		if (kept.room - kept.used < size) {
			kept.room = 2 * kept.room + size;
			kept.bytes = event_have(realloc(kept.bytes, kept.room));
		}
		memcpy(kept.bytes + kept.used, s->records.bytes + begin, size);
		kept.used += size;
	}
	o->spare = s->records;
	s->records = kept;
}

/* Takes what there is. Returns until when all of it is there. */
static uint64_t take(struct order *o, struct buffers *b, const volatile struct trace_cpu *cpus,
		     bool all)
{
	uint64_t now = monotonic_now(), until = UINT64_MAX;
	unsigned int i;

	for (i = 0; i < b->count; i++) {
		struct order_stream *s = &o->streams[i];

		s->complete = complete_until(&cpus[b->each[i].cpu], s->complete, now);
		if (s->complete < until)
			until = s->complete;
		buffers_take(b, i, &s->records);
		find_items(s);
	}
	return all ? UINT64_MAX : until;
}

void order_show(struct order *o, struct buffers *b, const volatile struct trace_cpu *cpus, bool all,
		bool (*show)(void *arg, const struct trace_record *record, unsigned int cpu),
		void *arg)
{
	uint64_t until;
	bool more = true;
	unsigned int i;

	if (!o->streams) {
		o->streams = event_have(calloc(b->count, sizeof(*o->streams)));
		o->heap = event_have(calloc(b->count, sizeof(*o->heap)));
	}
	until = take(o, b, cpus, all);
	make_heap(o, b->count);
	for (; o->heaped && more; step(o)) {
		unsigned int number = o->heap[0];
		struct order_stream *s = &o->streams[number];
		const struct order_item *item = &s->items[s->next];

		if (item->time > until)
			break;
		more = show(arg, (void *)(s->records.bytes + item->at), b->each[number].cpu);
	}
	for (i = 0; i < b->count; i++)
		keep_rest(o, &o->streams[i]);
}

void order_free(struct order *o, const struct buffers *b)
{
	unsigned int i;

	for (i = 0; o->streams && i < b->count; i++) {
		free(o->streams[i].records.bytes);
		free(o->streams[i].items);
	}
	free(o->streams);
	free(o->heap);
	free(o->spare.bytes);
	memset(o, 0, sizeof(*o));
}
