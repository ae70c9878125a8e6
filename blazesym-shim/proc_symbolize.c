// SPDX-License-Identifier: GPL-2.0-only
/* Addresses of a process that may have ended, to symbols: through its snapshot. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc_store.h"

/* What stands before a struct proc_maps_syms: what its strings are in. */
struct owned {
	struct owned *next;
	const struct blaze_syms *syms; /* or */
	char str[];
};

struct outcome {
	struct owned *owned;
	struct proc_maps_syms syms; /* has to be last */
};

/* An address that is in a file or the vDSO: those in one place are looked up together. */
struct todo {
	const struct proc_file *file; /* NULL: in the vDSO */
	uint64_t offset;	      /* in the file, or in the vDSO */
	size_t idx;
};

void proc_maps_syms_free(const struct proc_maps_syms *syms)
{
	struct outcome *out;
	struct owned *owned, *next;

	if (!syms)
		return;
	out = (struct outcome *)((char *)syms - offsetof(struct outcome, syms));
	for (owned = out->owned; owned; owned = next) {
		next = owned->next;
		blaze_syms_free(owned->syms);
		free(owned);
	}
	free(out);
}

static struct owned *own(struct outcome *out, const char *str)
{
	struct owned *owned = calloc(1, sizeof(*owned) + strlen(str) + 1);

	if (!owned)
		return NULL;
	strcpy(owned->str, str);
	owned->next = out->owned;
	out->owned = owned;
	return owned;
}

static int compare_todo(const void *a, const void *b)
{
	const struct todo *x = a, *y = b;

	if (x->file != y->file)
		return (uintptr_t)x->file < (uintptr_t)y->file ? -1 : 1;
	return (x->idx > y->idx) - (x->idx < y->idx);
}

static void fail_group(struct outcome *out, const struct todo *todo, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		out->syms.syms[todo[i].idx].reason = BLAZE_SYMBOLIZE_REASON_IGNORED_ERROR;
}

static const struct blaze_syms *
symbolize_vdso(struct proc_maps *store, blaze_symbolizer *symbolizer, uint64_t *offsets, size_t cnt)
{
	struct blaze_symbolize_src_process self = { .type_size = sizeof(self) };

	/* The kernel has one for all. */
	for (size_t i = 0; i < cnt; i++)
		offsets[i] += store->vdso;
	return blaze_symbolize_process_abs_addrs(symbolizer, &self, offsets, cnt);
}

static const struct blaze_syms *symbolize_file(const struct proc_file *file,
					       blaze_symbolizer *symbolizer, pid_t pid,
					       bool debug_syms, const uint64_t *offsets, size_t cnt)
{
	struct blaze_symbolize_src_elf src = {
		.type_size = sizeof(src),
		.debug_syms = debug_syms,
	};
	const struct blaze_syms *syms;
	char path[64];
	int fd;

	fd = proc_file_open(file, pid);
	if (fd < 0)
		return NULL;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	src.path = path;
	syms = blaze_symbolize_elf_file_offsets(symbolizer, &src, offsets, cnt);
	if (fd != file->fd)
		close(fd);
	return syms;
}

/* All addresses in one file. */
static int symbolize_group(struct proc_maps *store, blaze_symbolizer *symbolizer, pid_t pid,
			   bool debug_syms, const struct todo *todo, size_t cnt, uint64_t *offsets,
			   struct outcome *out)
{
	const struct proc_file *file = todo->file;
	struct owned *owned = own(out, file ? file->path : "[vdso]");

	if (!owned)
		return -ENOMEM;
	for (size_t i = 0; i < cnt; i++)
		offsets[i] = todo[i].offset;
	if (file)
		owned->syms = symbolize_file(file, symbolizer, pid, debug_syms, offsets, cnt);
	else
		owned->syms = symbolize_vdso(store, symbolizer, offsets, cnt);
	if (!owned->syms) {
		fail_group(out, todo, cnt);
		return 0;
	}
	for (size_t i = 0; i < cnt; i++) {
		struct blaze_sym *sym = &out->syms.syms[todo[i].idx];

		*sym = owned->syms->syms[i];
		if (sym->name)
			sym->module = owned->str;
	}
	return 0;
}

