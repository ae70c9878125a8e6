// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs get to events of all kinds: they run exactly as often as the event happens, and find its
 * fields where these are said to be. With MUST_HAVE in the environment nothing may be missing.
 */
#include "helpers.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "events/event.h"
#include "event_count.h"

#define TIMES 100

/* What is passed, and no kernel has a process or file of that number. */
#define SOME_NUMBER 0x7654321

static const char *object_path(void)
{
	const char *build = getenv("BPF_PROF_BUILD");
	static char path[4096];

	snprintf(path, sizeof(path), "%s/tests/unit/event_count.bpf.o", build ? build : "build");
	return path;
}

/* A program at events. */
struct attached {
	struct event_list events;
	struct bpf_object *obj;
	struct event_links links;
	double seconds; /* that attaching took */
};

/* The map of the object's section @name, which has one variable. */
static struct bpf_map *section(struct bpf_object *obj, const char *name)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj)
	{
		if (strstr(bpf_map__name(map), name))
			return map;
	}
	fail_msg("no %s", name);
	return NULL;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void pass_over(const char *why)
{
	if (getenv("MUST_HAVE"))
		fail_msg("%s", why);
	print_message("%s\n", why);
	skip();
}

/* Finds what @text stands for; passes the test over where this kernel does not have such events. */
static void look_up(struct attached *a, const char *text, pid_t pid)
{
	struct spec_error wrong;
	struct event_error error;
	struct spec_list list;
	int err;

	memset(a, 0, sizeof(*a));
	if (geteuid())
		pass_over("observing the kernel needs root");
	if (spec_parse(text, &list, &wrong))
		fail_msg("%s: %s", text, wrong.what);
	err = events_find(&list.specs[0], pid, &a->events, &error);
	spec_list_free(&list);
	if (err == -EOPNOTSUPP)
		pass_over(error.what);
	if (err)
		fail_msg("%s: %s", text, error.what);
	for (size_t i = 0; i < a->events.count; i++)
		assert_int_equal(event_read_fields(&a->events.events[i]), 0);
}

static const struct expr_field *field_of(const struct event *event, const char *name)
{
	struct expr_scope scope = event_scope(event);
	size_t i;

	for (i = 0; i < scope.count; i++) {
		if (!strcmp(scope.fields[i].name, name))
			return &scope.fields[i];
	}
	fail_msg("%s has no field %s", event->name, name);
	return NULL;
}

static void count(struct attached *a, const struct expr_field *field, pid_t pid)
{
	struct count_config config = { .pid = getpid() };
	struct bpf_program *prog;
	double begin;
	size_t i;

	a->obj = bpf_object__open_file(object_path(), NULL);
	if (!a->obj)
		fail_msg("%s: %s", object_path(), strerror(errno));
	config.field_offset = field ? field->offset : 0;
	config.field_size = field ? field->size : 0;
	assert_int_equal(
		bpf_map__set_initial_value(section(a->obj, ".rodata"), &config, sizeof(config)), 0);
	prog = bpf_object__find_program_by_name(a->obj, "count");
	assert_int_equal(event_prepare(&a->events.events[0], prog), 0);
	assert_int_equal(bpf_object__load(a->obj), 0);
	begin = now();
	for (i = 0; i < a->events.count; i++) {
		int err = event_attach(&a->events.events[i], prog, pid, &a->links);

		if (err)
			fail_msg("%s: %s", a->events.events[i].name, strerror(-err));
	}
	a->seconds = now() - begin;
}

/* @text, of which field @field is read. */
static void begin_at(struct attached *a, const char *text, const char *field)
{
	look_up(a, text, 0);
	assert_in_range(a->events.count, 1, 10000);
	count(a, field ? field_of(&a->events.events[0], field) : NULL, 0);
}

static struct count_seen seen(const struct attached *a)
{
	struct count_seen seen;
	__u32 zero = 0;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(section(a->obj, ".bss")), &zero, &seen),
			 0);
	return seen;
}

static uint64_t hits(const struct attached *a)
{
	return seen(a).hits;
}

/* What the field was, as a number of its type. */
static int64_t value(const struct attached *a, const struct expr_field *field)
{
	uint64_t found = seen(a).value;
	unsigned int unused = 64 - 8 * field->size;

	return field->is_signed ? (int64_t)(found << unused) >> unused
				: (int64_t)(found << unused >> unused);
}

static void end_of(struct attached *a)
{
	event_detach(&a->links);
	bpf_object__close(a->obj);
	events_free(&a->events);
}

static void call_getpgid(void)
{
	unsigned int i;

	for (i = 0; i < TIMES; i++)
		syscall(SYS_getpgid, SOME_NUMBER);
}

