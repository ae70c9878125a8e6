// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "json.h"
#include "say.h"
#include "utf8.h"
#include "version.h"

json_object *json_have(json_object *object)
{
	if (!object) {
		say_error("out of memory for the answer");
		exit(EXIT_FAILED);
	}
	return object;
}

void json_add(json_object *to, const char *name, json_object *value)
{
	if (json_object_object_add(to, name, json_have(value)))
		json_have(NULL);
}

void json_add_text(json_object *to, const char *name, const char *text)
{
	size_t size;
	char *clean;

	if (!text)
		return;
	size = 3 * strlen(text) + 1;
	clean = malloc(size);
	if (!clean)
		json_have(NULL);
	utf8_clean(clean, size, text, false);
	json_add(to, name, json_object_new_string(clean));
	free(clean);
}

void json_add_number(json_object *to, const char *name, uint64_t number)
{
	json_add(to, name, json_object_new_uint64(number));
}

void json_add_address(json_object *to, const char *name, uint64_t address)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "0x%llx", (unsigned long long)address);
	json_add(to, name, json_object_new_string(digits));
}

void json_begin_rows(FILE *to, const char *tool)
{
	char when[CLOCK_LEN];

	fprintf(to, "{\"tool\":\"%s\",\"version\":\"" VERSION "\",\"time\":\"%s\",\"rows\":[", tool,
		clock_utc(when, wall_now()));
}

void json_end_rows(FILE *to)
{
	fputs("]}\n", to);
}

void json_put(FILE *to, json_object *object)
{
	fputs(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
							     JSON_C_TO_STRING_NOSLASHESCAPE),
	      to);
	json_object_put(object);
}
