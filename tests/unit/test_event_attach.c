// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs get to events of all kinds: they run exactly as often as the event happens, and
 * expressions over its fields have the values that these really had. With MUST_HAVE in the
 * environment nothing may be missing.
 */
#include "helpers.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "elf_file.h"
#include "events/event.h"
#include "events/syscall_number.h"
#include "expr/slot.h"
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
	struct spec_list list;
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
	size_t i;
	int err;

	memset(a, 0, sizeof(*a));
	if (geteuid())
		pass_over("observing the kernel needs root");
	if (spec_parse(text, &a->list, &wrong))
		fail_msg("%s: %s", text, wrong.what);
	err = events_find(&a->list.specs[0], pid, &a->events, &error);
	if (err == -EOPNOTSUPP) {
		spec_list_free(&a->list);
		pass_over(error.what);
	}
	if (err)
		fail_msg("%s: %s", text, error.what);
	for (i = 0; i < a->events.count; i++)
		assert_int_equal(event_read_fields(&a->events.events[i]), 0);
}

/* Has @slot of @prog be what @text is over @event; without a text, 1. */
static void fill(struct bpf_program *prog, enum slot slot, const struct event *event,
		 const char *text)
{
	struct expr_scope scope = event_scope(event);
	struct expr_error error;
	struct expr_code code;
	struct expr *e;

	if (!text) {
		assert_int_equal(slot_set(prog, slot, 1), 0);
		return;
	}
	e = expr_parse(text, &scope, EXPR_WANT_NUMBER, &error);
	if (!e || expr_emit(e, &code, &error))
		fail_msg("%s: %s: %s", event->name, text, error.what);
	expr_free(e);
	assert_int_equal(slot_fill(prog, slot, &code), 0);
}

/* Attaches a program that counts, and keeps @value, an expression, each time. */
static void count(struct attached *a, const char *value, pid_t pid)
{
	struct count_config config = { .pid = getpid() };
	const struct event *event = &a->events.events[0];
	struct event_program needs;
	struct bpf_program *prog;
	double begin;
	size_t i;

	assert_int_equal(slots_setup(), 0);
	a->obj = bpf_object__open_file(object_path(), NULL);
	if (!a->obj)
		fail_msg("%s: %s", object_path(), strerror(errno));
	assert_int_equal(
		bpf_map__set_initial_value(section(a->obj, ".rodata"), &config, sizeof(config)), 0);
	prog = bpf_object__find_program_by_name(a->obj, "count");
	assert_int_equal(event_prepare(&a->events.events[0], &needs), 0);
	assert_int_equal(bpf_program__set_type(prog, needs.type), 0);
	assert_int_equal(bpf_program__set_expected_attach_type(prog, needs.attach_type), 0);
	if (needs.btf_id)
		assert_int_equal(
			bpf_program__set_attach_target(prog, 0, a->events.events[0].function), 0);
	if (needs.btf_fd)
		close(needs.btf_fd);
	fill(prog, SLOT_FILTER, event, a->list.specs[0].filter);
	fill(prog, SLOT_VALUE, event, value);
	assert_int_equal(bpf_object__load(a->obj), 0);
	slots_free();
	begin = now();
	a->links.expected = a->events.count;
	for (i = 0; i < a->events.count; i++) {
		int err = event_attach(&a->events.events[i], bpf_program__fd(prog), pid, &a->links);

		if (err)
			fail_msg("%s: %s", a->events.events[i].name, strerror(-err));
	}
	a->seconds = now() - begin;
}

