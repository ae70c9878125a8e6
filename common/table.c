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
	unsigned int columns = t->layout->count;
	size_t i;

	for (i = 0; i < t->rows * columns; i++)
		cell_clear(&t->cells[i], t->layout->columns[i % columns].type);
	t->rows = 0;
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

void cell_dist(struct cell *c, const struct hist *dist)
{
	c->dist = or_die(malloc(sizeof(*dist)));
	*c->dist = *dist;
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
