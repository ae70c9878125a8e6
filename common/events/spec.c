// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>
#include "abi.h"
#include "caret.h"
#include "events/perf_names.h"
#include "events/spec.h"
#include "say.h"

static const char *const kinds[] = {
	[SPEC_TRACEPOINT] = "tracepoint", [SPEC_KPROBE] = "kprobe", [SPEC_KRETPROBE] = "kretprobe",
	[SPEC_FENTRY] = "fentry",	  [SPEC_FEXIT] = "fexit",   [SPEC_UPROBE] = "uprobe",
	[SPEC_URETPROBE] = "uretprobe",	  [SPEC_USDT] = "usdt",	    [SPEC_PERF] = "perf",
};

/* What an attribute's value is. */
enum value {
	VALUE_NONE,
	VALUE_EXPRESSION,
	VALUE_TEXT,
	VALUE_FRAMES,
};

static const struct {
	const char *name;
	enum value value;
	bool several;
} attributes[] = {
	[ATTR_KEY] = { "key", VALUE_EXPRESSION, false },
	[ATTR_NUM] = { "num", VALUE_EXPRESSION, false },
	[ATTR_TOP_BY] = { "top-by", VALUE_EXPRESSION, true },
	[ATTR_TOP_ADD] = { "top-add", VALUE_EXPRESSION, true },
	[ATTR_COMM] = { "comm", VALUE_EXPRESSION, false },
	[ATTR_PTR] = { "ptr", VALUE_EXPRESSION, false },
	[ATTR_SIZE] = { "size", VALUE_EXPRESSION, false },
	[ATTR_ROLE] = { "role", VALUE_EXPRESSION, false },
	[ATTR_ALIAS] = { "alias", VALUE_TEXT, true },
	[ATTR_STACK] = { "stack", VALUE_NONE, false },
	[ATTR_MAX_STACK] = { "max-stack", VALUE_FRAMES, false },
	[ATTR_UNTRACED] = { "untraced", VALUE_NONE, false },
	[ATTR_TRIGGER] = { "trigger", VALUE_NONE, false },
	[ATTR_PRINTKEY] = { "printkey", VALUE_TEXT, false },
};

/* A list that is being taken apart. */
struct scan {
	const char *text;
	size_t at; /* in bytes */
	struct spec_error *error;
};

