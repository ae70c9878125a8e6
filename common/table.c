// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include "say.h"
#include "table.h"

static void *or_die(void *memory)
{
	if (!memory) {
		say_error("out of memory for the report");
		exit(EXIT_FAILED);
	}
	return memory;
}

void table_init(struct table *t, const struct layout *layout)
{
	memset(t, 0, sizeof(*t));
	t->layout = layout;
}

static void cell_clear(struct cell *c, enum cell_type type)
{
	if (!c->set)
		return;
	switch (type) {
	case CELL_STRING:
		free(c->string);
		break;
	case CELL_DIST:
		free(c->dist);
		break;
	case CELL_NUMBERS:
		free(c->numbers);
		break;
	case CELL_STACK:
		callchain_free(c->stack);
		break;
	case CELL_TABLE:
		table_free(c->table);
		free(c->table);
		break;
	default:
		break;
	}
	memset(c, 0, sizeof(*c));
}

void table_clear(struct table *t)
{
	unsigned int columns = t->layout ? t->layout->count : 0;
	size_t i;

	for (i = 0; i < t->rows * columns; i++)
		cell_clear(&t->cells[i], t->layout->columns[i % columns].type);
	t->rows = 0;
}

void table_cut(struct table *t, size_t rows)
{
	unsigned int columns = t->layout->count;
	size_t i;

	for (i = rows * columns; i < t->rows * columns; i++)
		cell_clear(&t->cells[i], t->layout->columns[i % columns].type);
	if (t->rows > rows)
		t->rows = rows;
}

void table_free(struct table *t)
{
	table_clear(t);
	free(t->cells);
	t->cells = NULL;
	t->room = 0;
}

struct cell *table_add(struct table *t)
{
	unsigned int columns = t->layout->count;
	struct cell *row;

	if (t->rows == t->room) {
		t->room = t->room ? 2 * t->room : 4;
		t->cells = or_die(reallocarray(t->cells, t->room * columns, sizeof(*t->cells)));
	}
	row = &t->cells[t->rows++ * columns];
	memset(row, 0, columns * sizeof(*row));
	return row;
}

const struct cell *table_row(const struct table *t, size_t row)
{
	return &t->cells[row * t->layout->count];
}

void cell_string(struct cell *c, const char *text)
{
	c->string = or_die(strdup(text));
	c->set = true;
}

void cell_comm(struct cell *c, const char comm[COMM_LEN])
{
	c->string = or_die(strndup(comm, COMM_LEN));
	c->set = true;
}

void cell_number(struct cell *c, uint64_t number)
{
	c->number = number;
	c->set = true;
}

void cell_unknown(struct cell *c)
{
	c->unknown = true;
}

void cell_dist(struct cell *c, const struct hist *dist)
{
	c->dist = or_die(malloc(sizeof(*dist)));
	*c->dist = *dist;
	c->set = true;
}

void cell_numbers(struct cell *c, const struct numbers *numbers)
{
	c->numbers = or_die(malloc(sizeof(*numbers)));
	*c->numbers = *numbers;
	c->set = true;
}

void cell_stack(struct cell *c, struct callchain *chain)
{
	c->stack = chain;
	c->set = true;
}

struct table *cell_table(struct cell *c, const struct layout *layout)
{
	c->table = or_die(malloc(sizeof(*c->table)));
	table_init(c->table, layout);
	c->set = true;
	return c->table;
}

struct sort_by {
	unsigned int column;
	enum cell_type type;
};

static uint64_t sort_value(const struct cell *row, const struct sort_by *by)
{
	const struct cell *c = &row[by->column];

	if (!c->set)
		return 0;
	return by->type == CELL_DIST ? c->dist->sum : c->number;
}

static int larger_first(const void *a, const void *b, void *by)
{
	uint64_t x = sort_value(a, by), y = sort_value(b, by);

	return x > y ? -1 : x < y;
}

void table_sort(struct table *t, unsigned int column)
{
	struct sort_by by = { column, t->layout->columns[column].type };

	if (t->rows)
		qsort_r(t->cells, t->rows, t->layout->count * sizeof(*t->cells), larger_first, &by);
}

int column_of(const struct layout *layout, enum cell_type type)
{
	unsigned int i;

	for (i = 0; i < layout->count; i++) {
		if (layout->columns[i].type == type)
			return i;
	}
	return -1;
}

int column_that_adds_up(const struct layout *layout)
{
	unsigned int i;

	for (i = 0; i < layout->count; i++) {
		if (layout->columns[i].adds_up)
			return i;
	}
	return -1;
}

static int compare_numbers(uint64_t x, uint64_t y)
{
	return x < y ? -1 : x > y;
}

