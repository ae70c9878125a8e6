/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * blazesym.h - the part of blazesym's C API (0.1.7) that this tree implements.
 *
 * Names, member order, sizes, constants and meaning are those of blazesym-c 0.1.7, so a
 * program built against this header can be linked with either library and a program
 * written for the other one compiles unchanged as long as it stays within this part.
 * Not here: the inspector, Gsym sources, APK contents, tracing and the PROCMAP_QUERY probe.
 * A call that is not here is not declared either, so its use fails to compile.
 *
 * Conventions that hold for all of it:
 *
 *  - Structures given to the library start with type_size, which the caller sets to
 *    sizeof(the structure) as compiled. A shorter one (an older caller) is extended with
 *    zeros; a longer one (a newer caller) is accepted if what we do not know, and what we
 *    know as reserved, is all zero. Otherwise: BLAZE_ERR_INVALID_INPUT.
 *  - A call that fails returns NULL. Every call that can fail sets the calling thread's
 *    last error, BLAZE_ERR_OK on success; read it with blaze_err_last().
 *  - Objects are not locked. Use one from one thread at a time; two objects never
 *    share state.
 *  - What a call returns belongs to the caller and stays valid until it is given to the
 *    matching *_free function, even if the symbolizer or normalizer is freed before.
 */
#ifndef __blazesym_h_
#define __blazesym_h_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A rough kind of error. Where an errno says the same, the value is -errno. */
typedef int16_t blaze_err;
#define BLAZE_ERR_OK		    0	 /* no error */
#define BLAZE_ERR_NOT_FOUND	    (-2) /* no such file, process or source */
#define BLAZE_ERR_PERMISSION_DENIED (-1) /* the caller may not read the source */
#define BLAZE_ERR_ALREADY_EXISTS    (-17)
#define BLAZE_ERR_WOULD_BLOCK	    (-11)
#define BLAZE_ERR_INVALID_DATA	    (-22) /* the source is damaged or not what it should be */
#define BLAZE_ERR_TIMED_OUT	    (-110)
#define BLAZE_ERR_UNSUPPORTED	    (-95) /* a valid source of a kind that is not handled */
#define BLAZE_ERR_OUT_OF_MEMORY	    (-12)
#define BLAZE_ERR_INVALID_INPUT	    (-256) /* an argument is wrong */
#define BLAZE_ERR_WRITE_ZERO	    (-257)
#define BLAZE_ERR_UNEXPECTED_EOF    (-258)
#define BLAZE_ERR_INVALID_DWARF	    (-259)
#define BLAZE_ERR_OTHER		    (-260) /* everything else */

/* Why an address has no name. A hint for people, not something to decide on. */
typedef uint8_t blaze_symbolize_reason;
#define BLAZE_SYMBOLIZE_REASON_SUCCESS		   0 /* it has one */
#define BLAZE_SYMBOLIZE_REASON_UNMAPPED		   1 /* nothing is mapped there */
#define BLAZE_SYMBOLIZE_REASON_INVALID_FILE_OFFSET 2 /* not in a loaded part of the file */
#define BLAZE_SYMBOLIZE_REASON_MISSING_COMPONENT   3 /* anonymous memory */
#define BLAZE_SYMBOLIZE_REASON_MISSING_SYMS	   4 /* the source has no symbols at all */
#define BLAZE_SYMBOLIZE_REASON_UNKNOWN_ADDR	   5 /* it has symbols, none for this address */
#define BLAZE_SYMBOLIZE_REASON_UNSUPPORTED	   6 /* a kind of mapping that is not handled */
#define BLAZE_SYMBOLIZE_REASON_IGNORED_ERROR	   7 /* the source could not be read */

/* Why an address could not be normalized; the numbers differ from the ones above. */
typedef uint8_t blaze_normalize_reason;
#define BLAZE_NORMALIZE_REASON_UNMAPPED		   0
#define BLAZE_NORMALIZE_REASON_MISSING_COMPONENT   1
#define BLAZE_NORMALIZE_REASON_UNSUPPORTED	   2
#define BLAZE_NORMALIZE_REASON_INVALID_FILE_OFFSET 3
#define BLAZE_NORMALIZE_REASON_MISSING_SYMS	   4
#define BLAZE_NORMALIZE_REASON_UNKNOWN_ADDR	   5
#define BLAZE_NORMALIZE_REASON_IGNORED_ERROR	   7