/* Bring the perf map up to date with what the process has written. */
static void load_perf_map(struct proc_maps *store, struct proc *proc)
{
	/* The process may have begun to compile after its snapshot. */
	if (proc->perf_map_fd < 0 && !proc->over)
		proc->perf_map_fd = perf_map_open(proc->pid);
	if (proc->perf_map_fd < 0)
		return;
	store->stats.bytes -= proc_perf_map_bytes(&proc->perf_map);
	perf_map_load(&proc->perf_map, proc->perf_map_fd);
	store->stats.bytes += proc_perf_map_bytes(&proc->perf_map);
}

static int symbolize_jit(struct proc *proc, uint64_t addr, size_t idx, struct outcome *out)
{
	const struct perf_map_fn *fn = perf_map_find(&proc->perf_map, addr);
	struct blaze_sym *sym = &out->syms.syms[idx];
	struct owned *owned;

	if (!fn) {
		sym->reason = BLAZE_SYMBOLIZE_REASON_MISSING_COMPONENT;
		return 0;
	}
	owned = own(out, proc->perf_map.text + fn->name);
	if (!owned)
		return -ENOMEM;
	sym->name = owned->str;
	sym->addr = fn->addr;
	sym->offset = (size_t)(addr - fn->addr);
	sym->size = (ptrdiff_t)fn->size;
	return 0;
}

/* Sort out where the addresses are; what is in no file is done here. */
static int sort_out(struct proc_maps *store, struct proc *proc, const uint64_t *addrs, size_t cnt,
		    struct todo *todo, size_t *todo_cnt, struct outcome *out)
{
	bool fresh = false, jit_loaded = false;
	int err;

	/* Looking again replaces mappings, so it has to be over before we keep any. */
	for (size_t i = 0; i < cnt && !fresh; i++)
		proc_vma_find(store, proc, addrs[i], &fresh);
	fresh = true;
	for (size_t i = 0; i < cnt; i++) {
		const struct proc_vma *vma = proc_vma_find(store, proc, addrs[i], &fresh);

		if (!vma) {
			out->syms.syms[i].reason = BLAZE_SYMBOLIZE_REASON_UNMAPPED;
			continue;
		}
		if (vma->kind == VMA_VDSO && vma->end - vma->start != store->vdso_size) {
			out->syms.syms[i].reason = BLAZE_SYMBOLIZE_REASON_UNSUPPORTED;
			continue;
		}
		if (vma->kind != VMA_ANON) {
			todo[(*todo_cnt)++] = (struct todo){
				.file = vma->file,
				.offset = addrs[i] - vma->start + vma->offset,
				.idx = i,
			};
			continue;
		}
		if (!jit_loaded)
			load_perf_map(store, proc);
		jit_loaded = true;
		err = symbolize_jit(proc, addrs[i], i, out);
		if (err)
			return err;
	}
	return 0;
}

const struct proc_maps_syms *proc_maps_symbolize(struct proc_maps *store,
						 blaze_symbolizer *symbolizer, uint64_t space,
						 bool debug_syms, const uint64_t *addrs, size_t cnt)
{
	struct proc *proc = proc_find(store, space);
	uint64_t *offsets = NULL;
	struct todo *todo = NULL;
	struct outcome *out;
	size_t todo_cnt = 0;
	int err = -ENOMEM;

	if (!proc) {
		errno = ESRCH;
		return NULL;
	}
	out = calloc(1, sizeof(*out) + cnt * sizeof(out->syms.syms[0]));
	if (!out)
		goto out;
	out->syms.cnt = cnt;
	todo = calloc(cnt + 1, sizeof(*todo));
	offsets = calloc(cnt + 1, sizeof(*offsets));
	if (!todo || !offsets)
		goto out;
	err = sort_out(store, proc, addrs, cnt, todo, &todo_cnt, out);
	if (err)
		goto out;
	qsort(todo, todo_cnt, sizeof(*todo), compare_todo);
	for (size_t from = 0, to; from < todo_cnt && !err; from = to) {
		for (to = from; to < todo_cnt && todo[to].file == todo[from].file;)
			to++;
		err = symbolize_group(store, symbolizer, proc->pid, debug_syms, &todo[from],
				      to - from, offsets, out);
	}
out:
	free(todo);
	free(offsets);
	if (err) {
		if (out)
			proc_maps_syms_free(&out->syms);
		errno = -err;
		return NULL;
	}
	return &out->syms;
}
