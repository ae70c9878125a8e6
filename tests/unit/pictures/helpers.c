// SPDX-License-Identifier: GPL-2.0-only
/* What the picture tests share; see helpers.h. */

#include <ctype.h>
#include <malloc.h>
#include <string.h>
#include "helpers.h"
#include "utf8.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *p);

static unsigned long until_failure;
static long live, peak;

static bool fails(void)
{
	if (!until_failure)
		return false;
	if (until_failure > 1) {
		until_failure--;
		return false;
	}
	return true;
}

static void *counted(void *p)
{
	live += malloc_usable_size(p);
	if (live > peak)
		peak = live;
	return p;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *old, size_t size)
{
	size_t had = malloc_usable_size(old);
	void *p;

	if (fails())
		return NULL;
	p = __real_realloc(old, size);
	if (p)
		live -= had;
	return counted(p);
}

void __wrap_free(void *p)
{
	live -= malloc_usable_size(p);
	__real_free(p);
}

void memory_fail_from(unsigned long nth)
{
	until_failure = nth;
}

size_t memory_live(void)
{
	return live;
}

size_t memory_peak(void)
{
	return peak;
}

void memory_reset_peak(void)
{
	peak = live;
}

FILE *file_of(const char *text)
{
	FILE *f = fmemopen((void *)text, strlen(text), "r");

	assert_non_null(f);
	return f;
}

static char *capture_text;
static size_t capture_len;

FILE *capture(void)
{
	FILE *f = open_memstream(&capture_text, &capture_len);

	assert_non_null(f);
	return f;
}

char *captured(FILE *f)
{
	fclose(f);
	return capture_text;
}

size_t occurrences(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

/* Is @text one of the references that stand for what XML uses itself? */
static bool is_reference(const char *text)
{
	static const char *const known[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!strncmp(text, known[i], strlen(known[i])))
			return true;
	}
	return false;
}

/* Checks a tag's attributes and returns what follows the tag. */
static const char *check_tag(const char *s, bool *closed)
{
	while (isalnum(*s))
		s++;
	while (isspace(*s)) {
		while (isspace(*s))
			s++;
		assert_true(isalpha(*s));
		/* Nothing that runs a script, nothing that loads something. */
		assert_int_not_equal(strncmp(s, "on", 2), 0);
		assert_int_not_equal(strncmp(s, "src", 3), 0);
		assert_int_not_equal(strncmp(s, "href", 4), 0);
		assert_int_not_equal(strncmp(s, "xlink", 5), 0);
		while (isalpha(*s) || *s == '-')
			s++;
		assert_int_equal(s[0], '=');
		assert_int_equal(s[1], '"');
		for (s += 2; *s != '"'; s++) {
			assert_true(*s && *s != '<');
			assert_true(*s != '&' || is_reference(s));
		}
		s++;
	}
	*closed = *s == '/';
	if (*closed)
		s++;
	assert_int_equal(*s, '>');
	return s + 1;
}

void assert_self_contained(const char *text)
{
	static const char *const outside[] = { "<!DOCTYPE",	 "<!ENTITY", "<?",
					       "@import",	 "url(",     "fetch(",
					       "XMLHttpRequest", "import(",  "innerHTML" };
	char open[64][16];
	size_t depth = 0, i;
	const char *s;
	bool closed;

	for (i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		assert_null(strstr(text, outside[i]));
	assert_int_equal(occurrences(text, "://"),
			 occurrences(text, "http://www.w3.org/2000/svg\"") +
				 occurrences(text, "http://www.w3.org/1999/xhtml'"));
	for (s = text; *s; s += utf8_length(s)) {
		assert_int_not_equal(utf8_length(s), 0);
		assert_true((unsigned char)*s >= ' ' || *s == '\n' || *s == '\t');
	}

	assert_int_equal(strncmp(text, "<svg ", 5), 0);
	for (s = text; *s;) {
		if (!strncmp(s, "<![CDATA[", 9)) {
			const char *end = strstr(s, "]]>");

			assert_non_null(end);
			s = end + 3;
		} else if (!strncmp(s, "</", 2)) {
			size_t len;

			assert_true(depth > 0);
			len = strlen(open[--depth]);
			assert_int_equal(strncmp(s + 2, open[depth], len), 0);
			assert_int_equal(s[2 + len], '>');
			s += len + 3;
		} else if (*s == '<') {
			size_t len = strcspn(++s, " />");

			assert_in_range(len, 1, 15);
			assert_true(depth < 64);
			memcpy(open[depth], s, len);
			open[depth][len] = '\0';
			s = check_tag(s, &closed);
			depth += !closed;
			/* Only the script, then the end, may follow the first element's end. */
			assert_true(depth || !*s);
		} else {
			assert_true(*s != '&' || is_reference(s));
			assert_true(depth || *s == '\n');
			s++;
		}
	}
	assert_int_equal(depth, 0);
}
