// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reports as text: single events a line each, then a table a report, and below the table of a
 * single row the picture of its distribution.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "clock.h"
#include "quantity.h"
#include "report.h"
#include "utf8.h"

#define TEXT_LEN 128

/* At most this many lines for a distribution, if halving its resolution gets there. */
#define HIST_LINES 24
#define BAR_WIDTH  40

static const char *title(const struct column *column)
{
	return column->title ? column->title : column->name;
}

/* Pads to @width characters, of which @used are there; @left: the text stands on the left. */
static void put(FILE *file, const char *text, size_t used, int width, bool left)
{
	int pad = width > (int)used ? width - (int)used : 0;

	fprintf(file, "%*s%s%*s", left ? 0 : pad, "", text, left ? pad : 0, "");
}

/* A name that can be shown; one that is too long is seen to be cut off. */
static size_t string_text(char *buf, const char *text)
{
	size_t characters = utf8_clean(buf, TEXT_LEN - 3, text, true);

	if (strlen(text) < TEXT_LEN - 3)
		return characters;
	strcat(buf, "...");
	return characters + 3;
}

/* The text of a cell with one value; returns its number of characters. */
static size_t cell_text(char *buf, const struct column *column, const struct cell *c)
{
	if (!c->set) {
		strcpy(buf, "-");
		return 1;
	}
	switch (column->type) {
	case CELL_STRING:
		return string_text(buf, c->string);
	case CELL_ID:
		snprintf(buf, TEXT_LEN, "%" PRIu64, c->number);
		break;
	case CELL_SIGNED_ID:
		snprintf(buf, TEXT_LEN, "%" PRId64, (int64_t)c->number);
		break;
	case CELL_COUNT:
		format_count(buf, c->number);
		break;
	case CELL_NUMBER:
		format_number(buf, c->number);
		break;
	case CELL_DURATION:
		format_time(buf, c->number);
		break;
	case CELL_SIZE:
		format_size(buf, c->number);
		break;
	case CELL_TIME:
		clock_local(buf, c->number);
		break;
	case CELL_PERCENT:
		snprintf(buf, TEXT_LEN, "%.2f %%", (double)c->number / PERCENT_UNIT);
		break;
	case CELL_RATIO:
		snprintf(buf, TEXT_LEN, "%.3f", (double)c->number / RATIO_UNIT);
		break;
	case CELL_FLAG:
		strcpy(buf, c->number ? "yes" : "no");
		break;
	case CELL_ADDRESS:
		snprintf(buf, TEXT_LEN, "0x%" PRIx64, c->number);
		break;
	default:
		buf[0] = 0;
	}
	return strlen(buf);
}

/* How wide a column's cells are, if they are not wider than usual. */
static int usual_width(enum cell_type type)
{
	switch (type) {
	case CELL_STRING:
		return COMM_LEN - 1;
	case CELL_ID:
	case CELL_SIGNED_ID:
		return 7;
	case CELL_TIME:
		return 15;
	case CELL_DURATION:
	case CELL_SIZE:
	case CELL_PERCENT:
		return 9;
	case CELL_ADDRESS:
		return 18;
	default:
		return 11;
	}
}

static bool on_left(const struct column *column)
{
	enum cell_type type = column->type;

	return !column->right && (type == CELL_STRING || type == CELL_TIME || type == CELL_TABLE);
}

/* Nothing is shown below a row without its column being so; stacks always are. */
static bool is_below(const struct column *column)
{
	return column->below || column->type == CELL_STACK;
}

/* The optional columns of a layout that no row of the table at hand has: bits. */
static struct {
	const struct layout *layout;
	uint64_t columns;
} left_out;

static bool is_left_out(const struct layout *layout, unsigned int i)
{
	return layout == left_out.layout && i < 64 && left_out.columns >> i & 1;
}

/* Is column @i of the line of a row? */
static bool in_line(const struct layout *layout, unsigned int i)
{
	return !is_below(&layout->columns[i]) && !is_left_out(layout, i) &&
	       layout->columns[i].shown != SHOWN_IN_JSON;
}