static void begin_at(struct attached *a, const char *text, const char *value)
{
	look_up(a, text, 0);
	assert_in_range(a->events.count, 1, 10000);
	count(a, value, 0);
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

static void look_away(struct attached *a)
{
	events_free(&a->events);
	spec_list_free(&a->list);
}

static void end_of(struct attached *a)
{
	event_detach(&a->links);
	bpf_object__close(a->obj);
	look_away(a);
}

/*
 * What @act makes happen, TIMES times, is seen at @text as often, and the last @value is @expected.
 */
static void check(const char *text, void (*act)(void), const char *value, int64_t expected)
{
	struct attached a;
	struct count_seen found;

	begin_at(&a, text, value);
	assert_int_equal(a.events.count, 1);
	act();
	found = seen(&a);
	if (found.hits != TIMES || (int64_t)found.value != expected)
		fail_msg("%s: %llu times, %s is %lld, not %lld", text,
			 (unsigned long long)found.hits, value, (long long)found.value,
			 (long long)expected);
	end_of(&a);
}

static void call_getpgid(void)
{
	unsigned int i;

	for (i = 0; i < TIMES; i++)
		syscall(SYS_getpgid, SOME_NUMBER);
}

static void open_nothing(void)
{
	unsigned int i;

	for (i = 0; i < TIMES; i++)
		syscall(SYS_openat, -7, "/no/such/file", O_RDONLY | O_CLOEXEC, 0);
}

static void a_tracepoint(void **state)
{
	(void)state;
	check("syscalls:sys_enter_getpgid", call_getpgid, "pid", SOME_NUMBER);
	check("syscalls:sys_enter_getpgid/pid==0x7654321/", call_getpgid, "-pid", -SOME_NUMBER);
	check("syscalls:sys_exit_getpgid/ret<0/", call_getpgid, "ret", -ESRCH);
	/* An int, although there are 8 bytes for it; a string of this process's. */
	check("syscalls:sys_enter_openat/filename==\"/no/such/file\"/", open_nothing, "dfd", -7);
	check("syscalls:sys_enter_openat/filename~\"/no/*/f?le\"/", open_nothing, "_pid", getpid());
	check("raw_syscalls:sys_enter/args[0]==0x7654321/", call_getpgid, "id", SYS_getpgid);
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
	begin = now() - begin;
	print_message("detached in %.2f s\n", begin);
	assert_true(begin < (getenv("BPF_PROF_GUEST") ? 20 : 2));
}

/* A system call of 32 bits, whose number 4 (write) is another's of 64 (stat). */
static void call_as_32_bits(void)
{
#if defined(__x86_64__)
	unsigned int i;
	long result;

	for (i = 0; i < TIMES; i++) {
		asm volatile("int $0x80"
			     : "=a"(result)
			     : "a"(4), "b"(-1), "c"(0), "d"(0)
			     : "memory", "r8", "r9", "r10", "r11");
		assert_int_equal(result, -EBADF);
	}
#endif
}

/* Does the kernel have such? A process that tries without is killed. */
static bool has_32_bits(void)
{
	int status = -1;
	pid_t child = fork();

	if (!child) {
		call_as_32_bits();
		_exit(0);
	}
	waitpid(child, &status, 0);
#if defined(__x86_64__)
	return !status;
#else
	return false;
#endif
}

static void call_stat(void)
{
#ifdef SYS_stat
	char nothing[256];
	unsigned int i;

	for (i = 0; i < TIMES; i++)
		syscall(SYS_stat, "/no/such/file", nothing);
	if (has_32_bits())
		call_as_32_bits();
	else
		print_message("there are no system calls of 32 bits\n");
#endif
}

/* By way of raw_syscalls:*, which is the way on some kernels only, system calls are what they are. */
static void system_calls_from_the_front(void **state)
{
	setenv("BPF_PROF_WITHOUT", "syscalls", 1);
	a_tracepoint(state);
#ifdef SYS_stat
	check("syscalls:sys_enter_newstat", call_stat, "_pid", getpid());
	check("syscalls:sys_exit_newstat", call_stat, "ret", -ENOENT);
#endif
	unsetenv("BPF_PROF_WITHOUT");
}

/* Reads @size bytes at the kernel's @address from its core, @file. */
static bool read_kernel(int file, uint64_t address, void *data, size_t size)
{
	Elf64_Ehdr header;
	Elf64_Phdr part;
	unsigned int i;

	if (pread(file, &header, sizeof(header), 0) != sizeof(header))
		return false;
	for (i = 0; i < header.e_phnum; i++) {
		off_t at = header.e_phoff + i * sizeof(part);

		if (pread(file, &part, sizeof(part), at) == sizeof(part) &&
		    address >= part.p_vaddr && address - part.p_vaddr < part.p_memsz)
			return pread(file, data, size, part.p_offset + address - part.p_vaddr) ==
			       (ssize_t)size;
	}
	return false;
}

/* The kernel's struct syscall_metadata, its begin. */
struct metadata {
	uint64_t name; /* "sys_read" */
	int number;
};

/* Is the number that the kernel keeps at @address the one that we have? False: it is of no use. */
static bool number_holds(int core, uint64_t address)
{
	struct metadata metadata;
	char name[64] = "";

	if (!read_kernel(core, address, &metadata, sizeof(metadata)) ||
	    !read_kernel(core, metadata.name, name, sizeof(name) - 1))
		return false;
	/* It has a tracepoint only if it has a number. */
	if (metadata.number < 0 || strncmp(name, "sys_", 4))
		return false;
	if (syscall_number(name + 4) != metadata.number)
		fail_msg("%s has number %d, not %d", name, metadata.number,
			 syscall_number(name + 4));
	return true;
}

/* What the kernel itself has for numbers, where it shows the names of its data. */
static void numbers_of_system_calls(void **state)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	int core = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
	unsigned int held = 0;
	unsigned long long address;
	char line[256], name[128];

	(void)state;
	while (file && core >= 0 && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%llx %*c %127s", &address, name) == 2 && address &&
		    !strncmp(name, "__syscall_meta__", 16))
			held += number_holds(core, address);
	}
	if (file)
		fclose(file);
	if (core >= 0)
		close(core);
	if (!held)
		pass_over("the kernel does not show its table of system calls");
	assert_in_range(held, 250, 1000);
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

