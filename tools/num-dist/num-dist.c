// SPDX-License-Identifier: GPL-2.0-only
/* How are an event's numbers distributed? */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include "events/keys.h"
#include "maps.h"
#include "say.h"
#include "tally.h"
#include "unit.h"
#include "dists.h"
#include "num-dist.skel.h"

#define USUAL_KEYS 1024
#define MOST_KEYS  (1 << 20)
#define MOST_SHOWN 50

static struct num_dist *skel;
static struct engine engine;
static struct keys keys;
static uint64_t max_keys = USUAL_KEYS;
static struct dists_form form;

static const struct option_entry options[] = {
	ENGINE_OPTION,
	{ "key", 'k', OPTION_STRING, "EXPR", "the key of events that have no key=: a row for each",
	  .value = &keys.otherwise },
	{ "max-keys", 0, OPTION_COUNT, "N",
	  "room for N keys in a report (1024), of 20 or 40 KB; others are a row",
	  .value = &max_keys, .least = 1, .most = MOST_KEYS },
	{},
};

enum {
	ABOUT_KEYS,
	ABOUT_OTHERS
};

static const struct column about_row[] = {
	[ABOUT_KEYS] = { .name = "keys", .type = CELL_COUNT },
	[ABOUT_OTHERS] = { .name = "other_events",
			   .title = "events of keys without a row (--max-keys)",
			   .type = CELL_COUNT },
};

static const struct layout about_layout = LAYOUT(about_row);

enum {
	ROW_EVENT,
	ROW_NUM,
	ROW_KEY,
	ROW_NAME,
	ROW_NUMBERS,
	ROW_CELLS
};

static struct column columns[] = {
	[ROW_EVENT] = { .name = "event", .type = CELL_STRING, .width = 5 },
	[ROW_NUM] = { .name = "num", .type = CELL_STRING, .width = 3 },
	[ROW_NUMBERS] = { .name = "numbers", .type = CELL_NUMBERS },
};

static const struct layout layout = {
	.columns = columns,
	.count = ROW_CELLS,
	.most_shown = MOST_SHOWN,
};

static const struct layout *rows(const struct session *s)
{
	(void)s;
	return &layout;
}

static const struct layout *about(const struct session *s)
{
	(void)s;
	return &about_layout;
}

static const char *num_of(const struct spec *spec)
{
	const struct spec_attr *num = spec_attr(spec, ATTR_NUM, 0);

	return num ? num->value : NULL;
}

static const char *check(struct settings *settings)
{
	static const enum spec_attr_id known[] = { ATTR_KEY, ATTR_NUM, ATTR_COMM, ATTR_ALIAS,
						   ATTR_PRINTKEY };
	const struct spec_list *specs = engine_specs();
	unsigned int i;

	(void)settings;
	if (!specs->count)
		return "of which events? -e EVENT//num=EXPR/, such as "
		       "-e syscalls:sys_exit_read//num=ret/";
	for (i = 0; i < specs->count; i++) {
		if (!num_of(&specs->specs[i]))
			return "an event says by num=EXPR whose distribution it is to be: "
			       "-e EVENT//num=EXPR/";
		if (spec_attr(&specs->specs[i], ATTR_ALIAS, 1))
			return "an event has one row for each key, and so one alias=";
	}
	return engine_unknown_attribute(known, sizeof(known) / sizeof(*known));
}

static const char *event_name(const struct engine_event *e)
{
	const struct spec_attr *alias = spec_attr(e->spec, ATTR_ALIAS, 0);

	return alias ? alias->value : e->event->name;
}

static bool is_keyed(const struct engine_event *e)
{
	return e->slots.value[SLOT_UNIT] & DIST_KEYED;
}

/*
 * Would the rows of @a and @b look the same? A probe may be at several places, and an alias is what all
 * that matches a name with wildcards is called. Programs that may interrupt each other (fentry) have
 * rows of their own all the same, for the sake of extremes.
 */
