// SPDX-License-Identifier: GPL-2.0-only
/* Parsers of /proc/PID/maps and of perf maps, on text as it is documented and as it is not. */
#include "helpers.h"
#include "maps.h"
#include "perf_map.h"

static int parse_maps(struct maps *maps, const char *text)
{
	memset(maps, 0, sizeof(*maps));
	maps->text = strdup(text);
	maps->text_len = strlen(text);
	return maps_parse(maps);
}

/* The example of proc(5), shortened, with paths that are less nice. */
static const char maps_text[] =
	"00400000-00452000 r-xp 00000000 08:02 173521      /usr/bin/dbus-daemon\n"
	"00651000-00652000 r--p 00051000 08:02 173521      /usr/bin/dbus-daemon\n"
	"00e03000-00e24000 rw-p 00000000 00:00 0           [heap]\n"
	"35b1800000-35b1820000 r-xp 00000000 fd:1a 135522  /usr/lib64/ld (deleted)\n"
	"35b1a21000-35b1a22000 rwxp 00000000 00:00 0 \n"
	"7f0000000000-7f0000001000 r-xp 00001000 08:02 18446744073709551615 /a b\\012c\n"
	"7fffb2d48000-7fffb2d49000 r-xp 00000000 00:00 0   [vdso]";

static void maps_are_as_proc_5_says(void **state)
{
	const struct mapping *map;
	struct maps maps;

	(void)state;
	assert_int_equal(parse_maps(&maps, maps_text), 0);
	assert_int_equal(maps.cnt, 7);

	map = maps_find(&maps, 0x400000);
	assert_int_equal(map->start, 0x400000);
	assert_int_equal(map->end, 0x452000);
	assert_true(map->exec && map->read && !map->deleted && mapping_has_file(map));
	assert_int_equal(map->ino, 173521);
	assert_int_equal(map->major, 8);
	assert_int_equal(map->minor, 2);
	assert_string_equal(map->path, "/usr/bin/dbus-daemon");

	assert_ptr_equal(maps_find(&maps, 0x451fff), map);
	assert_null(maps_find(&maps, 0x452000));
	assert_null(maps_find(&maps, 0));
	assert_null(maps_find(&maps, UINT64_MAX));

	map = maps_find(&maps, 0x651123);
	assert_int_equal(map->offset, 0x51000);
	assert_false(map->exec);

	map = maps_find(&maps, 0x35b1800001);
	assert_true(map->deleted);
	assert_string_equal(map->path, "/usr/lib64/ld");
	assert_int_equal(map->major, 0xfd);
	assert_int_equal(map->minor, 0x1a);

	map = maps_find(&maps, 0x35b1a21000);
	assert_string_equal(map->path, "");
	assert_false(mapping_has_file(map));

	map = maps_find(&maps, 0x7f0000000800);
	assert_string_equal(map->path, "/a b\nc");
	assert_true(map->ino == UINT64_MAX);

	map = maps_find(&maps, 0x7fffb2d48123);
	assert_string_equal(map->path, "[vdso]");
	assert_false(mapping_has_file(map));
	maps_free(&maps);
}

static void damaged_maps_are_refused(void **state)
{
	static const char *const bad[] = {
		"x\n",
		"1000\n",
		"1000-2000\n",
		"1000-2000 r-x\n",
		"1000-2000 r-xp\n",
		"1000-2000 r-xp 0\n",
		"1000-2000 r-xp 0 08\n",
		"1000-2000 r-xp 0 08:\n",
		"1000-2000 r-xp 0 08:01\n",
		"1000-2000 r-xp 0 08:01 \n",
		"1000-1000 r-xp 0 08:01 1 /a\n",
		"2000-1000 r-xp 0 08:01 1 /a\n",
		"11112222333344445-2 r-xp 0 08:01 1 /a\n",
		"1000-2000 r-xp 0 08:01 99999999999999999999 /a\n",
		"\n",
		/* Not ascending. */
		"3000-4000 r-xp 0 08:01 1 /a\n1000-2000 r-xp 0 08:01 1 /a\n",
		"1000-3000 r-xp 0 08:01 1 /a\n2000-4000 r-xp 0 08:01 1 /a\n",
	};
	struct maps maps;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (!parse_maps(&maps, bad[i]))
			fail_msg("accepted: %s", bad[i]);
		maps_free(&maps);
	}
	/* Cut off anywhere. */
	for (size_t len = 0; len < sizeof(maps_text); len++) {
		char *text = strndup(maps_text, len);

		parse_maps(&maps, text);
		maps_free(&maps);
		free(text);
	}
}

