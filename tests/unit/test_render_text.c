// SPDX-License-Identifier: GPL-2.0-only
/* Reports as text: what a person sees, in a pipe and on a terminal. */
#include "helpers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "quantity.h"
#include "utf8.h"

enum {
	COMM,
	TID,
	CALLS,
	HELD,
	WAITED,
	SEEN,
	LATENCY
};

static const struct column columns[] = {
	[COMM] = { .name = "comm", .title = "thread", .type = CELL_STRING },
	[TID] = { .name = "tid", .type = CELL_ID },
	[CALLS] = { .name = "calls", .type = CELL_COUNT },
	[HELD] = { .name = "held", .type = CELL_SIZE },
	[WAITED] = { .name = "waited", .type = CELL_DURATION },
	[SEEN] = { .name = "seen", .type = CELL_TIME },
	[LATENCY] = { .name = "latency", .type = CELL_DIST },
};

static const struct layout layout = LAYOUT(columns);

static const struct column dist_columns[] = {
	{ .name = "delay", .type = CELL_DIST },
};

static const struct layout dist_layout = LAYOUT(dist_columns);

/* A row whose cells are all set. */
static void add_row(struct table *t, const char *comm, uint64_t number)
{
	struct cell *row = table_add(t);
	struct hist h = {};

	cell_string(&row[COMM], comm);
	cell_number(&row[TID], number % 4194304);
	cell_number(&row[CALLS], number % 1000000000);
	cell_number(&row[HELD], number);
	cell_number(&row[WAITED], number % 1000000000000);
	cell_number(&row[SEEN], WHEN + number % 1000000000);
	add_value(&h, number % 1000000000, 1 + number % 1000);
	cell_dist(&row[LATENCY], &h);
}

static void render_page(struct page *p, const struct report *r)
{
	page_of(p, render_with(&text_renderer, r));
}

static size_t characters(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += (*text & 0xc0) != 0x80;
	return count;
}

/* The columns of @line, which stand at least two spaces apart; cuts it up. */
static size_t split(char *line, char *fields[32])
{
	size_t count = 0;

	while (*(line += strspn(line, " "))) {
		assert_in_range(count, 0, 31);
		fields[count++] = line;
		line = strstr(line, "  ");
		if (!line)
			break;
		*line++ = 0;
	}
	return count;
}

static void a_report_opens_with_the_local_time_and_what_it_covers(void **state)
{
	struct report r;
	struct page p;

	(void)state;
	begin(&r, &layout);
	render_page(&p, &r);
	assert_int_equal(p.count, 2);
	assert_int_equal(strncmp(p.lines[0], WHEN_LOCAL " ", strlen(WHEN_LOCAL) + 1), 0);
	assert_non_null(strstr(p.lines[0], "rundelay"));
	assert_non_null(strstr(p.lines[0], "2.500 s"));
	page_free(&p);
	end(&r);
}

static void columns_are_headed_by_their_titles(void **state)
{
	static const char *const titles[] = { "thread", "tid",	 "calls", "held", "waited",
					      "seen",	"count", "sum",	  "min",  "avg",
					      "p50",	"p95",	 "p99",	  "max" };
	struct report r;
	struct page p;
	char *fields[32];
	size_t i;

	(void)state;
	begin(&r, &layout);
	render_page(&p, &r);
	assert_int_equal(split(p.lines[1], fields), 14);
	for (i = 0; i < 14; i++)
		assert_string_equal(fields[i], titles[i]);
	page_free(&p);
	end(&r);
}

