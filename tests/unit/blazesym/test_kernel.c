// SPDX-License-Identifier: GPL-2.0-only
/* Kernel addresses: made-up kallsyms where every answer is known, and the running kernel's. */
#include <inttypes.h>

#include "helpers.h"

/* Write @text to a new file; its path is to be unlinked and freed. */
static char *write_temp(const char *text)
{
	char *path = strdup("/tmp/blazesym-test-XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	return path;
}

static void unlink_temp(char *path)
{
	unlink(path);
	free(path);
}

static const struct blaze_syms *kernel_addr(blaze_symbolizer *s, const char *kallsyms,
					    const char *vmlinux, uint64_t addr)
{
	struct blaze_symbolize_src_kernel src = {
		.type_size = sizeof(src),
		.kallsyms = kallsyms,
		.vmlinux = vmlinux,
		.debug_syms = true,
	};

	return blaze_symbolize_kernel_abs_addrs(s, &src, &addr, 1);
}

static void expect_kernel(blaze_symbolizer *s, const char *kallsyms, uint64_t addr,
			  const char *name, uint64_t offset, const char *module)
{
	const struct blaze_syms *syms = kernel_addr(s, kallsyms, "", addr);
	const struct blaze_sym *sym;

	assert_non_null(syms);
	sym = &syms->syms[0];
	if (!sym->name)
		fail_msg("%#" PRIx64 " is not %s: %s", addr, name,
			 blaze_symbolize_reason_str(sym->reason));
	assert_string_equal(sym->name, name);
	assert_int_equal(sym->offset, offset);
	assert_true(sym->addr == addr - offset);
	if (module)
		assert_string_equal(sym->module, module);
	else
		assert_null(sym->module);
	blaze_syms_free(syms);
}

static void expect_no_kernel(blaze_symbolizer *s, const char *kallsyms, uint64_t addr,
			     blaze_symbolize_reason reason)
{
	const struct blaze_syms *syms = kernel_addr(s, kallsyms, "", addr);

	assert_non_null(syms);
	assert_null(syms->syms[0].name);
	assert_int_equal(syms->syms[0].reason, reason);
	blaze_syms_free(syms);
}

/* Unsorted, as the modules' part is. */
static const char kallsyms_text[] =
	"0000000000000000 A fixed_percpu_data\n"
	"0000000000001000 A cpu_debug_store\n"
	"ffffffff81000000 T _stext\n"
	"ffffffff81000000 T _text\n"
	"ffffffff81000100 T __pfx_do_thing\n"
	"ffffffff81000110 t ___do_thing\n"
	"ffffffff81000110 T do_thing\n"
	"ffffffff81000110 W __do_thing_weak\n"
	"ffffffff81000200 t local_thing\n"
	"ffffffff81000300 D some_data\n"
	"ffffffff81000300 T text_over_data\n"
	"ffffffffc0279010 T fuse_dev_init\t[fuse]\n"
	"ffffffffc02791d0 T fuse_ctl_init\t[fuse]\n"
	"ffffffffc0100000 t null_add_dev\t[null_blk]\n"
	"ffffffffc003b960 t bpf_prog_7cc47bbf07148bfe_hid_tail_call\t[bpf]\n"
	"ffffffffc003e9c8 t bpf_prog_30304e82b4033ea3_kprobe__cap_capable\t[bpf]\n"
	"ffffffffc003f000 t bpf_prog_30304e82b4033ea3\t[bpf]\n"
	"ffffffffc212d000 t ftrace_trampoline\t[__builtin__ftrace]\n"
	"ffffffff81000400 t _RNvCskwGfYPst2Cb_3foo16example_function\n";

static void names_are_found_in_any_order(void **state)
{
	char *path = write_temp(kallsyms_text);
	blaze_symbolizer *s = symbolizer(false, false, true);

	(void)state;
	expect_kernel(s, path, 0xffffffff81000100, "__pfx_do_thing", 0, NULL);
	expect_kernel(s, path, 0xffffffff8100010f, "__pfx_do_thing", 0xf, NULL);
	expect_kernel(s, path, 0xffffffff810002ff, "local_thing", 0xff, NULL);
	expect_kernel(s, path, 0xffffffffc0279010, "fuse_dev_init", 0, "fuse");
	expect_kernel(s, path, 0xffffffffc02791d5, "fuse_ctl_init", 5, "fuse");
	expect_kernel(s, path, 0xffffffffc0100001, "null_add_dev", 1, "null_blk");
	/* Rust in the kernel. */
	expect_kernel(s, path, 0xffffffff81000400, "foo::example_function", 0, NULL);
	blaze_symbolizer_free(s);
	unlink_temp(path);
}

static void the_best_name_is_chosen(void **state)
{
	char *path = write_temp(kallsyms_text);
	blaze_symbolizer *s = symbolizer(false, false, false);

	(void)state;
	expect_kernel(s, path, 0xffffffff81000110, "do_thing", 0, NULL);
	expect_kernel(s, path, 0xffffffff81000300, "text_over_data", 0, NULL);
	blaze_symbolizer_free(s);
	unlink_temp(path);
}

static void bpf_programs_have_their_own_names(void **state)
{
	char *path = write_temp(kallsyms_text);
	blaze_symbolizer *s = symbolizer(false, false, false);

	(void)state;
	expect_kernel(s, path, 0xffffffffc003b970, "hid_tail_call", 0x10, "bpf");
	expect_kernel(s, path, 0xffffffffc003e9c8, "kprobe__cap_capable", 0, "bpf");
	/* One without a name keeps its tag. */
	expect_kernel(s, path, 0xffffffffc003f000, "bpf_prog_30304e82b4033ea3", 0, "bpf");
	blaze_symbolizer_free(s);
	unlink_temp(path);
}

static void addresses_far_from_any_symbol_are_unknown(void **state)
{
	char *path = write_temp(kallsyms_text);
	blaze_symbolizer *s = symbolizer(false, false, false);

	(void)state;
	expect_no_kernel(s, path, 0, BLAZE_SYMBOLIZE_REASON_UNKNOWN_ADDR);
	/* Absolute symbols are offsets of per-CPU data, not addresses. */
	expect_no_kernel(s, path, 0x1000, BLAZE_SYMBOLIZE_REASON_UNKNOWN_ADDR);
	expect_no_kernel(s, path, 0xffff888000000000, BLAZE_SYMBOLIZE_REASON_UNKNOWN_ADDR);
	/* A gigabyte behind the last one of the core kernel. */
	expect_no_kernel(s, path, 0xffffffffbf000000, BLAZE_SYMBOLIZE_REASON_UNKNOWN_ADDR);
	expect_no_kernel(s, path, UINT64_MAX, BLAZE_SYMBOLIZE_REASON_UNKNOWN_ADDR);
	blaze_symbolizer_free(s);
	unlink_temp(path);
}

static void hidden_addresses_are_missing_symbols(void **state)
{
	/* What kptr_restrict leaves. */
	char *path = write_temp("0000000000000000 T _stext\n"
				"0000000000000000 T do_thing\n"
				"0000000000000000 t fuse_dev_init\t[fuse]\n");
	blaze_symbolizer *s = symbolizer(false, false, false);

	(void)state;
	expect_no_kernel(s, path, 0xffffffff81000110, BLAZE_SYMBOLIZE_REASON_MISSING_SYMS);
	expect_no_kernel(s, path, 0, BLAZE_SYMBOLIZE_REASON_MISSING_SYMS);
	blaze_symbolizer_free(s);
	unlink_temp(path);
}

static void lines_that_are_none_do_no_harm(void **state)
{
	char *path = write_temp("nonsense\n\n"
				"ffffffff81000000\n"
				"ffffffff81000000 T\n"
				"ffffffff81000000 T \n"
				"1ffffffff81000000 T too_long\n"
				"ffffffff81000010 T good\n"
				"ffffffff81000020 T other\t[\n"
				"ffffffff81000030 T last_without_newline");
	blaze_symbolizer *s = symbolizer(false, false, false);

	(void)state;
	expect_no_kernel(s, path, 0xffffffff81000000, BLAZE_SYMBOLIZE_REASON_UNKNOWN_ADDR);
	expect_kernel(s, path, 0xffffffff81000010, "good", 0, NULL);
	expect_kernel(s, path, 0xffffffff81000030, "last_without_newline", 0, NULL);
	blaze_symbolizer_free(s);
	unlink_temp(path);
}

static void a_kernel_without_any_source_is_an_error(void **state)
{
	blaze_symbolizer *s = symbolizer(false, false, false);

	(void)state;
	assert_null(kernel_addr(s, "", "", 1));
	assert_int_equal(blaze_err_last(), BLAZE_ERR_NOT_FOUND);
	assert_null(kernel_addr(s, "/nonexistent", NULL, 1));
	assert_int_equal(blaze_err_last(), BLAZE_ERR_NOT_FOUND);
	assert_null(kernel_addr(s, NULL, "/nonexistent", 1));
	assert_int_equal(blaze_err_last(), BLAZE_ERR_NOT_FOUND);
	blaze_symbolizer_free(s);
}

static void a_kernel_image_gives_lines(void **state)
{
	const char *image = fixture("kernel");
	uint64_t fn = nm_addr(image, "kernel_function"), stext = nm_addr(image, "_stext");
	blaze_symbolizer *s = symbolizer(true, true, false);
	/* The kernel runs 0x3400000 from where it is linked. */
	const uint64_t shift = 0x3400000;
	const struct blaze_syms *syms;
	char text[256], *path;

	(void)state;
	snprintf(text, sizeof(text), "%" PRIx64 " T _stext\n%" PRIx64 " T from_kallsyms\t[mod]\n",
		 stext + shift, (uint64_t)0xffffffffc0001000);
	path = write_temp(text);
	syms = kernel_addr(s, path, image, fn + shift);
	assert_non_null(syms);
	assert_string_equal(syms->syms[0].name, "kernel_function");
	assert_int_equal(syms->syms[0].offset, 0);
	assert_true(syms->syms[0].addr == fn + shift);
	assert_string_equal(syms->syms[0].code_info.file, "freestanding.c");
	/* The opening brace or the line behind it. */
	assert_in_range(syms->syms[0].code_info.line,
			source_line("freestanding.c", "kernel_function") - 2,
			source_line("freestanding.c", "kernel_function"));
	blaze_syms_free(syms);
	/* What is not in the image is looked up in kallsyms. */
	syms = kernel_addr(s, path, image, 0xffffffffc0001004);
	assert_string_equal(syms->syms[0].name, "from_kallsyms");
	blaze_syms_free(syms);
	/* Not told where it runs, there is no way to know: better nothing than wrong names. */
	unlink_temp(path);
	path = write_temp("0000000000000000 T _stext\n");
	syms = kernel_addr(s, path, image, fn);
	assert_null(syms->syms[0].name);
	assert_int_equal(syms->syms[0].reason, BLAZE_SYMBOLIZE_REASON_MISSING_SYMS);
	blaze_syms_free(syms);
	/* Without kallsyms at all, addresses are taken to be as linked. */
	syms = kernel_addr(s, "", image, fn);
	assert_string_equal(syms->syms[0].name, "kernel_function");
	blaze_syms_free(syms);
	blaze_symbolizer_free(s);
	unlink_temp(path);
}

/* Each text symbol of the running kernel is found at its address, with all its other names. */
static void the_running_kernel_is_found(void **state)
{
	blaze_symbolizer *s;
	FILE *file = fopen("/proc/kallsyms", "r");
	char line[1024], name[512], type;
	size_t checked = 0, named = 0, step = 0;
	uint64_t addr;

	(void)state;
	if (!file)
		pass_over("/proc/kallsyms cannot be read");
	s = symbolizer(false, false, false);
	while (fgets(line, sizeof(line), file)) {
		const struct blaze_syms *syms;

		if (sscanf(line, "%" SCNx64 " %c %511s", &addr, &type, name) != 3 || !addr ||
		    !strchr("tT", type) || step++ % 37)
			continue;
		syms = kernel_addr(s, NULL, NULL, addr);
		assert_non_null(syms);
		assert_non_null(syms->syms[0].name);
		assert_true(syms->syms[0].addr == addr);
		assert_int_equal(syms->syms[0].offset, 0);
		named += !strcmp(syms->syms[0].name, name);
		checked++;
		blaze_syms_free(syms);
	}
	fclose(file);
	if (!checked)
		pass_over("the kernel hides its addresses");
	/* Nearly all have only one name. */
	assert_true(named > checked * 8 / 10);
	blaze_symbolizer_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_found_in_any_order),
		cmocka_unit_test(the_best_name_is_chosen),
		cmocka_unit_test(bpf_programs_have_their_own_names),
		cmocka_unit_test(addresses_far_from_any_symbol_are_unknown),
		cmocka_unit_test(hidden_addresses_are_missing_symbols),
		cmocka_unit_test(lines_that_are_none_do_no_harm),
		cmocka_unit_test(a_kernel_without_any_source_is_an_error),
		cmocka_unit_test(a_kernel_image_gives_lines),
		cmocka_unit_test(the_running_kernel_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