/* A place in source code. Without debug information all of it is zero. */
typedef struct blaze_symbolize_code_info {
	const char *dir;  /* directory of the file, may be NULL */
	const char *file; /* name of the file, may be NULL */
	uint32_t line;	  /* 1-based, 0: unknown */
	uint16_t column;  /* 1-based, 0: unknown */
	uint8_t reserved[10];
} blaze_symbolize_code_info;

/* A function that the compiler inlined at the address. */
typedef struct blaze_symbolize_inlined_fn {
	const char *name;
	struct blaze_symbolize_code_info code_info; /* where in this function the address is */
	uint8_t reserved[8];
} blaze_symbolize_inlined_fn;

/* One address, symbolized or not. */
typedef struct blaze_sym {
	/* The symbol's name, demangled if that was asked for; NULL: see reason. */
	const char *name;
	/* The file as the process or caller names it, a kernel module's name, or NULL. */
	const char *module;
	/*
	 * Where the symbol starts, as the file itself says (what nm prints); for the kernel
	 * and for perf maps, the absolute address.
	 */
	uint64_t addr;
	/* The symbolized address is this many bytes behind addr. */
	size_t offset;
	/* The symbol's size in bytes; 0 or -1 if its source does not say. */
	ptrdiff_t size;
	/*
	 * The source line of the address inside this function. If functions are inlined
	 * there (and were asked for), that is the line of the outermost inlined call.
	 */
	struct blaze_symbolize_code_info code_info;
	/* Functions inlined at the address, from the outermost call to the innermost. */
	size_t inlined_cnt;
	const struct blaze_symbolize_inlined_fn *inlined;
	blaze_symbolize_reason reason;
	uint8_t reserved[15];
} blaze_sym;

/* What symbolization returns: exactly one entry an address, in the caller's order. */
typedef struct blaze_syms {
	size_t cnt;
	struct blaze_sym syms[0];
} blaze_syms;

/* Caches files, symbols and debug information; make one and keep it. */
typedef struct blaze_symbolizer blaze_symbolizer;

typedef struct blaze_symbolizer_opts {
	size_t type_size;
	/*
	 * Where separate debug files are looked for, besides the directory of the file
	 * itself. NULL: /usr/lib/debug and /lib/debug.
	 */
	const char *const *debug_dirs;
	size_t debug_dirs_len;
	bool auto_reload; /* notice when a file at a known path has changed */
	bool code_info;	  /* source lines; works only where the source has debug_syms set */
	bool inlined_fns; /* inlined functions; works only together with code_info */
	bool demangle;	  /* C++ and Rust names in readable form */
	uint8_t reserved[20];
} blaze_symbolizer_opts;

typedef struct blaze_cache_src_elf {
	size_t type_size;
	const char *path;
	uint8_t reserved[16];
} blaze_cache_src_elf;

typedef struct blaze_cache_src_process {
	size_t type_size;
	uint32_t pid;	 /* 0: the calling process */
	bool cache_vmas; /* keep its mappings for requests to come, also after its end */
	uint8_t reserved[19];
} blaze_cache_src_process;

typedef struct blaze_symbolize_src_process {
	size_t type_size;
	uint32_t pid;	   /* 0: the calling process */
	bool debug_syms;   /* use debug information and separate debug files */
	bool perf_map;	   /* use /tmp/perf-PID.map for code that a JIT compiler made */
	bool no_map_files; /* open files by their path, not through /proc/PID/map_files */
	bool no_vdso;	   /* leave addresses in the vDSO alone */
	uint8_t reserved[16];
} blaze_symbolize_src_process;

typedef struct blaze_symbolize_src_kernel {
	size_t type_size;
	const char *kallsyms; /* a kallsyms file; NULL: the running kernel's; "": none */
	/*
	 * An ELF kernel image, which is then asked first; "": none. NULL lets the library
	 * look for one, and this implementation then uses none.
	 */
	const char *vmlinux;
	bool debug_syms; /* use the image's debug information */
	uint8_t reserved[23];
} blaze_symbolize_src_kernel;