static void figures_are_those_of_the_table(void **state)
{
	static const char *const expected[] = {
		"nginx",    "4242",	 "1,234,567", "8.000 KiB", "12.00 ms",
		WHEN_LOCAL, "1,000,000", "1.050 s",   "1.000 us",  "1.050 us",
		NULL,	    NULL,	 NULL,	      "70.00 us",
	};
	static const uint64_t percentiles[] = { 1000, 1000, 1000 };
	struct hist h = {};
	struct cell *row;
	struct report r;
	struct page p;
	char *fields[32], *space;
	uint64_t got;
	size_t i;

	(void)state;
	/* 999275 * 1000 + 725 * 70000 = 1050025000. */
	add_value(&h, 1000, 999275);
	add_value(&h, 70000, 725);
	begin(&r, &layout);
	row = table_add(&r.rows);
	cell_string(&row[COMM], "nginx");
	cell_number(&row[TID], 4242);
	cell_number(&row[CALLS], 1234567);
	cell_number(&row[HELD], 8192);
	cell_number(&row[WAITED], 12000000);
	cell_number(&row[SEEN], WHEN);
	cell_dist(&row[LATENCY], &h);
	render_page(&p, &r);
	assert_int_equal(split(p.lines[2], fields), 14);
	for (i = 0; i < 14; i++) {
		if (expected[i]) {
			assert_string_equal(fields[i], expected[i]);
			continue;
		}
		space = strchr(fields[i], ' ');
		assert_non_null(space);
		memmove(space, space + 1, strlen(space));
		assert_int_equal(parse_time(fields[i], 1, &got), 0);
		assert_in_range(got, percentiles[i - 10] * 15 / 16, percentiles[i - 10] * 17 / 16);
	}
	page_free(&p);
	end(&r);
}

static void each_percentile_stands_below_its_head(void **state)
{
	/* The middles of the buckets that the 50th, 95th and 99th of 100 values are in. */
	static const char *const expected[] = { "100", "8.192 ms", "1.056 us", "33.79 us",
						"540.7 us" };
	static const size_t at[] = { 0, 7, 4, 5, 6 };
	struct hist h = {};
	struct report r;
	struct page p;
	char *fields[32];
	size_t i;

	(void)state;
	add_value(&h, 1030, 90);
	add_value(&h, 32768, 6);
	add_value(&h, 524289, 3);
	add_value(&h, 8192000, 1);
	begin(&r, &dist_layout);
	cell_dist(&table_add(&r.rows)[0], &h);
	render_page(&p, &r);
	assert_int_equal(split(p.lines[2], fields), 8);
	for (i = 0; i < 5; i++)
		assert_string_equal(fields[at[i]], expected[i]);
	page_free(&p);
	end(&r);
}

static void columns_of_json_are_not_shown_and_strings_may_be_on_the_right(void **state)
{
	static const struct column columns[] = {
		{ .name = "value", .type = CELL_STRING, .right = true, .width = 8 },
		{ .name = "hidden", .type = CELL_COUNT, .shown = SHOWN_IN_JSON },
		{ .name = "there", .type = CELL_FLAG, .width = 5 },
		{ .name = "ratio", .type = CELL_RATIO, .width = 6 },
		{ .name = "note", .type = CELL_STRING },
	};
	static const struct layout layout = LAYOUT(columns);
	struct cell *cells;
	struct report r;
	struct page p;

	(void)state;
	begin(&r, &layout);
	cells = table_add(&r.rows);
	cell_string(&cells[0], "12");
	cell_number(&cells[1], 345);
	cell_number(&cells[2], false);
	cell_number(&cells[3], 1967);
	cell_string(&cells[4], "x");
	render_page(&p, &r);
	assert_string_equal(p.lines[1], "   value  there   ratio  note");
	assert_string_equal(p.lines[2], "      12     no   1.967  x");
	page_free(&p);
	end(&r);
}

static void what_has_no_value_is_a_dash(void **state)
{
	struct hist h = {};
	struct report r;
	struct page p;
	char *fields[32];
	size_t i;

	(void)state;
	begin(&r, &layout);
	cell_dist(&table_add(&r.rows)[LATENCY], &h);
	render_page(&p, &r);
	assert_int_equal(p.count, 3);
	assert_int_equal(split(p.lines[2], fields), 14);
	for (i = 0; i < 14; i++)
		assert_string_equal(fields[i], i == 6 ? "0" : i == 7 ? "0 ns" : "-");
	page_free(&p);
	end(&r);
}

/* In a process of its own: it may not survive that. */
static void a_row_may_lack_its_distribution(void **state)
{
	struct report r;
	int status;
	pid_t pid;

	(void)state;
	begin(&r, &layout);
	cell_string(&table_add(&r.rows)[COMM], "nginx");
	pid = fork();
	if (!pid) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(2);
		free(render_with(&text_renderer, &r));
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	end(&r);
}

