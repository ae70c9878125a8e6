// SPDX-License-Identifier: GPL-2.0-only
/* Events as the command line has them: where their parts begin and end. */
#include "helpers.h"

#include <errno.h>
#include <string.h>
#include "events/perf_names.h"
#include "events/spec.h"

static struct spec_list list;
static struct spec_error error;

/* The one event of @text. */
static const struct spec *one(const char *text)
{
	spec_list_free(&list);
	if (spec_parse(text, &list, &error))
		fail_msg("%s: %s at %zu", text, error.what, error.at);
	if (list.count != 1)
		fail_msg("%s: not one event but %u", text, list.count);
	return &list.specs[0];
}

static void same(const char *found, const char *expected)
{
	if (!expected)
		assert_null(found);
	else if (!found)
		fail_msg("nothing in place of %s", expected);
	else
		assert_string_equal(found, expected);
}

static void names_say_what_kind_it_is(void **state)
{
	static const struct {
		const char *text;
		enum spec_kind kind;
		const char *system, *name, *file;
		uint64_t offset, address;
	} cases[] = {
		{ "sched:sched_switch", SPEC_TRACEPOINT, "sched", "sched_switch", NULL, 0, 0 },
		{ "syscalls:sys_enter_*", SPEC_TRACEPOINT, "syscalls", "sys_enter_*", NULL, 0, 0 },
		{ " sched:* ", SPEC_TRACEPOINT, "sched", "*", NULL, 0, 0 },
		{ "kprobes:mine", SPEC_TRACEPOINT, "kprobes", "mine", NULL, 0, 0 },
		{ "kprobe:tcp_sendmsg", SPEC_KPROBE, NULL, "tcp_sendmsg", NULL, 0, 0 },
		{ "kprobe:do_exit+0x10", SPEC_KPROBE, NULL, "do_exit", NULL, 16, 0 },
		{ "kretprobe:vfs_read", SPEC_KRETPROBE, NULL, "vfs_read", NULL, 0, 0 },
		{ "fentry:vfs_*", SPEC_FENTRY, NULL, "vfs_*", NULL, 0, 0 },
		{ "fexit:vfs_read", SPEC_FEXIT, NULL, "vfs_read", NULL, 0, 0 },
		{ "uprobe:malloc@\"/usr/lib/libc.so.6\"", SPEC_UPROBE, NULL, "malloc",
		  "/usr/lib/libc.so.6", 0, 0 },
		{ "uprobe:malloc+12@libc.so.6", SPEC_UPROBE, NULL, "malloc", "libc.so.6", 12, 0 },
		{ "uprobe:0x1139@\"/tmp/a,b:c\"", SPEC_UPROBE, NULL, NULL, "/tmp/a,b:c", 0,
		  0x1139 },
		{ "uprobe:main", SPEC_UPROBE, NULL, "main", NULL, 0, 0 },
		{ "uretprobe:\"a/b,c\"@\"q\\\"x\"", SPEC_URETPROBE, NULL, "a/b,c", "q\"x", 0, 0 },
		{ "usdt:/usr/lib/libc.so.6:libc:setjmp", SPEC_USDT, "libc", "setjmp",
		  "/usr/lib/libc.so.6", 0, 0 },
		{ "usdt:\"/a:b/c\":p:n", SPEC_USDT, "p", "n", "/a:b/c", 0, 0 },
		{ "usdt:/bin/python3", SPEC_USDT, NULL, NULL, "/bin/python3", 0, 0 },
		{ "usdt:1234:*:*", SPEC_USDT, "*", "*", "1234", 0, 0 },
		{ "cycles", SPEC_PERF, NULL, "cycles", NULL, 0, 0 },
		{ "cs", SPEC_PERF, NULL, "cs", NULL, 0, 0 },
		{ "r1A8", SPEC_PERF, NULL, "r1A8", NULL, 0, 0 },
		{ "L1-dcache-load-misses", SPEC_PERF, NULL, "L1-dcache-load-misses", NULL, 0, 0 },
		{ "*-misses", SPEC_PERF, NULL, "*-misses", NULL, 0, 0 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		const struct spec *s = one(cases[i].text);

		assert_int_equal(s->kind, cases[i].kind);
		same(s->system, cases[i].system);
		same(s->name, cases[i].name);
		same(s->file, cases[i].file);
		assert_int_equal(s->offset, cases[i].offset);
		assert_int_equal(s->address, cases[i].address);
		assert_null(s->filter);
		assert_int_equal(s->attr_count, 0);
	}
	same(one("cycles:u")->modifiers, "u");
	same(one("r1a8:k")->modifiers, "k");
}

static void parts_follow_the_name(void **state)
{
	const struct spec *s;

	(void)state;
	s = one("sched:sched_wakeup/pid>100 && prio<10 && comm~\"n/g,*\"/key=pid/stack/");
	same(s->text, "sched:sched_wakeup");
	same(s->filter, "pid>100 && prio<10 && comm~\"n/g,*\"");
	assert_int_equal(s->filter_at, strlen("sched:sched_wakeup/"));
	assert_int_equal(s->attr_count, 2);
	same(spec_attr(s, ATTR_KEY, 0)->value, "pid");
	assert_int_equal(spec_attr(s, ATTR_KEY, 0)->at,
			 strlen("sched:sched_wakeup/pid>100 && prio<10 && comm~\"n/g,*\"/key="));
	assert_null(spec_attr(s, ATTR_STACK, 0)->value);
	assert_null(spec_attr(s, ATTR_NUM, 0));

	/* Without a filter; values with all that they may have in them. */
	s = one("kmem:kmalloc//ptr=ptr/size=(bytes_req/8)*8/comm=a[b[1]]/num=x=='/'/");
	assert_null(s->filter);
	same(spec_attr(s, ATTR_PTR, 0)->value, "ptr");
	same(spec_attr(s, ATTR_SIZE, 0)->value, "(bytes_req/8)*8");
	same(spec_attr(s, ATTR_COMM, 0)->value, "a[b[1]]");
	same(spec_attr(s, ATTR_NUM, 0)->value, "x=='/'");

	/* The last slash may be missing, and spaces may be anywhere. */
	s = one("a:b/ x > 1 / key = y /untraced/trigger /max-stack=7");
	same(s->filter, "x > 1");
	same(spec_attr(s, ATTR_KEY, 0)->value, "y");
	assert_non_null(spec_attr(s, ATTR_UNTRACED, 0));
	assert_non_null(spec_attr(s, ATTR_TRIGGER, 0));
	assert_int_equal(spec_attr(s, ATTR_MAX_STACK, 0)->number, 7);
	same(one("a:b/x")->filter, "x");
	assert_null(one("a:b/")->filter);
	assert_null(one("a:b//")->filter);

	/* Columns: as many as there are, in their order. */
	s = one("a:b//top-by=x/alias=X/top-add=y/alias=\"Y, too\"/top-by=z/printkey=f(\"%s/%d\", a)/");
	same(spec_attr(s, ATTR_TOP_BY, 1)->value, "z");
	same(spec_attr(s, ATTR_ALIAS, 1)->value, "Y, too");
	same(spec_attr(s, ATTR_PRINTKEY, 0)->value, "f(\"%s/%d\", a)");
	assert_int_equal(s->attrs[2].id, ATTR_TOP_ADD);

	s = one("profile/-F 500/untraced/");
	assert_null(s->filter);
	same(s->options, "-F 500");
	assert_non_null(spec_attr(s, ATTR_UNTRACED, 0));

	s = one("uprobe:f@\"/a/b\"/arg0==1/");
	same(s->text, "uprobe:f@\"/a/b\"");
	same(s->filter, "arg0==1");
	s = one("usdt:/a/b:p:n/arg1>arg0/");
	same(s->file, "/a/b");
	same(s->filter, "arg1>arg0");
}

static void commas_separate_events(void **state)
{
	(void)state;
	spec_list_free(&list);
	assert_int_equal(spec_parse("a:b,c:d/x[1]==f(1,2)/key=\"p,q\"/,usdt:/l/m:n:o, cycles",
				    &list, &error),
			 0);
	assert_int_equal(list.count, 4);
	same(list.specs[0].name, "b");
	same(list.specs[1].filter, "x[1]==f(1,2)");
	same(spec_attr(&list.specs[1], ATTR_KEY, 0)->value, "\"p,q\"");
	same(list.specs[2].file, "/l/m");
	same(list.specs[3].name, "cycles");
	assert_int_equal(list.specs[1].at, strlen("a:b,"));
	assert_int_equal(list.specs[3].at,
			 strlen("a:b,c:d/x[1]==f(1,2)/key=\"p,q\"/,usdt:/l/m:n:o, "));
}

/* Each with the place that is wrong marked by what is behind the bar. */
static void what_is_wrong_is_said_with_its_place(void **state)
{
	static const struct {
		const char *before, *behind, *said;
	} cases[] = {
		{ "", "", "missing" },
		{ "a:b,", "", "missing" },
		{ "", ",a:b", "missing" },
		{ "", "sched_switch", "no event 'sched_switch'" },
		{ "", ":x", "missing" },
		{ "sched:", "", "name is missing" },
		{ "sched:", "/x/", "name is missing" },
		{ "kprobe:", "", "function's name" },
		{ "kprobe:f+", "zz", "number of bytes" },
		{ "kprobe:", "f*+1", "wildcards" },
		{ "kprobe:", "0x10", "for uprobes" },
		{ "uprobe:", "0xg@x", "no address" },
		{ "uprobe:", "0x11223344556677889@x", "no address" },
		{ "uprobe:", "0x10", "needs its file" },
		{ "uprobe:f@", "/usr/bin/x", "needs quotes" },
		{ "uprobe:f@", "", "file's name is missing" },
		{ "uprobe:f@", "\"/usr", "quote has no end" },
		{ "", "uretprobe:f+1@x", "no offset" },
		{ "usdt:", "", "file's name is missing" },
		{ "usdt:/x:", "", "provider's name is missing" },
		{ "usdt:/x:p", "", "probe's name is missing" },
		{ "usdt:/x:p:", "/y/", "probe's name is missing" },
		{ "cycles:u", "x", "not 'x'" },
		{ "cycles:", "", "modifier" },
		{ "a:b/x==", "\"y/", "quote has no end" },
		{ "a:b/(x+1", ")/,c:d/", NULL },
		{ "a:b/", "(x+1/key=y/", "not closed" },
		{ "a:b/x+1", ")/", "closes nothing" },
		{ "a:b/x/", "siez=1/", "no attribute" },
		{ "a:b/x/", "2>1/", "parentheses" },
		{ "a:b//stack=", "1/", "takes no value" },
		{ "a:b//", "key/", "needs a value" },
		{ "a:b//key=", "/", "needs a value" },
		{ "a:b//max-stack=", "0/", "1 to 127" },
		{ "a:b//max-stack=", "128/", "1 to 127" },
		{ "a:b//max-stack=", "x/", "1 to 127" },
		{ "a:b//key=x/", "key=y/", "already" },
	};
	char text[128], told[512];
	unsigned int i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof(text), "%s%s", cases[i].before, cases[i].behind);
		spec_list_free(&list);
		if (!cases[i].said) {
			assert_int_equal(spec_parse(text, &list, &error), 0);
			continue;
		}
		if (spec_parse(text, &list, &error) != -EINVAL)
			fail_msg("%s was accepted", text);
		assert_int_equal(list.count, 0);
		if (!strstr(error.what, cases[i].said) || error.at != strlen(cases[i].before))
			fail_msg("%s: '%s' at %zu", text, error.what, error.at);
		spec_describe_error(told, sizeof(told), text, &error);
		assert_non_null(strstr(told, error.what));
		assert_non_null(strchr(told, '^'));
	}
}

