// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "verifier.h"

bool verifier_stats_wanted(void)
{
	const char *wish = getenv("BPF_PROF_VERIFIER");

	return wish && !strcmp(wish, "stats");
}

void verifier_ask(struct bpf_object *obj)
{
	struct bpf_program *prog;

	if (!verifier_stats_wanted())
		return;
	bpf_object__for_each_program(prog, obj)
	{
		bpf_program__set_log_level(prog, VERIFIER_STATS);
		bpf_program__set_log_buf(prog, calloc(1, VERIFIER_STATS_LEN), VERIFIER_STATS_LEN);
	}
}

void verifier_tell(const char *name, const char *log)
{
	fprintf(stderr, "verified %s: %.*s", name, VERIFIER_STATS_LEN, log);
}

void verifier_tell_all(struct bpf_object *obj)
{
	struct bpf_program *prog;
	size_t size;
	char *log;

	if (!verifier_stats_wanted())
		return;
	bpf_object__for_each_program(prog, obj)
	{
		log = (char *)bpf_program__log_buf(prog, &size);
		if (bpf_program__fd(prog) >= 0 && log)
			verifier_tell(bpf_program__name(prog), log);
		bpf_program__set_log_buf(prog, NULL, 0);
		free(log);
	}
}