/* They are of this call alone: allocators map memory, too, but no files. */
static void check_mmap(const char *kind, bool arguments, bool result)
{
	static const struct {
		const char *name;
		int64_t value;
	} cases[] = {
		{ "addr", 0x10000 },	 { "len", 0x2000 },	   { "prot", PROT_READ },
		{ "flags", MAP_SHARED }, { "fd", SOME_NUMBER },	   { "arg4", SOME_NUMBER },
		{ "pgoff", 3 },		 { "arg0+arg5", 0x10003 },
	};
	char text[64];
	unsigned int i;

	for (i = 0; arguments && i < COUNT(cases); i++) {
		snprintf(text, sizeof(text), "%s:ksys_mmap_pgoff/fd==%d/", kind, SOME_NUMBER);
		check(text, call_mmap, cases[i].name, cases[i].value);
	}
	snprintf(text, sizeof(text), "%s:ksys_mmap_pgoff/(int)ret==%d/", kind, -EBADF);
	if (result)
		check(text, call_mmap, "ret", -EBADF);
}

/* Processes that begin; their number is a member of what the function's argument points to. */
static pid_t last_child;

static void begin_processes(void)
{
	unsigned int i;

	for (i = 0; i < TIMES; i++) {
		last_child = fork();
		if (!last_child)
			_exit(0);
		waitpid(last_child, NULL, 0);
	}
}

static void check_fork(const char *kind)
{
	struct attached a;
	struct count_seen found;
	char text[64];

	snprintf(text, sizeof(text), "%s:wake_up_new_task/p->tgid>1 && p->tgid==p->pid/", kind);
	begin_at(&a, text, "p->tgid");
	begin_processes();
	found = seen(&a);
	assert_int_equal(found.hits, TIMES);
	assert_int_equal(found.value, last_child);
	end_of(&a);
	snprintf(text, sizeof(text), "%s:wake_up_new_task/p->real_parent->tgid==%d/", kind,
		 getpid());
	check(text, begin_processes, "p->comm==\"test_event_atta\"", 1);
	/* A choice of pointers is one. */
	check(text, begin_processes, "(_pid?p:p->real_parent)->comm==\"test_event_atta\"", 1);
	check(text, begin_processes, "(_pid?p->real_parent:0)->tgid", getpid());
}

