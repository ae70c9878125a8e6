/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the shim share; no user of the library includes this.
 *
 *   input.c      the type_size convention of structures that callers pass
 *   error.c      the last error, texts
 *   result.c     building what a symbolization call returns
 *   symbolizer.c the public calls, options
 *   process.c    an address of a process -> file and address in it
 *   files.c      ELF files that are open, and finding them for a mapping or path
 *   elf.c        one ELF file: segments, symbol tables, lookup
 *   plt.c        names for its PLT entries
 *   minidebug.c  the compressed symbol table in .gnu_debugdata
 *   debugfile.c  finding its separate debug file
 *   dwarf.c      source lines and inlined functions
 *   spans.c      overlapping ranges -> a table for binary search
 *   kernel.c     kernel addresses: kallsyms, and a vmlinux if given
 *   kallsyms.c   the parsed kallsyms
 *   perf_map.c   the parsed /tmp/perf-PID.map
 *   maps.c       the parsed /proc/PID/maps
 *   vdso.c       the vDSO's symbols
 *   normalize.c  the normalizer
 *   demangle.c   C++ and Rust names
 *
 * Functions return 0 or a negative errno if nothing else is said; -EBADMSG says that data
 * is damaged. A symbol that is not there is not an error but a blaze_symbolize_reason.
 */
#ifndef BLAZESYM_SHIM_H
#define BLAZESYM_SHIM_H

#include <libelf.h>
#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include "blazesym.h"
#include "demangle.h"
#include "maps.h"
#include "perf_map.h"
#include "spans.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* input.c */

bool input_copy(void *dst, size_t dst_size, size_t reserved_off, const void *src);

/* Copy versioned input @src into @dst, a structure with a member "reserved". */
#define INPUT_COPY(dst, src) \
	input_copy((dst), sizeof(*(dst)), offsetof(__typeof__(*(dst)), reserved), (src))

/* error.c */

void set_last_error(blaze_err err);
/* The blaze_err for a negative errno (or 0) becomes the last error. */
void set_last_errno(int err);

/* result.c */

struct result;

/* @cnt entries, all of them without name, with reason SUCCESS until set. NULL: no memory. */
struct result *result_new(size_t cnt);
void result_free(struct result *res);
/* Make it what the caller gets; @res is no more. NULL (out of memory on the way): freed. */
const struct blaze_syms *result_finish(struct result *res);
struct blaze_sym *result_sym(struct result *res, size_t idx);
/* Note at @idx why there is no symbol. */
void result_reason(struct result *res, size_t idx, blaze_symbolize_reason reason);
/*
 * Copies that live as long as the result. Return NULL for NULL, and if memory is short,
 * which result_finish() then reports.
 */
const char *result_string(struct result *res, const char *str);
const char *result_bytes(struct result *res, const char *str, size_t len);
/* result_string() for strings that come many times in a row. */
const char *result_module(struct result *res, const char *module);
struct blaze_symbolize_inlined_fn *result_inlined(struct result *res, size_t cnt);
/*
 * A small cache of names already in the result: @slot is where the name for (@owner, @ref)
 * is or belongs. Demangling is far dearer than lookup, and stacks repeat frames.
 */
struct name_slot {
	const void *owner;
	uint32_t ref;
	const char *name;
};
struct name_slot *result_name_slot(struct result *res, const void *owner, uint32_t ref);
/* Owners are going away and others may come to their addresses. */
void result_forget_names(struct result *res);
/* Fill @info with copies of a path (split into dir and file), line and column. */
void result_code_info(struct result *res, struct blaze_symbolize_code_info *info,
		      const char *comp_dir, const char *path, uint32_t line, uint16_t column);

/* elf.c */

struct dwarf;

/* A symbol table and the string table that belongs to it, where the ELF image has them. */
struct symtab {
	Elf *elf;
	Elf_Data *syms;
	const char *strs;
	size_t strs_len; /* up to and with the last NUL byte */
	size_t cnt;	 /* of symbols */
};

struct segment {
	uint64_t vaddr;
	uint64_t offset;
	uint64_t filesz;
	uint64_t memsz;
	bool exec;
};

