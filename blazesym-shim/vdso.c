// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vDSO: an ELF image that the kernel maps into every process and that is in no file.
 * Its bytes are the same in all processes of one word size, so there is one copy a content.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "shim.h"

/* Today's are two to four pages. */
#define VDSO_MAX ((uint64_t)1 << 20)

static void *read_memory(const char *path, uint64_t start, size_t size)
{
	void *bytes;
	ssize_t got;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	bytes = malloc(size);
	if (bytes) {
		got = pread(fd, bytes, size, (off_t)start);
		if (got < 0 || (size_t)got != size) {
			free(bytes);
			bytes = NULL;
		}
	}
	close(fd);
	return bytes;
}

static void *read_vdso(pid_t pid, uint64_t start, size_t size)
{
	char path[64];
	void *bytes;

	if (pid) {
		snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
		bytes = read_memory(path, start, size);
		if (bytes)
			return bytes;
		/* It has ended, or its memory is closed to us: ours is the same if as large. */
		start = getauxval(AT_SYSINFO_EHDR);
		if (!start)
			return NULL;
	}
	return read_memory("/proc/self/mem", start, size);
}

static struct vdso *vdso_new(void *bytes, size_t size)
{
	struct vdso *vdso = calloc(1, sizeof(*vdso));
	void *image = malloc(size);

	if (vdso && image) {
		memcpy(image, bytes, size);
		if (!elf_file_from_memory(image, size, &vdso->file)) {
			vdso->bytes = bytes;
			vdso->size = size;
			return vdso;
		}
	}
	free(image);
	free(vdso);
	return NULL;
}

struct elf_file *vdso_get(struct vdso **list, pid_t pid, uint64_t start, uint64_t end)
{
	struct vdso *vdso;
	size_t size;
	void *bytes;

	if (end - start > VDSO_MAX)
		return NULL;
	size = (size_t)(end - start);
	bytes = read_vdso(pid, start, size);
	if (!bytes)
		return NULL;
	for (vdso = *list; vdso; vdso = vdso->next) {
		if (vdso->size == size && !memcmp(vdso->bytes, bytes, size)) {
			free(bytes);
			return vdso->file;
		}
	}
	vdso = vdso_new(bytes, size);
	if (!vdso) {
		free(bytes);
		return NULL;
	}
	vdso->next = *list;
	*list = vdso;
	return vdso->file;
}

void vdso_free(struct vdso *list)
{
	struct vdso *next;

	for (; list; list = next) {
		next = list->next;
		elf_file_free(list->file);
		free(list->bytes);
		free(list);
	}
}