/* In most kernels the number of the first page comes on the stack, behind six other arguments. */
static void map_own_file(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	unsigned int i;

	for (i = 0; i < TIMES; i++) {
		void *map =
			mmap(NULL, 0x12345, PROT_READ, MAP_SHARED, fd, 5 * sysconf(_SC_PAGESIZE));

		assert_ptr_not_equal(map, MAP_FAILED);
		munmap(map, 0x12345);
	}
	close(fd);
}

static void a_kprobe(void **state)
{
	(void)state;
	check("kprobe:do_mmap/len==0x12345/", map_own_file, "pgoff", 5);
	check_mmap("kprobe", true, false);
	check_fork("kprobe");
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
	check_fork("fentry");
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
	check("kprobe:ksys_mmap_pg*/fd==0x7654321/", call_mmap, "len", 0x2000);
	begin_at(&a, "kprobe:vfs_*", NULL);
	assert_in_range(a.events.count, 50, 200);
	assert_true(event_can_share(&a.events.events[0], &a.events.events[1]));
	print_message("%zu kprobes attached in %.2f s\n", a.events.count, a.seconds);
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

static void a_uprobe(void **state)
{
	struct attached a;
	char text[128];
	uint64_t address;

	(void)state;
	check("uprobe:event_asm@\"/proc/self/exe\"/(int)arg0==-2/", call_own, "arg1", SOME_NUMBER);
	check("uprobe:event_a?m@\"/proc/self/exe\"", call_own, "(int)arg0", -2);
	check("uretprobe:event_asm@\"/proc/self/exe\"", call_own, "ret", SOME_NUMBER - 1);
	snprintf(text, sizeof(text), "uprobe:event_asm+%d@\"/proc/self/exe\"", SECOND_INSTRUCTION);
	check(text, call_own, "arg1", SOME_NUMBER);
	look_up(&a, "uprobe:event_asm@\"/proc/self/exe\"", 0);
	address = a.events.events[0].address;
	look_away(&a);
	snprintf(text, sizeof(text), "uprobe:%#llx@\"/proc/self/exe\"",
		 (unsigned long long)address);
	check(text, call_own, "(long)arg0", -2);
}

/* The C library's own, in this process alone; its file is known by what the process has mapped. */
static void a_uprobe_in_a_process(void **state)
{
	struct attached a;
	unsigned int i;

	(void)state;
	look_up(&a, "uprobe:getpgid@libc.so.6", getpid());
	assert_int_equal(a.events.count, 1);
	count(&a, "(int)arg0", getpid());
	for (i = 0; i < TIMES; i++)
		getpgid(SOME_NUMBER);
	assert_int_equal(seen(&a).hits, TIMES);
	assert_int_equal(seen(&a).value, SOME_NUMBER);
	end_of(&a);
	/* Without a file: wherever the process has it. */
	look_up(&a, "uprobe:event_asm", getpid());
	assert_int_equal(a.events.count, 1);
	look_away(&a);
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
volatile int event_global = -SOME_NUMBER - 1;

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
	static const struct {
		const char *value;
		int64_t expected;
	} cases[] = {
		{ "arg0", -SOME_NUMBER },
		{ "arg1", 0x123456789abcdef },
		{ "arg2", -77 }, /* on the stack */
		{ "arg3", -5 },	 /* known to the compiler */
#if defined(__x86_64__)
		{ "arg4", -SOME_NUMBER - 1 }, /* where the probe knows the way to */
		{ "arg5", 0x42 },	      /* the byte above another */
#endif
	};
	struct attached a;
	unsigned int i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		/* The kernel counts the semaphore up while there is a program. */
		assert_int_equal(event_semaphore, 0);
		begin_at(&a, "usdt:\"/proc/self/exe\":bpfprof:fired/arg0<0/", cases[i].value);
		assert_int_equal(a.events.count, 1);
		assert_int_equal(event_semaphore, 1);
		call_fire();
		assert_int_equal(seen(&a).hits, TIMES);
		assert_int_equal((int64_t)seen(&a).value, cases[i].expected);
		end_of(&a);
	}
	assert_int_equal(event_semaphore, 0);
	check("usdt:\"/proc/self/exe\":bpf*:*", call_fire, "_tid", syscall(SYS_gettid));
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
	begin_at(&a, "page-faults:u/period==1/", NULL);
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
	begin_at(&a, "profile/-F 200/", "ip!=0");
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

/* Finds all that @text stands for, whatever it comes to, with its fields. */
static size_t find_all(const char *text)
{
	struct event_list events = {};
	struct event_error error;
	struct spec_error wrong;
	struct spec_list list;
	size_t found, i;

	assert_int_equal(spec_parse(text, &list, &wrong), 0);
	if (events_find(&list.specs[0], 0, &events, &error) && !*error.what)
		fail_msg("%s: no reason why not", text);
	for (i = 0; i < events.count && i < 100; i++) {
		event_read_fields(&events.events[i]);
		free(event_detail(&events.events[i]));
	}
	found = events.count;
	events_free(&events);
	spec_list_free(&list);
	return found;
}

static off_t section_of(const char *path, const char *name, size_t *size)
{
	struct elf_file file;
	GElf_Shdr header;

	assert_int_equal(elf_file_open(&file, path), 0);
	assert_non_null(elf_file_section(&file, name, &header));
	elf_file_close(&file);
	*size = header.sh_size;
	return header.sh_offset;
}

/* A copy of this program, with some bytes of its notes or of its first kilobyte changed. */
static void damaged_files_do_no_harm(void **state)
{
	const char *path = path_of("damaged");
	char usdt[128], uprobe[128], good[64], bad[64];
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to;
	/* Files are the same on every kernel, and emulated CPUs slow. */
	unsigned int rounds = getenv("BPF_PROF_GUEST") ? 8 : 400, i;
	size_t size, width;
	off_t at, notes;
	struct stat st;

	(void)state;
	to = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0700);
	assert_true(from >= 0 && to >= 0);
	assert_int_equal(fstat(from, &st), 0);
	for (at = 0; at < st.st_size;)
		assert_true(sendfile(to, from, &at, st.st_size - at) > 0);
	close(from);
	notes = section_of(path, ".note.stapsdt", &size);
	snprintf(usdt, sizeof(usdt), "usdt:%s", path);
	snprintf(uprobe, sizeof(uprobe), "uprobe:event_*@\"%s\"", path);
	if (find_all(usdt) != 1)
		pass_over("there are no uprobes");
	assert_true(find_all(uprobe) > 10);
	for (i = 0; i < rounds; i++) {
		at = i % 4 ? notes + random64() % size : (off_t)(random64() % 1024);
		width = 1 + random64() % 8;
		assert_int_equal(pread(to, good, width, at), width);
		memset(bad, random64(), width);
		assert_int_equal(pwrite(to, bad, width, at), width);
		find_all(usdt);
		if (i % 4 == 0)
			find_all(uprobe);
		assert_int_equal(pwrite(to, good, width, at), width);
	}
	/* Cut off anywhere. */
	for (i = 0; i < rounds / 8; i++) {
		assert_int_equal(ftruncate(to, st.st_size - st.st_size * i * 8 / rounds), 0);
		find_all(usdt);
		find_all(uprobe);
	}
	close(to);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tracepoint),
		cmocka_unit_test(all_system_calls),
		cmocka_unit_test(system_calls_from_the_front),
		cmocka_unit_test(numbers_of_system_calls),
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
		cmocka_unit_test_setup_teardown(damaged_files_do_no_harm, folder_make,
						folder_remove),
	};

	return cmocka_run_group_tests_name("event_attach", tests, NULL, NULL);
}
