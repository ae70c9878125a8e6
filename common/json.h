/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON objects for units whose answer is no report. Without memory these end the process: json-c
 * takes its own failures for null, and an answer with that in it would be a wrong one.
 */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdint.h>
#include <stdio.h>
#include <json-c/json.h>

/* Returns @object, which must have been made. */
json_object *json_have(json_object *object);

/* Adds member @name to @to. Text in no known encoding becomes UTF-8; NULL adds nothing. */
void json_add(json_object *to, const char *name, json_object *value);
void json_add_text(json_object *to, const char *name, const char *text);
void json_add_number(json_object *to, const char *name, uint64_t number);
void json_add_address(json_object *to, const char *name, uint64_t address);

/* Writes what is before the rows of what unit @tool has to say, and what is behind them. */
void json_begin_rows(FILE *to, const char *tool);
void json_end_rows(FILE *to);

/* Writes @object, without a line's end, and lets go of it. */
void json_put(FILE *to, json_object *object);

#endif
