// SPDX-License-Identifier: GPL-2.0-only
/* What there is at an address, as lines of text or as a JSON object. */
#include <stdlib.h>
#include <string.h>
#include "json.h"
#include "say.h"
#include "symbolize.h"
#include "utf8.h"

/* Prints @text, which may come from any file, as nothing but text. */
static void print_clean(FILE *to, const char *before, const char *text, const char *behind)
{
	size_t size = 3 * strlen(text) + 1;
	char *clean = malloc(size);

	if (!clean) {
		say_error("out of memory for the symbols");
		exit(EXIT_FAILED);
	}
	utf8_clean(clean, size, text, true);
	fprintf(to, "%s%s%s", before, clean, behind);
	free(clean);
}

static void print_source(FILE *to, const struct blaze_symbolize_code_info *source)
{
	if (source->file && source->line) {
		print_clean(to, " ", source->dir ? source->dir : "", source->dir ? "/" : "");
		print_clean(to, "", source->file, "");
		fprintf(to, ":%u", source->line);
	}
	fputc('\n', to);
}

void print_text(FILE *to, uint64_t addr, const struct blaze_sym *sym, const char *module)
{
	size_t i;

	fprintf(to, "0x%llx", (unsigned long long)addr);
	if (!sym->name) {
		fprintf(to, " ?? (%s)\n", blaze_symbolize_reason_str(sym->reason));
		return;
	}
	print_clean(to, " ", sym->name, "");
	fprintf(to, "+0x%zx", sym->offset);
	if (module)
		print_clean(to, " (", module, ")");
	print_source(to, &sym->code_info);
	for (i = 0; i < sym->inlined_cnt; i++) {
		print_clean(to, "    inlined ", sym->inlined[i].name ? sym->inlined[i].name : "??",
			    "");
		print_source(to, &sym->inlined[i].code_info);
	}
}

static void add_source(json_object *frame, const struct blaze_symbolize_code_info *source)
{
	char path[8192];

	if (!source->file || !source->line)
		return;
	snprintf(path, sizeof(path), "%s%s%s", source->dir ? source->dir : "",
		 source->dir ? "/" : "", source->file);
	json_add_text(frame, "file", path);
	json_add_number(frame, "line", source->line);
}

static json_object *frames(uint64_t addr, const struct blaze_sym *sym, const char *module)
{
	json_object *list = json_have(json_object_new_array()), *frame;
	size_t i;

	for (i = sym->inlined_cnt; i--;) {
		frame = json_have(json_object_new_object());
		json_add_text(frame, "name", sym->inlined[i].name ? sym->inlined[i].name : "??");
		if (module)
			json_add_text(frame, "module", module);
		add_source(frame, &sym->inlined[i].code_info);
		json_add(frame, "inlined", json_object_new_boolean(true));
		json_object_array_add(list, frame);
	}
	frame = json_have(json_object_new_object());
	if (sym->name) {
		json_add_text(frame, "name", sym->name);
		json_add_number(frame, "offset", sym->offset);
	} else {
		json_object_object_add(frame, "name", NULL);
		json_add_address(frame, "addr", addr);
		json_add_text(frame, "reason", blaze_symbolize_reason_str(sym->reason));
	}
	if (module)
		json_add_text(frame, "module", module);
	add_source(frame, &sym->code_info);
	json_object_array_add(list, frame);
	return list;
}

void print_json(FILE *to, uint64_t addr, const struct blaze_sym *sym, const char *module)
{
	json_object *row = json_have(json_object_new_object());

	json_add_address(row, "addr", addr);
	json_add(row, "stack", frames(addr, sym, module));
	json_put(to, row);
}
