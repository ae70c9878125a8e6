// SPDX-License-Identifier: GPL-2.0-only
/*
 * One ELF file: its loaded segments, and an index of its symbols by address.
 *
 * The index is a table of 16 bytes a symbol (spans.h) whose entries say which symbol of
 * which symbol table counts at an address. Everything else is read from the symbol and
 * string tables at lookup, which are used where libelf has the file mapped.
 *
 * Which symbol counts where several could:
 *
 *  1. One with a size that covers the address, before one without. One without a size (from
 *     assembly, mostly) counts up to the next symbol or the end of its section, but not
 *     where one with a size covers or starts.
 *  2. The one that starts last, so the innermost of nested ones.
 *  3. Of several names for one address: functions before data before untyped labels; then
 *     global and weak before local; then fewer leading underscores; then global before weak;
 *     then the first in the symbol table.
 *
 * perf puts global before weak ahead of underscores and takes the longest name at the end;
 * blazesym takes the largest symbol and then the first in the table. The order here gives
 * the name that people write: glibc's write() is a weak alias of the global __write().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim.h"

/*
 * What span.ref says: bit 31: a PLT entry; bits 28 to 30: which symbol table; below: which
 * symbol. Symbols past 2^28 in one table are ignored.
 */
#define REF_PLT	      UINT32_C(0x80000000)
#define REF_TAB_SHIFT 28
#define REF_IDX_MASK  ((UINT32_C(1) << REF_TAB_SHIFT) - 1)

_Static_assert(ELF_MAX_SYMTABS <= 8, "three bits say which symbol table");

/* Of several symbols at one address, how many can have a part of what they cover. */
#define ALIASES_MAX 16
/* Executables have a handful of loaded segments. */
#define SEGMENTS_MAX 256

/* Segments */

static int read_segments(struct elf_file *file)
{
	size_t cnt;

	if (elf_getphdrnum(file->elf, &cnt))
		return -EBADMSG;
	/* At least one, so that malloc() cannot return NULL for none. */
	file->segs = calloc(cnt + 1, sizeof(*file->segs));
	if (!file->segs)
		return -ENOMEM;
	for (size_t i = 0; i < cnt && file->seg_cnt < SEGMENTS_MAX; i++) {
		GElf_Phdr phdr;

		if (!gelf_getphdr(file->elf, (int)i, &phdr))
			return -EBADMSG;
		if (phdr.p_type != PT_LOAD)
			continue;
		file->segs[file->seg_cnt++] = (struct segment){
			.vaddr = phdr.p_vaddr,
			.offset = phdr.p_offset,
			.filesz = phdr.p_filesz,
			.memsz = phdr.p_memsz,
			.exec = phdr.p_flags & PF_X,
		};
	}
	return 0;
}

/*
 * One page of a file can belong to two segments and then has two addresses; offsets in it
 * that both claim are code's, because that is what is asked about.
 */
bool elf_file_vaddr(const struct elf_file *file, uint64_t off, uint64_t *vaddr)
{
	bool found = false;

	for (size_t i = 0; i < file->seg_cnt; i++) {
		const struct segment *seg = &file->segs[i];

		if (off < seg->offset || off - seg->offset >= seg->filesz)
			continue;
		if (found && !seg->exec)
			continue;
		*vaddr = seg->vaddr + (off - seg->offset);
		if (seg->exec)
			return true;
		found = true;
	}
	return found;
}

/* Opening */

static int file_from_elf(Elf *elf, struct elf_file **out)
{
	struct elf_file *file;
	GElf_Ehdr ehdr;
	int err;

	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &ehdr))
		return -EBADMSG;
	/* Relocatable objects and cores have no symbols with addresses of their own. */
	if (ehdr.e_type != ET_EXEC && ehdr.e_type != ET_DYN)
		return -EOPNOTSUPP;
	file = calloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	file->elf = elf;
	file->type = ehdr.e_type;
	file->machine = ehdr.e_machine;
	err = read_segments(file);
	if (err) {
		free(file->segs);
		free(file);
		return err;
	}
	*out = file;
	return 0;
}

int elf_file_open(int fd, struct elf_file **out)
{
	Elf *elf;
	int err;

	elf_version(EV_CURRENT);
	/* Private, because libdw decompresses sections in place. */
	elf = elf_begin(fd, ELF_C_READ_MMAP_PRIVATE, NULL);
	if (!elf)
		return -EBADMSG;
	err = file_from_elf(elf, out);
	/* Where the file cannot be mapped, read all of it now: fd is the caller's. */
	if (!err && elf_cntl(elf, ELF_C_FDREAD)) {
		(*out)->elf = NULL;
		elf_file_free(*out);
		*out = NULL;
		err = -EIO;
	}
	if (err)
		elf_end(elf);
	return err;
}

