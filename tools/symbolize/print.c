// SPDX-License-Identifier: GPL-2.0-only
/* What there is at an address, as lines of text or as a JSON object. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include "say.h"
#include "symbolize.h"
#include "utf8.h"

/* A copy of @text that is UTF-8, and with @printable nothing else than text; to be freed. */
static char *cleaned(const char *text, bool printable)
{
	size_t size = 3 * strlen(text) + 1;
	char *clean = malloc(size);

	if (!clean) {
		say_error("out of memory for the symbols");
		exit(EXIT_FAILED);
	}
	utf8_clean(clean, size, text, printable);
	return clean;
}

static void print_clean(FILE *to, const char *before, const char *text, const char *behind)
{
	char *clean = cleaned(text, true);

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

/* json-c returns NULL without memory, and takes NULL for null: that would be a wrong answer. */
static json_object *made(json_object *object)
{
	if (!object) {
		say_error("out of memory for the symbols");
		exit(EXIT_FAILED);
	}
	return object;
}

static void add(json_object *to, const char *name, json_object *value)
{
	json_object_object_add(to, name, made(value));
}

static void add_text(json_object *to, const char *name, const char *text)
{
	char *clean = cleaned(text, false);

	add(to, name, json_object_new_string(clean));
	free(clean);
}

static void add_source(json_object *frame, const struct blaze_symbolize_code_info *source)
{
	char path[8192];

	if (!source->file || !source->line)
		return;
	snprintf(path, sizeof(path), "%s%s%s", source->dir ? source->dir : "",
		 source->dir ? "/" : "", source->file);
	add_text(frame, "file", path);
	add(frame, "line", json_object_new_uint64(source->line));
}

static json_object *frames(uint64_t addr, const struct blaze_sym *sym, const char *module)
{
	json_object *list = made(json_object_new_array()), *frame;
	char hex[32];
	size_t i;

	for (i = sym->inlined_cnt; i--;) {
		frame = made(json_object_new_object());
		add_text(frame, "name", sym->inlined[i].name ? sym->inlined[i].name : "??");
		if (module)
			add_text(frame, "module", module);
		add_source(frame, &sym->inlined[i].code_info);
		add(frame, "inlined", json_object_new_boolean(true));
		json_object_array_add(list, frame);
	}
	frame = made(json_object_new_object());
	if (sym->name) {
		add_text(frame, "name", sym->name);
		add(frame, "offset", json_object_new_uint64(sym->offset));
	} else {
		json_object_object_add(frame, "name", NULL);
		snprintf(hex, sizeof(hex), "0x%llx", (unsigned long long)addr);
		add_text(frame, "addr", hex);
		add_text(frame, "reason", blaze_symbolize_reason_str(sym->reason));
	}
	if (module)
		add_text(frame, "module", module);
	add_source(frame, &sym->code_info);
	json_object_array_add(list, frame);
	return list;
}

void print_json(FILE *to, uint64_t addr, const struct blaze_sym *sym, const char *module)
{
	json_object *row = made(json_object_new_object());
	char hex[32];

	snprintf(hex, sizeof(hex), "0x%llx", (unsigned long long)addr);
	add_text(row, "addr", hex);
	add(row, "stack", frames(addr, sym, module));
	fputs(json_object_to_json_string_ext(row, JSON_C_TO_STRING_PLAIN |
							  JSON_C_TO_STRING_NOSLASHESCAPE),
	      to);
	json_object_put(row);
}