/* Whatever is typed: it is taken apart or refused, with a place that is in it. */
static void any_text_will_do(void **state)
{
	static const char *const words[] = {
		"a:b",	"/",	 "/",	       ",",	 ":",	    "\"",      "'", "\\",  "(",
		")",	"[",	 "]",	       "usdt:",	 "uprobe:", "kprobe:", "@", "+",   "0x1",
		"key=", "stack", "max-stack=", "alias=", "cycles",  " ",       "*", "\xff"
	};
	char told[256], *text = NULL;
	unsigned int round, i;

	(void)state;
	for (round = 0; round < 50000; round++) {
		size_t used = 0;

		text = test_realloc(text, 256);
		for (i = random64() % 16; i; i--)
			used += sprintf(text + used, "%s", words[random64() % COUNT(words)]);
		text[used] = 0;
		/* Its very end is known to the sanitizer. */
		text = test_realloc(text, used + 1);
		spec_list_free(&list);
		if (!spec_parse(text, &list, &error)) {
			assert_true(list.count > 0);
			continue;
		}
		if (error.at > used || !*error.what)
			fail_msg("%s: '%s' at %zu", text, error.what, error.at);
		spec_describe_error(told, 1 + random64() % sizeof(told), text, &error);
	}
	test_free(text);
}

