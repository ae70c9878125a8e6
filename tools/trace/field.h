/* SPDX-License-Identifier: GPL-2.0-only */
/* The values of events' fields in what is handed over of them. */
#ifndef TRACE_FIELD_H
#define TRACE_FIELD_H

#include <linux/types.h>
#include "abi.h"
#include "events/event.h"
#include "trace.h"
#include "writer.h"

/* Where a field's value is. */
struct field {
	const struct event_field *of;
	int value; /* the number of the extra value that it is; -1: it is in the data */
	int text;  /* the same of the string that it points to; -1: there is none */
};

/* An event's parts. */
struct field_data {
	const char *data;
	size_t size;
	const struct trace_extras *extras; /* NULL: there are none */
};

/* Writes the value as text or as JSON. */
void field_write(const struct field *f, struct writer *w, const struct field_data *from, bool json);

#endif
