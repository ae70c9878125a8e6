// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program with USDT probes of its own, which come a known number of times with known arguments.
 *
 *	probes [--wait] N
 *
 * For i from 1 to N it comes past
 *
 *	bpfprof:step(i, -i * i, (short)(i % 100 - 50), name)	at one place if i is odd, else at another
 *	bpfprof:guarded(i)			only if its semaphore is on
 *	bpfprof:made(i * 16, i % 100)
 *	bpfprof:ended(i * 16 + 5)		but for each seventh i
 *
 * where name is the text "odd" or "even". All have semaphores. Prints a line of JSON: its pid, and how often the semaphore
 * was on.
 *
 * With --wait it says "ready PID" and waits for a line, works, says "done" and waits for another one.
 */
#define _SDT_HAS_SEMAPHORES 1
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sdt.h>
#include <unistd.h>

#include "cue.h"

/* The kernel counts these up while somebody looks on. */
volatile unsigned short bpfprof_step_semaphore __attribute__((section(".probes")));
volatile unsigned short bpfprof_guarded_semaphore __attribute__((section(".probes")));
volatile unsigned short bpfprof_made_semaphore __attribute__((section(".probes")));
volatile unsigned short bpfprof_ended_semaphore __attribute__((section(".probes")));

int main(int argc, char **argv)
{
	int wait = argc > 1 && !strcmp(argv[1], "--wait");
	unsigned int i, count, guarded = 0;

	if (argc != 2 + wait)
		return 2;
	count = strtoul(argv[1 + wait], NULL, 10);
	if (wait)
		await_line("ready %d", getpid());
	for (i = 1; i <= count; i++) {
		long square = -(long)i * i;
		short small = i % 100 - 50;

		if (i % 2)
			DTRACE_PROBE4(bpfprof, step, i, square, small, "odd");
		else
			DTRACE_PROBE4(bpfprof, step, i, square, small, "even");
		DTRACE_PROBE2(bpfprof, made, i * 16UL, i % 100);
		if (i % 7)
			DTRACE_PROBE1(bpfprof, ended, i * 16UL + 5);
		if (!bpfprof_guarded_semaphore)
			continue;
		guarded++;
		DTRACE_PROBE1(bpfprof, guarded, i);
	}
	if (wait)
		await_line("done");
	printf("{\"pid\":%d,\"guarded\":%u}\n", getpid(), guarded);
	return 0;
}
