// SPDX-License-Identifier: GPL-2.0-only
/*
 * Heat maps; see heatmap.h.
 *
 * The model has a row for each range of durations that ever occurred, ordered by the range, and
 * in it a count for each column. The picture has fewer and larger cells: its columns are merged
 * until they are wide enough to point at, and its rows are laid on a grid of a power of two
 * divided linearly, as histograms are, as fine as there is room for.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "clock.h"
#include "heatmap.h"
#include "quantity.h"
#include "svg.h"

#define MAX_TIME (1ull << 61)

struct row {
	uint64_t lo, hi;
	uint64_t *counts; /* max_columns of them */
};

struct heatmap {
	char *title, *subtitle, *unit;
	uint64_t start; /* ns since the epoch */
	uint64_t column_ns;
	size_t max_columns;
	size_t columns; /* up to the last that is not empty */
	struct row *rows;
	size_t n_rows, cap_rows;
	uint64_t total;
};

struct heatmap *heatmap_new(const struct heatmap_opts *opts)
{
	struct heatmap *hm;

	if (!opts->column_ns || opts->column_ns > MAX_TIME)
		return NULL;
	hm = calloc(1, sizeof(*hm));
	if (!hm)
		return NULL;
	hm->title = svg_clean_dup(opts->title ? opts->title : "Heat map");
	hm->subtitle = svg_clean_dup(opts->subtitle);
	hm->unit = svg_clean_dup(opts->unit ? opts->unit : "events");
	hm->start = opts->start;
	hm->column_ns = opts->column_ns;
	hm->max_columns = opts->max_columns ? opts->max_columns : HEATMAP_COLUMNS;
	hm->max_columns += hm->max_columns % 2;
	if (!hm->title || !hm->subtitle || !hm->unit) {
		heatmap_free(hm);
		return NULL;
	}
	return hm;
}

void heatmap_free(struct heatmap *hm)
{
	size_t i;

	if (!hm)
		return;
	for (i = 0; i < hm->n_rows; i++)
		free(hm->rows[i].counts);
	free(hm->rows);
	free(hm->title);
	free(hm->subtitle);
	free(hm->unit);
	free(hm);
}

/* Halves the columns in use; each is then twice as long. */
static void merge_columns(struct heatmap *hm)
{
	size_t half = hm->max_columns / 2, r, c;

	for (r = 0; r < hm->n_rows; r++) {
		uint64_t *counts = hm->rows[r].counts;

		for (c = 0; c < half; c++)
			counts[c] = counts[2 * c] + counts[2 * c + 1];
		memset(counts + half, 0, half * sizeof(*counts));
	}
	hm->columns = (hm->columns + 1) / 2;
	hm->column_ns *= 2;
}