typedef struct blaze_symbolize_src_elf {
	size_t type_size;
	const char *path;
	bool debug_syms; /* use debug information and separate debug files */
	uint8_t reserved[23];
} blaze_symbolize_src_elf;

/* Turns addresses of processes into offsets in files, to be symbolized later or elsewhere. */
typedef struct blaze_normalizer blaze_normalizer;

typedef struct blaze_normalizer_opts {
	size_t type_size;
	bool use_procmap_query; /* a hint how to read mappings; no effect on results */
	bool cache_vmas;	/* read a process's mappings once */
	bool build_ids;		/* report build IDs; one that cannot be read is left out */
	bool cache_build_ids;	/* read a file's build ID once */
	uint8_t reserved[20];
} blaze_normalizer_opts;

typedef struct blaze_normalize_opts {
	size_t type_size;
	bool sorted_addrs; /* a hint that addresses ascend; no effect on results */
	bool map_files;	   /* report /proc/PID/map_files/... instead of paths */
	bool apk_to_elf;   /* not handled: an APK is reported as an APK */
	uint8_t reserved[21];
} blaze_normalize_opts;

/* Which member of blaze_user_meta_variant holds. */
typedef uint8_t blaze_user_meta_kind;
#define BLAZE_USER_META_KIND_UNKNOWN 0
#define BLAZE_USER_META_KIND_APK     1
#define BLAZE_USER_META_KIND_ELF     2
#define BLAZE_USER_META_KIND_SYM     3
/* The same under their older names. */
#define BLAZE_USER_META_KIND_BLAZE_USER_META_UNKNOWN 0
#define BLAZE_USER_META_KIND_BLAZE_USER_META_APK     1
#define BLAZE_USER_META_KIND_BLAZE_USER_META_ELF     2

/* An address in an Android package: outputs are offsets in the package. */
typedef struct blaze_user_meta_apk {
	char *path;
	uint8_t reserved[16];
} blaze_user_meta_apk;

/* An address in a file: outputs are offsets in the file. */
typedef struct blaze_user_meta_elf {
	char *path;
	size_t build_id_len; /* bytes; 0: none known */
	uint8_t *build_id;
	uint8_t reserved[16];
} blaze_user_meta_elf;

/* An address that only this machine can symbolize (vDSO): here is the symbol. */
typedef struct blaze_user_meta_sym {
	const struct blaze_sym *sym;
	uint8_t reserved[16];
} blaze_user_meta_sym;

/* An address that is in no file: outputs are the addresses as given. */
typedef struct blaze_user_meta_unknown {
	blaze_normalize_reason reason;
	uint8_t reserved[15];
} blaze_user_meta_unknown;

typedef union blaze_user_meta_variant {
	struct blaze_user_meta_apk apk;
	struct blaze_user_meta_elf elf;
	struct blaze_user_meta_sym sym;
	struct blaze_user_meta_unknown unknown;
} blaze_user_meta_variant;

typedef struct blaze_user_meta {
	blaze_user_meta_kind kind;
	uint8_t unused[7];
	union blaze_user_meta_variant variant;
	uint8_t reserved[16];
} blaze_user_meta;

typedef struct blaze_normalized_output {
	uint64_t output; /* file offset, or the address itself: see the meta entry's kind */
	size_t meta_idx; /* which entry of metas */
	uint8_t reserved[16];
} blaze_normalized_output;

/* One output an address, in the caller's order; metas are shared between outputs. */
typedef struct blaze_normalized_user_output {
	size_t meta_cnt;
	struct blaze_user_meta *metas;
	size_t output_cnt;
	struct blaze_normalized_output *outputs;
	uint8_t reserved[16];
} blaze_normalized_user_output;

