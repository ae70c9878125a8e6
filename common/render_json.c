// SPDX-License-Identifier: GPL-2.0-only
/* Reports as JSON: one object a line. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "lost.h"
#include "report.h"
#include "say.h"
#include "utf8.h"
#include "version.h"

/* json-c returns NULL without memory, and takes NULL for null: that would be a wrong report. */
static json_object *made(json_object *object)
{
	if (!object) {
		say_error("out of memory for the report");
		exit(EXIT_FAILED);
	}
	return object;
}

static void add(json_object *to, const char *name, json_object *value)
{
	if (json_object_object_add(to, name, made(value)))
		made(NULL);
}

static void add_number(json_object *to, const char *name, uint64_t number)
{
	add(to, name, json_object_new_uint64(number));
}

static json_object *text(const char *bytes)
{
	size_t size = 3 * strlen(bytes) + 1;
	char *clean = malloc(size);
	json_object *object = NULL;

	if (clean) {
		utf8_clean(clean, size, bytes, false);
		object = json_object_new_string(clean);
	}
	free(clean);
	return made(object);
}

static json_object *buckets(const struct hist *h)
{
	json_object *list = made(json_object_new_array());
	uint64_t lo, hi;
	unsigned int i;

	for (i = 0; i < HIST_BUCKETS; i++) {
		json_object *bucket;

		if (!h->bucket[i])
			continue;
		hist_bounds(i, &lo, &hi);
		bucket = made(json_object_new_object());
		add_number(bucket, "lo_ns", lo);
		add_number(bucket, "hi_ns", hi);
		add_number(bucket, "count", h->bucket[i]);
		json_object_array_add(list, bucket);
	}
	return list;
}

/* Without a value there is no least, middle or greatest one: those members are null. */
static void add_statistic(json_object *to, const char *name, const struct hist *h, uint64_t value)
{
	if (h->count)
		add_number(to, name, value);
	else
		json_object_object_add(to, name, NULL);
}

static void add_dist(json_object *to, const struct hist *h)
{
	add_number(to, "count", h->count);
	add_number(to, "sum_ns", h->sum);
	add_statistic(to, "min_ns", h, h->min);
	add_statistic(to, "avg_ns", h, hist_average(h));
	add_statistic(to, "p50_ns", h, hist_percentile(h, 50));
	add_statistic(to, "p95_ns", h, hist_percentile(h, 95));
	add_statistic(to, "p99_ns", h, hist_percentile(h, 99));
	add_statistic(to, "max_ns", h, h->max);
	add(to, "hist", buckets(h));
}

static json_object *number_of(const struct numbers *n, uint64_t number)
{
	return made(n->is_signed ? json_object_new_int64(number) : json_object_new_uint64(number));
}

static uint64_t unbounded(const struct numbers *n)
{
	return n->is_signed ? INT64_MAX : UINT64_MAX;
}

static json_object *number_buckets(const struct numbers *n)
{
	json_object *list = made(json_object_new_array());
	uint64_t lo, hi;
	unsigned int i;

	for (i = 0; i < NUMBERS_BUCKETS; i++) {
		json_object *bucket;

		if (!n->bucket[i])
			continue;
		numbers_bounds(i, &lo, &hi);
		bucket = made(json_object_new_object());
		add(bucket, "lo", number_of(n, lo));
		/* Without a bound: the largest number that there may be. */
		add(bucket, "hi", number_of(n, hi || i < NUMBERS_ZERO ? hi : unbounded(n)));
		add_number(bucket, "count", n->bucket[i]);
		json_object_array_add(list, bucket);
	}
	return list;
}

/* A number of @n; null if it is not @known. */
static void add_statistic_of(json_object *to, const char *name, const struct numbers *n,
			     uint64_t value, bool known)
{
	if (known)
		add(to, name, number_of(n, value));
	else
		json_object_object_add(to, name, NULL);
}

static void add_numbers(json_object *to, const struct numbers *n)
{
	bool any = n->count, fits = numbers_sum_fits(n);

	add_number(to, "count", n->count);
	add_statistic_of(to, "sum", n, n->sum, fits);
	add_statistic_of(to, "min", n, n->min, any);
	add_statistic_of(to, "avg", n, numbers_average(n), any && fits);
	add_statistic_of(to, "p50", n, numbers_percentile(n, 50), any);
	add_statistic_of(to, "p95", n, numbers_percentile(n, 95), any);
	add_statistic_of(to, "p99", n, numbers_percentile(n, 99), any);
	add_statistic_of(to, "max", n, n->max, any);
	add(to, "hist", number_buckets(n));
}

static void add_percent(json_object *to, const char *name, uint64_t number)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%.2f", (double)number / PERCENT_UNIT);
	add(to, name, json_object_new_double_s((double)number / PERCENT_UNIT, digits));
}

