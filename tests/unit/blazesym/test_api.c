// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interface is blazesym-c 0.1.7's: layouts, constants, what bad input does. The numbers
 * are from that release's header, compiled for a 64-bit machine.
 */
#include "helpers.h"

#define LAYOUT(type, member, offset) \
	_Static_assert(offsetof(struct type, member) == (offset), #type)
#define SIZE(type, size) _Static_assert(sizeof(struct type) == (size), #type)

SIZE(blaze_symbolize_code_info, 32);
LAYOUT(blaze_symbolize_code_info, dir, 0);
LAYOUT(blaze_symbolize_code_info, file, 8);
LAYOUT(blaze_symbolize_code_info, line, 16);
LAYOUT(blaze_symbolize_code_info, column, 20);
SIZE(blaze_symbolize_inlined_fn, 48);
LAYOUT(blaze_symbolize_inlined_fn, code_info, 8);
SIZE(blaze_sym, 104);
LAYOUT(blaze_sym, name, 0);
LAYOUT(blaze_sym, module, 8);
LAYOUT(blaze_sym, addr, 16);
LAYOUT(blaze_sym, offset, 24);
LAYOUT(blaze_sym, size, 32);
LAYOUT(blaze_sym, code_info, 40);
LAYOUT(blaze_sym, inlined_cnt, 72);
LAYOUT(blaze_sym, inlined, 80);
LAYOUT(blaze_sym, reason, 88);
SIZE(blaze_syms, 8);
LAYOUT(blaze_syms, syms, 8);
SIZE(blaze_symbolizer_opts, 48);
LAYOUT(blaze_symbolizer_opts, debug_dirs, 8);
LAYOUT(blaze_symbolizer_opts, debug_dirs_len, 16);
LAYOUT(blaze_symbolizer_opts, auto_reload, 24);
LAYOUT(blaze_symbolizer_opts, code_info, 25);
LAYOUT(blaze_symbolizer_opts, inlined_fns, 26);
LAYOUT(blaze_symbolizer_opts, demangle, 27);
SIZE(blaze_cache_src_elf, 32);
LAYOUT(blaze_cache_src_elf, path, 8);
SIZE(blaze_cache_src_process, 32);
LAYOUT(blaze_cache_src_process, pid, 8);
LAYOUT(blaze_cache_src_process, cache_vmas, 12);
SIZE(blaze_symbolize_src_process, 32);
LAYOUT(blaze_symbolize_src_process, pid, 8);
LAYOUT(blaze_symbolize_src_process, debug_syms, 12);
LAYOUT(blaze_symbolize_src_process, perf_map, 13);
LAYOUT(blaze_symbolize_src_process, no_map_files, 14);
LAYOUT(blaze_symbolize_src_process, no_vdso, 15);
SIZE(blaze_symbolize_src_kernel, 48);
LAYOUT(blaze_symbolize_src_kernel, kallsyms, 8);
LAYOUT(blaze_symbolize_src_kernel, vmlinux, 16);
LAYOUT(blaze_symbolize_src_kernel, debug_syms, 24);
SIZE(blaze_symbolize_src_elf, 40);
LAYOUT(blaze_symbolize_src_elf, path, 8);
LAYOUT(blaze_symbolize_src_elf, debug_syms, 16);
SIZE(blaze_normalizer_opts, 32);
LAYOUT(blaze_normalizer_opts, use_procmap_query, 8);
LAYOUT(blaze_normalizer_opts, cache_vmas, 9);
LAYOUT(blaze_normalizer_opts, build_ids, 10);
LAYOUT(blaze_normalizer_opts, cache_build_ids, 11);
SIZE(blaze_normalize_opts, 32);
LAYOUT(blaze_normalize_opts, sorted_addrs, 8);
LAYOUT(blaze_normalize_opts, map_files, 9);
LAYOUT(blaze_normalize_opts, apk_to_elf, 10);
SIZE(blaze_user_meta_apk, 24);
SIZE(blaze_user_meta_elf, 40);
LAYOUT(blaze_user_meta_elf, build_id_len, 8);
LAYOUT(blaze_user_meta_elf, build_id, 16);
SIZE(blaze_user_meta_sym, 24);
SIZE(blaze_user_meta_unknown, 16);
SIZE(blaze_user_meta, 64);
LAYOUT(blaze_user_meta, variant, 8);
SIZE(blaze_normalized_output, 32);
LAYOUT(blaze_normalized_output, meta_idx, 8);
SIZE(blaze_normalized_user_output, 48);
LAYOUT(blaze_normalized_user_output, metas, 8);
LAYOUT(blaze_normalized_user_output, output_cnt, 16);
LAYOUT(blaze_normalized_user_output, outputs, 24);

_Static_assert(sizeof(blaze_err) == 2, "blaze_err");
_Static_assert(sizeof(blaze_symbolize_reason) == 1, "blaze_symbolize_reason");
_Static_assert(sizeof(blaze_normalize_reason) == 1, "blaze_normalize_reason");
_Static_assert(sizeof(blaze_user_meta_kind) == 1, "blaze_user_meta_kind");

static void constants_are_as_released(void **state)
{
	(void)state;
	assert_int_equal(BLAZE_ERR_OK, 0);
	assert_int_equal(BLAZE_ERR_NOT_FOUND, -2);
	assert_int_equal(BLAZE_ERR_PERMISSION_DENIED, -1);
	assert_int_equal(BLAZE_ERR_INVALID_DATA, -22);
	assert_int_equal(BLAZE_ERR_UNSUPPORTED, -95);
	assert_int_equal(BLAZE_ERR_OUT_OF_MEMORY, -12);
	assert_int_equal(BLAZE_ERR_INVALID_INPUT, -256);
	assert_int_equal(BLAZE_ERR_INVALID_DWARF, -259);
	assert_int_equal(BLAZE_ERR_OTHER, -260);
	assert_int_equal(BLAZE_SYMBOLIZE_REASON_UNMAPPED, 1);
	assert_int_equal(BLAZE_SYMBOLIZE_REASON_MISSING_SYMS, 4);
	assert_int_equal(BLAZE_SYMBOLIZE_REASON_IGNORED_ERROR, 7);
	assert_int_equal(BLAZE_NORMALIZE_REASON_UNMAPPED, 0);
	assert_int_equal(BLAZE_NORMALIZE_REASON_IGNORED_ERROR, 7);
}

static void every_error_and_reason_has_a_text(void **state)
{
	(void)state;
	for (int i = -300; i <= 10; i++)
		assert_true(strlen(blaze_err_str((blaze_err)i)) > 0);
	for (int i = 0; i <= 255; i++) {
		assert_true(strlen(blaze_symbolize_reason_str((blaze_symbolize_reason)i)) > 0);
		assert_true(strlen(blaze_normalize_reason_str((blaze_normalize_reason)i)) > 0);
	}
	/* The two enumerations number the same reasons differently. */
	assert_string_equal(blaze_normalize_reason_str(BLAZE_NORMALIZE_REASON_UNMAPPED),
			    blaze_symbolize_reason_str(BLAZE_SYMBOLIZE_REASON_UNMAPPED));
	assert_string_equal(blaze_normalize_reason_str(BLAZE_NORMALIZE_REASON_UNSUPPORTED),
			    blaze_symbolize_reason_str(BLAZE_SYMBOLIZE_REASON_UNSUPPORTED));
}

static void a_structure_that_ends_early_means_zeros(void **state)
{
	struct {
		struct blaze_symbolizer_opts opts;
		char guard[64];
	} old;
	blaze_symbolizer *symbolizer;

	(void)state;
	/* Only type_size and debug_dirs are there; what follows is not ours to read. */
	memset(&old, 0xff, sizeof(old));
	old.opts.type_size = offsetof(struct blaze_symbolizer_opts, debug_dirs_len);
	old.opts.debug_dirs = NULL;
	symbolizer = blaze_symbolizer_new_opts(&old.opts);
	assert_non_null(symbolizer);
	assert_int_equal(blaze_err_last(), BLAZE_ERR_OK);
	blaze_symbolizer_free(symbolizer);
}

static void a_structure_from_the_future_is_fine_if_zero(void **state)
{
	struct {
		struct blaze_symbolizer_opts opts;
		char more[64];
	} newer = { .opts = { .type_size = sizeof(newer) } };
	blaze_symbolizer *symbolizer;

	(void)state;
	symbolizer = blaze_symbolizer_new_opts(&newer.opts);
	assert_non_null(symbolizer);
	blaze_symbolizer_free(symbolizer);
	newer.more[63] = 1;
	assert_null(blaze_symbolizer_new_opts(&newer.opts));
	assert_int_equal(blaze_err_last(), BLAZE_ERR_INVALID_INPUT);
}

static void unknown_members_are_refused(void **state)
{
	struct blaze_symbolizer_opts opts = { .type_size = sizeof(opts), .reserved[3] = 1 };
	struct blaze_normalizer_opts n_opts = { .type_size = sizeof(n_opts), .reserved[19] = 1 };

	(void)state;
	assert_null(blaze_symbolizer_new_opts(&opts));
	assert_int_equal(blaze_err_last(), BLAZE_ERR_INVALID_INPUT);
	assert_null(blaze_normalizer_new_opts(&n_opts));
	assert_int_equal(blaze_err_last(), BLAZE_ERR_INVALID_INPUT);
	opts.type_size = 7;
	assert_null(blaze_symbolizer_new_opts(&opts));
	assert_int_equal(blaze_err_last(), BLAZE_ERR_INVALID_INPUT);
}

static void bad_arguments_are_refused(void **state)
{
	struct blaze_symbolize_src_elf src = { .type_size = sizeof(src) };
	blaze_symbolizer *s = symbolizer(false, false, false);
	uint64_t addr = 0;

	(void)state;
	assert_null(blaze_symbolize_elf_virt_offsets(s, &src, &addr, 1));
	assert_int_equal(blaze_err_last(), BLAZE_ERR_INVALID_INPUT);
	assert_null(blaze_symbolize_elf_virt_offsets(s, NULL, &addr, 1));
	assert_int_equal(blaze_err_last(), BLAZE_ERR_INVALID_INPUT);
	src.path = "/nonexistent";
	assert_null(blaze_symbolize_elf_virt_offsets(NULL, &src, &addr, 1));
	assert_int_equal(blaze_err_last(), BLAZE_ERR_INVALID_INPUT);
	assert_null(blaze_symbolize_elf_virt_offsets(s, &src, NULL, 1));
	assert_int_equal(blaze_err_last(), BLAZE_ERR_INVALID_INPUT);
	assert_null(blaze_symbolize_elf_virt_offsets(s, &src, &addr, 1));
	assert_int_equal(blaze_err_last(), BLAZE_ERR_NOT_FOUND);
	/* No addresses: nothing to return, but no error either. */
	assert_null(blaze_symbolize_elf_virt_offsets(s, &src, &addr, 0));
	assert_int_equal(blaze_err_last(), BLAZE_ERR_OK);
	blaze_symbolizer_free(s);
	blaze_symbolizer_free(NULL);
	blaze_syms_free(NULL);
	blaze_normalizer_free(NULL);
	blaze_user_output_free(NULL);
}

static void files_that_are_not_elf_are_refused(void **state)
{
	struct blaze_symbolize_src_elf src = { .type_size = sizeof(src) };
	blaze_symbolizer *s = symbolizer(true, true, true);
	uint64_t addr = 0;

	(void)state;
	src.path = source("inline.c");
	assert_null(blaze_symbolize_elf_virt_offsets(s, &src, &addr, 1));
	assert_int_equal(blaze_err_last(), BLAZE_ERR_INVALID_DATA);
	src.path = "/dev/null";
	assert_null(blaze_symbolize_elf_virt_offsets(s, &src, &addr, 1));
	assert_int_equal(blaze_err_last(), BLAZE_ERR_UNSUPPORTED);
	src.path = "/";
	assert_null(blaze_symbolize_elf_virt_offsets(s, &src, &addr, 1));
	assert_int_equal(blaze_err_last(), BLAZE_ERR_UNSUPPORTED);
	blaze_symbolizer_free(s);
}

static void results_outlive_the_symbolizer(void **state)
{
	const char *path = fixture("inline");
	uint64_t addr = nm_addr(path, "outer");
	blaze_symbolizer *s = symbolizer(true, true, true);
	const struct blaze_syms *syms = elf_addr(s, path, true, addr);

	(void)state;
	blaze_symbolizer_free(s);
	assert_string_equal(syms->syms[0].name, "outer");
	assert_string_equal(syms->syms[0].module, path);
	assert_string_equal(syms->syms[0].code_info.file, "inline.c");
	blaze_syms_free(syms);
}

static void the_default_symbolizer_does_everything(void **state)
{
	blaze_symbolizer *s = blaze_symbolizer_new();
	const char *path = fixture("inline");
	const struct blaze_syms *syms;

	(void)state;
	assert_non_null(s);
	syms = elf_addr(s, path, true, nm_addr(path, "mark_innermost"));
	assert_int_equal(syms->syms[0].inlined_cnt, 2);
	assert_true(syms->syms[0].code_info.line > 0);
	blaze_syms_free(syms);
	blaze_symbolizer_free(s);
}

static void build_ids_are_what_readelf_says(void **state)
{
	const char *path = fixture("inline");
	char hex[2 * 64 + 1] = "";
	uint8_t *id;
	size_t len;

	(void)state;
	id = blaze_read_elf_build_id(path, &len);
	assert_non_null(id);
	assert_in_range(len, 8, 64);
	for (size_t i = 0; i < len; i++)
		sprintf(hex + 2 * i, "%02x", id[i]);
	assert_string_equal(hex, output_of("readelf -n '%s' | sed -n 's/.*Build ID: //p'", path));
	free(id);
	assert_null(blaze_read_elf_build_id(fixture("inline-bylink"), &len));
	assert_int_equal(blaze_err_last(), BLAZE_ERR_OK);
	assert_int_equal(len, 0);
	assert_null(blaze_read_elf_build_id("/nonexistent", NULL));
	assert_int_equal(blaze_err_last(), BLAZE_ERR_NOT_FOUND);
}

static void a_file_can_be_read_ahead(void **state)
{
	blaze_symbolizer *s = symbolizer(false, false, false);
	struct blaze_cache_src_elf cache = { .type_size = sizeof(cache) };

	(void)state;
	blaze_symbolize_cache_elf(s, &cache);
	assert_int_equal(blaze_err_last(), BLAZE_ERR_INVALID_INPUT);
	cache.path = "/nonexistent";
	blaze_symbolize_cache_elf(s, &cache);
	assert_int_equal(blaze_err_last(), BLAZE_ERR_NOT_FOUND);
	cache.path = fixture("inline");
	blaze_symbolize_cache_elf(s, &cache);
	assert_int_equal(blaze_err_last(), BLAZE_ERR_OK);
	expect_elf(s, cache.path, nm_addr(cache.path, "plain"), "plain", 0);
	blaze_symbolizer_free(s);
}

static void a_changed_file_is_read_anew(void **state)
{
	blaze_symbolizer *s = symbolizer(true, false, false);
	char path[] = "/tmp/blazesym-test-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	run("cat '%s' > %s", fixture("inline"), path);
	expect_elf(s, path, nm_addr(fixture("inline"), "outer"), "outer", 0);
	/* In place, so that it is the same inode. */
	run("cat '%s' > %s", fixture("rust"), path);
	expect_elf(s, path, nm_addr(fixture("rust"), "main"), "main", 0);
	unlink(path);
	blaze_symbolizer_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constants_are_as_released),
		cmocka_unit_test(every_error_and_reason_has_a_text),
		cmocka_unit_test(a_structure_that_ends_early_means_zeros),
		cmocka_unit_test(a_structure_from_the_future_is_fine_if_zero),
		cmocka_unit_test(unknown_members_are_refused),
		cmocka_unit_test(bad_arguments_are_refused),
		cmocka_unit_test(files_that_are_not_elf_are_refused),
		cmocka_unit_test(results_outlive_the_symbolizer),
		cmocka_unit_test(the_default_symbolizer_does_everything),
		cmocka_unit_test(build_ids_are_what_readelf_says),
		cmocka_unit_test(a_file_can_be_read_ahead),
		cmocka_unit_test(a_changed_file_is_read_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
