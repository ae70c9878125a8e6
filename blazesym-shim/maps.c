// SPDX-License-Identifier: GPL-2.0-only
/* /proc/PID/maps, parsed in place: the paths stay where they were read. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maps.h"

/* A process with all of the default 65530 mappings has about 8 MB of text; some have more. */
#define MAPS_TEXT_MAX	((size_t)256 << 20)
#define MAPS_TEXT_FIRST ((size_t)16 << 10)

static int read_text(struct maps *maps, int fd)
{
	maps->text_len = 0;
	for (;;) {
		ssize_t got;

		/* Keep a byte for the terminator. */
		if (maps->text_cap - maps->text_len < 4096) {
			size_t cap = maps->text_cap ? maps->text_cap * 2 : MAPS_TEXT_FIRST;
			char *grown;

			if (cap > MAPS_TEXT_MAX)
				return -E2BIG;
			grown = realloc(maps->text, cap);
			if (!grown)
				return -ENOMEM;
			maps->text = grown;
			maps->text_cap = cap;
		}
		got = read(fd, maps->text + maps->text_len, maps->text_cap - maps->text_len - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		maps->text_len += (size_t)got;
	}
	maps->text[maps->text_len] = '\0';
	/* A zombie, or a kernel thread: the file is there and empty. */
	return maps->text_len ? 0 : -ESRCH;
}

int maps_read(struct maps *maps, pid_t pid)
{
	char path[64];
	int fd, err;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	else
		snprintf(path, sizeof(path), "/proc/self/maps");
	maps->cnt = 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	err = read_text(maps, fd);
	close(fd);
	return err ? err : maps_parse(maps);
}

/* Parse a hexadecimal number; false if there is none or it has more than 64 bits. */
static bool parse_hex(const char **at, uint64_t *value)
{
	const char *p = *at;
	uint64_t v = 0;

	for (;; p++) {
		unsigned int digit;

		if (*p >= '0' && *p <= '9')
			digit = (unsigned int)(*p - '0');
		else if (*p >= 'a' && *p <= 'f')
			digit = (unsigned int)(*p - 'a') + 10;
		else
			break;
		if (v >> 60)
			return false;
		v = v << 4 | digit;
	}
	if (p == *at)
		return false;
	*at = p;
	*value = v;
	return true;
}

static bool parse_decimal(const char **at, uint64_t *value)
{
	const char *p = *at;
	uint64_t v = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return false;
	}
	if (p == *at)
		return false;
	*at = p;
	*value = v;
	return true;
}

static bool skip(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

/* The kernel writes a newline in a path as \012 and leaves everything else as it is. */
static void unescape(char *path)
{
	char *to = strstr(path, "\\012");

	if (!to)
		return;
	for (const char *from = to; *from;) {
		if (!strncmp(from, "\\012", 4)) {
			*to++ = '\n';
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

/* One line, NUL-terminated: 55d0-55e0 r-xp 00002000 08:01 4711   /path */
static bool parse_line(char *line, struct mapping *map)
{
	static const char deleted[] = " (deleted)";
	const char *p = line;
	uint64_t major, minor;
	size_t len;
	char *path;

	if (!parse_hex(&p, &map->start) || !skip(&p, '-') || !parse_hex(&p, &map->end) ||
	    !skip(&p, ' ') || map->start >= map->end)
		return false;
	if (strnlen(p, 5) < 5 || p[4] != ' ')
		return false;
	map->read = p[0] == 'r';
	map->exec = p[2] == 'x';
	p += 5;
	if (!parse_hex(&p, &map->offset) || !skip(&p, ' ') || !parse_hex(&p, &major) ||
	    !skip(&p, ':') || !parse_hex(&p, &minor) || !skip(&p, ' ') ||
	    !parse_decimal(&p, &map->ino))
		return false;
	map->major = (unsigned int)major;
	map->minor = (unsigned int)minor;
	while (*p == ' ')
		p++;
	path = line + (p - line);
	unescape(path);
	len = strlen(path);
	map->deleted = len > sizeof(deleted) - 1 &&
		       !strcmp(path + len - (sizeof(deleted) - 1), deleted);
	if (map->deleted)
		path[len - (sizeof(deleted) - 1)] = '\0';
	map->path = path;
	return true;
}

int maps_parse(struct maps *maps)
{
	char *line = maps->text, *end = maps->text + maps->text_len;

	maps->cnt = 0;
	while (line < end) {
		char *newline = memchr(line, '\n', (size_t)(end - line));
		struct mapping *map;

		if (maps->cnt == maps->cap) {
			size_t cap = maps->cap ? maps->cap * 2 : 64;
			struct mapping *grown = reallocarray(maps->maps, cap, sizeof(*grown));

			if (!grown)
				return -ENOMEM;
			maps->maps = grown;
			maps->cap = cap;
		}
		if (newline)
			*newline = '\0';
		map = &maps->maps[maps->cnt];
		if (!parse_line(line, map))
			return -EBADMSG;
		/* Binary search depends on the order, so do not believe it blindly. */
		if (maps->cnt && map->start < map[-1].end)
			return -EBADMSG;
		maps->cnt++;
		line = newline ? newline + 1 : end;
	}
	return 0;
}

const struct mapping *maps_find(const struct maps *maps, uint64_t addr)
{
	size_t lo = 0, hi = maps->cnt;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (addr < maps->maps[mid].start)
			hi = mid;
		else if (addr >= maps->maps[mid].end)
			lo = mid + 1;
		else
			return &maps->maps[mid];
	}
	return NULL;
}

void maps_free(struct maps *maps)
{
	free(maps->maps);
	free(maps->text);
	memset(maps, 0, sizeof(*maps));
}

bool mapping_has_file(const struct mapping *map)
{
	return map->ino && map->path[0] == '/';
}
