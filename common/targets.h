/* SPDX-License-Identifier: GPL-2.0-only */
/* Who is to be observed: what -p -t -C --comm --cgroup say, and how the programs learn it. */
#ifndef COMMON_TARGETS_H
#define COMMON_TARGETS_H

#include <stdbool.h>
#include <sys/types.h>
#include <bpf/libbpf.h>
#include <linux/types.h>
#include "abi.h"

/* As the user wrote them; NULL: not given. The strings are the command line's. */
struct targets {
	const char *pids;
	const char *tids;
	const char *cpus;
	const char *comm;
	const char *cgroup;
};

/* For the command line: NULL if @text will do, else what is wrong with it. */
const char *check_ids(const char *text);
const char *check_cpus(const char *text);
const char *check_comm(const char *text);

/* Sets the bits of -C's CPUs in @bits, of MAX_CPUS; false if there is no -C. */
bool targets_cpus(const struct targets *targets, __u64 *bits);

/* Opens the directory of the cgroup that the user calls @path. Tells what is wrong; an exit status. */
int targets_open_cgroup(const char *path, int *fd);

/*
 * Puts @targets into @config. @command is the process of `-- CMD` and its children are observed
 * with it, or 0. Tells what is wrong (no such process, thread, CPU or cgroup) and returns an exit
 * status, or 0.
 */
int targets_configure(const struct targets *targets, pid_t command, struct bpf_config *config);

/*
 * Sizes the map `chosen` of @obj and switches off the programs of bpf/current.bpf.h that are not
 * needed. To be called before load, after targets_configure().
 */
int targets_size(const struct bpf_config *config, struct bpf_object *obj);

/* Fills the map `chosen`. To be called after load. Returns 0 or a negative errno. */
int targets_fill(const struct targets *targets, pid_t command, const struct bpf_config *config,
		 struct bpf_object *obj);

/* Tells if nobody's name matches --comm yet, which may be a slip. */
void targets_hint(const struct targets *targets, const struct bpf_config *config);

#endif
