// SPDX-License-Identifier: GPL-2.0-only
/* Tests of flame graphs: the model, folded lines, and what is true of the picture. */

#include "helpers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "flamegraph.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct flamegraph *graph(void)
{
	const struct flamegraph_opts opts = { .title = "test" };
	struct flamegraph *fg = flamegraph_new(&opts);

	assert_non_null(fg);
	return fg;
}

static struct flamegraph *graph_of(const char *folded)
{
	struct flamegraph *fg = graph();
	FILE *f = file_of(folded);

	assert_int_equal(flamegraph_read_folded(fg, f, NULL), 0);
	fclose(f);
	return fg;
}

static char *folded_of(struct flamegraph *fg, const char *prefix)
{
	FILE *f = capture();

	assert_int_equal(flamegraph_write_folded(fg, f, prefix), 0);
	return captured(f);
}

static char *svg_of(struct flamegraph *fg)
{
	FILE *f = capture();

	assert_int_equal(flamegraph_write_svg(fg, f), 0);
	return captured(f);
}

static void assert_folded(struct flamegraph *fg, const char *prefix, const char *expected)
{
	char *text = folded_of(fg, prefix);

	assert_string_equal(text, expected);
	free(text);
}

static void same_stacks_are_one(void **state)
{
	const char *const read[] = { "nginx", "main", "read" };
	const char *const other[] = { "nginx", "main" };
	struct flamegraph *fg = graph();

	(void)state;
	assert_int_equal(flamegraph_add(fg, read, 3, 5), 0);
	assert_int_equal(flamegraph_add(fg, other, 2, 1), 0);
	assert_int_equal(flamegraph_add(fg, read, 3, 7), 0);
	assert_folded(fg, NULL, "nginx;main 1\nnginx;main;read 12\n");
	flamegraph_free(fg);
}

static void stacks_that_end_alike_stay_apart(void **state)
{
	struct flamegraph *fg = graph_of("b;x;z 1\na;y;z 2\na;x;z 4\na;x;z;z 8\n");

	(void)state;
	assert_folded(fg, NULL, "a;x;z 4\na;x;z;z 8\na;y;z 2\nb;x;z 1\n");
	flamegraph_free(fg);
}

static void output_does_not_depend_on_the_order_of_input(void **state)
{
	struct flamegraph *one = graph_of("a;b 1\nc 2\na;b;d 3\na;e_[k] 4\n");
	struct flamegraph *two = graph_of("a;e_[k] 4\na;b;d 1\na;b 1\na;b;d 2\nc 2\n");
	char *first, *second;

	(void)state;
	first = folded_of(one, NULL);
	second = folded_of(two, NULL);
	assert_string_equal(first, second);
	free(first);
	free(second);
	first = svg_of(one);
	second = svg_of(two);
	assert_string_equal(first, second);
	free(first);
	free(second);
	flamegraph_free(one);
	flamegraph_free(two);
}

static void stacks_can_be_added_after_writing(void **state)
{
	struct flamegraph *fg = graph_of("m;b 1\n");
	const char *const a[] = { "m", "a" }, *const c[] = { "m", "c" };

	(void)state;
	assert_folded(fg, NULL, "m;b 1\n");
	assert_int_equal(flamegraph_add(fg, c, 2, 1), 0);
	assert_int_equal(flamegraph_add(fg, a, 2, 1), 0);
	assert_folded(fg, NULL, "m;a 1\nm;b 1\nm;c 1\n");
	flamegraph_free(fg);
}

static void a_prefix_selects_an_interval(void **state)
{
	struct flamegraph *fg = graph_of("a;b 1\nc 2\n");

	(void)state;
	assert_folded(fg, "15:46:33", "15:46:33;a;b 1\n15:46:33;c 2\n");
	assert_folded(fg, "", "a;b 1\nc 2\n");
	assert_folded(fg, "x;y\n", "x:y\xef\xbf\xbd;a;b 1\nx:y\xef\xbf\xbd;c 2\n");
	flamegraph_free(fg);
}

