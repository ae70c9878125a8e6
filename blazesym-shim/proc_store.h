/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of the snapshots of mappings (proc_maps.h):
 *
 *   proc_maps.c       processes and what they map, the limits
 *   proc_files.c      the files behind it
 *   proc_symbolize.c  addresses of a snapshot to symbols
 */
#ifndef BLAZESYM_PROC_STORE_H
#define BLAZESYM_PROC_STORE_H

#include <sys/stat.h>

#include "maps.h"
#include "perf_map.h"
#include "proc_maps.h"

#define PROC_BUCKETS 1024

/* A file that some process maps executable. */
struct proc_file {
	struct proc_file *next;
	unsigned int refs; /* mappings */
	int fd;		   /* -1: not kept open */
	/*
	 * As /proc/PID/maps has it. Numbers of a file that is open cannot come to mean
	 * another one; those of one that is not, can.
	 */
	unsigned int major;
	unsigned int minor;
	uint64_t ino;
	bool known; /* the following are filled in */
	struct stat st;
	uint8_t *build_id;
	size_t build_id_len;
	char path[];
};

enum proc_vma_kind {
	VMA_FILE,
	VMA_VDSO,
	VMA_ANON, /* nothing is known of it; JIT compiled code, if anything */
};

struct proc_vma {
	uint64_t start;
	uint64_t end;
	uint64_t offset;	/* in file */
	struct proc_file *file; /* for VMA_FILE */
	enum proc_vma_kind kind;
};

struct proc_vmas {
	size_t cnt;
	struct proc_vma vmas[]; /* ascending */
};

struct proc {
	struct proc *next;  /* in its bucket */
	struct proc *newer; /* by use */
	struct proc *older;
	uint64_t space;
	pid_t pid;
	bool over;	     /* the process is another space now */
	uint64_t start_time; /* clock ticks since boot: tells processes of one pid apart */
	struct proc_vmas *now;
	struct proc_vmas *before; /* what newer snapshots do not have any more, may be NULL */
	int perf_map_fd;	  /* -1: none, or none yet */
	struct perf_map perf_map;
};

struct proc_maps {
	struct proc *procs[PROC_BUCKETS];
	struct proc_file *files[PROC_BUCKETS];
	struct proc *newest;
	struct proc *oldest;
	struct proc_maps_stats stats;
	size_t max_bytes;
	size_t max_fds;
	struct maps maps; /* for reading, kept for its memory */
	uint64_t vdso;	  /* our own, and its size */
	uint64_t vdso_size;
};

/* proc_files.c */

/* The file behind @map, with a reference for the caller; NULL: no memory. */
struct proc_file *proc_file_get(struct proc_maps *store, pid_t pid, const struct mapping *map);
void proc_file_put(struct proc_maps *store, struct proc_file *file);
/* A descriptor on @file, to be closed if it is not the file's own. -1: gone. */
int proc_file_open(const struct proc_file *file, pid_t pid);

/* proc_maps.c */

/* The snapshots of @space, NULL if there are none. */
struct proc *proc_find(struct proc_maps *store, uint64_t space);
/*
 * The mapping at @addr. If there is none and the process still lives, it may have mapped more
 * since: *@fresh says whether that was looked at before. Valid until that is looked at.
 */
const struct proc_vma *proc_vma_find(struct proc_maps *store, struct proc *proc, uint64_t addr,
				     bool *fresh);
/* What a perf map takes of the store's memory. */
size_t proc_perf_map_bytes(const struct perf_map *map);

#endif /* BLAZESYM_PROC_STORE_H */
