// SPDX-License-Identifier: GPL-2.0-only
/* Normalization: offsets that symbolize to the same, build IDs, what cannot be normalized. */
#include <sys/auxv.h>
#include <sys/mman.h>

#include "helpers.h"

static const struct blaze_user_meta *meta_of(const struct blaze_normalized_user_output *out,
					     size_t idx)
{
	assert_in_range(out->outputs[idx].meta_idx, 0, out->meta_cnt - 1);
	return &out->metas[out->outputs[idx].meta_idx];
}

static void offsets_lead_to_the_same_symbols(void **state)
{
	blaze_normalizer *n = blaze_normalizer_new();
	blaze_symbolizer *s = symbolizer(false, false, false);
	struct blaze_symbolize_src_elf src = { .type_size = sizeof(src) };
	struct blaze_normalized_user_output *out;
	const struct blaze_user_meta *meta;
	const struct blaze_syms *syms;
	uint64_t addrs[4];
	struct child child;
	char hex[129] = "";

	(void)state;
	child_start(&child, fixture("sleeper"), NULL, NULL);
	addrs[0] = child.shared_addr + 1;
	addrs[1] = child.addr;
	addrs[2] = child.shared_addr + 2;
	addrs[3] = 16;
	out = blaze_normalize_user_addrs(n, (uint32_t)child.pid, addrs, 4);
	assert_non_null(out);
	child_end(&child);
	assert_int_equal(out->output_cnt, 4);
	/* Two files and "unknown". */
	assert_int_equal(out->meta_cnt, 3);
	assert_int_equal(out->outputs[0].meta_idx, out->outputs[2].meta_idx);

	meta = meta_of(out, 0);
	assert_int_equal(meta->kind, BLAZE_USER_META_KIND_ELF);
	assert_string_equal(meta->variant.elf.path, fixture("libshared.so"));
	for (size_t i = 0; i < meta->variant.elf.build_id_len; i++)
		sprintf(hex + 2 * i, "%02x", meta->variant.elf.build_id[i]);
	assert_string_equal(hex, output_of("readelf -n '%s' | sed -n 's/.*Build ID: //p'",
					   fixture("libshared.so")));
	src.path = meta->variant.elf.path;
	syms = blaze_symbolize_elf_file_offsets(s, &src, &out->outputs[0].output, 1);
	assert_string_equal(syms->syms[0].name, "shared_function");
	assert_int_equal(syms->syms[0].offset, 1);
	blaze_syms_free(syms);

	meta = meta_of(out, 1);
	src.path = meta->variant.elf.path;
	syms = blaze_symbolize_elf_file_offsets(s, &src, &out->outputs[1].output, 1);
	assert_string_equal(syms->syms[0].name, "target_function");
	blaze_syms_free(syms);

	meta = meta_of(out, 3);
	assert_int_equal(meta->kind, BLAZE_USER_META_KIND_UNKNOWN);
	assert_int_equal(meta->variant.unknown.reason, BLAZE_NORMALIZE_REASON_UNMAPPED);
	assert_int_equal(out->outputs[3].output, 16);
	blaze_user_output_free(out);
	blaze_normalizer_free(n);
	blaze_symbolizer_free(s);
}

static void options_do_what_they_say(void **state)
{
	struct blaze_normalizer_opts opts = {
		.type_size = sizeof(opts),
		.build_ids = true,
		.cache_build_ids = true,
		.cache_vmas = true,
		.use_procmap_query = true,
	};
	struct blaze_normalize_opts call = { .type_size = sizeof(call), .map_files = true };
	blaze_normalizer *n = blaze_normalizer_new_opts(&opts);
	struct blaze_normalized_user_output *out;
	const struct blaze_user_meta *meta;
	struct child child;

	(void)state;
	child_start(&child, fixture("sleeper"), NULL, NULL);
	out = blaze_normalize_user_addrs_opts(n, (uint32_t)child.pid, &child.shared_addr, 1, &call);
	assert_non_null(out);
	meta = meta_of(out, 0);
	assert_non_null(strstr(meta->variant.elf.path, "/map_files/"));
	assert_int_equal(access(meta->variant.elf.path, F_OK), 0);
	blaze_user_output_free(out);
	child_end(&child);
	/* From what was remembered. */
	call.map_files = false;
	out = blaze_normalize_user_addrs_opts(n, (uint32_t)child.pid, &child.shared_addr, 1, &call);
	assert_non_null(out);
	meta = meta_of(out, 0);
	assert_string_equal(meta->variant.elf.path, fixture("libshared.so"));
	assert_true(meta->variant.elf.build_id_len > 0);
	blaze_user_output_free(out);
	blaze_normalizer_free(n);
	/* Without them. */
	opts = (struct blaze_normalizer_opts){ .type_size = sizeof(opts) };
	n = blaze_normalizer_new_opts(&opts);
	assert_null(blaze_normalize_user_addrs(n, (uint32_t)child.pid, &child.addr, 1));
	assert_int_equal(blaze_err_last(), BLAZE_ERR_NOT_FOUND);
	out = blaze_normalize_user_addrs(n, 0, &(uint64_t){ (uintptr_t)options_do_what_they_say },
					 1);
	assert_non_null(out);
	meta = meta_of(out, 0);
	assert_int_equal(meta->kind, BLAZE_USER_META_KIND_ELF);
	assert_int_equal(meta->variant.elf.build_id_len, 0);
	blaze_user_output_free(out);
	blaze_normalizer_free(n);
}