static void leave_out(const struct table *t)
{
	unsigned int i;
	size_t row;

	left_out.layout = t->layout;
	left_out.columns = 0;
	for (i = 0; i < t->layout->count && i < 64; i++) {
		if (!t->layout->columns[i].optional)
			continue;
		for (row = 0; row < t->rows && !table_row(t, row)[i].set; row++)
			;
		if (row == t->rows)
			left_out.columns |= 1ULL << i;
	}
}

/* The width of column @i; nothing is padded at the end of a line. */
static int width(const struct layout *layout, unsigned int i)
{
	const struct column *column = &layout->columns[i];
	bool last = i == layout->count - 1 || is_below(&layout->columns[i + 1]);

	if (last && on_left(column))
		return 0;
	return column->width ? column->width : usual_width(column->type);
}

static void bold(struct output *out, bool on)
{
	if (out->colour)
		fputs(on ? "\033[1m" : "\033[0m", out->file);
}

/* What a distribution shows in a table. */
#define STATISTICS 8

static const char *const statistic_titles[STATISTICS] = { "count", "sum", "min", "avg",
							  "p50",   "p95", "p99", "max" };

static const double percents[] = { 50, 95, 99 };

/* Statistic @which of durations. */
static const char *duration_text(char *buf, const struct hist *h, unsigned int which)
{
	switch (which) {
	case 1:
		return format_time(buf, h->sum);
	case 2:
		return format_time(buf, h->min);
	case 3:
		return format_time(buf, hist_average(h));
	case 7:
		return format_time(buf, h->max);
	default:
		return format_time(buf, hist_percentile(h, percents[which - 4]));
	}
}

/* Statistic @which of numbers. */
static uint64_t number_statistic(const struct numbers *n, unsigned int which)
{
	switch (which) {
	case 1:
		return n->sum;
	case 2:
		return n->min;
	case 3:
		return numbers_average(n);
	case 7:
		return n->max;
	default:
		return numbers_percentile(n, percents[which - 4]);
	}
}

static const char *number_text(char *buf, const struct numbers *n, uint64_t number)
{
	return n->is_signed ? format_number(buf, number) : format_count(buf, number);
}

static bool is_dist(const struct column *column)
{
	return column->type == CELL_DIST || column->type == CELL_NUMBERS;
}

/* Statistic @which of the distribution in @c, which need not be set. */
static void statistic_text(char *buf, const struct column *column, const struct cell *c,
			   unsigned int which)
{
	bool numbers = column->type == CELL_NUMBERS;
	uint64_t count = !c->set ? 0 : numbers ? c->numbers->count : c->dist->count;

	if (!c->set || (which > 1 && !count) ||
	    (numbers && (which == 1 || which == 3) && !numbers_sum_fits(c->numbers)))
		strcpy(buf, "-");
	else if (which == 0)
		format_count(buf, count);
	else if (numbers)
		number_text(buf, c->numbers, number_statistic(c->numbers, which));
	else
		duration_text(buf, c->dist, which);
}

/* How wide the statistics' columns are: as wide as usual, or as the table at hand needs them. */
static int dist_width[STATISTICS] = { 11, 9, 9, 9, 9, 9, 9, 9 };

static void measure(const struct table *t)
{
	char buf[TEXT_LEN];
	unsigned int i, s;
	size_t row;

	for (s = 0; s < STATISTICS; s++)
		dist_width[s] = s ? 9 : 11;
	for (row = 0; row < t->rows; row++) {
		for (i = 0; i < t->layout->count; i++) {
			if (!is_dist(&t->layout->columns[i]) || !table_row(t, row)[i].set)
				continue;
			for (s = 0; s < STATISTICS; s++) {
				statistic_text(buf, &t->layout->columns[i], &table_row(t, row)[i],
					       s);
				if ((int)strlen(buf) > dist_width[s])
					dist_width[s] = strlen(buf);
			}
		}
	}
}

static void put_head(struct output *out, const struct layout *layout)
{
	char buf[TEXT_LEN];
	unsigned int i, s;
	size_t used;

	bold(out, true);
	for (i = 0; i < layout->count; i++) {
		const struct column *column = &layout->columns[i];

		if (!in_line(layout, i))
			continue;
		if (i)
			fputs("  ", out->file);
		if (is_dist(column)) {
			for (s = 0; s < STATISTICS; s++)
				fprintf(out->file, "%s%*s", s ? "  " : "", dist_width[s],
					statistic_titles[s]);
		} else {
			used = string_text(buf, title(column));
			put(out->file, buf, used, width(layout, i), on_left(column));
		}
	}
	bold(out, false);
	fputc('\n', out->file);
}

