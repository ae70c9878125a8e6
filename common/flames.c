// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "flames.h"
#include "picture.h"
#include "quantity.h"
#include "say.h"

/* How the folded stacks' kernel frames end. */
#define KERNEL_MARK "_[k]"

struct flames {
	const char *path;
	bool stamped;
	struct flamegraph_opts look;
	struct flamegraph *all;
	FILE *folded;
	bool latest;   /* only the last report counts */
	bool begun;    /* what was in the folded file is gone */
	uint64_t last; /* the second of the last stamp, and how many there have been in it */
	unsigned int again;
};

int flames_add_rows(struct flamegraph *graph, const struct table *rows, bool bytes)
{
	const struct layout *layout = rows->layout;
	int stack = column_of(layout, CELL_STACK), weight = column_that_adds_up(layout), comm = -1;
	const char **names = NULL;
	size_t room = 0, row, n;
	char *text = NULL, *at;
	unsigned int i;
	int err = 0;

	for (i = 0; i < layout->count; i++) {
		if (!strcmp(layout->columns[i].name, "comm"))
			comm = i;
		if (bytes && layout->columns[i].type == CELL_SIZE && layout->columns[i].adds_up)
			weight = i;
	}
	for (row = 0; row < rows->rows && !err; row++) {
		const struct cell *cells = table_row(rows, row);
		const struct callchain *chain = cells[stack].stack;
		size_t size = 0;

		if (!cells[stack].set)
			continue;
		if (chain->frame_count + layout->count > room) {
			room = 2 * (chain->frame_count + layout->count);
			free(names);
			names = malloc(room * sizeof(*names));
			if (!names)
				return -ENOMEM;
		}
		for (i = 0; i < chain->frame_count; i++)
			size += strlen(frame_label(&chain->frames[i])) + sizeof(KERNEL_MARK);
		at = text = malloc(size + 1);
		if (!text)
			err = -ENOMEM;
		n = 0;
		if (comm >= 0 && cells[comm].set)
			names[n++] = *cells[comm].string ? cells[comm].string : "[no name]";
		for (i = 0; i < layout->count; i++) {
			if (layout->columns[i].level && cells[i].set)
				names[n++] = cells[i].string;
		}
		for (i = chain->frame_count; !err && i-- > 0; n++) {
			const struct frame *f = &chain->frames[i];

			names[n] = at;
			at = stpcpy(at, frame_label(f));
			at = stpcpy(at, f->kernel ? KERNEL_MARK : "") + 1;
		}
		if (!err && n)
			err = flamegraph_add(graph, names, n, cells[weight].number);
		free(text);
	}
	free(names);
	return err;
}

struct flames *flames_new(const char *path, const struct flamegraph_opts *look, bool stamped,
			  bool latest)
{
	char name[PATH_MAX];
	struct flames *f;

	if (picture_check(path, ".svg"))
		return NULL;
	f = calloc(1, sizeof(*f));
	if (f)
		f->all = flamegraph_new(look);
	if (!f || !f->all) {
		free(f);
		say_error("out of memory for the flame graph");
		return NULL;
	}
	f->path = path;
	f->look = *look;
	f->stamped = stamped;
	f->latest = latest;
	/* What is there is emptied when the first stacks come. */
	snprintf(name, sizeof(name), "%s.folded", path);
	f->folded = fopen(name, "ae");
	if (f->folded)
		return f;
	say_error("cannot write %s: %s", name, strerror(errno));
	flames_free(f);
	return NULL;
}

void flames_free(struct flames *f)
{
	if (!f)
		return;
	if (f->folded)
		fclose(f->folded);
	flamegraph_free(f->all);
	free(f);
}

static int write_svg(void *graph, FILE *file)
{
	return flamegraph_write_svg(graph, file);
}

/* Writes folded stacks at once: somebody may look at them while the unit goes on. */
static int write_folded(struct flames *f, struct flamegraph *graph, const char *stamp)
{
	int err = flamegraph_write_folded(graph, f->folded, stamp);

	if (!err && fflush(f->folded))
		err = -errno;
	if (err)
		say_error("cannot write %s.folded: %s", f->path, strerror(-err));
	return err;
}

/* Several intervals of one second are told apart by a number. */
static void write_stamps(struct flames *f, uint64_t began, char *stamp, size_t stamp_size,
			 char *suffix, size_t suffix_size)
{
	time_t second = began / NSEC_PER_SEC;
	struct tm tm;
	size_t used;

	localtime_r(&second, &tm);
	/* A clock that was put back may come to a second again. */
	if ((uint64_t)second <= f->last) {
		f->again++;
	} else {
		f->last = second;
		f->again = 0;
	}
	used = strftime(stamp, stamp_size, "%Y-%m-%d %H:%M:%S", &tm);
	if (f->again)
		snprintf(stamp + used, stamp_size - used, ".%03u",
			 (unsigned int)(began / NSEC_PER_MSEC % 1000));
	used = strftime(suffix, suffix_size, "-%Y%m%d_%H%M%S", &tm);
	if (f->again)
		used += snprintf(suffix + used, suffix_size - used, "_%u", f->again);
	snprintf(suffix + used, suffix_size - used, ".svg");
}

/* An interval's own graph. */
static int add_interval(struct flames *f, const struct table *rows, uint64_t began)
{
	char stamp[40], suffix[60], subtitle[400];
	struct flamegraph_opts look = f->look;
	struct flamegraph *graph;
	int err;

	write_stamps(f, began, stamp, sizeof(stamp), suffix, sizeof(suffix));
	snprintf(subtitle, sizeof(subtitle), "%s%sfrom %s",
		 f->look.subtitle ? f->look.subtitle : "", f->look.subtitle ? ", " : "", stamp);
	look.subtitle = subtitle;
	graph = flamegraph_new(&look);
	err = graph ? flames_add_rows(graph, rows, f->look.value == FLAMEGRAPH_BYTES) : -ENOMEM;
	if (err)
		say_error("cannot make a flame graph: %s", strerror(-err));
	if (!err)
		err = write_folded(f, graph, stamp);
	if (!err) {
		err = picture_write(f->path, suffix, write_svg, graph);
		if (err)
			picture_failed(f->path, suffix, err);
	}
	flamegraph_free(graph);
	return err;
}

/* What was in the folded file goes; what is no regular file has nothing to lose. */
static void begin(struct flames *f)
{
	if (!f->begun && ftruncate(fileno(f->folded), 0))
		errno = 0;
	f->begun = true;
}

int flames_add(struct flames *f, const struct table *rows, uint64_t began)
{
	int err;

	begin(f);
	if (f->latest) {
		flamegraph_free(f->all);
		f->all = flamegraph_new(&f->look);
	}
	err = f->all ? flames_add_rows(f->all, rows, f->look.value == FLAMEGRAPH_BYTES) : -ENOMEM;
	if (err)
		say_error("cannot add to the flame graph: %s", strerror(-err));
	if (err)
		return err;
	return f->stamped && rows->rows ? add_interval(f, rows, began) : 0;
}

int flames_finish(struct flames *f)
{
	int err;

	begin(f);
	err = f->stamped ? 0 : write_folded(f, f->all, NULL);
	if (err)
		return err;
	err = picture_write(f->path, ".svg", write_svg, f->all);
	return err ? picture_failed(f->path, ".svg", err) : 0;
}
