// SPDX-License-Identifier: GPL-2.0-only
/*
 * Debug information: lines and inlined calls where the fixture's source says they are, in the
 * file itself, in separate files and in MiniDebugInfo; and what eu-addr2line says.
 */
#include <inttypes.h>

#include "helpers.h"

static blaze_symbolizer *symbolizer_with_dir(const char *dir)
{
	struct blaze_symbolizer_opts opts = {
		.type_size = sizeof(opts),
		.debug_dirs = &dir,
		.debug_dirs_len = 1,
		.code_info = true,
		.inlined_fns = true,
	};
	blaze_symbolizer *s = blaze_symbolizer_new_opts(&opts);

	assert_non_null(s);
	return s;
}

static void expect_line(const struct blaze_symbolize_code_info *info, const char *marker)
{
	char *dir = realpath("tests/unit/blazesym/fixtures", NULL), *got;

	assert_int_equal(info->line, source_line("inline.c", marker));
	assert_string_equal(info->file, "inline.c");
	assert_non_null(info->dir);
	/* The directory leads to the source. */
	got = realpath(info->dir, NULL);
	assert_non_null(got);
	assert_string_equal(got, dir);
	free(got);
	free(dir);
}

/* That the marked places in @path, an inline.c, are where the source has them. */
static void expect_marks(blaze_symbolizer *s, const char *path, uint64_t mark_innermost,
			 uint64_t mark_plain)
{
	const struct blaze_syms *syms = elf_addr(s, path, true, mark_innermost);
	const struct blaze_sym *sym = &syms->syms[0];

	assert_string_equal(sym->name, "outer");
	expect_line(&sym->code_info, "call of middle");
	assert_int_equal(sym->inlined_cnt, 2);
	assert_string_equal(sym->inlined[0].name, "middle");
	expect_line(&sym->inlined[0].code_info, "call of innermost");
	assert_string_equal(sym->inlined[1].name, "innermost");
	expect_line(&sym->inlined[1].code_info, "innermost");
	blaze_syms_free(syms);

	syms = elf_addr(s, path, true, mark_plain);
	assert_string_equal(syms->syms[0].name, "plain");
	expect_line(&syms->syms[0].code_info, "plain");
	assert_int_equal(syms->syms[0].inlined_cnt, 0);
	blaze_syms_free(syms);
}

static void lines_and_inlined_calls_are_the_sources(void **state)
{
	static const char *const files[] = { "inline", "inline-nopie", "inline-gz", "inline-dwarf4",
					     "inline-clang" };

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const char *path = fixture(files[i]);
		blaze_symbolizer *s = symbolizer(true, true, false);

		expect_marks(s, path, nm_addr(path, "mark_innermost"), nm_addr(path, "mark_plain"));
		/* And the same from the cache. */
		expect_marks(s, path, nm_addr(path, "mark_innermost"), nm_addr(path, "mark_plain"));
		blaze_symbolizer_free(s);
	}
}

static void only_what_is_asked_for_is_reported(void **state)
{
	const char *path = fixture("inline");
	uint64_t addr = nm_addr(path, "mark_innermost");
	const struct blaze_syms *syms;
	blaze_symbolizer *s;

	(void)state;
	/* Lines without inlined calls: the line of the address itself. */
	s = symbolizer(true, false, false);
	syms = elf_addr(s, path, true, addr);
	assert_int_equal(syms->syms[0].inlined_cnt, 0);
	expect_line(&syms->syms[0].code_info, "innermost");
	blaze_syms_free(syms);
	/* A source without debug symbols: none of it. */
	syms = elf_addr(s, path, false, addr);
	assert_int_equal(syms->syms[0].code_info.line, 0);
	assert_null(syms->syms[0].code_info.file);
	blaze_syms_free(syms);
	blaze_symbolizer_free(s);
	/* Inlined calls come only with lines. */
	s = symbolizer(false, true, false);
	syms = elf_addr(s, path, true, addr);
	assert_int_equal(syms->syms[0].inlined_cnt, 0);
	assert_int_equal(syms->syms[0].code_info.line, 0);
	blaze_syms_free(syms);
	blaze_symbolizer_free(s);
}

