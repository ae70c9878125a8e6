// SPDX-License-Identifier: GPL-2.0-only
/* Reports with stacks, percentages and functions: as text and as JSON, from the same tables. */
#include "helpers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "functions.h"
#include "utf8.h"

enum {
	COUNT_OF,
	SHARE,
	COMM,
	AT,
	STACK
};

static const struct column columns[] = {
	[COUNT_OF] = { .name = "count", .title = "samples", .type = CELL_COUNT, .adds_up = true },
	[SHARE] = { .name = "count",
		    .title = "percent",
		    .type = CELL_PERCENT,
		    .share_of = COUNT_OF + 1 },
	[COMM] = { .name = "comm", .type = CELL_STRING },
	[AT] = { .name = "at", .type = CELL_ADDRESS },
	[STACK] = { .name = "stack", .type = CELL_STACK },
};

static const struct layout layout = {
	.columns = columns,
	.count = COUNT(columns),
	.rows_are = "stacks",
	.most_shown = 10,
};

static const struct column about_columns[] = {
	{ .name = "event", .title = "", .type = CELL_STRING },
	{ .name = "frequency_hz", .title = "Hz", .type = CELL_COUNT },
	{ .name = "missing", .type = CELL_COUNT },
	{ .name = "cpu", .title = "of their time", .type = CELL_PERCENT },
};

static const struct layout about_layout = LAYOUT(about_columns);

/* In the order of the leaf first: what a stack may have. */
static const struct frame frames[] = {
	{ .name = "schedule",
	  .module = "[kernel]",
	  .addr = 0xffffffff81000010,
	  .offset = 0x10,
	  .kernel = true },
	{ .module = "[nf_tables]", .addr = 0xffffffffc0001234, .kernel = true },
	{ .name = "[cut off]", .kernel = true },
	{ .name = "push_back",
	  .module = "/bin/a b",
	  .file = "/src/vec.h",
	  .line = 7,
	  .addr = 0x5000,
	  .inlined = true },
	{ .name = "main",
	  .module = "/bin/a b",
	  .file = "/src/main.c",
	  .line = 70,
	  .addr = 0x5000,
	  .offset = 300 },
	{ .name = "start", .module = "/bin/a b", .addr = 0x4000 },
	{ .name = "anonymous", .addr = 0x3000, .offset = 1 },
	{ .module = "/lib/libc.so.6", .addr = 0x7f0000001000 },
	{ .addr = 0xdead },
	{ .name = "[stack lost]" },
};

static struct cell *add(struct table *t, uint64_t count, const char *comm, const struct frame *of,
			unsigned int frame_count)
{
	struct cell *row = table_add(t);

	cell_number(&row[COUNT_OF], count);
	cell_string(&row[COMM], comm);
	cell_stack(&row[STACK], chain_of(of, frame_count));
	return row;
}

static void a_stack_stands_below_its_row_leaf_first(void **state)
{
	static const char *const expected[] = {
		"schedule+0x10 [kernel]",
		"0xffffffffc0001234 [nf_tables]",
		"[cut off]",
		"push_back (/bin/a b) inlined /src/vec.h:7",
		"main+0x12c (/bin/a b) /src/main.c:70",
		"start+0x0 (/bin/a b)",
		"anonymous+0x1",
		"0x7f0000001000 (/lib/libc.so.6)",
		"0xdead",
		"[stack lost]",
	};
	struct report r;
	struct page p;
	size_t i;

	(void)state;
	begin(&r, &layout);
	add(&r.rows, 3, "nginx", frames, COUNT(frames));
	add(&r.rows, 2, "redis", frames + 8, 1);
	add(&r.rows, 1, "none", frames, 0);
	page_of(&p, render_with(&text_renderer, &r));
	assert_int_equal(p.count, 2 + 1 + COUNT(frames) + 1 + 1 + 1);
	assert_null(strstr(p.lines[1], "stack"));
	assert_non_null(strstr(p.lines[2], "nginx"));
	for (i = 0; i < COUNT(frames); i++) {
		const char *line = p.lines[3 + i], *text = line + strspn(line, " ");

		assert_true(text - line >= 4);
		assert_string_equal(text, expected[i]);
	}
	assert_non_null(strstr(p.lines[13], "redis"));
	assert_string_equal(p.lines[14] + strspn(p.lines[14], " "), "0xdead");
	assert_non_null(strstr(p.lines[15], "none"));
	page_free(&p);
	end(&r);
}