#ifdef __cplusplus
extern "C" {
#endif

/* The error of the calling thread's latest call that can fail. */
blaze_err blaze_err_last(void);

/* A few words for an error or reason; static strings, also for unknown values. */
const char *blaze_err_str(blaze_err err);
const char *blaze_symbolize_reason_str(blaze_symbolize_reason reason);
const char *blaze_normalize_reason_str(blaze_normalize_reason reason);

/*
 * The build ID of the ELF file at @path: raw bytes for the caller to free(), their number
 * in @len unless that is NULL. NULL with BLAZE_ERR_OK: the file has none.
 */
uint8_t *blaze_read_elf_build_id(const char *path, size_t *len);

/* Everything enabled: auto_reload, code_info, inlined_fns and demangle. */
blaze_symbolizer *blaze_symbolizer_new(void);
/* As @opts says. */
blaze_symbolizer *blaze_symbolizer_new_opts(const struct blaze_symbolizer_opts *opts);
/* Free a symbolizer and its caches; NULL is fine. */
void blaze_symbolizer_free(blaze_symbolizer *symbolizer);

/* Read the file's symbols now rather than at the first request. Check blaze_err_last(). */
void blaze_symbolize_cache_elf(blaze_symbolizer *symbolizer,
			       const struct blaze_cache_src_elf *cache);
/*
 * Remember the process's mappings as they are now; requests for that pid use them from now
 * on, whether it lives or not, until remembered anew. If it fails, what was remembered
 * before stays. Check blaze_err_last(). For a process that has ended, set no_map_files in
 * the request.
 */
void blaze_symbolize_cache_process(blaze_symbolizer *symbolizer,
				   const struct blaze_cache_src_process *cache);

/*
 * Symbolize @cnt addresses. Free the result with blaze_syms_free(). An address without a
 * symbol does not fail the call: its entry has a NULL name and a reason. For no addresses
 * the result is NULL with BLAZE_ERR_OK.
 *
 * process: absolute addresses in a process; kernel: absolute addresses in the kernel;
 * virt_offsets: addresses as the ELF file itself counts them; file_offsets: positions in
 * the ELF file.
 */
const struct blaze_syms *
blaze_symbolize_process_abs_addrs(blaze_symbolizer *symbolizer,
				  const struct blaze_symbolize_src_process *src,
				  const uint64_t *abs_addrs, size_t abs_addr_cnt);
const struct blaze_syms *
blaze_symbolize_kernel_abs_addrs(blaze_symbolizer *symbolizer,
				 const struct blaze_symbolize_src_kernel *src,
				 const uint64_t *abs_addrs, size_t abs_addr_cnt);
const struct blaze_syms *blaze_symbolize_elf_virt_offsets(blaze_symbolizer *symbolizer,
							  const struct blaze_symbolize_src_elf *src,
							  const uint64_t *virt_offsets,
							  size_t virt_offset_cnt);
const struct blaze_syms *blaze_symbolize_elf_file_offsets(blaze_symbolizer *symbolizer,
							  const struct blaze_symbolize_src_elf *src,
							  const uint64_t *file_offsets,
							  size_t file_offset_cnt);

/* Free what any of the above returned; NULL is fine. */
void blaze_syms_free(const struct blaze_syms *syms);

/* Mappings are read at each call, build IDs are reported, nothing is cached. */
blaze_normalizer *blaze_normalizer_new(void);
/* As @opts says. */
blaze_normalizer *blaze_normalizer_new_opts(const struct blaze_normalizer_opts *opts);
void blaze_normalizer_free(blaze_normalizer *normalizer);

/*
 * Normalize @addr_cnt addresses of process @pid (0: the calling one). Free the result with
 * blaze_user_output_free(). An address that is in no file gets an "unknown" meta entry.
 */
struct blaze_normalized_user_output *blaze_normalize_user_addrs(const blaze_normalizer *normalizer,
								uint32_t pid, const uint64_t *addrs,
								size_t addr_cnt);
struct blaze_normalized_user_output *
blaze_normalize_user_addrs_opts(const blaze_normalizer *normalizer, uint32_t pid,
				const uint64_t *addrs, size_t addr_cnt,
				const struct blaze_normalize_opts *opts);
void blaze_user_output_free(struct blaze_normalized_user_output *output);

#ifdef __cplusplus
}
#endif

#endif /* __blazesym_h_ */
