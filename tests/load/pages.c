// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page faults whose number and kind are known: one for each of N pages that are fresh to the process.
 *
 *	pages [--wait] write N          writes to anonymous pages, in touch_write()
 *	pages [--wait] read N           reads them, in touch_read()
 *	pages [--wait] exec N FILE      executes pages of FILE, which it makes, called by exec_pages()
 *	pages [--wait] kernel N         has read(2) write to them, in fill_by_kernel()
 *	pages [--wait] send N           has write(2) read them, in send_by_kernel()
 *	pages [--wait] major N FILE     reads pages of FILE that are not in memory, in touch_read()
 *	pages [--wait] heap N           writes to fresh pages of the heap, in touch_write()
 *	pages [--wait] threads N T      T threads write to N pages each, at once
 *	pages [--wait] again N M        as write, M times: maps, writes, unmaps
 *
 * Prints a line of JSON: its pid, the first and last address touched, and by getrusage() the faults
 * while it touched them, `minor` and `major`, and `minor_before` and `minor_after` that: from the cue
 * on, and up to the line. Exits with status 3 if FILE stays in memory.
 *
 * With --wait it says "ready PID" and waits for a line, works, says "done" and waits for another one.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cue.h"

/* So far apart are the pages of files: what is next to a page may come with its fault. */
#define APART 65536

/* At a function's end: its last call leaves it on the stack. */
#define NO_TAIL_CALL() __asm__ volatile("")

#if defined(__x86_64__)
static const unsigned char return_code[] = { 0xc3 };
#elif defined(__aarch64__)
static const unsigned char return_code[] = { 0xc0, 0x03, 0x5f, 0xd6 };
#endif

struct area {
	char *start;
	size_t count, apart; /* pages, and bytes from one to the next */
	int fd;
};

static long page;
static const char *path;
static unsigned long number; /* the second one */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static char *last_of(const struct area *a)
{
	return a->start + (a->count - 1) * a->apart;
}

__attribute__((noinline)) void touch_write(const struct area *a);
__attribute__((noinline)) void touch_read(const struct area *a);
__attribute__((noinline)) void exec_pages(const struct area *a);
__attribute__((noinline)) void fill_by_kernel(const struct area *a);
__attribute__((noinline)) void send_by_kernel(const struct area *a);

void touch_write(const struct area *a)
{
	char *volatile at = a->start; /* has it keep its frame */

	for (; at <= last_of(a); at += a->apart)
		*at = 1;
}

void touch_read(const struct area *a)
{
	char *volatile at = a->start;

	for (; at <= last_of(a); at += a->apart)
		(void)*(volatile char *)at;
}

void exec_pages(const struct area *a)
{
	char *at = a->start;

	for (; at <= last_of(a); at += a->apart)
		((void (*)(void))at)();
	NO_TAIL_CALL();
}

void fill_by_kernel(const struct area *a)
{
	if (read(a->fd, a->start, a->count * page) != (ssize_t)(a->count * page))
		die("read");
	NO_TAIL_CALL();
}

void send_by_kernel(const struct area *a)
{
	if (write(a->fd, a->start, a->count * page) != (ssize_t)(a->count * page))
		die("write");
	NO_TAIL_CALL();
}

static void *touch_in_thread(void *area)
{
	touch_write(area);
	return NULL;
}

static void touch_in_threads(const struct area *a)
{
	struct area parts[64];
	pthread_t threads[64];
	unsigned long i;

	for (i = 0; i < number; i++) {
		parts[i] = *a;
		parts[i].count = a->count / number;
		parts[i].start = a->start + i * parts[i].count * page;
		if (pthread_create(&threads[i], NULL, touch_in_thread, &parts[i]))
			die("pthread_create");
	}
	for (i = 0; i < number; i++)
		pthread_join(threads[i], NULL);
}

static void map_fresh(struct area *a)
{
	a->apart = page;
	a->start = mmap(NULL, a->count * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);
	if (a->start == MAP_FAILED)
		die("mmap");
	madvise(a->start, a->count * page, MADV_NOHUGEPAGE);
}

static void map_heap(struct area *a)
{
	char *start = sbrk(a->count * page + page);

	if (start == (void *)-1)
		die("sbrk");
	a->apart = page;
	a->start = start + page - (unsigned long)start % page;
}

static void map_file(struct area *a, int access)
{
	size_t i;
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0700);

	if (fd < 0)
		die(path);
	for (i = 0; i < a->count; i++) {
		if (pwrite(fd, return_code, sizeof(return_code), i * APART) < 0)
			die(path);
	}
	a->fd = fd;
	a->apart = APART;
	a->start = mmap(NULL, a->count * APART, access, MAP_PRIVATE, fd, 0);
	if (a->start == MAP_FAILED)
		die("mmap");
	madvise(a->start, a->count * APART, MADV_RANDOM);
}