static void columns_are_aligned(void **state)
{
	static const char *const comms[] = {
		"",  "a",     "kworker/u257:3", "exactly15chars.", "äöü€😀ß", "\xff\xfe\033[1m",
		"-", "a b  c"
	};
	uint64_t random = random64();
	struct report r;
	struct page p;
	size_t i;

	(void)state;
	begin(&r, &layout);
	add_row(&r.rows, "zero", 0);
	for (i = 0; i < 80; i++) {
		random = random64();
		add_row(&r.rows, comms[i % 8], random >> (24 + random % 40));
	}
	cell_dist(&table_add(&r.rows)[LATENCY], &(struct hist){});
	render_page(&p, &r);
	assert_int_equal(p.count, 2 + 82);
	/* The last column stands on the right. */
	for (i = 2; i < p.count; i++) {
		if (characters(p.lines[i]) != characters(p.lines[1]))
			fail_msg("not aligned:\n%s\n%s", p.lines[1], p.lines[i]);
	}
	page_free(&p);
	end(&r);
}

/* Many threads, or a long time, make sums of days and counts of billions. */
static void columns_are_aligned_however_large_the_figures(void **state)
{
	struct hist small = {}, large = {};
	struct report r;
	struct page p;
	size_t i;

	(void)state;
	add_value(&small, 1000, 5);
	add_value(&large, 100000, 12345678901);
	begin(&r, &dist_layout);
	cell_dist(&table_add(&r.rows)[0], &large);
	cell_dist(&table_add(&r.rows)[0], &small);
	render_page(&p, &r);
	for (i = 2; i < 4; i++) {
		if (characters(p.lines[i]) != characters(p.lines[1]))
			fail_msg("not aligned:\n%s\n%s", p.lines[1], p.lines[i]);
	}
	page_free(&p);
	end(&r);
}

static void a_last_column_of_numbers_ends_where_its_head_does(void **state)
{
	static const struct column with_number_last[] = {
		{ .name = "comm", .type = CELL_STRING },
		{ .name = "calls", .type = CELL_COUNT },
	};
	static const struct layout number_last = LAYOUT(with_number_last);
	static const uint64_t numbers[] = { 0, 12, 999999999 };
	struct report r;
	struct page p;
	struct cell *row;
	size_t i;

	(void)state;
	begin(&r, &number_last);
	for (i = 0; i < 3; i++) {
		row = table_add(&r.rows);
		cell_string(&row[0], i ? "a" : "exactly15chars.");
		cell_number(&row[1], numbers[i]);
	}
	table_add(&r.rows);
	render_page(&p, &r);
	assert_int_equal(p.count, 6);
	for (i = 2; i < 6; i++)
		assert_int_equal(strlen(p.lines[i]), strlen(p.lines[1]));
	page_free(&p);
	end(&r);
}

static void a_last_column_of_text_begins_where_its_head_does(void **state)
{
	static const struct column with_name_last[] = {
		{ .name = "waited", .type = CELL_DURATION },
		{ .name = "comm", .type = CELL_STRING },
		{ .name = "where", .type = CELL_STRING },
	};
	static const struct layout name_last = LAYOUT(with_name_last);
	struct report r;
	struct page p;
	struct cell *row;
	size_t column, i;

	(void)state;
	begin(&r, &name_last);
	for (i = 0; i < 3; i++) {
		row = table_add(&r.rows);
		cell_number(&row[0], 7 << (10 * i));
		cell_string(&row[1], i ? "nginx" : "exactly15chars.");
		cell_string(&row[2], i == 1 ? "a rather long place" : "here");
	}
	render_page(&p, &r);
	assert_non_null(strstr(p.lines[1], "where"));
	column = strstr(p.lines[1], "where") - p.lines[1];
	for (i = 0; i < 3; i++) {
		assert_string_equal(p.lines[2 + i] + column,
				    i == 1 ? "a rather long place" : "here");
		assert_int_equal(p.lines[2 + i][column - 1], ' ');
	}
	page_free(&p);
	end(&r);
}

