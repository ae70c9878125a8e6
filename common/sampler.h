/* SPDX-License-Identifier: GPL-2.0-only */
/* A program run at a steady rate on each CPU: by cycles where there is a PMU, else by a timer. */
#ifndef COMMON_SAMPLER_H
#define COMMON_SAMPLER_H

#include <stdbool.h>
#include <bpf/libbpf.h>
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
};

/* The event that there is here; what the first of @opts' CPUs says of cycles decides. */
void sampler_choose(struct sampler *s, const struct sampler_opts *opts);

/*
 * Runs @prog at s->event on each CPU that is online and wanted. Returns 0 or a negative errno, -ENODEV
 * where there is none. sampler_stop() is due after a success.
 */
int sampler_start(struct sampler *s, const struct sampler_opts *opts, struct bpf_program *prog);
void sampler_stop(struct sampler *s);

#endif
