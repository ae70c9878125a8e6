// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "perf_event.h"
#include "sampler.h"

static struct perf_event_attr clock_event(bool timer, const struct sampler_opts *opts)
{
	return (struct perf_event_attr){
		.type = timer ? PERF_TYPE_SOFTWARE : PERF_TYPE_HARDWARE,
		.size = sizeof(struct perf_event_attr),
		.config = timer ? PERF_COUNT_SW_CPU_CLOCK : PERF_COUNT_HW_CPU_CYCLES,
		.freq = 1,
		.sample_freq = opts->hz,
		.exclude_user = opts->exclude_user,
		.exclude_kernel = opts->exclude_kernel,
		.exclude_hv = opts->exclude_kernel,
		.exclude_guest = opts->exclude_guest,
		.exclude_host = opts->exclude_host,
	};
}

static bool is_wanted(const __u64 *cpus, int cpu)
{
	return !cpus || cpus[cpu / 64] >> (cpu % 64) & 1;
}

void sampler_choose(struct sampler *s, const struct sampler_opts *opts)
{
	struct perf_event_attr cycles = clock_event(false, opts);
	int cpus = libbpf_num_possible_cpus(), cpu, fd = -ENODEV;

	for (cpu = 0; cpu < cpus && fd == -ENODEV; cpu++) {
		if (is_wanted(opts->cpus, cpu))
			fd = perf_event_open(&cycles, -1, cpu, 0);
	}
	s->timer = fd < 0;
	s->event = s->timer ? "cpu-clock" : "cycles";
	if (fd >= 0)
		close(fd);
}

int sampler_start(struct sampler *s, const struct sampler_opts *opts, struct bpf_program *prog)
{
	struct perf_event_attr attr = clock_event(s->timer, opts);

	return sampler_start_event(s, &attr, opts->cpus, prog);
}

int sampler_start_event(struct sampler *s, const struct perf_event_attr *attr, const __u64 *wanted,
			struct bpf_program *prog)
{
	int cpus = libbpf_num_possible_cpus(), cpu, fd, err = 0;

	if (cpus < 0)
		return cpus;
	s->count = 0;
	s->links = calloc(cpus, sizeof(*s->links));
	s->events = calloc(cpus, sizeof(*s->events));
	if (!s->links || !s->events)
		err = -ENOMEM;
	for (cpu = 0; cpu < cpus && !err; cpu++) {
		if (!is_wanted(wanted, cpu))
			continue;
		fd = perf_event_open(attr, -1, cpu, 0);
		if (fd == -ENODEV)
			continue; /* offline */
		if (fd < 0) {
			err = fd;
			break;
		}
		s->links[s->count] = bpf_program__attach_perf_event(prog, fd);
		if (s->links[s->count]) {
			s->events[s->count++] = fd;
		} else {
			err = -errno;
			close(fd);
		}
	}
	if (!err && !s->count)
		err = -ENODEV;
	if (err)
		sampler_stop(s);
	return err;
}

void sampler_stop(struct sampler *s)
{
	while (s->count)
		bpf_link__destroy(s->links[--s->count]); /* closes the event */
	free(s->links);
	free(s->events);
	s->links = NULL;
	s->events = NULL;
}

uint64_t sampler_events(const struct sampler *s)
{
	uint64_t all = 0, count;
	unsigned int i;

	for (i = 0; i < s->count; i++) {
		if (read(s->events[i], &count, sizeof(count)) == sizeof(count))
			all += count;
	}
	return all;
}