int elf_file_from_memory(void *image, size_t size, struct elf_file **out)
{
	Elf *elf;
	int err;

	elf_version(EV_CURRENT);
	elf = elf_memory(image, size);
	if (!elf)
		return -EBADMSG;
	err = file_from_elf(elf, out);
	if (err)
		elf_end(elf);
	else
		(*out)->image = image;
	return err;
}

void elf_file_free(struct elf_file *file)
{
	if (!file)
		return;
	dwarf_free(file->dwarf);
	elf_file_free(file->debug);
	elf_file_free(file->mini);
	elf_end(file->elf);
	free(file->image);
	free(file->segs);
	free(file->spans);
	free(file->path);
	free(file->root);
	free(file);
}

/* Sections */

Elf_Scn *elf_file_section(const struct elf_file *file, const char *name, GElf_Shdr *shdr)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(file->elf, &names))
		return NULL;
	while ((scn = elf_nextscn(file->elf, scn))) {
		const char *has;

		if (!gelf_getshdr(scn, shdr))
			continue;
		has = elf_strptr(file->elf, names, shdr->sh_name);
		if (has && !strcmp(has, name))
			return scn;
	}
	return NULL;
}

bool elf_file_has_section(const struct elf_file *file, const char *name)
{
	GElf_Shdr shdr;

	return elf_file_section(file, name, &shdr) != NULL;
}

/* Symbol tables */

static bool symtab_init(struct symtab *tab, Elf *elf, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	Elf_Scn *strs_scn;
	Elf_Data *strs;
	const char *last;

	if (!shdr->sh_entsize)
		return false;
	strs_scn = elf_getscn(elf, shdr->sh_link);
	if (!strs_scn)
		return false;
	tab->elf = elf;
	tab->syms = elf_getdata(scn, NULL);
	strs = elf_getdata(strs_scn, NULL);
	if (!tab->syms || !tab->syms->d_buf || !strs || !strs->d_buf || !strs->d_size)
		return false;
	/* A name past the last NUL byte has no end. */
	last = memrchr(strs->d_buf, '\0', strs->d_size);
	if (!last)
		return false;
	tab->strs = strs->d_buf;
	tab->strs_len = (size_t)(last - tab->strs) + 1;
	tab->cnt = tab->syms->d_size / gelf_fsize(elf, ELF_T_SYM, 1, EV_CURRENT);
	if (tab->cnt > REF_IDX_MASK)
		tab->cnt = REF_IDX_MASK;
	return true;
}

static const char *symbol_name(const struct symtab *tab, const GElf_Sym *sym)
{
	return sym->st_name < tab->strs_len ? tab->strs + sym->st_name : "";
}

/* Add the file's tables of the given type to those of @to. */
static void add_symtabs(struct elf_file *to, const struct elf_file *from, unsigned int type)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	while ((scn = elf_nextscn(from->elf, scn))) {
		if (to->tab_cnt == ELF_MAX_SYMTABS)
			return;
		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != type)
			continue;
		if (symtab_init(&to->tabs[to->tab_cnt], from->elf, scn, &shdr)) {
			to->tab_cnt++;
			/* The format allows one of each. */
			return;
		}
	}
}

/* Which symbols can be at an address at all. */
static bool symbol_eligible(const struct symtab *tab, const GElf_Sym *sym)
{
	if (sym->st_shndx == SHN_UNDEF || sym->st_shndx == SHN_COMMON || !sym->st_name ||
	    sym->st_name >= tab->strs_len)
		return false;
	switch (GELF_ST_TYPE(sym->st_info)) {
	case STT_FUNC:
	case STT_GNU_IFUNC:
		return true;
	case STT_OBJECT:
		return sym->st_shndx != SHN_ABS;
	case STT_NOTYPE:
		/* ARM's $x, $d and the like mark kinds of content. */
		return sym->st_shndx != SHN_ABS && symbol_name(tab, sym)[0] != '$';
	default:
		return false;
	}
}

static uint32_t ref_make(size_t tab, size_t idx)
{
	return (uint32_t)tab << REF_TAB_SHIFT | (uint32_t)idx;
}

