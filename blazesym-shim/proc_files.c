// SPDX-License-Identifier: GPL-2.0-only
/* The files that snapshots of mappings refer to: open, or known by who they are. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc_store.h"

static struct proc_file **file_bucket(struct proc_maps *store, uint64_t ino)
{
	return &store->files[ino % PROC_BUCKETS];
}

static size_t file_bytes(const struct proc_file *file)
{
	return sizeof(*file) + strlen(file->path) + 1 + file->build_id_len;
}

void proc_file_put(struct proc_maps *store, struct proc_file *file)
{
	struct proc_file **at;

	if (--file->refs)
		return;
	for (at = file_bucket(store, file->ino); *at != file;)
		at = &(*at)->next;
	*at = file->next;
	store->stats.files--;
	store->stats.bytes -= file_bytes(file);
	if (file->fd >= 0) {
		close(file->fd);
		store->stats.fds--;
	}
	free(file->build_id);
	free(file);
}

/* Look before opening: opening a device can have effects. -1: not there, or no file. */
static int open_regular(const char *path, struct stat *st)
{
	if (stat(path, st) || !S_ISREG(st->st_mode))
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

/*
 * Open the file behind a mapping of a live process: as the kernel has it mapped (which takes
 * privilege), else by its path.
 */
static int open_mapping(pid_t pid, const struct mapping *map, struct stat *st)
{
	char *path;
	int fd;

	if (asprintf(&path, "/proc/%d/map_files/%llx-%llx", (int)pid,
		     (unsigned long long)map->start, (unsigned long long)map->end) < 0)
		return -1;
	fd = open_regular(path, st);
	free(path);
	if (fd >= 0 || map->deleted)
		return fd;
	if (asprintf(&path, "/proc/%d/root%s", (int)pid, map->path) < 0)
		return -1;
	fd = open_regular(path, st);
	free(path);
	return fd;
}

/* The build ID of an open file, to free(). */
static uint8_t *build_id_of(int fd, size_t *len)
{
	char path[64];
	uint8_t *id;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	id = blaze_read_elf_build_id(path, len);
	if (!id)
		*len = 0;
	return id;
}

/* Note who the file is, for when it is not kept open. */
static void identify(struct proc_file *file, int fd, const struct stat *st)
{
	file->known = true;
	file->st = *st;
	file->build_id = build_id_of(fd, &file->build_id_len);
}

struct proc_file *proc_file_get(struct proc_maps *store, pid_t pid, const struct mapping *map)
{
	struct proc_file **bucket = file_bucket(store, map->ino), *file;
	struct stat st;

	for (file = *bucket; file; file = file->next) {
		if (file->ino == map->ino && file->major == map->major &&
		    file->minor == map->minor &&
		    (file->fd >= 0 || !strcmp(file->path, map->path))) {
			file->refs++;
			return file;
		}
	}
	file = calloc(1, sizeof(*file) + strlen(map->path) + 1);
	if (!file)
		return NULL;
	strcpy(file->path, map->path);
	file->major = map->major;
	file->minor = map->minor;
	file->ino = map->ino;
	file->refs = 1;
	file->fd = open_mapping(pid, map, &st);
	if (file->fd < 0) {
		file->fd = -1;
	} else if (store->stats.fds < store->max_fds) {
		store->stats.fds++;
	} else {
		identify(file, file->fd, &st);
		close(file->fd);
		file->fd = -1;
		store->stats.unpinned++;
	}
	file->next = *bucket;
	*bucket = file;
	store->stats.files++;
	store->stats.bytes += file_bytes(file);
	return file;
}

static bool same_file(const struct proc_file *file, const struct stat *st, int fd)
{
	uint8_t *build_id;
	bool same = false;
	size_t len;

	if (!file->known)
		return file->ino == st->st_ino;
	if (!file->build_id_len)
		return file->st.st_ino == st->st_ino && file->st.st_dev == st->st_dev &&
		       file->st.st_size == st->st_size &&
		       file->st.st_mtim.tv_sec == st->st_mtim.tv_sec &&
		       file->st.st_mtim.tv_nsec == st->st_mtim.tv_nsec;
	build_id = build_id_of(fd, &len);
	if (build_id)
		same = len == file->build_id_len && !memcmp(build_id, file->build_id, len);
	free(build_id);
	return same;
}

int proc_file_open(const struct proc_file *file, pid_t pid)
{
	char *in_root = NULL;
	int fd = -1;

	if (file->fd >= 0)
		return file->fd;
	if (asprintf(&in_root, "/proc/%d/root%s", (int)pid, file->path) < 0)
		return -1;
	for (int i = 0; i < 2 && fd < 0; i++) {
		const char *path = i ? file->path : in_root;
		struct stat st;

		fd = open_regular(path, &st);
		if (fd >= 0 && !same_file(file, &st, fd)) {
			close(fd);
			fd = -1;
		}
	}
	free(in_root);
	return fd;
}
