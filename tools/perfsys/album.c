// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "album.h"
#include "picture.h"
#include "quantity.h"

#define SUFFIX ".svg"

/* In so much of a picture's beginning its title stands. */
#define HEAD_SIZE 4096

int album_name(const char *directory, uint64_t when, char *path, size_t size)
{
	/* A picture that is gone already was earlier all the same. */
	static time_t latest;
	static int used;
	time_t second = when / NSEC_PER_SEC;
	char moment[32];
	struct stat st;
	struct tm tm;
	int i;

	localtime_r(&second, &tm);
	strftime(moment, sizeof(moment), "%Y%m%d_%H%M%S", &tm);
	if (!strcmp(directory, "."))
		directory = "";
	for (i = second == latest ? used + 1 : 1; i < INT_MAX; i++) {
		char again[16] = "";

		if (i > 1)
			snprintf(again, sizeof(again), "_%d", i);
		if ((size_t)snprintf(path, size, "%s%s%s%s" SUFFIX, directory,
				     *directory ? "/" : "", moment, again) >= size)
			return -ENAMETOOLONG;
		/* A symbolic link is somebody else's, also one that leads nowhere. */
		if (lstat(path, &st)) {
			latest = second;
			used = i;
			return 0;
		}
	}
	return -EEXIST;
}

static int write_svg(void *graph, FILE *file)
{
	return flamegraph_write_svg(graph, file);
}

int album_add(const char *path, struct flamegraph *graph)
{
	return picture_write(path, "", write_svg, graph);
}

/* YYYYMMDD_HHMMSS.svg or YYYYMMDD_HHMMSS_N.svg, as album_name() makes them. */
static bool is_name(const char *name)
{
	size_t length = strlen(name), i;

	if (length < 19 || length == 20 || strcmp(name + length - 4, SUFFIX) || name[8] != '_')
		return false;
	for (i = 0; i < 15; i++) {
		if (i != 8 && (name[i] < '0' || name[i] > '9'))
			return false;
	}
	return length == 19 || (name[15] == '_' && strspn(name + 16, "0123456789") == length - 20);
}

static bool is_ours(int directory, const char *name)
{
	char head[HEAD_SIZE + 1];
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, head, HEAD_SIZE);
	close(fd);
	return n > 0 && memmem(head, n, ALBUM_TITLE, strlen(ALBUM_TITLE));
}

/* Moments in the order of time; of one, by number. */
static int by_moment(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	int order = strncmp(x, y, 15);

	return order ? order : atoi(x + 16) - atoi(y + 16);
}

static int trim(DIR *dir, unsigned int keep, const char *latest)
{
	size_t count = 0, room = 0, i;
	char **names = NULL, **more;
	struct dirent *d;
	int err = 0;

	while (!err && (d = readdir(dir))) {
		if (!is_name(d->d_name) || !strcmp(d->d_name, latest) ||
		    !is_ours(dirfd(dir), d->d_name))
			continue;
		if (count == room) {
			room = room ? 2 * room : 64;
			more = reallocarray(names, room, sizeof(*names));
			if (!more) {
				err = -ENOMEM;
				break;
			}
			names = more;
		}
		names[count] = strdup(d->d_name);
		if (!names[count++])
			err = -ENOMEM;
	}
	if (!err && count)
		qsort(names, count, sizeof(*names), by_moment);
	for (i = 0; !err && i + keep < count; i++) {
		if (unlinkat(dirfd(dir), names[i], 0) && errno != ENOENT)
			err = -errno;
	}
	while (count)
		free(names[--count]);
	free(names);
	return err;
}

int album_trim(const char *directory, unsigned int keep, const char *latest)
{
	DIR *dir = opendir(directory);
	const char *name = strrchr(latest, '/');
	int err;

	if (!dir)
		return -errno;
	err = trim(dir, keep - 1, name ? name + 1 : latest);
	closedir(dir);
	return err;
}