static const struct symtab *ref_symbol(const struct elf_file *file, uint32_t ref, GElf_Sym *sym)
{
	const struct symtab *tab = &file->tabs[(ref & ~REF_PLT) >> REF_TAB_SHIFT];

	/* Refs are ours, so this can not fail: the index was read before. */
	if (!gelf_getsym(tab->syms, (int)(ref & REF_IDX_MASK), sym))
		memset(sym, 0, sizeof(*sym));
	return tab;
}

static int add_symbols(struct elf_file *file, size_t tab_idx, size_t *cap)
{
	const struct symtab *tab = &file->tabs[tab_idx];

	for (size_t i = 1; i < tab->cnt; i++) {
		GElf_Sym sym;
		int err;

		if (!gelf_getsym(tab->syms, (int)i, &sym))
			break;
		if (!symbol_eligible(tab, &sym))
			continue;
		err = spans_add(&file->spans, &file->span_cnt, cap, sym.st_value, sym.st_size,
				ref_make(tab_idx, i));
		if (err)
			return err;
	}
	return 0;
}

/* Rule 3 at the top, with sized before unsized: how much a name is worth at its address. */
static unsigned int symbol_rank(const struct elf_file *file, const struct span *span)
{
	unsigned int type, underscores = 0;
	const struct symtab *tab;
	const char *name;
	GElf_Sym sym;

	tab = ref_symbol(file, span->ref, &sym);
	switch (GELF_ST_TYPE(sym.st_info)) {
	case STT_FUNC:
	case STT_GNU_IFUNC:
		type = 2;
		break;
	case STT_OBJECT:
		type = 1;
		break;
	default:
		type = 0;
	}
	for (name = symbol_name(tab, &sym); *name == '_' && underscores < 15; name++)
		underscores++;
	return (unsigned int)(span->len > 0) << 8 | type << 6 |
	       (unsigned int)(GELF_ST_BIND(sym.st_info) != STB_LOCAL) << 5 |
	       (15 - underscores) << 1 | (unsigned int)(GELF_ST_BIND(sym.st_info) != STB_WEAK);
}

/* By address, at one address the best name last. */
static int compare_symbols(const void *a, const void *b, void *ctx)
{
	const struct span *x = a, *y = b;
	unsigned int rank_x, rank_y;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	rank_x = symbol_rank(ctx, x);
	rank_y = symbol_rank(ctx, y);
	if (rank_x != rank_y)
		return rank_x < rank_y ? -1 : 1;
	return (x->ref < y->ref) - (x->ref > y->ref);
}

/*
 * Of those at one address keep the best, and others only for what they cover beyond it.
 * Those without a size never matter where there is one with a size.
 */
static void drop_aliases(struct elf_file *file)
{
	struct span *spans = file->spans, keep[ALIASES_MAX];
	size_t kept = 0, from = 0, to;

	for (; from < file->span_cnt; from = to) {
		size_t cnt = 0;

		for (to = from + 1; to < file->span_cnt && spans[to].addr == spans[from].addr;)
			to++;
		/* From the best, which comes last, to the worst. */
		for (size_t i = to; i-- > from && cnt < ALIASES_MAX;) {
			if (!cnt || spans[i].len > keep[cnt - 1].len)
				keep[cnt++] = spans[i];
		}
		while (cnt)
			spans[kept++] = keep[--cnt];
	}
	file->span_cnt = kept;
}

/* Where the section (or else segment) that a symbol is in ends. */
static uint64_t container_end(const struct elf_file *file, uint32_t ref, uint64_t addr)
{
	const struct symtab *tab;
	GElf_Shdr shdr;
	GElf_Sym sym;
	Elf_Scn *scn;

	tab = ref_symbol(file, ref, &sym);
	if (sym.st_shndx < SHN_LORESERVE) {
		scn = elf_getscn(tab->elf, sym.st_shndx);
		if (scn && gelf_getshdr(scn, &shdr) && addr >= shdr.sh_addr &&
		    addr - shdr.sh_addr < shdr.sh_size)
			return shdr.sh_addr + shdr.sh_size;
	}
	for (size_t i = 0; i < file->seg_cnt; i++) {
		const struct segment *seg = &file->segs[i];

		if (addr >= seg->vaddr && addr - seg->vaddr < seg->memsz)
			return seg->vaddr + seg->memsz;
	}
	return addr;
}

/*
 * Give those without a size the room up to the next symbol, unless one with a size covers
 * them. Those that get none are removed.
 */
