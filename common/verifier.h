/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel's verifier says of programs. With BPF_PROF_VERIFIER=stats in the environment, its
 * statistics for each go to stderr: tests see by them how far programs are from its limits.
 */
#ifndef COMMON_VERIFIER_H
#define COMMON_VERIFIER_H

#include <stdbool.h>
#include <bpf/libbpf.h>

bool verifier_stats_wanted(void);

/* The log level for them, and the room that they take. */
#define VERIFIER_STATS	   4
#define VERIFIER_STATS_LEN 1024

/* Has them asked for all programs of @obj, before its load; and told after that. */
void verifier_ask(struct bpf_object *obj);
void verifier_tell_all(struct bpf_object *obj);

/* Tells those in @log of the program @name, which has been loaded. */
void verifier_tell(const char *name, const char *log);

#endif
