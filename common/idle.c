// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "idle.h"

/*
 * The idle loop and what it sleeps in. A timer's interrupt finds a CPU behind the instruction that
 * sleeps, or where interrupts are switched on after it. From kernel/sched/idle.c, drivers/cpuidle,
 * drivers/idle, and the architectures' process.c.
 */
static const char *const functions[] = {
	"do_idle",
	"cpuidle_idle_call",
	"cpu_idle_poll",
	"default_idle",
	"default_idle_call",
	"arch_cpu_idle",
	"cpuidle_enter",
	"cpuidle_enter_state",
	"poll_idle",
	"mwait_idle",
	"native_safe_halt",
	"pv_native_safe_halt",
	"acpi_safe_halt",
	"acpi_idle_do_entry",
	"acpi_idle_enter",
	"acpi_idle_enter_bm",
	"intel_idle",
	"intel_idle_irq",
	"intel_idle_ibrs",
	"intel_idle_xstate",
	"intel_idle_hlt",
	"default_enter_idle",
	"pvm_safe_halt",
	"pvm_safe_halt_hc",
	"xen_safe_halt",
	"tdx_safe_halt",
	"tdx_halt",
	"cpu_do_idle",
	"psci_enter_idle_state",
	"acpi_processor_ffh_cstate_enter",
};

#define FUNCTIONS (sizeof(functions) / sizeof(*functions))

static bool is_idle(const char *name)
{
	unsigned int i;

	for (i = 0; i < FUNCTIONS; i++) {
		if (!strcmp(name, functions[i]))
			return true;
	}
	return false;
}

static int by_address(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

/* All addresses of text, so that it is known where a function ends, and those of idle functions. */
struct text {
	__u64 *all, idle[IDLE_RANGES];
	size_t count, room, idle_count;
};

static bool read_text(struct text *text)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	char line[512], name[128], type;
	unsigned long long address;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%llx %c %127s", &address, &type, name) != 3 || !address ||
		    !strchr("tTwW", type))
			continue;
		if (text->count == text->room) {
			__u64 *more;

			text->room = text->room ? 2 * text->room : 65536;
			more = realloc(text->all, text->room * sizeof(*more));
			if (!more)
				break;
			text->all = more;
		}
		text->all[text->count++] = address;
		if (is_idle(name) && text->idle_count < IDLE_RANGES)
			text->idle[text->idle_count++] = address;
	}
	if (file)
		fclose(file);
	qsort(text->all, text->count, sizeof(*text->all), by_address);
	return text->count;
}

/* The first address of text behind @address. */
static __u64 end_of(const struct text *text, __u64 address)
{
	size_t lo = 0, hi = text->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (text->all[mid] > address)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo < text->count ? text->all[lo] : address + 1;
}

unsigned int idle_ranges(struct code_range ranges[IDLE_RANGES])
{
	struct text text = {};
	size_t i;

	memset(ranges, 0, IDLE_RANGES * sizeof(*ranges));
	if (read_text(&text)) {
		for (i = 0; i < text.idle_count; i++) {
			ranges[i].from = text.idle[i];
			ranges[i].to = end_of(&text, text.idle[i]);
		}
	}
	free(text.all);
	return text.idle_count;
}
