// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "events/user_files.h"
#include "say.h"

/* Where the dynamic linker looks, by common custom; programs are looked for in $PATH. */
#if defined(__aarch64__)
#define LIBRARIES \
	"/lib/aarch64-linux-gnu:/usr/lib/aarch64-linux-gnu:/lib64:/usr/lib64:/lib:/usr/lib:/usr/local/lib"
#else
#define LIBRARIES \
	"/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:/lib64:/usr/lib64:/lib:/usr/lib:/usr/local/lib"
#endif

static int fail(const struct event_search *search, const char *path, int err)
{
	if (err == -ENOEXEC)
		return event_refuse(search, err, EXIT_FAILED, "'%s' is no ELF file", path);
	return event_refuse(search, err, EXIT_FAILED, "cannot read '%s': %s", path, strerror(-err));
}

static bool is_file(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

/* Finds the file @name in one of @folders, which have colons between them. */
static bool look_in(const char *folders, const char *name, char *path)
{
	size_t n;

	for (; folders && *folders; folders += n + (folders[n] == ':')) {
		n = strcspn(folders, ":");
		snprintf(path, PATH_MAX, "%.*s/%s", (int)n, folders, name);
		if (n && is_file(path))
			return true;
	}
	return false;
}

static int read_named(const struct event_search *search,
		      int (*read)(const struct event_search *search, const char *path))
{
	const char *file = search->spec->file;
	char path[PATH_MAX], *real;
	int err;

	if (!strchr(file, '/') && !is_file(file) && !look_in(LIBRARIES, file, path) &&
	    !look_in(getenv("PATH"), file, path))
		return event_refuse(
			search, -ENOENT, EXIT_FAILED,
			"there is no file '%s', not among libraries and programs either", file);
	if (strchr(file, '/') || is_file(file))
		snprintf(path, sizeof(path), "%s", file);
	/* A library's path is the same whatever links lead to it. */
	real = realpath(path, NULL);
	if (!real)
		return fail(search, path, -errno);
	err = read(search, real);
	if (err && !*search->error->what)
		fail(search, real, err);
	free(real);
	return err;
}

/* The path at which this process finds what @pid has as @mapped. */
static const char *reachable(pid_t pid, const char *mapped, char *path)
{
	struct stat here, there;

	snprintf(path, PATH_MAX, "/proc/%d/root%s", (int)pid, mapped);
	if (!stat(mapped, &here) &&
	    (stat(path, &there) || (here.st_dev == there.st_dev && here.st_ino == there.st_ino)))
		return mapped;
	return path;
}

/* Is the file at @path the one that is meant by @wanted, which may be NULL? */
static bool is_meant(const char *path, const char *wanted)
{
	const char *name = strrchr(path, '/') + 1;

	if (!wanted)
		return true;
	return !strcmp(strchr(wanted, '/') ? path : name, wanted);
}

/* Lines of maps are in order of addresses: a file's mappings follow each other. */
static int read_mapped(const struct event_search *search, pid_t pid, const char *wanted,
		       int (*read)(const struct event_search *search, const char *path))
{
	char maps[32], path[PATH_MAX], last[PATH_MAX] = "", *line = NULL, *file;
	unsigned int files = 0;
	FILE *stream;
	size_t size = 0;

	snprintf(maps, sizeof(maps), "/proc/%d/maps", (int)pid);
	stream = fopen(maps, "re");
	if (!stream && errno == ENOENT)
		return event_refuse(search, -errno, EXIT_FAILED, "there is no process %d",
				    (int)pid);
	if (!stream)
		return event_refuse(search, -errno, EXIT_FAILED,
				    "cannot look into process %d: %s%s", (int)pid, strerror(errno),
				    errno == EACCES || errno == EPERM ? " (be its user, or root)"
								      : "");
	while (getline(&line, &size, stream) > 0) {
		line[strcspn(line, "\n")] = 0;
		file = strchr(line, '/');
		/* Code is what may be executed: an x before the path. */
		if (!file || strcspn(line, "x") > (size_t)(file - line) || !strcmp(file, last) ||
		    !is_meant(file, wanted))
			continue;
		snprintf(last, sizeof(last), "%s", file);
		files += !read(search, reachable(pid, file, path));
		*search->error->what = 0;
	}
	free(line);
	fclose(stream);
	if (files)
		return 0;
	return event_refuse(search, -ENOENT, EXIT_FAILED,
			    "process %d has mapped no %s that can be read", (int)pid,
			    wanted ? wanted : "program");
}

/* A number that is no file's name stands for a process. */
pid_t user_files_process(const struct event_search *search)
{
	const char *file = search->spec->file;
	size_t digits = file ? strspn(file, "0123456789") : 0;

	if (search->spec->kind != SPEC_USDT || !digits || digits >= 10 || file[digits])
		return 0;
	return access(file, F_OK) ? atoi(file) : 0;
}

int user_files_each(const struct event_search *search,
		    int (*read)(const struct event_search *search, const char *path))
{
	const char *file = search->spec->file;

	if (user_files_process(search))
		return read_mapped(search, user_files_process(search), NULL, read);
	if (search->pid && (!file || !strchr(file, '/')))
		return read_mapped(search, search->pid, file, read);
	if (!file)
		return event_refuse(search, -EINVAL, EXIT_USAGE,
				    "%s needs its file: %s@\"FILE\"; or a process",
				    search->spec->text, search->spec->text);
	return read_named(search, read);
}
