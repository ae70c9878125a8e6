// SPDX-License-Identifier: GPL-2.0-only
/* Symbols of ELF files. What is right is what nm, objdump and the fixtures' sources say. */
#include <inttypes.h>

#include "helpers.h"

/* Every byte of a function is the function's. */
static void expect_function(const char *path, const char *name)
{
	blaze_symbolizer *s = symbolizer(false, false, false);
	uint64_t addr = nm_addr(path, name), size = nm_size(path, name);

	assert_true(size > 0);
	for (uint64_t offset = 0; offset < size; offset++)
		expect_elf(s, path, addr + offset, name, offset);
	blaze_symbolizer_free(s);
}

static void functions_are_found(void **state)
{
	static const char *const files[] = { "inline", "inline-nopie", "inline-gz", "inline-dwarf4",
					     "inline-clang" };

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		expect_function(fixture(files[i]), "outer");
		expect_function(fixture(files[i]), "plain");
		expect_function(fixture(files[i]), "only_local");
		expect_function(fixture(files[i]), "main");
	}
}

static void sizes_are_what_nm_says(void **state)
{
	const char *path = fixture("inline");
	blaze_symbolizer *s = symbolizer(false, false, false);
	const struct blaze_syms *syms = elf_addr(s, path, false, nm_addr(path, "outer"));

	(void)state;
	assert_int_equal(syms->syms[0].size, nm_size(path, "outer"));
	assert_string_equal(syms->syms[0].module, path);
	blaze_syms_free(syms);
	blaze_symbolizer_free(s);
}

static void a_32_bit_file_works(void **state)
{
	(void)state;
	if (access(fixture("i386"), F_OK))
		pass_over("the compiler makes no 32-bit programs here");
	expect_function(fixture("i386"), "kernel_function");
	expect_function(fixture("i386"), "_stext");
}

static void file_offsets_become_addresses(void **state)
{
	/* Both are linked so that addresses are not file offsets. */
	static const char *const files[] = { "symbols.so", "libshared.so" };
	static const char *const names[] = { "nested_outer", "shared_function" };
	blaze_symbolizer *s = symbolizer(false, false, false);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const char *path = fixture(files[i]);
		struct blaze_symbolize_src_elf src = { .type_size = sizeof(src), .path = path };
		uint64_t addr = nm_addr(path, names[i]), text, offset;
		const struct blaze_syms *syms;

		/* Address and offset of the section, from its header. */
		assert_int_equal(sscanf(output_of("readelf -SW '%s' | sed -n "
						  "'s/.* \\.text  *PROGBITS *\\([0-9a-f]*\\) "
						  "\\([0-9a-f]*\\) .*/\\1 \\2/p'",
						  path),
					"%" SCNx64 " %" SCNx64, &text, &offset),
				 2);
		assert_int_not_equal(text, offset);
		offset += addr - text + 3;
		syms = blaze_symbolize_elf_file_offsets(s, &src, &offset, 1);
		assert_non_null(syms);
		assert_string_equal(syms->syms[0].name, names[i]);
		assert_int_equal(syms->syms[0].addr, addr);
		assert_int_equal(syms->syms[0].offset, 3);
		blaze_syms_free(syms);

		offset = UINT64_C(1) << 40;
		syms = blaze_symbolize_elf_file_offsets(s, &src, &offset, 1);
		assert_null(syms->syms[0].name);
		assert_int_equal(syms->syms[0].reason, BLAZE_SYMBOLIZE_REASON_INVALID_FILE_OFFSET);
		blaze_syms_free(syms);
	}
	blaze_symbolizer_free(s);
}

static void the_best_name_is_chosen(void **state)
{
	const char *path = fixture("symbols.so");
	blaze_symbolizer *s = symbolizer(false, false, false);
	uint64_t addr = nm_addr(path, "__alias_global");

	(void)state;
	/* They are at one address, with fewer underscores going first. */
	assert_int_equal(nm_addr(path, "alias_weak"), addr);
	assert_int_equal(nm_addr(path, "alias_local"), addr);
	assert_int_equal(nm_addr(path, "alias_notype"), addr);
	expect_elf(s, path, addr, "alias_weak", 0);
	expect_elf(s, path, addr + 15, "alias_weak", 15);
	/* With equal ones, global before weak. */
	addr = nm_addr(path, "bound_weak");
	assert_int_equal(nm_addr(path, "bound_global"), addr);
	expect_elf(s, path, addr, "bound_global", 0);
	blaze_symbolizer_free(s);
}

static void glibc_names_are_the_ones_people_write(void **state)
{
	static const char *const names[] = { "write", "malloc", "puts", "nanosleep",
					     "pthread_create" };
	const char *libc = output_of("ldd /bin/sh | awk '/libc.so/ { print $3 }'");
	blaze_symbolizer *s;

	(void)state;
	if (!*libc)
		pass_over("/bin/sh has no libc of its own");
	s = symbolizer(false, false, false);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		expect_elf(s, libc, nm_addr(libc, names[i]) + 1, names[i], 1);
	blaze_symbolizer_free(s);
}

