// SPDX-License-Identifier: GPL-2.0-only
/*
 * Expressions in the slots of a skeleton's program, in programs of several types: what they give is
 * what this program knows of itself. It can run on any kernel.
 */
#include "../helpers.h"

#include <bpf/btf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "expr/slot.h"
#include "kernel.h"
#include "slots.h"
#include "slots.skel.h"
#include "tracefs.h"

/* No kernel has a system call of this number. */
#define NO_SYSCALL    4000

#define ARRAY_SIZE(a) (sizeof(a) / sizeof(*(a)))
#define WORD(name_, number)                                                           \
	{                                                                             \
		.name = name_, .place = PLACE_WORD, .offset = 8 * (number), .size = 8 \
	}

/* include/trace/events/syscalls.h */
static const struct expr_field record_fields[] = {
	{ .name = "id", .offset = 8, .size = 8, .is_signed = true },
	{ .name = "args", .content = CONTENT_ARRAY, .offset = 16, .size = 8, .elements = 6 },
};

static const struct expr_scope record_scope = { .fields = record_fields,
						.count = ARRAY_SIZE(record_fields) };

static struct slots *skeleton(void)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct slots *skel;

	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	assert_int_equal(slots_setup(), 0);
	skel = slots__open();
	assert_non_null(skel);
	skel->rodata->only_tid = gettid();
	return skel;
}

/* Fills a slot of @prog with @text. */
static void fill(const struct bpf_program *prog, enum slot slot, const char *text,
		 const struct expr_scope *scope)
{
	struct expr_error error = {};
	struct expr_code code;
	struct expr *e = expr_parse(text, scope, EXPR_WANT_ANY, &error);
	char message[1000];

	if (!e || expr_emit(e, &code, &error)) {
		expr_describe_error(message, sizeof(message), text, scope, &error);
		fail_msg("%s", message);
	}
	expr_free(e);
	assert_int_equal(slot_fill(prog, slot, &code), 0);
}

static int attach_to_tracepoint(const struct bpf_program *prog)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT,
					.size = sizeof(attr),
					.config = tracepoint_id("raw_syscalls", "sys_enter"),
					.sample_period = 1 };
	int fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0);

	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, PERF_EVENT_IOC_SET_BPF, bpf_program__fd(prog)), 0);
	assert_int_equal(ioctl(fd, PERF_EVENT_IOC_ENABLE, 0), 0);
	return fd;
}

static void filled_and_empty_slots_work_beside_each_other(void **state)
{
	struct slots *skel = skeleton();
	int event;

	(void)state;
	bpf_program__set_autoload(skel->progs.on_task, false);
	fill(skel->progs.on_event, SLOT_FILTER, "id == 4000 && args[0] > 10", &record_scope);
	fill(skel->progs.on_event, SLOT_KEY, "args[1] ^ 0xffff000000000000", &record_scope);
	fill(skel->progs.on_event, SLOT_VALUE, "(int)args[5] / 10", &record_scope);
	fill(skel->progs.on_event, SLOT_KEY_TEXT, "_comm", &record_scope);
	assert_int_equal(slots__load(skel), 0);
	slots_free();
	event = attach_to_tracepoint(skel->progs.on_event);

	prctl(PR_SET_NAME, "slot tester");
	syscall(NO_SYSCALL, 10, 0, 0, 0, 0, 0);
	assert_true(skel->bss->result.seen > 0);
	assert_int_equal(skel->bss->result.passed, 0);
	syscall(NO_SYSCALL, 11, 0x123456789abcL, 2, 3, 4, -777);
	assert_int_equal(skel->bss->result.passed, 1);
	assert_int_equal(skel->bss->result.key, 0xffff123456789abc);
	assert_int_equal((int64_t)skel->bss->result.value, -77);
	assert_int_equal(skel->bss->result.value2, 0);
	assert_int_equal(skel->bss->result.here, gettid());
	assert_string_equal(skel->bss->result.text, "slot tester");
	close(event);
	slots__destroy(skel);
}

