// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cpu_times.h"

/*
 * In ticks of USER_HZ (10 ms). Time is given to what a tick meets: of less time than this, and of so
 * little that the gate is less than two ticks, a single one would be too large a share.
 */
#define LEAST_TICKS 20
#define GATE_TICKS  2

struct times {
	unsigned long long all, kernel;
};

struct cpu_times {
	unsigned int look; /* counts looks at all CPUs */
	struct {
		unsigned int seen; /* the look that saw it last */
		struct times since;
	} cpu[MAX_CPUS];
};

struct cpu_times *cpu_times_new(void)
{
	return calloc(1, sizeof(struct cpu_times));
}

void cpu_times_free(struct cpu_times *t)
{
	free(t);
}

/* proc_stat(5): user nice system idle iowait irq softirq steal; guests' time is in user's too. */
static bool parse(const char *line, unsigned int *cpu, struct times *times)
{
	unsigned long long v[8];
	unsigned int i;

	/* The first line is of all CPUs. */
	if (line[3] == ' ' ||
	    sscanf(line, "cpu%u %llu %llu %llu %llu %llu %llu %llu %llu", cpu, &v[0], &v[1], &v[2],
		   &v[3], &v[4], &v[5], &v[6], &v[7]) != 9 ||
	    *cpu >= MAX_CPUS)
		return false;
	times->kernel = v[2] + v[5] + v[6];
	times->all = 0;
	for (i = 0; i < 8; i++)
		times->all += v[i];
	return true;
}

/* Calls @see for each CPU that is online. */
static int each_cpu(struct cpu_times *t,
		    void (*see)(struct cpu_times *t, unsigned int cpu, struct times now,
				void *data),
		    void *data)
{
	FILE *stat = fopen("/proc/stat", "re");
	struct times now;
	unsigned int cpu;
	char line[512];
	int err;

	if (!stat)
		return -errno;
	t->look++;
	while (fgets(line, sizeof(line), stat) && !strncmp(line, "cpu", 3)) {
		if (parse(line, &cpu, &now))
			see(t, cpu, now, data);
	}
	err = ferror(stat) ? -EIO : 0;
	fclose(stat);
	return err;
}

static void begin(struct cpu_times *t, unsigned int cpu, struct times now, void *data)
{
	(void)data;
	t->cpu[cpu].seen = t->look;
	t->cpu[cpu].since = now;
}

int cpu_times_begin(struct cpu_times *t)
{
	return each_cpu(t, begin, NULL);
}

struct judge {
	unsigned int gate;
	const __u64 *wanted;
	__u64 *high;
	double highest;
	int count;
};

static void judge(struct cpu_times *t, unsigned int cpu, struct times now, void *data)
{
	struct judge *j = data;
	struct times *since = &t->cpu[cpu].since;
	bool was_there = t->cpu[cpu].seen == t->look - 1;
	unsigned long long all;
	double share;

	if (j->wanted && !(j->wanted[cpu / 64] >> (cpu % 64) & 1))
		return;
	/* What a CPU did before it went offline and came again is of another time. */
	if (!was_there || now.all < since->all || now.kernel < since->kernel)
		*since = now;
	t->cpu[cpu].seen = t->look;
	all = now.all - since->all;
	if (all < LEAST_TICKS || all * j->gate < 100 * GATE_TICKS)
		return;
	share = 100.0 * (now.kernel - since->kernel) / all;
	*since = now;
	if (share < j->gate)
		return;
	j->high[cpu / 64] |= 1ULL << cpu % 64;
	j->count++;
	if (share > j->highest)
		j->highest = share;
}

int cpu_times_high(struct cpu_times *t, unsigned int gate, const __u64 *wanted,
		   __u64 high[MAX_CPUS / 64], double *highest)
{
	struct judge j = { .gate = gate, .wanted = wanted, .high = high };
	int err;

	memset(high, 0, MAX_CPUS / 8);
	err = each_cpu(t, judge, &j);
	*highest = j.highest;
	return err ? err : j.count;
}
