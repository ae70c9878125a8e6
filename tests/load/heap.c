// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that leaks known numbers of objects of its heap, each in a function of its own.
 *
 *	heap [--wait] seventh N		leak_some() allocates N times and frees six of seven
 *	heap [--wait] kinds N		leaks N of each kind: leak_malloc() has malloc(), and so on
 *	heap [--wait] torture N		four threads realloc and free each other's, N times: no leak
 *	heap [--wait] mappings N	N mappings of which half is unmapped, in leak_half(); N more in
 *					each of unmap_begin_first() and so on, of which nothing is left
 *	heap [--wait] huge N		has N allocations of each kind fail, in fail_all()
 *	heap [--wait] threads N		each of four threads leaks N in leak_in_thread()
 *	heap [--wait] fork N		leaks N in leak_before(); a child frees its copies of them and
 *					a second later leaks N in leak_in_child(), and lives as long as
 *					its parent
 *	heap [--wait] exec N		leaks N in leak_before(), and N more in leak_after() after exec
 *	heap [--wait] churn N		allocates 200 of many sizes and frees them, N times
 *
 * With --wait it says "ready PID" and waits for a line (after exec again), works, says "done" and
 * waits for another one.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 4
#define SLOTS	256
#define CHURNED 200

/* At a function's end: its last call leaves it on the stack. */
#define NO_TAIL_CALL() __asm__ volatile("")

static long count;
static void *volatile kept; /* so that the compiler has to allocate */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void keep(void *block, const char *what)
{
	if (!block)
		die(what);
	kept = block;
}

/* The size of the i-th block: 16 to 115 bytes. */
static size_t size_of(long i)
{
	return 16 + i % 100;
}

__attribute__((noinline)) void leak_some(long i);

void leak_some(long i)
{
	keep(malloc(size_of(i)), "malloc");
	if (i % 7)
		free(kept);
	NO_TAIL_CALL();
}

static void leak_seventh(void)
{
	long i;

	for (i = 0; i < count; i++)
		leak_some(i);
}

