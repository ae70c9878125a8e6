// SPDX-License-Identifier: GPL-2.0-only
/* JIT compilers' symbol files: see perf_map.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perf_map.h"

/*
 * Java with much compiled code writes some 50 MB of half a million functions. A process can
 * write anything; this is what it can make us spend memory on.
 */
#define PERF_MAP_MAX	 ((off_t)256 << 20)
#define PERF_MAP_FNS_MAX ((size_t)4 << 20)

/* From /proc/PID/status: the pid in the process's own namespace, and its user, if there. */
static int read_status(pid_t pid, int *ns_pid, uid_t *uid)
{
	char path[64], line[512];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return errno == ENOENT ? -ESRCH : -errno;
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "Uid:", 4)) {
			unsigned int real, effective;

			if (sscanf(line + 4, "%u %u", &real, &effective) == 2)
				*uid = effective;
		} else if (!strncmp(line, "NSpid:", 6)) {
			/* One pid a namespace, from ours down to the process's. */
			const char *last = strrchr(line, '\t');
			int inner = last ? atoi(last) : 0;

			if (inner > 0)
				*ns_pid = inner;
		}
	}
	fclose(file);
	return 0;
}

/* /tmp is everybody's: take no links, and only files of those who may speak for the process. */
static int open_checked(const char *path, uid_t uid)
{
	struct stat st;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    (st.st_uid && st.st_uid != geteuid() && st.st_uid != uid)) {
		close(fd);
		return -EACCES;
	}
	return fd;
}

int perf_map_open(pid_t pid)
{
	char path[128];
	int ns_pid = pid, fd, err;
	uid_t uid = (uid_t)-1;

	if (!pid)
		ns_pid = pid = getpid();
	err = read_status(pid, &ns_pid, &uid);
	if (err)
		return err;
	snprintf(path, sizeof(path), "/proc/%d/root/tmp/perf-%d.map", (int)pid, ns_pid);
	fd = open_checked(path, uid);
	if (fd >= 0)
		return fd;
	/* Without the right to look through its root, or if an agent outside wrote the map. */
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)pid);
	return open_checked(path, uid);
}

static bool parse_hex(const char **at, uint64_t *value)
{
	const char *p = *at;
	uint64_t v = 0;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
		p += 2;
	for (;; p++) {
		unsigned int digit;

		if (*p >= '0' && *p <= '9')
			digit = (unsigned int)(*p - '0');
		else if (*p >= 'a' && *p <= 'f')
			digit = (unsigned int)(*p - 'a') + 10;
		else if (*p >= 'A' && *p <= 'F')
			digit = (unsigned int)(*p - 'A') + 10;
		else
			break;
		if (v >> 60)
			return false;
		v = v << 4 | digit;
	}
	if (*p != ' ' && *p != '\t')
		return false;
	while (*p == ' ' || *p == '\t')
		p++;
	*at = p;
	*value = v;
	return true;
}

static int add_line(struct perf_map *map, size_t *cap, char *line)
{
	const char *p = line;
	uint64_t addr, size;

	if (!parse_hex(&p, &addr) || !parse_hex(&p, &size) || !*p)
		return 0;
	/* A function of unknown size is at least at its own address. */
	if (!size)
		size = 1;
	if (addr + size < addr || map->fn_cnt == PERF_MAP_FNS_MAX)
		return 0;
	if (map->fn_cnt == *cap) {
		size_t grown_cap = *cap ? *cap * 2 : 256;
		struct perf_map_fn *grown = reallocarray(map->fns, grown_cap, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		map->fns = grown;
		*cap = grown_cap;
	}
	map->fns[map->fn_cnt++] = (struct perf_map_fn){
		.addr = addr,
		.size = size,
		.name = (uint32_t)(p - map->text),
	};
	return 0;
}

static int compare_spans(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return (x->ref > y->ref) - (x->ref < y->ref);
}

int perf_map_parse(struct perf_map *map, size_t len)
{
	char *line = map->text, *end = map->text + len;
	size_t fn_cap = 0, span_cap = 0;
	int err;

	while (line < end) {
		char *newline = memchr(line, '\n', (size_t)(end - line));

		/* The last line may still be being written. */
		if (!newline)
			break;
		*newline = '\0';
		if (newline > line && newline[-1] == '\r')
			newline[-1] = '\0';
		err = add_line(map, &fn_cap, line);
		if (err)
			return err;
		line = newline + 1;
	}
	for (size_t i = 0; i < map->fn_cnt; i++) {
		err = spans_add(&map->spans, &map->span_cnt, &span_cap, map->fns[i].addr,
				map->fns[i].size, (uint32_t)i);
		if (err)
			return err;
	}
	if (!map->span_cnt)
		return 0;
	qsort(map->spans, map->span_cnt, sizeof(*map->spans), compare_spans);
	/* Code memory is used again, the file only grows: later lines are the truth. */
	return spans_flatten(&map->spans, &map->span_cnt, SPAN_HIGHER);
}

static int read_file(int fd, size_t size, char **text, size_t *len)
{
	size_t got = 0;

	*text = malloc(size + 1);
	if (!*text)
		return -ENOMEM;
	while (got < size) {
		ssize_t n = pread(fd, *text + got, size - got, (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		got += (size_t)n;
	}
	(*text)[got] = '\0';
	*len = got;
	return 0;
}

int perf_map_load(struct perf_map *map, int fd)
{
	struct stat st;
	size_t len = 0;
	int err;

	if (fstat(fd, &st))
		return -errno;
	if (map->text && st.st_ino == map->seen.st_ino && st.st_dev == map->seen.st_dev &&
	    st.st_size == map->seen.st_size && st.st_mtim.tv_sec == map->seen.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == map->seen.st_mtim.tv_nsec)
		return 0;
	perf_map_free(map);
	if (st.st_size > PERF_MAP_MAX)
		return -EFBIG;
	err = read_file(fd, (size_t)st.st_size, &map->text, &len);
	if (!err)
		err = perf_map_parse(map, len);
	if (err)
		perf_map_free(map);
	else
		map->seen = st;
	return err;
}

const struct perf_map_fn *perf_map_find(const struct perf_map *map, uint64_t addr)
{
	const struct span *span = spans_find(map->spans, map->span_cnt, addr);

	return span ? &map->fns[span->ref] : NULL;
}

void perf_map_free(struct perf_map *map)
{
	free(map->text);
	free(map->fns);
	free(map->spans);
	memset(map, 0, sizeof(*map));
}
