// SPDX-License-Identifier: GPL-2.0-only
/*
 * USDT: probes that programs and libraries have been built with. Each place of one has a note in
 * the section .note.stapsdt: where it is, where a semaphore is that switches it on, and where its
 * arguments are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "elf_file.h"
#include "events/kind.h"
#include "events/usdt_argument.h"
#include "events/user_files.h"
#include "say.h"

#define NOTE_SECTION ".note.stapsdt"
#define BASE_SECTION ".stapsdt.base"
#define NOTE_TYPE    3
#define NOTE_OWNER   "stapsdt"

struct note {
	uint64_t address, base, semaphore;
	const char *provider, *name, *arguments;
};

/* A word of the note, as wide as the file's addresses. */
static uint64_t word(const char *desc, bool wide, unsigned int number)
{
	uint32_t half;
	uint64_t whole;

	if (wide) {
		memcpy(&whole, desc + number * sizeof(whole), sizeof(whole));
		return whole;
	}
	memcpy(&half, desc + number * sizeof(half), sizeof(half));
	return half;
}

/* Takes the @size bytes of a note at @desc apart; false: it is damaged. */
static bool parse_note(const char *desc, size_t size, bool wide, struct note *note)
{
	const char *end = desc + size, *text = desc + 3 * (wide ? 8 : 4);
	const char **to[] = { &note->provider, &note->name, &note->arguments };
	size_t i;

	if (text >= end)
		return false;
	note->address = word(desc, wide, 0);
	note->base = word(desc, wide, 1);
	note->semaphore = word(desc, wide, 2);
	for (i = 0; i < 3; i++) {
		*to[i] = text;
		text = memchr(text, 0, end - text);
		if (!text++ || (text >= end && i < 2))
			return false;
	}
	return *note->provider && *note->name;
}

/* What a file is looked through for. */
struct lookup {
	const struct event_search *search;
	const struct elf_file *file;
	const char *path;
	uint64_t base;	    /* of the file's addresses now; 0: as they were in the notes */
	bool named_plainly; /* the path can be in an event without quotes */
};

static char *full_name(const struct lookup *l, const struct note *note)
{
	char *quoted = l->named_plainly ? NULL : spec_quoted(l->path);
	char *provider = spec_word(note->provider), *probe = spec_word(note->name);
	char *name = event_text("usdt:%s:%s:%s", quoted ?: l->path, provider, probe);

	free(quoted);
	free(provider);
	free(probe);
	return name;
}

static void add(const struct lookup *l, const struct note *note)
{
	const struct spec *spec = l->search->spec;
	/* Linked anew (prelink), a file's addresses have all moved. */
	uint64_t moved = l->base && note->base ? l->base - note->base : 0;
	uint64_t offset, semaphore = 0;
	struct event *event;

	if (!spec_matches_system(spec, note->provider) || !spec_matches_name(spec, note->name))
		return;
	if (!elf_file_offset(l->file, note->address + moved, &offset))
		return;
	if (note->semaphore && !elf_file_offset(l->file, note->semaphore + moved, &semaphore))
		return;
	event = event_add(l->search->found, &usdt_kind, full_name(l, note));
	event->system = event_have(strdup(note->provider));
	event->function = event_have(strdup(note->name));
	event->file = event_have(strdup(l->path));
	event->arguments = event_have(strdup(note->arguments));
	event->machine = l->file->machine;
	event->address = note->address + moved;
	event->offset = offset;
	event->semaphore = semaphore;
}

static void read_notes(const struct lookup *l, Elf_Scn *scn)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	bool wide = gelf_getclass(l->file->elf) == ELFCLASS64;
	size_t at = 0, next, name, desc;
	const char *bytes = data ? data->d_buf : NULL;
	struct note note;
	GElf_Nhdr header;

	for (; bytes && (next = gelf_getnote(data, at, &header, &name, &desc)); at = next) {
		if (header.n_type == NOTE_TYPE && header.n_namesz == sizeof(NOTE_OWNER) &&
		    !memcmp(bytes + name, NOTE_OWNER, sizeof(NOTE_OWNER)) &&
		    parse_note(bytes + desc, header.n_descsz, wide, &note))
			add(l, &note);
	}
}

