// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "picture.h"
#include "say.h"

/* Behind the name of a file that is being written. */
#define UNFINISHED ".part"

int picture_failed(const char *path, const char *suffix, int err)
{
	say_error("cannot write %s%s: %s", path, suffix, strerror(-err));
	return err;
}

/* A pipe, a device, a symbolic link: what another file must not take the place of. */
static bool is_special(const char *name)
{
	struct stat st;

	return !lstat(name, &st) && !S_ISREG(st.st_mode);
}

static bool is_directory(const char *name)
{
	struct stat st;

	return !stat(name, &st) && S_ISDIR(st.st_mode);
}

int picture_check(const char *path, const char *suffix)
{
	char name[PATH_MAX], unfinished[PATH_MAX + sizeof(UNFINISHED)];
	int fd;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	if (is_directory(name))
		return picture_failed(path, suffix, -EISDIR);
	/* Who reads a pipe would take its being opened and closed for the end. */
	if (is_special(name))
		return 0;
	if (!access(name, F_OK) && access(name, W_OK))
		return picture_failed(path, suffix, -errno);
	snprintf(unfinished, sizeof(unfinished), "%s" UNFINISHED, name);
	fd = open(unfinished, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
	if (fd < 0)
		return picture_failed(path, suffix, -errno);
	close(fd);
	unlink(unfinished);
	return 0;
}

int picture_write(const char *path, const char *suffix, int (*write)(void *what, FILE *file),
		  void *what)
{
	char name[PATH_MAX], unfinished[PATH_MAX + sizeof(UNFINISHED)];
	const char *target;
	FILE *file;
	int err;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	snprintf(unfinished, sizeof(unfinished), "%s" UNFINISHED, name);
	target = is_special(name) ? name : unfinished;
	file = fopen(target, "we");
	if (!file)
		return -errno;
	err = write(what, file);
	if (fclose(file) && !err)
		err = -errno;
	if (!err && target == unfinished && rename(unfinished, name))
		err = -errno;
	if (!err)
		return 0;
	if (target == unfinished)
		unlink(unfinished);
	return err;
}
