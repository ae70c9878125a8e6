/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs and libraries: where in their files things are that addresses and symbols name. */
#ifndef COMMON_ELF_FILE_H
#define COMMON_ELF_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <gelf.h>
#include <libelf.h>

struct elf_file {
	int fd;
	Elf *elf;
	unsigned int machine; /* EM_* */
};

/*
 * Opens the file at @path; to be closed. Returns 0 or a negative errno; -ENOEXEC: it is no ELF
 * file.
 */
int elf_file_open(struct elf_file *file, const char *path);
void elf_file_close(struct elf_file *file);

/* Where in the file address @address is, as the file itself counts; false: nowhere. */
bool elf_file_offset(const struct elf_file *file, uint64_t address, uint64_t *offset);

/*
 * Calls @found for each symbol that the file defines, of .symtab and then of .dynsym: many are in
 * both. @name has no version ("@@GLIBC_2.14"), and is valid only meanwhile.
 */
void elf_file_symbols(const struct elf_file *file,
		      void (*found)(const char *name, const GElf_Sym *symbol, void *arg),
		      void *arg);

/* The section @name; NULL: there is none. Fills @header. */
Elf_Scn *elf_file_section(const struct elf_file *file, const char *name, GElf_Shdr *header);

#endif
