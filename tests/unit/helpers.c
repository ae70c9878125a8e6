// SPDX-License-Identifier: GPL-2.0-only
/* See helpers.h. */
#include "helpers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* What is returned in a buffer is looked at right away, so a few in turn are enough. */
#define TURNS 8

uint64_t random_state = 88172645463325252ULL;

uint64_t random64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static char folder[] = "/tmp/bpf-prof-test-XXXXXX";

int folder_make(void **state)
{
	(void)state;
	return !mkdtemp(folder);
}

int folder_remove(void **state)
{
	(void)state;
	return rmdir(folder);
}

const char *path_of(const char *name)
{
	static char paths[TURNS][PATH_MAX];
	static unsigned int turn;
	char *path = paths[turn++ % TURNS];

	snprintf(path, PATH_MAX, "%s/%s", folder, name);
	return path;
}

/* Calls @each, unless it is NULL, with the names in the folder; returns how many there are. */
static unsigned int each_name(const char *path, void (*each)(const char *name))
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	unsigned int count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		count++;
		if (each)
			each(entry->d_name);
	}
	closedir(dir);
	return count;
}

static void remove_name(const char *name)
{
	assert_int_equal(remove(path_of(name)), 0);
}

void folder_empty(void)
{
	each_name(folder, remove_name);
}

unsigned int folder_count(void)
{
	return each_name(folder, NULL);
}

const char *content(const char *path)
{
	static char texts[TURNS][1 << 20];
	static unsigned int turn;
	FILE *file = fopen(path, "re");
	char *text = texts[turn++ % TURNS];
	size_t size;

	if (!file)
		return NULL;
	size = fread(text, 1, sizeof(*texts) - 1, file);
	assert_true(feof(file) || size < sizeof(*texts) - 1);
	fclose(file);
	text[size] = 0;
	return text;
}

void check_content(const char *path, const char *expected)
{
	const char *text = content(path);

	if (!text)
		fail_msg("%s is not there", path);
	assert_string_equal(text, expected);
}

void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

unsigned int open_files(void)
{
	return each_name("/proc/self/fd", NULL);
}

static int kept_stderr, caught;

void catch_begin(void)
{
	fflush(stderr);
	caught = memfd_create("stderr", MFD_CLOEXEC);
	kept_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	assert_true(caught >= 0 && kept_stderr >= 0);
	dup2(caught, STDERR_FILENO);
}

const char *catch_end(void)
{
	static char told[4096];

	fflush(stderr);
	dup2(kept_stderr, STDERR_FILENO);
	close(kept_stderr);
	memset(told, 0, sizeof(told));
	assert_true(pread(caught, told, sizeof(told) - 1, 0) >= 0);
	close(caught);
	return told;
}

void check_told(const char *told, const char *mentioned)
{
	if (strncmp(told, "tester: ", 8) || strchr(told, '\n') != told + strlen(told) - 1 ||
	    !strstr(told, mentioned))
		fail_msg("told: '%s'", told);
}

void set_clocks(void)
{
	setenv("TZ", "TEST-2", 1);
	tzset();
}

void begin(struct report *r, const struct layout *rows)
{
	memset(r, 0, sizeof(*r));
	r->tool = "rundelay";
	r->time = WHEN;
	r->elapsed_ns = 2500000000;
	table_init(&r->rows, rows);
}

void end(struct report *r)
{
	table_free(&r->rows);
	table_free(&r->about);
	table_free(&r->functions);
	table_free(&r->events);
}