static void names_cannot_break_a_line(void **state)
{
	const char *const frames[] = { "my;app", "two\nlines 7", "", "\xff\x1b[2J", "tail " };
	struct flamegraph *fg = graph(), *again;
	char *text;

	(void)state;
	assert_int_equal(flamegraph_add(fg, frames, COUNT(frames), 3), 0);
	text = folded_of(fg, NULL);
	assert_string_equal(text, "my:app;two\xef\xbf\xbdlines 7;[unknown];"
				  "\xef\xbf\xbd\xef\xbf\xbd[2J;tail  3\n");
	/* What has been written is read as the same. */
	again = graph_of(text);
	assert_folded(again, NULL, text);
	free(text);
	flamegraph_free(fg);
	flamegraph_free(again);
}

static void folded_lines_are_read(void **state)
{
	struct flamegraph *fg = graph_of("# a comment\n\na;operator new(unsigned long) 5\r\n"
					 "a;b c 18446744073709551000\nlast 0\nend 1");

	(void)state;
	assert_folded(fg, NULL,
		      "a;b c 18446744073709551000\na;operator new(unsigned long) 5\nend 1\n");
	flamegraph_free(fg);
}

static void bad_lines_are_named(void **state)
{
	static const char *const bad[] = { "a;b\n",    "5\n",	   " 5\n",
					   "a;b x\n",  "a;b -1\n", "a;b 1.5\n",
					   "a;b +1\n", "a;b 1 \n", "a 18446744073709551616\n" };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		struct flamegraph *fg = graph();
		unsigned long line = 0;
		char text[64];
		FILE *f;

		snprintf(text, sizeof(text), "good 1\n\n%snext 1\n", bad[i]);
		f = file_of(text);
		assert_int_equal(flamegraph_read_folded(fg, f, &line), -EINVAL);
		assert_int_equal(line, 3);
		assert_folded(fg, NULL, "good 1\n");
		fclose(f);
		flamegraph_free(fg);
	}
}

static void a_nul_in_a_line_is_refused(void **state)
{
	static const char text[] = "a;b\0c 1\n";
	struct flamegraph *fg = graph();
	FILE *f = fmemopen((void *)text, sizeof(text) - 1, "r");
	unsigned long line = 0;

	(void)state;
	assert_int_equal(flamegraph_read_folded(fg, f, &line), -EINVAL);
	assert_int_equal(line, 1);
	fclose(f);
	flamegraph_free(fg);
}

static void weights_cannot_overflow(void **state)
{
	const char *const a[] = { "a" }, *const b[] = { "b", "c" };
	struct flamegraph *fg = graph();

	(void)state;
	assert_int_equal(flamegraph_add(fg, a, 0, 1), -EINVAL);
	assert_int_equal(flamegraph_add(fg, a, 1, 0), 0);
	assert_int_equal(flamegraph_add(fg, a, 1, UINT64_MAX), 0);
	assert_int_equal(flamegraph_add(fg, b, 2, 1), -EOVERFLOW);
	assert_folded(fg, NULL, "a 18446744073709551615\n");
	flamegraph_free(fg);
}

/* A frame as the picture has it. */
struct drawn {
	int row;
	uint64_t start, weight;
	double x, width;
};

static size_t read_drawn(const char *svg, struct drawn *drawn, size_t room)
{
	const char *s = svg;
	int row = -1, y;
	size_t n = 0;

	while ((s = strstr(s, "<g "))) {
		if (sscanf(s, "<g transform=\"translate(0,%d)\">", &y) == 1 && y > 50) {
			row++;
		} else if (sscanf(s, "<g class=\"%*[a-z0-9]\" data-r=\"%" SCNu64 " %" SCNu64,
				  &drawn[n].start, &drawn[n].weight) == 2) {
			s = strstr(s, "<rect");
			drawn[n].row = row;
			assert_int_equal(sscanf(s, "<rect x=\"%lf\" width=\"%lf\"", &drawn[n].x,
						&drawn[n].width),
					 2);
			assert_true(++n < room);
		}
		s++;
	}
	return n;
}