/* A function that leaks @COUNT blocks of one kind. */
#define LEAK(FUNCTION, CALL)                           \
	__attribute__((noinline)) void FUNCTION(void); \
                                                       \
	void FUNCTION(void)                            \
	{                                              \
		long i;                                \
                                                       \
		for (i = 0; i < count; i++)            \
			keep(CALL, #FUNCTION);         \
		NO_TAIL_CALL();                        \
	}

static inline __attribute__((always_inline)) void *aligned(size_t alignment, size_t size)
{
	void *block = NULL;

	return posix_memalign(&block, alignment, size) ? NULL : block;
}

static inline __attribute__((always_inline)) void *mapped_at(void *hint, size_t size)
{
	void *block = mmap(hint, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return block == MAP_FAILED ? NULL : block;
}

static inline __attribute__((always_inline)) void *mapped(size_t size)
{
	return mapped_at(NULL, size);
}

/* tests/units/kmemleak/test_user.py knows these sizes. */
LEAK(leak_malloc, malloc(100))
LEAK(leak_calloc, calloc(3, 50))
LEAK(leak_realloc, realloc(NULL, 170))
LEAK(leak_moved, realloc(malloc(20), 3000))
LEAK(leak_reallocarray, reallocarray(NULL, 5, 60))
LEAK(leak_aligned_alloc, aligned_alloc(64, 128))
LEAK(leak_posix_memalign, aligned(64, 200))
LEAK(leak_memalign, memalign(64, 300))
LEAK(leak_valloc, valloc(400))
LEAK(leak_pvalloc, pvalloc(500))
LEAK(leak_mmap, mapped(8192))
LEAK(leak_before, malloc(40))
LEAK(leak_after, malloc(48))
LEAK(leak_in_child, malloc(56))
LEAK(leak_in_thread, malloc(64))

__attribute__((noinline)) void leak_half(void);
__attribute__((noinline)) void unmap_begin_first(void);
__attribute__((noinline)) void unmap_end_first(void);
__attribute__((noinline)) void unmap_middle_first(void);
__attribute__((noinline)) void unmap_two(void);
__attribute__((noinline)) void remap(void);

/* The second half, of four pages. */
void leak_half(void)
{
	long page = getpagesize(), i;
	char *at;

	for (i = 0; i < count; i++) {
		at = mapped(8 * page);
		keep(at, "mmap");
		munmap(at, 4 * page);
	}
	NO_TAIL_CALL();
}

/* Nowhere twice: what would be left over of one mapping must not be taken for the next one. */
static char *elsewhere(void)
{
	static char *at = (char *)0x200000000000;

	return at += 1 << 20;
}

void unmap_begin_first(void)
{
	long page = getpagesize();
	char *at = mapped_at(elsewhere(), 8 * page);

	keep(at, "mmap");
	munmap(at, 2 * page);
	munmap(at + 2 * page, 6 * page);
	NO_TAIL_CALL();
}

void unmap_end_first(void)
{
	long page = getpagesize();
	char *at = mapped_at(elsewhere(), 8 * page);

	keep(at, "mmap");
	munmap(at + 6 * page, 2 * page);
	munmap(at, 6 * page);
	NO_TAIL_CALL();
}

void unmap_middle_first(void)
{
	long page = getpagesize();
	char *at = mapped_at(elsewhere(), 8 * page);

	keep(at, "mmap");
	munmap(at + 2 * page, 2 * page);
	munmap(at, 2 * page);
	munmap(at + 4 * page, 4 * page);
	NO_TAIL_CALL();
}

/* Neighbours at once, with a size that is rounded up. */
void unmap_two(void)
{
	long page = getpagesize();
	char *at = mapped_at(elsewhere(), 4 * page);

	keep(at, "mmap");
	keep(mapped_at(at + 4 * page, 4 * page), "mmap");
	munmap(at, 8 * page - 100);
	NO_TAIL_CALL();
}

/* It moves or grows, and shrinks. */
void remap(void)
{
	long page = getpagesize();
	char *at = mapped_at(elsewhere(), 2 * page);

	keep(at, "mmap");
	keep(at = mremap(at, 2 * page, 64 * page, MREMAP_MAYMOVE), "mremap");
	keep(at = mremap(at, 64 * page, 3 * page, 0), "mremap");
	munmap(at, 3 * page);
	NO_TAIL_CALL();
}

static void use_mappings(void)
{
	long i;

	leak_half();
	for (i = 0; i < count; i++) {
		unmap_begin_first();
		unmap_end_first();
		unmap_middle_first();
		unmap_two();
		remap();
	}
}

static void leak_kinds(void)
{
	leak_malloc();
	leak_calloc();
	leak_realloc();
	leak_moved();
	leak_reallocarray();
	leak_aligned_alloc();
	leak_posix_memalign();
	leak_memalign();
	leak_valloc();
	leak_pvalloc();
	leak_mmap();
}

/* Neither the compiler nor the checks of glibc's headers get to see a size that cannot be had. */
static volatile size_t too_much = (size_t)1 << 61;

static void expect_failure(void *block)
{
	if (block && block != MAP_FAILED)
		die("an allocation that should have failed");
}

__attribute__((noinline)) void fail_all(void);

void fail_all(void)
{
	void *block;
	long i;

	for (i = 0; i < count; i++) {
		expect_failure(malloc(too_much));
		expect_failure(calloc(too_much, 64));
		expect_failure(realloc(NULL, too_much));
		expect_failure(reallocarray(NULL, too_much, 64));
		expect_failure(memalign(64, too_much));
		expect_failure(aligned_alloc(64, too_much));
		expect_failure(mmap(NULL, too_much, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		expect_failure(aligned(64, too_much));
		/* What it was stays. */
		keep(block = malloc(size_of(i)), "malloc");
		expect_failure(realloc(block, too_much));
		free(kept);
	}
	NO_TAIL_CALL();
}

static _Atomic(void *) slots[SLOTS];

static void *swap(void *block, unsigned int slot)
{
	return atomic_exchange(&slots[slot % SLOTS], block);
}

/* One of the things that can happen to a block, by any thread. */
static void torture(void *block, unsigned int what, unsigned int number)
{
	void *changed;

	switch (what % 8) {
	case 0: /* moves, or becomes mapped memory, or is that no more */
		block = realloc(block, 1 + number % (number & 64 ? 300000 : 5000));
		break;
	case 1: /* grows or shrinks, most of the time in place */
		block = realloc(block, malloc_usable_size(block) + 16 - number % 32 + 16);
		break;
	case 2: /* fails, and is kept */
		changed = realloc(block, too_much);
		expect_failure(changed);
		break;
	case 3: /* is freed */
		changed = realloc(block, 0);
		if (block && changed)
			free(changed);
		block = block ? NULL : changed;
		break;
	case 4:
		free(block);
		block = calloc(1 + number % 7, 1 + number % 100);
		break;
	case 5:
		free(block);
		block = aligned((size_t)64 << number % 4, 1 + number % 1000);
		break;
	case 6:
		block = reallocarray(block, 1 + number % 9, 1 + number % 90);
		break;
	case 7:
		free(block);
		block = NULL;
		break;
	}
	free(swap(block, number >> 8));
}

static void *torture_in_thread(void *seed)
{
	unsigned int state = (uintptr_t)seed;
	long i;

	for (i = 0; i < count; i++) {
		state = state * 1664525 + 1013904223;
		torture(swap(NULL, state >> 20), state >> 16, state >> 7);
	}
	return NULL;
}

static void *leak_a_few(void *unused)
{
	leak_in_thread();
	return unused;
}

static void in_threads(void *(*work)(void *))
{
	pthread_t threads[THREADS];
	uintptr_t i;

	for (i = 0; i < THREADS; i++) {
		errno = pthread_create(&threads[i], NULL, work, (void *)(i + 1));
		if (errno)
			die("pthread_create");
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void torture_all(void)
{
	int i;

	in_threads(torture_in_thread);
	for (i = 0; i < SLOTS; i++)
		free(swap(NULL, i));
}

static void leak_in_threads(void)
{
	in_threads(leak_a_few);
}

static void fork_and_leak(void)
{
	void **blocks = malloc(count * sizeof(*blocks));
	int ends[2];
	long i;

	if (!blocks || pipe(ends))
		die("fork");
	leak_before();
	for (i = 0; i < count; i++) {
		blocks[i] = malloc(size_of(i));
		keep(blocks[i], "malloc");
	}
	switch (fork()) {
	case -1:
		die("fork");
		break;
	case 0:
		prctl(PR_SET_PDEATHSIG, 15);
		for (i = 0; i < count; i++)
			free(blocks[i]);
		sleep(1); /* who is told of new processes has time to observe it */
		leak_in_child();
		close(ends[1]);
		close(ends[0]);
		pause();
		_exit(0);
	}
	/* Until the child has done its part. */
	close(ends[1]);
	if (read(ends[0], &i, 1))
		die("read");
	close(ends[0]);
	for (i = 0; i < count; i++)
		free(blocks[i]);
	free(blocks);
}

static char *self, *number;
static bool waits;

static void leak_and_exec(void)
{
	leak_before();
	if (waits)
		execl(self, self, "--wait", "after", number, NULL);
	else
		execl(self, self, "after", number, NULL);
	die("exec");
}

static void churn(void)
{
	void *some[CHURNED];
	long times, i;

	for (times = 0; times < count; times++) {
		for (i = 0; i < CHURNED; i++)
			some[i] = malloc(size_of(times + i));
		for (i = 0; i < CHURNED; i++)
			free(some[i]);
	}
}

static const struct mode {
	const char *name;
	void (*work)(void);
} modes[] = {
	{ "seventh", leak_seventh }, { "kinds", leak_kinds },	     { "torture", torture_all },
	{ "huge", fail_all },	     { "mappings", use_mappings },   { "fork", fork_and_leak },
	{ "exec", leak_and_exec },   { "threads", leak_in_threads }, { "churn", churn },
	{ "after", leak_after },
};

static const struct mode *find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		if (!strcmp(modes[i].name, name))
			return &modes[i];
	}
	return NULL;
}

/* Without stdio, which has blocks of its own. */
static void say(const char *text)
{
	if (write(1, text, strlen(text)) < 0)
		die("write");
}

static void wait_for_line(void)
{
	char line[16];

	if (read(0, line, sizeof(line)) <= 0)
		_exit(1);
}

int main(int argc, char **argv)
{
	const struct mode *mode;
	char ready[40];

	waits = argc > 1 && !strcmp(argv[1], "--wait");
	mode = argc == 3 + waits ? find(argv[1 + waits]) : NULL;
	number = argv[argc - 1];
	count = strtol(number, NULL, 10);
	if (!mode || count < 1) {
		fputs("usage: heap [--wait] seventh|kinds|torture|mappings|huge|threads|fork|exec|churn N\n",
		      stderr);
		return 2;
	}
	self = argv[0];
	signal(SIGCHLD, SIG_IGN);
	if (waits) {
		prctl(PR_SET_PDEATHSIG, 15);
		snprintf(ready, sizeof(ready), "ready %d\n", getpid());
		say(ready);
		wait_for_line();
	}
	mode->work();
	if (!waits)
		return 0;
	say("done\n");
	wait_for_line();
	return 0;
}
