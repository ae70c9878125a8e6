// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <bpf/libbpf.h>
#include "counters.h"
#include "kernel.h"
#include "perf_event.h"
#include "say.h"

static void *have(void *memory)
{
	if (memory)
		return memory;
	say_error("out of memory for the counters");
	exit(EXIT_FAILED);
}

/* A task may be named more than once: by its process, say. It counts once. */
static void add_place(struct counters *c, pid_t pid, int cpu)
{
	size_t i;

	for (i = 0; i < c->place_count && pid >= 0; i++) {
		if (c->places[i].pid == pid && c->places[i].cpu == cpu)
			return;
	}
	c->places = have(realloc(c->places, (c->place_count + 1) * sizeof(*c->places)));
	c->places[c->place_count++] = (struct counter_place){ .pid = pid, .cpu = cpu };
}

static bool is_set(const __u64 *cpus, int cpu)
{
	return cpus[cpu / 64] >> (cpu % 64) & 1;
}

/* Adds @pid on each of the CPUs wanted; if none are, and it is a task, on all at one time. */
static int add_task(struct counters *c, pid_t pid, const __u64 *cpus)
{
	int possible = libbpf_num_possible_cpus(), cpu;

	if (!cpus && pid >= 0 && c->cgroup < 0) {
		add_place(c, pid, -1);
		return 0;
	}
	if (possible < 0)
		return possible;
	for (cpu = 0; cpu < possible; cpu++) {
		if (!cpus || is_set(cpus, cpu))
			add_place(c, pid, cpu);
	}
	return 0;
}

/* Adds all threads that process @pid has: none, if there is no such process. */
static int add_process(struct counters *c, pid_t pid, const __u64 *cpus)
{
	struct dirent *entry;
	char path[64];
	int err = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (!err && (entry = readdir(dir))) {
		if (*entry->d_name != '.')
			err = add_task(c, atoi(entry->d_name), cpus);
	}
	closedir(dir);
	return err;
}

/* Adds the tasks of the list @ids, which may be NULL. */
static int add_list(struct counters *c, const char *ids, const __u64 *cpus,
		    int (*add)(struct counters *c, pid_t pid, const __u64 *cpus))
{
	int err = 0;

	while (ids && !err) {
		err = add(c, atoi(ids), cpus);
		ids = strchr(ids, ',');
		ids += ids != NULL;
	}
	return err;
}

int counters_places(struct counters *c, const struct targets *targets, pid_t command)
{
	static __u64 bits[MAX_CPUS / 64];
	const __u64 *cpus = targets_cpus(targets, bits) ? bits : NULL;
	int err, status = EXIT_DONE;
	size_t i;

	c->cgroup = -1;
	c->command = command;
	c->children = command;
	if (targets->cgroup)
		status = targets_open_cgroup(targets->cgroup, &c->cgroup);
	if (status)
		return status;
	if (command)
		err = add_task(c, command, cpus);
	else if (!targets->pids && !targets->tids)
		err = add_task(c, -1, cpus);
	else
		err = add_list(c, targets->pids, cpus, add_process);
	/* What processes make is theirs; of threads these alone are wanted. */
	for (i = 0; i < c->place_count && targets->pids; i++)
		c->places[i].threads = true;
	if (!err)
		err = add_list(c, targets->tids, cpus, add_task);
	if (!err)
		return EXIT_DONE;
	say_error("cannot find who is to be counted: %s", strerror(-err));
	return EXIT_FAILED;
}

void counters_add(struct counters *c, const char *name, const struct perf_event_attr *attr)
{
	struct counter *counter;

	c->counters = have(realloc(c->counters, (c->count + 1) * sizeof(*c->counters)));
	counter = &c->counters[c->count++];
	*counter = (struct counter){ .name = have(strdup(name)), .attr = *attr };
	counter->attr.size = sizeof(*attr);
	counter->attr.disabled = 1;
	counter->attr.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
}

/* Opens a counter at @place. Returns a file descriptor or a negative errno. */
static int open_at(const struct counters *c, struct counter *counter,
		   const struct counter_place *place)
{
	bool of_cgroup = c->cgroup >= 0;
	int fd;

	fd = perf_event_open(&counter->attr, of_cgroup ? c->cgroup : place->pid, place->cpu,
			     of_cgroup ? PERF_FLAG_PID_CGROUP : 0);
	if (fd == -EINVAL && counter->attr.inherit_thread) {
		/* 5.13 brought that: before, children can only be counted with their parents. */
		counter->attr.inherit_thread = 0;
		return open_at(c, counter, place);
	}
	return fd;
}

/* Does @err of perf_event_open() say that nothing here counts that? */
static bool is_not_supported(int err)
{
	return err == -ENOENT || err == -EOPNOTSUPP || err == -ENXIO || err == -EINVAL ||
	       err == -ENOSYS;
}