static bool is_same(const struct engine_event *a, const struct engine_event *b)
{
	return a->spec == b->spec && event_can_share(a->event, b->event) &&
	       !strcmp(event_name(a), event_name(b)) &&
	       a->slots.value[SLOT_UNIT] == b->slots.value[SLOT_UNIT] &&
	       keys_same_names(&keys, a->number, b->number);
}

/* The number of the event whose rows @e's numbers go to: its own, or the first one's that is the same. */
static unsigned int row_number(const struct engine_event *e)
{
	const struct engine_event *other = e;

	while (other > engine.events && other[-1].spec == e->spec)
		other--;
	while (other != e && !is_same(other, e))
		other++;
	return other->number;
}

static int fill(struct engine_event *event)
{
	int status = keys_fill(&keys, event);
	int32_t *unit = &event->slots.value[SLOT_UNIT];

	if (!status)
		status = engine_compile(event, num_of(event->spec), SLOT_VALUE, SLOTS);
	if (event->types[SLOT_VALUE].is_signed)
		*unit |= DIST_SIGNED;
	if (event->slots.code[SLOT_KEY] || event->slots.code[SLOT_KEY_TEXT])
		*unit |= DIST_KEYED;
	event->slots.value[SLOT_EVENT] = row_number(event);
	return status;
}

static size_t key_size(void)
{
	return offsetof(struct dist_key, key) +
	       (keys.texts ? sizeof(union event_key) : sizeof(__u64));
}

/* What the kernel can give away, in bytes; 0: it does not say. */
static uint64_t available_memory(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kilobytes = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file) && !kilobytes)
		sscanf(line, "MemAvailable: %llu kB", &kilobytes);
	if (file)
		fclose(file);
	return kilobytes << 10;
}

/* Both halves take all of their memory at once. Tells if that is too much; returns an exit status. */
static int check_memory(void)
{
	uint64_t needed = 2 * max_keys * (key_size() + dist_size(&form));
	uint64_t available = available_memory();

	if (!(keys.numbers || keys.texts) || !available || needed <= available / 2)
		return EXIT_DONE;
	say_error("--max-keys %" PRIu64 " takes %" PRIu64 " MB of the kernel's memory, and %" PRIu64
		  " MB are available: give fewer",
		  max_keys, needed >> 20, available >> 20);
	return EXIT_FAILED;
}

static int size_half(struct session *s, unsigned int half)
{
	struct bpf_map *dists = half_map(s->obj, "dists", half);
	struct bpf_map *totals = half_map(s->obj, "totals", half);
	int err = bpf_map__set_key_size(dists, key_size());

	if (!err)
		err = bpf_map__set_value_size(dists, dist_size(&form));
	if (!err)
		err = bpf_map__set_max_entries(dists, keys.numbers || keys.texts ? max_keys : 1);
	if (!err)
		err = bpf_map__set_value_size(totals, dist_size(&form));
	return err ? err : bpf_map__set_max_entries(totals, engine.count);
}

static int find_events(struct session *s)
{
	int status = engine_find(&engine, &s->settings, fill);
	size_t i;

	for (i = 0; i < engine.count; i++) {
		if (engine.events[i].slots.value[SLOT_UNIT] & DIST_SIGNED)
			form.has_signed = true;
	}
	keys_columns(&keys, &columns[ROW_KEY]);
	return status;
}

static void measure(void)
{
	size_t i;

	for (i = 0; i < engine.count; i++) {
		column_widen(&columns[ROW_EVENT], event_name(&engine.events[i]));
		column_widen(&columns[ROW_NUM], num_of(engine.events[i].spec));
	}
}