/* Symbol tables of an index: of the file two, of its debug file and its MiniDebugInfo one each. */
#define ELF_MAX_SYMTABS 4

struct elf_file {
	Elf *elf;
	void *image;	      /* what elf was made of, if that is heap memory */
	int type;	      /* ET_* */
	int machine;	      /* EM_* */
	struct segment *segs; /* PT_LOAD */
	size_t seg_cnt;

	struct elf_file *debug; /* separate debug file, owned */
	struct elf_file *mini;	/* .gnu_debugdata, owned */
	bool debug_tried;
	bool mini_tried;

	struct symtab tabs[ELF_MAX_SYMTABS];
	size_t tab_cnt;
	struct span *spans; /* of symbols: what is at an address */
	size_t span_cnt;
	bool indexed;
	bool indexed_debug; /* with the debug file's symbols */

	struct dwarf *dwarf; /* NULL also if there is none */
	bool dwarf_tried;

	/* For files.c: who it is, how to find its debug file, when it was of use last. */
	struct elf_file *next;
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
	unsigned int map_major; /* as /proc/PID/maps has it, map_ino 0 if never seen there */
	unsigned int map_minor;
	uint64_t map_ino;
	char *path; /* NULL if unknown; root comes before it */
	char *root; /* "" or /proc/PID/root */
	uint64_t used;
};

struct elf_sym {
	const char *name;
	bool plt; /* the name is to be followed by @plt */
	uint64_t addr;
	ptrdiff_t size; /* 0 if not known */
	uint32_t ref;	/* names the symbol within the file */
};

/* @fd stays the caller's and may be closed after. -EBADMSG: no (sane) ELF file. */
int elf_file_open(int fd, struct elf_file **out);
/* The same for an image in memory; takes @image over, which is to be free()d, on success. */
int elf_file_from_memory(void *image, size_t size, struct elf_file **out);
void elf_file_free(struct elf_file *file);
/* Where file offset @off is loaded; false if it is not. */
bool elf_file_vaddr(const struct elf_file *file, uint64_t off, uint64_t *vaddr);
/* Index the symbols; @debug_dirs non-NULL: also those of a separate debug file. */
struct debug_dirs;
int elf_file_index(struct elf_file *file, const struct debug_dirs *debug_dirs);
/* The symbol at @addr in an indexed file. */
blaze_symbolize_reason elf_file_find(const struct elf_file *file, uint64_t addr,
				     struct elf_sym *sym);
/* Address of the symbol named @name; false if there is none. Looks at all symbols. */
bool elf_file_symbol_addr(const struct elf_file *file, const char *name, uint64_t *addr);
bool elf_file_has_section(const struct elf_file *file, const char *name);
Elf_Scn *elf_file_section(const struct elf_file *file, const char *name, GElf_Shdr *shdr);

/* plt.c */

/* Append PLT entries to *@spans: ref is the index of a symbol in the dynamic symbol table. */
int plt_spans(const struct elf_file *file, struct span **spans, size_t *cnt, size_t *cap,
	      uint32_t ref_base, size_t sym_cnt);

/* minidebug.c */

/* NULL if there is none, or it is damaged. */
struct elf_file *minidebug_open(const struct elf_file *file);

/* debugfile.c */

struct debug_dirs {
	char **dirs;
	size_t cnt;
};

/* NULL @dirs: the default ones. */
int debug_dirs_init(struct debug_dirs *to, const char *const *dirs, size_t cnt);
void debug_dirs_free(struct debug_dirs *dirs);
/* The separate debug file of @file, NULL if there is none. */
struct elf_file *debug_file_open(const struct elf_file *file, const struct debug_dirs *dirs);

/* dwarf.c */

/* Debug information in @elf, which has to live longer. NULL if there is none. */
struct dwarf *dwarf_open(Elf *elf);
void dwarf_free(struct dwarf *dw);
/* Put source line and, if @inlined, inlined functions of address @addr into @sym. */
void dwarf_fill(struct dwarf *dw, uint64_t addr, bool inlined, bool demangle, struct result *res,
		struct blaze_sym *sym);

/* files.c */

/* How many ELF files, and of these with debug information open, are kept between calls. */
#define FILES_MAX	1024
#define FILES_MAX_DWARF 32
#define FILES_BUCKETS	256