static void a_name_cannot_steer_the_terminal(void **state)
{
	char hostile[] = "\001\002\a\b\t\n\v\f\r\033[2J\177\x80\x9b";
	struct report r;
	struct page p;
	size_t i;
	char *text;

	(void)state;
	begin(&r, &layout);
	table_init(&r.events, &layout);
	add_row(&r.rows, hostile, 1);
	add_row(&r.rows, "\033]0;owned\a", 2);
	add_row(&r.rows,
		"\xc2\x9b"
		"2J\xc2\x85",
		3);
	add_row(&r.rows, "a\nb", 4);
	text = render_with(&text_renderer, &r);
	for (i = 0; text[i]; i++) {
		unsigned char c = text[i];

		if (c == '\n')
			continue;
		assert_true(c >= 0x20 && c != 0x7f);
		assert_true(utf8_length(text + i) || (c & 0xc0) == 0x80);
		assert_false(c == 0xc2 && (unsigned char)text[i + 1] < 0xa0);
	}
	page_of(&p, text);
	assert_int_equal(p.count, 2 + 4);
	/* What can be shown of them is. */
	assert_non_null(strstr(p.lines[3], "]0;owned"));
	assert_non_null(strstr(p.lines[5], "a?b"));
	page_free(&p);
	end(&r);
}

static void a_long_name_is_whole_or_seen_to_be_cut_off(void **state)
{
	char name[301];
	struct report r;
	struct page p;

	(void)state;
	memset(name, 'n', 300);
	name[300] = 0;
	begin(&r, &layout);
	add_row(&r.rows, name, 1);
	add_row(&r.rows, "x", 1);
	render_page(&p, &r);
	assert_true(strstr(p.lines[2], name) || strstr(p.lines[2], "n...") ||
		    strstr(p.lines[2], "n…"));
	page_free(&p);
	end(&r);
}

/* A line of a histogram; lo and hi as printed. */
struct hist_line {
	char lo[32], hi[32];
	uint64_t count;
	size_t bar;
	bool gap; /* "...": nothing was there */
};

static void without_commas(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (*text != ',')
			*to++ = *text;
	}
	*to = 0;
}

static void read_hist_line(struct hist_line *line, const char *text)
{
	char number[24], unit[8], count[32], bar[64] = "", more[8];
	const char *between = strstr(text, " .. ");

	memset(line, 0, sizeof(*line));
	if (!between) {
		assert_string_equal(text + strspn(text, " "), "...");
		line->gap = true;
		return;
	}
	if (sscanf(text, " %23[0-9.] %7[a-z] ..", number, unit) != 2)
		fail_msg("no lower bound: '%s'", text);
	snprintf(line->lo, sizeof(line->lo), "%s%s", number, unit);
	if (sscanf(between, " .. %23[0-9.] %7[a-z] %31[0-9,] %63[#]", number, unit, count, bar) >=
	    3)
		snprintf(line->hi, sizeof(line->hi), "%s%s", number, unit);
	else if (sscanf(between, " .. %7[more] %31[0-9,] %63[#]", more, count, bar) >= 2)
		snprintf(line->hi, sizeof(line->hi), "%s", more);
	else
		fail_msg("no upper bound: '%s'", text);
	without_commas(count);
	assert_int_equal(parse_count(count, &line->count), 0);
	line->bar = strlen(bar);
	/* Nothing stands behind the bar, and nothing else is one. */
	assert_string_equal(text + strcspn(text, "#"), bar);
}

/* The histogram below the report of @h alone; returns the number of its lines. */
static size_t render_hist(const struct hist *h, struct hist_line lines[64])
{
	struct report r;
	struct page p;
	size_t i;

	begin(&r, &dist_layout);
	cell_dist(&table_add(&r.rows)[0], h);
	render_page(&p, &r);
	assert_in_range(p.count, 5, 5 + 64);
	assert_string_equal(p.lines[3], "");
	assert_non_null(strstr(p.lines[4], "range"));
	for (i = 5; i < p.count; i++)
		read_hist_line(&lines[i - 5], p.lines[i]);
	i -= 5;
	page_free(&p);
	end(&r);
	return i;
}

struct value {
	uint64_t value, times;
};