static void a_tracepoint(void **state)
{
	struct attached a;
	const struct expr_field *field;

	(void)state;
	begin_at(&a, "syscalls:sys_enter_getpgid", "pid");
	call_getpgid();
	assert_int_equal(hits(&a), TIMES);
	field = field_of(&a.events.events[0], "pid");
	assert_int_equal(field->size, 4);
	assert_true(field->is_signed);
	assert_int_equal(value(&a, field), SOME_NUMBER);
	end_of(&a);
	/* A result that is negative. */
	begin_at(&a, "syscalls:sys_exit_getpgid", "ret");
	call_getpgid();
	assert_int_equal(hits(&a), TIMES);
	assert_int_equal(value(&a, field_of(&a.events.events[0], "ret")), -ESRCH);
	end_of(&a);
}

/* It is the number of them that counts; emulated CPUs need their time. */
static void all_system_calls(void **state)
{
	struct attached a;
	uint64_t before;
	double begin;

	(void)state;
	begin_at(&a, "syscalls:sys_enter_*", NULL);
	assert_in_range(a.events.count, 250, 1000);
	/* Attaching has system calls, too; so has looking at the count. */
	before = hits(&a);
	call_getpgid();
	assert_in_range(hits(&a) - before, TIMES, TIMES + 2);
	print_message("%zu events attached in %.2f s, ", a.events.count, a.seconds);
	assert_true(a.seconds < (getenv("BPF_PROF_GUEST") ? 20 : 2));
	begin = now();
	end_of(&a);
	print_message("detached in %.2f s\n", now() - begin);
}

/* A function of six arguments in another file than the one that calls it; it refuses the file. */
static void call_mmap(void)
{
	unsigned int i;

	for (i = 0; i < TIMES; i++) {
		void *map =
			mmap((void *)0x10000, 0x2000, PROT_READ, MAP_SHARED, SOME_NUMBER, 0x3000);

		assert_ptr_equal(map, MAP_FAILED);
	}
}

static void check_mmap(const char *kind, bool arguments, bool result)
{
	static const struct {
		const char *name;
		int64_t value;
	} cases[] = {
		{ "addr", 0x10000 },	 { "len", 0x2000 },	{ "prot", PROT_READ },
		{ "flags", MAP_SHARED }, { "fd", SOME_NUMBER }, { "arg4", SOME_NUMBER },
		{ "pgoff", 3 },		 { "ret", -EBADF },
	};
	char text[64];
	struct attached a;
	unsigned int i;

	snprintf(text, sizeof(text), "%s:ksys_mmap_pgoff", kind);
	for (i = 0; i < COUNT(cases); i++) {
		bool is_result = !strcmp(cases[i].name, "ret");

		if (is_result ? !result : !arguments)
			continue;
		begin_at(&a, text, cases[i].name);
		call_mmap();
		/* Allocators map memory, too, but no files. */
		assert_in_range(hits(&a), TIMES, TIMES + 10);
		assert_int_equal(value(&a, field_of(&a.events.events[0], cases[i].name)),
				 cases[i].value);
		end_of(&a);
	}
}

static void a_kprobe(void **state)
{
	(void)state;
	check_mmap("kprobe", true, false);
}

static void a_kretprobe(void **state)
{
	(void)state;
	check_mmap("kretprobe", false, true);
}

static void an_fentry(void **state)
{
	(void)state;
	check_mmap("fentry", true, false);
}

static void an_fexit(void **state)
{
	(void)state;
	check_mmap("fexit", true, true);
}

static void kernel_functions_match(void **state)
{
	struct attached a;

	(void)state;
	begin_at(&a, "kprobe:ksys_mmap_pg*", "fd");
	assert_int_equal(a.events.count, 1);
	call_mmap();
	assert_in_range(hits(&a), TIMES, TIMES + 10);
	end_of(&a);
}

/* A function of this program, with an instruction in it that is one byte (or four) long. */
#if defined(__x86_64__)
#define SECOND_INSTRUCTION 1
asm(".text\n.globl event_asm\n.type event_asm,@function\nevent_asm:\n\tnop\n\tleaq 1(%rdi,%rsi),%rax\n"
    "\tret\n.size event_asm,.-event_asm\n");
#else
#define SECOND_INSTRUCTION 4
asm(".text\n.globl event_asm\n.type event_asm,%function\nevent_asm:\n\tnop\n\tadd x0,x0,x1\n"
    "\tadd x0,x0,1\n\tret\n.size event_asm,.-event_asm\n");
#endif

long event_asm(long a, long b);

static void call_own(void)
{
	unsigned int i;

	for (i = 0; i < TIMES; i++)
		assert_int_equal(event_asm(-2, SOME_NUMBER), SOME_NUMBER - 1);
}