/* Names and modules are kept once each, so their addresses tell them apart. */
static int compare_frames(const struct frame *a, const struct frame *b)
{
	if (a->name != b->name)
		return compare_numbers((uintptr_t)a->name, (uintptr_t)b->name);
	if (!a->name && a->addr != b->addr)
		return compare_numbers(a->addr, b->addr);
	if (a->module != b->module)
		return compare_numbers((uintptr_t)a->module, (uintptr_t)b->module);
	if (a->file != b->file)
		return compare_numbers((uintptr_t)a->file, (uintptr_t)b->file);
	if (a->inlined != b->inlined)
		return (int)a->inlined - (int)b->inlined;
	return compare_numbers(a->line, b->line);
}

static int compare_stacks(const struct callchain *a, const struct callchain *b)
{
	unsigned int i;
	int order;

	if (a->frame_count != b->frame_count)
		return compare_numbers(a->frame_count, b->frame_count);
	for (i = 0; i < a->frame_count; i++) {
		order = compare_frames(&a->frames[i], &b->frames[i]);
		if (order)
			return order;
	}
	return 0;
}

static int compare_cells(const struct column *column, const struct cell *a, const struct cell *b)
{
	if (!a->set || !b->set)
		return (int)a->set - (int)b->set;
	switch (column->type) {
	case CELL_STRING:
		return strcmp(a->string, b->string);
	case CELL_STACK:
		return compare_stacks(a->stack, b->stack);
	case CELL_DIST:
	case CELL_NUMBERS:
	case CELL_TABLE:
		return compare_numbers((uintptr_t)a->dist, (uintptr_t)b->dist);
	default:
		return compare_numbers(a->number, b->number);
	}
}

/* Do rows that are to be one differ in @column? */
static bool varies(const struct column *column)
{
	return column->adds_up || column->lowest || column->highest || column->type == CELL_PERCENT;
}

/* 0 for rows that are to be one. */
static int compare_rows(const struct layout *layout, const struct cell *a, const struct cell *b)
{
	unsigned int i;
	int order;

	for (i = 0; i < layout->count; i++) {
		const struct column *column = &layout->columns[i];

		if (varies(column))
			continue;
		order = compare_cells(column, &a[i], &b[i]);
		if (order)
			return order;
	}
	return 0;
}

static int alike_together(const void *a, const void *b, void *by)
{
	const struct layout *layout = by;
	int order = compare_rows(layout, a, b), weight = column_that_adds_up(layout);

	if (order || weight < 0)
		return order;
	return -compare_numbers(((const struct cell *)a)[weight].number,
				((const struct cell *)b)[weight].number);
}

static void merge_cell(const struct column *column, struct cell *to, const struct cell *from)
{
	if (!varies(column) || !from->set)
		return;
	if (!to->set)
		*to = *from;
	else if (column->adds_up)
		to->number += from->number;
	else if (column->lowest ? from->number < to->number
				: column->highest && from->number > to->number)
		to->number = from->number;
}

void table_merge(struct table *t)
{
	const struct layout *layout = t->layout;
	unsigned int columns = layout->count, i;
	size_t row, kept = 0;

	if (!t->rows)
		return;
	qsort_r(t->cells, t->rows, columns * sizeof(*t->cells), alike_together, (void *)layout);
	for (row = 1; row < t->rows; row++) {
		struct cell *from = &t->cells[row * columns], *to = &t->cells[kept * columns];

		if (compare_rows(layout, to, from)) {
			kept++;
			if (kept != row)
				memcpy(&t->cells[kept * columns], from, columns * sizeof(*from));
			continue;
		}
		for (i = 0; i < columns; i++) {
			merge_cell(&layout->columns[i], &to[i], &from[i]);
			cell_clear(&from[i], layout->columns[i].type);
		}
	}
	t->rows = kept + 1;
}

void table_shares(struct table *t)
{
	const struct layout *layout = t->layout;
	unsigned int i;
	size_t row;

	for (i = 0; i < layout->count; i++) {
		unsigned int of = layout->columns[i].share_of;
		uint64_t all = 0;

		if (!of)
			continue;
		for (row = 0; row < t->rows; row++)
			all += table_row(t, row)[of - 1].number;
		for (row = 0; row < t->rows && all; row++) {
			struct cell *cells = &t->cells[row * layout->count];

			cell_number(&cells[i], percent(cells[of - 1].number, all));
		}
	}
}

uint64_t percent(uint64_t part, uint64_t whole)
{
	return whole ? (uint64_t)(100.0 * PERCENT_UNIT * part / whole + 0.5) : 0;
}

void column_widen(struct column *column, const char *text)
{
	int width = strlen(text);

	if (width > column->width)
		column->width = width;
}
