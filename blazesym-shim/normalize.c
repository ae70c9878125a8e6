// SPDX-License-Identifier: GPL-2.0-only
/*
 * The normalizer: addresses of a process become offsets in files. It only reads mappings
 * and, if asked to, build IDs; no symbols, except those of the vDSO.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim.h"

struct build_id {
	struct build_id *next;
	unsigned int major;
	unsigned int minor;
	uint64_t ino;
	size_t len;
	uint8_t bytes[];
};

struct blaze_normalizer {
	bool cache_vmas;
	bool build_ids;
	bool cache_build_ids;
	struct vmas *vmas;
	struct build_id *ids;
};

static blaze_normalizer *normalizer_new(const struct blaze_normalizer_opts *opts)
{
	struct blaze_normalizer *normalizer = calloc(1, sizeof(*normalizer));

	if (!normalizer) {
		set_last_error(BLAZE_ERR_OUT_OF_MEMORY);
		return NULL;
	}
	normalizer->cache_vmas = opts->cache_vmas;
	normalizer->build_ids = opts->build_ids;
	normalizer->cache_build_ids = opts->cache_build_ids;
	set_last_error(BLAZE_ERR_OK);
	return normalizer;
}

blaze_normalizer *blaze_normalizer_new(void)
{
	static const struct blaze_normalizer_opts defaults = { .build_ids = true };

	return normalizer_new(&defaults);
}

blaze_normalizer *blaze_normalizer_new_opts(const struct blaze_normalizer_opts *user_opts)
{
	struct blaze_normalizer_opts opts;

	if (!INPUT_COPY(&opts, user_opts)) {
		set_last_error(BLAZE_ERR_INVALID_INPUT);
		return NULL;
	}
	return normalizer_new(&opts);
}

void blaze_normalizer_free(blaze_normalizer *normalizer)
{
	struct build_id *id, *next_id;
	struct vmas *vmas, *next_vmas;

	if (!normalizer)
		return;
	for (vmas = normalizer->vmas; vmas; vmas = next_vmas) {
		next_vmas = vmas->next;
		maps_free(&vmas->maps);
		free(vmas);
	}
	for (id = normalizer->ids; id; id = next_id) {
		next_id = id->next;
		free(id);
	}
	free(normalizer);
}

/* One call. */
struct request {
	struct blaze_normalizer *normalizer;
	pid_t pid; /* 0: ourselves */
	struct blaze_normalize_opts opts;
	const struct maps *maps;
	struct blaze_normalized_user_output *out;
	size_t meta_cap;
	/* By mapping: 1 + the index of its meta entry, 0 if it has none yet. */
	size_t *meta_of_map;
	/* By reason. */
	size_t meta_of_reason[BLAZE_NORMALIZE_REASON_IGNORED_ERROR + 1];
	struct blaze_symbolizer *vdso_symbolizer;
};

static char *map_files_path(pid_t pid, const struct mapping *map)
{
	char *path, proc[32] = "self";

	if (pid)
		snprintf(proc, sizeof(proc), "%d", (int)pid);
	if (asprintf(&path, "/proc/%s/map_files/%llx-%llx", proc, (unsigned long long)map->start,
		     (unsigned long long)map->end) < 0)
		return NULL;
	return path;
}

/* The build ID of the file behind @map; *@len 0 if there is none to be had. */
static int read_build_id(struct request *req, const struct mapping *map, uint8_t **bytes,
			 size_t *len)
{
	char *path = map_files_path(req->pid, map), *root_path;

	if (!path)
		return -ENOMEM;
	*bytes = blaze_read_elf_build_id(path, len);
	free(path);
	if (*bytes || map->deleted)
		return 0;
	/* map_files takes privilege that the process's root may not. */
	if (req->pid) {
		if (asprintf(&root_path, "/proc/%d/root%s", (int)req->pid, map->path) < 0)
			return -ENOMEM;
		*bytes = blaze_read_elf_build_id(root_path, len);
		free(root_path);
	} else {
		*bytes = blaze_read_elf_build_id(map->path, len);
	}
	return 0;
}

static int get_build_id(struct request *req, const struct mapping *map, uint8_t **bytes,
			size_t *len)
{
	struct blaze_normalizer *normalizer = req->normalizer;
	struct build_id *id;
	int err;

	*bytes = NULL;
	*len = 0;
	if (!normalizer->build_ids)
		return 0;
	if (!normalizer->cache_build_ids)
		return read_build_id(req, map, bytes, len);
	for (id = normalizer->ids; id; id = id->next) {
		if (id->ino == map->ino && id->major == map->major && id->minor == map->minor)
			break;
	}
	if (!id) {
		err = read_build_id(req, map, bytes, len);
		if (err)
			return err;
		id = malloc(sizeof(*id) + *len);
		if (!id)
			return 0;
		*id = (struct build_id){
			.next = normalizer->ids,
			.major = map->major,
			.minor = map->minor,
			.ino = map->ino,
			.len = *len,
		};
		if (*len)
			memcpy(id->bytes, *bytes, *len);
		normalizer->ids = id;
		return 0;
	}
	if (!id->len)
		return 0;
	*bytes = malloc(id->len);
	if (!*bytes)
		return -ENOMEM;
	memcpy(*bytes, id->bytes, id->len);
	*len = id->len;
	return 0;
}