static void a_program_without_expressions_passes_all(void **state)
{
	struct slots *skel = skeleton();
	int event;

	(void)state;
	bpf_program__set_autoload(skel->progs.on_task, false);
	assert_int_equal(slot_set(skel->progs.on_event, SLOT_VALUE, -5), 0);
	assert_int_equal(slots__load(skel), 0);
	slots_free();
	event = attach_to_tracepoint(skel->progs.on_event);
	syscall(NO_SYSCALL, 1, 2, 3, 4, 5, 6);
	assert_true(skel->bss->result.passed > 0);
	assert_int_equal(skel->bss->result.passed, skel->bss->result.seen);
	assert_int_equal(skel->bss->result.key, 0);
	assert_int_equal((int64_t)skel->bss->result.value, -5);
	assert_string_equal(skel->bss->result.text, "");
	close(event);
	slots__destroy(skel);
}

/* Of task:task_rename: the task and its new name. */
static struct expr_field task_fields[] = {
	WORD("task", 0),
	WORD("comm", 1),
};

static const struct expr_scope *task_scope(void)
{
	static struct expr_scope scope = { .fields = task_fields,
					   .count = ARRAY_SIZE(task_fields) };

	scope.btf = kernel_btf();
	assert_non_null(scope.btf);
	task_fields[0].content = CONTENT_POINTER;
	task_fields[0].btf_type = btf__find_by_name_kind(scope.btf, "task_struct", BTF_KIND_STRUCT);
	assert_true((int)task_fields[0].btf_type > 0);
	task_fields[1].content = CONTENT_STRING;
	return &scope;
}

struct expectation {
	enum slot slot;
	const char *text;
};

/* Runs on_task, of @type, with these expressions while this thread gets the name "new name". */
static struct slots *rename_thread(enum bpf_prog_type type, const struct expectation *what,
				   size_t count)
{
	const struct expr_scope *scope = task_scope();
	struct slots *skel = skeleton();
	struct bpf_program *prog = skel->progs.on_task;
	struct bpf_link *link;
	size_t i;

	bpf_program__set_autoload(skel->progs.on_event, false);
	assert_int_equal(bpf_program__set_type(prog, type), 0);
	if (type == BPF_PROG_TYPE_TRACING) {
		bpf_program__set_expected_attach_type(prog, BPF_TRACE_RAW_TP);
		assert_int_equal(bpf_program__set_attach_target(prog, 0, "task_rename"), 0);
	}
	for (i = 0; i < count; i++)
		fill(prog, what[i].slot, what[i].text, scope);
	assert_int_equal(slots__load(skel), 0);
	slots_free();
	link = type == BPF_PROG_TYPE_TRACING
		       ? bpf_program__attach_trace(prog)
		       : bpf_program__attach_raw_tracepoint(prog, "task_rename");
	assert_non_null(link);
	prctl(PR_SET_NAME, "new name");
	bpf_link__destroy(link);
	return skel;
}

static void members_of_the_kernels_structs(enum bpf_prog_type type)
{
	static const struct expectation what[] = {
		{ SLOT_FILTER,
		  "task->pid == _tid && task->tgid == _pid && common_pid == task->pid" },
		{ SLOT_KEY, "task->real_parent->tgid" },
		{ SLOT_VALUE, "task->signal->rlim[7].rlim_cur" },
		{ SLOT_VALUE2, "task->sched_reset_on_fork" },
		{ SLOT_KEY_TEXT, "task->comm" },
	};
	static const struct expectation more[] = {
		{ SLOT_FILTER, "comm ~ \"new*\" && comm == \"new name\" && comm != \"new\" && "
			       "task->comm ~ \"*[n]ame b[a-z]fore\" && comm[4] == 'n'" },
		{ SLOT_KEY, "task->signal->rlim[_cpu * 0 + 7].rlim_max" },
		{ SLOT_VALUE, "task->signal->rlim[_cpu * 0 + 16].rlim_max" },
		{ SLOT_VALUE2, "task->sched_reset_on_fork" },
		{ SLOT_KEY_TEXT, "comm" },
	};
	struct sched_param normal = {};
	struct rlimit files;
	struct slots *skel;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	assert_int_equal(sched_setscheduler(0, SCHED_OTHER, &normal), 0);
	prctl(PR_SET_NAME, "name before");
	skel = rename_thread(type, what, ARRAY_SIZE(what));
	assert_int_equal(skel->bss->result.passed, 1);
	assert_int_equal(skel->bss->result.key, getppid());
	assert_int_equal(skel->bss->result.value, files.rlim_cur);
	assert_int_equal(skel->bss->result.value2, 0);
	assert_string_equal(skel->bss->result.text, "name before");
	slots__destroy(skel);

	/* A bit-field that a system call sets. */
	assert_int_equal(sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &normal), 0);
	prctl(PR_SET_NAME, "name before");
	skel = rename_thread(type, more, ARRAY_SIZE(more));
	assert_int_equal(skel->bss->result.passed, 1);
	assert_int_equal(skel->bss->result.key, files.rlim_max);
	/* There are 16 limits: the one behind them is 0. */
	assert_int_equal(skel->bss->result.value, 0);
	assert_int_equal(skel->bss->result.value2, 1);
	assert_string_equal(skel->bss->result.text, "new name");
	slots__destroy(skel);
	kernel_btf_free();
}

