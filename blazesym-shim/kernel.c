// SPDX-License-Identifier: GPL-2.0-only
/* Kernel addresses: by kallsyms, and before that by a kernel image if one is given. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim.h"

#define KALLSYMS_PATH "/proc/kallsyms"
/* With auto_reload, addresses that are unknown have kallsyms read again this often at most. */
#define RELOAD_SECONDS 1

static int load_kallsyms(struct blaze_symbolizer *symbolizer, const char *path,
			 struct kallsyms_file **out)
{
	struct kallsyms_file *ks;
	int err;

	for (ks = symbolizer->kallsyms; ks; ks = ks->next) {
		if (!strcmp(ks->path, path)) {
			*out = ks;
			return 0;
		}
	}
	ks = calloc(1, sizeof(*ks) + strlen(path) + 1);
	if (!ks)
		return -ENOMEM;
	strcpy(ks->path, path);
	err = kallsyms_load(path, &ks->ks);
	if (err) {
		free(ks);
		return err;
	}
	clock_gettime(CLOCK_MONOTONIC, &ks->loaded);
	ks->next = symbolizer->kallsyms;
	symbolizer->kallsyms = ks;
	*out = ks;
	return 0;
}

/* Modules and BPF programs come and go: when an address is unknown, look again. */
static bool reload_kallsyms(struct kallsyms_file *file)
{
	struct timespec now;
	struct kallsyms *ks;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec - file->loaded.tv_sec <= RELOAD_SECONDS)
		return false;
	file->loaded = now;
	if (kallsyms_load(file->path, &ks))
		return false;
	kallsyms_free(file->ks);
	file->ks = ks;
	return true;
}

/* By how much the running kernel's addresses differ from the image's; false: not known. */
static bool image_shift(struct elf_file *image, const struct kallsyms_file *ks, uint64_t *shift)
{
	uint64_t linked, loaded;

	/* Asked not to use kallsyms, take it that addresses are as linked. */
	if (!ks) {
		*shift = 0;
		return true;
	}
	if (!elf_file_symbol_addr(image, "_stext", &linked) ||
	    !kallsyms_symbol_addr(ks->ks, "_stext", &loaded))
		return false;
	*shift = loaded - linked;
	return true;
}

static void symbolize_kallsyms(struct blaze_symbolizer *symbolizer, struct kallsyms_file *ks,
			       uint64_t addr, struct result *res, size_t idx)
{
	blaze_symbolize_reason reason;
	const struct ksym *ksym;
	struct blaze_sym *sym;

	ksym = kallsyms_find(ks->ks, addr, &reason);
	if (!ksym && symbolizer->files.auto_reload && reload_kallsyms(ks)) {
		result_forget_names(res);
		ksym = kallsyms_find(ks->ks, addr, &reason);
	}
	result_reason(res, idx, reason);
	if (!ksym)
		return;
	sym = result_sym(res, idx);
	sym->name =
		symbolize_name(symbolizer, ks->ks->names + ksym->name, "", ks->ks, ksym->name, res);
	sym->module = result_string(res, ks->ks->modules[ksym->module]);
	sym->addr = ksym->addr;
	sym->offset = (size_t)(addr - ksym->addr);
	sym->size = -1;
}

int kernel_symbolize(struct blaze_symbolizer *symbolizer,
		     const struct blaze_symbolize_src_kernel *src, const uint64_t *addrs,
		     size_t cnt, struct result *res)
{
	const char *path = src->kallsyms ? src->kallsyms : KALLSYMS_PATH;
	struct kallsyms_file *ks = NULL;
	struct elf_file *image = NULL;
	bool image_usable = false;
	uint64_t shift = 0;
	int err = 0;

	if (*path) {
		err = load_kallsyms(symbolizer, path, &ks);
		/* The default is only used if it is there. */
		if (err && src->kallsyms)
			return err;
	}
	if (src->vmlinux && *src->vmlinux) {
		const struct debug_dirs *dirs = src->debug_syms ? &symbolizer->debug_dirs : NULL;

		err = files_get_path(&symbolizer->files, src->vmlinux, &image);
		if (!err)
			err = elf_file_index(image, dirs);
		if (err)
			return err;
		image_usable = image_shift(image, ks, &shift);
	}
	if (!ks && !image)
		return err ? err : -ENOENT;

	for (size_t i = 0; i < cnt; i++) {
		result_reason(res, i, BLAZE_SYMBOLIZE_REASON_MISSING_SYMS);
		if (image_usable) {
			symbolize_elf_addr(symbolizer, image, addrs[i] - shift, src->debug_syms,
					   src->vmlinux, res, i);
			if (result_sym(res, i)->name) {
				result_sym(res, i)->addr += shift;
				continue;
			}
		}
		if (ks)
			symbolize_kallsyms(symbolizer, ks, addrs[i], res, i);
	}
	return 0;
}