/* A new meta entry, zeroed; NULL: no memory. */
static struct blaze_user_meta *add_meta(struct request *req)
{
	struct blaze_normalized_user_output *out = req->out;

	if (out->meta_cnt == req->meta_cap) {
		size_t cap = req->meta_cap ? req->meta_cap * 2 : 8;
		struct blaze_user_meta *grown = reallocarray(out->metas, cap, sizeof(*grown));

		if (!grown)
			return NULL;
		out->metas = grown;
		req->meta_cap = cap;
	}
	memset(&out->metas[out->meta_cnt], 0, sizeof(*out->metas));
	return &out->metas[out->meta_cnt++];
}

static int add_unknown(struct request *req, size_t idx, uint64_t addr,
		       blaze_normalize_reason reason)
{
	size_t *meta_idx = &req->meta_of_reason[reason];

	if (!*meta_idx) {
		struct blaze_user_meta *meta = add_meta(req);

		if (!meta)
			return -ENOMEM;
		meta->kind = BLAZE_USER_META_KIND_UNKNOWN;
		meta->variant.unknown.reason = reason;
		*meta_idx = req->out->meta_cnt;
	}
	req->out->outputs[idx].output = addr;
	req->out->outputs[idx].meta_idx = *meta_idx - 1;
	return 0;
}

static bool is_package(const char *path)
{
	const char *ext = strrchr(path, '.');

	return ext && (!strcmp(ext, ".apk") || !strcmp(ext, ".zip"));
}

/* Several mappings of one file share an entry. */
static size_t find_meta(struct request *req, const struct mapping *map)
{
	for (size_t i = 0; i < req->maps->cnt; i++) {
		const struct mapping *other = &req->maps->maps[i];

		if (req->meta_of_map[i] && other->ino == map->ino && other->major == map->major &&
		    other->minor == map->minor && !strcmp(other->path, map->path))
			return req->meta_of_map[i];
	}
	return 0;
}

static int fill_meta(struct request *req, const struct mapping *map, struct blaze_user_meta *meta)
{
	char *path;

	path = req->opts.map_files ? map_files_path(req->pid, map) : strdup(map->path);
	if (!path)
		return -ENOMEM;
	if (is_package(map->path)) {
		meta->kind = BLAZE_USER_META_KIND_APK;
		meta->variant.apk.path = path;
		return 0;
	}
	meta->kind = BLAZE_USER_META_KIND_ELF;
	meta->variant.elf.path = path;
	return get_build_id(req, map, &meta->variant.elf.build_id, &meta->variant.elf.build_id_len);
}

static int add_file(struct request *req, size_t idx, uint64_t addr, const struct mapping *map)
{
	size_t *meta_idx = &req->meta_of_map[map - req->maps->maps];

	if (!*meta_idx && !req->opts.map_files)
		*meta_idx = find_meta(req, map);
	if (!*meta_idx) {
		struct blaze_user_meta *meta = add_meta(req);
		int err;

		if (!meta)
			return -ENOMEM;
		err = fill_meta(req, map, meta);
		if (err)
			return err;
		*meta_idx = req->out->meta_cnt;
	}
	req->out->outputs[idx].output = addr - map->start + map->offset;
	req->out->outputs[idx].meta_idx = *meta_idx - 1;
	return 0;
}

/*
 * Elsewhere nobody has this vDSO, so its symbol goes with the address: as an own, one-entry
 * result, which blaze_user_output_free() finds by its first entry.
 */
static int add_vdso(struct request *req, size_t idx, uint64_t addr)
{
	struct blaze_symbolize_src_process src = {
		.type_size = sizeof(src),
		.pid = (uint32_t)req->pid,
	};
	const struct blaze_syms *syms;
	struct blaze_user_meta *meta;

	if (!req->vdso_symbolizer) {
		struct blaze_symbolizer_opts opts = { .type_size = sizeof(opts), .demangle = true };

		req->vdso_symbolizer = blaze_symbolizer_new_opts(&opts);
		if (!req->vdso_symbolizer)
			return -ENOMEM;
	}
	syms = blaze_symbolize_process_abs_addrs(req->vdso_symbolizer, &src, &addr, 1);
	if (!syms)
		return add_unknown(req, idx, addr, BLAZE_NORMALIZE_REASON_IGNORED_ERROR);
	if (!syms->syms[0].name) {
		blaze_syms_free(syms);
		return add_unknown(req, idx, addr, BLAZE_NORMALIZE_REASON_UNKNOWN_ADDR);
	}
	meta = add_meta(req);
	if (!meta) {
		blaze_syms_free(syms);
		return -ENOMEM;
	}
	meta->kind = BLAZE_USER_META_KIND_SYM;
	meta->variant.sym.sym = &syms->syms[0];
	req->out->outputs[idx].output = addr;
	req->out->outputs[idx].meta_idx = req->out->meta_cnt - 1;
	return 0;
}

