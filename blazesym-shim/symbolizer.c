// SPDX-License-Identifier: GPL-2.0-only
/* The symbolizer: its options, its caches, and the public calls. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim.h"

static blaze_symbolizer *symbolizer_new(const struct blaze_symbolizer_opts *opts)
{
	struct blaze_symbolizer *symbolizer = calloc(1, sizeof(*symbolizer));

	if (!symbolizer)
		goto no_memory;
	symbolizer->code_info = opts->code_info;
	symbolizer->inlined_fns = opts->inlined_fns;
	symbolizer->demangle = opts->demangle;
	files_init(&symbolizer->files, opts->auto_reload);
	if (debug_dirs_init(&symbolizer->debug_dirs, opts->debug_dirs, opts->debug_dirs_len))
		goto no_memory;
	set_last_error(BLAZE_ERR_OK);
	return symbolizer;
no_memory:
	blaze_symbolizer_free(symbolizer);
	set_last_error(BLAZE_ERR_OUT_OF_MEMORY);
	return NULL;
}

blaze_symbolizer *blaze_symbolizer_new(void)
{
	static const struct blaze_symbolizer_opts all = {
		.auto_reload = true,
		.code_info = true,
		.inlined_fns = true,
		.demangle = true,
	};

	return symbolizer_new(&all);
}

blaze_symbolizer *blaze_symbolizer_new_opts(const struct blaze_symbolizer_opts *user_opts)
{
	struct blaze_symbolizer_opts opts;

	if (!INPUT_COPY(&opts, user_opts)) {
		set_last_error(BLAZE_ERR_INVALID_INPUT);
		return NULL;
	}
	return symbolizer_new(&opts);
}

void blaze_symbolizer_free(blaze_symbolizer *symbolizer)
{
	struct kallsyms_file *ks, *next_ks;
	struct perf_map_file *pm, *next_pm;
	struct vmas *vmas, *next_vmas;

	if (!symbolizer)
		return;
	for (ks = symbolizer->kallsyms; ks; ks = next_ks) {
		next_ks = ks->next;
		kallsyms_free(ks->ks);
		free(ks);
	}
	for (pm = symbolizer->perf_maps; pm; pm = next_pm) {
		next_pm = pm->next;
		perf_map_free(&pm->map);
		free(pm);
	}
	for (vmas = symbolizer->vmas; vmas; vmas = next_vmas) {
		next_vmas = vmas->next;
		maps_free(&vmas->maps);
		free(vmas);
	}
	vdso_free(symbolizer->vdso);
	files_free(&symbolizer->files);
	debug_dirs_free(&symbolizer->debug_dirs);
	free(symbolizer);
}

void blaze_symbolize_cache_elf(blaze_symbolizer *symbolizer,
			       const struct blaze_cache_src_elf *user_cache)
{
	struct blaze_cache_src_elf cache;
	struct elf_file *file;
	int err;

	if (!symbolizer || !INPUT_COPY(&cache, user_cache) || !cache.path) {
		set_last_error(BLAZE_ERR_INVALID_INPUT);
		return;
	}
	files_trim(&symbolizer->files);
	err = files_get_path(&symbolizer->files, cache.path, &file);
	if (!err)
		err = elf_file_index(file, NULL);
	set_last_errno(err);
}

void blaze_symbolize_cache_process(blaze_symbolizer *symbolizer,
				   const struct blaze_cache_src_process *user_cache)
{
	struct blaze_cache_src_process cache;
	struct maps maps = { 0 };
	struct vmas *vmas;
	int err;

	if (!symbolizer || !INPUT_COPY(&cache, user_cache)) {
		set_last_error(BLAZE_ERR_INVALID_INPUT);
		return;
	}
	set_last_error(BLAZE_ERR_OK);
	if (!cache.cache_vmas)
		return;
	err = maps_read(&maps, (pid_t)cache.pid);
	if (err)
		goto fail;
	for (vmas = symbolizer->vmas; vmas; vmas = vmas->next) {
		if (vmas->pid == (pid_t)cache.pid)
			break;
	}
	if (!vmas) {
		vmas = calloc(1, sizeof(*vmas));
		err = -ENOMEM;
		if (!vmas)
			goto fail;
		vmas->pid = (pid_t)cache.pid;
		vmas->next = symbolizer->vmas;
		symbolizer->vmas = vmas;
	}
	maps_free(&vmas->maps);
	vmas->maps = maps;
	return;
fail:
	maps_free(&maps);
	set_last_errno(err);
}

const char *symbolize_name(struct blaze_symbolizer *symbolizer, const char *name,
			   const char *suffix, const void *owner, uint32_t ref, struct result *res)
{
	struct name_slot *slot = result_name_slot(res, owner, ref);
	char *readable, *joined = NULL;

	if (slot->owner == owner && slot->ref == ref && slot->name)
		return slot->name;
	readable = symbolizer->demangle ? demangle(name) : NULL;
	if (readable)
		name = readable;
	if (*suffix && asprintf(&joined, "%s%s", name, suffix) >= 0)
		name = joined;
	slot->owner = owner;
	slot->ref = ref;
	slot->name = result_string(res, name);
	free(joined);
	free(readable);
	return slot->name;
}

void symbolize_elf_addr(struct blaze_symbolizer *symbolizer, struct elf_file *file, uint64_t addr,
			bool debug_syms, const char *module, struct result *res, size_t idx)
{
	struct debug_dirs *dirs = debug_syms ? &symbolizer->debug_dirs : NULL;
	blaze_symbolize_reason reason;
	struct elf_sym found;
	struct blaze_sym *sym;
	struct dwarf *dw;

	if (elf_file_index(file, dirs)) {
		result_reason(res, idx, BLAZE_SYMBOLIZE_REASON_IGNORED_ERROR);
		return;
	}
	reason = elf_file_find(file, addr, &found);
	if (reason != BLAZE_SYMBOLIZE_REASON_SUCCESS) {
		result_reason(res, idx, reason);
		return;
	}
	sym = result_sym(res, idx);
	sym->name = symbolize_name(symbolizer, found.name, found.plt ? "@plt" : "", file, found.ref,
				   res);
	sym->module = result_module(res, module);
	sym->addr = found.addr;
	sym->offset = (size_t)(addr - found.addr);
	sym->size = found.size;
	if (!debug_syms || !symbolizer->code_info)
		return;
	dw = files_dwarf(&symbolizer->files, file, dirs);
	if (dw)
		dwarf_fill(dw, addr, symbolizer->inlined_fns, symbolizer->demangle, res, sym);
}

/* The end of all public calls: hand out @res if @err is 0. */
static const struct blaze_syms *finish(struct result *res, int err)
{
	const struct blaze_syms *syms;

	if (err) {
		result_free(res);
		set_last_errno(err);
		return NULL;
	}
	syms = result_finish(res);
	set_last_error(syms ? BLAZE_ERR_OK : BLAZE_ERR_OUT_OF_MEMORY);
	return syms;
}

