// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPU time whose shares are known.
 *
 *	cpu [--wait] burn SECONDS         70 % in burn_seventy(), 20 % in burn_twenty(), 10 % in
 *	                                  burn_ten(), called by burn_round(); so much CPU time in all
 *	cpu [--wait] kernel SECONDS       all of it in the kernel, in getrandom()
 *	cpu [--wait] both SECONDS         half of it each way
 *	cpu deep N SECONDS                in recurse(), N calls deep
 *	cpu stacks N SECONDS              below N different callers
 *	cpu [--wait] duty PCT[,PCT...]    a second for each: so much of it in busy_second() if that is
 *	                                  at least half of it, else in quiet_second()
 *	cpu [--wait] printk SECONDS       writes lines to /dev/kmsg
 *	cpu ... -- CMD [ARG...]           then runs CMD in its place
 *
 * Prints a line of JSON at its end: its pid, and user and system time by getrusage(), in ns. With
 * --wait it says "ready PID" and waits for a line, works, says "done" and waits for another one.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "cue.h"

/* Short beside a sample's period, long beside a call. */
#define UNIT 5000

/* At a function's end: its last call leaves it on the stack. */
#define NO_TAIL_CALL() __asm__ volatile("")

/*
 * The same loop in functions of different names: iterations are time. A counter in memory: gcc keeps
 * a frame pointer in functions only that have something on the stack.
 */
#define BURNER(name)                                          \
	__attribute__((noinline)) void name(unsigned long n); \
	void name(unsigned long n)                            \
	{                                                     \
		volatile unsigned long left = n * UNIT;       \
                                                              \
		while (left)                                  \
			left--;                               \
	}

BURNER(burn_seventy)
BURNER(burn_twenty)
BURNER(burn_ten)

static double cpu_seconds(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return r.ru_utime.tv_sec + r.ru_stime.tv_sec +
	       (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

__attribute__((noinline)) void burn_round(void);

void burn_round(void)
{
	burn_seventy(7);
	burn_twenty(2);
	burn_ten(1);
	NO_TAIL_CALL();
}

static void burn(double seconds)
{
	double end = cpu_seconds() + seconds;
	int i;

	while (cpu_seconds() < end) {
		for (i = 0; i < 20; i++)
			burn_round();
	}
}

static void in_kernel(double seconds)
{
	double end = cpu_seconds() + seconds;
	static char bytes[1 << 20];

	while (cpu_seconds() < end) {
		if (getrandom(bytes, sizeof(bytes), 0) < 0)
			exit(1);
	}
}

__attribute__((noinline)) void recurse(unsigned long n, double end);

void recurse(unsigned long n, double end)
{
	if (n > 1)
		recurse(n - 1, end);
	while (n == 1 && cpu_seconds() < end)
		burn_round();
	NO_TAIL_CALL();
}

/* One bit of a number a call: 2^n ways to get there. */
__attribute__((noinline)) void bit_zero(unsigned long number, int bits);
__attribute__((noinline)) void bit_one(unsigned long number, int bits);

static void next_bit(unsigned long number, int bits)
{
	if (!bits)
		burn_ten(1);
	else if (number & 1)
		bit_one(number >> 1, bits - 1);
	else
		bit_zero(number >> 1, bits - 1);
}

void bit_zero(unsigned long number, int bits)
{
	next_bit(number, bits);
	NO_TAIL_CALL();
}

void bit_one(unsigned long number, int bits)
{
	next_bit(number, bits);
	NO_TAIL_CALL();
}

static void stacks(unsigned long n, double seconds)
{
	double end = cpu_seconds() + seconds;
	unsigned long number;

	while (cpu_seconds() < end) {
		for (number = 0; number < n; number++)
			next_bit(number, 20);
	}
}

BURNER(busy_second)
BURNER(quiet_second)

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void duty(const char *percents)
{
	double second = now(), end;
	char *rest;
	long percent;

	for (; *percents; percents = *rest ? rest + 1 : rest, second++) {
		percent = strtol(percents, &rest, 10);
		end = second + percent / 100.0;
		while (now() < end) {
			if (percent >= 50)
				busy_second(10);
			else
				quiet_second(10);
		}
		end = second + 1 - now();
		if (end > 0)
			usleep(end * 1e6);
	}
}

static void into_log(double seconds)
{
	int fd = open("/dev/kmsg", O_WRONLY), i;
	double end = now() + seconds;
	char line[80];

	memset(line, '-', sizeof(line));
	memcpy(line, "<3>cpu: ", 8); /* an error, so that it reaches the console */
	while (now() < end) {
		for (i = 0; i < 10; i++) {
			if (write(fd, line, sizeof(line)) != sizeof(line)) {
				perror("cpu: /dev/kmsg");
				exit(1);
			}
		}
	}
	close(fd);
}

static int usage(void)
{
	fputs("usage: cpu [--wait] burn|kernel|both|printk SECONDS [-- CMD...]\n"
	      "       cpu [--wait] deep|stacks N SECONDS [-- CMD...]\n"
	      "       cpu [--wait] duty PCT[,PCT...] [-- CMD...]\n",
	      stderr);
	return 2;
}

static void work(const char *what, const char *n_text, const char *text)
{
	unsigned long n = n_text ? strtoul(n_text, NULL, 10) : 0;
	double seconds = strtod(text, NULL), i;

	if (!strcmp(what, "burn"))
		burn(seconds);
	else if (!strcmp(what, "kernel"))
		in_kernel(seconds);
	else if (!strcmp(what, "deep"))
		recurse(n, cpu_seconds() + seconds);
	else if (!strcmp(what, "stacks"))
		stacks(n, seconds);
	else if (!strcmp(what, "duty"))
		duty(text);
	else if (!strcmp(what, "printk"))
		into_log(seconds);
	for (i = 0; !strcmp(what, "both") && i < seconds; i += 0.02) {
		burn(0.01);
		in_kernel(0.01);
	}
}

static void report(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	printf("{\"pid\":%d,\"user_ns\":%ld,\"system_ns\":%ld}\n", getpid(),
	       r.ru_utime.tv_sec * 1000000000 + r.ru_utime.tv_usec * 1000,
	       r.ru_stime.tv_sec * 1000000000 + r.ru_stime.tv_usec * 1000);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	bool wait = argc > 1 && !strcmp(argv[1], "--wait"), has_n;
	char **then = NULL;
	int i;

	argc -= wait;
	argv += wait;
	for (i = 1; i < argc && !then; i++) {
		if (!strcmp(argv[i], "--")) {
			then = argv + i + 1;
			argc = i;
		}
	}
	has_n = argc == 4;
	if (argc < 3 || argc > 4 ||
	    has_n != (!strcmp(argv[1], "deep") || !strcmp(argv[1], "stacks")))
		return usage();
	prctl(PR_SET_PDEATHSIG, 15);
	if (wait)
		await_line("ready %d", getpid());
	work(argv[1], has_n ? argv[2] : NULL, argv[argc - 1]);
	report();
	if (wait)
		await_line("done");
	if (then && *then) {
		execv(*then, then);
		perror(*then);
		return 1;
	}
	return 0;
}