/* The rows of a cell's table, one behind the other. */
static void put_inline(FILE *file, const struct table *t)
{
	char buf[TEXT_LEN];
	unsigned int i;
	size_t row;

	for (row = 0; row < t->rows; row++) {
		for (i = 0; i < t->layout->count; i++) {
			const struct cell *c = &table_row(t, row)[i];

			if (!c->set)
				continue;
			cell_text(buf, &t->layout->columns[i], c);
			fprintf(file, "%s%s", i ? " " : row ? ", " : "", buf);
		}
	}
}

static void put_row(struct output *out, const struct layout *layout, const struct cell *row)
{
	char buf[TEXT_LEN];
	unsigned int i, s;
	size_t used;

	for (i = 0; i < layout->count; i++) {
		const struct column *column = &layout->columns[i];

		if (!in_line(layout, i))
			continue;
		if (i)
			fputs("  ", out->file);
		switch (column->type) {
		case CELL_DIST:
		case CELL_NUMBERS:
			for (s = 0; s < STATISTICS; s++) {
				statistic_text(buf, column, &row[i], s);
				fprintf(out->file, "%s%*s", s ? "  " : "", dist_width[s], buf);
			}
			break;
		case CELL_TABLE:
			if (row[i].set)
				put_inline(out->file, row[i].table);
			break;
		default:
			used = cell_text(buf, column, &row[i]);
			put(out->file, buf, used, width(layout, i), on_left(column));
		}
	}
	fputc('\n', out->file);
}

/* A bar of @share (0 to 1) of BAR_WIDTH; what is there at all is seen. */
static void put_bar(FILE *file, double share)
{
	int length = share * BAR_WIDTH + 0.5;

	if (!length && share > 0)
		length = 1;
	if (length)
		fputs("  ", file);
	while (length--)
		fputc('#', file);
}

/* What a distribution's picture is drawn from. */
struct drawing {
	const __u64 *bucket;
	unsigned int buckets;
	const struct numbers *numbers; /* NULL: these are durations */
};

/* What the buckets that share line @i hold. */
static uint64_t group_count(const struct drawing *d, unsigned int i, unsigned int group)
{
	uint64_t count = 0;
	unsigned int b;

	for (b = i * group; b < (i + 1) * group && b < d->buckets; b++)
		count += d->bucket[b];
	return count;
}

/* The bounds of the buckets from @first to @last; @lo and @hi have TEXT_LEN bytes. */
static void range_text(const struct drawing *d, unsigned int first, unsigned int last, char *lo,
		       char *hi)
{
	uint64_t least, beyond, end;

	if (last >= d->buckets)
		last = d->buckets - 1;
	if (d->numbers) {
		numbers_bounds(first, &least, &end);
		numbers_bounds(last, &end, &beyond);
		number_text(lo, d->numbers, least);
		number_text(hi, d->numbers, beyond);
		if (!beyond && last >= NUMBERS_ZERO)
			strcpy(hi, "more");
		return;
	}
	hist_bounds(first, &least, &end);
	hist_bounds(last, &end, &beyond);
	format_bound(lo, least);
	if (beyond == UINT64_MAX)
		strcpy(hi, "more");
	else
		format_bound(hi, beyond);
}

/*
 * The picture of a distribution: neighbouring buckets share a line, as many as keep it short, but never
 * more than a power of two, unless there is only room for @most_lines.
 */