static int read_file(const struct event_search *search, const char *path)
{
	size_t before = search->found->count;
	struct elf_file file;
	struct lookup l = { .search = search, .file = &file, .path = path };
	GElf_Shdr header;
	Elf_Scn *scn;
	int err = elf_file_open(&file, path);

	if (err)
		return err;
	l.named_plainly = !strpbrk(path, ":,\"\\");
	if (elf_file_section(&file, BASE_SECTION, &header))
		l.base = header.sh_addr;
	scn = elf_file_section(&file, NOTE_SECTION, &header);
	if (scn)
		read_notes(&l, scn);
	event_sort(search->found, before);
	if (search->found->count == before && search->spec->file && strchr(search->spec->file, '/'))
		err = scn ? event_refuse(search, -ENOENT, EXIT_USAGE,
					 "'%s' has no such probe: %s:%s", path,
					 search->spec->system ?: "*", search->spec->name ?: "*")
			  : event_refuse(search, -ENOENT, EXIT_USAGE, "'%s' has no USDT probes",
					 path);
	elf_file_close(&file);
	return err;
}

static int find(const struct event_search *search)
{
	size_t before = search->found->count;
	int err = event_need_pmu(search, "uprobe", "CONFIG_UPROBE_EVENTS");

	if (!err)
		err = user_files_each(search, read_file);
	if (err || search->found->count > before || search->spec->system || !search->spec->file)
		return err;
	if (user_files_process(search))
		return event_refuse(search, -ENOENT, EXIT_USAGE,
				    "what process %s has mapped has no USDT probes",
				    search->spec->file);
	return event_refuse(search, -ENOENT, EXIT_USAGE, "'%s' has no USDT probes",
			    search->spec->file);
}

/* A symbol that is looked for. */
struct wanted {
	const struct elf_file *file;
	const char *name;
	size_t length;
	uint64_t address;
	bool found, ambiguous;
};

static void compare(const char *name, const GElf_Sym *symbol, void *arg)
{
	struct wanted *wanted = arg;

	if (symbol->st_shndx == SHN_UNDEF || strlen(name) != wanted->length ||
	    strncmp(name, wanted->name, wanted->length))
		return;
	/* Static variables of several sources may have one name. */
	wanted->ambiguous |= wanted->found && wanted->address != symbol->st_value;
	wanted->address = symbol->st_value;
	wanted->found = true;
}

static bool find_symbol(const char *name, size_t length, uint64_t *address, void *arg)
{
	struct wanted wanted = { .file = arg, .name = name, .length = length };

	elf_file_symbols(arg, compare, &wanted);
	*address = wanted.address;
	return wanted.found && !wanted.ambiguous;
}

static int read_fields(struct event *event)
{
	const char *text = event->arguments, *argument;
	struct elf_file file;
	struct usdt_probe probe = { .machine = event->machine,
				    .address = event->address,
				    .symbol = find_symbol,
				    .arg = &file };
	struct expr_field field;
	unsigned int number = 0;
	char name[16], raw[80];
	size_t length;
	bool usable;
	int err = elf_file_open(&file, event->file);

	if (err)
		return err;
	while (usdt_argument_next(&text, &argument, &length)) {
		usable = usdt_argument_parse(argument, length, &probe, &field);
		snprintf(name, sizeof(name), "arg%u", number++);
		snprintf(raw, sizeof(raw), "%.*s", (int)length, argument);
		event_add_field(event, name,
				usable ? usdt_argument_type(field.size, field.is_signed) : raw,
				usable ? &field : NULL);
	}
	elf_file_close(&file);
	return 0;
}

static char *detail(const struct event *event)
{
	return event_text("(%s)%s", event->arguments, event->semaphore ? ", has a semaphore" : "");
}

/* Where the kernel's uprobes have a semaphore's place: PERF_UPROBE_REF_CTR_OFFSET_SHIFT. */
#define SEMAPHORE_SHIFT 32

static int attach(const struct event *event, int prog, pid_t pid, struct event_links *links)
{
	/* The kernel counts the semaphore up in each process that has the file mapped. */
	struct perf_event_attr attr = {
		.config = event->semaphore << SEMAPHORE_SHIFT,
		.uprobe_path = (uintptr_t)event->file,
		.probe_offset = event->offset,
	};

	return event_attach_probe("uprobe", &attr, false, pid, prog, links);
}

const struct event_kind usdt_kind = {
	.name = "usdt",
	.title = "probe of a program or library (USDT)",
	.find = find,
	.read_fields = read_fields,
	.detail = detail,
	.program = BPF_PROG_TYPE_KPROBE,
	.attach = attach,
};