/*
 * The start of all public calls: NULL, with the last error set, if there is nothing to do
 * or nothing can be done.
 */
static struct result *start(struct blaze_symbolizer *symbolizer, bool valid, const uint64_t *addrs,
			    size_t cnt)
{
	struct result *res;

	if (!symbolizer || !valid || (cnt && !addrs)) {
		set_last_error(BLAZE_ERR_INVALID_INPUT);
		return NULL;
	}
	if (!cnt) {
		set_last_error(BLAZE_ERR_OK);
		return NULL;
	}
	files_trim(&symbolizer->files);
	res = result_new(cnt);
	if (!res)
		set_last_error(BLAZE_ERR_OUT_OF_MEMORY);
	return res;
}

const struct blaze_syms *
blaze_symbolize_process_abs_addrs(blaze_symbolizer *symbolizer,
				  const struct blaze_symbolize_src_process *user_src,
				  const uint64_t *abs_addrs, size_t abs_addr_cnt)
{
	struct blaze_symbolize_src_process src;
	struct result *res;

	res = start(symbolizer, INPUT_COPY(&src, user_src), abs_addrs, abs_addr_cnt);
	if (!res)
		return NULL;
	return finish(res, process_symbolize(symbolizer, &src, abs_addrs, abs_addr_cnt, res));
}

const struct blaze_syms *
blaze_symbolize_kernel_abs_addrs(blaze_symbolizer *symbolizer,
				 const struct blaze_symbolize_src_kernel *user_src,
				 const uint64_t *abs_addrs, size_t abs_addr_cnt)
{
	struct blaze_symbolize_src_kernel src;
	struct result *res;

	res = start(symbolizer, INPUT_COPY(&src, user_src), abs_addrs, abs_addr_cnt);
	if (!res)
		return NULL;
	return finish(res, kernel_symbolize(symbolizer, &src, abs_addrs, abs_addr_cnt, res));
}

static const struct blaze_syms *symbolize_elf(struct blaze_symbolizer *symbolizer,
					      const struct blaze_symbolize_src_elf *user_src,
					      const uint64_t *addrs, size_t cnt, bool file_offsets)
{
	struct blaze_symbolize_src_elf src;
	struct elf_file *file;
	struct result *res;
	int err;

	res = start(symbolizer, INPUT_COPY(&src, user_src) && src.path, addrs, cnt);
	if (!res)
		return NULL;
	err = files_get_path(&symbolizer->files, src.path, &file);
	for (size_t i = 0; i < cnt && !err; i++) {
		uint64_t vaddr = addrs[i];

		if (file_offsets && !elf_file_vaddr(file, addrs[i], &vaddr))
			result_reason(res, i, BLAZE_SYMBOLIZE_REASON_INVALID_FILE_OFFSET);
		else
			symbolize_elf_addr(symbolizer, file, vaddr, src.debug_syms, src.path, res,
					   i);
	}
	return finish(res, err);
}

const struct blaze_syms *blaze_symbolize_elf_virt_offsets(blaze_symbolizer *symbolizer,
							  const struct blaze_symbolize_src_elf *src,
							  const uint64_t *virt_offsets,
							  size_t virt_offset_cnt)
{
	return symbolize_elf(symbolizer, src, virt_offsets, virt_offset_cnt, false);
}

const struct blaze_syms *blaze_symbolize_elf_file_offsets(blaze_symbolizer *symbolizer,
							  const struct blaze_symbolize_src_elf *src,
							  const uint64_t *file_offsets,
							  size_t file_offset_cnt)
{
	return symbolize_elf(symbolizer, src, file_offsets, file_offset_cnt, true);
}