/* The row of [@lo, @hi), a new one if need be. */
static int find_row(struct heatmap *hm, uint64_t lo, uint64_t hi, struct row **row)
{
	size_t from = 0, to = hm->n_rows;
	uint64_t *counts;

	while (from < to) {
		size_t mid = (from + to) / 2;

		*row = &hm->rows[mid];
		if ((*row)->lo == lo && (*row)->hi == hi)
			return 0;
		if ((*row)->lo < lo || ((*row)->lo == lo && (*row)->hi < hi))
			from = mid + 1;
		else
			to = mid;
	}
	if (hm->n_rows == HEATMAP_RANGES)
		return -ENOSPC;
	if (hm->n_rows == hm->cap_rows) {
		size_t cap = hm->cap_rows ? 2 * hm->cap_rows : 64;
		struct row *rows = realloc(hm->rows, cap * sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		hm->rows = rows;
		hm->cap_rows = cap;
	}
	counts = calloc(hm->max_columns, sizeof(*counts));
	if (!counts)
		return -ENOMEM;
	*row = &hm->rows[from];
	memmove(*row + 1, *row, (hm->n_rows - from) * sizeof(**row));
	**row = (struct row){ lo, hi, counts };
	hm->n_rows++;
	return 0;
}

int heatmap_add(struct heatmap *hm, uint64_t time_ns, uint64_t lo_ns, uint64_t hi_ns,
		uint64_t count)
{
	struct row *row;
	uint64_t sum;
	size_t column;
	int err;

	if (lo_ns >= hi_ns || time_ns > MAX_TIME)
		return -EINVAL;
	if (!count)
		return 0;
	/* No cell has more than the whole, nor has a merged one. */
	if (__builtin_add_overflow(hm->total, count, &sum))
		return -EOVERFLOW;
	err = find_row(hm, lo_ns, hi_ns, &row);
	if (err)
		return err;
	while (time_ns / hm->column_ns >= hm->max_columns)
		merge_columns(hm);
	column = time_ns / hm->column_ns;
	row->counts[column] += count;
	hm->total = sum;
	if (column >= hm->columns)
		hm->columns = column + 1;
	return 0;
}

static void local(uint64_t wall, struct tm *tm)
{
	time_t seconds = wall / NSEC_PER_SEC;

	localtime_r(&seconds, tm);
}

/*
 * The local time at @time_ns since the start, as short as @sharpness_ns allows: the time of day,
 * without seconds or with their fractions; in a run of more than a day, with the date.
 */
static char *clock_time(const struct heatmap *hm, uint64_t time_ns, uint64_t sharpness_ns,
			char *buf, size_t size)
{
	uint64_t wall = hm->start + time_ns, ns = wall % NSEC_PER_SEC;
	bool dated = hm->columns * hm->column_ns >= 24 * 3600 * NSEC_PER_SEC;
	struct tm tm = { 0 };
	size_t len;

	local(wall, &tm);
	len = strftime(buf, size, dated ? "%m-%d %H:%M" : "%H:%M", &tm);
	if (sharpness_ns % (60 * NSEC_PER_SEC))
		len += strftime(buf + len, size - len, ":%S", &tm);
	if (sharpness_ns % NSEC_PER_SEC) {
		int digits = sharpness_ns % 1000000 ? 6 : 3;

		snprintf(buf + len, size - len, ".%0*" PRIu64, digits,
			 digits == 6 ? ns / 1000 : ns / 1000000);
	}
	return buf;
}

int heatmap_write_lat(struct heatmap *hm, FILE *f)
{
	char start[CLOCK_LEN];
	size_t r, c;

	fprintf(f, "# start %s column_ns %" PRIu64 "\n", clock_utc(start, hm->start),
		hm->column_ns);
	fputs("# TIME_NS(since start) LO_NS HI_NS(exclusive) COUNT\n", f);
	for (c = 0; c < hm->columns; c++) {
		for (r = 0; r < hm->n_rows; r++) {
			const struct row *row = &hm->rows[r];

			if (row->counts[c])
				fprintf(f, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
					c * hm->column_ns, row->lo, row->hi, row->counts[c]);
		}
	}
	return svg_flush(f);
}

/* The picture's measures, in pixels: cells are on whole ones, so that they meet without seams. */
#define WIDTH	   1200
#define LEFT	   76	/* the rows' scale is left of the cells */
#define RIGHT	   1070 /* and the rows' sums are right of them */
#define TOP	   66
#define BOTTOM	   506
#define HEIGHT	   574
#define SUMS_LEFT  1082
#define SUMS_RIGHT 1188
#define MIN_CELL_W 4
#define MIN_ROW_H  4
#define STEPS	   12 /* colours */

/* A row as drawn: the sum of all ranges within it. */
struct band {
	uint64_t lo, hi;
	uint64_t total;
	uint64_t *counts; /* by column as drawn */
};

struct picture {
	const struct heatmap *hm;
	size_t merged;	/* columns of the model in one drawn */
	size_t columns; /* drawn */
	struct band *bands;
	size_t n_bands;
	uint64_t *totals;  /* by column as drawn */
	uint64_t max;	   /* of all cells */
	int64_t low, high; /* the scale's ends, as svg_log2() */
};

/* @v, down or up to the grid that divides each power of two into @parts. */
static uint64_t grid_down(uint64_t v, unsigned int parts)
{
	uint64_t step;

	if (v < parts)
		return v;
	step = (1ull << (63 - __builtin_clzll(v))) / parts;
	return v - v % step;
}

static uint64_t grid_up(uint64_t v, unsigned int parts)
{
	uint64_t down = grid_down(v, parts);
	uint64_t step;

	if (down == v)
		return v;
	step = (1ull << (63 - __builtin_clzll(v))) / parts;
	return down + step < down ? UINT64_MAX : down + step;
}

/* Joins the model's rows into bands, which do not overlap. */
static void make_bands(struct picture *p, unsigned int parts)
{
	const struct heatmap *hm = p->hm;
	size_t r, c;

	for (r = 0; r < hm->n_rows; r++) {
		const struct row *row = &hm->rows[r];
		uint64_t lo = grid_down(row->lo, parts), hi = grid_up(row->hi, parts);
		struct band *band = p->n_bands ? &p->bands[p->n_bands - 1] : NULL;

		if (!band || lo >= band->hi) {
			uint64_t *counts = p->bands[p->n_bands].counts;

			band = &p->bands[p->n_bands++];
			*band = (struct band){ .lo = lo, .hi = hi, .counts = counts };
		}
		if (hi > band->hi)
			band->hi = hi;
		for (c = 0; c < hm->columns; c++) {
			band->counts[c / p->merged] += row->counts[c];
			band->total += row->counts[c];
		}
	}
}

static void free_picture(struct picture *p)
{
	size_t r;

	for (r = 0; p->bands && r < p->hm->n_rows; r++)
		free(p->bands[r].counts);
	free(p->bands);
	free(p->totals);
}

static int make_picture(struct picture *p)
{
	const struct heatmap *hm = p->hm;
	unsigned int parts;
	uint64_t hi = 0;
	size_t r, c;

	p->merged = 1;
	p->columns = hm->columns;
	while (p->columns > (RIGHT - LEFT) / MIN_CELL_W) {
		p->merged *= 2;
		p->columns = (hm->columns + p->merged - 1) / p->merged;
	}

	p->bands = calloc(hm->n_rows, sizeof(*p->bands));
	p->totals = calloc(p->columns, sizeof(*p->totals));
	if (!p->bands || !p->totals)
		return -ENOMEM;
	for (r = 0; r < hm->n_rows; r++) {
		p->bands[r].counts = calloc(p->columns, sizeof(*p->bands[r].counts));
		if (!p->bands[r].counts)
			return -ENOMEM;
		if (hm->rows[r].hi > hi)
			hi = hm->rows[r].hi;
	}

	/* The finest grid whose rows are, on average, high enough. */
	p->low = svg_log2(hm->rows[0].lo);
	p->high = svg_log2(hi);
	for (parts = 16; parts > 1; parts /= 2) {
		if ((BOTTOM - TOP) * 65536 >= (p->high - p->low) * parts * MIN_ROW_H)
			break;
	}
	make_bands(p, parts);

	/* The scale spans the bands, and not less than a power of two. */
	p->low = svg_log2(p->bands[0].lo);
	p->high = svg_log2(p->bands[p->n_bands - 1].hi);
	if (p->high - p->low < 65536) {
		p->low -= (65536 - (p->high - p->low)) / 2;
		p->high = p->low + 65536;
	}
	for (r = 0; r < p->n_bands; r++) {
		for (c = 0; c < p->columns; c++) {
			uint64_t count = p->bands[r].counts[c];

			p->totals[c] += count;
			if (count > p->max)
				p->max = count;
		}
	}
	return 0;
}

static int x_of(const struct picture *p, size_t column)
{
	return LEFT + (int)((RIGHT - LEFT) * column / p->columns);
}

static int x_of_time(const struct picture *p, uint64_t time_ns)
{
	/* In the model's columns, which are whole in the drawn ones. */
	return LEFT +
	       (int)svg_scale(time_ns, p->hm->column_ns * p->merged * p->columns, RIGHT - LEFT);
}

static int y_of(const struct picture *p, uint64_t ns)
{
	return BOTTOM - (int)((svg_log2(ns) - p->low) * (BOTTOM - TOP) / (p->high - p->low));
}

/* The colour of @count: its place on a logarithmic scale from 1 to the greatest. */
static int step_of(const struct picture *p, uint64_t count)
{
	int64_t whole = svg_log2(p->max);

	return whole ? (int)(svg_log2(count) * (STEPS - 1) / whole) : STEPS - 1;
}

static void write_style(FILE *f)
{
	static const uint32_t light[] = {
		0xfff1c9, 0xfdc372, 0xf67e4b, 0xd63d5e, 0x8c1d70, 0x3b0f57
	};
	static const uint32_t dark[] = {
		0x33204f, 0x6a2277, 0xad3270, 0xe6604f, 0xfba63c, 0xfcf6a8
	};
	int i;

	fputs("<style><![CDATA[\n"
	      ".hm{max-width:100%;background:#fff;font-family:system-ui,-apple-system,"
	      "'Segoe UI',Roboto,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif;"
	      "font-size:12px}\n"
	      ".hm text{fill:#667080}\n"
	      ".hm .title{font-size:18px;font-weight:600;fill:#1d2129}\n"
	      ".hm .back{fill:#fff}\n"
	      ".hm .area{fill:#f6f7f9}\n"
	      ".hm .grid{stroke:#59626f;stroke-opacity:.17;fill:none;"
	      "shape-rendering:crispEdges;pointer-events:none}\n"
	      ".hm .cells,.hm .sums{shape-rendering:crispEdges}\n"
	      ".hm .cells rect:hover,.hm .sums rect:hover{stroke:#14171c;stroke-width:2}\n"
	      ".hm .sums{fill:#9aa3b2}\n",
	      f);
	for (i = 0; i < STEPS; i++)
		fprintf(f, ".hm .s%d{fill:#%06x}\n", i, svg_color(light, 6, i, STEPS - 1));
	fputs("@media (prefers-color-scheme:dark){\n"
	      ".hm{background:#16181d}\n"
	      ".hm text{fill:#98a1b0}\n"
	      ".hm .title{fill:#e4e7ec}\n"
	      ".hm .back{fill:#16181d}\n"
	      ".hm .area{fill:#1d2026}\n"
	      ".hm .grid{stroke:#aab3c2}\n"
	      ".hm .cells rect:hover,.hm .sums rect:hover{stroke:#fff}\n"
	      ".hm .sums{fill:#6b7484}\n",
	      f);
	for (i = 0; i < STEPS; i++)
		fprintf(f, ".hm .s%d{fill:#%06x}\n", i, svg_color(dark, 6, i, STEPS - 1));
	fputs("}\n]]></style>\n", f);
}

static void write_count(const struct heatmap *hm, FILE *f, uint64_t count)
{
	char buf[QUANTITY_LEN];

	fprintf(f, "%s ", format_count(buf, count));
	svg_text(f, hm->unit);
}

static void write_range(FILE *f, const struct band *band)
{
	char lo[QUANTITY_LEN], hi[QUANTITY_LEN];

	fprintf(f, "%s .. %s", format_bound(lo, band->lo), format_bound(hi, band->hi));
}

/* A column is a group at its place: its cells need no x. */
static void write_cells(const struct picture *p, FILE *f)
{
	const struct heatmap *hm = p->hm;
	uint64_t column_ns = hm->column_ns * p->merged;
	char from[64], to[64], share[QUANTITY_LEN];
	size_t c, r;

	fputs("<g class=\"cells\">\n", f);
	for (c = 0; c < p->columns; c++) {
		int width = x_of(p, c + 1) - x_of(p, c);

		if (!p->totals[c])
			continue;
		clock_time(hm, c * column_ns, column_ns, from, sizeof(from));
		clock_time(hm, (c + 1) * column_ns, column_ns, to, sizeof(to));
		fprintf(f, "<g transform=\"translate(%d,0)\">\n", x_of(p, c));
		for (r = 0; r < p->n_bands; r++) {
			const struct band *band = &p->bands[r];
			uint64_t count = band->counts[c];
			int top = y_of(p, band->hi), height = y_of(p, band->lo) - top;

			if (!count)
				continue;
			fprintf(f,
				"<rect class=\"s%d\" y=\"%d\" width=\"%d\" height=\"%d\">"
				"<title>%s .. %s\n",
				step_of(p, count), top, width, height > 0 ? height : 1, from, to);
			write_range(f, band);
			fputc('\n', f);
			write_count(hm, f, count);
			fprintf(f, ", %s of the column</title></rect>\n",
				svg_percent(share, count, p->totals[c]));
		}
		fputs("</g>\n", f);
	}
	fputs("</g>\n", f);
}

/* At the right, how all of the run is distributed. */
static void write_sums(const struct picture *p, FILE *f)
{
	char share[QUANTITY_LEN];
	uint64_t max = 0;
	size_t r;

	for (r = 0; r < p->n_bands; r++) {
		if (p->bands[r].total > max)
			max = p->bands[r].total;
	}
	fputs("<g class=\"sums\">\n", f);
	for (r = 0; r < p->n_bands; r++) {
		const struct band *band = &p->bands[r];
		int top = y_of(p, band->hi), height = y_of(p, band->lo) - top;
		int width = (int)svg_scale(band->total, max, SUMS_RIGHT - SUMS_LEFT);

		fprintf(f, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"><title>", SUMS_LEFT,
			top, width ? width : 1, height > 2 ? height - 1 : 1);
		write_range(f, band);
		fputc('\n', f);
		write_count(p->hm, f, band->total);
		fprintf(f, ", %s of all</title></rect>\n",
			svg_percent(share, band->total, p->hm->total));
	}
	fprintf(f, "</g>\n<text x=\"%d\" y=\"%d\">whole run</text>\n", SUMS_LEFT, TOP - 8);
}

/* Lines at 1, 2 and 5 of each power of ten; as many of them named as there is room for. */
static void write_rows_scale(const struct picture *p, FILE *f)
{
	static const unsigned int steps[] = { 1, 2, 5 };
	char buf[QUANTITY_LEN];
	uint64_t decade;
	size_t i;
	/* Pixels for a power of ten, whose logarithm to base 2 is 3.3219. */
	int64_t room = (BOTTOM - TOP) * 217706ll / (p->high - p->low);

	fputs("<g text-anchor=\"end\">\n", f);
	for (decade = 1; decade <= UINT64_MAX / 50; decade *= 10) {
		for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
			uint64_t ns = decade * steps[i];
			int64_t log = svg_log2(ns);

			if (log < p->low || log > p->high || (i && room < 60))
				continue;
			fprintf(f,
				"<path class=\"grid\" d=\"M%d %d.5H%d\"/>"
				"<text x=\"%d\" y=\"%d\">%s</text>\n",
				LEFT, y_of(p, ns), RIGHT, LEFT - 8, y_of(p, ns) + 4,
				format_bound(buf, ns));
		}
	}
	fputs("</g>\n", f);
}

