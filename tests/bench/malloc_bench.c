// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardly does anything but allocate and free.
 *
 *	malloc_bench PAIRS
 *
 * Says "ready" and waits for a byte on its standard input. Then it frees and allocates PAIRS times,
 * with LIVE blocks alive at any time, below DEPTH callers. Says how many ns of CPU time that took,
 * the kernel's part included, and waits for the end of its input.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LIVE  64
#define DEPTH 12

/* At a function's end: its last call leaves it on the stack. */
#define NO_TAIL_CALL() __asm__ volatile("")

static void *blocks[LIVE];

static long long cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* 16 bytes to 1 kB, and now and then more than glibc's caches of a thread have. */
static size_t size_of(long i)
{
	return i % 100 ? 16 + i * 37 % 1000 : 4096;
}

static void pairs(long count)
{
	long i;

	for (i = 0; i < count; i++) {
		free(blocks[i % LIVE]);
		blocks[i % LIVE] = malloc(size_of(i));
		if (!blocks[i % LIVE])
			_exit(1);
	}
}

__attribute__((noinline, noclone)) void below(int callers, long count);

void below(int callers, long count)
{
	if (callers)
		below(callers - 1, count);
	else
		pairs(count);
	NO_TAIL_CALL();
}

int main(int argc, char **argv)
{
	long count = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
	long long start;
	char byte;

	if (count < 1) {
		fprintf(stderr, "usage: malloc_bench PAIRS\n");
		return 2;
	}
	if (write(STDOUT_FILENO, "ready\n", 6) != 6 || read(STDIN_FILENO, &byte, 1) != 1)
		return 1;
	start = cpu_ns();
	below(DEPTH, count);
	dprintf(STDOUT_FILENO, "%lld\n", cpu_ns() - start);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