static void nested_symbols_give_the_inner_one(void **state)
{
	const char *path = fixture("symbols.so");
	blaze_symbolizer *s = symbolizer(false, false, false);
	uint64_t addr = nm_addr(path, "nested_outer");

	(void)state;
	expect_elf(s, path, addr + 15, "nested_outer", 15);
	expect_elf(s, path, addr + 16, "nested_inner", 0);
	expect_elf(s, path, addr + 31, "nested_inner", 15);
	/* A label without a size does not cut the function that it is in. */
	assert_int_equal(nm_addr(path, "label_in_outer"), addr + 32);
	expect_elf(s, path, addr + 32, "nested_outer", 32);
	expect_elf(s, path, addr + 63, "nested_outer", 63);
	/* One that starts with another but is longer has the rest. */
	addr = nm_addr(path, "early_long");
	expect_elf(s, path, addr + 7, "early_short", 7);
	expect_elf(s, path, addr + 8, "early_long", 8);
	expect_elf(s, path, addr + 31, "early_long", 31);
	addr = nm_addr(path, "whole");
	expect_elf(s, path, addr + 7, "long_name_of_both", 7);
	expect_elf(s, path, addr + 8, "whole", 8);
	expect_elf(s, path, addr + 31, "whole", 31);
	blaze_symbolizer_free(s);
}

static void symbols_without_a_size_extend(void **state)
{
	const char *path = fixture("symbols.so");
	blaze_symbolizer *s = symbolizer(false, false, false);
	uint64_t addr = nm_addr(path, "sizeless"), last = nm_addr(path, "last_sizeless");

	(void)state;
	assert_int_equal(nm_addr(path, "after_sizeless"), addr + 48);
	expect_elf(s, path, addr + 47, "sizeless", 47);
	expect_elf(s, path, addr + 48, "after_sizeless", 0);
	/* Up to the end of the section, and no further. */
	expect_elf(s, path, last + 23, "last_sizeless", 23);
	expect_no_elf(s, path, last + 64, BLAZE_SYMBOLIZE_REASON_UNKNOWN_ADDR);
	blaze_symbolizer_free(s);
}

static void gaps_belong_to_nobody(void **state)
{
	const char *path = fixture("symbols.so");
	blaze_symbolizer *s = symbolizer(false, false, false);
	uint64_t addr = nm_addr(path, "bound_global");

	(void)state;
	expect_elf(s, path, addr + 15, "bound_global", 15);
	expect_no_elf(s, path, addr + 16, BLAZE_SYMBOLIZE_REASON_UNKNOWN_ADDR);
	expect_no_elf(s, path, addr + 31, BLAZE_SYMBOLIZE_REASON_UNKNOWN_ADDR);
	expect_no_elf(s, path, 0, BLAZE_SYMBOLIZE_REASON_UNKNOWN_ADDR);
	expect_no_elf(s, path, UINT64_MAX, BLAZE_SYMBOLIZE_REASON_UNKNOWN_ADDR);
	blaze_symbolizer_free(s);
}

static void ifuncs_are_functions(void **state)
{
	const char *path = fixture("libshared.so");
	blaze_symbolizer *s = symbolizer(false, false, false);
	/* It is where its resolver is, which has a size. */
	uint64_t addr = nm_addr(path, "shared_ifunc");

	(void)state;
	expect_elf(s, path, addr, "shared_ifunc", 0);
	blaze_symbolizer_free(s);
}

static void plt_entries_are_named(void **state)
{
	/* objdump decodes them too: "0000000000001030 <read@plt>:" */
	const char *path = fixture("sleeper");
	const char *line = output_of("objdump -d '%s' | grep '<read@plt>:$'", path);
	blaze_symbolizer *s;
	uint64_t addr;

	(void)state;
	if (sscanf(line, "%" SCNx64, &addr) != 1)
		pass_over("objdump does not name read() in the procedure linkage table");
	s = symbolizer(false, false, false);
	expect_elf(s, path, addr, "read@plt", 0);
	expect_elf(s, path, addr + 4, "read@plt", 4);
	blaze_symbolizer_free(s);
}

static void a_file_without_symbols_says_so(void **state)
{
	char path[] = "/tmp/blazesym-test-XXXXXX";
	blaze_symbolizer *s = symbolizer(false, false, false);
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	run("strip -o %s '%s'", path, fixture("kernel"));
	expect_no_elf(s, path, nm_addr(fixture("kernel"), "_stext"),
		      BLAZE_SYMBOLIZE_REASON_MISSING_SYMS);
	unlink(path);
	blaze_symbolizer_free(s);
}

