// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls at a given rate: pace T RATE SECONDS
 *
 * Thread t of T (from 0) is called pace-t, stays on CPU t modulo the CPUs there are, and calls
 * write(-1, NULL, 1) RATE times a second: a part of them each millisecond, and sleeps in between. One that
 * is late does not catch up. Prints a line of JSON: how many calls there were in all, and how long it took
 * in ns.
 */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MOST_THREADS 64
#define STEP	     1000000
#define SECOND	     1000000000LL

struct thread {
	pthread_t id;
	int number;
	unsigned long calls;
};

static long rate, seconds;
static int cpus;

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

static void settle(const struct thread *t)
{
	char name[16];
	cpu_set_t set;

	snprintf(name, sizeof(name), "pace-%d", t->number);
	prctl(PR_SET_NAME, name);
	CPU_ZERO(&set);
	CPU_SET(t->number % cpus, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *work(void *data)
{
	struct thread *t = data;
	int64_t begin, next;
	long i;

	settle(t);
	begin = next = now();
	while (next < begin + seconds * SECOND) {
		for (i = 0; i < rate * STEP / SECOND; i++)
			syscall(SYS_write, -1, NULL, 1);
		t->calls += i;
		next += STEP;
		if (next < now())
			next = now();
		struct timespec until = { next / SECOND, next % SECOND };

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct thread threads[MOST_THREADS] = {};
	unsigned long total = 0;
	int count, i;
	int64_t begin;

	if (argc != 4) {
		fprintf(stderr, "usage: pace T RATE SECONDS\n");
		return 2;
	}
	count = atoi(argv[1]);
	rate = atol(argv[2]);
	seconds = atol(argv[3]);
	cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (count < 1 || count > MOST_THREADS)
		return 2;
	begin = now();
	for (i = 0; i < count; i++) {
		threads[i].number = i;
		if (pthread_create(&threads[i].id, NULL, work, &threads[i]))
			return 1;
	}
	for (i = 0; i < count; i++) {
		pthread_join(threads[i].id, NULL);
		total += threads[i].calls;
	}
	printf("{\"calls\":%lu,\"ns\":%lld}\n", total, (long long)(now() - begin));
	return 0;
}