static void check_source(json_object *object, const char *file, uint64_t line)
{
	if (!file) {
		assert_false(json_object_object_get_ex(object, "file", NULL));
		assert_false(json_object_object_get_ex(object, "line", NULL));
		return;
	}
	check_string(object, "file", file);
	check_number(object, "line", line);
}

static void a_stack_is_an_array_of_frames_leaf_first(void **state)
{
	static const char *const addrs[] = {
		[1] = "0xffffffffc0001234", [7] = "0x7f0000001000", [8] = "0xdead"
	};
	/* How many members each has; none but those that are checked. */
	static const int sizes[] = { 3, 3, 1, 5, 5, 3, 2, 3, 2, 1 };
	json_object *object, *row, *frame;
	struct report r;
	size_t i;

	(void)state;
	begin(&r, &layout);
	add(&r.rows, 3, "nginx", frames, COUNT(frames));
	add(&r.rows, 1, "none", frames, 0);
	object = render_and_parse(&r);
	row = element(object, "rows", 0, 2);
	for (i = 0; i < COUNT(frames); i++) {
		frame = element(row, "stack", i, COUNT(frames));
		assert_int_equal(json_object_object_length(frame), sizes[i]);
		if (frames[i].name)
			check_string(frame, "name", frames[i].name);
		else
			check_null(frame, "name");
		if (!frames[i].name)
			check_string(frame, "addr", addrs[i]);
		else if (!frames[i].inlined && frames[i].addr)
			check_number(frame, "offset", frames[i].offset);
		if (frames[i].module)
			check_string(frame, "module", frames[i].module);
		check_source(frame, frames[i].file, frames[i].line);
		if (frames[i].inlined)
			assert_true(json_object_get_boolean(member(frame, "inlined")));
	}
	element(element(object, "rows", 1, 2), "stack", 0, 0);
	json_object_put(object);
	end(&r);
}

/* As the JSON has a number, digit by digit. */
static void check_digits(json_object *object, const char *name, const char *digits)
{
	json_object *value = member(object, name);

	assert_true(json_object_is_type(value, json_type_double));
	assert_string_equal(json_object_to_json_string(value), digits);
}

static void percentages_and_addresses_are_those_of_the_table(void **state)
{
	static const struct {
		uint64_t percent, address;
		const char *text, *json, *hex;
	} table[] = {
		{ 0, 0, "0.00 %", "0.00", "0x0" },
		{ 1, 0x10, "0.01 %", "0.01", "0x10" },
		{ 3333, 0xdeadbeef, "33.33 %", "33.33", "0xdeadbeef" },
		{ 10000, UINT64_MAX, "100.00 %", "100.00", "0xffffffffffffffff" },
		{ 123456, 1ULL << 63, "1234.56 %", "1234.56", "0x8000000000000000" },
	};
	json_object *object;
	struct report r;
	struct page p;
	size_t i;

	(void)state;
	begin(&r, &layout);
	for (i = 0; i < COUNT(table); i++) {
		struct cell *row = add(&r.rows, 1, "a", NULL, 0);

		cell_number(&row[SHARE], table[i].percent);
		cell_number(&row[AT], table[i].address);
	}
	add(&r.rows, 1, "unset", NULL, 0);
	object = render_and_parse(&r);
	page_of(&p, render_with(&text_renderer, &r));
	assert_int_equal(p.count, 2 + COUNT(table) + 1);
	for (i = 0; i < COUNT(table); i++) {
		json_object *row = element(object, "rows", i, COUNT(table) + 1);

		check_digits(row, "count_percent", table[i].json);
		check_string(row, "at", table[i].hex);
		assert_non_null(strstr(p.lines[2 + i], table[i].text));
		assert_non_null(strstr(p.lines[2 + i], table[i].hex));
		/* The address is the last that is shown, and stands on the right. */
		assert_int_equal(strlen(p.lines[2 + i]), strlen(p.lines[1]));
	}
	assert_null(strchr(p.lines[2 + i], '%'));
	assert_int_equal(json_object_object_length(element(object, "rows", i, COUNT(table) + 1)),
			 3);
	page_free(&p);
	json_object_put(object);
	end(&r);
}