/* All functions of a fixture, demangled: c++filt's forms. */
static void cxx_names_become_readable(void **state)
{
	static const char *const readable[] = {
		"outer_space::inner::shape::area(int) const",
		"outer_space::inner::shape::area(char const*, unsigned long) const",
		"outer_space::inner::shape::operator+=(outer_space::inner::shape const&)",
		"outer_space::inner::shape::~shape()",
		"outer_space::inner::box<long, 4ul>::first(long)",
		"(anonymous namespace)::hidden(long)",
		"main::{lambda(long)#1}::operator()(long) const",
		"main",
	};
	const char *path = fixture("cxx");
	blaze_symbolizer *s = symbolizer(false, false, true);
	blaze_symbolizer *plain = symbolizer(false, false, false);

	(void)state;
	for (size_t i = 0; i < sizeof(readable) / sizeof(readable[0]); i++) {
		const char *line =
			output_of("nm -C '%s' | awk '{ addr = $1; sub(/^[^ ]+ . /, \"\") } "
				  "$0 == \"%s\" { print addr; exit }'",
				  path, readable[i]);
		const struct blaze_syms *syms;
		uint64_t addr;

		if (sscanf(line, "%" SCNx64, &addr) != 1)
			fail_msg("nm -C knows no %s", readable[i]);
		expect_elf(s, path, addr, readable[i], 0);
		/* And mangled, if that is asked for. There are two such destructors. */
		syms = elf_addr(plain, path, false, addr);
		assert_string_equal(output_of("c++filt '%s'", syms->syms[0].name), readable[i]);
		if (strcmp(readable[i], "main"))
			assert_string_not_equal(syms->syms[0].name, readable[i]);
		blaze_syms_free(syms);
	}
	blaze_symbolizer_free(s);
	blaze_symbolizer_free(plain);
}

static void rust_names_become_readable(void **state)
{
	static const struct {
		const char *mangled;
		const char *readable;
	} names[] = {
		{ "_ZN45_$LT$foo..Bar$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE",
		  "<foo::Bar as core::fmt::Debug>::fmt" },
		{ "_RNvCskwGfYPst2Cb_3foo16example_function", "foo::example_function" },
		{ "_RINvNtC3std2fs4readReEC3foo", "std::fs::read::<&str>" },
	};
	const char *path = fixture("rust");
	blaze_symbolizer *s = symbolizer(false, false, true);

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		expect_elf(s, path, nm_addr(path, names[i].mangled) + 1, names[i].readable, 1);
	blaze_symbolizer_free(s);
}

/* A large library: for each of many addresses, the symbol nm has there. */
static void a_large_library_agrees_with_nm(void **state)
{
	const char *libc = output_of("ldd /bin/sh | awk '/libc.so/ { print $3 }'");
	blaze_symbolizer *s;
	char line[512], name[256], type;
	size_t checked = 0;
	FILE *nm;

	(void)state;
	if (!*libc)
		pass_over("/bin/sh has no libc of its own");
	s = symbolizer(false, false, false);
	snprintf(line, sizeof(line), "nm -D -S --defined-only '%s'", libc);
	nm = popen(line, "r");
	assert_non_null(nm);
	while (fgets(line, sizeof(line), nm)) {
		const struct blaze_syms *syms;
		uint64_t addr, size;

		if (sscanf(line, "%" SCNx64 " %" SCNx64 " %c %255s", &addr, &size, &type, name) !=
		    4)
			continue;
		if (!strchr("TtWwi", type) || !size)
			continue;
		/* Several names can be right, but where it starts and ends is one. */
		syms = elf_addr(s, libc, false, addr + size - 1);
		assert_non_null(syms->syms[0].name);
		assert_int_equal(syms->syms[0].addr, addr);
		assert_int_equal(syms->syms[0].size, size);
		blaze_syms_free(syms);
		checked++;
	}
	pclose(nm);
	assert_true(checked > 1000);
	blaze_symbolizer_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_are_found),
		cmocka_unit_test(sizes_are_what_nm_says),
		cmocka_unit_test(a_32_bit_file_works),
		cmocka_unit_test(file_offsets_become_addresses),
		cmocka_unit_test(the_best_name_is_chosen),
		cmocka_unit_test(glibc_names_are_the_ones_people_write),
		cmocka_unit_test(nested_symbols_give_the_inner_one),
		cmocka_unit_test(symbols_without_a_size_extend),
		cmocka_unit_test(gaps_belong_to_nobody),
		cmocka_unit_test(ifuncs_are_functions),
		cmocka_unit_test(plt_entries_are_named),
		cmocka_unit_test(a_file_without_symbols_says_so),
		cmocka_unit_test(cxx_names_become_readable),
		cmocka_unit_test(rust_names_become_readable),
		cmocka_unit_test(a_large_library_agrees_with_nm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