static void members_at_raw_tracepoints(void **state)
{
	(void)state;
	members_of_the_kernels_structs(BPF_PROG_TYPE_RAW_TRACEPOINT);
}

static void members_at_typed_tracepoints(void **state)
{
	(void)state;
	members_of_the_kernels_structs(BPF_PROG_TYPE_TRACING);
}

/* Three expressions, evaluated when this thread gets @name; over what the fields are. */
static void evaluate_at_rename(const char *const *texts, const struct expr_scope *scope,
			       const char *name, long long *values)
{
	struct slots *skel = skeleton();
	struct bpf_program *prog = skel->progs.on_task;
	struct bpf_link *link;
	int i;

	bpf_program__set_autoload(skel->progs.on_event, false);
	assert_int_equal(bpf_program__set_type(prog, BPF_PROG_TYPE_RAW_TRACEPOINT), 0);
	for (i = 0; i < 3; i++)
		fill(prog, SLOT_KEY + i, texts[i], scope);
	assert_int_equal(slots__load(skel), 0);
	slots_free();
	link = bpf_program__attach_raw_tracepoint(prog, "task_rename");
	assert_non_null(link);
	prctl(PR_SET_NAME, name);
	assert_int_equal(skel->bss->result.passed, 1);
	values[0] = skel->bss->result.key;
	values[1] = skel->bss->result.value;
	values[2] = skel->bss->result.value2;
	bpf_link__destroy(link);
	slots__destroy(skel);
}

/* An expression, and what the compiler makes of it. */
struct pair {
	const char *text;
	long long expected;
};

#define AS_COMPILED(x)             \
	{                          \
#x, (long long)(x) \
	}

#define PAIRS 27

static void check_pairs(const struct pair *pairs, size_t count, const struct expr_scope *scope,
			const char *name)
{
	const char *texts[3];
	long long values[3];
	size_t i, j;

	for (i = 0; i < count; i += 3) {
		for (j = 0; j < 3; j++)
			texts[j] = pairs[(i + j) % count].text;
		evaluate_at_rename(texts, scope, name, values);
		for (j = 0; j < 3; j++) {
			if (values[j] != pairs[(i + j) % count].expected)
				fail_msg("`%s` is %lld, not %lld, in \"%s\"", texts[j], values[j],
					 pairs[(i + j) % count].expected, name);
		}
	}
}

/* A field `p` at the new name, which is taken for @type of the object's own BTF. */
static void overlay_scope(struct expr_scope *scope, struct expr_field *p, struct btf *btf,
			  const char *type)
{
	*p = (struct expr_field)WORD("p", 1);
	p->content = CONTENT_POINTER;
	p->btf_type = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);
	assert_true((int)p->btf_type > 0);
	*scope = (struct expr_scope){ .fields = p, .count = 1, .btf = btf };
}