static void what_holds_for_all_rows_stands_in_the_first_line(void **state)
{
	json_object *object;
	struct cell *about;
	struct report r;
	struct page p;

	(void)state;
	begin(&r, &layout);
	table_init(&r.about, &about_layout);
	/* Without its row there is nothing to tell. */
	page_of(&p, render_with(&text_renderer, &r));
	assert_string_equal(p.lines[0], WHEN_LOCAL "  rundelay, the last 2.500 s");
	page_free(&p);

	about = table_add(&r.about);
	cell_string(&about[0], "cpu-clock");
	cell_number(&about[1], 4999);
	cell_number(&about[3], 9876);
	page_of(&p, render_with(&text_renderer, &r));
	assert_string_equal(p.lines[0], WHEN_LOCAL
			    "  rundelay, the last 2.500 s: cpu-clock, 4,999 Hz, 98.76 % of their "
			    "time");
	page_free(&p);
	/* In JSON they are the report's own members, in front of the rows. */
	object = render_and_parse(&r);
	check_string(object, "event", "cpu-clock");
	check_number(object, "frequency_hz", 4999);
	check_digits(object, "cpu_percent", "98.76");
	assert_false(json_object_object_get_ex(object, "missing", NULL));
	assert_int_equal(json_object_object_length(object), 9);
	json_object_put(object);
	end(&r);
}

/* @count rows; each has a function of its own, "f0" the hottest, called by one of all. */
static void begin_functions(struct report *r, unsigned int count)
{
	/* Names are kept, as those of frames are. */
	static char names[100][16];
	unsigned int i;

	begin(r, &layout);
	table_init(&r->functions, &functions_layout);
	for (i = 0; i < count; i++) {
		const struct frame stack[] = {
			{ .name = names[i], .module = "/bin/a", .addr = 1 + i },
			{ .name = "main", .module = "/bin/a", .addr = 0x1000 },
		};

		snprintf(names[i], sizeof(names[i]), "f%u", i);
		add(&r->rows, 200 - i, "nginx", stack, 2);
	}
	table_shares(&r->rows);
	functions_fill(&r->functions, &r->rows);
}

/* Is there a line that begins with a percentage and has @name as its function? */
static bool shows_function(const struct page *p, const char *name)
{
	char word[32];
	size_t i;

	snprintf(word, sizeof(word), "  %s ", name);
	for (i = 0; i < p->count; i++) {
		if (strstr(p->lines[i], word) && strstr(p->lines[i], " %  "))
			return true;
	}
	return false;
}

static size_t find_line(const struct page *p, const char *what)
{
	size_t i;

	for (i = 0; i < p->count; i++) {
		if (strstr(p->lines[i], what))
			return i;
	}
	fail_msg("no line has '%s'", what);
	return 0;
}

static void functions_stand_above_the_stacks(void **state)
{
	json_object *object, *function;
	struct report r;
	struct page p;

	(void)state;
	begin_functions(&r, 3);
	page_of(&p, render_with(&text_renderer, &r));
	/* Title, head, f0 f1 f2 main, blank, head, and three rows with two frames each. */
	assert_int_equal(p.count, 2 + 4 + 1 + 1 + 9);
	assert_non_null(strstr(p.lines[1], "function"));
	assert_non_null(strstr(p.lines[2], "  f0 "));
	assert_non_null(strstr(p.lines[5], "  main "));
	assert_string_equal(p.lines[6], "");
	assert_non_null(strstr(p.lines[7], "samples"));
	/* 200 of 597. */
	assert_non_null(strstr(p.lines[2], "33.50 %"));
	assert_non_null(strstr(p.lines[5], "0.00 %"));
	assert_non_null(strstr(p.lines[5], "100.00 %"));
	page_free(&p);

	object = render_and_parse(&r);
	function = element(object, "functions", 0, 4);
	check_string(function, "name", "f0");
	check_string(function, "module", "/bin/a");
	check_number(function, "self", 200);
	check_number(function, "total", 200);
	check_digits(function, "self_percent", "33.50");
	check_digits(function, "total_percent", "33.50");
	function = element(object, "functions", 3, 4);
	check_string(function, "name", "main");
	check_number(function, "self", 0);
	check_number(function, "total", 597);
	check_digits(function, "total_percent", "100.00");
	element(object, "rows", 0, 3);
	json_object_put(object);
	end(&r);
}