static int open_skeleton(struct session *s)
{
	int status = find_events(s);

	if (!status)
		status = engine_setup();
	if (status)
		return status;
	measure();
	skel = num_dist__open();
	if (!skel)
		return -errno;
	session_use(s, skel);
	form.cpus = libbpf_num_possible_cpus();
	skel->rodata->some_tasks = engine_some_tasks(&s->settings);
	skel->rodata->text_keys = keys.texts;
	skel->rodata->of_threads = keys_are_threads(&keys);
	skel->rodata->buckets = DIST_BUCKETS(form.has_signed);
	skel->rodata->cpus = form.cpus;
	status = check_memory();
	if (!status)
		status = bpf_map__set_value_size(skel->maps.empty, dist_size(&form));
	if (!status)
		status = size_half(s, 0);
	return status ? status : size_half(s, 1);
}

static int attach(struct session *s)
{
	return engine_attach(&engine, s->obj, &s->settings);
}

/* Adds a row of event @number, unless it has no numbers; returns its cells, or NULL. */
static struct cell *add_row(struct table *rows, unsigned int number, const struct dist *dist)
{
	const struct engine_event *e = &engine.events[number];
	struct numbers n;
	struct cell *cells;

	dist_read(&form, dist, e->slots.value[SLOT_UNIT] & DIST_SIGNED, &n);
	if (!n.count)
		return NULL;
	cells = table_add(rows);
	cell_string(&cells[ROW_EVENT], event_name(e));
	cell_string(&cells[ROW_NUM], num_of(e->spec));
	cell_numbers(&cells[ROW_NUMBERS], &n);
	return cells;
}

/* By event; then what has most numbers comes first. */
static int compare(const struct tally *all, size_t a, size_t b)
{
	const struct dist_key *key = tally_key(all, a), *other = tally_key(all, b);
	uint64_t count = dist_count(&form, tally_value(all, a));
	uint64_t others = dist_count(&form, tally_value(all, b));

	if (key->event != other->event)
		return key->event < other->event ? -1 : 1;
	if (count != others)
		return count > others ? -1 : 1;
	return keys_compare(&keys, &key->key, &other->key);
}

/* How many events have keys in @order, which is by event. */
static size_t events_in(const struct tally *all, const size_t *order)
{
	const struct dist_key *key, *before = NULL;
	size_t i, count = 0;

	for (i = 0; i < all->count; i++, before = key) {
		key = tally_key(all, order[i]);
		count += !before || before->event != key->event;
	}
	return count;
}

/*
 * Adds the rows of event @number that are the first @most of it, or with @rest the others, from @at on in
 * @order. Returns where the next event's are.
 */
static size_t add_keys(struct table *rows, const struct tally *all, const size_t *order, size_t at,
		       unsigned int number, size_t most, bool rest)
{
	size_t nth;

	for (nth = 0; at < all->count; nth++, at++) {
		const struct dist_key *key = tally_key(all, order[at]);
		const struct dist *dist = tally_value(all, order[at]);
		struct cell *cells;

		if (key->event != number)
			break;
		cells = (nth >= most) == rest ? add_row(rows, number, dist) : NULL;
		if (cells)
			keys_cells_of(&keys, number, &key->key, dist->name, &cells[ROW_KEY],
				      &columns[ROW_KEY]);
	}
	return at;
}

/* Adds the row of an event: of all that has no key, or one that there was no room for. */
static int add_total(struct session *s, unsigned int half, struct table *rows, __u32 number)
{
	int fd = bpf_map__fd(half_map(s->obj, "totals", half));
	struct dist *dist = malloc(dist_size(&form));
	struct cell *cells, *about;
	int err = dist ? 0 : -ENOMEM;

	if (!err && bpf_map_lookup_elem(fd, &number, dist))
		err = -errno;
	cells = err ? NULL : add_row(rows, number, dist);
	if (cells && is_keyed(&engine.events[number])) {
		cell_string(&cells[ROW_NAME], "other");
		about = s->report.about.cells;
		cell_number(&about[ABOUT_OTHERS],
			    about[ABOUT_OTHERS].number + dist_count(&form, dist));
	}
	free(dist);
	return err;
}

