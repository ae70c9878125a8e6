// SPDX-License-Identifier: GPL-2.0-only
/*
 * What `pprof --symbols BINARY` is asked, and answers: lines of /proc/PID/maps and lines with an
 * address (0x...) come on standard input, in any order; for each address goes a line with the
 * function's name to standard output, in the addresses' order, when all have come. gperftools' heap
 * checker runs that, or what PPROF_PATH names, to put names into its reports
 * (src/symbolize.cc there).
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "say.h"
#include "symbolize.h"
#include "utf8.h"

/* A path of PATH_MAX and what is in front of it; of longer lines the rest is not looked at. */
#define LINE_LEN 8192

/* The heap checker has room for 1024 bytes a line, and takes nothing at all if that does not do. */
#define NAME_LEN 1023

#define BATCH	 4096

/* A part of a file that is mapped. */
struct mapping {
	uint64_t start, end;
	uint64_t offset; /* of `start` in the file */
	char *path;	 /* shared with the mapping before if that is of the same file */
};

struct question {
	uint64_t addr;
	bool readable; /* it is an address that fits 64 bits */
};

struct input {
	struct mapping *mappings;
	size_t mapping_count, mapping_room;
	struct question *questions;
	size_t question_count, question_room;
};

/* A question on its way to its answer. */
struct look_up {
	unsigned int index; /* of its answer */
	uint64_t addr;
	const struct mapping *mapping; /* NULL: in none */
};

static void *or_die(void *memory)
{
	if (!memory) {
		say_error("out of memory for the addresses");
		exit(EXIT_FAILED);
	}
	return memory;
}