/* Random stacks: the same each time. */
static struct flamegraph *random_graph(unsigned int stacks, unsigned int depth, unsigned int names)
{
	struct flamegraph *fg = graph();
	char name[64][32];
	const char *frames[64];
	unsigned int seed = 7, i, d;

	assert_true(depth <= 64);
	for (i = 0; i < stacks; i++) {
		unsigned int n = 1 + rand_r(&seed) % depth;

		for (d = 0; d < n; d++) {
			snprintf(name[d], sizeof(name[d]), "function_%u%s",
				 rand_r(&seed) % (d < 4 ? 3 : names), d > depth / 2 ? "_[k]" : "");
			frames[d] = name[d];
		}
		assert_int_equal(flamegraph_add(fg, frames, n, 1 + rand_r(&seed) % 1000), 0);
	}
	return fg;
}

static void frames_lie_within_their_callers(void **state)
{
	enum {
		ROOM = 40000
	};
	struct drawn *drawn = calloc(ROOM, sizeof(*drawn));
	struct flamegraph *fg = random_graph(3000, 20, 50);
	char *svg = svg_of(fg);
	size_t n = read_drawn(svg, drawn, ROOM), i, parent = 0;
	uint64_t sum = 0;

	(void)state;
	assert_true(n > 1000);
	assert_int_equal(drawn[0].row, 0);
	assert_int_equal(drawn[0].start, 0);
	assert_true(drawn[0].x == 10 && drawn[0].width == 1179);
	for (i = 1; i < n; i++) {
		/* The first of the row before that does not end before this begins. */
		while (drawn[parent].row < drawn[i].row - 1 ||
		       (drawn[parent].row == drawn[i].row - 1 &&
			drawn[parent].start + drawn[parent].weight <= drawn[i].start))
			parent++;
		assert_int_equal(drawn[parent].row, drawn[i].row - 1);
		assert_true(drawn[i].start >= drawn[parent].start);
		assert_true(drawn[i].start + drawn[i].weight <=
			    drawn[parent].start + drawn[parent].weight);
		assert_true(drawn[i].x >= drawn[parent].x);
		assert_true(drawn[i].x + drawn[i].width <= 1190);
		/* And next to each other, in a row. */
		if (drawn[i].row == drawn[i - 1].row) {
			assert_true(drawn[i].start >= drawn[i - 1].start + drawn[i - 1].weight);
			assert_true(drawn[i].x >= drawn[i - 1].x + drawn[i - 1].width);
		}
		/* The width is the weight's share, less the gap. */
		assert_true(drawn[i].width <= 1180.0 * drawn[i].weight / drawn[0].weight + 0.011);
		assert_true(drawn[i].width >=
			    1180.0 * drawn[i].weight / drawn[0].weight * 7 / 8 - 1.02);
		if (drawn[i].row == 1)
			sum += drawn[i].weight;
	}
	assert_int_equal(sum, drawn[0].weight);
	free(svg);
	free(drawn);
	flamegraph_free(fg);
}

static void too_narrow_frames_weigh_in_their_callers(void **state)
{
	struct flamegraph *fg = graph_of("a;wide 99990\na;narrow 10\n");
	char *svg = svg_of(fg);

	(void)state;
	/* 10 of 100,000 would be 0.118 pixels; 5 of them are too few. */
	assert_non_null(strstr(svg, "<title>narrow\n"));
	free(svg);
	flamegraph_free(fg);

	fg = graph_of("a;wide 99995\na;narrow 5\n");
	svg = svg_of(fg);
	assert_null(strstr(svg, "<title>narrow\n"));
	assert_non_null(strstr(svg, "<title>a\n100,000 samples, 100.00%</title>"));
	assert_non_null(strstr(svg, " data-r=\"0 100000 5\""));
	free(svg);
	flamegraph_free(fg);
}