static void put_hist(struct output *out, const struct drawing *d, unsigned int most_lines)
{
	unsigned int first = 0, last = d->buckets - 1, group = 1, i, b;
	char lo[TEXT_LEN], hi[TEXT_LEN], count_text[QUANTITY_LEN];
	uint64_t most = 0, count;

	while (first < last && !d->bucket[first])
		first++;
	while (last > first && !d->bucket[last])
		last--;
	while ((group < HIST_SUB || most_lines < HIST_LINES) &&
	       last / group - first / group + 1 > most_lines)
		group *= 2;
	for (i = first / group; i <= last / group; i++) {
		count = group_count(d, i, group);
		if (count > most)
			most = count;
	}

	fputc('\n', out->file);
	bold(out, true);
	fprintf(out->file, "%24s  %11s  %s", "range", "count", "distribution");
	bold(out, false);
	fputc('\n', out->file);
	for (i = first / group; i <= last / group; i++) {
		count = group_count(d, i, group);
		/* A long stretch of nothing is one line. */
		for (b = i; !count && b < last / group && !group_count(d, b, group); b++)
			;
		if (!count && b - i > 2) {
			fprintf(out->file, "%24s\n", "...");
			i = b - 1;
			continue;
		}
		range_text(d, i * group, (i + 1) * group - 1, lo, hi);
		fprintf(out->file, "%10s .. %10s  %11s", lo, hi, format_count(count_text, count));
		put_bar(out->file, most ? (double)count / most : 0);
		fputc('\n', out->file);
	}
}

/* The rows of a cell's table, a line each, @lines at most. */
static void put_below(struct output *out, const struct table *t, size_t lines)
{
	size_t row;

	for (row = 0; row < t->rows && row < lines; row++) {
		fputs("    ", out->file);
		put_row(out, t->layout, table_row(t, row));
	}
}

/* Prints @text as it can be shown; one that is too long is seen to be cut off. */
static void put_name(FILE *file, const char *text)
{
	char clean[8 * TEXT_LEN];

	utf8_clean(clean, sizeof(clean), text, true);
	fprintf(file, "%s%s", clean, strlen(text) >= sizeof(clean) ? "..." : "");
}

/* A stack's frames, a line each, @lines at most. */
static void put_stack(FILE *file, const struct callchain *chain, size_t lines)
{
	unsigned int i;

	for (i = 0; i < chain->frame_count && i < lines; i++) {
		const struct frame *f = &chain->frames[i];

		fputs("        ", file);
		if (f->name)
			put_name(file, f->name);
		else
			fprintf(file, "0x%" PRIx64, f->addr);
		if (f->name && !f->inlined && f->addr)
			fprintf(file, "+0x%" PRIx64, f->offset);
		if (f->module) {
			fputs(f->module[0] == '[' ? " " : " (", file);
			put_name(file, f->module);
			fputs(f->module[0] == '[' ? "" : ")", file);
		}
		if (f->inlined)
			fputs(" inlined", file);
		if (f->file) {
			fputc(' ', file);
			put_name(file, f->file);
			fprintf(file, ":%u", f->line);
		}
		fputc('\n', file);
	}
}

/* How many lines what is shown below a row takes. */
static size_t lines_below(const struct layout *layout, const struct cell *cells)
{
	size_t lines = 0;
	unsigned int i;

	for (i = 0; i < layout->count; i++) {
		if (!is_below(&layout->columns[i]) || !cells[i].set)
			continue;
		lines += layout->columns[i].type == CELL_STACK ? cells[i].stack->frame_count
							       : cells[i].table->rows;
	}
	return lines;
}

/* What is shown below a row; of each column @lines at most. */
static void put_rest(struct output *out, const struct layout *layout, const struct cell *cells,
		     size_t lines)
{
	unsigned int i;

	for (i = 0; i < layout->count; i++) {
		if (!is_below(&layout->columns[i]) || !cells[i].set)
			continue;
		if (layout->columns[i].type == CELL_STACK)
			put_stack(out->file, cells[i].stack, lines);
		else
			put_below(out, cells[i].table, lines);
	}
}

static bool show_events(struct output *out, const struct table *events)
{
	const struct layout *layout = events->layout;
	size_t row;

	if (!out->head_printed)
		put_head(out, layout);
	out->head_printed = true;
	for (row = 0; row < events->rows; row++) {
		const struct cell *cells = table_row(events, row);

		put_row(out, layout, cells);
		put_rest(out, layout, cells, SIZE_MAX);
	}
	return true;
}

/* Lines on the terminal, or SIZE_MAX where there is none. */
static size_t terminal_lines(struct output *out)
{
	struct winsize size;

	if (!out->terminal || ioctl(out->fd, TIOCGWINSZ, &size) || !size.ws_row)
		return SIZE_MAX;
	return size.ws_row;
}