static int normalize_addr(struct request *req, size_t idx, uint64_t addr)
{
	const struct mapping *map = maps_find(req->maps, addr);

	if (!map)
		return add_unknown(req, idx, addr, BLAZE_NORMALIZE_REASON_UNMAPPED);
	if (mapping_has_file(map))
		return add_file(req, idx, addr, map);
	if (!strcmp(map->path, "[vdso]"))
		return add_vdso(req, idx, addr);
	return add_unknown(req, idx, addr,
			   *map->path ? BLAZE_NORMALIZE_REASON_UNSUPPORTED
				      : BLAZE_NORMALIZE_REASON_MISSING_COMPONENT);
}

/* The process's mappings: remembered ones, or just read into @maps. */
static int get_maps(struct request *req, struct maps *maps)
{
	struct blaze_normalizer *normalizer = req->normalizer;
	struct vmas *vmas;
	int err;

	req->maps = maps;
	if (!normalizer->cache_vmas)
		return maps_read(maps, req->pid);
	for (vmas = normalizer->vmas; vmas; vmas = vmas->next) {
		if (vmas->pid == req->pid) {
			req->maps = &vmas->maps;
			return 0;
		}
	}
	vmas = calloc(1, sizeof(*vmas));
	if (!vmas)
		return -ENOMEM;
	err = maps_read(&vmas->maps, req->pid);
	if (err) {
		maps_free(&vmas->maps);
		free(vmas);
		return err;
	}
	vmas->pid = req->pid;
	vmas->next = normalizer->vmas;
	normalizer->vmas = vmas;
	req->maps = &vmas->maps;
	return 0;
}

static struct blaze_normalized_user_output *normalize(const blaze_normalizer *normalizer,
						      uint32_t pid, const uint64_t *addrs,
						      size_t cnt,
						      const struct blaze_normalize_opts *opts)
{
	struct request req = {
		/* Its caches change with use; who calls it const does not see that. */
		.normalizer = (struct blaze_normalizer *)normalizer,
		.pid = (pid_t)pid,
		.opts = *opts,
	};
	struct maps maps = { 0 };
	int err;

	if (!normalizer || (cnt && !addrs)) {
		set_last_error(BLAZE_ERR_INVALID_INPUT);
		return NULL;
	}
	req.out = calloc(1, sizeof(*req.out));
	err = -ENOMEM;
	if (!req.out)
		goto out;
	req.out->outputs = calloc(cnt ? cnt : 1, sizeof(*req.out->outputs));
	if (!req.out->outputs)
		goto out;
	req.out->output_cnt = cnt;
	err = get_maps(&req, &maps);
	if (err)
		goto out;
	req.meta_of_map = calloc(req.maps->cnt + 1, sizeof(*req.meta_of_map));
	err = req.meta_of_map ? 0 : -ENOMEM;
	for (size_t i = 0; i < cnt && !err; i++)
		err = normalize_addr(&req, i, addrs[i]);
out:
	free(req.meta_of_map);
	maps_free(&maps);
	blaze_symbolizer_free(req.vdso_symbolizer);
	if (err) {
		blaze_user_output_free(req.out);
		req.out = NULL;
	}
	set_last_errno(err);
	return req.out;
}

struct blaze_normalized_user_output *blaze_normalize_user_addrs(const blaze_normalizer *normalizer,
								uint32_t pid, const uint64_t *addrs,
								size_t addr_cnt)
{
	static const struct blaze_normalize_opts defaults = { .type_size = sizeof(defaults) };

	return normalize(normalizer, pid, addrs, addr_cnt, &defaults);
}

struct blaze_normalized_user_output *
blaze_normalize_user_addrs_opts(const blaze_normalizer *normalizer, uint32_t pid,
				const uint64_t *addrs, size_t addr_cnt,
				const struct blaze_normalize_opts *user_opts)
{
	struct blaze_normalize_opts opts;

	if (!INPUT_COPY(&opts, user_opts)) {
		set_last_error(BLAZE_ERR_INVALID_INPUT);
		return NULL;
	}
	return normalize(normalizer, pid, addrs, addr_cnt, &opts);
}

void blaze_user_output_free(struct blaze_normalized_user_output *output)
{
	if (!output)
		return;
	for (size_t i = 0; i < output->meta_cnt; i++) {
		struct blaze_user_meta *meta = &output->metas[i];

		switch (meta->kind) {
		case BLAZE_USER_META_KIND_APK:
			free(meta->variant.apk.path);
			break;
		case BLAZE_USER_META_KIND_ELF:
			free(meta->variant.elf.path);
			free(meta->variant.elf.build_id);
			break;
		case BLAZE_USER_META_KIND_SYM:
			blaze_syms_free(
				(const struct blaze_syms *)((const char *)meta->variant.sym.sym -
							    offsetof(struct blaze_syms, syms)));
			break;
		}
	}
	free(output->metas);
	free(output->outputs);
	free(output);
}
