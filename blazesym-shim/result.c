// SPDX-License-Identifier: GPL-2.0-only
/*
 * Building a struct blaze_syms: the entries in one allocation behind a header, the strings
 * and inlined functions in chunks that hang on the header. Everything is a copy, so results
 * outlive the symbolizer.
 */
#include <stdlib.h>
#include <string.h>

#include "shim.h"

#define CHUNK_MIN  ((size_t)4096)
#define CHUNK_MAX  ((size_t)256 * 1024)
#define NAME_SLOTS 512

struct chunk {
	struct chunk *next;
	size_t used;
	size_t size;
	_Alignas(max_align_t) char bytes[];
};

/* Only wanted while the result is built. */
struct scratch {
	struct name_slot slots[NAME_SLOTS];
	const char *module_from;
	const char *module_to;
};

struct result {
	struct chunk *chunks;
	struct scratch *scratch;
	bool no_memory;
	struct blaze_syms syms; /* has to be last */
};

struct result *result_new(size_t cnt)
{
	struct result *res;
	size_t size;

	if (__builtin_mul_overflow(cnt, sizeof(struct blaze_sym), &size) ||
	    __builtin_add_overflow(size, sizeof(*res), &size))
		return NULL;
	res = calloc(1, size);
	if (!res)
		return NULL;
	res->scratch = calloc(1, sizeof(*res->scratch));
	if (!res->scratch) {
		free(res);
		return NULL;
	}
	res->syms.cnt = cnt;
	return res;
}

void result_free(struct result *res)
{
	struct chunk *chunk, *next;

	if (!res)
		return;
	for (chunk = res->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(res->scratch);
	free(res);
}

const struct blaze_syms *result_finish(struct result *res)
{
	if (res->no_memory) {
		result_free(res);
		return NULL;
	}
	free(res->scratch);
	res->scratch = NULL;
	return &res->syms;
}

void blaze_syms_free(const struct blaze_syms *syms)
{
	if (syms)
		result_free((struct result *)((char *)syms - offsetof(struct result, syms)));
}

struct blaze_sym *result_sym(struct result *res, size_t idx)
{
	return &res->syms.syms[idx];
}

void result_reason(struct result *res, size_t idx, blaze_symbolize_reason reason)
{
	struct blaze_sym *sym = result_sym(res, idx);

	memset(sym, 0, sizeof(*sym));
	sym->reason = reason;
}

static void *result_alloc(struct result *res, size_t size, size_t align)
{
	struct chunk *chunk = res->chunks;
	size_t at = chunk ? (chunk->used + align - 1) & ~(align - 1) : 0;

	if (!chunk || at > chunk->size || size > chunk->size - at) {
		size_t want = chunk ? chunk->size * 2 : CHUNK_MIN;

		if (want > CHUNK_MAX)
			want = CHUNK_MAX;
		if (want < size)
			want = size;
		chunk = malloc(sizeof(*chunk) + want);
		if (!chunk) {
			res->no_memory = true;
			return NULL;
		}
		chunk->size = want;
		chunk->next = res->chunks;
		res->chunks = chunk;
		at = 0;
	}
	chunk->used = at + size;
	return chunk->bytes + at;
}

const char *result_bytes(struct result *res, const char *str, size_t len)
{
	char *copy = result_alloc(res, len + 1, 1);

	if (copy) {
		memcpy(copy, str, len);
		copy[len] = '\0';
	}
	return copy;
}

const char *result_string(struct result *res, const char *str)
{
	return str ? result_bytes(res, str, strlen(str)) : NULL;
}

const char *result_module(struct result *res, const char *module)
{
	struct scratch *scratch = res->scratch;

	if (module != scratch->module_from) {
		scratch->module_to = result_string(res, module);
		scratch->module_from = module;
	}
	return scratch->module_to;
}

struct blaze_symbolize_inlined_fn *result_inlined(struct result *res, size_t cnt)
{
	struct blaze_symbolize_inlined_fn *fns;

	fns = result_alloc(res, cnt * sizeof(*fns), _Alignof(struct blaze_symbolize_inlined_fn));
	if (fns)
		memset(fns, 0, cnt * sizeof(*fns));
	return fns;
}

struct name_slot *result_name_slot(struct result *res, const void *owner, uint32_t ref)
{
	uint64_t hash = ((uintptr_t)owner ^ ref) * UINT64_C(0x9e3779b97f4a7c15);

	return &res->scratch->slots[hash >> 55];
}

void result_forget_names(struct result *res)
{
	memset(res->scratch->slots, 0, sizeof(res->scratch->slots));
}

_Static_assert(NAME_SLOTS == 1 << 9, "result_name_slot() takes 9 bits of its hash");

void result_code_info(struct result *res, struct blaze_symbolize_code_info *info,
		      const char *comp_dir, const char *path, uint32_t line, uint16_t column)
{
	const char *file, *dir = NULL;
	size_t dir_len = 0;

	info->line = line;
	info->column = column;
	if (!path)
		return;
	file = strrchr(path, '/');
	if (file) {
		/* A file right below the root: its directory is "/". */
		dir_len = file == path ? 1 : (size_t)(file - path);
		dir = path;
		file++;
	} else {
		file = path;
	}
	info->file = result_string(res, file);
	if (path[0] == '/' || !comp_dir) {
		if (dir)
			info->dir = result_bytes(res, dir, dir_len);
		return;
	}
	/* Relative paths start where the compiler ran. */
	if (dir) {
		size_t comp_len = strlen(comp_dir);
		char *joined = result_alloc(res, comp_len + 1 + dir_len + 1, 1);

		if (!joined)
			return;
		memcpy(joined, comp_dir, comp_len);
		joined[comp_len] = '/';
		memcpy(joined + comp_len + 1, dir, dir_len);
		joined[comp_len + 1 + dir_len] = '\0';
		info->dir = joined;
	} else {
		info->dir = result_string(res, comp_dir);
	}
}
