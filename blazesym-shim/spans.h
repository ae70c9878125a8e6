/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address ranges that may overlap, turned into a table for binary search that says for
 * every address which of them counts there.
 */
#ifndef BLAZESYM_SPANS_H
#define BLAZESYM_SPANS_H

#include <stddef.h>
#include <stdint.h>

struct span {
	uint64_t addr;
	uint32_t len; /* bytes; ranges are cut off at 4 GiB */
	uint32_t ref; /* whose range this is, the caller's number */
};

enum span_rule {
	SPAN_LATER,  /* the one later in the array counts, so the innermost if nested */
	SPAN_HIGHER, /* the one with the higher ref counts */
};

/*
 * Make the @cnt spans at *@spans, malloc()ed and ascending by address, disjoint by @rule.
 * *@spans is replaced by the result, as large as it has to be, also malloc()ed. A span can
 * come out in several pieces. -ENOMEM leaves everything as it was.
 */
int spans_flatten(struct span **spans, size_t *cnt, enum span_rule rule);

/* The span at @addr in disjoint ascending @spans, NULL if none. */
const struct span *spans_find(const struct span *spans, size_t cnt, uint64_t addr);

/* Append to an array of *@cap spans that grows as needed. */
int spans_add(struct span **spans, size_t *cnt, size_t *cap, uint64_t addr, uint64_t len,
	      uint32_t ref);

#endif /* BLAZESYM_SPANS_H */