static void a_picture_has_a_bounded_number_of_frames(void **state)
{
	struct flamegraph *fg = graph();
	char name[100][32];
	const char *frames[100];
	char *svg;
	size_t drawn;
	int i, d;

	(void)state;
	for (i = 0; i < 2000; i++) {
		for (d = 0; d < 100; d++) {
			snprintf(name[d], sizeof(name[d]), "f%d", d < 2 ? d : i);
			frames[d] = name[d];
		}
		/* Half of them are four times as wide. */
		assert_int_equal(flamegraph_add(fg, frames, d, i % 10 ? 1 : 9), 0);
	}
	svg = svg_of(fg);
	drawn = occurrences(svg, " data-r=");
	assert_in_range(drawn, 200 * 98, 30000);
	assert_non_null(strstr(svg, " px left out"));
	free(svg);
	flamegraph_free(fg);
}

static void deep_stacks_do_no_harm(void **state)
{
	enum {
		DEPTH = 50000
	};
	const char **frames = calloc(DEPTH, sizeof(*frames));
	struct flamegraph *fg = graph();
	char *text;
	int i;

	(void)state;
	for (i = 0; i < DEPTH; i++)
		frames[i] = i % 2 ? "odd" : "even";
	assert_int_equal(flamegraph_add(fg, frames, DEPTH, 1), 0);
	text = folded_of(fg, NULL);
	assert_int_equal(occurrences(text, ";"), DEPTH - 1);
	free(text);
	text = svg_of(fg);
	assert_int_equal(occurrences(text, " data-r="), 30000);
	assert_non_null(strstr(text, "1 samples, only the outer 30000 frames shown"));
	free(text);
	flamegraph_free(fg);
	free(frames);
}

static void pictures_are_self_contained(void **state)
{
	static const char *const hostile[] = {
		"</script><script>alert(1)</script>",
		"\"><img onerror=alert(1) src=x>",
		"&lt;b&gt;",
		"]]>",
		"<!--",
		"std::map<int, std::vector<char> >::operator[](int const&)",
		"\x01\x02\xff\xfe\xc0\xaf",
		"'\"`${x}\\u003c",
		"a\nb",
	};
	const struct flamegraph_opts opts = { .title = "</title><script>",
					      .subtitle = "<b>&",
					      .unit = "<samples>" };
	struct flamegraph *fg = flamegraph_new(&opts);
	size_t i, scripts;
	char *svg;

	(void)state;
	for (i = 0; i < COUNT(hostile); i++)
		assert_int_equal(flamegraph_add(fg, &hostile[i], COUNT(hostile) - i, i + 1), 0);
	svg = svg_of(fg);
	assert_self_contained(svg);
	scripts = occurrences(svg, "<script");
	assert_int_equal(scripts, 1);
	assert_int_equal(occurrences(svg, "</script"), 1);
	assert_int_equal(occurrences(svg, "]]>"), 2); /* the style's and the script's end */
	assert_null(strstr(svg, "<img"));
	assert_non_null(strstr(svg, "&amp;lt;b&amp;gt;"));
	free(svg);
	flamegraph_free(fg);
}

static void nothing_makes_a_picture_too(void **state)
{
	struct flamegraph *fg = graph();
	char *svg = svg_of(fg);

	(void)state;
	assert_self_contained(svg);
	assert_non_null(strstr(svg, "Nothing was recorded"));
	assert_folded(fg, NULL, "");
	free(svg);
	flamegraph_free(fg);
}

