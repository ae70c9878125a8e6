// SPDX-License-Identifier: GPL-2.0-only
/* Overlapping address ranges, made disjoint: see spans.h. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "spans.h"

int spans_add(struct span **spans, size_t *cnt, size_t *cap, uint64_t addr, uint64_t len,
	      uint32_t ref)
{
	if (*cnt == *cap) {
		size_t new_cap = *cap ? *cap + *cap / 2 : 64;
		struct span *grown = reallocarray(*spans, new_cap, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		*spans = grown;
		*cap = new_cap;
	}
	(*spans)[(*cnt)++] = (struct span){
		.addr = addr,
		.len = len < UINT32_MAX ? (uint32_t)len : UINT32_MAX,
		.ref = ref,
	};
	return 0;
}

/*
 * The spans that cover the current address are indexes in a binary heap with the one that
 * counts on top. Spans that have ended leave it only when they come to the top.
 */
struct heap {
	const struct span *spans;
	enum span_rule rule;
	uint32_t *idx;
	size_t cnt;
};

static bool beats(const struct heap *heap, uint32_t a, uint32_t b)
{
	if (heap->rule == SPAN_HIGHER && heap->spans[a].ref != heap->spans[b].ref)
		return heap->spans[a].ref > heap->spans[b].ref;
	return a > b;
}

static void heap_push(struct heap *heap, uint32_t idx)
{
	size_t at = heap->cnt++;

	while (at) {
		size_t parent = (at - 1) / 2;

		if (!beats(heap, idx, heap->idx[parent]))
			break;
		heap->idx[at] = heap->idx[parent];
		at = parent;
	}
	heap->idx[at] = idx;
}

static void heap_pop(struct heap *heap)
{
	uint32_t last = heap->idx[--heap->cnt];
	size_t at = 0;

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= heap->cnt)
			break;
		if (child + 1 < heap->cnt && beats(heap, heap->idx[child + 1], heap->idx[child]))
			child++;
		if (!beats(heap, heap->idx[child], last))
			break;
		heap->idx[at] = heap->idx[child];
		at = child;
	}
	heap->idx[at] = last;
}

/* The end of a span; a range that would wrap ends at the end of the address space. */
static uint64_t span_end(const struct span *span)
{
	uint64_t end = span->addr + span->len;

	return end < span->addr ? UINT64_MAX : end;
}

static int emit(struct span **out, size_t *cnt, size_t *cap, uint64_t from, uint64_t to,
		uint32_t ref)
{
	struct span *last = *cnt ? &(*out)[*cnt - 1] : NULL;

	if (last && last->ref == ref && last->addr + last->len == from &&
	    to - last->addr < UINT32_MAX) {
		last->len = (uint32_t)(to - last->addr);
		return 0;
	}
	return spans_add(out, cnt, cap, from, to - from, ref);
}

int spans_flatten(struct span **spans, size_t *cnt, enum span_rule rule)
{
	const struct span *in = *spans;
	size_t n = *cnt, out_cnt = 0, out_cap = 0, next = 0;
	struct heap heap = { .spans = in, .rule = rule };
	struct span *out = NULL, *fit;
	uint64_t at = 0;

	if (!n)
		return 0;
	if (n > UINT32_MAX)
		return -ENOMEM;
	/* Most tables have few overlaps: start with the size they then need. */
	out = malloc(n * sizeof(*out));
	heap.idx = malloc(n * sizeof(*heap.idx));
	if (!out || !heap.idx)
		goto no_memory;
	out_cap = n;

	while (next < n || heap.cnt) {
		const struct span *top;
		uint64_t end;

		if (!heap.cnt)
			at = in[next].addr;
		while (next < n && in[next].addr <= at)
			heap_push(&heap, (uint32_t)next++);
		top = &in[heap.idx[0]];
		end = span_end(top);
		if (end <= at) {
			heap_pop(&heap);
			continue;
		}
		if (next < n && in[next].addr < end)
			end = in[next].addr;
		if (emit(&out, &out_cnt, &out_cap, at, end, top->ref))
			goto no_memory;
		at = end;
	}

	free(heap.idx);
	free(*spans);
	fit = reallocarray(out, out_cnt ? out_cnt : 1, sizeof(*out));
	*spans = fit ? fit : out;
	*cnt = out_cnt;
	return 0;
no_memory:
	free(heap.idx);
	free(out);
	return -ENOMEM;
}

const struct span *spans_find(const struct span *spans, size_t cnt, uint64_t addr)
{
	size_t lo = 0, hi = cnt;

	/* The first span that starts behind addr ends up in lo. */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (spans[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || addr - spans[lo - 1].addr >= spans[lo - 1].len)
		return NULL;
	return &spans[lo - 1];
}
