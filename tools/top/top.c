// SPDX-License-Identifier: GPL-2.0-only
/* Which keys have most events, or the largest sums? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "events/keys.h"
#include "maps.h"
#include "quantity.h"
#include "say.h"
#include "tally.h"
#include "unit.h"
#include "columns.h"
#include "top.h"
#include "top.skel.h"

/* Rows, unless told otherwise; and rows of text. */
#define USUAL_KEYS 16384
#define MOST_KEYS  (1 << 24)
#define MOST_SHOWN 50

/* How wide a sum is in text, at least. */
#define SUM_WIDTH 11

/* Reports on a terminal. */
#define USUAL_INTERVAL NSEC_PER_SEC

static struct top *skel;
static struct engine engine;
static struct sum_columns sums;
static struct keys keys = { .fallback = "_tid" };
static uint64_t max_keys = USUAL_KEYS;

/* What perf top sorts by, as the keys of rows. */
static const struct sort_key {
	const char *name, *key;
} sort_keys[] = { { "comm", "_comm" }, { "pid", "_pid" }, { "tid", "_tid" }, { "cpu", "_cpu" } };

static const char *sort_by;
static bool with_counts;

static const char *key_of(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(sort_keys) / sizeof(*sort_keys); i++) {
		if (!strcmp(sort_keys[i].name, name))
			return sort_keys[i].key;
	}
	return NULL;
}

static const char *check_sort(const char *text)
{
	return key_of(text) ? NULL : "is no key: comm, pid, tid or cpu; -k takes any expression";
}

static const struct option_entry options[] = {
	ENGINE_OPTION,
	{ "key", 'k', OPTION_STRING, "EXPR", "the key of events that have no key= (_tid)",
	  .value = &keys.otherwise },
	{ "sort", 's', OPTION_CHECKED, "KEY",
	  "as perf's: -s comm is -k _comm; so are pid, tid, cpu", .value = &sort_by,
	  .check = check_sort },
	{ "show-nr-samples", 'n', OPTION_FLAG, NULL,
	  "as perf's: numbers of events, which are shown anyway", .value = &with_counts },
	{ "only-comm", 0, OPTION_FLAG, NULL, "a row for each name (comm=, _comm), whatever the key",
	  .value = &keys.only_comm },
	{ "max-keys", 0, OPTION_COUNT, "N",
	  "room for N keys in a report (16384); what has others is one row", .value = &max_keys,
	  .least = 1, .most = MOST_KEYS },
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
	ROW_KEY,
	ROW_NAME,
	ROW_SUMS
};

static struct column columns[ROW_SUMS + MOST_COLUMNS];