/*
 * Adds all rows, by event. Text shows so many of them, which events with keys share: what of an event
 * is beyond its share comes behind all others.
 */
static int add_rows(struct session *s, unsigned int half, struct table *rows,
		    const struct tally *all)
{
	size_t *order = tally_sorted(all, compare), events = events_in(all, order), at = 0, share;
	unsigned int i;
	int err = 0;

	share = events > 1 && all->count > MOST_SHOWN ? MOST_SHOWN / (events + 1) : all->count;
	share += !share;
	for (i = 0; i < engine.count && !err; i++) {
		err = add_total(s, half, rows, i);
		at = add_keys(rows, all, order, at, i, share, false);
	}
	for (i = 0, at = 0; i < engine.count && !err; i++)
		at = add_keys(rows, all, order, at, i, share, true);
	free(order);
	return err;
}

static int report(struct session *s, unsigned int half, struct table *rows)
{
	struct cell *about = table_add(&s->report.about);
	struct tally all;
	int err;

	tally_init(&all, key_size(), dist_size(&form));
	err = half_read(s->obj, "dists", half, &all);
	if (keys.numbers || keys.texts)
		cell_number(&about[ABOUT_KEYS], all.count);
	if (!err)
		err = add_rows(s, half, rows, &all);
	tally_clear(&all);
	return err;
}

static int empty_totals(struct session *s, unsigned int half)
{
	int fd = bpf_map__fd(half_map(s->obj, "totals", half)), err = 0;
	void *nothing = calloc(1, dist_size(&form));
	__u32 i;

	if (!nothing)
		return -ENOMEM;
	for (i = 0; i < engine.count && !err; i++) {
		if (bpf_map_update_elem(fd, &i, nothing, BPF_ANY))
			err = -errno;
	}
	free(nothing);
	return err;
}

static int empty(struct session *s, unsigned int half)
{
	int err = half_empty(s->obj, "dists", half);

	return err ? err : empty_totals(s, half);
}

static uint64_t skipped(struct session *s)
{
	(void)s;
	return engine_misses(&engine);
}

static const struct unit num_dist = {
	.synopsis = {
		.name = "num-dist",
		.summary = "How are an event's numbers distributed?",
		.description =
			"num=EXPR of each event of -e is a number: how many there were, their sum, least and\n"
			"greatest (exact), and percentiles (off by at most 1/32, but for numbers of 2^40 and more,\n"
			"whose percentiles are the greatest one's). All is kept in the kernel. With key=EXPR, or -k,\n"
			"there is a row for each key, which comm=EXPR or printkey=printf(\"FORMAT\", key) name, else\n"
			"one for each event; alias=NAME is the event's name there. Keys that find no room\n"
			"(--max-keys) share a row for each event, `other`. A single row is drawn, too.\n"
			"\n"
			ENGINE_EVENT_HELP,
		.examples =
			"  num-dist -e 'sched:sched_stat_runtime//num=runtime/' --duration 10s\n"
			"  num-dist -e 'syscalls:sys_exit_read//num=ret/key=_comm/' -i 1s\n"
			"  num-dist -e 'syscalls:sys_enter_write//num=count/alias=write/' --json -- CMD",
		.takes = TAKES_TARGETS | TAKES_INTERVAL | TAKES_DURATION | TAKES_OUTPUT | TAKES_COMMAND,
		.options = options,
		.check = check,
	},
	.map_full_help = "the command has more children at one time than there is room for",
	.rows = rows,
	.about = about,
	.open = open_skeleton,
	.attach = attach,
	.report = report,
	.empty = empty,
	.skipped = skipped,
};

int main(int argc, char **argv)
{
	int status = unit_main(&num_dist, argc, argv);

	keys_free(&keys);
	engine_free(&engine);
	return status;
}