/* Opens a counter at all places. Returns 0 or a negative errno. */
static int open_counter(const struct counters *c, struct counter *counter)
{
	size_t i;
	int fd;

	counter->attr.enable_on_exec = c->command;
	for (i = 0; i < c->place_count; i++) {
		counter->attr.inherit = c->places[i].threads || c->children;
		counter->attr.inherit_thread = c->places[i].threads && !c->children;
		fd = open_at(c, counter, &c->places[i]);
		counter->fds[i] = fd < 0 ? -1 : fd;
		if (is_not_supported(fd))
			counter->why_not = fd;
		else if (fd < 0 && fd != -ENODEV && fd != -ESRCH) /* offline; has ended */
			return fd;
	}
	return 0;
}

/* Each counter is a file at each place. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/*
 * A task's counter on one CPU is enabled while the task runs on others, too, but does not run there. So it
 * is not known how long it was to be counted; but that is how long a counter ran that shares nothing.
 */
static bool is_of_tasks_on_cpus(const struct counters *c)
{
	return c->place_count && c->places[0].pid >= 0 && c->places[0].cpu >= 0;
}

static void add_reference(struct counters *c)
{
	const struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
	};

	if (!c->count || !is_of_tasks_on_cpus(c))
		return;
	c->reference = c->count;
	counters_add(c, "dummy", &attr);
}

int counters_open(struct counters *c)
{
	size_t i, j;
	int err;

	raise_file_limit();
	add_reference(c);
	for (i = 0; i < c->count; i++) {
		struct counter *counter = &c->counters[i];

		counter->fds = have(calloc(c->place_count, sizeof(*counter->fds)));
		counter->before = have(calloc(c->place_count, sizeof(*counter->before)));
		counter->now = have(calloc(c->place_count, sizeof(*counter->now)));
		for (j = 0; j < c->place_count; j++)
			counter->fds[j] = -1;
		err = open_counter(c, counter);
		if (!err)
			continue;
		if (err == -EMFILE || err == -ENFILE)
			say_error("cannot count %s: %s; count less at one time, or raise ulimit -n "
				  "above %zu",
				  counter->name, strerror(-err), c->count * c->place_count);
		else
			say_error("cannot count %s: %s%s", counter->name, strerror(-err),
				  kernel_missing(err == -EACCES ? -EPERM : err));
		return err == -EACCES || err == -EPERM ? EXIT_CANNOT : EXIT_FAILED;
	}
	return EXIT_DONE;
}

void counters_start(struct counters *c)
{
	size_t i, j;

	for (i = 0; i < c->count && !c->command; i++) {
		for (j = 0; j < c->place_count; j++) {
			if (c->counters[i].fds[j] >= 0)
				ioctl(c->counters[i].fds[j], PERF_EVENT_IOC_ENABLE, 0);
		}
	}
}

int counters_read(struct counters *c)
{
	size_t i, j;

	for (i = 0; i < c->count; i++) {
		struct counter *counter = &c->counters[i];

		for (j = 0; j < c->place_count; j++) {
			struct counter_value *now = &counter->now[j];

			/* A counter that is in an error state gives nothing: it stays as it was. */
			if (counter->fds[j] >= 0 && read(counter->fds[j], now, sizeof(*now)) < 0)
				return -errno;
		}
	}
	return 0;
}

/* Since the last counters_next(), as the kernel says it. */
static struct counter_value value_since(const struct counters *c, size_t i, size_t place)
{
	const struct counter_value *now = &c->counters[i].now[place];
	const struct counter_value *before = &c->counters[i].before[place];

	return (struct counter_value){
		.count = now->count - before->count,
		.enabled = now->enabled - before->enabled,
		.running = now->running - before->running,
	};
}

struct counter_value counters_value(const struct counters *c, size_t i, size_t place)
{
	struct counter_value value = value_since(c, i, place);

	if (!c->reference)
		return value;
	/* The kernel itself counts at all times; and counters are not read at the same moment. */
	value.enabled = c->counters[i].attr.type == PERF_TYPE_SOFTWARE
				? value.running
				: value_since(c, c->reference, place).running;
	if (value.enabled < value.running)
		value.enabled = value.running;
	return value;
}

void counters_next(struct counters *c)
{
	size_t i;

	for (i = 0; i < c->count; i++)
		memcpy(c->counters[i].before, c->counters[i].now,
		       c->place_count * sizeof(*c->counters[i].now));
}

uint64_t counter_scaled(const struct counter_value *value)
{
	if (value->running >= value->enabled || !value->running)
		return value->count;
	return (long double)value->count * value->enabled / value->running + 0.5L;
}

void counters_free(struct counters *c)
{
	size_t i, j;

	for (i = 0; i < c->count; i++) {
		struct counter *counter = &c->counters[i];

		for (j = 0; counter->fds && j < c->place_count; j++) {
			if (counter->fds[j] >= 0)
				close(counter->fds[j]);
		}
		free(counter->name);
		free(counter->fds);
		free(counter->before);
		free(counter->now);
	}
	if (c->count || c->place_count) {
		if (c->cgroup >= 0)
			close(c->cgroup);
	}
	free(c->counters);
	free(c->places);
	memset(c, 0, sizeof(*c));
}