/* The first of the natural steps, no finer than a column, with at most ten lines in @span_ns. */
static uint64_t time_step(uint64_t span_ns, uint64_t column_ns)
{
	static const unsigned int decimal[] = { 1, 2, 5 };
	static const unsigned int seconds[] = { 1,   2,	  5,	10,   15,   30,	   60,	  120,	300,
						600, 900, 1800, 3600, 7200, 10800, 21600, 43200 };
	uint64_t finest = span_ns / 10 > column_ns ? span_ns / 10 : column_ns;
	uint64_t unit, step;
	size_t i;

	for (unit = NSEC_PER_USEC; unit < NSEC_PER_SEC; unit *= 10) {
		for (i = 0; i < sizeof(decimal) / sizeof(decimal[0]); i++) {
			if (unit * decimal[i] >= finest)
				return unit * decimal[i];
		}
	}
	for (i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		if (seconds[i] * NSEC_PER_SEC >= finest)
			return seconds[i] * NSEC_PER_SEC;
	}
	for (step = 24 * 3600 * NSEC_PER_SEC; step < finest; step *= 2)
		;
	return step;
}

/* Lines where the local clock is at a round time. */
static void write_columns_scale(const struct picture *p, FILE *f)
{
	const struct heatmap *hm = p->hm;
	uint64_t span = hm->column_ns * p->merged * p->columns;
	uint64_t step = time_step(span, hm->column_ns * p->merged), time;
	struct tm tm = { 0 };
	int64_t past;
	char buf[64];

	local(hm->start, &tm);
	/* How long before the start the last round time was. */
	past = (int64_t)(hm->start % step) + tm.tm_gmtoff * (int64_t)NSEC_PER_SEC % (int64_t)step;
	past %= (int64_t)step;
	if (past < 0)
		past += step;

	fputs("<g text-anchor=\"middle\">\n", f);
	for (time = past ? step - past : 0; time <= span; time += step)
		fprintf(f,
			"<path class=\"grid\" d=\"M%d.5 %dV%d\"/>"
			"<text x=\"%d\" y=\"%d\">%s</text>\n",
			x_of_time(p, time), TOP, BOTTOM + 5, x_of_time(p, time), BOTTOM + 20,
			clock_time(hm, time, step, buf, sizeof(buf)));
	fputs("</g>\n", f);
}

