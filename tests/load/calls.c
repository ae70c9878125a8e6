// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls whose number and arguments are known, from several threads at once.
 *
 *	calls [--wait] T N
 *
 * Thread t of T (from 1) is called calls-t, and calls write(-1, NULL, t) t * N times, which fails with
 * EBADF. Prints a line of JSON: its pid, the number of these calls, and for each thread its tid.
 *
 * With --wait it says "ready PID" and waits for a line, works, says "done" and waits for another one.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cue.h"

#define MOST_THREADS 64

struct thread {
	pthread_t id;
	unsigned long number;
	int tid;
};

static unsigned long calls;
static pthread_barrier_t begin;

static void *work(void *data)
{
	struct thread *t = data;
	unsigned long i;
	char name[16];

	snprintf(name, sizeof(name), "calls-%lu", t->number);
	prctl(PR_SET_NAME, name);
	t->tid = syscall(SYS_gettid);
	pthread_barrier_wait(&begin);
	for (i = 0; i < t->number * calls; i++)
		syscall(SYS_write, -1, NULL, t->number);
	return NULL;
}

int main(int argc, char **argv)
{
	int wait = argc > 1 && !strcmp(argv[1], "--wait");
	struct thread threads[MOST_THREADS];
	unsigned long count, i, total = 0;

	if (argc != 3 + wait)
		return 2;
	count = strtoul(argv[1 + wait], NULL, 10);
	calls = strtoul(argv[2 + wait], NULL, 10);
	if (!count || count > MOST_THREADS)
		return 2;
	if (wait)
		await_line("ready %d", getpid());
	pthread_barrier_init(&begin, NULL, count);
	for (i = 0; i < count; i++) {
		threads[i].number = i + 1;
		if (pthread_create(&threads[i].id, NULL, work, &threads[i]))
			return 1;
	}
	for (i = 0; i < count; i++) {
		pthread_join(threads[i].id, NULL);
		total += threads[i].number * calls;
	}
	if (wait)
		await_line("done");
	printf("{\"pid\":%d,\"calls\":%lu,\"tids\":[", getpid(), total);
	for (i = 0; i < count; i++)
		printf("%s%d", i ? "," : "", threads[i].tid);
	printf("]}\n");
	return 0;
}
