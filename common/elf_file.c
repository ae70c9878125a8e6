// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "elf_file.h"

int elf_file_open(struct elf_file *file, const char *path)
{
	GElf_Ehdr header;

	elf_version(EV_CURRENT);
	/* A FIFO would wait for a writer. */
	file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->fd < 0)
		return -errno;
	file->elf = elf_begin(file->fd, ELF_C_READ_MMAP, NULL);
	if (file->elf && elf_kind(file->elf) == ELF_K_ELF && gelf_getehdr(file->elf, &header)) {
		file->machine = header.e_machine;
		return 0;
	}
	elf_file_close(file);
	return -ENOEXEC;
}

void elf_file_close(struct elf_file *file)
{
	elf_end(file->elf);
	close(file->fd);
}

bool elf_file_offset(const struct elf_file *file, uint64_t address, uint64_t *offset)
{
	size_t count, i;
	GElf_Phdr ph;

	if (elf_getphdrnum(file->elf, &count))
		return false;
	for (i = 0; i < count; i++) {
		if (!gelf_getphdr(file->elf, i, &ph) || ph.p_type != PT_LOAD ||
		    address < ph.p_vaddr || address - ph.p_vaddr >= ph.p_filesz)
			continue;
		*offset = address - ph.p_vaddr + ph.p_offset;
		return true;
	}
	return false;
}

static void read_table(const struct elf_file *file, Elf_Scn *scn, const GElf_Shdr *sh,
		       void (*found)(const char *name, const GElf_Sym *symbol, void *arg),
		       void *arg)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t count = data && sh->sh_entsize ? data->d_size / sh->sh_entsize : 0, i;
	char plain[512];
	const char *name;
	GElf_Sym symbol;

	for (i = 0; i < count; i++) {
		if (!gelf_getsym(data, i, &symbol) || symbol.st_shndx == SHN_UNDEF)
			continue;
		name = elf_strptr(file->elf, sh->sh_link, symbol.st_name);
		if (!name || !*name || *name == '@')
			continue;
		if (strchr(name, '@')) {
			snprintf(plain, sizeof(plain), "%.*s", (int)strcspn(name, "@"), name);
			name = plain;
		}
		found(name, &symbol, arg);
	}
}

void elf_file_symbols(const struct elf_file *file,
		      void (*found)(const char *name, const GElf_Sym *symbol, void *arg), void *arg)
{
	static const unsigned int types[] = { SHT_SYMTAB, SHT_DYNSYM };
	Elf_Scn *scn;
	GElf_Shdr sh;
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(*types); i++) {
		for (scn = NULL; (scn = elf_nextscn(file->elf, scn));) {
			if (gelf_getshdr(scn, &sh) && sh.sh_type == types[i])
				read_table(file, scn, &sh, found, arg);
		}
	}
}

Elf_Scn *elf_file_section(const struct elf_file *file, const char *name, GElf_Shdr *header)
{
	Elf_Scn *scn = NULL;
	const char *found;
	size_t names;

	if (elf_getshdrstrndx(file->elf, &names))
		return NULL;
	while ((scn = elf_nextscn(file->elf, scn))) {
		if (!gelf_getshdr(scn, header))
			continue;
		found = elf_strptr(file->elf, names, header->sh_name);
		if (found && !strcmp(found, name))
			return scn;
	}
	return NULL;
}