static void an_icicle_hangs(void **state)
{
	struct flamegraph_opts opts = { .title = "test" };
	const char *const frames[] = { "comm", "main" };
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct flamegraph *fg;
		const char *root, *leaf;
		int root_y, leaf_y;
		char *svg;

		opts.inverted = i;
		fg = flamegraph_new(&opts);
		assert_int_equal(flamegraph_add(fg, frames, 2, 1), 0);
		svg = svg_of(fg);
		assert_self_contained(svg);
		root = strstr(svg, "<g class=\"frames\">\n") + 19;
		leaf = strstr(strstr(root + 1, "<g transform") + 1, "<g transform");
		assert_int_equal(sscanf(root, "<g transform=\"translate(0,%d)", &root_y), 1);
		assert_int_equal(sscanf(leaf, "<g transform=\"translate(0,%d)", &leaf_y), 1);
		assert_true(i ? root_y < leaf_y : root_y > leaf_y);
		free(svg);
		flamegraph_free(fg);
	}
}

static void colors_tell_user_from_kernel(void **state)
{
	struct flamegraph *fg = graph_of("nginx;main;do_syscall_64_[k] 3\nother;main 1\n");
	char *svg = svg_of(fg);
	const char *root = strstr(svg, "<g class=\"r\""), *comm = strstr(svg, "<g class=\"c");
	const char *user = strstr(svg, "<g class=\"u"), *kernel = strstr(svg, "<g class=\"k");

	(void)state;
	assert_true(root && comm && user && kernel);
	assert_true(root < comm && comm < user && user < kernel);
	assert_non_null(strstr(kernel, "<title>do_syscall_64_[k]\n3 samples, 75.00%</title>"));
	assert_non_null(strstr(kernel, ">do_syscall_64</text>"));
	/* One name, one colour. */
	assert_int_equal(strncmp(user, strstr(user + 1, "<g class=\"u"), 14), 0);
	free(svg);
	flamegraph_free(fg);
}

static void weights_are_shown_in_their_unit(void **state)
{
	static const struct {
		struct flamegraph_opts opts;
		const char *shown;
	} cases[] = {
		{ { .title = "t" }, "<title>a\n1,536,000 samples, 100.00%" },
		{ { .unit = "faults" }, "<title>a\n1,536,000 faults, 100.00%" },
		{ { .value = FLAMEGRAPH_BYTES }, "<title>a\n1.465 MiB (1,536,000 bytes), 100.00%" },
		{ { .value = FLAMEGRAPH_NS },
		  "<title>a\n1.536 ms, 100.00%\nself 512.0 us, 33.33%" },
	};
	const char *const frames[] = { "a", "b" };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		struct flamegraph *fg = flamegraph_new(&cases[i].opts);
		char *svg;

		assert_int_equal(flamegraph_add(fg, frames, 1, 512000), 0);
		assert_int_equal(flamegraph_add(fg, frames, 2, 1024000), 0);
		svg = svg_of(fg);
		assert_non_null(strstr(svg, cases[i].shown));
		free(svg);
		flamegraph_free(fg);
	}
}

/* Everything that allocates, with one allocation after the other refused. */
static void short_memory_is_survived(void **state)
{
	const char *const frames[] = { "comm",
				       "gr\xff\xfe"
				       "n",
				       "leaf" };
	const struct flamegraph_opts opts = { 0 };
	size_t before = memory_live(), succeeded = 0;
	unsigned long nth;

	(void)state;
	for (nth = 1; succeeded < 1 && nth < 1000; nth++) {
		FILE *null = fopen("/dev/null", "w");
		struct flamegraph *fg;
		int err = -ENOMEM, i;

		memory_fail_from(nth);
		fg = flamegraph_new(&opts);
		for (i = 0; fg && i < 3; i++) {
			err = flamegraph_add(fg, frames, 3, 1);
			if (err)
				break;
		}
		if (!err)
			err = flamegraph_write_folded(fg, null, "x");
		if (!err)
			err = flamegraph_write_svg(fg, null);
		memory_fail_from(0);
		if (err) {
			assert_int_equal(err, -ENOMEM);
			/* Whatever it was, it can be gone on with. */
			if (fg) {
				assert_int_equal(flamegraph_add(fg, frames, 3, 1), 0);
				assert_int_equal(flamegraph_write_svg(fg, null), 0);
			}
		} else {
			succeeded++;
		}
		flamegraph_free(fg);
		fclose(null);
	}
	assert_int_equal(succeeded, 1);
	assert_true(nth > 10);
	assert_int_equal(memory_live(), before);
}