static void only_so_many_are_shown_and_the_rest_is_told(void **state)
{
	json_object *object;
	struct report r;
	struct page p;

	(void)state;
	begin_functions(&r, 30);
	page_of(&p, render_with(&text_renderer, &r));
	/* Title, head, 20 functions, their note, blank, head, 10 rows of 3 lines, their note. */
	assert_int_equal(p.count, 2 + 20 + 1 + 1 + 1 + 30 + 1);
	assert_true(shows_function(&p, "f0") && shows_function(&p, "f19"));
	assert_false(shows_function(&p, "f20"));
	assert_string_equal(p.lines[22], "... 11 more functions; --json has them all");
	assert_string_equal(p.lines[23], "");
	assert_string_equal(p.lines[p.count - 1], "... 20 more stacks; --json has them all");
	page_free(&p);
	/* As it says. */
	object = render_and_parse(&r);
	element(object, "functions", 0, 31);
	check_number(element(object, "rows", 29, 30), "count", 171);
	json_object_put(object);
	end(&r);

	/* Exactly as many need no note. */
	begin_functions(&r, 10);
	page_of(&p, render_with(&text_renderer, &r));
	assert_int_equal(p.count, 2 + 11 + 1 + 1 + 30);
	page_free(&p);
	end(&r);
	begin_functions(&r, 11);
	page_of(&p, render_with(&text_renderer, &r));
	assert_int_equal(find_line(&p, "... 1 more stacks; --json has them all"), p.count - 1);
	page_free(&p);
	end(&r);
}

static void functions_may_stand_alone(void **state)
{
	json_object *object;
	struct report r;
	struct page p;

	(void)state;
	begin_functions(&r, 3);
	r.only_functions = true;
	page_of(&p, render_with(&text_renderer, &r));
	assert_int_equal(p.count, 2 + 4);
	assert_true(shows_function(&p, "main"));
	page_free(&p);
	/* Text shows never more than JSON, but it may show less. */
	object = render_and_parse(&r);
	element(object, "rows", 0, 3);
	json_object_put(object);
	end(&r);
}

static void without_stacks_the_functions_are_an_empty_table(void **state)
{
	json_object *object;
	struct report r;
	struct page p;

	(void)state;
	begin_functions(&r, 0);
	page_of(&p, render_with(&text_renderer, &r));
	assert_int_equal(p.count, 2 + 1 + 1);
	page_free(&p);
	object = render_and_parse(&r);
	element(object, "functions", 0, 0);
	element(object, "rows", 0, 0);
	json_object_put(object);
	end(&r);
	/* Of a unit without them there is not even that. */
	begin(&r, &layout);
	object = render_and_parse(&r);
	assert_false(json_object_object_get_ex(object, "functions", NULL));
	json_object_put(object);
	end(&r);
}

/* The functions that a terminal of @lines shows, checked against those that it tells of. */
static void check_refresh(unsigned int lines, unsigned int count, unsigned int at_least)
{
	unsigned int shown = 0, more = 0, i;
	char name[16], *text;
	struct report r;
	struct page p;

	begin_functions(&r, count);
	text = render_on_terminal(&r, lines);
	/* What a terminal cannot hold is not sent there, down to what makes a report. */
	if (lines >= 5 && newlines(cleared(text)) >= lines)
		fail_msg("a terminal of %u lines gets %zu", lines, newlines(cleared(text)));
	page_of(&p, text);
	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		shown += shows_function(&p, name);
	}
	shown += shows_function(&p, "main");
	for (i = 0; i < p.count; i++)
		sscanf(p.lines[i], "... %u more functions", &more);
	if (shown + more != count + (count > 0))
		fail_msg("on %u lines %u functions of %u are shown and %u more are told of", lines,
			 shown, count + 1, more);
	if (shown < at_least || shown > 20)
		fail_msg("on %u lines %u functions are shown", lines, shown);
	/* No stacks: they take more lines than a screen has. */
	for (i = 0; i < p.count; i++)
		assert_null(strstr(p.lines[i], "+0x"));
	page_free(&p);
	end(&r);
}

static void a_refreshed_table_of_functions_fits_the_terminal(void **state)
{
	unsigned int lines;

	(void)state;
	for (lines = 1; lines < 60; lines++) {
		check_refresh(lines, 50, 1);
		check_refresh(lines, 3, 1);
		check_refresh(lines, 0, 0);
	}
	/* Title, head, note, and the line of the cursor are not functions. */
	check_refresh(24, 50, 20);
	check_refresh(23, 50, 19);
	check_refresh(24, 19, 20);
	/* A terminal that does not say how many lines it has. */
	check_refresh(0, 50, 20);
}