/* One more in @array, of @count elements of @size. */
static void *one_more(void *array, size_t *count, size_t *room, size_t size)
{
	if (*count == *room) {
		*room = *room ? 2 * *room : 256;
		array = or_die(reallocarray(array, *room, size));
	}
	++*count;
	return array;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* The first 0x... in @line that is a word by itself. */
static bool find_address(const char *line, struct question *q)
{
	const char *at, *end;

	for (at = line; (at = strcasestr(at, "0x")); at += 2) {
		if (at > line && is_word(at[-1]))
			continue;
		for (end = at + 2; isxdigit((unsigned char)*end);)
			end++;
		if (end == at + 2 || is_word(*end))
			continue;
		q->readable = parse_address(at, end - at, &q->addr);
		return true;
	}
	return false;
}

/* As proc(5) describes lines of /proc/PID/maps. */
static bool parse_mapping(const char *line, struct mapping *m)
{
	unsigned long long start, end, offset;
	int path = 0;

	if (sscanf(line, "%llx-%llx %*4s %llx %*x:%*x %*u %n", &start, &end, &offset, &path) < 3 ||
	    !path)
		return false;
	m->start = start;
	m->end = end;
	m->offset = offset;
	m->path = (char *)line + path;
	return true;
}

static void take_line(struct input *in, const char *line)
{
	struct mapping m, *before;
	struct question q = {};

	if (parse_mapping(line, &m)) {
		if (*m.path != '/' || m.start >= m.end)
			return;
		before = in->mapping_count ? &in->mappings[in->mapping_count - 1] : NULL;
		m.path = before && !strcmp(before->path, m.path) ? before->path
								 : or_die(strdup(m.path));
		in->mappings =
			one_more(in->mappings, &in->mapping_count, &in->mapping_room, sizeof(m));
		in->mappings[in->mapping_count - 1] = m;
	} else if (find_address(line, &q)) {
		in->questions =
			one_more(in->questions, &in->question_count, &in->question_room, sizeof(q));
		in->questions[in->question_count - 1] = q;
	}
}

/* Returns 0 or a negative errno. */
static int read_input(struct input *in)
{
	char line[LINE_LEN];
	size_t length = 0;
	int c, err;

	while ((c = getc_unlocked(stdin)) != EOF) {
		if (c == '\n') {
			line[length] = 0;
			take_line(in, line);
			length = 0;
		} else if (length < sizeof(line) - 1 && c != '\r') {
			line[length++] = c ? c : ' ';
		}
	}
	err = ferror(stdin) ? -errno : 0;
	line[length] = 0;
	take_line(in, line);
	return err;
}

static int by_start(const void *a, const void *b)
{
	const struct mapping *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static const struct mapping *find_mapping(const struct input *in, uint64_t addr)
{
	size_t low = 0, high = in->mapping_count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (in->mappings[middle].start <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low && addr < in->mappings[low - 1].end ? &in->mappings[low - 1] : NULL;
}

static int by_file(const void *a, const void *b)
{
	const struct look_up *x = a, *y = b;
	const char *p = x->mapping ? x->mapping->path : NULL;
	const char *q = y->mapping ? y->mapping->path : NULL;

	return p < q ? -1 : p > q;
}

/* Takes what is between @open and @close away from @name, inner pairs first. */
static void strip_pairs(char *name, char open, char close)
{
	char *to = name, *from, *opened;

	for (from = name; *from; from++) {
		*to++ = *from;
		if (*from != close)
			continue;
		opened = memrchr(name, open, to - name);
		if (!opened)
			continue;
		to = opened;
		/* A method's "const" goes with its arguments. */
		if (open == '(' && !strncmp(from + 1, " const", 6) && !is_word(from[7]))
			from += 6;
	}
	*to = 0;
}

/* As pprof shortens names: without the types of arguments, of templates and of the result. */
static void shorten(char *name)
{
	char *space, *word;

	strip_pairs(name, '(', ')');
	strip_pairs(name, '<', '>');
	for (space = name + strlen(name); space > name && space[-1] == ' ';)
		*--space = 0;
	while ((space = memrchr(name, ' ', space - name))) {
		for (word = space + 1; is_word(*word);)
			word++;
		if (word > space + 1 && !strncmp(word, "::", 2)) {
			memmove(name, space + 1, strlen(space));
			return;
		}
	}
}

static char *answer(const struct blaze_sym *sym)
{
	char clean[NAME_LEN], *name;

	if (!sym->name)
		return NULL;
	name = or_die(strdup(sym->name));
	shorten(name);
	utf8_clean(clean, sizeof(clean), *name ? name : sym->name, true);
	free(name);
	return or_die(strdup(clean));
}

/* Asks the file at @path, by offsets in it or by its own addresses. False if it cannot be read. */
static bool ask_file(blaze_symbolizer *symbolizer, const char *path, bool by_offset,
		     const struct look_up *look_ups, size_t count, char **answers)
{
	struct blaze_symbolize_src_elf src = {
		.type_size = sizeof(src),
		.path = path,
		.debug_syms = true,
	};
	const struct blaze_syms *syms;
	uint64_t addrs[BATCH];
	size_t i;

	for (i = 0; i < count; i++) {
		addrs[i] = look_ups[i].addr;
		if (by_offset)
			addrs[i] += look_ups[i].mapping->offset - look_ups[i].mapping->start;
	}
	syms = by_offset ? blaze_symbolize_elf_file_offsets(symbolizer, &src, addrs, count)
			 : blaze_symbolize_elf_virt_offsets(symbolizer, &src, addrs, count);
	if (!syms)
		return false;
	for (i = 0; i < count; i++)
		answers[look_ups[i].index] = answer(&syms->syms[i]);
	blaze_syms_free(syms);
	return true;
}

/*
 * @count questions about one file. If that is not here, @binary may be the same file at another
 * place; else the addresses are taken for @binary's own, as are those that nothing is said of.
 */
static bool ask(blaze_symbolizer *symbolizer, const char *binary, const struct look_up *look_ups,
		size_t count, char **answers)
{
	const char *path = look_ups->mapping ? look_ups->mapping->path : NULL;
	bool same = path && !strcmp(basename(path), basename(binary));

	return (path && ask_file(symbolizer, path, true, look_ups, count, answers)) ||
	       ask_file(symbolizer, binary, same, look_ups, count, answers);
}

/* @count questions, at most BATCH. Returns an error if BINARY was needed and is not there, or 0. */
static blaze_err answer_some(blaze_symbolizer *symbolizer, const char *binary,
			     const struct input *in, const struct question *questions,
			     unsigned int count, FILE *to)
{
	static struct look_up look_ups[BATCH];
	static char *answers[BATCH];
	unsigned int i, n, asked = 0;
	blaze_err err = BLAZE_ERR_OK;

	for (i = 0; i < count; i++) {
		answers[i] = NULL;
		if (questions[i].readable)
			look_ups[asked++] = (struct look_up){ i, questions[i].addr,
							      find_mapping(in, questions[i].addr) };
	}
	qsort(look_ups, asked, sizeof(*look_ups), by_file);
	for (i = 0; i < asked; i += n) {
		for (n = 1; i + n < asked && !by_file(&look_ups[i], &look_ups[i + n]);)
			n++;
		if (!ask(symbolizer, binary, &look_ups[i], n, answers))
			err = blaze_err_last();
	}
	for (i = 0; i < count; i++) {
		fprintf(to, "%s\n", answers[i] ? answers[i] : "??");
		free(answers[i]);
	}
	return err;
}

int pprof_symbols(blaze_symbolizer *symbolizer, const char *binary, struct output *out)
{
	blaze_err err = BLAZE_ERR_OK, failed;
	struct input in = {};
	size_t i, count;
	int status;

	status = read_input(&in);
	if (status) {
		say_error("cannot read standard input: %s", strerror(-status));
		return EXIT_FAILED;
	}
	if (in.mapping_count)
		qsort(in.mappings, in.mapping_count, sizeof(*in.mappings), by_start);
	for (i = 0; i < in.question_count && !out->error; i += count) {
		count = in.question_count - i < BATCH ? in.question_count - i : BATCH;
		failed = answer_some(symbolizer, binary, &in, &in.questions[i], count, out->file);
		if (failed)
			err = failed;
		output_flush(out);
	}
	/* The rest of the memory goes with the process. */
	if (err) {
		say_error("addresses have no names that only '%s' could tell: %s", binary,
			  blaze_err_str(err));
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}
