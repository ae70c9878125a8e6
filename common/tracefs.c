// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>
#include "tracefs.h"

static bool is_tracefs(int fd)
{
	struct statfs st;

	return !fstatfs(fd, &st) && st.f_type == TRACEFS_MAGIC;
}

/* A mount that is in no directory: it ends with its file descriptor. */
static int mount_detached(void)
{
	int context = syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC), root = -1;

	if (context < 0)
		return -errno;
	if (!syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		root = syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	if (root < 0)
		root = -errno;
	close(context);
	return root;
}

/* Its root directory, opened once; or a negative errno. */
static int tracefs_root(void)
{
	static const char *const places[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	static int root = -1;
	unsigned int i;

	for (i = 0; root < 0 && i < sizeof(places) / sizeof(*places); i++) {
		root = open(places[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (root >= 0 && !is_tracefs(root)) {
			close(root);
			root = -1;
		}
	}
	if (root < 0)
		root = mount_detached();
	return root;
}

int tracefs_open(const char *path)
{
	int root = tracefs_root(), fd;

	if (root < 0)
		return root;
	fd = openat(root, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static FILE *open_of_event(const char *system, const char *event, const char *file)
{
	char path[256];
	int fd;

	/* Names of events are words: what has a slash leads elsewhere. */
	if (strchr(system, '/') || strchr(event, '/')) {
		errno = ENOENT;
		return NULL;
	}
	snprintf(path, sizeof(path), "events/%s/%s/%s", system, event, file);
	fd = tracefs_open(path);
	if (fd >= 0)
		return fdopen(fd, "r");
	errno = -fd;
	return NULL;
}

/* Cuts "[16]", where it ends @text, off it; what was in the brackets goes to @count. */
static bool cut_brackets(char *text, char *count, size_t size)
{
	char *open = strrchr(text, '['), *close = strrchr(text, ']');

	if (!open || !close || close < open || close[1])
		return false;
	*close = *open = 0;
	snprintf(count, size, "%s", open + 1);
	return true;
}

/* Cuts the word that ends @text off it, and the spaces before that. */
static char *cut_name(char *text)
{
	char *end = text + strlen(text), *name;

	while (end > text && (isalnum((unsigned char)end[-1]) || end[-1] == '_'))
		end--;
	name = strdup(end);
	*end = 0;
	while (end > text && end[-1] == ' ')
		*--end = 0;
	return name;
}

/* "char comm[16]", "__data_loc char[] name", "const char * filename" */
static bool parse_declaration(char *text, struct trace_field *field)
{
	char count[32] = "", *name;
	bool brackets = cut_brackets(text, count, sizeof(count));

	name = cut_name(text);
	if (!name || !*name || !*text) {
		free(name);
		return false;
	}
	snprintf(field->name, sizeof(field->name), "%s", name);
	free(name);
	snprintf(field->type, sizeof(field->type), brackets ? "%s[%s]" : "%s", text, count);
	field->relative = !strncmp(text, "__rel_loc ", 10);
	field->is_dynamic = field->relative || !strncmp(text, "__data_loc ", 11);
	field->is_array = brackets || field->is_dynamic || strchr(text, '[');
	field->elements = strtoul(count, NULL, 0);
	return true;
}

/* "\tfield:unsigned long call_site;\toffset:8;\tsize:8;\tsigned:0;" */
static bool parse_field(char *line, struct trace_field *field)
{
	char *text = strstr(line, "field:"), *end = text ? strchr(text, ';') : NULL;
	int is_signed = 0;

	if (!end || sscanf(end, ";\toffset:%u;\tsize:%u;\tsigned:%d;", &field->offset, &field->size,
			   &is_signed) < 2)
		return false;
	field->is_signed = is_signed;
	*end = 0;
	return parse_declaration(text + 6, field);
}

int tracepoint_fields(const char *system, const char *event, struct trace_field *fields,
		      size_t room)
{
	FILE *file = open_of_event(system, event, "format");
	struct trace_field field = {};
	char *line = NULL;
	size_t size = 0;
	int count = 0;

	if (!file)
		return -errno;
	while (getline(&line, &size, file) > 0) {
		if (!parse_field(line, &field) || !strncmp(field.name, "common_", 7))
			continue;
		if (fields && (size_t)count < room)
			fields[count] = field;
		count++;
	}
	free(line);
	fclose(file);
	return count;
}

char *tracepoint_print_format(const char *system, const char *event)
{
	FILE *file = open_of_event(system, event, "format");
	char *line = NULL;
	size_t size = 0;

	if (!file)
		return NULL;
	while (getline(&line, &size, file) > 0) {
		if (!strncmp(line, "print fmt:", 10)) {
			fclose(file);
			return line;
		}
	}
	free(line);
	fclose(file);
	errno = EINVAL;
	return NULL;
}

int tracepoint_id(const char *system, const char *event)
{
	FILE *file = open_of_event(system, event, "id");
	int id = -EINVAL;

	if (!file)
		return -errno;
	if (fscanf(file, "%d", &id) != 1)
		id = -EINVAL;
	fclose(file);
	return id;
}

int tracepoint_each(int (*found)(const char *system, const char *event, void *arg), void *arg)
{
	int fd = tracefs_open("available_events"), err = 0;
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char *line = NULL, *event;
	size_t size = 0;

	if (fd < 0)
		return fd;
	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	while (!err && getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = 0;
		event = strchr(line, ':');
		if (!event)
			continue;
		*event++ = 0;
		err = found(line, event, arg);
	}
	free(line);
	fclose(file);
	return err;
}