static const char *const hostile[] = {
	"\033[2J\033]0;owned\a",
	"a\nb\tc\r",
	"\x01\x7f\xc2\x9b"
	"2J",
	"\xff\xfe\x80",
	"\xc3",
	"say \"hi\" \\ </script>",
	"%s%n%d",
	"äöü€😀",
};

static void names_cannot_steer_the_terminal(void **state)
{
	struct report r;
	struct page p;
	size_t i, j;

	(void)state;
	begin(&r, &layout);
	table_init(&r.functions, &functions_layout);
	for (i = 0; i < COUNT(hostile); i++) {
		const struct frame frame = { .name = hostile[i],
					     .module = hostile[i],
					     .file = hostile[i],
					     .line = 3,
					     .addr = 5,
					     .offset = 4 };

		add(&r.rows, 1, hostile[i], &frame, 1);
	}
	functions_fill(&r.functions, &r.rows);
	page_of(&p, render_with(&text_renderer, &r));
	/* Functions, and each stack's row and frame, a line each. */
	assert_int_equal(p.count, 2 + COUNT(hostile) + 2 + 2 * COUNT(hostile));
	for (i = 0; i < p.count; i++) {
		for (j = 0; p.lines[i][j]; j += utf8_length(p.lines[i] + j)) {
			unsigned char c = p.lines[i][j];

			assert_true(utf8_length(p.lines[i] + j) && c >= 0x20 && c != 0x7f);
			assert_false(c == 0xc2 && (unsigned char)p.lines[i][j + 1] < 0xa0);
		}
	}
	/* What can be shown is. */
	find_line(&p, "        ?[2J?]0;owned?+0x4 (?[2J?]0;owned?) ?[2J?]0;owned?:3");
	find_line(&p, "        say \"hi\" \\ </script>+0x4 ");
	find_line(&p, "        %s%n%d+0x4 (%s%n%d) %s%n%d:3");
	find_line(&p, "        äöü€😀+0x4 (äöü€😀) äöü€😀:3");
	page_free(&p);
	end(&r);
}

static void names_come_back_from_json_as_they_were(void **state)
{
	json_object *object, *frame;
	struct report r;
	char clean[128];
	size_t i;

	(void)state;
	begin(&r, &layout);
	for (i = 0; i < COUNT(hostile); i++) {
		const struct frame with = { .name = hostile[i],
					    .module = hostile[i],
					    .file = hostile[i],
					    .line = 3,
					    .addr = 5 };

		add(&r.rows, 1, "a", &with, 1);
	}
	object = render_and_parse(&r);
	for (i = 0; i < COUNT(hostile); i++) {
		frame = element(element(object, "rows", i, COUNT(hostile)), "stack", 0, 1);
		/* Invalid UTF-8 aside. */
		utf8_clean(clean, sizeof(clean), hostile[i], false);
		check_string(frame, "name", clean);
		check_string(frame, "module", clean);
		check_string(frame, "file", clean);
	}
	json_object_put(object);
	end(&r);
}

/* As C++ has them. */
static void a_long_name_is_a_line_all_the_same(void **state)
{
	static const size_t lengths[] = { 40, 41, 127, 128, 500, 1000, 20000 };
	char *name = malloc(20001);
	json_object *object;
	struct report r;
	struct page p;
	size_t i;

	(void)state;
	assert_non_null(name);
	for (i = 0; i < COUNT(lengths); i++) {
		struct frame frame = { .name = name, .module = name, .addr = 1, .offset = 2 };

		memset(name, 'n', lengths[i]);
		name[lengths[i]] = 0;
		begin(&r, &layout);
		table_init(&r.functions, &functions_layout);
		add(&r.rows, 1, "a", &frame, 1);
		functions_fill(&r.functions, &r.rows);
		page_of(&p, render_with(&text_renderer, &r));
		assert_int_equal(p.count, 2 + 1 + 1 + 1 + 2);
		assert_non_null(
			strstr(p.lines[6], lengths[i] > 1023 ? "nnn...+0x2 (nnn" : "nnn+0x2 (nnn"));
		if (lengths[i] <= 500)
			assert_non_null(strstr(p.lines[6], name));
		assert_int_equal(p.lines[6][strlen(p.lines[6]) - 1], ')');
		page_free(&p);
		/* JSON has all of it. */
		object = render_and_parse(&r);
		check_string(element(element(object, "rows", 0, 1), "stack", 0, 1), "name", name);
		check_string(element(object, "functions", 0, 1), "name", name);
		check_string(element(object, "functions", 0, 1), "module", name);
		json_object_put(object);
		end(&r);
	}
	free(name);
}

