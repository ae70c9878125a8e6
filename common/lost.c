// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <bpf/bpf.h>
#include "lost.h"
#include "maps.h"
#include "say.h"

const char *const lost_names[LOST_REASONS] = {
	[LOST_MAP_FULL] = "map_full",	  [LOST_BUSY] = "busy",
	[LOST_NO_MEMORY] = "no_memory",	  [LOST_UNKNOWN_TASK] = "unknown_task",
	[LOST_UNSEEN] = "unseen",	  [LOST_BUFFER] = "buffer",
	[LOST_UNREADABLE] = "unreadable", [LOST_RECURSION] = "recursion",
};

uint64_t lost_total(const uint64_t counts[LOST_REASONS])
{
	uint64_t total = 0;
	unsigned int why;

	for (why = 0; why < LOST_REASONS; why++)
		total += counts[why];
	return total;
}

static void add_counts(void *total, const void *one)
{
	const struct lost_counts *from = one;
	uint64_t *to = total;
	unsigned int why;

	for (why = 0; why < LOST_IN_KERNEL; why++)
		to[why] += from->count[why];
}

int lost_read(struct bpf_object *obj, bool (*made_up)(const char *program),
	      uint64_t counts[LOST_REASONS])
{
	const struct bpf_map *map = bpf_object__find_map_by_name(obj, "lost");
	struct bpf_program *prog;
	uint32_t zero = 0;
	int err;

	memset(counts, 0, LOST_REASONS * sizeof(*counts));
	err = percpu_read(bpf_map__fd(map), &zero, sizeof(struct lost_counts), add_counts, counts);
	if (err)
		return err;

	bpf_object__for_each_program(prog, obj)
	{
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);

		if (bpf_program__fd(prog) < 0 || (made_up && made_up(bpf_program__name(prog))))
			continue;
		if (bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &size))
			return -errno;
		counts[LOST_RECURSION] += info.recursion_misses;
	}
	return 0;
}

void lost_tell(const uint64_t counts[LOST_REASONS], const char *map_full_help)
{
	const char *const why[LOST_REASONS] = {
		[LOST_MAP_FULL] = map_full_help,
		[LOST_BUSY] = "what they interrupted held a map",
		[LOST_NO_MEMORY] = "the kernel had no memory for them",
		[LOST_UNKNOWN_TASK] = "their threads had not been seen before",
		[LOST_UNSEEN] = "the kernel did not come past the tracepoint",
		[LOST_BUFFER] = "they came faster than they could be taken; show fewer",
		[LOST_UNREADABLE] = "a filter asks for a string that was not in memory",
		[LOST_RECURSION] = "the kernel skipped a program, as one was already running, "
				   "or too many calls whose return is probed",
	};
	char reasons[512] = "";
	size_t used = 0;
	unsigned int i;

	for (i = 0; i < LOST_REASONS; i++) {
		if (counts[i] && used < sizeof(reasons))
			used += snprintf(reasons + used, sizeof(reasons) - used,
					 "%s%" PRIu64 " %s (%s)", used ? ", " : "", counts[i],
					 lost_names[i], why[i]);
	}
	if (used)
		say_note("lost %" PRIu64 " events: %s", lost_total(counts), reasons);
}
