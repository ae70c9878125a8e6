// SPDX-License-Identifier: GPL-2.0-only
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "need_resched.h"

/* An interrupt may set other flags meanwhile; then it is tried again. */
#define TRIES 20

struct sleeper {
	int wake, ready; /* eventfds */
	pid_t tid;
	bool urgent; /* it could be given a higher priority */
};

static void say_to(int fd)
{
	uint64_t one = 1;
	ssize_t n = write(fd, &one, sizeof(one));

	(void)n;
}

static void hear(int fd)
{
	uint64_t count;
	ssize_t n = read(fd, &count, sizeof(count));

	(void)n;
}

static void *sleep_and_wake(void *data)
{
	struct sched_param param = { .sched_priority = 1 };
	struct sleeper *sleeper = data;
	int i;

	sleeper->tid = gettid();
	sleeper->urgent = !sched_setscheduler(0, SCHED_FIFO, &param);
	say_to(sleeper->ready);
	for (i = 0; sleeper->urgent && i < TRIES; i++)
		hear(sleeper->wake);
	return NULL;
}

static bool is_one_bit(uint64_t mask)
{
	return mask && !(mask & (mask - 1));
}

bool need_resched_find(struct need_resched *seen)
{
	struct sleeper sleeper = { eventfd(0, EFD_CLOEXEC), eventfd(0, EFD_CLOEXEC), 0, false };
	volatile struct need_resched *result = seen;
	uint64_t found = 0;
	cpu_set_t before, here;
	pthread_t thread;
	int i;

	sched_getaffinity(0, sizeof(before), &before);
	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	/* The new thread inherits the only CPU. */
	if (!sched_setaffinity(0, sizeof(here), &here) &&
	    !pthread_create(&thread, NULL, sleep_and_wake, &sleeper)) {
		hear(sleeper.ready);
		result->waker = gettid();
		result->woken = sleeper.tid;
		for (i = 0; sleeper.urgent && i < TRIES; i++) {
			usleep(1000); /* it goes to sleep */
			result->mask = 0;
			say_to(sleeper.wake);
			if (is_one_bit(result->mask))
				found = result->mask;
		}
		pthread_join(thread, NULL);
		result->woken = 0;
		result->mask = found;
	}
	sched_setaffinity(0, sizeof(before), &before);
	close(sleeper.wake);
	close(sleeper.ready);
	return found;
}