static uint64_t bound(const char *text)
{
	uint64_t ns;

	if (!strcmp(text, "more"))
		return UINT64_MAX;
	assert_int_equal(parse_time(text, 1, &ns), 0);
	return ns;
}

static void check_hist(const struct value *values, size_t count)
{
	struct hist_line lines[64];
	size_t n, i, v, empty = 0, longest = 0;
	uint64_t most = 0;
	struct hist h = {};

	for (v = 0; v < count; v++)
		add_value(&h, values[v].value, values[v].times);
	n = render_hist(&h, lines);
	assert_true(n > 0 && lines[0].count && lines[n - 1].count);
	for (i = 0; i < n; i++) {
		most = lines[i].count > most ? lines[i].count : most;
		longest = lines[i].bar > longest ? lines[i].bar : longest;
	}
	assert_in_range(longest, 20, 60);
	for (i = 0; i < n; i++) {
		uint64_t lo, hi, expected = 0;

		if (lines[i].gap) {
			assert_true(lines[i - 1].count && lines[i + 1].count);
			assert_true(bound(lines[i + 1].lo) > bound(lines[i - 1].hi));
			empty = 0;
			continue;
		}
		/* Contiguous, as it is written. */
		if (i && !lines[i - 1].gap)
			assert_string_equal(lines[i].lo, lines[i - 1].hi);
		lo = bound(lines[i].lo);
		hi = bound(lines[i].hi);
		assert_true(lo < hi);
		assert_true(lo < 16 || hi == UINT64_MAX || hi <= 2 * lo + lo / 1000);
		for (v = 0; v < count; v++) {
			if (values[v].value >= lo && values[v].value < hi)
				expected += values[v].times;
		}
		if (lines[i].count != expected)
			fail_msg("%s .. %s has %llu, not %llu", lines[i].lo, lines[i].hi,
				 (unsigned long long)lines[i].count, (unsigned long long)expected);
		/* As long as its share of the longest, at least one; none only for nothing. */
		if (!expected)
			assert_int_equal(lines[i].bar, 0);
		else if (2 * expected * longest < most)
			assert_int_equal(lines[i].bar, 1);
		else
			assert_in_range(2 * most * lines[i].bar, 2 * expected * longest - most,
					2 * expected * longest + most);
		/* A long stretch of nothing is not drawn. */
		empty = expected ? 0 : empty + 1;
		assert_in_range(empty, 0, 2);
	}
}

/* The middle of a bucket with @part (of 16) of the power @power of two. */
static uint64_t middle(unsigned int power, unsigned int part)
{
	return (1ULL << power) / 32 * (32 + 2 * part + 1);
}

static void a_histogram_shows_where_the_values_are(void **state)
{
	const struct value bell[] = {
		{ middle(18, 0), 10 },	 { middle(18, 1), 100 },  { middle(18, 2), 1000 },
		{ middle(18, 3), 2000 }, { middle(18, 4), 1000 }, { middle(18, 5), 100 },
		{ middle(18, 6), 1 },
	};
	const struct value bimodal[] = {
		{ middle(8, 3), 500 },
		{ middle(8, 4), 400 },
		{ middle(23, 1), 77 },
		{ middle(23, 2), 76 },
	};
	const struct value wide[] = {
		{ 0, 3 },
		{ 7, 3 },
		{ 15, 1 },
		{ middle(10, 1), 50 },
		{ middle(20, 9), 60 },
		{ middle(25, 15), 1000000 },
		{ middle(38, 15), 2 },
	};
	const struct value exponents[] = {
		{ middle(10, 0), 1 },	 { middle(11, 0), 2 },	 { middle(12, 0), 4 },
		{ middle(13, 0), 8 },	 { middle(14, 0), 16 },	 { middle(15, 0), 32 },
		{ middle(16, 0), 64 },	 { middle(17, 0), 128 }, { middle(18, 0), 256 },
		{ middle(19, 15), 512 },
	};
	const struct value beyond[] = { { middle(39, 3), 5 },
					{ 1ULL << 41, 7 },
					{ 1ULL << 50, 1 } };
	const struct value one[] = { { 0, 1 } };

	(void)state;
	check_hist(bell, 7);
	check_hist(bimodal, 4);
	check_hist(wide, 7);
	check_hist(exponents, 10);
	check_hist(beyond, 3);
	check_hist(one, 1);
}

