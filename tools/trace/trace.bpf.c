// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events, one by one. There is a copy of the program for each event of -e. It puts a record together
 * and hands it over in the buffer of its CPU, so that CPUs never wait for each other. Where only a flame
 * graph is wanted, it counts stacks instead.
 */
#include "vmlinux.h"
#include "abi.h"
#include <bpf/bpf_helpers.h>
#include "trace.h"
#include "count.bpf.h"
#include "event.bpf.h"
#include "place.bpf.h"
#include "stack.bpf.h"

char LICENSE[] SEC("license") = "GPL";

const volatile bool count_stacks = false;
const volatile unsigned int cpus = 1; /* possible ones */

/* Key: a CPU. The buffers, which userspace makes; where one is full, events are lost. */
struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(u32));
} buffers SEC(".maps");

/* Key: a CPU. Userspace, which has it in its memory, sees there what may still come from the CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct trace_cpu);
} on_cpu SEC(".maps");

/*
 * How often each event had each stack. Filled at the first sight of a key in a half, sized and emptied
 * by userspace. When it is full, events with a new key are lost.
 */
struct stack_counts {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct trace_key);
	__type(value, u64);
} counts_0 SEC(".maps"), counts_1 SEC(".maps");

#define STACK_ROOM (8 + 2 * MAX_STACK * 8)

/* As much room again: the verifier sees less of where something ends than we do. */
struct trace_place {
	struct place place;
	struct trace_record record;
	u8 rest[2 * (sizeof(struct trace_extras) + TRACE_DATA + STACK_ROOM)];
};

#define TRACE_PLACES 6

/* Where a record is put together: all places that a CPU has. When all are in use, events are lost. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TRACE_PLACES);
	__type(key, u32);
	__type(value, struct trace_place);
} trace_places SEC(".maps");

/* The verifier has to believe it where the compiler knows it. */
#define AT_MOST(value, most)                     \
	({                                       \
		u64 value_ = (value);            \
                                                 \
		asm volatile("" : "+r"(value_)); \
		if (value_ > (most))             \
			value_ = (most);         \
		asm volatile("" : "+r"(value_)); \
		value_;                          \
	})

/* How long the data at @ctx is, with strings whose length differs; @data has its first part. */
static __always_inline u64 data_size(u32 unit, const u8 *data)
{
	u64 at = TRACE_LOC(unit) * 4, size = TRACE_WORDS(unit) * 8, end;
	u32 loc;

	if (!at)
		return size;
	loc = *(const u32 *)(data + at);
	end = (loc & 0xffff) + (loc >> 16) + (TRACE_RELATIVE(unit) ? at + 4 : 0);
	return end > size ? end : size;
}

/* Puts the data at @ctx to @data. Returns how many bytes there are. */
static __always_inline u64 take_data(void *ctx, u32 unit, u8 *data, struct trace_record *record)
{
	u64 size = AT_MOST(TRACE_WORDS(unit) * 8, TRACE_DATA);

	if (!size)
		return 0;
	bpf_probe_read_kernel(data, size, ctx);
	if (!TRACE_LOC(unit))
		return size;
	size = data_size(unit, data);
	if (size > TRACE_DATA)
		record->flags |= TRACE_CUT_OFF;
	size = AT_MOST(size, TRACE_DATA);
	bpf_probe_read_kernel(data, size, ctx);
	return size;
}

static __always_inline void take_extras(void *ctx, struct trace_extras *extras)
{
	extras->value[0] = slot_value(ctx);
	extras->value[1] = slot_value2(ctx);
	extras->value[2] = slot_value3(ctx);
	extras->value[3] = slot_value4(ctx);
	extras->text[0][0] = extras->text[1][0] = 0;
	slot_key_text(ctx, extras->text[0]);
	slot_name_text(ctx, extras->text[1]);
}

