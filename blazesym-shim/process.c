// SPDX-License-Identifier: GPL-2.0-only
/* Addresses in a process: through its mappings to files, the vDSO or JIT compiled code. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim.h"

/* One request. */
struct request {
	struct blaze_symbolizer *symbolizer;
	const struct blaze_symbolize_src_process *src;
	pid_t pid; /* 0: ourselves */
	const struct maps *maps;
	/* What is behind a mapping, by its index: looked up at its first address. */
	struct target {
		struct elf_file *file;
		bool tried;
	} * targets;
	const struct perf_map *perf_map;
	bool perf_map_tried;
	struct result *res;
};

/* Maps of the process's JIT compiler, read again if it has added to them since. */
static const struct perf_map *get_perf_map(struct request *req)
{
	struct perf_map_file *pm;
	int fd;

	if (req->perf_map_tried)
		return req->perf_map;
	req->perf_map_tried = true;
	for (pm = req->symbolizer->perf_maps; pm; pm = pm->next) {
		if (pm->pid == req->pid)
			break;
	}
	fd = perf_map_open(req->pid);
	/* Its process may have ended since: what was read stays good. */
	if (fd < 0)
		return req->perf_map = pm && pm->map.span_cnt ? &pm->map : NULL;
	if (!pm) {
		pm = calloc(1, sizeof(*pm));
		if (!pm)
			goto out;
		pm->pid = req->pid;
		pm->next = req->symbolizer->perf_maps;
		req->symbolizer->perf_maps = pm;
	}
	if (!perf_map_load(&pm->map, fd) && pm->map.span_cnt)
		req->perf_map = &pm->map;
out:
	close(fd);
	return req->perf_map;
}

static bool symbolize_jit(struct request *req, uint64_t addr, size_t idx)
{
	const struct perf_map_fn *fn;
	const struct perf_map *map;
	struct blaze_sym *sym;

	if (!req->src->perf_map)
		return false;
	map = get_perf_map(req);
	fn = map ? perf_map_find(map, addr) : NULL;
	if (!fn)
		return false;
	sym = result_sym(req->res, idx);
	sym->name =
		symbolize_name(req->symbolizer, map->text + fn->name, "", map, fn->name, req->res);
	sym->addr = fn->addr;
	sym->offset = (size_t)(addr - fn->addr);
	sym->size = (ptrdiff_t)fn->size;
	return true;
}

static struct elf_file *get_file(struct request *req, const struct mapping *map)
{
	struct target *target = &req->targets[map - req->maps->maps];
	struct blaze_symbolizer *symbolizer = req->symbolizer;

	if (target->tried)
		return target->file;
	target->tried = true;
	if (mapping_has_file(map)) {
		if (files_get_mapping(&symbolizer->files, req->pid, map, map->path,
				      !req->src->no_map_files, &target->file))
			target->file = NULL;
	} else {
		target->file = vdso_get(&symbolizer->vdso, req->pid, map->start, map->end);
	}
	return target->file;
}

static void symbolize_addr(struct request *req, uint64_t addr, size_t idx)
{
	const struct mapping *map = maps_find(req->maps, addr);
	struct elf_file *file;
	uint64_t vaddr;
	bool vdso;

	if (!map) {
		result_reason(req->res, idx, BLAZE_SYMBOLIZE_REASON_UNMAPPED);
		return;
	}
	vdso = !strcmp(map->path, "[vdso]");
	if (!mapping_has_file(map) && !(vdso && !req->src->no_vdso)) {
		if (symbolize_jit(req, addr, idx))
			return;
		result_reason(req->res, idx,
			      !*map->path ? BLAZE_SYMBOLIZE_REASON_MISSING_COMPONENT
					  : BLAZE_SYMBOLIZE_REASON_UNSUPPORTED);
		return;
	}
	file = get_file(req, map);
	if (!file) {
		/* JIT compilers also keep code in files that are not ELF, such as memfds. */
		if (!symbolize_jit(req, addr, idx))
			result_reason(req->res, idx, BLAZE_SYMBOLIZE_REASON_IGNORED_ERROR);
		return;
	}
	if (!elf_file_vaddr(file, addr - map->start + map->offset, &vaddr)) {
		result_reason(req->res, idx, BLAZE_SYMBOLIZE_REASON_INVALID_FILE_OFFSET);
		return;
	}
	symbolize_elf_addr(req->symbolizer, file, vaddr, req->src->debug_syms, map->path, req->res,
			   idx);
}

static const struct maps *remembered(const struct blaze_symbolizer *symbolizer, pid_t pid)
{
	for (const struct vmas *vmas = symbolizer->vmas; vmas; vmas = vmas->next) {
		if (vmas->pid == pid)
			return &vmas->maps;
	}
	return NULL;
}

int process_symbolize(struct blaze_symbolizer *symbolizer,
		      const struct blaze_symbolize_src_process *src, const uint64_t *addrs,
		      size_t cnt, struct result *res)
{
	struct maps maps = { 0 };
	struct request req = {
		.symbolizer = symbolizer,
		.src = src,
		.pid = (pid_t)src->pid,
		.res = res,
	};
	int err = 0;

	req.maps = remembered(symbolizer, req.pid);
	if (!req.maps) {
		err = maps_read(&maps, req.pid);
		if (err)
			goto out;
		req.maps = &maps;
	}
	req.targets = calloc(req.maps->cnt + 1, sizeof(*req.targets));
	if (!req.targets) {
		err = -ENOMEM;
		goto out;
	}
	for (size_t i = 0; i < cnt; i++)
		symbolize_addr(&req, addrs[i], i);
out:
	free(req.targets);
	maps_free(&maps);
	return err;
}
