// SPDX-License-Identifier: GPL-2.0-only
/*
 * Separate debug files, as distributions ship them: by build ID, else by the name and
 * checksum in .gnu_debuglink (GDB manual, "Debugging information in separate files").
 */
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "shim.h"

static const char *const default_dirs[] = { "/usr/lib/debug", "/lib/debug" };

int debug_dirs_init(struct debug_dirs *to, const char *const *dirs, size_t cnt)
{
	if (!dirs) {
		dirs = default_dirs;
		cnt = ARRAY_SIZE(default_dirs);
	}
	to->dirs = calloc(cnt + 1, sizeof(*to->dirs));
	if (!to->dirs)
		return -ENOMEM;
	for (to->cnt = 0; to->cnt < cnt; to->cnt++) {
		to->dirs[to->cnt] = strdup(dirs[to->cnt]);
		if (!to->dirs[to->cnt])
			return -ENOMEM;
	}
	return 0;
}

void debug_dirs_free(struct debug_dirs *dirs)
{
	for (size_t i = 0; i < dirs->cnt; i++)
		free(dirs->dirs[i]);
	free(dirs->dirs);
	memset(dirs, 0, sizeof(*dirs));
}

/*
 * The build ID in @notes: a note of GNU's, pointed at where the file has it. Returns its length,
 * 0 if there is none. (libdw has such a function too, which brings all of libdwfl with it and
 * makes a static executable half a megabyte larger.)
 */
static size_t build_id_in(Elf_Data *notes, const unsigned char **id)
{
	size_t at = 0, next, name_at, desc_at;
	GElf_Nhdr note;

	while (notes && notes->d_buf &&
	       (next = gelf_getnote(notes, at, &note, &name_at, &desc_at))) {
		const char *bytes = notes->d_buf;

		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof("GNU") &&
		    !memcmp(bytes + name_at, "GNU", sizeof("GNU")) && note.n_descsz) {
			*id = (const unsigned char *)bytes + desc_at;
			return note.n_descsz;
		}
		at = next;
	}
	return 0;
}

static size_t find_build_id(Elf *elf, const unsigned char **id)
{
	Elf_Scn *scn = NULL;
	size_t cnt, len;

	/* Debug files have the section; images of processes may have only the segment. */
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr shdr;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_NOTE)
			continue;
		len = build_id_in(elf_getdata(scn, NULL), id);
		if (len)
			return len;
	}
	if (elf_getphdrnum(elf, &cnt))
		return 0;
	for (size_t i = 0; i < cnt; i++) {
		GElf_Phdr phdr;

		if (!gelf_getphdr(elf, (int)i, &phdr) || phdr.p_type != PT_NOTE)
			continue;
		len = build_id_in(elf_getdata_rawchunk(elf, (int64_t)phdr.p_offset, phdr.p_filesz,
						       phdr.p_align == 8 ? ELF_T_NHDR8
									 : ELF_T_NHDR),
				  id);
		if (len)
			return len;
	}
	return 0;
}

/* What the debug file has to be. */
struct wanted {
	const unsigned char *build_id;
	size_t build_id_len; /* 0: none */
	bool has_crc;
	uint32_t crc;
};

static bool crc_matches(int fd, uint32_t wanted)
{
	unsigned char buf[65536];
	uLong crc = crc32(0, NULL, 0);
	off_t at = 0;
	ssize_t got;

	while ((got = pread(fd, buf, sizeof(buf), at)) > 0) {
		crc = crc32(crc, buf, (uInt)got);
		at += got;
	}
	return !got && crc == wanted;
}

/* Build IDs decide if both files have one; reading all of a large file costs seconds. */
static bool is_wanted(const struct elf_file *file, int fd, const struct wanted *wanted)
{
	const unsigned char *id;
	size_t len = find_build_id(file->elf, &id);

	if (wanted->build_id_len && len)
		return len == wanted->build_id_len &&
		       !memcmp(id, wanted->build_id, wanted->build_id_len);
	return wanted->has_crc && crc_matches(fd, wanted->crc);
}

static struct elf_file *try_path(const char *path, const struct wanted *wanted)
{
	struct elf_file *file = NULL;
	struct stat st;
	int fd;

	/* Look before opening: opening a device can have effects. */
	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	if (!elf_file_open(fd, &file) && !is_wanted(file, fd, wanted)) {
		elf_file_free(file);
		file = NULL;
	}
	close(fd);
	return file;
}