/* Is there a single row, with a distribution that is not empty? Then it is in @d. */
static bool single_dist(const struct table *rows, struct drawing *d)
{
	unsigned int i;

	for (i = 0; rows->rows == 1 && i < rows->layout->count; i++) {
		const struct cell *c = &table_row(rows, 0)[i];
		enum cell_type type = rows->layout->columns[i].type;

		if (!c->set)
			continue;
		if (type == CELL_DIST && c->dist->count) {
			*d = (struct drawing){ c->dist->bucket, HIST_BUCKETS, NULL };
			return true;
		}
		if (type == CELL_NUMBERS && c->numbers->count) {
			*d = (struct drawing){ c->numbers->bucket, NUMBERS_BUCKETS, c->numbers };
			return true;
		}
	}
	return false;
}

/* The lines of a report above its rows, and those around a picture's ranges. */
#define LINES_ABOVE   2
#define PICTURE_LINES (LINES_ABOVE + 1 + 4)

/* What holds for all rows: each number before its title, or where that has a %. */
static void put_about(FILE *file, const struct table *about)
{
	const char *in_place;
	char buf[TEXT_LEN];
	unsigned int i;

	for (i = 0; about->rows && i < about->layout->count; i++) {
		const struct cell *c = &table_row(about, 0)[i];
		const struct column *column = &about->layout->columns[i];

		if (!c->set)
			continue;
		cell_text(buf, column, c);
		in_place = strchr(title(column), '%');
		if (in_place)
			fprintf(file, "%s%.*s%s%s", *title(column) == ' ' ? "" : ", ",
				(int)(in_place - title(column)), title(column), buf, in_place + 1);
		else
			fprintf(file, "%s%s%s%s", i ? ", " : ": ", buf, *title(column) ? " " : "",
				title(column));
	}
}

/* A table's rows: as many as it shows, and as there are @lines for, its head among them. */
static void put_table(struct output *out, const struct table *t, size_t lines)
{
	const struct layout *layout = t->layout;
	size_t shown = t->rows, row;

	/* The head, and what tells of rows that are left out. */
	lines = lines > 2 ? lines - 2 : 0;
	if (layout->most_shown && shown > layout->most_shown)
		shown = layout->most_shown;
	measure(t);
	leave_out(t);
	put_head(out, layout);
	for (row = 0; row < shown; row++) {
		size_t rest = lines_below(layout, table_row(t, row));

		/* One row at least; of a stack that is longer than the screen, what fits. */
		if (row && (!lines || rest > lines - 1))
			break;
		put_row(out, layout, table_row(t, row));
		lines = lines ? lines - 1 : 0;
		if (rest > lines)
			rest = lines;
		put_rest(out, layout, table_row(t, row), rest);
		lines -= rest;
	}
	shown = row;
	if (shown < t->rows)
		fprintf(out->file, "... %zu more %s; %s\n", t->rows - shown,
			layout->rows_are ? layout->rows_are : "rows",
			layout->most_shown ? "--json has them all"
					   : "-o FILE or a pipe takes them all");
}

static void render(struct output *out, const struct report *report)
{
	struct drawing drawing;
	char when[CLOCK_LEN], length[QUANTITY_LEN];
	size_t lines = SIZE_MAX, room;

	if (out->refresh) {
		lines = terminal_lines(out);
		fputs("\033[H\033[2J", out->file);
	} else if (out->reported || out->head_printed) {
		fputc('\n', out->file);
	}
	out->reported = true;
	out->head_printed = false;

	fprintf(out->file, "%s  %s, the last %s", clock_local(when, report->time), report->tool,
		format_time(length, report->elapsed_ns));
	put_about(out->file, &report->about);
	fputc('\n', out->file);
	room = lines > LINES_ABOVE ? lines - LINES_ABOVE : 0;
	if (report->functions.layout) {
		put_table(out, &report->functions, room);
		/* Stacks take more lines than a screen has. */
		if (report->only_functions || out->refresh)
			return;
		fputc('\n', out->file);
	}
	put_table(out, &report->rows, room);
	if (lines > PICTURE_LINES + 1 && single_dist(&report->rows, &drawing))
		put_hist(out, &drawing,
			 lines - PICTURE_LINES < HIST_LINES ? lines - PICTURE_LINES : HIST_LINES);
}

const struct renderer text_renderer = { .events = show_events, .report = render };