static void a_stripped_file_has_no_local_symbols(void **state)
{
	/* What the next tests are to show makes a difference. */
	const char *full = fixture("inline");
	blaze_symbolizer *s = symbolizer_with_dir("/nonexistent");

	(void)state;
	expect_no_elf(s, fixture("inline-stripped"), nm_addr(full, "only_local"),
		      BLAZE_SYMBOLIZE_REASON_UNKNOWN_ADDR);
	blaze_symbolizer_free(s);
}

static void minidebuginfo_has_the_local_symbols(void **state)
{
	const char *full = fixture("inline");
	blaze_symbolizer *s = symbolizer_with_dir("/nonexistent");
	const char *path = fixture("inline-mini");
	const struct blaze_syms *syms;

	(void)state;
	expect_elf(s, path, nm_addr(full, "only_local"), "only_local", 0);
	expect_elf(s, path, nm_addr(full, "outer") + 1, "outer", 1);
	/* It is no debug information: also used where that is not wanted. */
	syms = elf_addr(s, path, false, nm_addr(full, "only_local"));
	assert_string_equal(syms->syms[0].name, "only_local");
	blaze_syms_free(syms);
	blaze_symbolizer_free(s);
}

static void debug_files_are_found_by_build_id(void **state)
{
	const char *full = fixture("inline"), *path = fixture("inline-byid");
	blaze_symbolizer *s = symbolizer_with_dir(fixture("debug"));

	(void)state;
	expect_elf(s, path, nm_addr(full, "only_local"), "only_local", 0);
	expect_marks(s, path, nm_addr(full, "mark_innermost"), nm_addr(full, "mark_plain"));
	blaze_symbolizer_free(s);
}

static void a_source_without_debug_syms_leaves_them_alone(void **state)
{
	const char *full = fixture("inline"), *path = fixture("inline-byid");
	blaze_symbolizer *s = symbolizer_with_dir(fixture("debug"));
	const struct blaze_syms *syms;

	(void)state;
	syms = elf_addr(s, path, false, nm_addr(full, "only_local"));
	assert_null(syms->syms[0].name);
	blaze_syms_free(syms);
	/* Asking for it later still gives it. */
	expect_elf(s, path, nm_addr(full, "only_local"), "only_local", 0);
	blaze_symbolizer_free(s);
}

static void debug_files_are_found_by_link(void **state)
{
	char debug[4096];
	const char *path = fixture("inline-bylink");
	blaze_symbolizer *s = symbolizer_with_dir(fixture("debug"));

	(void)state;
	snprintf(debug, sizeof(debug), "%s%s.debug", fixture("debug"), path);
	expect_elf(s, path, nm_addr(debug, "only_local"), "only_local", 0);
	expect_marks(s, path, nm_addr(debug, "mark_innermost"), nm_addr(debug, "mark_plain"));
	blaze_symbolizer_free(s);
}

static void debug_files_are_found_beside_the_file(void **state)
{
	const char *path = fixture("inline-ownlink"),
		   *debug = fixture(".debug/inline-ownlink.debug");
	blaze_symbolizer *s = symbolizer_with_dir("/nonexistent");

	(void)state;
	expect_marks(s, path, nm_addr(debug, "mark_innermost"), nm_addr(debug, "mark_plain"));
	blaze_symbolizer_free(s);
}

