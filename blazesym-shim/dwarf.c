// SPDX-License-Identifier: GPL-2.0-only
/*
 * Source lines and inlined functions, from DWARF by libdw.
 *
 * Opening reads the address ranges of all compilation units. The functions of a unit, and
 * libdw's table of its lines, are read at the first address in it, and kept.
 *
 * Entries refer to each other and files may be damaged or hostile, so whatever follows
 * references or walks siblings here has a bound.
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "shim.h"

/* Inlined calls in one another at one address; compilers stop long before. */
#define INLINE_DEPTH_MAX 128
/* References from an entry to the one that has its name. */
#define REF_CHAIN_MAX 16
/* Nesting of entries. */
#define TREE_DEPTH_MAX 64
/* Address ranges and functions taken from one file or unit. */
#define RANGES_MAX ((size_t)4 << 20)

struct unit {
	Dwarf_Die die;	 /* has the ranges and lines */
	Dwarf_Die split; /* has the functions, if they are in another file (.dwo) */
	bool has_split;
	bool indexed;
	struct span *fns; /* functions: ref is the entry's offset in the unit */
	size_t fn_cnt;
};

struct dwarf {
	Dwarf *dbg;
	struct unit *units;
	size_t unit_cnt;
	struct span *spans; /* ref: index in units */
	size_t span_cnt;
};

/* By address, shorter ones later: in nested ranges the inner one then counts. */
static int compare_ranges(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (x->len != y->len)
		return x->len > y->len ? -1 : 1;
	return (x->ref > y->ref) - (x->ref < y->ref);
}

static int flatten(struct span **spans, size_t *cnt)
{
	if (!*cnt)
		return 0;
	qsort(*spans, *cnt, sizeof(**spans), compare_ranges);
	return spans_flatten(spans, cnt, SPAN_LATER);
}

/* Append the address ranges of @die; false if there are too many to go on. */
static bool add_ranges(Dwarf_Die *die, uint32_t ref, struct span **spans, size_t *cnt, size_t *cap)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t it = 0;

	while ((it = dwarf_ranges(die, it, &base, &start, &end)) > 0) {
		/* What the linker threw away is left with an address of zero. */
		if (start >= end || !start)
			continue;
		if (*cnt >= RANGES_MAX || spans_add(spans, cnt, cap, start, end - start, ref))
			return false;
	}
	return true;
}

static int read_units(struct dwarf *dw)
{
	size_t cap = 0, span_cap = 0;
	Dwarf_CU *cu = NULL;
	Dwarf_Die die, sub;
	uint8_t type;

	while (!dwarf_get_units(dw->dbg, cu, &cu, NULL, &type, &die, &sub)) {
		struct unit *unit;

		if (type != DW_UT_compile && type != DW_UT_skeleton)
			continue;
		if (dw->unit_cnt == cap) {
			struct unit *grown;

			cap = cap ? cap * 2 : 16;
			grown = reallocarray(dw->units, cap, sizeof(*grown));
			if (!grown)
				return -1;
			dw->units = grown;
		}
		unit = &dw->units[dw->unit_cnt];
		*unit = (struct unit){ .die = die };
		if (type == DW_UT_skeleton && sub.cu) {
			unit->split = sub;
			unit->has_split = true;
		}
		if (!add_ranges(&die, (uint32_t)dw->unit_cnt, &dw->spans, &dw->span_cnt, &span_cap))
			return -1;
		dw->unit_cnt++;
	}
	return flatten(&dw->spans, &dw->span_cnt);
}

struct dwarf *dwarf_open(Elf *elf)
{
	struct dwarf *dw = calloc(1, sizeof(*dw));

	if (!dw)
		return NULL;
	dw->dbg = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	if (!dw->dbg || read_units(dw) || !dw->span_cnt) {
		dwarf_free(dw);
		return NULL;
	}
	return dw;
}

void dwarf_free(struct dwarf *dw)
{
	if (!dw)
		return;
	for (size_t i = 0; i < dw->unit_cnt; i++)
		free(dw->units[i].fns);
	free(dw->units);
	free(dw->spans);
	dwarf_end(dw->dbg);
	free(dw);
}

