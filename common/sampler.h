/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program run on each CPU: at a steady rate, by cycles where there is a PMU, else by a timer; or at
 * each event of a kind.
 */
#ifndef COMMON_SAMPLER_H
#define COMMON_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>
#include <bpf/libbpf.h>
#include <linux/perf_event.h>
#include <linux/types.h>
#include "abi.h"

struct sampler_opts {
	unsigned int hz;
	const __u64 *cpus; /* a bit for each that is wanted, MAX_CPUS of them; NULL: all */
	bool exclude_user, exclude_kernel, exclude_guest, exclude_host;
};

struct sampler {
	const char *event;  /* "cycles" or "cpu-clock" */
	bool timer;	    /* it is a timer, whose interrupt has to wait while those are off */
	unsigned int count; /* CPUs */
	struct bpf_link **links;
	int *events; /* the links' */
};

/* The event that there is here; what the first of @opts' CPUs says of cycles decides. */
void sampler_choose(struct sampler *s, const struct sampler_opts *opts);

/*
 * Runs @prog at s->event on each CPU that is online and wanted. Returns 0 or a negative errno, -ENODEV
 * where there is none. sampler_stop() is due after a success.
 */
int sampler_start(struct sampler *s, const struct sampler_opts *opts, struct bpf_program *prog);

/* The same for the event @attr; @cpus: as in struct sampler_opts. */
int sampler_start_event(struct sampler *s, const struct perf_event_attr *attr, const __u64 *cpus,
			struct bpf_program *prog);

/*
 * How many events there have been. The kernel does not run a program at an event on a CPU that it
 * has in the midst of another one, or of a system call on a map.
 */
uint64_t sampler_events(const struct sampler *s);

void sampler_stop(struct sampler *s);

#endif
