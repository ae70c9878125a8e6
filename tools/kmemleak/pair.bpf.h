/* SPDX-License-Identifier: GPL-2.0-only */
/* Objects of any pair of tracepoints, whose fields userspace has looked up. */
#ifndef PAIR_BPF_H
#define PAIR_BPF_H

#include "live.bpf.h"

const volatile struct field made_address[MOST_EVENTS] = {};
const volatile struct field made_bytes[MOST_EVENTS] = {};
const volatile struct field freed_address[MOST_EVENTS] = {};

/* The number in @field of the record at @ctx; 0 if there is no such field. */
static __always_inline u64 field_value(void *ctx, const volatile struct field *field)
{
	u64 value = 0;

	/* Sizes are constants for the verifier: any length, and it would want a bound for it. */
	if (field->size == 1)
		bpf_probe_read_kernel(&value, 1, ctx + field->offset);
	else if (field->size == 2)
		bpf_probe_read_kernel(&value, 2, ctx + field->offset);
	else if (field->size == 4)
		bpf_probe_read_kernel(&value, 4, ctx + field->offset);
	else if (field->size == 8)
		bpf_probe_read_kernel(&value, 8, ctx + field->offset);
	return value;
}

static __always_inline int made_by_event(void *ctx, u32 event)
{
	struct object_key key = { .address = field_value(ctx, &made_address[event]) };
	struct object object = {
		.site = { .allocator = ALLOC_EVENT + event },
		.bytes = field_value(ctx, &made_bytes[event]),
	};

	made(ctx, 0, &key, &object);
	return 0;
}

static __always_inline int freed_by_event(void *ctx, u32 event)
{
	struct object_key key = { .address = field_value(ctx, &freed_address[event]) };

	if (key.address)
		forget(&key, ALLOC_EVENT);
	return 0;
}

#define PAIR_PROGRAMS(event)                       \
	SEC("tp")                                  \
	int made_by_event_##event(void *ctx)       \
	{                                          \
		return made_by_event(ctx, event);  \
	}                                          \
	SEC("tp")                                  \
	int freed_by_event_##event(void *ctx)      \
	{                                          \
		return freed_by_event(ctx, event); \
	}

PAIR_PROGRAMS(0)
PAIR_PROGRAMS(1)
PAIR_PROGRAMS(2)
PAIR_PROGRAMS(3)

#endif