static void a_debug_file_of_another_build_is_not_believed(void **state)
{
	char dir[] = "/tmp/blazesym-test-XXXXXX";
	const char *full = fixture("inline");
	blaze_symbolizer *s = symbolizer_with_dir("/nonexistent");
	char path[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/inline-bylink", dir);
	run("cp '%s' %s", fixture("inline-bylink"), path);
	/* Same name, other content: the checksum is wrong. */
	run("objcopy --only-keep-debug '%s' %s.debug", fixture("rust"), path);
	expect_no_elf(s, path, nm_addr(full, "only_local"), BLAZE_SYMBOLIZE_REASON_UNKNOWN_ADDR);
	run("rm -r %s", dir);
	blaze_symbolizer_free(s);
}

/* A pair of lines of eu-addr2line -f: function, then /dir/file:line:column. */
static void expect_as_eu_addr2line(const char *path, blaze_symbolizer *s, uint64_t addr)
{
	const char *theirs = output_of("eu-addr2line -e '%s' %#" PRIx64 " 2>/dev/null", path, addr);
	const struct blaze_syms *syms = elf_addr(s, path, true, addr);
	const struct blaze_sym *sym = &syms->syms[0];
	const char *base = strrchr(theirs, '/');
	char ours[256];

	base = base ? base + 1 : theirs;
	if (!strchr(theirs, '?')) {
		snprintf(ours, sizeof(ours), "%s:%u:%u", sym->code_info.file, sym->code_info.line,
			 sym->code_info.column);
		/* It names no column where there is none. */
		if (!sym->code_info.column)
			*strrchr(ours, ':') = '\0';
		assert_string_equal(ours, base);
	}
	blaze_syms_free(syms);
}

static void lines_are_what_eu_addr2line_says(void **state)
{
	static const char *const files[] = { "inline", "cxx", "libshared.so", "inline-gz" };
	static const char *const names[] = { "outer", "main", "shared_function", "plain" };

	(void)state;
	if (!*output_of("eu-addr2line --version"))
		pass_over("eu-addr2line is not installed (elfutils)");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const char *path = fixture(files[i]);
		uint64_t addr = nm_addr(path, names[i]), size = nm_size(path, names[i]);
		blaze_symbolizer *s = symbolizer(true, false, false);

		for (uint64_t offset = 0; offset < size; offset += 3)
			expect_as_eu_addr2line(path, s, addr + offset);
		blaze_symbolizer_free(s);
	}
}

static void inlined_cxx_names_become_readable(void **state)
{
	char path[] = "/tmp/blazesym-test-XXXXXX", command[128];
	blaze_symbolizer *s = symbolizer(true, true, true);
	const struct blaze_syms *syms;
	int fd = mkstemp(path);
	FILE *cc;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	snprintf(command, sizeof(command), "g++ -O2 -g -x c++ -o %s -", path);
	cc = popen(command, "w");
	fputs("namespace deep { template <typename T> inline __attribute__((always_inline)) void\n"
	      "mark(T x) { asm volatile(\".globl mark_cxx\\nmark_cxx: nop\" :: \"r\"(x)); } }\n"
	      "int main(int c, char **) { deep::mark<long>(c); return 0; }\n",
	      cc);
	assert_int_equal(pclose(cc), 0);
	syms = elf_addr(s, path, true, nm_addr(path, "mark_cxx"));
	assert_string_equal(syms->syms[0].name, "main");
	assert_int_equal(syms->syms[0].code_info.line, 3);
	assert_int_equal(syms->syms[0].inlined_cnt, 1);
	assert_string_equal(syms->syms[0].inlined[0].name, "void deep::mark<long>(long)");
	assert_int_equal(syms->syms[0].inlined[0].code_info.line, 2);
	blaze_syms_free(syms);
	unlink(path);
	blaze_symbolizer_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_and_inlined_calls_are_the_sources),
		cmocka_unit_test(only_what_is_asked_for_is_reported),
		cmocka_unit_test(a_stripped_file_has_no_local_symbols),
		cmocka_unit_test(minidebuginfo_has_the_local_symbols),
		cmocka_unit_test(debug_files_are_found_by_build_id),
		cmocka_unit_test(a_source_without_debug_syms_leaves_them_alone),
		cmocka_unit_test(debug_files_are_found_by_link),
		cmocka_unit_test(debug_files_are_found_beside_the_file),
		cmocka_unit_test(a_debug_file_of_another_build_is_not_believed),
		cmocka_unit_test(lines_are_what_eu_addr2line_says),
		cmocka_unit_test(inlined_cxx_names_become_readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