/* The smallest count of colour @step. */
static uint64_t first_of(const struct picture *p, int step)
{
	uint64_t from = 1, to = p->max;

	while (from < to) {
		uint64_t mid = from + (to - from) / 2;

		if (step_of(p, mid) < step)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

/* The colours and what they stand for: every third is named, and the greatest. */
static void write_legend(const struct picture *p, FILE *f)
{
	const int width = 22, left = RIGHT - STEPS * width, top = BOTTOM + 32;
	char buf[QUANTITY_LEN];
	uint64_t named = 0;
	int i;

	fprintf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", left - 10, top + 10);
	svg_text(f, p->hm->unit);
	fputs(" in a cell, at least</text>\n", f);
	for (i = 0; i < STEPS; i++) {
		uint64_t first = first_of(p, i);

		fprintf(f, "<rect class=\"s%d\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"12\"/>\n",
			i, left + i * width, top, width);
		if (i % 3 == 0 && first != named && first != p->max)
			fprintf(f, "<text x=\"%d\" y=\"%d\">%s</text>\n", left + i * width,
				top + 26, format_count(buf, first));
		named = first;
	}
	fprintf(f, "<text x=\"%d\" y=\"%d\">%s at most</text>\n", RIGHT + 10, top + 10,
		format_count(buf, p->max));
}

static void write_head(const struct picture *p, FILE *f)
{
	const struct heatmap *hm = p->hm;
	struct tm tm = { 0 };
	char buf[64];

	fprintf(f, "<text class=\"title\" x=\"%d\" y=\"26\">", 12);
	svg_text_fit(f, hm->title, strlen(hm->title), 110);
	fputs("</text>\n<text x=\"12\" y=\"46\">", f);
	if (*hm->subtitle) {
		svg_text_fit(f, hm->subtitle, strlen(hm->subtitle), 110);
		fputs(" \xc2\xb7 ", f); /* a middle dot */
	}
	local(hm->start, &tm);
	strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S", &tm);
	fprintf(f, "from %s \xc2\xb7 ", buf);
	write_count(hm, f, hm->total);
	if (hm->total)
		fprintf(f, " \xc2\xb7 a column is %s",
			format_bound(buf, hm->column_ns * p->merged));
	fputs("</text>\n", f);
}

int heatmap_write_svg(struct heatmap *hm, FILE *f)
{
	struct picture p = { .hm = hm };
	int err = 0;

	if (hm->total)
		err = make_picture(&p);
	if (err)
		goto out;

	fprintf(f,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"hm\" width=\"%d\" "
		"height=\"%d\" viewBox=\"0 0 %d %d\" role=\"graphics-document\">\n<title>",
		WIDTH, HEIGHT, WIDTH, HEIGHT);
	svg_text(f, hm->title);
	fputs("</title>\n", f);
	write_style(f);
	fprintf(f, "<rect class=\"back\" width=\"%d\" height=\"%d\"/>\n", WIDTH, HEIGHT);
	write_head(&p, f);
	if (hm->total) {
		fprintf(f, "<rect class=\"area\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n",
			LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP);
		write_cells(&p, f);
		write_sums(&p, f);
		write_rows_scale(&p, f);
		write_columns_scale(&p, f);
		write_legend(&p, f);
	} else {
		fputs("<text x=\"12\" y=\"84\">Nothing was recorded.</text>\n", f);
	}
	fputs("</svg>\n", f);
	err = svg_flush(f);
out:
	free_picture(&p);
	return err;
}
