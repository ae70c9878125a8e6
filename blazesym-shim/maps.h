/* SPDX-License-Identifier: GPL-2.0-only */
/* What is mapped where in a process: /proc/PID/maps (proc(5)), parsed. */
#ifndef BLAZESYM_MAPS_H
#define BLAZESYM_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mapping {
	uint64_t start;
	uint64_t end;	    /* the first address behind it */
	uint64_t offset;    /* in the file, of start; bytes */
	uint64_t ino;	    /* 0: no file */
	unsigned int major; /* of the device the file is on, as the kernel reports it here */
	unsigned int minor;
	bool read;
	bool exec;
	bool deleted;	  /* the path no longer leads to the file */
	const char *path; /* "" for none, "[vdso]" and the like; lives in struct maps */
};

struct maps {
	struct mapping *maps; /* ascending, disjoint */
	size_t cnt;
	size_t cap;
	char *text; /* the file's bytes, where the paths are */
	size_t text_len;
	size_t text_cap;
};

/*
 * Read the mappings of @pid (0: of ourselves) into @maps, which is zeroed or was read into
 * before, and whose memory is then used again. -ESRCH: no such process, or it has ended.
 */
int maps_read(struct maps *maps, pid_t pid);
/* Parse what is in maps->text. A line that cannot be understood ends it: -EBADMSG. */
int maps_parse(struct maps *maps);
/* The mapping at @addr, NULL if there is none. */
const struct mapping *maps_find(const struct maps *maps, uint64_t addr);
void maps_free(struct maps *maps);

/* Whether the mapping is of a file that has a path, so can hold an ELF image. */
bool mapping_has_file(const struct mapping *map);

#endif /* BLAZESYM_MAPS_H */
