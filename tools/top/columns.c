// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include "columns.h"
#include "events/kind.h"
#include "say.h"

static const enum slot value_slots[MOST_EVENT_COLUMNS] = {
	SLOT_VALUE,
	SLOT_VALUE2,
	SLOT_VALUE3,
	SLOT_VALUE4,
};

static bool is_value(const struct spec_attr *attr)
{
	return attr->id == ATTR_TOP_BY || attr->id == ATTR_TOP_ADD;
}

/* Members of a row that are no sums. */
static bool is_taken(const struct sum_columns *c, const char *name)
{
	unsigned int i;

	if (!strcmp(name, "key") || !strcmp(name, "name"))
		return true;
	for (i = 0; i < c->count; i++) {
		if (!strcmp(c->column[i].name, name))
			return true;
	}
	return false;
}

/* A name that no other column has: what is wanted, and if need be with its event, and a number. */
static char *name_for(const struct sum_columns *c, const char *wanted, const char *event)
{
	char *name = event_text("%s", wanted), *plain;
	unsigned int number = c->count + 1;

	if (is_taken(c, name) && strcmp(wanted, event)) {
		free(name);
		name = event_text("%s %s", event, wanted);
	}
	if (!is_taken(c, name))
		return name;
	plain = name;
	name = event_text("%s %u", plain, number);
	while (is_taken(c, name)) {
		free(name);
		name = event_text("%s %u", plain, ++number);
	}
	free(plain);
	return name;
}

static int refuse(const struct spec *spec, const char *why)
{
	say_error("%s: %s", spec->text, why);
	return EXIT_USAGE;
}

/* Adds column @nth of @spec, for @value, NULL: for the events themselves. Returns an exit status. */
static int add(struct sum_columns *c, const struct spec *spec, unsigned int nth,
	       const struct spec_attr *value)
{
	const struct spec_attr *alias = spec_attr(spec, ATTR_ALIAS, nth);
	const char *name = alias ? alias->value : value ? value->value : spec->text;

	if (nth == MOST_EVENT_COLUMNS)
		return refuse(spec, "it has more than four of top-by= and top-add=");
	if (c->count == MOST_COLUMNS)
		return refuse(spec, "there is no room for it: a table has 64 columns at most");
	c->column[c->count] = (struct sum_column){
		.expression = value ? value->value : NULL,
		.name = name_for(c, name, spec->text),
		.sorts = value && value->id == ATTR_TOP_BY,
	};
	c->count++;
	return EXIT_DONE;
}

static int add_spec(struct sum_columns *c, const struct spec *spec)
{
	unsigned int i, nth = 0;
	int status = EXIT_DONE;

	for (i = 0; i < spec->attr_count && !status; i++) {
		if (is_value(&spec->attrs[i]))
			status = add(c, spec, nth++, &spec->attrs[i]);
	}
	if (!nth)
		status = add(c, spec, nth++, NULL);
	if (!status && spec_attr(spec, ATTR_ALIAS, nth))
		return refuse(spec, "it has more of alias= than columns");
	return status;
}

int columns_read(struct sum_columns *c, const struct spec_list *specs)
{
	unsigned int i;
	int status = EXIT_DONE;

	c->specs = specs;
	c->first = event_have(calloc(specs->count + 1, sizeof(*c->first)));
	for (i = 0; i < specs->count && !status; i++) {
		c->first[i] = c->count;
		status = add_spec(c, &specs->specs[i]);
	}
	c->first[i] = c->count;
	return status;
}

void columns_free(struct sum_columns *c)
{
	while (c->count)
		free(c->column[--c->count].name);
	free(c->first);
	c->first = NULL;
}

int columns_fill(struct sum_columns *c, struct engine_event *event)
{
	size_t number = event->spec - c->specs->specs;
	unsigned int first = c->first[number], count = c->first[number + 1] - first, i;
	int status = EXIT_DONE;

	event->slots.value[SLOT_UNIT] = TOP_COLUMNS(first, count);
	for (i = 0; i < count && !status; i++) {
		struct sum_column *column = &c->column[first + i];
		enum slot slot = value_slots[i];

		if (column->expression) {
			status = engine_compile(event, column->expression, slot, SLOTS);
			if (!status && event->types[slot].is_signed) {
				column->is_signed = true;
				event->slots.value[SLOT_UNIT] |= TOP_SIGNED(i);
			}
		} else {
			event->slots.value[slot] = 1;
		}
	}
	return status;
}

static __int128 whole(const struct top_sum *sum)
{
	return ((__int128)(int64_t)sum->high << 32) + sum->low;
}

bool column_sum(const struct sum_column *column, const struct top_sum *sum, uint64_t *value)
{
	__int128 all = whole(sum);

	*value = all;
	return column->is_signed ? all == (int64_t)all : all == (uint64_t)all;
}

int columns_compare(const struct sum_columns *c, const struct top_sum *a, const struct top_sum *b)
{
	unsigned int i;
	int order = 0, sorts;

	for (sorts = 1; sorts >= 0; sorts--) {
		for (i = 0; i < c->count && !order; i++) {
			if (c->column[i].sorts == sorts)
				order = (whole(&a[i]) < whole(&b[i])) -
					(whole(&a[i]) > whole(&b[i]));
		}
	}
	return order;
}