static void check_own(const char *text, const char *field, int64_t expected)
{
	struct attached a;

	begin_at(&a, text, field);
	assert_int_equal(a.events.count, 1);
	call_own();
	assert_int_equal(hits(&a), TIMES);
	assert_int_equal(value(&a, field_of(&a.events.events[0], field)), expected);
	end_of(&a);
}

static void a_uprobe(void **state)
{
	struct attached a;
	char text[128];
	uint64_t address;

	(void)state;
	check_own("uprobe:event_asm@\"/proc/self/exe\"", "arg1", SOME_NUMBER);
	check_own("uprobe:event_a?m@\"/proc/self/exe\"", "arg0", -2);
	check_own("uretprobe:event_asm@\"/proc/self/exe\"", "ret", SOME_NUMBER - 1);
	snprintf(text, sizeof(text), "uprobe:event_asm+%d@\"/proc/self/exe\"", SECOND_INSTRUCTION);
	check_own(text, "arg1", SOME_NUMBER);
	look_up(&a, "uprobe:event_asm@\"/proc/self/exe\"", 0);
	address = a.events.events[0].address;
	events_free(&a.events);
	snprintf(text, sizeof(text), "uprobe:%#llx@\"/proc/self/exe\"",
		 (unsigned long long)address);
	check_own(text, "arg0", -2);
}

/* The C library's own, in this process alone; its file is known by what the process has mapped. */
static void a_uprobe_in_a_process(void **state)
{
	struct attached a;
	unsigned int i;

	(void)state;
	look_up(&a, "uprobe:getpgid@libc.so.6", getpid());
	assert_int_equal(a.events.count, 1);
	count(&a, field_of(&a.events.events[0], "arg0"), getpid());
	for (i = 0; i < TIMES; i++)
		getpgid(SOME_NUMBER);
	assert_int_equal(hits(&a), TIMES);
	end_of(&a);
	/* Without a file: wherever the process has it. */
	look_up(&a, "uprobe:event_asm", getpid());
	assert_int_equal(a.events.count, 1);
	events_free(&a.events);
}

/* A probe as <sys/sdt.h> makes it, written by hand: its note, with or without a semaphore. */
#define NOTE(name, semaphore, arguments)                                                     \
	"990:\tnop\n"                                                                        \
	".pushsection .note.stapsdt,\"\",%%note\n"                                           \
	".balign 4\n.4byte 992f-991f,994f-993f,3\n"                                          \
	"991:.asciz \"stapsdt\"\n992:.balign 4\n"                                            \
	"993:.8byte 990b\n.8byte 0\n.8byte " semaphore "\n"                                  \
	".asciz \"bpfprof\"\n.asciz \"" name "\"\n.asciz \"" arguments "\"\n994:.balign 4\n" \
	".popsection\n"

/* In a section that is written to: the kernel counts it up while a program is attached. */
__attribute__((used, section(".probes"))) volatile unsigned short event_semaphore;
volatile int event_global = -SOME_NUMBER;

static __attribute__((noinline)) void fire(int first, long second)
{
	volatile short in_memory = -77;

#if defined(__x86_64__)
	asm volatile(NOTE("fired", "event_semaphore",
			  "-4@%0 8@%1 -2@%2 -4@$-5 -4@event_global(%%rip) 1@%h3")
		     :
		     : "r"(first), "r"(second), "m"(in_memory), "a"(0x4200));
#else
	asm volatile(NOTE("fired", "event_semaphore", "-4@%w0 8@%1 -2@[%2] -4@-5")
		     :
		     : "r"(first), "r"(second), "r"(&in_memory));
#endif
}

static void call_fire(void)
{
	unsigned int i;

	for (i = 0; i < TIMES; i++)
		fire(-SOME_NUMBER, 0x123456789abcdef);
}

static void a_usdt_probe(void **state)
{
	const struct expr_field *field;
	struct attached a;

	(void)state;
	assert_int_equal(event_semaphore, 0);
	begin_at(&a, "usdt:\"/proc/self/exe\":bpfprof:fired", "arg0");
	assert_int_equal(a.events.count, 1);
	assert_int_equal(event_semaphore, 1);
	call_fire();
	assert_int_equal(hits(&a), TIMES);
	field = field_of(&a.events.events[0], "arg0");
	assert_int_equal(value(&a, field), -SOME_NUMBER);
	field = field_of(&a.events.events[0], "arg2");
	assert_int_equal(field->place, PLACE_USER);
	assert_int_equal(field->size, 2);
	field = field_of(&a.events.events[0], "arg3");
	assert_int_equal(field->place, PLACE_CONSTANT);
	assert_int_equal((int64_t)field->constant, -5);
	end_of(&a);
	assert_int_equal(event_semaphore, 0);

	begin_at(&a, "usdt:\"/proc/self/exe\":bpf*:*", "arg1");
	call_fire();
	assert_int_equal(value(&a, field_of(&a.events.events[0], "arg1")), 0x123456789abcdef);
	end_of(&a);
#if defined(__x86_64__)
	begin_at(&a, "usdt:\"/proc/self/exe\":bpfprof:fired", "arg5");
	call_fire();
	assert_int_equal(value(&a, field_of(&a.events.events[0], "arg5")), 0x42);
	end_of(&a);
#endif
}

