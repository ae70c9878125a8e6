/* SPDX-License-Identifier: GPL-2.0-only */
/* What this kernel has and what this process may do with it. */
#ifndef COMMON_KERNEL_H
#define COMMON_KERNEL_H

#include <stdbool.h>
#include <linux/types.h>

struct btf;

/*
 * A feature named in the environment variable BPF_PROF_WITHOUT (with commas between) is taken as
 * missing, so that tests can see the ways of old kernels on any.
 */
bool kernel_is_without(const char *feature);

/*
 * Checks what every unit needs: privilege, the kernel's BTF, the first PID namespace. Tells what is
 * missing and returns EXIT_CANNOT, or 0.
 */
int kernel_check(void);

/* Can programs keep data with a task? 5.13 brought that for tracing programs. */
bool kernel_has_task_storage(void);

/*
 * Does the scheduler account for the time that threads wait (CONFIG_SCHED_INFO, and switched on)?
 */
bool kernel_has_sched_info(void);

/* Does the running kernel have the tracepoint, for programs of type tp_btf? */
bool kernel_has_tracepoint(const char *name);

/*
 * The running kernel's BTF, read when it is first asked for. It belongs to kernel.c, until
 * kernel_btf_free(). NULL with errno set when it cannot be read.
 */
const struct btf *kernel_btf(void);
void kernel_btf_free(void);

/* Can programs of type fentry be attached to @function? */
bool kernel_has_fentry(const char *function);

/* For bpf/known_stack.bpf.h: the size of a task's stack; 0: stacks cannot be walked so here. */
__u64 kernel_stack_size(void);

/*
 * Waits until no BPF program runs that was running when this was called. Needs
 * kernel_wait_setup(), which returns 0 or a negative errno.
 */
int kernel_wait_setup(void);
void kernel_wait_for_programs(void);

/* All threads there are now, at least 1. */
unsigned int kernel_threads(void);

/* What was most likely missing at a failure with @err (negative), for a message; "" if unknown. */
const char *kernel_missing(int err);

#endif