/*
 * The next sibling of @die, in place. libdw takes a shortcut that the file offers, which
 * must not lead back.
 */
static bool next_sibling(Dwarf_Die *die)
{
	Dwarf_Die next;

	if (dwarf_siblingof(die, &next) || (char *)next.addr <= (char *)die->addr)
		return false;
	*die = next;
	return true;
}

static bool may_hold_functions(int tag)
{
	switch (tag) {
	case DW_TAG_inlined_subroutine:
	case DW_TAG_enumeration_type:
	case DW_TAG_array_type:
	case DW_TAG_subroutine_type:
	case DW_TAG_call_site:
	case DW_TAG_GNU_call_site:
		return false;
	default:
		return true;
	}
}

struct fn_walk {
	Dwarf_Off cu_off;
	struct span **fns;
	size_t *cnt;
	size_t cap;
};

/* Add functions among the children of @parent, and theirs. False: stop. */
static bool walk_functions(struct fn_walk *walk, Dwarf_Die *parent, unsigned int depth)
{
	Dwarf_Die die;

	if (depth > TREE_DEPTH_MAX || dwarf_child(parent, &die))
		return true;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_subprogram) {
			Dwarf_Off off = dwarf_dieoffset(&die) - walk->cu_off;

			if (off <= UINT32_MAX &&
			    !add_ranges(&die, (uint32_t)off, walk->fns, walk->cnt, &walk->cap))
				return false;
		}
		if (may_hold_functions(tag) && dwarf_haschildren(&die) > 0 &&
		    !walk_functions(walk, &die, depth + 1))
			return false;
	} while (next_sibling(&die));
	return true;
}

static Dwarf_Die *unit_functions(struct unit *unit)
{
	return unit->has_split ? &unit->split : &unit->die;
}

static Dwarf_Off unit_offset(Dwarf_Die *die)
{
	return dwarf_dieoffset(die) - dwarf_cuoffset(die);
}

static void index_unit(struct unit *unit)
{
	Dwarf_Die *die = unit_functions(unit);
	struct fn_walk walk = {
		.cu_off = unit_offset(die),
		.fns = &unit->fns,
		.cnt = &unit->fn_cnt,
	};

	unit->indexed = true;
	walk_functions(&walk, die, 0);
	if (flatten(&unit->fns, &unit->fn_cnt))
		unit->fn_cnt = 0;
}

/* An attribute of @die, or of the one that it is an instance or a definition of. */
static bool find_attr(Dwarf_Die *die, unsigned int name, Dwarf_Attribute *attr)
{
	Dwarf_Die at = *die, to;

	for (int i = 0; i < REF_CHAIN_MAX; i++) {
		if (dwarf_attr(&at, name, attr))
			return true;
		if (!dwarf_attr(&at, DW_AT_abstract_origin, attr) &&
		    !dwarf_attr(&at, DW_AT_specification, attr))
			return false;
		if (!dwarf_formref_die(attr, &to))
			return false;
		at = to;
	}
	return false;
}

static const char *die_name(Dwarf_Die *die)
{
	static const unsigned int names[] = { DW_AT_linkage_name, DW_AT_MIPS_linkage_name,
					      DW_AT_name };
	Dwarf_Attribute attr;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *name;

		if (!find_attr(die, names[i], &attr))
			continue;
		name = dwarf_formstring(&attr);
		if (name && *name)
			return name;
	}
	return NULL;
}

static uint32_t die_number(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;

	if (!dwarf_attr(die, name, &attr) || dwarf_formudata(&attr, &value) || value > UINT32_MAX)
		return 0;
	return (uint32_t)value;
}

static uint16_t column_of(uint32_t column)
{
	return column <= UINT16_MAX ? (uint16_t)column : 0;
}

/*
 * The first inlined function below @die that covers @addr, in place. Blocks can overlap (GCC
 * with -flto makes such), so one that covers the address need not be the one that has it.
 */
