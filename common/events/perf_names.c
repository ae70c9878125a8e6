// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/perf_event.h>
#include "events/perf_names.h"

#define HARDWARE(name, alias, id)                                   \
	{                                                           \
		name, alias, PERF_TYPE_HARDWARE, PERF_COUNT_HW_##id \
	}
#define SOFTWARE(name, alias, id)                                   \
	{                                                           \
		name, alias, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_##id \
	}

static const struct perf_name names[] = {
	SOFTWARE("cpu-clock", NULL, CPU_CLOCK),
	SOFTWARE("task-clock", NULL, TASK_CLOCK),
	SOFTWARE("page-faults", "faults", PAGE_FAULTS),
	SOFTWARE("minor-faults", NULL, PAGE_FAULTS_MIN),
	SOFTWARE("major-faults", NULL, PAGE_FAULTS_MAJ),
	SOFTWARE("context-switches", "cs", CONTEXT_SWITCHES),
	SOFTWARE("cpu-migrations", "migrations", CPU_MIGRATIONS),
	SOFTWARE("alignment-faults", NULL, ALIGNMENT_FAULTS),
	SOFTWARE("emulation-faults", NULL, EMULATION_FAULTS),
	HARDWARE("cycles", "cpu-cycles", CPU_CYCLES),
	HARDWARE("instructions", NULL, INSTRUCTIONS),
	HARDWARE("cache-references", NULL, CACHE_REFERENCES),
	HARDWARE("cache-misses", NULL, CACHE_MISSES),
	HARDWARE("branches", "branch-instructions", BRANCH_INSTRUCTIONS),
	HARDWARE("branch-misses", NULL, BRANCH_MISSES),
	HARDWARE("bus-cycles", NULL, BUS_CYCLES),
	HARDWARE("stalled-cycles-frontend", "idle-cycles-frontend", STALLED_CYCLES_FRONTEND),
	HARDWARE("stalled-cycles-backend", "idle-cycles-backend", STALLED_CYCLES_BACKEND),
	HARDWARE("ref-cycles", NULL, REF_CPU_CYCLES),
};

/* Caches, by their numbers; and what is done with them that each can have. */
static const struct {
	const char *name;
	unsigned int operations; /* a bit for each */
} caches[] = {
	[PERF_COUNT_HW_CACHE_L1D] = { "L1-dcache", 7 },
	[PERF_COUNT_HW_CACHE_L1I] = { "L1-icache", 1 << PERF_COUNT_HW_CACHE_OP_READ |
							   1 << PERF_COUNT_HW_CACHE_OP_PREFETCH },
	[PERF_COUNT_HW_CACHE_LL] = { "LLC", 7 },
	[PERF_COUNT_HW_CACHE_DTLB] = { "dTLB", 7 },
	[PERF_COUNT_HW_CACHE_ITLB] = { "iTLB", 1 << PERF_COUNT_HW_CACHE_OP_READ },
	[PERF_COUNT_HW_CACHE_BPU] = { "branch", 1 << PERF_COUNT_HW_CACHE_OP_READ },
	[PERF_COUNT_HW_CACHE_NODE] = { "node", 7 },
};

static const char *const operations[][2] = {
	[PERF_COUNT_HW_CACHE_OP_READ] = { "loads", "load-misses" },
	[PERF_COUNT_HW_CACHE_OP_WRITE] = { "stores", "store-misses" },
	[PERF_COUNT_HW_CACHE_OP_PREFETCH] = { "prefetches", "prefetch-misses" },
};

#define NAMES	   (sizeof(names) / sizeof(*names))
#define CACHES	   (sizeof(caches) / sizeof(*caches))
#define OPERATIONS (sizeof(operations) / sizeof(*operations))

static bool cache_name_at(size_t at, struct perf_name *name)
{
	static char buf[64];
	unsigned int cache, operation, result;

	for (cache = 0; cache < CACHES; cache++) {
		for (operation = 0; operation < OPERATIONS; operation++) {
			for (result = 0; result < 2; result++) {
				if (!(caches[cache].operations & 1 << operation) || at--)
					continue;
				snprintf(buf, sizeof(buf), "%s-%s", caches[cache].name,
					 operations[operation][result]);
				*name = (struct perf_name){
					.name = buf,
					.type = PERF_TYPE_HW_CACHE,
					.config = cache | operation << 8 | result << 16,
				};
				return true;
			}
		}
	}
	return false;
}

bool perf_name_at(size_t at, struct perf_name *name)
{
	if (at >= NAMES)
		return cache_name_at(at - NAMES, name);
	*name = names[at];
	return true;
}

static bool is(const char *name, const char *text, size_t length)
{
	return name && strlen(name) == length && !strncmp(name, text, length);
}

/* "r1a8": what the CPU's manual calls the event. */
static bool is_raw(const char *text, size_t length)
{
	size_t i;

	for (i = 1; i < length; i++) {
		if (!isxdigit((unsigned char)text[i]))
			return false;
	}
	return length > 1 && length <= 17 && *text == 'r';
}

bool perf_name_find(const char *text, size_t length, struct perf_name *found)
{
	struct perf_name name = { .name = PERF_PROFILE_NAME, .type = PERF_TYPE_SOFTWARE };
	size_t i;

	for (i = 0; !is(name.name, text, length) && !is(name.alias, text, length); i++) {
		if (!perf_name_at(i, &name))
			break;
	}
	if (is_raw(text, length)) {
		name = (struct perf_name){ .type = PERF_TYPE_RAW,
					   .config = strtoull(text + 1, NULL, 16) };
	} else if (!is(name.name, text, length) && !is(name.alias, text, length)) {
		return false;
	}
	if (found)
		*found = name;
	return true;
}