static int wrong(struct scan *s, size_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int wrong(struct scan *s, size_t at, const char *format, ...)
{
	va_list args;

	s->error->at = at;
	va_start(args, format);
	vsnprintf(s->error->what, sizeof(s->error->what), format, args);
	va_end(args);
	return -EINVAL;
}

/* As table_add(): a list with events missing would be a wrong one. */
static void *have(void *memory)
{
	if (!memory) {
		say_error("out of memory for the events");
		exit(EXIT_FAILED);
	}
	return memory;
}

static char here(const struct scan *s)
{
	return s->text[s->at];
}

static void skip_spaces(struct scan *s)
{
	while (isspace((unsigned char)here(s)))
		s->at++;
}

/* A copy of the text from @from to @to, without the spaces around it. */
static char *copy(const struct scan *s, size_t from, size_t to)
{
	while (from < to && isspace((unsigned char)s->text[from]))
		from++;
	while (to > from && isspace((unsigned char)s->text[to - 1]))
		to--;
	return have(strndup(s->text + from, to - from));
}

/* The same of text that is all in quotes, or in none, without them. */
static char *copy_text(const struct scan *s, size_t from, size_t to)
{
	char *text = copy(s, from, to);
	size_t length = strlen(text);

	if (length > 1 && *text == '"' && text[length - 1] == '"') {
		text[length - 1] = 0;
		memmove(text, text + 1, length - 1);
	}
	return text;
}

/* Goes behind the quote that ends what begins here. */
static int skip_quoted(struct scan *s)
{
	size_t begin = s->at;
	char quote = s->text[s->at++];

	for (; here(s) && here(s) != quote; s->at++) {
		if (here(s) == '\\' && s->text[s->at + 1])
			s->at++;
	}
	if (!here(s))
		return wrong(s, begin, "this quote has no end");
	s->at++;
	return 0;
}

/*
 * Goes to the first of the characters @ends outside of quotes, or to the list's end. Notes in @to
 * what was passed, without its quotes and their backslashes; a name, which the caller frees.
 */
static int scan_word(struct scan *s, const char *ends, char **word)
{
	size_t begin, used = 0;
	char *to = have(malloc(strlen(s->text + s->at) + 1));

	while (here(s) && !strchr(ends, here(s))) {
		if (here(s) != '"') {
			to[used++] = s->text[s->at++];
			continue;
		}
		begin = s->at;
		if (skip_quoted(s)) {
			free(to);
			return -EINVAL;
		}
		for (begin++; begin < s->at - 1; begin++) {
			begin += s->text[begin] == '\\';
			to[used++] = s->text[begin];
		}
	}
	while (used && isspace((unsigned char)to[used - 1]))
		used--;
	to[used] = 0;
	*word = to;
	return 0;
}

static int need_word(struct scan *s, const char *ends, char **word, const char *what)
{
	size_t begin = s->at;

	if (scan_word(s, ends, word))
		return -EINVAL;
	if (**word)
		return 0;
	free(*word);
	*word = NULL;
	return wrong(s, begin, "%s is missing here", what);
}

/* Is there a quote between @from and here? */
static bool is_quoted(const struct scan *s, size_t from)
{
	return memchr(s->text + from, '"', s->at - from);
}

/*
 * Goes behind what a filter or attribute is: to a slash or comma that is in no quotes or brackets.
 */
static int skip_part(struct scan *s)
{
	unsigned int depth = 0;
	size_t opened = 0;

	while (here(s) && (depth || (here(s) != '/' && here(s) != ','))) {
		if (here(s) == '"' || here(s) == '\'') {
			if (skip_quoted(s))
				return -EINVAL;
			continue;
		}
		if (here(s) == '(' || here(s) == '[') {
			opened = depth++ ? opened : s->at;
		} else if (here(s) == ')' || here(s) == ']') {
			if (!depth)
				return wrong(s, s->at, "this bracket closes nothing");
			depth--;
		}
		s->at++;
	}
	return depth ? wrong(s, opened, "this bracket is not closed") : 0;
}

/* The number @text, all of it; hexadecimal with 0x. */
static bool parse_number(const char *text, uint64_t *number)
{
	char *end;

	errno = 0;
	if (!isdigit((unsigned char)*text))
		return false;
	*number = strtoull(text, &end, 0);
	return !*end && !errno;
}

/* "FUNC", "FUNC+OFFSET" or, in files, "0xADDR". */
static int split_function(struct scan *s, size_t at, struct spec *spec, bool in_file)
{
	const char *last = memrchr(s->text + at, '"', s->at - at);
	char *plus = strrchr(spec->name, '+');

	spec->plain_name = last;
	/* In quotes it is part of the name. */
	if (last && !memchr(last, '+', s->text + s->at - last))
		return 0;
	if (!last && !strncasecmp(spec->name, "0x", 2)) {
		if (!in_file)
			return wrong(s, at,
				     "addresses are for uprobes; here a function's name is needed");
		if (!parse_number(spec->name, &spec->address))
			return wrong(s, at,
				     "this is no address: it needs to be 0x and up to 16 digits");
		free(spec->name);
		spec->name = NULL;
		return 0;
	}
	if (!plus || plus == spec->name)
		return 0;
	if (!parse_number(plus + 1, &spec->offset))
		return wrong(s, at + (plus - spec->name) + 1,
			     "behind + a number of bytes is needed, such as 16 or 0x10");
	*plus = 0;
	if (spec_name_is_wild(spec))
		return wrong(s, at, "wildcards and an offset do not go together");
	return 0;
}

static int parse_function(struct scan *s, struct spec *spec)
{
	bool in_file = spec->kind == SPEC_UPROBE || spec->kind == SPEC_URETPROBE;
	size_t at = s->at;
	int err = need_word(s, in_file ? "@/," : "/,", &spec->name, "a function's name");

	if (!err)
		err = split_function(s, at, spec, in_file);
	if (err || here(s) != '@') {
		if (!err && in_file && !spec->name)
			return wrong(s, at, "an address needs its file: 0xADDR@\"FILE\"");
		return err;
	}
	at = ++s->at;
	if (here(s) == '/')
		return wrong(s, at,
			     "a file's name with slashes needs quotes: FUNC@\"/path/to/FILE\"");
	err = need_word(s, "/,", &spec->file, "a file's name");
	if (!err && spec->offset && (spec->kind == SPEC_URETPROBE))
		return wrong(s, spec->at, "a return has no offset: leave it out");
	return err;
}

/* "FILE[:provider:name]": here slashes belong to FILE. */
static int parse_usdt(struct scan *s, struct spec *spec)
{
	size_t at;

	if (need_word(s, here(s) == '"' ? ":/," : ":,", &spec->file, "a file's name"))
		return -EINVAL;
	if (here(s) != ':')
		return 0;
	at = ++s->at;
	if (need_word(s, ":/,", &spec->system, "a provider's name"))
		return -EINVAL;
	spec->plain_system = is_quoted(s, at);
	if (here(s) != ':')
		return wrong(s, s->at, "a probe's name is missing here: usdt:FILE:provider:name");
	at = ++s->at;
	if (need_word(s, "/,", &spec->name, "a probe's name"))
		return -EINVAL;
	spec->plain_name = is_quoted(s, at);
	return 0;
}

static int parse_modifiers(struct scan *s, struct spec *spec)
{
	size_t at = ++s->at, good;

	if (need_word(s, "/,", &spec->modifiers, "a modifier (u, k)"))
		return -EINVAL;
	good = strspn(spec->modifiers, "uk");
	if (spec->modifiers[good])
		return wrong(s, at + good,
			     "there are the modifiers u (user) and k (kernel), not '%c'",
			     spec->modifiers[good]);
	return 0;
}

/* A perf event is one word, which has to be known if it has no wildcards. */
static int parse_perf(struct scan *s, struct spec *spec)
{
	spec->kind = SPEC_PERF;
	if (here(s) == ':')
		return parse_modifiers(s, spec);
	if (spec_name_is_wild(spec) || perf_name_find(spec->name, strlen(spec->name), NULL))
		return 0;
	return wrong(
		s, spec->at,
		"there is no event '%.64s': a tracepoint is sys:name, and `list` shows what there is",
		spec->name);
}

static bool kind_of(const char *word, enum spec_kind *kind)
{
	unsigned int i;

	for (i = SPEC_KPROBE; i < SPEC_PERF; i++) {
		if (!strcmp(word, kinds[i])) {
			*kind = i;
			return true;
		}
	}
	return false;
}

/* What names the event, up to its filter. */
static int parse_name(struct scan *s, struct spec *spec)
{
	size_t at = s->at, length;
	bool plain;
	char *word;

	if (need_word(s, ":/,", &word, "an event"))
		return -EINVAL;
	plain = is_quoted(s, at);
	spec->name = word;
	spec->plain_name = plain;
	length = strlen(word);
	if (here(s) != ':' || perf_name_find(word, length, NULL))
		return parse_perf(s, spec);
	s->at++;
	spec->name = NULL;
	spec->plain_name = false;
	if (!kind_of(word, &spec->kind)) {
		spec->system = word;
		spec->plain_system = plain;
		at = s->at;
		if (need_word(s, "/,", &spec->name, "a tracepoint's name"))
			return -EINVAL;
		spec->plain_name = is_quoted(s, at);
		return 0;
	}
	free(word);
	return spec->kind == SPEC_USDT ? parse_usdt(s, spec) : parse_function(s, spec);
}

static int find_attribute(struct scan *s, size_t at, size_t length)
{
	char all[160] = "";
	unsigned int i, used = 0;

	for (i = 0; i < SPEC_ATTRS; i++) {
		if (strlen(attributes[i].name) == length &&
		    !strncmp(attributes[i].name, s->text + at, length))
			return i;
		used += snprintf(all + used, sizeof(all) - used, " %s%s", attributes[i].name,
				 attributes[i].value == VALUE_NONE ? "" : "=");
	}
	return wrong(s, at, "this is no attribute; there are%s (and a division needs parentheses)",
		     all);
}

static int parse_value(struct scan *s, struct spec_attr *attr)
{
	switch (attributes[attr->id].value) {
	case VALUE_NONE:
		if (!attr->value)
			return 0;
		return wrong(s, attr->at, "%s takes no value", attributes[attr->id].name);
	case VALUE_FRAMES:
		if (attr->value && parse_number(attr->value, &attr->number) && attr->number &&
		    attr->number <= MAX_STACK)
			return 0;
		return wrong(s, attr->at, "max-stack= needs a number of frames from 1 to %u",
			     MAX_STACK);
	default:
		if (attr->value && *attr->value)
			return 0;
		return wrong(s, attr->at, "%s= needs a value behind it", attributes[attr->id].name);
	}
}

/* The attribute between @from and @to, which are not the same. */
static int parse_attribute(struct scan *s, struct spec *spec, size_t from, size_t to)
{
	const char *equals = memchr(s->text + from, '=', to - from);
	size_t length = equals ? (size_t)(equals - s->text) - from : to - from;
	struct spec_attr attr = { .at = equals ? from + length + 1 : from };
	int id;

	while (length && isspace((unsigned char)s->text[from + length - 1]))
		length--;
	id = find_attribute(s, from, length);
	if (id < 0)
		return id;
	attr.id = id;
	if (spec_attr(spec, attr.id, 0) && !attributes[id].several)
		return wrong(s, from, "%s is there already", attributes[id].name);
	if (equals)
		attr.value = attributes[id].value == VALUE_TEXT ? copy_text(s, attr.at, to)
								: copy(s, attr.at, to);
	spec->attrs = have(realloc(spec->attrs, (spec->attr_count + 1) * sizeof(attr)));
	spec->attrs[spec->attr_count++] = attr;
	return parse_value(s, &spec->attrs[spec->attr_count - 1]);
}

/* The parts behind the name: a filter, and attributes. */
static int parse_parts(struct scan *s, struct spec *spec)
{
	bool first = true;
	size_t from;

	for (; here(s) == '/'; first = false) {
		s->at++;
		skip_spaces(s);
		from = s->at;
		if (skip_part(s))
			return -EINVAL;
		if (s->at == from)
			continue;
		if (!first && parse_attribute(s, spec, from, s->at))
			return -EINVAL;
		if (!first)
			continue;
		spec->filter = copy(s, from, s->at);
		spec->filter_at = from;
	}
	return 0;
}

/* `profile` has its rate where others have their filter. */
static void settle_profile(struct spec *spec)
{
	if (spec->kind == SPEC_PERF && !strcmp(spec->name, PERF_PROFILE_NAME) && spec->filter &&
	    *spec->filter == '-') {
		spec->options = spec->filter;
		spec->filter = NULL;
		spec->filter_at = 0;
	}
}

static int parse_one(struct scan *s, struct spec *spec)
{
	int err;

	skip_spaces(s);
	spec->at = s->at;
	err = parse_name(s, spec);
	if (err)
		return err;
	spec->text = copy(s, spec->at, s->at);
	err = parse_parts(s, spec);
	settle_profile(spec);
	return err;
}

int spec_parse(const char *text, struct spec_list *list, struct spec_error *error)
{
	struct scan s = { .text = text, .error = error };
	int err;

	memset(list, 0, sizeof(*list));
	memset(error, 0, sizeof(*error));
	do {
		s.at += list->count != 0;
		list->specs = have(realloc(list->specs, (list->count + 1) * sizeof(*list->specs)));
		memset(&list->specs[list->count], 0, sizeof(*list->specs));
		err = parse_one(&s, &list->specs[list->count++]);
	} while (!err && here(&s) == ',');
	if (err)
		spec_list_free(list);
	return err;
}

static void spec_free(struct spec *spec)
{
	unsigned int i;

	for (i = 0; i < spec->attr_count; i++)
		free(spec->attrs[i].value);
	free(spec->attrs);
	free(spec->text);
	free(spec->system);
	free(spec->name);
	free(spec->file);
	free(spec->modifiers);
	free(spec->options);
	free(spec->filter);
}

void spec_list_free(struct spec_list *list)
{
	while (list->count)
		spec_free(&list->specs[--list->count]);
	free(list->specs);
	list->specs = NULL;
}

const struct spec_attr *spec_attr(const struct spec *spec, enum spec_attr_id id, unsigned int nth)
{
	unsigned int i;

	for (i = 0; i < spec->attr_count; i++) {
		if (spec->attrs[i].id == id && !nth--)
			return &spec->attrs[i];
	}
	return NULL;
}

const char *spec_attr_name(enum spec_attr_id id)
{
	return attributes[id].name;
}

const char *spec_kind_name(enum spec_kind kind)
{
	return kinds[kind];
}

bool spec_attr_is_expression(enum spec_attr_id id)
{
	return attributes[id].value == VALUE_EXPRESSION;
}

static bool is_wild(const char *name, bool plain)
{
	return name && !plain && strpbrk(name, "*?[");
}

static bool matches(const char *pattern, bool plain, const char *name)
{
	if (!pattern)
		return true;
	return plain ? !strcmp(pattern, name) : !fnmatch(pattern, name, 0);
}

bool spec_system_is_wild(const struct spec *spec)
{
	return is_wild(spec->system, spec->plain_system);
}

bool spec_name_is_wild(const struct spec *spec)
{
	return is_wild(spec->name, spec->plain_name);
}

bool spec_matches_system(const struct spec *spec, const char *system)
{
	return matches(spec->system, spec->plain_system, system);
}

bool spec_matches_name(const struct spec *spec, const char *name)
{
	return matches(spec->name, spec->plain_name, name);
}

/* What names of functions and probes mostly consist of. */
static bool is_usual(const char *name)
{
	for (; isalnum((unsigned char)*name) || (*name && strchr("_.$-", *name)); name++)
		;
	return !*name;
}

char *spec_quoted(const char *name)
{
	char *quoted = have(malloc(2 * strlen(name) + 3)), *to = quoted;

	*to++ = '"';
	for (; *name; name++) {
		if (*name == '"' || *name == '\\')
			*to++ = '\\';
		*to++ = *name;
	}
	strcpy(to, "\"");
	return quoted;
}

char *spec_word(const char *name)
{
	/* In place of a function, an address is one. */
	if (!is_usual(name) || !strncasecmp(name, "0x", 2))
		return spec_quoted(name);
	return have(strdup(name));
}

void spec_describe_error(char *buf, size_t size, const char *text, const struct spec_error *error)
{
	int used = snprintf(buf, size, "%s\n", error->what);

	if ((size_t)used < size)
		caret_lines(buf + used, size - used, text, error->at);
}

void spec_say_error(const char *text, const struct spec_error *error)
{
	char lines[1024];

	caret_lines(lines, sizeof(lines), text, error->at);
	say_error("%s", error->what);
	fprintf(stderr, "%s\n", lines);
}
