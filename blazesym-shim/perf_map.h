/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Symbols of code that a JIT compiler made: /tmp/perf-PID.map, a line "START SIZE NAME" a
 * function, numbers hexadecimal (tools/perf/Documentation/jit-interface.txt in the kernel).
 */
#ifndef BLAZESYM_PERF_MAP_H
#define BLAZESYM_PERF_MAP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "spans.h"

struct perf_map_fn {
	uint64_t addr;
	uint64_t size;
	uint32_t name; /* offset in text */
};

struct perf_map {
	char *text;
	struct perf_map_fn *fns; /* in file order */
	size_t fn_cnt;
	struct span *spans; /* ref: index in fns */
	size_t span_cnt;
	struct stat seen; /* the file as it was read */
};

/*
 * Open the map of live process @pid: as the process itself sees /tmp and its pid, else as we
 * do. Returns a descriptor. A map that neither we, nor root, nor the process's user owns is
 * not believed: -EACCES.
 */
int perf_map_open(pid_t pid);
/*
 * Read @fd into @map, which is zeroed or was loaded before; nothing happens if the file has
 * not changed since. Lines that cannot be understood are left out.
 */
int perf_map_load(struct perf_map *map, int fd);
/* Parse map->text of @len bytes. */
int perf_map_parse(struct perf_map *map, size_t len);
/* The function at @addr, NULL if none. The later line counts where functions overlap. */
const struct perf_map_fn *perf_map_find(const struct perf_map *map, uint64_t addr);
void perf_map_free(struct perf_map *map);

#endif /* BLAZESYM_PERF_MAP_H */