static void extend_sizeless(struct elf_file *file)
{
	struct span *spans = file->spans;
	uint64_t covered = 0;
	size_t kept = 0;

	for (size_t i = 0; i < file->span_cnt; i++) {
		struct span span = spans[i];

		if (!span.len) {
			uint64_t end = container_end(file, span.ref, span.addr);

			if (i + 1 < file->span_cnt && spans[i + 1].addr < end)
				end = spans[i + 1].addr;
			if (span.addr < covered || end <= span.addr)
				continue;
			end -= span.addr;
			span.len = end < UINT32_MAX ? (uint32_t)end : UINT32_MAX;
		} else if (span.addr + span.len > covered) {
			covered = span.addr + span.len;
		}
		spans[kept++] = span;
	}
	file->span_cnt = kept;
}

/* PLT entries of the file itself, named after its dynamic symbols: table @dynsym. */
static int add_plt(struct elf_file *file, size_t dynsym, size_t *cap)
{
	return plt_spans(file, &file->spans, &file->span_cnt, cap, REF_PLT | ref_make(dynsym, 0),
			 file->tabs[dynsym].cnt);
}

static int build_index(struct elf_file *file)
{
	size_t cap = 0, dynsym;
	int err = 0;

	file->tab_cnt = 0;
	add_symtabs(file, file, SHT_SYMTAB);
	if (!file->tab_cnt && !file->debug && !file->mini_tried) {
		file->mini_tried = true;
		file->mini = minidebug_open(file);
	}
	dynsym = file->tab_cnt;
	add_symtabs(file, file, SHT_DYNSYM);
	if (file->tab_cnt > dynsym)
		err = add_plt(file, dynsym, &cap);
	if (file->debug)
		add_symtabs(file, file->debug, SHT_SYMTAB);
	if (file->mini)
		add_symtabs(file, file->mini, SHT_SYMTAB);

	for (size_t i = 0; i < file->tab_cnt && !err; i++)
		err = add_symbols(file, i, &cap);
	if (err || !file->span_cnt)
		return err;
	qsort_r(file->spans, file->span_cnt, sizeof(*file->spans), compare_symbols, file);
	drop_aliases(file);
	extend_sizeless(file);
	return spans_flatten(&file->spans, &file->span_cnt, SPAN_LATER);
}

int elf_file_index(struct elf_file *file, const struct debug_dirs *debug_dirs)
{
	int err;

	if (file->indexed && (file->indexed_debug || !debug_dirs))
		return 0;
	if (debug_dirs && !file->debug_tried) {
		file->debug_tried = true;
		file->debug = debug_file_open(file, debug_dirs);
	}
	if (file->indexed && !file->debug) {
		file->indexed_debug = true;
		return 0;
	}
	free(file->spans);
	file->spans = NULL;
	file->span_cnt = 0;
	file->indexed = false;
	err = build_index(file);
	if (err) {
		free(file->spans);
		file->spans = NULL;
		file->span_cnt = 0;
		return err;
	}
	file->indexed = true;
	file->indexed_debug = debug_dirs != NULL;
	return 0;
}

blaze_symbolize_reason elf_file_find(const struct elf_file *file, uint64_t addr,
				     struct elf_sym *out)
{
	const struct symtab *tab;
	const struct span *span;
	GElf_Sym sym;

	span = spans_find(file->spans, file->span_cnt, addr);
	if (!span)
		return file->span_cnt ? BLAZE_SYMBOLIZE_REASON_UNKNOWN_ADDR
				      : BLAZE_SYMBOLIZE_REASON_MISSING_SYMS;
	tab = ref_symbol(file, span->ref, &sym);
	out->name = symbol_name(tab, &sym);
	if (!*out->name)
		return BLAZE_SYMBOLIZE_REASON_UNKNOWN_ADDR;
	out->ref = span->ref;
	out->plt = span->ref & REF_PLT;
	if (out->plt) {
		out->addr = span->addr;
		out->size = (ptrdiff_t)span->len;
	} else {
		out->addr = sym.st_value;
		out->size = sym.st_size < PTRDIFF_MAX ? (ptrdiff_t)sym.st_size : PTRDIFF_MAX;
	}
	return BLAZE_SYMBOLIZE_REASON_SUCCESS;
}

bool elf_file_symbol_addr(const struct elf_file *file, const char *name, uint64_t *addr)
{
	for (size_t t = 0; t < file->tab_cnt; t++) {
		const struct symtab *tab = &file->tabs[t];

		for (size_t i = 1; i < tab->cnt; i++) {
			GElf_Sym sym;

			if (!gelf_getsym(tab->syms, (int)i, &sym))
				break;
			if (sym.st_shndx != SHN_UNDEF && !strcmp(symbol_name(tab, &sym), name)) {
				*addr = sym.st_value;
				return true;
			}
		}
	}
	return false;
}