static void wildcards_match_all_of_a_name(void **state)
{
	const struct spec *s = one("sys*:sys_enter_*");

	(void)state;
	assert_true(spec_system_is_wild(s));
	assert_true(spec_name_is_wild(s));
	assert_true(spec_matches_system(s, "syscalls"));
	assert_true(spec_matches_name(s, "sys_enter_read"));
	assert_false(spec_matches_name(s, "sys_exit_read"));
	s = one("kprobe:read");
	assert_false(spec_name_is_wild(s));
	assert_false(spec_matches_name(s, "pread"));
	assert_true(spec_matches_name(one("kprobe:?read"), "pread"));
	assert_true(spec_matches_name(one("kprobe:[op]read"), "pread"));
	assert_true(spec_name_is_wild(one("kprobe:a[b]")));
	s = one("usdt:1");
	assert_true(spec_matches_name(s, "pread"));
	assert_true(spec_matches_system(s, "libc"));
	assert_false(spec_name_is_wild(s));
	assert_false(spec_system_is_wild(s));
}

/* @format with @word in it; to be freed. */
static char *event_text_of(const char *format, const char *word)
{
	size_t size = strlen(format) + strlen(word) + 1;
	char *text = malloc(size);

	assert_non_null(text);
	snprintf(text, size, format, word);
	return text;
}