static void any_histogram_is_true(void **state)
{
	uint64_t random = random64();
	struct value values[40];
	int round;
	size_t i;

	(void)state;
	for (round = 0; round < 200; round++) {
		unsigned int from = random % 30 + 5, powers = (random >> 20) % 12 + 1;
		size_t count = (random >> 40) % 40 + 1;

		for (i = 0; i < count; i++) {
			unsigned int power;

			random = random64();
			power = from + random % powers;
			values[i].value = middle(power < 39 ? power : 39, (random >> 8) % 16);
			values[i].times = 1 + (random >> 16) % (round % 2 ? 10 : 100000);
		}
		check_hist(values, count);
	}
}

static void a_narrow_histogram_has_all_the_resolution_there_is(void **state)
{
	struct hist_line lines[64];
	struct hist h = {};
	unsigned int part;

	(void)state;
	for (part = 0; part < 16; part++)
		add_value(&h, middle(20, part), 1 + part);
	assert_int_equal(render_hist(&h, lines), 16);
	for (part = 0; part < 16; part++)
		assert_int_equal(lines[part].count, 1 + part);
}

static void a_histogram_has_at_most_24_lines_for_24_powers_of_two(void **state)
{
	struct hist_line lines[64];
	unsigned int power, part;
	struct hist h = {};

	(void)state;
	for (power = 10; power < 34; power++) {
		for (part = 0; part < 16; part++)
			add_value(&h, middle(power, part), 5);
	}
	assert_int_equal(render_hist(&h, lines), 24);
}

static void only_a_single_distribution_is_drawn(void **state)
{
	struct hist h = {}, none = {};
	struct report r;
	struct page p;

	(void)state;
	add_value(&h, 1000, 5);
	begin(&r, &dist_layout);
	cell_dist(&table_add(&r.rows)[0], &none);
	render_page(&p, &r);
	assert_int_equal(p.count, 3);
	page_free(&p);
	table_clear(&r.rows);
	cell_dist(&table_add(&r.rows)[0], &h);
	cell_dist(&table_add(&r.rows)[0], &h);
	render_page(&p, &r);
	assert_int_equal(p.count, 4);
	page_free(&p);
	end(&r);
}

static void reports_are_parted_by_one_blank_line(void **state)
{
	struct output out = {};
	struct report r;
	char *text = NULL;
	struct page p;
	size_t size, i;

	(void)state;
	begin(&r, &layout);
	add_row(&r.rows, "a", 1);
	add_row(&r.rows, "b", 2);
	out.file = open_memstream(&text, &size);
	for (i = 0; i < 3; i++)
		text_renderer.report(&out, &r);
	fclose(out.file);
	page_of(&p, text);
	assert_int_equal(p.count, 3 * 4 + 2);
	for (i = 0; i < p.count; i++)
		assert_int_equal(!*p.lines[i], i % 5 == 4);
	page_free(&p);
	end(&r);
}

static const struct column ran_columns[] = {
	{ .name = "comm", .type = CELL_STRING },
	{ .name = "tid", .type = CELL_ID },
	{ .name = "sum", .type = CELL_DURATION },
};

static const struct layout ran_layout = LAYOUT(ran_columns);

static const struct column event_columns[] = {
	{ .name = "time", .type = CELL_TIME },
	{ .name = "delay", .type = CELL_DURATION },
	{ .name = "ran", .title = "ran meanwhile", .type = CELL_TABLE, .layout = &ran_layout },
	{ .name = "happened", .type = CELL_TABLE, .layout = &ran_layout, .below = true },
};

static const struct layout event_layout = LAYOUT(event_columns);

static void add_ran(struct table *t, const char *comm, uint64_t tid, uint64_t sum)
{
	struct cell *row = table_add(t);

	cell_string(&row[0], comm);
	if (tid)
		cell_number(&row[1], tid);
	cell_number(&row[2], sum);
}