static void ones_own_maps_can_be_read(void **state)
{
	struct maps maps = { 0 };
	const struct mapping *map;

	(void)state;
	assert_int_equal(maps_read(&maps, 0), 0);
	map = maps_find(&maps, (uint64_t)(uintptr_t)ones_own_maps_can_be_read);
	assert_non_null(map);
	assert_true(map->exec);
	assert_true(mapping_has_file(map));
	/* Again, into the same memory, by number. */
	assert_int_equal(maps_read(&maps, getpid()), 0);
	assert_non_null(maps_find(&maps, (uint64_t)(uintptr_t)ones_own_maps_can_be_read));
	/* Kernel threads have none (2 is kthreadd, but not in a pid namespace). */
	assert_true(maps_read(&maps, 2) < 0 || getpid() < 100);
	maps_free(&maps);
}

static void parse_perf_map(struct perf_map *map, const char *text)
{
	memset(map, 0, sizeof(*map));
	map->text = strdup(text);
	assert_int_equal(perf_map_parse(map, strlen(text)), 0);
}

static void expect_fn(const struct perf_map *map, uint64_t addr, const char *name)
{
	const struct perf_map_fn *fn = perf_map_find(map, addr);

	if (!name) {
		assert_null(fn);
		return;
	}
	assert_non_null(fn);
	assert_string_equal(map->text + fn->name, name);
}

static void perf_maps_are_as_documented(void **state)
{
	struct perf_map map;

	(void)state;
	parse_perf_map(&map, "7f10 10 simple\n"
			     "7f20 10 with spaces <and> things\r\n"
			     "0x7f30 0x10 prefixed\n"
			     "7F40 0 no size\n"
			     "7f50 10\n"
			     "zz 10 no number\n"
			     "\n"
			     "ffffffffffffffff 10 wraps\n"
			     "7f60 10 not finished");
	expect_fn(&map, 0x7f0f, NULL);
	expect_fn(&map, 0x7f10, "simple");
	expect_fn(&map, 0x7f1f, "simple");
	expect_fn(&map, 0x7f20, "with spaces <and> things");
	expect_fn(&map, 0x7f3f, "prefixed");
	expect_fn(&map, 0x7f40, "no size");
	expect_fn(&map, 0x7f41, NULL);
	expect_fn(&map, 0x7f50, NULL);
	expect_fn(&map, 0x7f60, NULL);
	perf_map_free(&map);
	parse_perf_map(&map, "");
	expect_fn(&map, 0, NULL);
	perf_map_free(&map);
}

static void later_lines_of_a_perf_map_count(void **state)
{
	struct perf_map map;

	(void)state;
	parse_perf_map(&map, "1000 100 old one\n"
			     "1100 100 old two\n"
			     "1080 100 new over both\n"
			     "1010 8 newest\n");
	expect_fn(&map, 0x1000, "old one");
	expect_fn(&map, 0x1010, "newest");
	expect_fn(&map, 0x1018, "old one");
	expect_fn(&map, 0x107f, "old one");
	expect_fn(&map, 0x1080, "new over both");
	expect_fn(&map, 0x117f, "new over both");
	expect_fn(&map, 0x1180, "old two");
	expect_fn(&map, 0x1200, NULL);
	perf_map_free(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_are_as_proc_5_says),
		cmocka_unit_test(damaged_maps_are_refused),
		cmocka_unit_test(ones_own_maps_can_be_read),
		cmocka_unit_test(perf_maps_are_as_documented),
		cmocka_unit_test(later_lines_of_a_perf_map_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