static void an_events_stack_stands_below_it(void **state)
{
	struct output out = {};
	struct table events;
	char *text = NULL;
	struct page p;
	size_t size;

	(void)state;
	table_init(&events, &layout);
	add(&events, 1, "one", frames, 3);
	/* Of this one no stack is known. */
	cell_string(&table_add(&events)[COMM], "two");
	add(&events, 1, "three", frames, 1);
	out.file = open_memstream(&text, &size);
	assert_true(text_renderer.events(&out, &events));
	fclose(out.file);
	table_free(&events);
	page_of(&p, text);
	assert_int_equal(p.count, 1 + 4 + 1 + 2);
	assert_non_null(strstr(p.lines[1], "one"));
	assert_non_null(strstr(p.lines[2], "schedule+0x10"));
	assert_non_null(strstr(p.lines[5], "two"));
	assert_non_null(strstr(p.lines[6], "three"));
	assert_non_null(strstr(p.lines[7], "schedule+0x10"));
	page_free(&p);
}

static void a_report_may_lack_a_stack(void **state)
{
	json_object *object;
	struct report r;
	struct page p;

	(void)state;
	begin(&r, &layout);
	cell_string(&table_add(&r.rows)[COMM], "two");
	page_of(&p, render_with(&text_renderer, &r));
	assert_int_equal(p.count, 3);
	page_free(&p);
	object = render_and_parse(&r);
	assert_int_equal(json_object_object_length(element(object, "rows", 0, 1)), 1);
	json_object_put(object);
	end(&r);
}

/* Any bytes in any place: the JSON parses, and the text stays in its lines. */
static void no_bytes_break_a_report(void **state)
{
	struct report r;
	struct page p;
	int i, j, k;

	(void)state;
	begin(&r, &layout);
	for (i = 0; i < 10; i++) {
		static char texts[10][5][3][16];
		struct frame random[5] = {};

		for (j = 0; j < 5; j++) {
			for (k = 0; k < 45; k++)
				texts[i][j][k / 15][k % 15] = 1 + random64() % 255;
			random[j] = (struct frame){
				.name = random64() % 4 ? texts[i][j][0] : NULL,
				.module = random64() % 4 ? texts[i][j][1] : NULL,
				.file = random64() % 2 ? texts[i][j][2] : NULL,
				.line = random64(),
				.addr = random64(),
				.offset = random64(),
				.inlined = random64() % 2,
			};
		}
		add(&r.rows, random64(), texts[i][0][0], random, 5);
	}
	json_object_put(render_and_parse(&r));
	page_of(&p, render_with(&text_renderer, &r));
	assert_int_equal(p.count, 2 + 10 * 6);
	page_free(&p);
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stack_stands_below_its_row_leaf_first),
		cmocka_unit_test(a_stack_is_an_array_of_frames_leaf_first),
		cmocka_unit_test(percentages_and_addresses_are_those_of_the_table),
		cmocka_unit_test(what_holds_for_all_rows_stands_in_the_first_line),
		cmocka_unit_test(functions_stand_above_the_stacks),
		cmocka_unit_test(only_so_many_are_shown_and_the_rest_is_told),
		cmocka_unit_test(functions_may_stand_alone),
		cmocka_unit_test(without_stacks_the_functions_are_an_empty_table),
		cmocka_unit_test(a_refreshed_table_of_functions_fits_the_terminal),
		cmocka_unit_test(names_cannot_steer_the_terminal),
		cmocka_unit_test(names_come_back_from_json_as_they_were),
		cmocka_unit_test(a_long_name_is_a_line_all_the_same),
		cmocka_unit_test(an_events_stack_stands_below_it),
		cmocka_unit_test(a_report_may_lack_a_stack),
		cmocka_unit_test(no_bytes_break_a_report),
	};

	set_clocks();
	return cmocka_run_group_tests_name("reports of stacks", tests, NULL, NULL);
}