static uint64_t context_switches(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nvcsw + usage.ru_nivcsw;
}

static void software_events(void **state)
{
	const size_t size = TIMES * sysconf(_SC_PAGESIZE);
	uint64_t before, switches;
	struct attached a;
	unsigned int i;
	char *pages;

	(void)state;
	/* This thread's own account of them; none other runs here. */
	begin_at(&a, "context-switches", NULL);
	before = hits(&a);
	switches = context_switches();
	for (i = 0; i < TIMES; i++)
		usleep(1000);
	switches = context_switches() - switches;
	/* Emulated CPUs may be so late that there is no need to sleep any more. */
	assert_true(switches >= TIMES / 2);
	assert_in_range(hits(&a) - before, switches, switches + 5);
	end_of(&a);

	pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(pages, MAP_FAILED);
	madvise(pages, size, MADV_NOHUGEPAGE);
	begin_at(&a, "page-faults:u", NULL);
	for (i = 0; i < TIMES; i++)
		pages[i * (size / TIMES)] = 1;
	assert_in_range(hits(&a), TIMES, TIMES + 50);
	end_of(&a);
	munmap(pages, size);
}

static double cpu_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* A timer that goes off 200 times a second of CPU time; emulated CPUs are late. */
static void a_timer(void **state)
{
	struct attached a;
	double begin;

	(void)state;
	begin_at(&a, "profile/-F 200/", NULL);
	begin = cpu_time();
	while (cpu_time() - begin < 0.5)
		;
	assert_in_range(hits(&a), getenv("BPF_PROF_GUEST") ? 10 : 50, 150);
	end_of(&a);
}

static void what_is_not_there_is_refused(void **state)
{
	static const struct {
		const char *text;
		int err, status;
	} cases[] = {
		{ "sched:no_such_event", -ENOENT, 2 },
		{ "nothing:*", -ENOENT, 2 },
		{ "uprobe:no_such_function@\"/proc/self/exe\"", -ENOENT, 2 },
		{ "uprobe:event_asm+4000@\"/proc/self/exe\"", -ENOENT, 2 },
		{ "uprobe:0xfffffffffffffff@\"/proc/self/exe\"", -ENOENT, 2 },
		{ "uprobe:main@\"/no/such/file\"", -ENOENT, 1 },
		{ "uprobe:main@\"/proc/self/maps\"", -ENOEXEC, 1 },
		{ "uprobe:main@no_such_library.so", -ENOENT, 1 },
		{ "uprobe:main", -EINVAL, 2 },
		{ "usdt:/proc/self/exe:bpfprof:missing", -ENOENT, 2 },
		{ "usdt:2000000000", -ENOENT, 1 },
		{ "profile/-F 0/", -EINVAL, 2 },
		{ "profile/-X/", -EINVAL, 2 },
	};
	struct spec_error wrong;
	struct event_error error;
	struct event_list events = {};
	struct spec_list list;
	unsigned int i;

	(void)state;
	if (geteuid())
		pass_over("observing the kernel needs root");
	for (i = 0; i < COUNT(cases); i++) {
		assert_int_equal(spec_parse(cases[i].text, &list, &wrong), 0);
		if (events_find(&list.specs[0], 0, &events, &error) != cases[i].err ||
		    error.status != cases[i].status || !*error.what)
			fail_msg("%s: status %d, %s", cases[i].text, error.status, error.what);
		assert_int_equal(events.count, 0);
		spec_list_free(&list);
		events_free(&events);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tracepoint),
		cmocka_unit_test(all_system_calls),
		cmocka_unit_test(a_kprobe),
		cmocka_unit_test(a_kretprobe),
		cmocka_unit_test(an_fentry),
		cmocka_unit_test(an_fexit),
		cmocka_unit_test(kernel_functions_match),
		cmocka_unit_test(a_uprobe),
		cmocka_unit_test(a_uprobe_in_a_process),
		cmocka_unit_test(a_usdt_probe),
		cmocka_unit_test(software_events),
		cmocka_unit_test(a_timer),
		cmocka_unit_test(what_is_not_there_is_refused),
	};

	return cmocka_run_group_tests_name("event_attach", tests, NULL, NULL);
}