static bool next_call(Dwarf_Die *die, uint64_t addr, unsigned int depth)
{
	Dwarf_Die child;

	if (depth > TREE_DEPTH_MAX || dwarf_child(die, &child))
		return false;
	do {
		int tag = dwarf_tag(&child);
		Dwarf_Die inner = child;

		switch (tag) {
		case DW_TAG_inlined_subroutine:
		case DW_TAG_lexical_block:
		case DW_TAG_try_block:
		case DW_TAG_catch_block:
			if (dwarf_haspc(&child, addr) != 1)
				break;
			if (tag == DW_TAG_inlined_subroutine ||
			    next_call(&inner, addr, depth + 1)) {
				*die = inner;
				return true;
			}
		}
	} while (next_sibling(&child));
	return false;
}

/* The inlined calls at @addr, from the outermost. Returns how many. */
static size_t find_inlined(struct unit *unit, uint64_t addr, Dwarf_Die *calls)
{
	Dwarf_Die *cu = unit_functions(unit), die;
	const struct span *span;
	size_t cnt = 0;

	if (!unit->indexed)
		index_unit(unit);
	span = spans_find(unit->fns, unit->fn_cnt, addr);
	if (!span || !dwarf_offdie(dwarf_cu_getdwarf(cu->cu), unit_offset(cu) + span->ref, &die))
		return 0;
	while (cnt < INLINE_DEPTH_MAX && next_call(&die, addr, 0))
		calls[cnt++] = die;
	return cnt;
}

/* What dwarf_fill() puts together for one result. */
struct fill {
	struct result *res;
	struct unit *unit;
	const char *comp_dir;
};

static void fill_line(struct fill *fill, uint64_t addr, struct blaze_symbolize_code_info *info)
{
	int line_no = 0, column = 0;
	Dwarf_Line *line;

	line = dwarf_getsrc_die(&fill->unit->die, addr);
	if (!line)
		return;
	dwarf_lineno(line, &line_no);
	dwarf_linecol(line, &column);
	result_code_info(fill->res, info, fill->comp_dir, dwarf_linesrc(line, NULL, NULL),
			 line_no > 0 ? (uint32_t)line_no : 0,
			 column > 0 ? column_of((uint32_t)column) : 0);
}

static void fill_call(struct fill *fill, Dwarf_Die *call, struct blaze_symbolize_code_info *info)
{
	uint32_t file = die_number(call, DW_AT_call_file);
	const char *path = NULL;
	Dwarf_Files *files;
	size_t file_cnt;

	if (!dwarf_getsrcfiles(unit_functions(fill->unit), &files, &file_cnt) && file < file_cnt)
		path = dwarf_filesrc(files, file, NULL, NULL);
	result_code_info(fill->res, info, fill->comp_dir, path, die_number(call, DW_AT_call_line),
			 column_of(die_number(call, DW_AT_call_column)));
}

static void fill_name(struct fill *fill, Dwarf_Die *call, bool demangle_names, const char **to)
{
	const char *name = die_name(call);
	char *readable = name && demangle_names ? demangle(name) : NULL;

	*to = result_string(fill->res, readable ? readable : name ? name : "??");
	free(readable);
}

void dwarf_fill(struct dwarf *dw, uint64_t addr, bool inlined, bool demangle_names,
		struct result *res, struct blaze_sym *sym)
{
	struct blaze_symbolize_code_info *info = &sym->code_info;
	struct blaze_symbolize_inlined_fn *fns;
	Dwarf_Die calls[INLINE_DEPTH_MAX];
	struct fill fill = { .res = res };
	const struct span *span;
	Dwarf_Attribute attr;
	size_t cnt = 0;

	span = spans_find(dw->spans, dw->span_cnt, addr);
	if (!span)
		return;
	fill.unit = &dw->units[span->ref];
	if (dwarf_attr(&fill.unit->die, DW_AT_comp_dir, &attr))
		fill.comp_dir = dwarf_formstring(&attr);
	if (inlined)
		cnt = find_inlined(fill.unit, addr, calls);
	fns = cnt ? result_inlined(res, cnt) : NULL;
	if (fns) {
		/* Each function's line is where it calls the next one; the last has the address. */
		for (size_t i = 0; i < cnt; i++) {
			fill_call(&fill, &calls[i], info);
			fill_name(&fill, &calls[i], demangle_names, &fns[i].name);
			info = &fns[i].code_info;
		}
		sym->inlined = fns;
		sym->inlined_cnt = cnt;
	}
	fill_line(&fill, addr, info);
}
