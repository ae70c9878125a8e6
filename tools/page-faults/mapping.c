// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "abi.h"
#include "mapping.h"
#include "page-faults.h"
#include "tally.h"

/* What stands around a name, at most. */
#define TEXT_ROOM (NAME_ROOM + NAME_COMPONENT + 32)

static struct tally texts = { .key_size = sizeof(uint64_t), .value_size = TEXT_ROOM };

/* Turns the components around: a path's first one is last. */
static void write_path(char *text, const struct mapping_name *name)
{
	const char *end = name->text + name->used, *part;

	text += sprintf(text, "%s", name->cut_off ? "..." : "");
	while (end > name->text) {
		for (part = end - 1; part > name->text && part[-1]; part--)
			;
		text += sprintf(text, "/%s", part);
		end = part;
	}
	if (name->deleted)
		strcpy(text, " (deleted)");
}

static void write_text(char *text, const struct mapping_name *name)
{
	switch (name->kind) {
	case NAME_SPECIAL:
		strcpy(text, name->text);
		break;
	case NAME_ANON:
		sprintf(text, "[anon:%s]", name->text);
		break;
	default:
		/* What has no file system has no path. */
		if (name->text[0] == '[')
			sprintf(text, "anon_inode:%s", name->text);
		else
			write_path(text, name);
	}
}

void mapping_learn(int fd, uint64_t mapping)
{
	struct mapping_name name;

	if (!(mapping & MAPPING_NAMED) || tally_find(&texts, &mapping) ||
	    bpf_map_lookup_elem(fd, &mapping, &name) || !name.used)
		return;
	/* Whatever comes from there, it ends. */
	name.used = name.used < sizeof(name.text) ? name.used : sizeof(name.text);
	name.text[name.used - 1] = 0;
	write_text(tally_at(&texts, &mapping), &name);
}

const char *mapping_text(uint64_t mapping)
{
	switch (mapping) {
	case MAPPING_ANON:
		return "[anon]";
	case MAPPING_HEAP:
		return "[heap]";
	case MAPPING_STACK:
		return "[stack]";
	default:
		return tally_find(&texts, &mapping);
	}
}

void mapping_forget_all(void)
{
	tally_clear(&texts);
}
