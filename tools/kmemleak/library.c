// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <linux/types.h>
#include "abi.h"
#include "elf_file.h"
#include "kmemleak.h"
#include "library.h"

/* C++ names: operators new and delete, for arrays, with an alignment, a size, without exceptions. */
static const struct {
	const char *name;
	enum function_kind kind;
} functions[] = {
	{ "malloc", CALL_MALLOC },
	{ "calloc", CALL_CALLOC },
	{ "realloc", CALL_REALLOC },
	{ "reallocarray", CALL_REALLOCARRAY },
	{ "memalign", CALL_MEMALIGN },
	{ "aligned_alloc", CALL_MEMALIGN },
	{ "posix_memalign", CALL_POSIX_MEMALIGN },
	{ "valloc", CALL_MALLOC },
	{ "pvalloc", CALL_MALLOC },
	{ "free", CALL_FREE },
	{ "cfree", CALL_FREE },
	{ "mmap", CALL_MMAP },
	{ "mmap64", CALL_MMAP },
	{ "mremap", CALL_MREMAP },
	{ "munmap", CALL_MUNMAP },
	{ "mallocx", CALL_MALLOC },
	{ "rallocx", CALL_REALLOC },
	{ "dallocx", CALL_FREE },
	{ "sdallocx", CALL_FREE },
	{ "_Znwm", CALL_NEW },
	{ "_Znam", CALL_NEW },
	{ "_ZnwmRKSt9nothrow_t", CALL_MALLOC },
	{ "_ZnamRKSt9nothrow_t", CALL_MALLOC },
	{ "_ZnwmSt11align_val_t", CALL_NEW },
	{ "_ZnamSt11align_val_t", CALL_NEW },
	{ "_ZnwmSt11align_val_tRKSt9nothrow_t", CALL_MALLOC },
	{ "_ZnamSt11align_val_tRKSt9nothrow_t", CALL_MALLOC },
	{ "_ZdlPv", CALL_FREE },
	{ "_ZdaPv", CALL_FREE },
	{ "_ZdlPvm", CALL_FREE },
	{ "_ZdaPvm", CALL_FREE },
	{ "_ZdlPvRKSt9nothrow_t", CALL_FREE },
	{ "_ZdaPvRKSt9nothrow_t", CALL_FREE },
	{ "_ZdlPvSt11align_val_t", CALL_FREE },
	{ "_ZdaPvSt11align_val_t", CALL_FREE },
	{ "_ZdlPvmSt11align_val_t", CALL_FREE },
	{ "_ZdaPvmSt11align_val_t", CALL_FREE },
	{ "_ZdlPvSt11align_val_tRKSt9nothrow_t", CALL_FREE },
	{ "_ZdaPvSt11align_val_tRKSt9nothrow_t", CALL_FREE },
};

#define FUNCTIONS (sizeof(functions) / sizeof(*functions))

/* How long the instruction at @code is if it changes no register that counts here; else 0. */
static unsigned int harmless(const unsigned char *code)
{
	static const unsigned char endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	static const unsigned char test_rdi[] = { 0x48, 0x85, 0xff };

	if (!memcmp(code, endbr64, sizeof(endbr64)))
		return sizeof(endbr64);
	return memcmp(code, test_rdi, sizeof(test_rdi)) ? 0 : sizeof(test_rdi);
}

/* Does the kernel do what the instruction at @code does by itself (arch/x86/kernel/uprobes.c)? */
static bool is_emulated(const unsigned char *code)
{
	bool push = (code[0] & 0xf8) == 0x50 || (code[0] == 0x41 && (code[1] & 0xf8) == 0x50);
	bool jump_if = (code[0] & 0xf0) == 0x70 || (code[0] == 0x0f && (code[1] & 0xf0) == 0x80);

	return push || jump_if || code[0] == 0x90;
}

/*
 * Where a function is probed best that begins at @offset in the file @fd: an instruction that has to
 * be executed elsewhere costs a second exception. What is passed by leaves arguments and stack alone.
 */
static uint64_t best_place(int fd, uint64_t offset)
{
#if defined(__x86_64__)
	unsigned char code[32] = {};
	unsigned int at = 0, length;

	if (pread(fd, code, sizeof(code), offset) <= 0)
		return offset;
	while (at < sizeof(code) - 8 && !is_emulated(code + at)) {
		length = harmless(code + at);
		if (!length)
			return offset;
		at += length;
	}
	return offset + at;
#else
	(void)fd;
	return offset;
#endif
}

static void add_place(struct library *lib, enum function_kind kind, uint64_t offset)
{
	unsigned int i;

	for (i = 0; i < lib->count; i++) {
		if (lib->places[i].offset == offset)
			return;
	}
	if (lib->count < MOST_PLACES)
		lib->places[lib->count++] = (struct place){ kind, offset };
}

/* What read_symbol() needs to know. */
struct reading {
	const struct elf_file *file;
	struct library *lib;
};

static void read_symbol(const char *name, const GElf_Sym *symbol, void *arg)
{
	const struct reading *r = arg;
	uint64_t offset;
	unsigned int i;

	if (GELF_ST_TYPE(symbol->st_info) != STT_FUNC)
		return;
	r->lib->has_malloc |= !strcmp(name, "malloc");
	r->lib->throws |= !strcmp(name, "__cxa_throw");
	for (i = 0; i < FUNCTIONS; i++) {
		if (!strcmp(name, functions[i].name) &&
		    elf_file_offset(r->file, symbol->st_value, &offset))
			add_place(r->lib, functions[i].kind, best_place(r->file->fd, offset));
	}
}

static bool has(const struct library *lib, enum function_kind kind)
{
	unsigned int i;

	for (i = 0; i < lib->count; i++) {
		if (lib->places[i].kind == kind)
			return true;
	}
	return false;
}

/*
 * An allocator's own operator new gives memory by itself. The C++ library's has malloc() do that,
 * and may throw; what is thrown cannot pass a probe at a function's end.
 */
static void settle_new(struct library *lib)
{
	unsigned int i;

	for (i = 0; i < lib->count && lib->has_malloc && !lib->throws; i++) {
		if (lib->places[i].kind == CALL_NEW)
			lib->places[i].kind = CALL_MALLOC;
	}
}

int library_read(const char *path, struct library *lib)
{
	int class = sizeof(long) == 8 ? ELFCLASS64 : ELFCLASS32, err;
	struct elf_file file;
	struct reading r = { .file = &file, .lib = lib };

	memset(lib, 0, sizeof(*lib));
	err = elf_file_open(&file, path);
	if (err)
		return err;
	if (gelf_getclass(file.elf) == class)
		elf_file_symbols(&file, read_symbol, &r);
	elf_file_close(&file);
	lib->allocates = (lib->has_malloc && has(lib, CALL_FREE)) || has(lib, CALL_NEW);
	settle_new(lib);
	return 0;
}

int library_interpreter(const char *path, char *interpreter, size_t size)
{
	struct elf_file file;
	size_t count = 0, i;
	GElf_Phdr ph;
	ssize_t got;
	int err = elf_file_open(&file, path);

	if (err)
		return err;
	err = -ENOENT;
	if (elf_getphdrnum(file.elf, &count))
		count = 0;
	for (i = 0; i < count && err; i++) {
		if (!gelf_getphdr(file.elf, i, &ph) || ph.p_type != PT_INTERP ||
		    ph.p_filesz >= size)
			continue;
		got = pread(file.fd, interpreter, ph.p_filesz, ph.p_offset);
		interpreter[got > 0 ? got : 0] = 0;
		err = got > 0 ? 0 : -EIO;
	}
	elf_file_close(&file);
	return err;
}
