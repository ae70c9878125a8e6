// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/btf.h>
#include "events/kernel_functions.h"
#include "kernel.h"
#include "say.h"
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

/* Names, sorted, in one piece of memory. */
struct names {
	char *text;
	size_t size, count;
	const char **names;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void read_all(FILE *file, struct names *n)
{
	char *line = NULL;
	size_t room = 0, at;
	FILE *to = event_have(open_memstream(&n->text, &n->size));

	/* "NAME" or "NAME [MODULE]" */
	for (n->count = 0; getline(&line, &room, file) > 0; n->count++) {
		line[strcspn(line, " \t\n")] = 0;
		fwrite(line, strlen(line) + 1, 1, to);
	}
	free(line);
	fclose(to);
	event_have(n->text);
	n->names = event_have(calloc(n->count + 1, sizeof(*n->names)));
	for (at = n->count = 0; at < n->size; at += strlen(n->text + at) + 1)
		n->names[n->count++] = n->text + at;
	qsort(n->names, n->count, sizeof(*n->names), by_text);
}

/* What the function tracer can trace; without it, or where it does not tell, nothing. */
static void read_traceable(struct names *n)
{
	int fd = tracefs_open("available_filter_functions");
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	memset(n, 0, sizeof(*n));
	if (!file)
		return;
	read_all(file, n);
	fclose(file);
}

static bool has(const struct names *n, const char *name)
{
	return bsearch(&name, n->names, n->count, sizeof(*n->names), by_text);
}

/* Is @name that of the room before a function, which the compiler left to be patched? */
static bool is_padding(const char *name)
{
	return !strncmp(name, "__pfx_", 6) || !strncmp(name, "__cfi_", 6);
}

/* A line of kallsyms, "ADDRESS TYPE NAME [MODULE]"; false: it is no function's. */
static bool parse_symbol(char *line, struct kernel_function *f)
{
	char *type, *open, *close;

	f->address = strtoull(line, &type, 16);
	if (*type != ' ' || !strchr("tTwW", type[1]) || type[2] != ' ' || is_padding(type + 3))
		return false;
	open = strchr(type, '[');
	close = open ? strchr(open, ']') : NULL;
	f->name = type + 3;
	type[3 + strcspn(f->name, " \t\n")] = 0;
	f->module = close ? open + 1 : NULL;
	if (close)
		*close = 0;
	return true;
}

/*
 * Is @name, the next in kallsyms, among what there was while the kernel began and that is gone
 * since? Lines are in the order of addresses.
 */
static bool is_gone(const char *name, bool *in_init)
{
	if (!strcmp(name, "_sinittext"))
		*in_init = true;
	else if (!strcmp(name, "_einittext"))
		*in_init = false;
	return *in_init;
}

int kernel_functions_find(const struct event_search *search,
			  void (*add)(const struct event_search *search,
				      const struct kernel_function *function))
{
	bool wild = spec_name_is_wild(search->spec), in_init = false;
	FILE *file = fopen("/proc/kallsyms", "re");
	size_t before = search->found->count, size = 0;
	struct names traceable = {};
	struct kernel_function f;
	char *line = NULL;

	if (!file)
		return event_refuse(search, -errno, EXIT_CANNOT,
				    "cannot read the kernel's functions: %s%s", strerror(errno),
				    kernel_missing(-errno));
	if (wild)
		read_traceable(&traceable);
	while (getline(&line, &size, file) > 0) {
		if (!parse_symbol(line, &f) || is_gone(f.name, &in_init))
			continue;
		if (spec_matches_name(search->spec, f.name)) {
			if (!traceable.count || has(&traceable, f.name))
				add(search, &f);
		}
	}
	free(traceable.text);
	free(traceable.names);
	free(line);
	fclose(file);
	event_sort(search->found, before);
	return 0;
}
