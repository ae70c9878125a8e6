// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast and large symbolization is: N distinct addresses inside functions of an ELF file,
 * twice through one symbolizer.
 *
 *   symbolize_bench [-n N] [-s SEED] [-l] [-i] [-d] [-w FILE] ELF
 *     -l  with source lines    -i  with inlined functions too    -d  demangled
 *     -w  write the addresses to FILE, one a line, for another tool to do the same
 *
 * Prints for each pass its CPU time, how many addresses had a name, and by how much the memory
 * the process has grown since before the first pass: anonymous memory and pages of mapped
 * files apart, with the result of the pass and after that was freed.
 */
#include <gelf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "blazesym.h"

struct function {
	uint64_t addr;
	uint64_t size;
};

struct functions {
	struct function *fns;
	size_t cnt;
	size_t symtab_bytes; /* symbols and their strings */
};

static void die(const char *what)
{
	fprintf(stderr, "symbolize_bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Functions with a size, of the larger of the two symbol tables. */
static void read_functions(const char *path, struct functions *out)
{
	Elf_Scn *scn = NULL, *best = NULL;
	GElf_Shdr shdr, best_shdr = { 0 }, str_shdr;
	Elf_Data *data;
	size_t cnt;
	Elf *elf;
	int fd;

	elf_version(EV_CURRENT);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		die(path);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	while (elf && (scn = elf_nextscn(elf, scn))) {
		if (!gelf_getshdr(scn, &shdr) ||
		    (shdr.sh_type != SHT_SYMTAB && shdr.sh_type != SHT_DYNSYM))
			continue;
		if (!best || shdr.sh_size > best_shdr.sh_size) {
			best = scn;
			best_shdr = shdr;
		}
	}
	data = best ? elf_getdata(best, NULL) : NULL;
	if (!data) {
		errno = ENOEXEC;
		die(path);
	}
	cnt = best_shdr.sh_size / best_shdr.sh_entsize;
	out->symtab_bytes = best_shdr.sh_size;
	if (gelf_getshdr(elf_getscn(elf, best_shdr.sh_link), &str_shdr))
		out->symtab_bytes += str_shdr.sh_size;
	out->fns = calloc(cnt, sizeof(*out->fns));
	if (!out->fns)
		die("functions");
	for (size_t i = 0; i < cnt; i++) {
		GElf_Sym sym;

		if (!gelf_getsym(data, (int)i, &sym) || sym.st_shndx == SHN_UNDEF ||
		    GELF_ST_TYPE(sym.st_info) != STT_FUNC || !sym.st_size)
			continue;
		out->fns[out->cnt++] = (struct function){ sym.st_value, sym.st_size };
	}
	elf_end(elf);
	close(fd);
}

static uint64_t next_random(uint64_t *state)
{
	/* xorshift64*: any spread will do, but the same on each run. */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* @want distinct addresses in random order, or as many as can be had. */
static uint64_t *pick_addrs(const struct functions *fns, size_t want, uint64_t seed, size_t *cnt)
{
	uint64_t *addrs = calloc(want * 2, sizeof(*addrs));
	size_t have = 0;

	if (!addrs || !fns->cnt)
		die("addresses");
	for (int round = 0; round < 64 && have < want; round++) {
		size_t kept = 0;

		while (have < want * 2) {
			const struct function *fn = &fns->fns[next_random(&seed) % fns->cnt];

			addrs[have++] = fn->addr + next_random(&seed) % fn->size;
		}
		qsort(addrs, have, sizeof(*addrs), compare_u64);
		for (size_t i = 0; i < have; i++) {
			if (!kept || addrs[kept - 1] != addrs[i])
				addrs[kept++] = addrs[i];
		}
		have = kept;
	}
	for (size_t i = have; i > 1; i--) {
		size_t j = next_random(&seed) % i;
		uint64_t swap = addrs[i - 1];

		addrs[i - 1] = addrs[j];
		addrs[j] = swap;
	}
	*cnt = have < want ? have : want;
	return addrs;
}

struct memory {
	long anon; /* kB */
	long file;
	long peak;
};

static struct memory read_memory(void)
{
	struct memory mem = { 0 };
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		sscanf(line, "RssAnon: %ld", &mem.anon);
		sscanf(line, "RssFile: %ld", &mem.file);
		sscanf(line, "VmHWM: %ld", &mem.peak);
	}
	if (file)
		fclose(file);
	return mem;
}

/* CPU time that was used, in ms. */
static double used_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void pass(blaze_symbolizer *symbolizer, const struct blaze_symbolize_src_elf *src,
		 const uint64_t *addrs, size_t cnt, const struct memory *before, const char *name)
{
	const struct blaze_syms *syms;
	size_t named = 0, inlined = 0;
	struct memory with, after;
	double start = used_ms(), ms;

	syms = blaze_symbolize_elf_virt_offsets(symbolizer, src, addrs, cnt);
	ms = used_ms() - start;
	if (!syms) {
		fprintf(stderr, "symbolize_bench: %s: %s\n", src->path,
			blaze_err_str(blaze_err_last()));
		exit(1);
	}
	for (size_t i = 0; i < syms->cnt; i++) {
		named += syms->syms[i].name != NULL;
		inlined += syms->syms[i].inlined_cnt;
	}
	with = read_memory();
	blaze_syms_free(syms);
	/* What malloc() keeps for later is not what the symbols take. */
	malloc_trim(0);
	after = read_memory();
	printf("%s: %.1f ms, %.0f ns/address, %zu of %zu named, %zu inlined; grown by"
	       " %ld kB anonymous + %ld kB of files, without the result %ld kB + %ld kB\n",
	       name, ms, ms * 1e6 / (double)cnt, named, cnt, inlined, with.anon - before->anon,
	       with.file - before->file, after.anon - before->anon, after.file - before->file);
}

int main(int argc, char **argv)
{
	struct blaze_symbolizer_opts opts = { .type_size = sizeof(opts) };
	struct blaze_symbolize_src_elf src = { .type_size = sizeof(src) };
	struct functions fns = { 0 };
	blaze_symbolizer *symbolizer;
	const char *write_to = NULL;
	size_t want = 100000, cnt;
	struct memory before;
	uint64_t seed = 1, *addrs;
	int opt;

	while ((opt = getopt(argc, argv, "n:s:w:lid")) != -1) {
		switch (opt) {
		case 'n':
			want = strtoull(optarg, NULL, 0);
			break;
		case 's':
			seed = strtoull(optarg, NULL, 0) | 1;
			break;
		case 'w':
			write_to = optarg;
			break;
		case 'i':
			opts.inlined_fns = true;
			/* fall through */
		case 'l':
			opts.code_info = true;
			src.debug_syms = true;
			break;
		case 'd':
			opts.demangle = true;
			break;
		default:
			return 2;
		}
	}
	if (optind + 1 != argc || !want) {
		fprintf(stderr,
			"usage: symbolize_bench [-n N] [-s SEED] [-l] [-i] [-d] [-w FILE] ELF\n");
		return 2;
	}
	src.path = argv[optind];
	read_functions(src.path, &fns);
	addrs = pick_addrs(&fns, want, seed, &cnt);
	if (write_to) {
		FILE *file = fopen(write_to, "w");

		if (!file)
			die(write_to);
		for (size_t i = 0; i < cnt; i++)
			fprintf(file, "%#" PRIx64 "\n", addrs[i]);
		fclose(file);
	}
	printf("%s: %zu functions, symbol and string table %zu kB\n", src.path, fns.cnt,
	       fns.symtab_bytes / 1024);
	free(fns.fns);
	symbolizer = blaze_symbolizer_new_opts(&opts);
	if (!symbolizer)
		die("symbolizer");
	before = read_memory();
	pass(symbolizer, &src, addrs, cnt, &before, "first pass");
	pass(symbolizer, &src, addrs, cnt, &before, "second pass");
	printf("peak: %ld kB above the start\n", read_memory().peak - before.anon - before.file);
	blaze_symbolizer_free(symbolizer);
	free(addrs);
	return 0;
}
