// SPDX-License-Identifier: GPL-2.0-only
#include "functions.h"
#include "tally.h"

/* So many functions are shown in text. */
#define MOST_SHOWN 20

enum {
	SELF_PERCENT,
	TOTAL_PERCENT,
	SELF,
	TOTAL,
	FUNCTION,
	MODULE
};

static const struct column columns[] = {
	[SELF_PERCENT] = { .name = "self", .title = "self", .type = CELL_PERCENT },
	[TOTAL_PERCENT] = { .name = "total", .title = "total", .type = CELL_PERCENT },
	[SELF] = { .name = "self", .title = "self count", .type = CELL_COUNT },
	[TOTAL] = { .name = "total", .title = "total count", .type = CELL_COUNT },
	[FUNCTION] = { .name = "name", .title = "function", .type = CELL_STRING, .width = 40 },
	[MODULE] = { .name = "module", .type = CELL_STRING },
};

const struct layout functions_layout = {
	.columns = columns,
	.count = sizeof(columns) / sizeof(*columns),
	.rows_are = "functions",
	.most_shown = MOST_SHOWN,
};

/* Names and modules are kept once each: their addresses tell them apart. */
struct function {
	const char *name;
	const char *module;
};

struct weights {
	uint64_t self, total;
	size_t row; /* of the last stack that it was on, plus one */
};

static struct function function_of(const struct frame *f)
{
	return (struct function){ f->name, f->module };
}

/* Weighs the functions on the stacks of @rows. Returns what all rows add up to. */
static uint64_t weigh(const struct table *rows, struct tally *found)
{
	int stack = column_of(rows->layout, CELL_STACK), weight = column_that_adds_up(rows->layout);
	uint64_t all = 0;
	unsigned int i;
	size_t row;

	tally_init(found, sizeof(struct function), sizeof(struct weights));
	for (row = 0; row < rows->rows; row++) {
		const struct cell *cells = table_row(rows, row);
		const struct callchain *chain = cells[stack].stack;
		uint64_t number = cells[weight].number;

		if (!cells[stack].set)
			continue;
		all += number;
		for (i = 0; i < chain->frame_count; i++) {
			struct function key = function_of(&chain->frames[i]);
			struct weights *w = tally_at(found, &key);

			if (!i)
				w->self += number;
			if (w->row != row + 1)
				w->total += number;
			w->row = row + 1;
		}
	}
	return all;
}

static const char *label_of(const struct function *f)
{
	const struct frame frame = { .name = f->name, .module = f->module };

	return frame_label(&frame);
}

void functions_fill(struct table *functions, const struct table *rows)
{
	struct tally found;
	uint64_t all = weigh(rows, &found);
	size_t i;

	for (i = 0; i < found.count; i++) {
		const struct function *f = tally_key(&found, i);
		const struct weights *w = tally_value(&found, i);
		struct cell *cells = table_add(functions);

		cell_number(&cells[SELF_PERCENT], percent(w->self, all));
		cell_number(&cells[TOTAL_PERCENT], percent(w->total, all));
		cell_number(&cells[SELF], w->self);
		cell_number(&cells[TOTAL], w->total);
		cell_string(&cells[FUNCTION], label_of(f));
		if (f->module)
			cell_string(&cells[MODULE], f->module);
	}
	table_sort(functions, TOTAL);
	table_sort(functions, SELF);
	tally_clear(&found);
}

bool functions_hottest(const struct table *rows, struct functions_hottest *hottest)
{
	const struct function *name = NULL;
	struct tally found;
	size_t i;

	hottest->self = 0;
	hottest->all = weigh(rows, &found);
	for (i = 0; i < found.count; i++) {
		const struct weights *w = tally_value(&found, i);

		if (!name || w->self > hottest->self) {
			name = tally_key(&found, i);
			hottest->self = w->self;
		}
	}
	if (name)
		hottest->name = label_of(name);
	tally_clear(&found);
	return name;
}
