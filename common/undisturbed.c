// SPDX-License-Identifier: GPL-2.0-only
#include <sched.h>
#include <stdbool.h>
#include "undisturbed.h"

static struct sched_param usual_param;
static int usual_policy;
static bool is_undisturbed;

void undisturbed_begin(void)
{
	const struct sched_param least = { .sched_priority = sched_get_priority_min(SCHED_FIFO) };

	usual_policy = sched_getscheduler(0);
	/* Who has such a policy from his parents stays as he is. */
	is_undisturbed = (usual_policy == SCHED_OTHER || usual_policy == SCHED_BATCH ||
			  usual_policy == SCHED_IDLE) &&
			 !sched_getparam(0, &usual_param) &&
			 !sched_setscheduler(0, SCHED_FIFO, &least);
}

void undisturbed_end(void)
{
	if (is_undisturbed)
		sched_setscheduler(0, usual_policy, &usual_param);
	is_undisturbed = false;
}