static void what_is_in_no_file_says_why(void **state)
{
	void *anon = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t addrs[] = { (uintptr_t)anon, 16, getauxval(AT_SYSINFO_EHDR) };
	blaze_normalizer *n = blaze_normalizer_new();
	struct blaze_normalized_user_output *out;

	(void)state;
	out = blaze_normalize_user_addrs(n, 0, addrs, 3);
	assert_non_null(out);
	assert_int_equal(meta_of(out, 0)->kind, BLAZE_USER_META_KIND_UNKNOWN);
	assert_int_equal(meta_of(out, 0)->variant.unknown.reason,
			 BLAZE_NORMALIZE_REASON_MISSING_COMPONENT);
	assert_int_equal(meta_of(out, 1)->variant.unknown.reason, BLAZE_NORMALIZE_REASON_UNMAPPED);
	/* The start of the vDSO is its ELF header: no symbol. */
	if (addrs[2])
		assert_int_equal(meta_of(out, 2)->variant.unknown.reason,
				 BLAZE_NORMALIZE_REASON_UNKNOWN_ADDR);
	blaze_user_output_free(out);
	munmap(anon, 4096);
	blaze_normalizer_free(n);
}

/* Some address in the vDSO is in a symbol, which goes with the output. */
static void vdso_addresses_bring_their_symbol(void **state)
{
	uint64_t base = getauxval(AT_SYSINFO_EHDR);
	blaze_normalizer *n;
	bool found = false;

	(void)state;
	if (!base)
		pass_over("the kernel gives programs no vdso");
	n = blaze_normalizer_new();
	for (uint64_t offset = 0x400; offset < 0x1000 && !found; offset += 64) {
		uint64_t addr = base + offset;
		struct blaze_normalized_user_output *out;
		const struct blaze_user_meta *meta;

		out = blaze_normalize_user_addrs(n, 0, &addr, 1);
		assert_non_null(out);
		meta = meta_of(out, 0);
		if (meta->kind == BLAZE_USER_META_KIND_SYM) {
			found = true;
			assert_non_null(meta->variant.sym.sym->name);
			assert_string_equal(meta->variant.sym.sym->module, "[vdso]");
			assert_int_equal(out->outputs[0].output, addr);
		}
		blaze_user_output_free(out);
	}
	assert_true(found);
	blaze_normalizer_free(n);
}

static void no_addresses_give_an_empty_result(void **state)
{
	blaze_normalizer *n = blaze_normalizer_new();
	struct blaze_normalized_user_output *out;

	(void)state;
	out = blaze_normalize_user_addrs(n, 0, NULL, 0);
	assert_non_null(out);
	assert_int_equal(out->output_cnt, 0);
	assert_int_equal(out->meta_cnt, 0);
	blaze_user_output_free(out);
	assert_null(blaze_normalize_user_addrs(n, 0, NULL, 1));
	assert_int_equal(blaze_err_last(), BLAZE_ERR_INVALID_INPUT);
	blaze_normalizer_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offsets_lead_to_the_same_symbols),
		cmocka_unit_test(options_do_what_they_say),
		cmocka_unit_test(what_is_in_no_file_says_why),
		cmocka_unit_test(vdso_addresses_bring_their_symbol),
		cmocka_unit_test(no_addresses_give_an_empty_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