/* Puts @frames of a part of the stack to @to; returns how many there are. */
static __always_inline u64 take_frames(void *ctx, u8 *to, u64 frames, u64 flags)
{
	int size = bpf_get_stack(ctx, to, frames * 8, flags);

	return size > 0 ? (u64)(u32)size / 8 : 0;
}

/* Adds the stack behind @end bytes of @place; returns where it ends. */
static __always_inline u64 take_stack(void *ctx, u32 unit, struct trace_place *place, u64 end)
{
	struct trace_record *record = &place->record;
	u64 frames = AT_MOST(TRACE_FRAMES(unit), MAX_STACK), at, space;

	at = AT_MOST(end, sizeof(struct trace_extras) + TRACE_DATA) + 8;
	if (config.kernel_stack)
		record->kernel = take_frames(ctx, place->rest + at, frames, 0);
	at = AT_MOST(at + record->kernel * 8,
		     sizeof(struct trace_extras) + TRACE_DATA + 8 + MAX_STACK * 8);
	if (config.user_stack && record->pid)
		record->user = take_frames(ctx, place->rest + at, frames, BPF_F_USER_STACK);
	if (!record->kernel && !record->user)
		return end;
	space = record->user ? current_space(0) : 0;
	if (space)
		see_space(space);
	end = AT_MOST(end, sizeof(struct trace_extras) + TRACE_DATA);
	*(u64 *)(place->rest + end) = space;
	return at + record->user * 8;
}

static __always_inline void fill(void *ctx, struct trace_place *place, struct trace_cpu *cpu)
{
	struct trace_record *record = &place->record;
	u32 unit = slot_unit(ctx);
	u64 ids = bpf_get_current_pid_tgid(), end;

	record->pid = ids >> 32;
	record->tid = ids;
	bpf_get_current_comm(record->comm, sizeof(record->comm));
	record->event = slot_event(ctx);
	record->kernel = record->user = record->flags = 0;
	if (TRACE_EXTRAS(unit)) {
		record->flags = TRACE_HAS_EXTRAS;
		take_extras(ctx, (void *)place->rest);
		record->size =
			take_data(ctx, unit, place->rest + sizeof(struct trace_extras), record);
		end = sizeof(struct trace_extras) + record->size;
	} else {
		record->size = take_data(ctx, unit, place->rest, record);
		end = record->size;
	}
	end = (end + 7) & ~7ULL;
	if (TRACE_FRAMES(unit))
		end = take_stack(ctx, unit, place, end);
	end = AT_MOST(end, sizeof(place->rest) / 2) + sizeof(*record);
	if (bpf_perf_event_output(ctx, &buffers, BPF_F_CURRENT_CPU, record, end)) {
		count_lost(LOST_BUFFER);
		__sync_fetch_and_add(&cpu->lost, 1);
	}
}

static __always_inline void hand_over(void *ctx)
{
	u32 at = bpf_get_smp_processor_id();
	struct trace_cpu *cpu = bpf_map_lookup_elem(&on_cpu, &at);
	struct trace_place *place;

	if (!cpu)
		return;
	/* Before the time is read: who finds none running has all that is older. */
	__sync_fetch_and_add(&cpu->running, 1);
	place = take_place(&trace_places, TRACE_PLACES);
	if (place) {
		place->record.time = bpf_ktime_get_ns();
		fill(ctx, place, cpu);
		leave_place(&place->place);
	} else {
		count_lost(LOST_BUSY);
	}
	__sync_fetch_and_add(&cpu->running, -1);
}

static __always_inline void take(void *ctx)
{
	struct trace_key key = {};
	u32 half = current_half();

	if (!count_stacks) {
		hand_over(ctx);
		return;
	}
	key.event = slot_event(ctx);
	stack_here(ctx, 0, false, half, &key.stack);
	count_key(HALF_MAP(counts, half), &key);
}

SEC("event")
int on_event(void *ctx)
{
	if (event_wanted(ctx))
		take(ctx);
	return slot_passed_on(ctx);
}
