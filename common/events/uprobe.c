// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probes at functions of programs and libraries, at offsets in them, at addresses, and at returns.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "elf_file.h"
#include "events/kind.h"
#include "events/prototype.h"
#include "events/user_files.h"
#include "say.h"

/* What a file's functions are looked through for. */
struct lookup {
	const struct event_search *search;
	const struct elf_file *file;
	const char *quoted;
	size_t first;  /* of the file's events in the list */
	bool beyond;   /* the function is there, and ends before the offset */
	bool indirect; /* ... and is chosen when a program starts */
};

static struct event *add(const struct event_search *search, const struct elf_file *file, char *name,
			 uint64_t address, uint64_t offset)
{
	struct event *event = event_add(
		search->found,
		search->spec->kind == SPEC_URETPROBE ? &uretprobe_kind : &uprobe_kind, name);

	event->machine = file->machine;
	event->address = address;
	event->offset = offset;
	return event;
}

static void add_function(const char *name, const GElf_Sym *symbol, void *arg)
{
	struct lookup *l = arg;
	const struct spec *spec = l->search->spec;
	const char *kind = spec_kind_name(spec->kind);
	unsigned int type = GELF_ST_TYPE(symbol->st_info);
	uint64_t offset;
	struct event *event;
	char *full, *word;

	if ((type != STT_FUNC && type != STT_GNU_IFUNC) || !spec_matches_name(spec, name))
		return;
	if (type == STT_GNU_IFUNC) {
		l->indirect = true;
		return;
	}
	if (symbol->st_size && spec->offset >= symbol->st_size) {
		l->beyond = true;
		return;
	}
	if (!elf_file_offset(l->file, symbol->st_value + spec->offset, &offset))
		return;
	word = spec_word(name);
	full = spec->offset ? event_text("%s:%s+%#llx@%s", kind, word,
					 (unsigned long long)spec->offset, l->quoted)
			    : event_text("%s:%s@%s", kind, word, l->quoted);
	free(word);
	event = add(l->search, l->file, full, symbol->st_value + spec->offset, offset);
	event->function = event_have(strdup(name));
}

static int add_address(const struct lookup *l)
{
	const struct spec *spec = l->search->spec;
	uint64_t offset;

	if (!elf_file_offset(l->file, spec->address, &offset))
		return event_refuse(l->search, -ENOENT, EXIT_USAGE,
				    "there is no address %#llx in %s",
				    (unsigned long long)spec->address, l->quoted);
	add(l->search, l->file,
	    event_text("%s:%#llx@%s", spec_kind_name(spec->kind), (unsigned long long)spec->address,
		       l->quoted),
	    spec->address, offset);
	return 0;
}

/* Says why there is no such function in the only file that was meant. */
static int refuse(const struct lookup *l)
{
	const struct spec *spec = l->search->spec;

	if (l->beyond)
		return event_refuse(l->search, -ENOENT, EXIT_USAGE, "%s of %s ends before +%#llx",
				    spec->name, l->quoted, (unsigned long long)spec->offset);
	if (l->indirect)
		return event_refuse(
			l->search, -ENOENT, EXIT_USAGE,
			"%s of %s stands for one of several functions (IFUNC): name that one",
			spec->name, l->quoted);
	return event_refuse(l->search, -ENOENT, EXIT_USAGE, "%s has no function %s%s", l->quoted,
			    spec->name, spec_name_is_wild(spec) ? "" : " among its symbols");
}

static int read_file(const struct event_search *search, const char *path)
{
	struct elf_file file;
	struct lookup l = { .search = search, .file = &file, .first = search->found->count };
	char *quoted;
	size_t i;
	int err = elf_file_open(&file, path);

	if (err)
		return err;
	l.quoted = quoted = spec_quoted(path);
	if (!search->spec->name)
		err = add_address(&l);
	else
		elf_file_symbols(&file, add_function, &l);
	/* Symbols are in two tables, often. */
	event_sort(search->found, l.first);
	for (i = l.first; i < search->found->count; i++)
		search->found->events[i].file = event_have(strdup(path));
	if (!err && l.first == search->found->count && search->spec->file)
		err = refuse(&l);
	free(quoted);
	elf_file_close(&file);
	return err;
}

static int find(const struct event_search *search)
{
	int err = event_need_pmu(search, "uprobe", "CONFIG_UPROBE_EVENTS");

	return err ? err : user_files_each(search, read_file);
}

static int read_fields(struct event *event)
{
	register_fields(event, event->machine, event->kind == &uretprobe_kind);
	return 0;
}

static char *detail(const struct event *event)
{
	return event_text("at 0x%llx", (unsigned long long)event->address);
}

static int attach(const struct event *event, int prog, pid_t pid, struct event_links *links)
{
	struct perf_event_attr attr = {
		.uprobe_path = (uintptr_t)event->file,
		.probe_offset = event->offset,
	};

	return event_attach_probe("uprobe", &attr, event->kind == &uretprobe_kind, pid, prog,
				  links);
}

const struct event_kind uprobe_kind = {
	.name = "uprobe",
	.title = "entry of a function of a program or library (uprobe)",
	.find = find,
	.read_fields = read_fields,
	.detail = detail,
	.program = BPF_PROG_TYPE_KPROBE,
	.attach = attach,
};

const struct event_kind uretprobe_kind = {
	.name = "uretprobe",
	.title = "return of a function of a program or library (uretprobe)",
	.find = find,
	.read_fields = read_fields,
	.detail = detail,
	.program = BPF_PROG_TYPE_KPROBE,
	.attach = attach,
};
