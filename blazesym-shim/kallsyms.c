// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/kallsyms: lines "ADDRESS TYPE NAME", for modules and BPF programs with "\t[MODULE]".
 *
 * The kernel gives addresses of zero to those who may not know them (kptr_restrict). Such
 * lines say nothing; if there are no others, the answer is that symbols are missing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim.h"

#define READ_SIZE ((size_t)256 << 10)
/*
 * There are no sizes, so a symbol counts up to the next one. Where the next is far away the
 * room between is not its: no function of the kernel is nearly as large as this.
 */
#define TEXT_MAX    (UINT64_C(1) << 20)
#define DATA_MAX    (UINT64_C(64) << 20)
#define MODULES_MAX 65535

struct load {
	struct kallsyms *ks;
	size_t sym_cap;
	size_t names_cap;
	size_t module_cap;
	/* Lines of one module come together. */
	uint16_t module;
};

static bool is_text(char type)
{
	return type == 't' || type == 'T' || type == 'w' || type == 'W';
}

/* @name has no terminator, but may have NUL bytes if the file is damaged. */
static bool is_module(const char *module, const char *name, size_t len)
{
	return strlen(module) == len && !memcmp(module, name, len);
}

static int module_index(struct load *load, const char *name, size_t len, uint16_t *idx)
{
	struct kallsyms *ks = load->ks;
	char *copy;

	*idx = load->module;
	if (load->module && is_module(ks->modules[load->module], name, len))
		return 0;
	for (size_t i = 1; i < ks->module_cnt; i++) {
		if (is_module(ks->modules[i], name, len)) {
			*idx = load->module = (uint16_t)i;
			return 0;
		}
	}
	if (ks->module_cnt == MODULES_MAX)
		return -E2BIG;
	if (ks->module_cnt == load->module_cap) {
		size_t cap = load->module_cap ? load->module_cap * 2 : 64;
		char **grown = reallocarray(ks->modules, cap, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		ks->modules = grown;
		load->module_cap = cap;
	}
	copy = malloc(len + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, name, len);
	copy[len] = '\0';
	*idx = load->module = (uint16_t)ks->module_cnt;
	ks->modules[ks->module_cnt++] = copy;
	return 0;
}

static int add_symbol(struct load *load, uint64_t addr, char type, const char *name,
		      size_t name_len, uint16_t module)
{
	struct kallsyms *ks = load->ks;

	if (ks->cnt == load->sym_cap) {
		size_t cap = load->sym_cap ? load->sym_cap * 3 / 2 : 65536;
		struct ksym *grown = reallocarray(ks->syms, cap, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		ks->syms = grown;
		load->sym_cap = cap;
	}
	if (load->names_cap - ks->names_len <= name_len) {
		size_t cap = load->names_cap ? load->names_cap * 3 / 2 : (size_t)2 << 20;
		char *grown;

		if (cap - ks->names_len <= name_len)
			cap = ks->names_len + name_len + 1;
		if (cap > UINT32_MAX)
			return -E2BIG;
		grown = realloc(ks->names, cap);
		if (!grown)
			return -ENOMEM;
		ks->names = grown;
		load->names_cap = cap;
	}
	ks->syms[ks->cnt++] = (struct ksym){
		.addr = addr,
		.name = (uint32_t)ks->names_len,
		.module = module,
		.type = type,
	};
	memcpy(ks->names + ks->names_len, name, name_len);
	ks->names_len += name_len;
	ks->names[ks->names_len++] = '\0';
	return 0;
}

/* bpf_prog_0123456789abcdef_name -> name. Without a name, what there is. */
static void strip_bpf_tag(const char **name, size_t *len)
{
	static const char prefix[] = "bpf_prog_";
	size_t at = sizeof(prefix) - 1, end = at + 16;

	if (*len <= end + 1 || strncmp(*name, prefix, at) || (*name)[end] != '_')
		return;
	for (; at < end; at++) {
		char c = (*name)[at];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return;
	}
	*name += end + 1;
	*len -= end + 1;
}

/* A line without its newline. What is not one is left out. */
static int parse_line(struct load *load, const char *line, const char *end)
{
	uint64_t addr = 0;
	const char *p, *name, *tab, *module = NULL;
	size_t name_len, module_len = 0;
	uint16_t module_idx = 0;
	char type;
	int err;

	for (p = line; p < end; p++) {
		char c = *p;

		if (c >= '0' && c <= '9')
			addr = addr << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			addr = addr << 4 | (uint64_t)(c - 'a' + 10);
		else
			break;
	}
	/* Zeros are hidden addresses. At least " T x" has to follow. */
	if (!addr || p - line > 16 || end - p < 4 || p[0] != ' ' || p[2] != ' ')
		return 0;
	type = p[1];
	/* Absolute ones are no addresses (of per-CPU data, they are offsets). */
	if (type == 'A' || type == 'a' || type == 'U')
		return 0;
	name = p + 3;
	tab = memchr(name, '\t', (size_t)(end - name));
	name_len = (size_t)((tab ? tab : end) - name);
	if (!name_len)
		return 0;
	if (tab && end - tab > 3 && tab[1] == '[' && end[-1] == ']') {
		module = tab + 2;
		module_len = (size_t)(end - 1 - module);
	}
	if (module) {
		err = module_index(load, module, module_len, &module_idx);
		if (err)
			return err;
		if (module_len == 3 && !memcmp(module, "bpf", 3))
			strip_bpf_tag(&name, &name_len);
	}
	return add_symbol(load, addr, type, name, name_len, module_idx);
}

static int parse_file(struct load *load, int fd)
{
	char *buf = malloc(READ_SIZE);
	size_t len = 0;
	int err = 0;

	if (!buf)
		return -ENOMEM;
	while (!err) {
		ssize_t got = read(fd, buf + len, READ_SIZE - len);
		char *line = buf, *end, *newline;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			err = -errno;
			break;
		}
		end = buf + len + got;
		while (!err && (newline = memchr(line, '\n', (size_t)(end - line)))) {
			err = parse_line(load, line, newline);
			line = newline + 1;
		}
		if (!got) {
			/* A last line without a newline. */
			if (!err)
				err = parse_line(load, line, end);
			break;
		}
		len = (size_t)(end - line);
		memmove(buf, line, len);
		/* No line of the kernel's is this long: skip what cannot be one. */
		if (len == READ_SIZE)
			len = 0;
	}
	free(buf);
	return err;
}

/* As for ELF symbols: code, then global, then fewer underscores, then first. */
static unsigned int rank(const struct kallsyms *ks, const struct ksym *sym)
{
	unsigned int underscores = 0;

	for (const char *name = ks->names + sym->name; *name == '_' && underscores < 15; name++)
		underscores++;
	return (unsigned int)is_text(sym->type) << 5 |
	       (unsigned int)(sym->type >= 'A' && sym->type <= 'Z') << 4 | (15 - underscores);
}

static int compare(const void *a, const void *b, void *ctx)
{
	const struct ksym *x = a, *y = b;
	unsigned int rank_x, rank_y;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	rank_x = rank(ctx, x);
	rank_y = rank(ctx, y);
	if (rank_x != rank_y)
		return rank_x > rank_y ? -1 : 1;
	return (x->name > y->name) - (x->name < y->name);
}

/* Sort, keep the best name of each address, give back what is too much. */
static void finish(struct kallsyms *ks)
{
	struct ksym *syms;
	size_t kept = 0;
	char *names;

	if (!ks->cnt)
		return;
	qsort_r(ks->syms, ks->cnt, sizeof(*ks->syms), compare, ks);
	for (size_t i = 0; i < ks->cnt; i++) {
		if (!kept || ks->syms[kept - 1].addr != ks->syms[i].addr)
			ks->syms[kept++] = ks->syms[i];
	}
	ks->cnt = kept;
	syms = reallocarray(ks->syms, kept, sizeof(*syms));
	if (syms)
		ks->syms = syms;
	names = realloc(ks->names, ks->names_len);
	if (names)
		ks->names = names;
}

int kallsyms_load(const char *path, struct kallsyms **out)
{
	struct load load = { 0 };
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	load.ks = calloc(1, sizeof(*load.ks));
	err = -ENOMEM;
	if (!load.ks)
		goto out;
	load.ks->modules = calloc(1, sizeof(*load.ks->modules));
	if (!load.ks->modules)
		goto out;
	load.ks->module_cnt = load.module_cap = 1;
	err = parse_file(&load, fd);
	if (err)
		goto out;
	finish(load.ks);
	*out = load.ks;
out:
	if (err)
		kallsyms_free(load.ks);
	close(fd);
	return err;
}

void kallsyms_free(struct kallsyms *ks)
{
	if (!ks)
		return;
	for (size_t i = 0; i < ks->module_cnt; i++)
		free(ks->modules[i]);
	free(ks->modules);
	free(ks->syms);
	free(ks->names);
	free(ks);
}

const struct ksym *kallsyms_find(const struct kallsyms *ks, uint64_t addr,
				 blaze_symbolize_reason *reason)
{
	size_t lo = 0, hi = ks->cnt;
	const struct ksym *sym;

	if (!ks->cnt) {
		*reason = BLAZE_SYMBOLIZE_REASON_MISSING_SYMS;
		return NULL;
	}
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (ks->syms[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	*reason = BLAZE_SYMBOLIZE_REASON_UNKNOWN_ADDR;
	if (!lo)
		return NULL;
	sym = &ks->syms[lo - 1];
	if (addr - sym->addr >= (is_text(sym->type) ? TEXT_MAX : DATA_MAX))
		return NULL;
	*reason = BLAZE_SYMBOLIZE_REASON_SUCCESS;
	return sym;
}

bool kallsyms_symbol_addr(const struct kallsyms *ks, const char *name, uint64_t *addr)
{
	for (size_t i = 0; i < ks->cnt; i++) {
		const struct ksym *sym = &ks->syms[i];

		if (!sym->module && is_text(sym->type) && !strcmp(ks->names + sym->name, name)) {
			*addr = sym->addr;
			return true;
		}
	}
	return false;
}
