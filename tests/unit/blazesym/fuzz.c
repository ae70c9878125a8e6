// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: nothing that a file can say may crash the shim, hang it or make it read what is
 * not there. The first byte says what the rest is: an ELF file (E), kallsyms (K), a perf map
 * (P), /proc/PID/maps (M), a mangled name (D). test_damage.c runs it without libFuzzer.
 */
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "blazesym.h"
#include "demangle.h"
#include "maps.h"
#include "perf_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ADDRS_MAX 96

struct addrs {
	uint64_t addrs[ADDRS_MAX];
	size_t cnt;
};

static void add_addr(struct addrs *addrs, uint64_t addr)
{
	if (addrs->cnt < ADDRS_MAX)
		addrs->addrs[addrs->cnt++] = addr;
}

/* Addresses and offsets worth asking for: what looks like one in a 64-bit file's headers. */
static void find_addrs(struct addrs *addrs, const uint8_t *data, size_t size)
{
	Elf64_Ehdr ehdr;
	Elf64_Shdr shdr;
	Elf64_Phdr phdr;
	Elf64_Sym sym;

	add_addr(addrs, 0);
	add_addr(addrs, 0x1140);
	add_addr(addrs, UINT64_MAX);
	if (size < sizeof(ehdr))
		return;
	memcpy(&ehdr, data, sizeof(ehdr));
	add_addr(addrs, ehdr.e_entry);
	for (size_t i = 0; i < ehdr.e_phnum && i < 16; i++) {
		if (ehdr.e_phoff > size || size - ehdr.e_phoff < (i + 1) * sizeof(phdr))
			break;
		memcpy(&phdr, data + ehdr.e_phoff + i * sizeof(phdr), sizeof(phdr));
		add_addr(addrs, phdr.p_vaddr + 3);
		add_addr(addrs, phdr.p_vaddr + phdr.p_memsz - 1);
	}
	for (size_t i = 0; i < ehdr.e_shnum && i < 64; i++) {
		if (ehdr.e_shoff > size || size - ehdr.e_shoff < (i + 1) * sizeof(shdr))
			break;
		memcpy(&shdr, data + ehdr.e_shoff + i * sizeof(shdr), sizeof(shdr));
		if (shdr.sh_type != SHT_SYMTAB)
			continue;
		for (size_t at = 0; at < shdr.sh_size && at < 4096; at += sizeof(sym)) {
			if (shdr.sh_offset > size || at > size - shdr.sh_offset ||
			    size - shdr.sh_offset - at < sizeof(sym))
				break;
			memcpy(&sym, data + shdr.sh_offset + at, sizeof(sym));
			if (sym.st_value)
				add_addr(addrs, sym.st_value + (sym.st_size ? sym.st_size / 2 : 0));
		}
	}
}

static int temp_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	return fd;
}

/* Read all that a result has, so that a bad pointer shows. */
static void check(const struct blaze_syms *syms)
{
	size_t sum = 0;

	for (size_t i = 0; syms && i < syms->cnt; i++) {
		const struct blaze_sym *sym = &syms->syms[i];

		if (!sym->name != (sym->reason != BLAZE_SYMBOLIZE_REASON_SUCCESS))
			abort();
		sum += sym->name ? strlen(sym->name) : 0;
		sum += sym->module ? strlen(sym->module) : 0;
		sum += sym->code_info.dir ? strlen(sym->code_info.dir) : 0;
		sum += sym->code_info.file ? strlen(sym->code_info.file) : 0;
		for (size_t j = 0; j < sym->inlined_cnt; j++)
			sum += strlen(sym->inlined[j].name);
	}
	__asm__ volatile("" ::"r"(sum));
	blaze_syms_free(syms);
}

static blaze_symbolizer *new_symbolizer(void)
{
	static const char *const dir = "/nonexistent";
	struct blaze_symbolizer_opts opts = {
		.type_size = sizeof(opts),
		.debug_dirs = &dir,
		.debug_dirs_len = 1,
		.code_info = true,
		.inlined_fns = true,
		.demangle = true,
	};

	return blaze_symbolizer_new_opts(&opts);
}

static void fuzz_elf(const uint8_t *data, size_t size)
{
	struct blaze_symbolize_src_elf src = { .type_size = sizeof(src), .debug_syms = true };
	blaze_symbolizer *symbolizer = new_symbolizer();
	struct addrs addrs = { .cnt = 0 };
	int fd = temp_file(data, size);
	char path[64];
	size_t len;

	find_addrs(&addrs, data, size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	src.path = path;
	check(blaze_symbolize_elf_virt_offsets(symbolizer, &src, addrs.addrs, addrs.cnt));
	check(blaze_symbolize_elf_file_offsets(symbolizer, &src, addrs.addrs, addrs.cnt));
	blaze_symbolizer_free(symbolizer);
	free(blaze_read_elf_build_id(path, &len));
	close(fd);
}

static void fuzz_kallsyms(const uint8_t *data, size_t size)
{
	struct blaze_symbolize_src_kernel src = { .type_size = sizeof(src), .vmlinux = "" };
	static const uint64_t addrs[] = { 0, 1, 0xffffffff81000110, 0xffffffffc003e9d0,
					  UINT64_MAX };
	blaze_symbolizer *symbolizer = new_symbolizer();
	int fd = temp_file(data, size);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	src.kallsyms = path;
	check(blaze_symbolize_kernel_abs_addrs(symbolizer, &src, addrs,
					       sizeof(addrs) / sizeof(addrs[0])));
	blaze_symbolizer_free(symbolizer);
	close(fd);
}

static void fuzz_perf_map(const uint8_t *data, size_t size)
{
	int fd = temp_file(data, size);
	struct perf_map map = { 0 };

	if (!perf_map_load(&map, fd)) {
		for (size_t i = 0; i < map.fn_cnt; i++) {
			const struct perf_map_fn *fn = perf_map_find(&map, map.fns[i].addr);

			if (!fn || !strlen(map.text + fn->name))
				abort();
		}
	}
	perf_map_free(&map);
	close(fd);
}

static void fuzz_maps(const uint8_t *data, size_t size)
{
	struct maps maps = { .text = malloc(size + 1), .text_len = size };

	if (!maps.text)
		abort();
	memcpy(maps.text, data, size);
	maps.text[size] = '\0';
	if (!maps_parse(&maps)) {
		for (size_t i = 0; i < maps.cnt; i++) {
			if (maps_find(&maps, maps.maps[i].start) != &maps.maps[i] ||
			    strlen(maps.maps[i].path) > size)
				abort();
		}
	}
	maps_free(&maps);
}

static void fuzz_demangle(const uint8_t *data, size_t size)
{
	char *name = malloc(size + 1);

	if (!name)
		abort();
	memcpy(name, data, size);
	name[size] = '\0';
	free(demangle(name));
	free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	switch (data[0]) {
	case 'E':
		fuzz_elf(data + 1, size - 1);
		break;
	case 'K':
		fuzz_kallsyms(data + 1, size - 1);
		break;
	case 'P':
		fuzz_perf_map(data + 1, size - 1);
		break;
	case 'M':
		fuzz_maps(data + 1, size - 1);
		break;
	case 'D':
		fuzz_demangle(data + 1, size - 1);
		break;
	}
	return 0;
}
