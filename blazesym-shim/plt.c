// SPDX-License-Identifier: GPL-2.0-only
/*
 * PLT entries have no symbols. On x86-64 each is a jump through a slot of the GOT, and the
 * relocation of that slot names the function: so decode the jump rather than trust in an
 * order of entries. Other machines go without.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim.h"

struct slot {
	uint64_t addr;
	uint32_t sym;
};

static int compare_slots(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

/*
 * How many of the dynamic relocations, which come first, are of no symbol. In a large library
 * that is nearly all of several megabytes, which need not be touched then.
 */
static size_t relative_cnt(const struct elf_file *file)
{
	GElf_Shdr shdr;
	Elf_Data *data;
	Elf_Scn *scn;
	GElf_Dyn dyn;

	scn = elf_file_section(file, ".dynamic", &shdr);
	data = scn && shdr.sh_type == SHT_DYNAMIC ? elf_getdata(scn, NULL) : NULL;
	if (!data || !data->d_buf)
		return 0;
	for (int i = 0; gelf_getdyn(data, i, &dyn) && dyn.d_tag != DT_NULL; i++) {
		if (dyn.d_tag == DT_RELACOUNT)
			return dyn.d_un.d_val;
	}
	return 0;
}

/*
 * The GOT slots that relocations in section @name, but for the first @skip, fill with
 * addresses of symbols.
 */
static int add_slots(const struct elf_file *file, const char *name, size_t skip,
		     struct slot **slots, size_t *cnt, size_t sym_cnt)
{
	struct slot *grown;
	GElf_Shdr shdr;
	Elf_Data *data;
	Elf_Scn *scn;
	size_t n;

	scn = elf_file_section(file, name, &shdr);
	if (!scn || shdr.sh_type != SHT_RELA)
		return 0;
	data = elf_getdata(scn, NULL);
	if (!data || !data->d_buf)
		return 0;
	n = data->d_size / gelf_fsize(file->elf, ELF_T_RELA, 1, EV_CURRENT);
	if (n <= skip)
		return 0;
	grown = reallocarray(*slots, *cnt + n - skip, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	*slots = grown;
	for (size_t i = skip; i < n; i++) {
		GElf_Rela rela;
		uint64_t type, sym;

		if (!gelf_getrela(data, (int)i, &rela))
			break;
		type = GELF_R_TYPE(rela.r_info);
		sym = GELF_R_SYM(rela.r_info);
		if ((type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT) || !sym ||
		    sym >= sym_cnt)
			continue;
		(*slots)[(*cnt)++] = (struct slot){ rela.r_offset, (uint32_t)sym };
	}
	return 0;
}

/* Where the code at @code (@len bytes, at address @addr) jumps through: jmp *disp(%rip). */
static bool jump_slot(const unsigned char *code, size_t len, uint64_t addr, uint64_t *slot)
{
	/* Before the jump there may be endbr64 (f3 0f 1e fa) and a bnd prefix (f2). */
	for (size_t i = 0; i + 6 <= len && i <= 5; i++) {
		int32_t disp;

		if (code[i] != 0xff || code[i + 1] != 0x25)
			continue;
		memcpy(&disp, code + i + 2, sizeof(disp));
		*slot = addr + i + 6 + (uint64_t)(int64_t)disp;
		return true;
	}
	return false;
}

static int add_section(const struct elf_file *file, const char *name, const struct slot *slots,
		       size_t slot_cnt, struct span **spans, size_t *cnt, size_t *cap,
		       uint32_t ref_base)
{
	size_t entry = 16;
	GElf_Shdr shdr;
	Elf_Data *data;
	Elf_Scn *scn;

	scn = elf_file_section(file, name, &shdr);
	if (!scn || shdr.sh_type != SHT_PROGBITS)
		return 0;
	data = elf_rawdata(scn, NULL);
	if (!data || !data->d_buf)
		return 0;
	/* .plt.got without endbr64 has entries half as large. */
	if (shdr.sh_entsize == 8)
		entry = 8;
	for (size_t at = 0; at + entry <= data->d_size; at += entry) {
		const unsigned char *code = (const unsigned char *)data->d_buf + at;
		struct slot key, *found;
		int err;

		if (!jump_slot(code, entry, shdr.sh_addr + at, &key.addr))
			continue;
		found = bsearch(&key, slots, slot_cnt, sizeof(*slots), compare_slots);
		if (!found)
			continue;
		err = spans_add(spans, cnt, cap, shdr.sh_addr + at, entry, ref_base | found->sym);
		if (err)
			return err;
	}
	return 0;
}

int plt_spans(const struct elf_file *file, struct span **spans, size_t *cnt, size_t *cap,
	      uint32_t ref_base, size_t sym_cnt)
{
	static const char *const sections[] = { ".plt", ".plt.sec", ".plt.got" };
	struct slot *slots = NULL;
	size_t slot_cnt = 0;
	int err;

	if (file->machine != EM_X86_64)
		return 0;
	err = add_slots(file, ".rela.plt", 0, &slots, &slot_cnt, sym_cnt);
	/* .plt.got goes through slots that are also used without a PLT. */
	if (!err && elf_file_has_section(file, ".plt.got"))
		err = add_slots(file, ".rela.dyn", relative_cnt(file), &slots, &slot_cnt, sym_cnt);
	if (!err && slot_cnt) {
		qsort(slots, slot_cnt, sizeof(*slots), compare_slots);
		for (size_t i = 0; i < ARRAY_SIZE(sections) && !err; i++)
			err = add_section(file, sections[i], slots, slot_cnt, spans, cnt, cap,
					  ref_base);
	}
	free(slots);
	return err;
}
