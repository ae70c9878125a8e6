/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs for events of -e: common/events/engine.h makes copies of them. */
#ifndef BPF_EVENT_BPF_H
#define BPF_EVENT_BPF_H

#include "current.bpf.h"
#include "slot.bpf.h"
#include "target.bpf.h"

/* Nothing but what some threads do is wanted. */
const volatile bool some_tasks = false;

/* Is the event at @ctx wanted? */
static __always_inline bool event_wanted(void *ctx)
{
	return observing() && (!some_tasks || current_wanted()) && slot_filter(ctx);
}

#endif
