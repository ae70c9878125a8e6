// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "recorder.h"

enum {
	RAN_COMM,
	RAN_TID,
	RAN_SUM
};

static const struct column ran_columns[] = {
	[RAN_COMM] = { .name = "comm", .type = CELL_STRING },
	[RAN_TID] = { .name = "tid", .type = CELL_ID },
	[RAN_SUM] = { .name = "sum", .type = CELL_DURATION },
};

const struct layout ran_layout = LAYOUT(ran_columns);

enum {
	HAPPENED_BEFORE,
	HAPPENED_WHAT,
	HAPPENED_LENGTH,
	HAPPENED_TID,
	HAPPENED_COMM
};

static const struct column happened_columns[] = {
	[HAPPENED_BEFORE] = { .name = "before_end", .type = CELL_DURATION },
	[HAPPENED_WHAT] = { .name = "what", .type = CELL_STRING },
	[HAPPENED_LENGTH] = { .name = "length", .type = CELL_DURATION },
	[HAPPENED_TID] = { .name = "tid", .type = CELL_ID },
	[HAPPENED_COMM] = { .name = "comm", .type = CELL_STRING },
};

const struct layout happened_layout = LAYOUT(happened_columns);

/* The records that there are, oldest first, into @list; returns how many. */
static unsigned int in_order(const struct recorder *r, const struct record *list[RECORDS])
{
	uint64_t i = r->head > RECORDS ? r->head - RECORDS : 0;
	unsigned int count = 0;

	while (i < r->head)
		list[count++] = &r->ring[i++ % RECORDS];
	return count;
}

struct run {
	const struct record *who;
	uint64_t sum;
};

static int longer_first(const void *a, const void *b)
{
	const struct run *x = a, *y = b;

	return x->sum > y->sum ? -1 : x->sum < y->sum;
}

/* Adds to @runs (of @count) that @who ran for @time; returns how many there are then. */
static unsigned int add_run(struct run *runs, unsigned int count, const struct record *who,
			    uint64_t time)
{
	unsigned int i;

	for (i = 0; i < count && runs[i].who->tid != who->tid; i++)
		;
	if (i == count)
		runs[i].sum = 0;
	runs[i].who = who; /* the latest name */
	runs[i].sum += time;
	return i == count ? count + 1 : count;
}

static void name_task(struct cell *comm, struct cell *tid, const struct record *who)
{
	if (who->tid) {
		cell_comm(comm, who->comm);
		cell_number(tid, who->tid);
	} else {
		cell_string(comm, "idle");
	}
}

static void add_rest(struct table *ran, const char *name, uint64_t sum)
{
	struct cell *row;

	if (!sum)
		return;
	row = table_add(ran);
	cell_string(&row[RAN_COMM], name);
	cell_number(&row[RAN_SUM], sum);
}

void recorder_ran(const struct recorder *r, uint64_t from, uint64_t to, unsigned int most,
		  struct table *ran)
{
	const struct record *list[RECORDS];
	unsigned int records = in_order(r, list), runs = 0, i;
	uint64_t since = 0, others = 0, unknown = to - from;
	struct run run[RECORDS];
	struct cell *row;

	/* A switch ends the run of whom it names, which began with the switch before. */
	for (i = 0; i < records; i++) {
		uint64_t begin = since < from ? from : since;
		uint64_t end = list[i]->time > to ? to : list[i]->time;

		if (list[i]->kind != RECORD_SWITCH)
			continue;
		if (since && begin < end) {
			runs = add_run(run, runs, list[i], end - begin);
			unknown -= end - begin;
		}
		since = list[i]->time;
	}
	/* What is left behind the last switch is the waiting thread's own arrival. */
	if (since > from && since < to)
		unknown -= to - since;

	qsort(run, runs, sizeof(*run), longer_first);
	for (i = 0; i < runs; i++) {
		if (i >= most) {
			others += run[i].sum;
			continue;
		}
		row = table_add(ran);
		name_task(&row[RAN_COMM], &row[RAN_TID], run[i].who);
		cell_number(&row[RAN_SUM], run[i].sum);
	}
	add_rest(ran, "others", others);
	add_rest(ran, "unknown", unknown);
}

/* The exit that belongs to the entry at @list[@i], or NULL. */
static const struct record *exit_of(const struct record **list, unsigned int records,
				    unsigned int i)
{
	const struct record *entry = list[i];

	while (++i < records) {
		if (list[i]->kind == entry->kind + 1 && list[i]->arg == entry->arg)
			return list[i];
	}
	return NULL;
}

static const char *softirq_name(unsigned int vector)
{
	static const char *const names[] = { "HI",	 "TIMER",   "NET_TX", "NET_RX",	 "BLOCK",
					     "IRQ_POLL", "TASKLET", "SCHED",  "HRTIMER", "RCU" };

	return vector < sizeof(names) / sizeof(*names) ? names[vector] : "?";
}

/* Is this a thing of its own? An exit belongs to its entry. */
static bool is_shown(const struct record *record, uint64_t from, uint64_t to)
{
	return record->time >= from && record->time <= to && record->kind != RECORD_IRQ_EXIT &&
	       record->kind != RECORD_SOFTIRQ_EXIT;
}

void recorder_happened(const struct recorder *r, uint64_t from, uint64_t to, unsigned int most,
		       struct table *happened)
{
	const struct record *list[RECORDS], *end;
	unsigned int records = in_order(r, list), shown = 0, skip, i;
	uint64_t since = 0;
	char what[64];
	struct cell *row;

	for (i = 0; i < records; i++)
		shown += is_shown(list[i], from, to);
	skip = shown > most ? shown - most : 0;
	if (skip) {
		snprintf(what, sizeof(what), "%u earlier", skip);
		cell_string(&table_add(happened)[HAPPENED_WHAT], what);
	}
	for (i = 0; i < records; i++) {
		const struct record *record = list[i];

		if (!is_shown(record, from, to) || skip) {
			skip -= skip && is_shown(record, from, to);
			if (record->kind == RECORD_SWITCH)
				since = record->time;
			continue;
		}
		row = table_add(happened);
		cell_number(&row[HAPPENED_BEFORE], to - record->time);
		switch (record->kind) {
		case RECORD_SWITCH:
			cell_string(&row[HAPPENED_WHAT], "ran");
			name_task(&row[HAPPENED_COMM], &row[HAPPENED_TID], record);
			if (since)
				cell_number(&row[HAPPENED_LENGTH], record->time - since);
			since = record->time;
			continue;
		case RECORD_MIGRATE:
			snprintf(what, sizeof(what), "to cpu %u", record->arg);
			name_task(&row[HAPPENED_COMM], &row[HAPPENED_TID], record);
			break;
		case RECORD_IRQ_ENTER:
			snprintf(what, sizeof(what), "irq %u", record->arg);
			cell_comm(&row[HAPPENED_COMM], record->comm);
			break;
		default:
			snprintf(what, sizeof(what), "softirq %s", softirq_name(record->arg));
		}
		cell_string(&row[HAPPENED_WHAT], what);
		end = record->kind == RECORD_MIGRATE ? NULL : exit_of(list, records, i);
		if (end)
			cell_number(&row[HAPPENED_LENGTH], end->time - record->time);
	}
}