static void check_overlay(struct btf *btf, const char *name)
{
	struct overlay value = {}, *p = &value;
	struct expr_scope scope;
	struct expr_field field;

	memcpy(p, name, strlen(name));
	overlay_scope(&scope, &field, btf, "overlay");
	const struct pair pairs[] = {
		AS_COMPILED(p->a),
		AS_COMPILED(p->b),
		AS_COMPILED(p->c),
		AS_COMPILED(p->d),
		AS_COMPILED(p->a - 8 < 0),
		AS_COMPILED(p->c * 0x100000 > 0),
		AS_COMPILED(p->b < 0 ? -p->b : ~p->a),
		AS_COMPILED(p->s),
		AS_COMPILED(p->whole),
		AS_COMPILED(p->high),
		AS_COMPILED(p->whole + 1 > 0x80000000),
		AS_COMPILED(p->bytes[0]),
		AS_COMPILED(p->bytes[1] << 20),
		AS_COMPILED(p->pair[0].x),
		AS_COMPILED(p->pair[2].y),
		AS_COMPILED(p->pair[2].x * p->pair[1].y),
		AS_COMPILED((*p).pair[p->a % 3].x),
		AS_COMPILED(p[0].pair[p->a & 1].y),
		AS_COMPILED(p->text[0]),
		{ "p->pair[3].x", 0 },
		{ "p->pair[p->a * 0 + 3].y", 0 },
		{ "p->pair[p->a * 0 - 1].y", 0 },
		{ "p->text == \"Z\" && p->text ~ \"[Y-Z]\"", 1 },
		{ "p->text ~ \"*ZZ\" || p->text == \"\"", 0 },
		/* Bytes that are called characters are a string, too. */
		{ "p->bytes ~ \"?*\" && p->bytes != \"\"", p->bytes[0] != 0 },
		AS_COMPILED((p->whole ? p : 0)->s),
		AS_COMPILED((p->whole ? 0 : p) == 0),
	};

	_Static_assert(COUNT(pairs) == PAIRS, "");
	check_pairs(pairs, COUNT(pairs), &scope, name);
}

static void check_overlay_long(struct btf *btf, const char *name)
{
	struct overlay_long value = {}, *p = &value;
	struct expr_scope scope;
	struct expr_field field;

	memcpy(p, name, strlen(name));
	overlay_scope(&scope, &field, btf, "overlay_long");
	const struct pair pairs[] = {
		AS_COMPILED((unsigned long)p->l),
		AS_COMPILED((long)p->m),
		AS_COMPILED((unsigned long)p->n),
		AS_COMPILED((unsigned long)p->next),
		AS_COMPILED(p->m < 0),
		AS_COMPILED(p->n - 3000 < 0),
		/* An address that nothing is at. */
		{ "p->next->next->l", 0 },
		{ "p->next->m", 0 },
		{ "p->next->next->next == 0", 1 },
	};

	check_pairs(pairs, COUNT(pairs), &scope, name);
}

static void members_are_where_the_compiler_puts_them(void **state)
{
	struct btf *btf;
	char path[4096], name[16] = "";
	const char *build = getenv("BPF_PROF_BUILD");
	int round, i;

	(void)state;
	snprintf(path, sizeof(path), "%s/tests/unit/expr/slots.bpf.o", build ? build : "build");
	btf = btf__parse(path, NULL);
	assert_non_null(btf);
	for (round = 0; round < 4; round++) {
		for (i = 0; i < 14; i++)
			name[i] = round ? 1 + random64() % 255 : 0xff;
		name[14] = 'Z';
		check_overlay(btf, name);
		check_overlay_long(btf, name);
	}
	btf__free(btf);
}

#define ARGUMENTS 16