static void add_event(struct table *t, bool below)
{
	struct cell *row = table_add(t);
	struct table *ran;

	cell_number(&row[0], WHEN);
	cell_number(&row[1], 12000000);
	ran = cell_table(&row[2], &ran_layout);
	add_ran(ran, "make", 77, 9000000);
	add_ran(ran, "id\nle", 0, 3000000);
	if (!below)
		return;
	ran = cell_table(&row[3], &ran_layout);
	add_ran(ran, "first", 1, 1000);
	add_ran(ran, "second", 2, 2000);
}

static void an_event_is_a_line_with_what_belongs_to_it(void **state)
{
	struct output out = {};
	struct table events;
	char *text = NULL;
	struct page p;
	char *fields[32];
	size_t size;

	(void)state;
	table_init(&events, &event_layout);
	add_event(&events, false);
	out.file = open_memstream(&text, &size);
	assert_true(text_renderer.events(&out, &events));
	/* Once they are shown they are not shown again; the head stays. */
	table_clear(&events);
	add_event(&events, true);
	assert_true(text_renderer.events(&out, &events));
	fclose(out.file);
	table_free(&events);

	page_of(&p, text);
	assert_int_equal(p.count, 5);
	assert_int_equal(split(p.lines[0], fields), 3);
	assert_string_equal(fields[0], "time");
	assert_string_equal(fields[1], "delay");
	assert_string_equal(fields[2], "ran meanwhile");
	assert_string_equal(p.lines[1], p.lines[2]);
	assert_int_equal(split(p.lines[1], fields), 3);
	assert_string_equal(fields[0], WHEN_LOCAL);
	assert_string_equal(fields[1], "12.00 ms");
	assert_string_equal(fields[2], "make 77 9.000 ms, id?le 3.000 ms");
	/* What is shown below stands to the right of the event. */
	assert_int_equal(p.lines[3][0], ' ');
	assert_int_equal(split(p.lines[3], fields), 3);
	assert_string_equal(fields[0], "first");
	assert_string_equal(fields[2], "1.000 us");
	assert_int_equal(split(p.lines[4], fields), 3);
	assert_string_equal(fields[0], "second");
	assert_string_equal(fields[1], "2");
	page_free(&p);
}

static void a_report_after_events_stands_apart(void **state)
{
	struct output out = {};
	struct table events;
	struct report r;
	char *text = NULL;
	struct page p;
	size_t size;

	(void)state;
	begin(&r, &layout);
	table_init(&events, &event_layout);
	add_event(&events, false);
	out.file = open_memstream(&text, &size);
	text_renderer.events(&out, &events);
	text_renderer.report(&out, &r);
	text_renderer.events(&out, &events);
	fclose(out.file);
	table_free(&events);
	page_of(&p, text);
	/* Head, event, blank, report of two lines, and the head again: it belongs to a new list. */
	assert_true(p.count >= 7);
	assert_string_equal(p.lines[2], "");
	assert_non_null(strstr(p.lines[3], "rundelay"));
	assert_string_equal(p.lines[p.count - 2], p.lines[0]);
	assert_string_equal(p.lines[p.count - 1], p.lines[1]);
	page_free(&p);
	end(&r);
}

static void without_colour_nothing_but_text_is_printed(void **state)
{
	struct output out = { .colour = true };
	struct report r;
	char *text = NULL, *plain, *on;
	size_t size, codes = 0;

	(void)state;
	begin(&r, &layout);
	add_row(&r.rows, "a", 1);
	plain = render_with(&text_renderer, &r);
	assert_null(strchr(plain, '\033'));

	/* With it, each line that switches something on switches it off again. */
	out.file = open_memstream(&text, &size);
	text_renderer.report(&out, &r);
	fclose(out.file);
	for (on = text; (on = strstr(on, "\033[1m")); on++) {
		assert_non_null(strstr(on, "\033[0m"));
		assert_true(strchr(on, '\n') > strstr(on, "\033[0m"));
		codes++;
	}
	assert_true(codes > 0);
	assert_int_equal(size, strlen(plain) + codes * 8);
	free(text);
	free(plain);
	end(&r);
}