/* What is in quotes is that name, and no other. */
static void quoted_names_are_plain(void **state)
{
	static const char *const names[] = { "net/http.(*conn).serve",
					     "a[b]",
					     "*",
					     "?",
					     "a,b",
					     "a+b",
					     "0x12",
					     "a\"b\\c",
					     "x y",
					     "f@g",
					     "a:b",
					     "{}" };
	const struct spec *s;
	char *word, *text;
	unsigned int i;

	(void)state;
	for (i = 0; i < COUNT(names); i++) {
		word = spec_word(names[i]);
		text = event_text_of("uprobe:%s@\"/x\"", word);
		s = one(text);
		assert_string_equal(s->name, names[i]);
		assert_false(spec_name_is_wild(s));
		assert_true(spec_matches_name(s, names[i]));
		assert_false(spec_matches_name(s, "axb"));
		assert_int_equal(s->offset, 0);
		free(text);
		text = event_text_of("usdt:/x:%s:n", word);
		s = one(text);
		assert_string_equal(s->system, names[i]);
		assert_false(spec_system_is_wild(s));
		free(text);
		free(word);
	}
	word = spec_word("vfs_read.isra.0");
	assert_string_equal(word, "vfs_read.isra.0");
	free(word);
	s = one("uprobe:\"a+b\"+0x10@\"/x\"");
	assert_string_equal(s->name, "a+b");
	assert_int_equal(s->offset, 16);
}

/* The numbers are those of linux/perf_event.h, written out. */
static void perf_events_have_their_numbers(void **state)
{
	static const struct {
		const char *name;
		unsigned int type;
		uint64_t config;
	} cases[] = {
		{ "cycles", 0, 0 },
		{ "cpu-cycles", 0, 0 },
		{ "instructions", 0, 1 },
		{ "cache-misses", 0, 3 },
		{ "cpu-clock", 1, 0 },
		{ "page-faults", 1, 2 },
		{ "faults", 1, 2 },
		{ "cs", 1, 3 },
		{ "major-faults", 1, 6 },
		{ "profile", 1, 0 },
		{ "r1a8", 4, 0x1a8 },
		{ "LLC-load-misses", 3, 0x10002 },
		{ "dTLB-stores", 3, 0x103 },
		{ "iTLB-loads", 3, 4 },
		{ "branch-loads", 3, 5 },
		{ "branch-misses", 0, 5 },
		{ "node-prefetches", 3, 0x206 },
	};
	struct perf_name found;
	unsigned int i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		assert_true(perf_name_find(cases[i].name, strlen(cases[i].name), &found));
		if (found.type != cases[i].type || found.config != cases[i].config)
			fail_msg("%s is %u, %llx", cases[i].name, found.type,
				 (unsigned long long)found.config);
	}
	assert_false(perf_name_find("r", 1, NULL));
	assert_false(perf_name_find("rx", 2, NULL));
	assert_false(perf_name_find("iTLB-stores", 11, NULL));
	assert_false(perf_name_find("cycle", 5, NULL));
	for (i = 0; perf_name_at(i, &found); i++)
		assert_true(perf_name_find(found.name, strlen(found.name), NULL));
	assert_in_range(i, 30, 100);
}

static int forget(void **state)
{
	(void)state;
	spec_list_free(&list);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_say_what_kind_it_is),
		cmocka_unit_test(parts_follow_the_name),
		cmocka_unit_test(commas_separate_events),
		cmocka_unit_test(what_is_wrong_is_said_with_its_place),
		cmocka_unit_test(any_text_will_do),
		cmocka_unit_test(wildcards_match_all_of_a_name),
		cmocka_unit_test(quoted_names_are_plain),
		cmocka_unit_test(perf_events_have_their_numbers),
	};

	return cmocka_run_group_tests_name("event_spec", tests, NULL, forget);
}