static struct layout layout = {
	.columns = columns,
	.count = ROW_SUMS,
	.rows_are = "keys",
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

static const char *check(struct settings *settings)
{
	static const enum spec_attr_id known[] = { ATTR_KEY,  ATTR_TOP_BY, ATTR_TOP_ADD,
						   ATTR_COMM, ATTR_ALIAS,  ATTR_PRINTKEY };

	if (!engine_specs()->count)
		return "of which events? -e EVENT, such as -e sched:sched_wakeup; `list` shows all";
	if (sort_by && keys.otherwise)
		return "-s and -k both say what the key is: one will do";
	if (sort_by)
		keys.otherwise = key_of(sort_by);
	if (keys.only_comm && keys.otherwise)
		return "--only-comm has names for keys, so -k and -s mean nothing";
	if (!settings->interval_ns && !settings->json && !settings->output && isatty(STDOUT_FILENO))
		settings->interval_ns = USUAL_INTERVAL;
	return engine_unknown_attribute(known, sizeof(known) / sizeof(*known));
}

static int fill(struct engine_event *event)
{
	int status = keys_fill(&keys, event);

	return status ? status : columns_fill(&sums, event);
}

/* The columns, as the events have them. */
static void lay_out(void)
{
	unsigned int i;

	keys_columns(&keys, &columns[ROW_KEY]);
	for (i = 0; i < sums.count; i++) {
		columns[ROW_SUMS + i] = (struct column){
			.name = sums.column[i].name,
			.type = sums.column[i].is_signed ? CELL_NUMBER : CELL_COUNT,
			.width = SUM_WIDTH,
		};
		column_widen(&columns[ROW_SUMS + i], sums.column[i].name);
	}
	layout.count = ROW_SUMS + sums.count;
}

static size_t row_size(void)
{
	return offsetof(struct top_row, sum) + sums.count * sizeof(struct top_sum);
}

/* Makes the maps of half @half as large as keys and rows are. */
static int size_half(struct session *s, unsigned int half)
{
	struct bpf_map *map = half_map(s->obj, "rows", half);
	int err = bpf_map__set_max_entries(map, max_keys);

	if (!err && !keys.texts)
		err = bpf_map__set_key_size(map, sizeof(__u64));
	if (!err)
		err = bpf_map__set_value_size(map, row_size());
	return err ? err : bpf_map__set_value_size(half_map(s->obj, "others", half), row_size());
}

static int open_skeleton(struct session *s)
{
	int status = columns_read(&sums, engine_specs());

	if (!status)
		status = engine_find(&engine, &s->settings, fill);
	if (status)
		return status;
	lay_out();
	status = engine_setup();
	if (status)
		return status;
	skel = top__open();
	if (!skel)
		return -errno;
	session_use(s, skel);
	skel->rodata->some_tasks = engine_some_tasks(&s->settings);
	skel->rodata->text_keys = keys.texts;
	skel->rodata->of_threads = keys_are_threads(&keys);
	return size_half(s, 0) ?: size_half(s, 1);
}

static int attach(struct session *s)
{
	return engine_attach(&engine, s->obj, &s->settings);
}

static void fill_sum(struct cell *cell, struct column *column, const struct sum_column *of,
		     const struct top_sum *sum)
{
	char text[QUANTITY_LEN];
	uint64_t value;

	if (!column_sum(of, sum, &value)) {
		cell_unknown(cell);
		return;
	}
	cell_number(cell, value);
	column_widen(column,
		     of->is_signed ? format_number(text, value) : format_count(text, value));
}

static void fill_sums(struct cell *cells, const struct top_row *row)
{
	unsigned int i;

	for (i = 0; i < sums.count; i++)
		fill_sum(&cells[ROW_SUMS + i], &columns[ROW_SUMS + i], &sums.column[i],
			 &row->sum[i]);
}

/* Adds the row of all keys that there was no room for, and tells how many events that were. */
static int add_others(struct session *s, unsigned int half, struct table *rows, struct cell *about)
{
	struct top_row row = {};
	struct cell *cells;
	__u32 zero = 0;

	if (bpf_map_lookup_elem(bpf_map__fd(half_map(s->obj, "others", half)), &zero, &row))
		return -errno;
	if (!row.events)
		return 0;
	cell_number(&about[ABOUT_OTHERS], row.events);
	cells = table_add(rows);
	cell_string(&cells[ROW_NAME], "other");
	fill_sums(cells, &row);
	return 0;
}

static int compare(const struct tally *all, size_t a, size_t b)
{
	const struct top_row *row = tally_value(all, a), *other = tally_value(all, b);
	int order = columns_compare(&sums, row->sum, other->sum);

	return order ? order : keys_compare(&keys, tally_key(all, a), tally_key(all, b));
}

static void add_rows(struct table *rows, const struct tally *all)
{
	size_t *order = tally_sorted(all, compare), i;

	for (i = 0; i < all->count; i++) {
		const struct top_row *row = tally_value(all, order[i]);
		struct cell *cells = table_add(rows);

		keys_cells(&keys, tally_key(all, order[i]), row->name, &cells[ROW_KEY],
			   &columns[ROW_KEY]);
		fill_sums(cells, row);
	}
	free(order);
}

static int report(struct session *s, unsigned int half, struct table *rows)
{
	struct cell *about = table_add(&s->report.about);
	struct tally all;
	int err;

	tally_init(&all, keys.texts ? sizeof(union event_key) : sizeof(__u64), row_size());
	err = half_read(s->obj, "rows", half, &all);
	if (!err) {
		cell_number(&about[ABOUT_KEYS], all.count);
		add_rows(rows, &all);
		err = add_others(s, half, rows, about);
	}
	tally_clear(&all);
	return err;
}

static int empty(struct session *s, unsigned int half)
{
	struct top_row row = {};
	__u32 zero = 0;
	int err = half_empty(s->obj, "rows", half);

	if (err)
		return err;
	return bpf_map_update_elem(bpf_map__fd(half_map(s->obj, "others", half)), &zero, &row,
				   BPF_ANY)
		       ? -errno
		       : 0;
}

static uint64_t skipped(struct session *s)
{
	(void)s;
	return engine_misses(&engine);
}

static const struct unit top = {
	.synopsis = {
		.name = "top",
		.summary = "Which keys have most events, or the largest sums?",
		.description =
			"A row for each key, largest first: key=EXPR of the event, or -k, or the thread. A column\n"
			"for each event of -e: how many there were, or, with top-by=EXPR and top-add=EXPR, what\n"
			"these add up to; rows are sorted by top-by=. All is counted in the kernel, and exact.\n"
			"comm=EXPR is a key's name (a string), printkey=printf(\"FORMAT\", key) another way to write\n"
			"it, alias=NAME a column's name. Keys that find no room in the table (--max-keys) share one\n"
			"row, `other`. On a terminal the table is shown anew each second, unless -i says otherwise.\n"
			"\n"
			ENGINE_EVENT_HELP,
		.examples =
			"  top -e sched:sched_wakeup//key=pid/comm=comm/       who is woken most\n"
			"  top -e 'sched:sched_stat_runtime//top-by=runtime/comm=comm/' --only-comm -i 1s\n"
			"  top -e 'syscalls:sys_enter_read/count<10/,syscalls:sys_enter_write' --duration 10s\n"
			"  top -e 'irq:softirq_entry//key=vec/' --json -- CMD",
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
	int status = unit_main(&top, argc, argv);

	keys_free(&keys);
	engine_free(&engine);
	columns_free(&sums);
	return status;
}