static void map_code(struct area *a)
{
	map_file(a, PROT_READ | PROT_EXEC);
}

static void map_dropped(struct area *a)
{
	unsigned char there;
	char *at;

	map_file(a, PROT_READ);
	if (fsync(a->fd) || posix_fadvise(a->fd, 0, 0, POSIX_FADV_DONTNEED))
		die("posix_fadvise");
	for (at = a->start; at <= last_of(a); at += APART) {
		if (mincore(at, page, &there))
			die("mincore");
		if (there & 1)
			exit(3);
	}
}

static void map_zeros(struct area *a)
{
	map_fresh(a);
	a->fd = open("/dev/zero", O_RDONLY);
}

static char drained[65536];

static void *drain(void *from)
{
	while (read(*(int *)from, drained, sizeof(drained)) > 0)
		;
	return NULL;
}

static void map_sent(struct area *a)
{
	static pthread_t reader;
	static int ends[2];

	map_fresh(a);
	memset(drained, 1, sizeof(drained));
	if (!ends[1] && (pipe(ends) || pthread_create(&reader, NULL, drain, ends)))
		die("pipe");
	a->fd = ends[1];
}

static void touch_again(const struct area *a)
{
	unsigned long i;

	for (i = 0; i < number; i++) {
		touch_write(a);
		if (madvise(a->start, a->count * page, MADV_DONTNEED))
			die("madvise");
	}
}

struct mode {
	const char *name;
	void (*map)(struct area *a);
	void (*touch)(const struct area *a);
	bool has_file, has_number;
};

static const struct mode modes[] = {
	{ "write", map_fresh, touch_write, false, false },
	{ "read", map_fresh, touch_read, false, false },
	{ "exec", map_code, exec_pages, true, false },
	{ "kernel", map_zeros, fill_by_kernel, false, false },
	{ "send", map_sent, send_by_kernel, false, false },
	{ "major", map_dropped, touch_read, true, false },
	{ "heap", map_heap, touch_write, false, false },
	{ "threads", map_fresh, touch_in_threads, false, true },
	{ "again", map_fresh, touch_again, false, true },
};

static struct rusage now(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return r;
}

static int usage(void)
{
	fputs("usage: pages [--wait] write|read|kernel|send|heap N\n"
	      "       pages [--wait] exec|major N FILE\n"
	      "       pages [--wait] threads|again N NUMBER\n",
	      stderr);
	return 2;
}

static const struct mode *find(const char *name, int argc)
{
	size_t i;

	for (i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		if (!strcmp(name, modes[i].name) &&
		    argc == 3 + (modes[i].has_file || modes[i].has_number))
			return &modes[i];
	}
	return NULL;
}

int main(int argc, char **argv)
{
	bool wait = argc > 1 && !strcmp(argv[1], "--wait");
	struct rusage cue, before, after;
	const struct mode *mode;
	char *report;
	struct area a = {}, rehearsed = {};

	argc -= wait;
	argv += wait;
	mode = argc > 2 ? find(argv[1], argc) : NULL;
	if (!mode)
		return usage();
	prctl(PR_SET_PDEATHSIG, 15);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); /* a page a fault */
	page = sysconf(_SC_PAGESIZE);
	path = mode->has_file ? argv[3] : NULL;
	number = mode->has_number ? strtoul(argv[3], NULL, 10) : 1;
	a.count = strtoul(argv[2], NULL, 10);
	if (!strcmp(mode->name, "threads"))
		a.count *= number;
	report = malloc(4096);
	if (!a.count || !number || (number > 64 && !strcmp(mode->name, "threads")) || !report)
		return usage();

	/* Once for the code and data that this takes itself, which is then no fault of the work's. */
	rehearsed.count = 2 * number < a.count ? 2 * number : a.count;
	mode->map(&rehearsed);
	mode->touch(&rehearsed);
	snprintf(report, 4096, "%d %p %ld\n", getpid(), report, now().ru_minflt);
	if (wait)
		await_line("ready %d", getpid());
	cue = now();
	mode->map(&a);
	before = now();
	mode->touch(&a);
	after = now();
	snprintf(report, 4096,
		 "{\"pid\":%d,\"first\":\"%p\",\"last\":\"%p\",\"minor_before\":%ld,\"minor\":%ld,"
		 "\"minor_after\":%ld,\"major\":%ld}\n",
		 getpid(), a.start, last_of(&a), before.ru_minflt - cue.ru_minflt,
		 after.ru_minflt - before.ru_minflt, now().ru_minflt - after.ru_minflt,
		 after.ru_majflt - before.ru_majflt);
	fputs(report, stdout);
	if (wait)
		await_line("done");
	return 0;
}
