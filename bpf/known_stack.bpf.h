/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel part of a stack at a raw tracepoint, mostly without having the kernel unwind it, which
 * takes microseconds.
 *
 * Where on a stack a function's return address is follows from the return address below it: that is
 * an instruction, and there the function's frame has one size. So userspace gets some stacks that
 * the kernel has unwound, with the words that are on them, and finds out how far it is from one
 * address to the next (common/known_stacks.h). The next stack is walked along these distances: a
 * look into memory and into an array for each frame. What is found this way counts when the kernel
 * has found the very same addresses once before.
 *
 * Every now and then the kernel unwinds what has been walked; should it come to something else ever,
 * walking ends. Needs userspace to keep the stacks that it has taken (session.keep_stacks).
 */
#ifndef BPF_KNOWN_STACK_BPF_H
#define BPF_KNOWN_STACK_BPF_H

#include "vmlinux.h"
#include "abi.h"
#include "stack.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* Of a task's stack, in bytes. Set by userspace; 0: stacks are not laid out so here. */
const volatile __u64 task_stack_size = 0;

#define UNWIND 1

/* One of so many that were walked is unwound. */
#define AUDIT_EVERY 256

/* Where they are copied to: an element for each place, as stack_places. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, STACK_PLACES);
	__type(key, u32);
	__type(value, struct words);
} words_scratch SEC(".maps");

/* By a hash of the address, which the first one found has. Filled by userspace. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << STEP_BITS);
	__type(key, u32);
	__type(value, struct stack_step);
} stack_steps SEC(".maps");

/* struct words, to learn from. When it is full, others come. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} stack_samples SEC(".maps");

/* So many more are welcome. Set by userspace. */
__u64 samples_wanted = 0;

/* Ids of stacks by a hash of the addresses found so. Forgets those that were not met for longest. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, u64);
	__type(value, u64);
} known_stacks SEC(".maps");

/* Stacks that were walked, and audits that failed. */
__u64 stacks_walked = 0;
__u64 stacks_mistaken = 0;

/*
 * Is @ctx, what a program at a raw tracepoint is given, on the running task's own stack? Those of
 * interrupts and softirqs are others, but for softirqs that a kernel thread runs. @scratch: in a map.
 * False where nobody knows.
 */
static __always_inline bool on_task_stack(void *ctx, u64 *scratch)
{
	struct task_struct *p = (void *)bpf_get_current_task();

	/* It is on the stack; through memory its address becomes a number. */
	*(volatile u64 *)scratch = (u64)ctx;
	return *(volatile u64 *)scratch - (u64)BPF_CORE_READ(p, stack) < task_stack_size;
}

/* Copies the stack above @ctx. False if it is not a task's own, or too much. */
static __always_inline bool copy_words(void *ctx, struct words *w)
{
	struct task_struct *p = (void *)bpf_get_current_task();
	u64 bottom = (u64)BPF_CORE_READ(p, stack), count;

	if (!on_task_stack(ctx, &w->at))
		return false;
	count = (bottom + task_stack_size - *(volatile u64 *)&w->at) / sizeof(u64);
	if (count >= KNOWN_WORDS)
		return false;
	w->count = count;
	count &= KNOWN_WORDS - 1;
	return !bpf_probe_read_kernel(w->word, count * sizeof(u64), (void *)w->at);
}

/* The hash of the addresses found in @w; 0 if the way is not known. @start: of this tracepoint. */
static __always_inline u64 walk_words(struct words *w, u64 start)
{
	/*
	 * Where it is and what has been found so far are in memory: for the verifier they are any
	 * numbers then, however they came about, and it need not follow each way by itself.
	 */
	volatile u64 *pos = &w->pos, *before = &w->before, *other = &w->other, *ip = &w->ip_here,
		     *hash = &w->hash;
	u32 i;

	*pos = *before = *other = 0;
	*hash = *ip = start;
	for (i = 0; i < KNOWN_FRAMES; i++) {
		u64 here = *ip, next;
		u32 at = STEP_AT(here);
		struct stack_step *step = bpf_map_lookup_elem(&stack_steps, &at);

		if (!step)
			return 0;
		if (step->ip == here) {
			*hash = hash_step(*hash, here);
			if (step->last == w->count - *pos)
				return *hash | 1;
			*before = *pos;
			*other = *pos + step->or_up;
			next = (*pos & step->from_here) + (w->count & ~step->from_here) +
			       step->distance;
		} else {
			next = *other;
			*other = *before;
		}
		/* Neither has led on. */
		if (next == *before || next >= w->count)
			return 0;
		*pos = next;
		*ip = w->word[next & (KNOWN_WORDS - 1)];
	}
	return 0;
}

/* What walk_words() makes of a stack that the kernel has unwound to @s. */
static __always_inline u64 hash_of(const struct stack *s, u64 start)
{
	u64 hash = hash_step(start, start);
	u32 i;

	for (i = 0; i < KNOWN_FRAMES; i++) {
		if (i >= s->depth)
			return hash | 1;
		if (i >= PROGRAMS_FRAMES)
			hash = hash_step(hash, s->ip[i]);
	}
	return 0;
}

/* Has userspace learn from a stack. */
static __always_inline void give_sample(struct words *w, const struct stack *s, u64 start)
{
	if (!samples_wanted)
		return;
	samples_wanted--;
	w->start = start;
	w->depth = s->depth;
	if (!bpf_probe_read_kernel(w->ip, sizeof(w->ip), s->ip))
		bpf_ringbuf_output(&stack_samples, w, sizeof(*w), 0);
}

static __always_inline u64 keep_known(void *ctx, u64 start, u32 half, struct words *w,
				      struct stack *s)
{
	bool copied = !stacks_mistaken && copy_words(ctx, w);
	u64 hash = copied ? walk_words(w, start) : 0, id, *known = NULL;

	if (hash)
		known = bpf_map_lookup_elem(&known_stacks, &hash);
	if (known && ++stacks_walked % AUDIT_EVERY)
		return *known;
	id = keep_in(ctx, 0, half, s);
	if (!copied || id == STACK_LOST || !id)
		return id;
	if (known && *known != id)
		stacks_mistaken++;
	if (known || s->cut_off)
		return id;
	if (!hash)
		give_sample(w, s, start);
	hash = hash_of(s, start);
	if (hash)
		bpf_map_update_elem(&known_stacks, &hash, &id, BPF_ANY);
	return id;
}

static __noinline u64 keep_known_stack(void *ctx, u64 start, u32 half)
{
	struct stack_place *place = take_stack_place();
	struct words *w;
	u64 id = STACK_LOST;
	u32 at;

	if (!place) {
		count_lost(LOST_BUSY);
		return STACK_LOST;
	}
	/* From memory: the verifier would follow each number by itself. */
	at = *(volatile u64 *)&place->place.number;
	w = bpf_map_lookup_elem(&words_scratch, &at);
	if (w)
		id = keep_known(ctx, start, half, w, &place->stack);
	leave_place(&place->place);
	return id;
}

/*
 * As stack_here(), at a raw tracepoint, with the kernel part alone. @start: a number that only this
 * program gives; UNWIND: it is called so rarely that the kernel may unwind each.
 */
static __always_inline void known_stack_here(void *ctx, u64 start, u32 half, struct stack_key *key)
{
	key->pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(key->comm, sizeof(key->comm));
	if (!config.kernel_stack)
		return;
	if (start != UNWIND && task_stack_size && config.max_stack == MAX_STACK)
		key->kernel = keep_known_stack(ctx, start, half);
	else
		key->kernel = keep_stack(ctx, 0, half);
}

#endif