static void add_ratio(json_object *to, const char *name, uint64_t number)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%.3f", (double)number / RATIO_UNIT);
	add(to, name, json_object_new_double_s((double)number / RATIO_UNIT, digits));
}

static void add_address(json_object *to, const char *name, uint64_t address)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "0x%llx", (unsigned long long)address);
	add(to, name, json_object_new_string(digits));
}

static json_object *frame(const struct frame *f)
{
	json_object *object = made(json_object_new_object());

	if (f->name)
		add(object, "name", text(f->name));
	else
		json_object_object_add(object, "name", NULL);
	if (!f->name)
		add_address(object, "addr", f->addr);
	else if (!f->inlined && f->addr)
		add_number(object, "offset", f->offset);
	if (f->module)
		add(object, "module", text(f->module));
	if (f->file)
		add(object, "file", text(f->file));
	if (f->line)
		add_number(object, "line", f->line);
	if (f->inlined)
		add(object, "inlined", json_object_new_boolean(true));
	return object;
}

static json_object *stack(const struct callchain *chain)
{
	json_object *list = made(json_object_new_array());
	unsigned int i;

	for (i = 0; i < chain->frame_count; i++)
		json_object_array_add(list, frame(&chain->frames[i]));
	return list;
}

static json_object *rows(const struct table *t);

static void add_cell(json_object *to, const struct column *column, const struct cell *c)
{
	char name[64], when[CLOCK_LEN];

	if (column->shown == SHOWN_IN_TEXT)
		return;
	if (!c->set) {
		if (c->unknown || column->or_null)
			json_object_object_add(to, column->name, NULL);
		return;
	}
	switch (column->type) {
	case CELL_STRING:
		add(to, column->name, text(c->string));
		break;
	case CELL_ID:
	case CELL_COUNT:
		add_number(to, column->name, c->number);
		break;
	case CELL_SIGNED_ID:
	case CELL_NUMBER:
		add(to, column->name, json_object_new_int64(c->number));
		break;
	case CELL_DURATION:
	case CELL_SIZE:
		snprintf(name, sizeof(name), "%s%s", column->name,
			 column->type == CELL_DURATION	  ? "_ns"
			 : !strcmp(column->name, "bytes") ? ""
							  : "_bytes");
		add_number(to, name, c->number);
		break;
	case CELL_TIME:
		add(to, column->name, json_object_new_string(clock_utc(when, c->number)));
		break;
	case CELL_PERCENT:
		snprintf(name, sizeof(name), "%s_percent", column->name);
		add_percent(to, name, c->number);
		break;
	case CELL_RATIO:
		add_ratio(to, column->name, c->number);
		break;
	case CELL_FLAG:
		add(to, column->name, json_object_new_boolean(c->number));
		break;
	case CELL_ADDRESS:
		add_address(to, column->name, c->number);
		break;
	case CELL_STACK:
		add(to, column->name, stack(c->stack));
		break;
	case CELL_DIST:
		add_dist(to, c->dist);
		break;
	case CELL_NUMBERS:
		add_numbers(to, c->numbers);
		break;
	case CELL_TABLE:
		add(to, column->name, rows(c->table));
		break;
	}
}

static void add_cells(json_object *to, const struct layout *layout, const struct cell *cells)
{
	unsigned int i;

	for (i = 0; i < layout->count; i++)
		add_cell(to, &layout->columns[i], &cells[i]);
}

static json_object *rows(const struct table *t)
{
	json_object *list = made(json_object_new_array());
	size_t i;

	for (i = 0; i < t->rows; i++) {
		json_object *row = made(json_object_new_object());

		add_cells(row, t->layout, table_row(t, i));
		json_object_array_add(list, row);
	}
	return list;
}

static json_object *lost(const uint64_t counts[LOST_REASONS])
{
	json_object *object = made(json_object_new_object());
	unsigned int why;

	add_number(object, "total", lost_total(counts));
	for (why = 0; why < LOST_REASONS; why++)
		add_number(object, lost_names[why], counts[why]);
	return object;
}

static void render(struct output *out, const struct report *report)
{
	json_object *object = made(json_object_new_object());
	char when[CLOCK_LEN];

	add(object, "tool", json_object_new_string(report->tool));
	add(object, "version", json_object_new_string(VERSION));
	add(object, "time", json_object_new_string(clock_utc(when, report->time)));
	add_number(object, "elapsed_ns", report->elapsed_ns);
	add(object, "lost", lost(report->lost));
	if (report->about.rows)
		add_cells(object, report->about.layout, table_row(&report->about, 0));
	add(object, "rows", rows(&report->rows));
	if (report->functions.layout)
		add(object, "functions", rows(&report->functions));
	if (report->events.layout)
		add(object, "events", rows(&report->events));
	fprintf(out->file, "%s\n",
		json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
							       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

static bool keep_events(struct output *out, const struct table *events)
{
	(void)out;
	(void)events;
	return false;
}

const struct renderer json_renderer = { .events = keep_events, .report = render };