/* Where arguments of USDT probes are, and arrays and strings that the record tells the place of. */
static const struct expr_field odd_fields[] = {
	{ .name = "list",
	  .content = CONTENT_LOC_ARRAY,
	  .offset = ARGUMENTS,
	  .size = 2,
	  .is_signed = true },
	{ .name = "near", .content = CONTENT_LOC_CHARS, .relative = true, .offset = ARGUMENTS + 4 },
	{ .name = "al", .place = PLACE_WORD, .offset = ARGUMENTS + 8, .size = 1, .is_signed = true },
	{ .name = "ah", .place = PLACE_WORD, .offset = ARGUMENTS + 9, .size = 1 },
	{ .name = "ax", .place = PLACE_WORD, .offset = ARGUMENTS + 8, .size = 2, .is_signed = true },
	{ .name = "upper", .place = PLACE_WORD, .offset = ARGUMENTS + 12, .size = 4 },
	{ .name = "memory",
	  .place = PLACE_USER,
	  .base = ARGUMENTS + 40,
	  .index = ARGUMENTS + 32,
	  .scale = 4,
	  .displacement = -8,
	  .size = 4,
	  .is_signed = true },
	{ .name = "gone", .place = PLACE_USER, .base = ARGUMENTS + 32, .size = 8 },
	{ .name = "minus_one",
	  .place = PLACE_CONSTANT,
	  .constant = 0xff,
	  .size = 1,
	  .is_signed = true },
	{ .name = "string",
	  .place = PLACE_WORD,
	  .content = CONTENT_USER_STRING,
	  .offset = ARGUMENTS + 40 },
	{ .name = "raw", .content = CONTENT_ARRAY, .offset = ARGUMENTS, .size = 8, .elements = 6 },
};

static const struct expr_scope odd_scope = { .fields = odd_fields, .count = COUNT(odd_fields) };

static void fields_are_found_in_odd_places(void **state)
{
	/* list: 3 elements in argument 2; near: 5 bytes there too, from the end of its place on. */
	unsigned long first = 6ul << 16 | (ARGUMENTS + 16) | (5ul << 16 | 8) << 32;
	unsigned long word = 0x89abcdeff2f1f0fe;
	int16_t elements[4] = { -2, 0x4241, 0x0043, 0x7fff };
	int memory[] = { 10, -20, 30, 40 };
	unsigned long third;
	const struct pair pairs[] = {
		{ "list[0]", -2 },
		{ "list[2] + list[raw[5] * 0 + 1]", 0x43 + 0x4241 },
		{ "list[3] || list[-1] || list[raw[4]]", 0 },
		{ "near ~ \"??ABC\"", 1 },
		{ "near == \"ABC\" || near[5] != 0", 0 },
		{ "near[3] == 'B'", 1 },
		{ "al", (signed char)0xfe },
		{ "ah", 0xf0 },
		{ "ax", (short)0xf0fe },
		{ "upper", 0x89abcdef },
		{ "memory", 30 },
		{ "memory - minus_one", 31 },
		{ "gone", 0 },
		{ "string[0] == 10 && string[4] == -20", 1 },
		{ "string ~ \"\\n*\"", 1 },
	};
	char filter[] = "raw[3] == 77";
	size_t i, j;

	(void)state;
	memcpy(&third, elements, sizeof(third));
	for (i = 0; i < COUNT(pairs); i += 3) {
		struct slots *skel = skeleton();
		uint64_t values[3];
		int event;

		bpf_program__set_autoload(skel->progs.on_task, false);
		fill(skel->progs.on_event, SLOT_FILTER, filter, &odd_scope);
		for (j = 0; j < 3; j++)
			fill(skel->progs.on_event, SLOT_KEY + j, pairs[i + j].text, &odd_scope);
		assert_int_equal(slots__load(skel), 0);
		slots_free();
		event = attach_to_tracepoint(skel->progs.on_event);
		/* Argument 4 is an index, and no address; argument 5 is one. */
		syscall(NO_SYSCALL, first, word, third, 77, 4, memory);
		assert_int_equal(skel->bss->result.passed, 1);
		values[0] = skel->bss->result.key;
		values[1] = skel->bss->result.value;
		values[2] = skel->bss->result.value2;
		for (j = 0; j < 3; j++) {
			if (values[j] != (uint64_t)pairs[i + j].expected)
				fail_msg("`%s` is %ld, not %lld", pairs[i + j].text,
					 (long)values[j], pairs[i + j].expected);
		}
		close(event);
		slots__destroy(skel);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filled_and_empty_slots_work_beside_each_other),
		cmocka_unit_test(a_program_without_expressions_passes_all),
		cmocka_unit_test(members_at_raw_tracepoints),
		cmocka_unit_test(members_at_typed_tracepoints),
		cmocka_unit_test(members_are_where_the_compiler_puts_them),
		cmocka_unit_test(fields_are_found_in_odd_places),
	};

	if (geteuid()) {
		printf("loading programs needs root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