/* <dir>/.build-id/ab/cdef....debug */
static struct elf_file *by_build_id(const char *root, const struct debug_dirs *dirs,
				    const struct wanted *wanted)
{
	char name[2 * 64 + 2], path[PATH_MAX];
	struct elf_file *file;
	size_t at = 0;

	/* 20 bytes for SHA-1, 16 for UUIDs and MD5; nobody makes them longer than 64. */
	if (wanted->build_id_len < 2 || wanted->build_id_len > 64)
		return NULL;
	for (size_t i = 0; i < wanted->build_id_len; i++) {
		at += (size_t)snprintf(name + at, sizeof(name) - at, "%02x", wanted->build_id[i]);
		if (!i)
			name[at++] = '/';
	}
	for (size_t i = 0; i < dirs->cnt; i++) {
		if (snprintf(path, sizeof(path), "%s%s/.build-id/%s.debug", root, dirs->dirs[i],
			     name) >= (int)sizeof(path))
			continue;
		file = try_path(path, wanted);
		if (file)
			return file;
	}
	return NULL;
}

static struct elf_file *try_link(const char *root, const char *dir, const char *subdir,
				 const char *link, const char *self, const struct wanted *wanted)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s%s%s/%s", root, dir, subdir, link) >= (int)sizeof(path))
		return NULL;
	/* A file can not be its own debug file, though a link may name it. */
	if (!strcmp(path + strlen(root), self))
		return NULL;
	return try_path(path, wanted);
}

/* In the file's own directory, its .debug, and below each of the debug directories. */
static struct elf_file *by_link(const char *root, const char *self, const char *link,
				const struct debug_dirs *dirs, const struct wanted *wanted)
{
	const char *slash = strrchr(self, '/');
	struct elf_file *file;
	char *dir;

	/* A name, not a way out of the directories. */
	if (!slash || !*link || strchr(link, '/'))
		return NULL;
	dir = strndup(self, (size_t)(slash - self));
	if (!dir)
		return NULL;
	file = try_link(root, dir, "", link, self, wanted);
	if (!file)
		file = try_link(root, dir, "/.debug", link, self, wanted);
	for (size_t i = 0; i < dirs->cnt && !file; i++)
		file = try_link(root, dirs->dirs[i], dir, link, self, wanted);
	free(dir);
	return file;
}

struct elf_file *debug_file_open(const struct elf_file *file, const struct debug_dirs *dirs)
{
	struct wanted wanted = { 0 };
	struct elf_file *found = NULL;
	const char *link;
	GElf_Word crc;

	/* It has it all itself. */
	if (elf_file_has_section(file, ".debug_info") && elf_file_has_section(file, ".symtab"))
		return NULL;
	wanted.build_id_len = find_build_id(file->elf, &wanted.build_id);
	if (wanted.build_id_len) {
		/* In the process's own file system first, where it has one of its own. */
		if (file->root && *file->root)
			found = by_build_id(file->root, dirs, &wanted);
		if (!found)
			found = by_build_id("", dirs, &wanted);
	}
	if (found || !file->path)
		return found;
	link = dwelf_elf_gnu_debuglink(file->elf, &crc);
	if (!link)
		return NULL;
	wanted.has_crc = true;
	wanted.crc = crc;
	if (file->root && *file->root)
		found = by_link(file->root, file->path, link, dirs, &wanted);
	if (!found)
		found = by_link("", file->path, link, dirs, &wanted);
	return found;
}

uint8_t *blaze_read_elf_build_id(const char *path, size_t *len)
{
	struct elf_file *file;
	uint8_t *copy = NULL;
	const unsigned char *id;
	struct stat st;
	size_t id_len;
	int fd, err;

	if (len)
		*len = 0;
	if (!path) {
		set_last_error(BLAZE_ERR_INVALID_INPUT);
		return NULL;
	}
	if (stat(path, &st)) {
		set_last_errno(errno);
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		set_last_error(BLAZE_ERR_UNSUPPORTED);
		return NULL;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		set_last_errno(errno);
		return NULL;
	}
	err = elf_file_open(fd, &file);
	close(fd);
	if (err) {
		set_last_errno(err);
		return NULL;
	}
	id_len = find_build_id(file->elf, &id);
	set_last_error(BLAZE_ERR_OK);
	if (id_len) {
		copy = malloc(id_len);
		if (!copy) {
			set_last_error(BLAZE_ERR_OUT_OF_MEMORY);
		} else {
			memcpy(copy, id, id_len);
			if (len)
				*len = id_len;
		}
	}
	elf_file_free(file);
	return copy;
}