void add_value(struct hist *h, uint64_t value, uint64_t times)
{
	uint64_t lo, hi;
	unsigned int i;

	for (i = 0; i < HIST_BUCKETS - 1; i++) {
		hist_bounds(i, &lo, &hi);
		if (value >= lo && value < hi)
			break;
	}
	h->bucket[i] += times;
	if (!h->count || value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	h->count += times;
	h->sum += value * times;
}

struct callchain *chain_of(const struct frame *frames, unsigned int count)
{
	struct callchain *chain = callchain_new(0, count);

	chain->frames = calloc(count ? count : 1, sizeof(*frames));
	assert_non_null(chain->frames);
	if (count)
		memcpy(chain->frames, frames, count * sizeof(*frames));
	chain->frame_count = count;
	return chain;
}

char *render_with(const struct renderer *renderer, const struct report *r)
{
	struct output out = {};
	char *text = NULL;
	size_t size;

	out.file = open_memstream(&text, &size);
	assert_non_null(out.file);
	renderer->report(&out, r);
	fclose(out.file);
	assert_int_equal(strlen(text), size);
	return text;
}

void page_of(struct page *p, char *text)
{
	char *line = text, *end;

	p->text = text;
	for (p->count = 0; *line; line = end + 1) {
		end = strchr(line, '\n');
		assert_non_null(end);
		*end = 0;
		assert_in_range(p->count, 0, COUNT(p->lines) - 1);
		p->lines[p->count++] = line;
	}
}

void page_free(struct page *p)
{
	free(p->text);
}

char *render_on_terminal(const struct report *r, unsigned int lines)
{
	struct winsize size = { .ws_row = lines, .ws_col = 200 };
	char name[128], *text = calloc(1, 65536);
	struct termios raw;
	struct output out;
	int master, slave;
	ssize_t n;
	size_t used = 0;

	assert_non_null(text);
	setenv("TERM", "xterm", 1);
	assert_int_equal(openpty(&master, &slave, name, NULL, &size), 0);
	assert_int_equal(tcgetattr(slave, &raw), 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(slave, TCSANOW, &raw), 0);
	assert_int_equal(output_open(&out, name), 0);
	assert_true(out.terminal);
	out.refresh = true;
	text_renderer.report(&out, r);
	assert_int_equal(output_flush(&out), 0);
	assert_int_equal(fcntl(master, F_SETFL, O_NONBLOCK), 0);
	while ((n = read(master, text + used, 65535 - used)) > 0)
		used += n;
	assert_int_equal(output_close(&out), 0);
	close(slave);
	close(master);
	return text;
}

char *cleared(char *text)
{
	char *clear = strstr(text, "\033[2J");

	assert_non_null(clear);
	assert_null(strstr(clear + 1, "\033[2J"));
	return clear + strlen("\033[2J");
}

size_t newlines(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

json_object *parse_line(const char *text)
{
	json_tokener *tokener = json_tokener_new();
	size_t length = strlen(text);
	json_object *object;
	const char *p;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, text, length);
	if (json_tokener_get_error(tokener) != json_tokener_success)
		fail_msg("%s: %s", json_tokener_error_desc(json_tokener_get_error(tokener)), text);
	json_tokener_free(tokener);
	assert_true(json_object_is_type(object, json_type_object));
	/* One line a report, whatever is in it. */
	assert_int_equal(text[length - 1], '\n');
	for (p = text; p < text + length - 1; p++)
		assert_true((unsigned char)*p >= 0x20);
	return object;
}

json_object *render_and_parse(const struct report *r)
{
	char *text = render_with(&json_renderer, r);
	json_object *object = parse_line(text);

	free(text);
	return object;
}

json_object *member(json_object *object, const char *name)
{
	json_object *value;

	if (!json_object_object_get_ex(object, name, &value))
		fail_msg("there is no member %s", name);
	return value;
}

void check_number(json_object *object, const char *name, uint64_t expected)
{
	json_object *value = member(object, name);

	if (!json_object_is_type(value, json_type_int) || json_object_get_uint64(value) != expected)
		fail_msg("%s is %s, not %llu", name, json_object_to_json_string(value),
			 (unsigned long long)expected);
}

void check_string(json_object *object, const char *name, const char *expected)
{
	json_object *value = member(object, name);

	assert_true(json_object_is_type(value, json_type_string));
	assert_string_equal(json_object_get_string(value), expected);
}

void check_null(json_object *object, const char *name)
{
	assert_null(member(object, name));
}

json_object *element(json_object *object, const char *name, size_t index, size_t count)
{
	json_object *list = member(object, name);

	assert_true(json_object_is_type(list, json_type_array));
	assert_int_equal(json_object_array_length(list), count);
	return count ? json_object_array_get_idx(list, index) : NULL;
}
