// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/btf.h>
#include "events/kernel_functions.h"
#include "kernel.h"
#include "tracefs.h"

/* Functions of a BTF, sorted by their names. */
struct function {
	const char *name;
	__u32 prototype;
};

/* The kernel's, or a module's. What has been read stays. */
struct functions {
	char *module; /* NULL: the kernel's own */
	const struct btf *btf;
	struct function *functions;
	size_t count;
};

static struct functions *known;
static unsigned int known_count;

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct function *)a)->name, ((const struct function *)b)->name);
}

static void read_functions(struct functions *f)
{
	__u32 count = btf__type_cnt(f->btf), id = f->module ? btf__type_cnt(kernel_btf()) : 1;

	f->functions = event_have(calloc(count, sizeof(*f->functions)));
	for (; id < count; id++) {
		const struct btf_type *type = btf__type_by_id(f->btf, id);

		if (!btf_is_func(type))
			continue;
		f->functions[f->count].name = btf__name_by_offset(f->btf, type->name_off);
		f->functions[f->count++].prototype = type->type;
	}
	qsort(f->functions, f->count, sizeof(*f->functions), by_name);
}

/* The functions of @module; there are none where its BTF cannot be read. */
static const struct functions *functions_of(const char *module)
{
	struct functions *f;
	unsigned int i;

	for (i = 0; i < known_count; i++) {
		f = &known[i];
		if (module ? f->module && !strcmp(f->module, module) : !f->module)
			return f;
	}
	known = event_have(realloc(known, (known_count + 1) * sizeof(*known)));
	f = &known[known_count++];
	memset(f, 0, sizeof(*f));
	f->module = module ? event_have(strdup(module)) : NULL;
	f->btf = kernel_btf();
	if (f->btf && module)
		f->btf = btf__load_module_btf(module, (struct btf *)kernel_btf());
	if (f->btf)
		read_functions(f);
	return f;
}

__u32 kernel_function_prototype(const char *name, const char *module, const struct btf **btf)
{
	const struct functions *f = functions_of(module);
	const struct function wanted = { .name = name }, *found;

	*btf = f->btf;
	found = f->count ? bsearch(&wanted, f->functions, f->count, sizeof(*f->functions), by_name)
			 : NULL;
	return found ? found->prototype : 0;
}

/* Cuts a line "NAME [MODULE]" apart. */
static const char *cut_module(char *line)
{
	char *open = strchr(line, '['), *close = open ? strchr(open, ']') : NULL;

	line[strcspn(line, " \t\n")] = 0;
	if (!close)
		return NULL;
	*close = 0;
	return open + 1;
}

/* What the function tracer can trace: a line each. */
static FILE *open_traceable(void)
{
	int fd = tracefs_open("available_filter_functions");

	return fd < 0 ? NULL : fdopen(fd, "r");
}

/* The next function of kallsyms, "ADDRESS TYPE NAME [MODULE]": its name, or NULL at the end. */
static char *next_symbol(FILE *file, char **line, size_t *size)
{
	char *type;

	while (getline(line, size, file) > 0) {
		type = strchr(*line, ' ');
		if (type && strchr("tTwW", type[1]) && type[2] == ' ')
			return type + 3;
	}
	return NULL;
}

static char *next_traceable(FILE *file, char **line, size_t *size)
{
	return getline(line, size, file) > 0 ? *line : NULL;
}

int kernel_functions_each(const char *pattern,
			  void (*found)(const char *name, const char *module, void *arg), void *arg)
{
	char *(*next)(FILE *, char **, size_t *) = next_traceable;
	FILE *file = open_traceable();
	char *line = NULL, *name;
	const char *module;
	size_t size = 0;

	if (!file) {
		next = next_symbol;
		file = fopen("/proc/kallsyms", "re");
	}
	if (!file)
		return -errno;
	while ((name = next(file, &line, &size))) {
		module = cut_module(name);
		if (spec_matches(pattern, name) && strncmp(name, "__ftrace_invalid", 16))
			found(name, module, arg);
	}
	free(line);
	fclose(file);
	return 0;
}

int kernel_function_find(const char *name, char *module, size_t size)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	char *line = NULL, *symbol;
	const char *in;
	int err = -ENOENT;
	size_t room = 0;

	if (!file)
		return -errno;
	while (err && (symbol = next_symbol(file, &line, &room))) {
		in = cut_module(symbol);
		if (strcmp(symbol, name))
			continue;
		snprintf(module, size, "%s", in ? in : "");
		err = 0;
	}
	free(line);
	fclose(file);
	return err;
}