struct files {
	struct elf_file *buckets[FILES_BUCKETS]; /* by inode number */
	struct elf_file *removed;		 /* to be freed by files_trim() */
	size_t cnt;
	size_t dwarf_cnt;
	uint64_t tick;
	bool auto_reload;
};

void files_init(struct files *files, bool auto_reload);
void files_free(struct files *files);
/* Between two calls: drop what was not of use for longest, down to the limits. */
void files_trim(struct files *files);
/* The file at @path. It stays the cache's, and valid until files_trim(). */
int files_get_path(struct files *files, const char *path, struct elf_file **out);
/* The file behind a mapping of process @pid (0: ourselves), as files_get_path(). */
int files_get_mapping(struct files *files, pid_t pid, const struct mapping *map, const char *path,
		      bool map_files, struct elf_file **out);
/* The debug information for @file, opened at the first call. NULL if there is none. */
struct dwarf *files_dwarf(struct files *files, struct elf_file *file,
			  const struct debug_dirs *dirs);

/* vdso.c */

/* The vDSO images seen so far; usually there is one. */
struct vdso {
	struct vdso *next;
	void *bytes;
	size_t size;
	struct elf_file *file;
};

/* The vDSO that process @pid (0: ourselves) has at @start; NULL if it cannot be had. */
struct elf_file *vdso_get(struct vdso **list, pid_t pid, uint64_t start, uint64_t end);
void vdso_free(struct vdso *list);

/* kallsyms.c */

struct ksym {
	uint64_t addr;
	uint32_t name;	 /* offset in names */
	uint16_t module; /* index in modules */
	char type;	 /* as nm prints it */
};

struct kallsyms {
	struct ksym *syms; /* ascending, one an address */
	size_t cnt;
	char *names;
	size_t names_len;
	char **modules; /* [0] is NULL: the kernel itself */
	size_t module_cnt;
};

int kallsyms_load(const char *path, struct kallsyms **out);
void kallsyms_free(struct kallsyms *ks);
/* The symbol at @addr; NULL if there is none, then *@reason says why. */
const struct ksym *kallsyms_find(const struct kallsyms *ks, uint64_t addr,
				 blaze_symbolize_reason *reason);
/* The address of text symbol @name of the kernel itself; false if it has none. */
bool kallsyms_symbol_addr(const struct kallsyms *ks, const char *name, uint64_t *addr);

/* symbolizer.c */

struct kallsyms_file {
	struct kallsyms_file *next;
	struct kallsyms *ks;
	struct timespec loaded; /* CLOCK_MONOTONIC */
	char path[];
};

struct perf_map_file {
	struct perf_map_file *next;
	pid_t pid;
	struct perf_map map;
};

/* Mappings remembered for a pid. */
struct vmas {
	struct vmas *next;
	pid_t pid;
	struct maps maps;
};

struct blaze_symbolizer {
	bool code_info;
	bool inlined_fns;
	bool demangle;
	struct debug_dirs debug_dirs;
	struct files files;
	struct vdso *vdso;
	struct kallsyms_file *kallsyms;
	struct perf_map_file *perf_maps;
	struct vmas *vmas;
};

/* Put the symbol at @addr of @file into entry @idx of @res. */
void symbolize_elf_addr(struct blaze_symbolizer *symbolizer, struct elf_file *file, uint64_t addr,
			bool debug_syms, const char *module, struct result *res, size_t idx);
/* Its name as the caller wants it, in @res. */
const char *symbolize_name(struct blaze_symbolizer *symbolizer, const char *name,
			   const char *suffix, const void *owner, uint32_t ref, struct result *res);

/* process.c, kernel.c */

int process_symbolize(struct blaze_symbolizer *symbolizer,
		      const struct blaze_symbolize_src_process *src, const uint64_t *addrs,
		      size_t cnt, struct result *res);
int kernel_symbolize(struct blaze_symbolizer *symbolizer,
		     const struct blaze_symbolize_src_kernel *src, const uint64_t *addrs,
		     size_t cnt, struct result *res);

#endif /* BLAZESYM_SHIM_H */
