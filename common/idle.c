// SPDX-License-Identifier: GPL-2.0-only
#include <stdint.h>
#include <string.h>
#include "idle.h"
#include "say.h"

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

static bool is_idle_function(const char *name)
{
	unsigned int i;

	for (i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		if (!strcmp(name, functions[i]))
			return true;
	}
	return false;
}

bool idle_learn(volatile __u64 *places, const struct stack_key *key, __u64 leaf,
		struct symbols *symbols)
{
	static bool told;
	const char *name;
	unsigned int i;

	if (key->pid || !leaf)
		return false;
	name = symbols_kernel_name(symbols, leaf);
	if (!name) {
		if (!told)
			say_note(
				"the kernel hides its addresses (kptr_restrict): time in which CPUs "
				"are idle cannot be told apart and is shown as swapper's");
		told = true;
		return false;
	}
	if (!is_idle_function(name))
		return false;
	for (i = 0; i < IDLE_PLACES && places[i] && places[i] != leaf; i++)
		;
	if (i < IDLE_PLACES)
		places[i] = leaf;
	return true;
}
