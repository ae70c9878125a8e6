// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts and sums by key. There is a copy of the program for each event of -e, which adds what its
 * slots give to its own columns. Programs may interrupt each other, and run on several CPUs at one
 * time: hence all additions are atomic, and nothing has to be kept from happening.
 */
#include "vmlinux.h"
#include "abi.h"
#include <bpf/bpf_helpers.h>
#include "top.h"
#include "event.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/*
 * Rows. Filled at the first sight of a key in a half, sized by userspace (keys are numbers, or strings
 * of SLOT_TEXT_SIZE bytes; values a struct top_row with the columns that there are) and emptied by it.
 * When it is full, what has a new key goes to `others`.
 */
struct top_rows {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(union event_key));
	__uint(value_size, sizeof(struct top_row));
} rows_0 SEC(".maps"), rows_1 SEC(".maps");

/* One element: the row of all keys that there is no room for. */
struct top_others {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(struct top_row));
} others_0 SEC(".maps"), others_1 SEC(".maps");

static const struct top_row empty_row = {};

/* The row of @key, which is made if there is none; NULL if there is no room. */
static __always_inline struct top_row *row_of(void *ctx, void *rows, const union event_key *key)
{
	struct top_row *row = bpf_map_lookup_elem(rows, key);
	bool made;

	if (row) {
		if (of_threads)
			rename_to_current(row->name);
		return row;
	}
	made = !bpf_map_update_elem(rows, key, &empty_row, BPF_NOEXIST);
	row = bpf_map_lookup_elem(rows, key);
	/* One writes the name. */
	if (row && made)
		slot_name_text(ctx, row->name);
	return row;
}

static __always_inline struct top_row *others_row(u32 half)
{
	u32 zero = 0;
	struct top_row *row = bpf_map_lookup_elem(HALF_MAP(others, half), &zero);

	if (row)
		__sync_fetch_and_add(&row->events, 1);
	return row;
}

static __always_inline void add_to(struct top_sum *sum, u64 value, bool is_signed)
{
	u64 high = is_signed ? (u64)((s64)value >> 32) : value >> 32;

	__sync_fetch_and_add(&sum->low, value & 0xffffffff);
	if (high)
		__sync_fetch_and_add(&sum->high, high);
}

static __always_inline void take(void *ctx)
{
	union event_key key;
	struct top_row *row;
	u64 columns, first, count;
	struct top_sum *sum;
	u32 half;

	half = current_half();
	event_key(ctx, &key);
	row = row_of(ctx, HALF_MAP(rows, half), &key);
	if (!row)
		row = others_row(half);
	if (!row)
		return;
	columns = slot_unit(ctx);
	first = TOP_FIRST(columns);
	count = TOP_COUNT(columns);
	if (first >= MOST_COLUMNS)
		return;
	sum = &row->sum[first];
	if (count > 0)
		add_to(&sum[0], slot_value(ctx), columns & TOP_SIGNED(0));
	if (count > 1)
		add_to(&sum[1], slot_value2(ctx), columns & TOP_SIGNED(1));
	if (count > 2)
		add_to(&sum[2], slot_value3(ctx), columns & TOP_SIGNED(2));
	if (count > 3)
		add_to(&sum[3], slot_value4(ctx), columns & TOP_SIGNED(3));
}

SEC("event")
int on_event(void *ctx)
{
	if (event_wanted(ctx))
		take(ctx);
	return slot_passed_on(ctx);
}