/* Rows are named "row 0", "row 1", ... */
static void check_refresh(unsigned int lines, unsigned int rows)
{
	unsigned int shown, more = 0, i;
	struct report r;
	char name[32], *text, *at;

	begin(&r, &layout);
	for (i = 0; i < rows; i++) {
		snprintf(name, sizeof(name), "row-%u", i);
		add_row(&r.rows, name, i);
	}
	text = render_on_terminal(&r, lines);
	at = cleared(text);
	/* One line less: the cursor stands below. */
	if (newlines(at) >= lines)
		fail_msg("a terminal of %u lines gets %zu", lines, newlines(at));
	for (shown = 0; shown < rows; shown++) {
		snprintf(name, sizeof(name), "\nrow-%u ", shown);
		at = strstr(at, name);
		if (!at)
			break;
	}
	at = strstr(text, " more row");
	if (at) {
		while (at > text && at[-1] >= '0' && at[-1] <= '9')
			at--;
		more = strtoul(at, NULL, 10);
	}
	if (shown + more != rows)
		fail_msg("on %u lines %u rows are shown and %u more are told of", lines, shown,
			 more);
	assert_true(!more || newlines(text) > lines / 2);
	free(text);
	end(&r);
}

static void a_refreshed_report_tells_how_many_rows_do_not_fit(void **state)
{
	(void)state;
	check_refresh(24, 40);
	check_refresh(24, 5);
	check_refresh(24, 0);
	check_refresh(10, 11);
	check_refresh(50, 44);
	check_refresh(50, 45);
	check_refresh(50, 46);
	check_refresh(50, 47);
	check_refresh(50, 200);
}

static void a_small_terminal_is_no_different(void **state)
{
	(void)state;
	check_refresh(6, 40);
	check_refresh(5, 40);
}

/* Or the title and the figures, which are on top, would be gone. */
static void a_refreshed_histogram_fits_the_terminal(void **state)
{
	unsigned int power;
	struct hist h = {};
	struct report r;
	char *text;

	(void)state;
	for (power = 10; power < 38; power++)
		add_value(&h, middle(power, 5), 5);
	begin(&r, &dist_layout);
	cell_dist(&table_add(&r.rows)[0], &h);
	text = render_on_terminal(&r, 24);
	if (newlines(cleared(text)) >= 24)
		fail_msg("a terminal of 24 lines gets %zu", newlines(cleared(text)));
	free(text);
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_opens_with_the_local_time_and_what_it_covers),
		cmocka_unit_test(columns_are_headed_by_their_titles),
		cmocka_unit_test(figures_are_those_of_the_table),
		cmocka_unit_test(each_percentile_stands_below_its_head),
		cmocka_unit_test(columns_of_json_are_not_shown_and_strings_may_be_on_the_right),
		cmocka_unit_test(what_has_no_value_is_a_dash),
		cmocka_unit_test(a_row_may_lack_its_distribution),
		cmocka_unit_test(columns_are_aligned),
		cmocka_unit_test(columns_are_aligned_however_large_the_figures),
		cmocka_unit_test(a_last_column_of_numbers_ends_where_its_head_does),
		cmocka_unit_test(a_last_column_of_text_begins_where_its_head_does),
		cmocka_unit_test(a_name_cannot_steer_the_terminal),
		cmocka_unit_test(a_long_name_is_whole_or_seen_to_be_cut_off),
		cmocka_unit_test(a_histogram_shows_where_the_values_are),
		cmocka_unit_test(any_histogram_is_true),
		cmocka_unit_test(a_narrow_histogram_has_all_the_resolution_there_is),
		cmocka_unit_test(a_histogram_has_at_most_24_lines_for_24_powers_of_two),
		cmocka_unit_test(only_a_single_distribution_is_drawn),
		cmocka_unit_test(reports_are_parted_by_one_blank_line),
		cmocka_unit_test(an_event_is_a_line_with_what_belongs_to_it),
		cmocka_unit_test(a_report_after_events_stands_apart),
		cmocka_unit_test(without_colour_nothing_but_text_is_printed),
		cmocka_unit_test(a_refreshed_report_tells_how_many_rows_do_not_fit),
		cmocka_unit_test(a_small_terminal_is_no_different),
		cmocka_unit_test(a_refreshed_histogram_fits_the_terminal),
	};

	set_clocks();
	return cmocka_run_group_tests_name("reports as text", tests, NULL, NULL);
}
