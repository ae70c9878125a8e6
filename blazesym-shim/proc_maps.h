/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Snapshots of processes' mappings, so that addresses of a process can be symbolized after
 * it has ended. This is no part of blazesym's API but stands beside it: it uses only public
 * calls of blazesym.h and works with either library behind these.
 *
 * A profiler takes a snapshot when it first sees a process. That reads /proc/PID/maps (30 to
 * 40 µs in all for a small process) and keeps what is executable. The files behind it are shared
 * between all processes that map them and are kept open, so that they can be read later even
 * if they were deleted, replaced or out of sight in another mount namespace.
 *
 * What it costs is bounded: memory by max_bytes, beyond which the snapshots that were of use
 * longest ago go; descriptors by max_fds, beyond which a file is only remembered by its path
 * and who it is (build ID, or else device, inode, size and time), and is used if it is still
 * found there. What goes beyond is counted in struct proc_maps_stats.
 *
 * Snapshots go by space, a number of the caller's for what addresses mean something in: a process
 * between two calls of exec. Who does not tell these apart may use the pid.
 *
 * A store is not locked: one thread at a time.
 */
#ifndef BLAZESYM_PROC_MAPS_H
#define BLAZESYM_PROC_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <blazesym.h>

struct proc_maps;

struct proc_maps_opts {
	size_t max_bytes;     /* memory for snapshots; 0: 16 MiB, for some 30,000 processes */
	unsigned int max_fds; /* files kept open; 0: 256, or a quarter of RLIMIT_NOFILE */
};

struct proc_maps_stats {
	size_t procs;	   /* processes that there are snapshots of */
	size_t files;	   /* files that these map */
	size_t fds;	   /* of these, kept open */
	size_t bytes;	   /* memory for all of it */
	uint64_t evicted;  /* snapshots dropped for max_bytes, since the start */
	uint64_t unpinned; /* files not kept open for max_fds, since the start */
};

/* @opts may be NULL. Returns NULL if memory is short. */
struct proc_maps *proc_maps_new(const struct proc_maps_opts *opts);
void proc_maps_free(struct proc_maps *store);
void proc_maps_stats(const struct proc_maps *store, struct proc_maps_stats *stats);

/*
 * Take a snapshot of live process @pid, which is @space now, or bring it up to date. What the ones
 * before it had is kept too, up to 256 mappings: addresses that are not in the new one are looked
 * up there, so that what was sampled before a dlclose() (or an exec, if the space is the same)
 * still finds its file. Returns 0; -ESRCH: it has ended (or is a kernel thread); another negative
 * errno: its mappings cannot be read.
 */
int proc_maps_snapshot(struct proc_maps *store, uint64_t space, pid_t pid);
/*
 * Bring the snapshot of @space up to date. -ESRCH: there is none, or its process has ended or is
 * another space now; other errors as above.
 */
int proc_maps_refresh(struct proc_maps *store, uint64_t space);
/* The process is another space now: what there is for @space stays, and is never brought up to date. */
void proc_maps_over(struct proc_maps *store, uint64_t space);
/* Drop what there is for @space, for when no more addresses of it can come. */
void proc_maps_forget(struct proc_maps *store, uint64_t space);

struct proc_maps_place {
	const char *path;     /* as the process saw it; valid until the store is used again */
	uint64_t file_offset; /* bytes from the start of the file */
	int fd;		      /* open on the file, the store's; -1: not kept open */
};

/*
 * Where in which file @addr of @space is. -ESRCH: no snapshot of it; -ENOENT: not in any file
 * there, also when asked of the process anew, in case it lives.
 */
int proc_maps_find(struct proc_maps *store, uint64_t space, uint64_t addr,
		   struct proc_maps_place *place);

/* The same by what there is already: the process is not asked. */
int proc_maps_find_kept(struct proc_maps *store, uint64_t space, uint64_t addr,
			struct proc_maps_place *place);

/* Is @addr in what is mapped executable by the last snapshot of @space? */
bool proc_maps_covers(struct proc_maps *store, uint64_t space, uint64_t addr);

/* As struct blaze_syms, one entry an address. */
struct proc_maps_syms {
	size_t cnt;
	struct blaze_sym syms[];
};

/*
 * Symbolize @cnt addresses of @space by its snapshot, whether it lives or not. Files go through
 * @symbolizer; with the real library, make that with auto_reload, as files are given to it as
 * /proc/self/fd/N. Addresses in the vDSO and, by its perf map, in JIT compiled code are
 * symbolized too. @debug_syms is as in struct blaze_symbolize_src_elf. Free the result with
 * proc_maps_syms_free(). NULL: memory is short, or there is no snapshot of @space (errno tells:
 * ENOMEM, ESRCH).
 */
const struct proc_maps_syms *proc_maps_symbolize(struct proc_maps *store,
						 blaze_symbolizer *symbolizer, uint64_t space,
						 bool debug_syms, const uint64_t *addrs,
						 size_t cnt);
void proc_maps_syms_free(const struct proc_maps_syms *syms);

#endif /* BLAZESYM_PROC_MAPS_H */