static void memory_grows_with_frames_not_with_stacks(void **state)
{
	const char *const frames[] = { "comm", "main", "work", "leaf" };
	struct flamegraph *fg = graph();
	size_t before;
	int i;

	(void)state;
	assert_int_equal(flamegraph_add(fg, frames, 4, 1), 0);
	before = memory_live();
	memory_reset_peak();
	for (i = 0; i < 100000; i++)
		assert_int_equal(flamegraph_add(fg, frames, 1 + i % 4, 1), 0);
	assert_int_equal(memory_live(), before);
	assert_int_equal(memory_peak(), before);
	flamegraph_free(fg);
}

static void a_frame_costs_less_than_a_hundred_bytes(void **state)
{
	size_t before = memory_live();
	struct flamegraph *fg = graph();
	const char *frames[3] = { "comm" };
	char name[2][32];
	int i;

	(void)state;
	/* 100,000 distinct stacks of 100,400 frames, of 500 names. */
	for (i = 0; i < 100000; i++) {
		snprintf(name[0], sizeof(name[0]), "caller_%d", i % 400);
		snprintf(name[1], sizeof(name[1]), "callee_%d", i / 400);
		frames[1] = name[0];
		frames[2] = name[1];
		assert_int_equal(flamegraph_add(fg, frames, 3, 1), 0);
	}
	assert_true(memory_live() - before < 100400 * 100);
	flamegraph_free(fg);
	assert_int_equal(memory_live(), before);
}

static void a_full_disk_is_an_error(void **state)
{
	struct flamegraph *fg = random_graph(200, 10, 10);
	FILE *f = fopen("/dev/full", "w");

	(void)state;
	assert_int_equal(flamegraph_write_svg(fg, f), -ENOSPC);
	clearerr(f);
	assert_int_equal(flamegraph_write_folded(fg, f, NULL), -ENOSPC);
	fclose(f);
	flamegraph_free(fg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_stacks_are_one),
		cmocka_unit_test(stacks_that_end_alike_stay_apart),
		cmocka_unit_test(output_does_not_depend_on_the_order_of_input),
		cmocka_unit_test(stacks_can_be_added_after_writing),
		cmocka_unit_test(a_prefix_selects_an_interval),
		cmocka_unit_test(names_cannot_break_a_line),
		cmocka_unit_test(folded_lines_are_read),
		cmocka_unit_test(bad_lines_are_named),
		cmocka_unit_test(a_nul_in_a_line_is_refused),
		cmocka_unit_test(weights_cannot_overflow),
		cmocka_unit_test(frames_lie_within_their_callers),
		cmocka_unit_test(too_narrow_frames_weigh_in_their_callers),
		cmocka_unit_test(a_picture_has_a_bounded_number_of_frames),
		cmocka_unit_test(deep_stacks_do_no_harm),
		cmocka_unit_test(pictures_are_self_contained),
		cmocka_unit_test(nothing_makes_a_picture_too),
		cmocka_unit_test(an_icicle_hangs),
		cmocka_unit_test(colors_tell_user_from_kernel),
		cmocka_unit_test(weights_are_shown_in_their_unit),
		cmocka_unit_test(short_memory_is_survived),
		cmocka_unit_test(memory_grows_with_frames_not_with_stacks),
		cmocka_unit_test(a_frame_costs_less_than_a_hundred_bytes),
		cmocka_unit_test(a_full_disk_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
