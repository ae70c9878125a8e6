// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ELF files that are open, and how the file behind a mapping is found.
 *
 * A file is known by device and inode number. While it is in the cache it is mapped, so its
 * inode can not be given to another file: a number once seen means the same file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim.h"

void files_init(struct files *files, bool auto_reload)
{
	memset(files, 0, sizeof(*files));
	files->auto_reload = auto_reload;
}

static struct elf_file **bucket(struct files *files, uint64_t ino)
{
	return &files->buckets[ino % FILES_BUCKETS];
}

/* Take it out of the cache. It is freed only between calls, for somebody may still use it. */
static void file_remove(struct files *files, struct elf_file *file)
{
	struct elf_file **at = bucket(files, file->ino);

	while (*at != file)
		at = &(*at)->next;
	*at = file->next;
	files->cnt--;
	files->dwarf_cnt -= file->dwarf != NULL;
	file->next = files->removed;
	files->removed = file;
}

static void free_list(struct elf_file **list)
{
	struct elf_file *file, *next;

	for (file = *list; file; file = next) {
		next = file->next;
		elf_file_free(file);
	}
	*list = NULL;
}

void files_free(struct files *files)
{
	for (size_t i = 0; i < FILES_BUCKETS; i++)
		free_list(&files->buckets[i]);
	free_list(&files->removed);
}

/* The file used longest ago, of all or of those with debug information open. */
static struct elf_file *oldest(struct files *files, bool with_dwarf)
{
	struct elf_file *found = NULL;

	for (size_t i = 0; i < FILES_BUCKETS; i++) {
		for (struct elf_file *file = files->buckets[i]; file; file = file->next) {
			if (with_dwarf && !file->dwarf)
				continue;
			if (!found || file->used < found->used)
				found = file;
		}
	}
	return found;
}

void files_trim(struct files *files)
{
	while (files->cnt > FILES_MAX)
		file_remove(files, oldest(files, false));
	while (files->dwarf_cnt > FILES_MAX_DWARF) {
		struct elf_file *file = oldest(files, true);

		dwarf_free(file->dwarf);
		file->dwarf = NULL;
		file->dwarf_tried = false;
		files->dwarf_cnt--;
	}
	free_list(&files->removed);
}

static bool is_current(const struct elf_file *file, const struct stat *st)
{
	return file->size == st->st_size && file->mtime.tv_sec == st->st_mtim.tv_sec &&
	       file->mtime.tv_nsec == st->st_mtim.tv_nsec;
}

static struct elf_file *find(struct files *files, const struct stat *st)
{
	struct elf_file *file;

	for (file = *bucket(files, st->st_ino); file; file = file->next) {
		if (file->ino == st->st_ino && file->dev == st->st_dev)
			break;
	}
	if (!file)
		return NULL;
	/* Written to in place since. */
	if (files->auto_reload && !is_current(file, st)) {
		file_remove(files, file);
		return NULL;
	}
	file->used = ++files->tick;
	return file;
}

/*
 * Open @open_path, which the process knows as @path below @root; that is where its separate
 * debug file is looked for. NULL @path: open_path itself, without links, which also makes a
 * path of /proc/self/fd/N.
 */
static int get(struct files *files, const char *open_path, const char *root, const char *path,
	       struct elf_file **out)
{
	struct elf_file *file;
	struct stat st;
	int fd, err;

	/* Look before opening: mappings can be of devices, and opening these has effects. */
	if (stat(open_path, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EOPNOTSUPP;
	*out = find(files, &st);
	if (*out)
		return 0;
	/* It can have become a FIFO since. */
	fd = open(open_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	err = fstat(fd, &st) ? -errno : elf_file_open(fd, &file);
	close(fd);
	if (err)
		return err;
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	file->size = st.st_size;
	file->mtime = st.st_mtim;
	file->path = path ? strdup(path) : realpath(open_path, NULL);
	file->root = strdup(root);
	file->used = ++files->tick;
	file->next = *bucket(files, file->ino);
	*bucket(files, file->ino) = file;
	files->cnt++;
	*out = file;
	return 0;
}

int files_get_path(struct files *files, const char *path, struct elf_file **out)
{
	return get(files, path, "", NULL, out);
}

static struct elf_file *find_mapping(struct files *files, const struct mapping *map)
{
	struct elf_file *file;

	/*
	 * The kernel's numbers in maps need not be the ones stat() gives (btrfs, overlayfs),
	 * so both are kept. Usually the inode number is the same at least.
	 */
	for (file = *bucket(files, map->ino); file; file = file->next) {
		if (file->map_ino == map->ino && file->map_major == map->major &&
		    file->map_minor == map->minor) {
			file->used = ++files->tick;
			return file;
		}
	}
	return NULL;
}

int files_get_mapping(struct files *files, pid_t pid, const struct mapping *map, const char *path,
		      bool map_files, struct elf_file **out)
{
	char *open_path, root[64] = "";
	int err = -ENOENT;

	*out = find_mapping(files, map);
	if (*out)
		return 0;
	if (pid)
		snprintf(root, sizeof(root), "/proc/%d/root", (int)pid);
	if (map_files) {
		char link[96], proc[32] = "self";

		/* The file itself, wherever it is and even if it was deleted. Needs privilege. */
		if (pid)
			snprintf(proc, sizeof(proc), "%d", (int)pid);
		snprintf(link, sizeof(link), "/proc/%s/map_files/%llx-%llx", proc,
			 (unsigned long long)map->start, (unsigned long long)map->end);
		err = get(files, link, root, path, out);
	}
	if (err && err != -EOPNOTSUPP && err != -EBADMSG && !map->deleted) {
		if (asprintf(&open_path, "%s%s", root, path) < 0)
			return -ENOMEM;
		err = get(files, open_path, root, path, out);
		free(open_path);
		/* Its root is gone with it, or closed to us: perhaps we have the same file. */
		if (err && err != -EOPNOTSUPP && err != -EBADMSG && *root) {
			err = get(files, path, "", path, out);
			if (!err && (*out)->ino != map->ino)
				err = -ESTALE;
		}
	}
	if (err)
		return err;
	(*out)->map_major = map->major;
	(*out)->map_minor = map->minor;
	(*out)->map_ino = map->ino;
	return 0;
}

struct dwarf *files_dwarf(struct files *files, struct elf_file *file, const struct debug_dirs *dirs)
{
	if (file->dwarf_tried)
		return file->dwarf;
	file->dwarf_tried = true;
	if (elf_file_has_section(file, ".debug_info") ||
	    elf_file_has_section(file, ".zdebug_info")) {
		file->dwarf = dwarf_open(file->elf);
	} else {
		if (!file->debug_tried) {
			file->debug_tried = true;
			file->debug = debug_file_open(file, dirs);
		}
		if (file->debug)
			file->dwarf = dwarf_open(file->debug->elf);
	}
	files->dwarf_cnt += file->dwarf != NULL;
	return file->dwarf;
}
