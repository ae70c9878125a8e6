/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stacks as keys. A stack is kept once, under a hash of its addresses; what counts stacks has the
 * hash in its key. Two different stacks with one hash are as likely as 2^-63 a pair.
 *
 * The kernel's own map for this (BPF_MAP_TYPE_STACK_TRACE) drops a stack when its hash meets
 * another one's in the map's table, which happens long before the map is full.
 *
 * Each half (see struct bpf_control) has a map of its own, so that userspace can move what is in the
 * finished one to its memory all at once, every second; a map has room for the stacks of a second.
 * common/stacks.h is the other side.
 *
 * A unit that never takes users' stacks defines KERNEL_STACKS_ONLY before it includes this.
 */
#ifndef BPF_STACK_BPF_H
#define BPF_STACK_BPF_H

#include "vmlinux.h"
#include "abi.h"
#include "hold.bpf.h"
#include "lost.bpf.h"
#include "place.bpf.h"
#include "target.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/*
 * Key: a stack's id. Filled at a stack's first sight in a half, sized by userspace. When it is
 * full, what has this stack is counted under STACK_LOST.
 */
struct stacks {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, u64);
	__type(value, struct stack);
} stacks_0 SEC(".maps"), stacks_1 SEC(".maps");

#define STACK_PLACES 6

struct stack_place {
	struct place place;
	struct stack stack;
};

/* Where a stack is put together: all that there are on a CPU. When all are in use, stacks are lost. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, STACK_PLACES);
	__type(key, u32);
	__type(value, struct stack_place);
} stack_places SEC(".maps");

static __always_inline struct stack_place *take_stack_place(void)
{
	return take_place(&stack_places, STACK_PLACES);
}

/*
 * The spaces that userspace has been told of, and how many stacks each has had. Forgets those that
 * had none for longest when it is full; of such a one userspace is told anew.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, u32);
} spaces SEC(".maps");

/* struct space_notice. When it is full, userspace is told at the space's next stack. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} notices SEC(".maps");

#define HASH_FACTOR 0x9e3779b97f4a7c15ULL /* 2^64 divided by the golden ratio */

static __always_inline u64 hash_step(u64 hash, u64 word)
{
	hash = (hash ^ word) * HASH_FACTOR;
	return hash ^ hash >> 29;
}

/* Puts the stack of @ctx together in @s and keeps it. Returns its id; with 0, @s is not filled. */
static __always_inline u64 keep_in(void *ctx, u64 flags, u32 half, struct stack *s)
{
	/* As an int: before 6.4 the upper half of what the helper returns is undefined. */
	int size = bpf_get_stack(ctx, s->ip, config.max_stack * sizeof(u64), flags);
	void *map = HALF_MAP(stacks, half);
	u64 id = flags;
	u32 i, depth;
	long err;

	if (size <= 0)
		return 0;
	depth = s->depth = (u32)size / sizeof(u64);
	for (i = 0; i < MAX_STACK; i++) {
		if (i >= depth)
			break;
		id = hash_step(id, s->ip[i]);
	}
	id |= 2; /* neither 0 nor STACK_LOST */
	/* From memory: what it may be differs by the round that was the last one. */
	s->cut_off = *(volatile u32 *)&s->depth == config.max_stack;
	if (bpf_map_lookup_elem(map, &id))
		return id;
	err = bpf_map_update_elem(map, &id, s, BPF_ANY);
	if (!err)
		return id;
	count_lost(lost_because(err));
	return STACK_LOST;
}

/*
 * Keeps a part of the stack at @ctx: the user part with BPF_F_USER_STACK in @flags, else the
 * kernel's, without as many frames as @flags says. @half is where what is counted under it goes
 * too. Returns its id, 0 if there is no such part.
 */
static __noinline u64 keep_stack(void *ctx, u64 flags, u32 half)
{
	struct stack_place *place = take_stack_place();
	u64 id;

	if (!place) {
		count_lost(LOST_BUSY);
		return STACK_LOST;
	}
	id = keep_in(ctx, flags, half, &place->stack);
	leave_place(&place->place);
	return id;
}

/* The space that user addresses of @p belong to; @execs_ago as many programs before. */
static __always_inline u64 task_space(struct task_struct *p, u32 pid, u32 execs_ago)
{
	u64 id = hash_step(0, pid);

	id = hash_step(id, BPF_CORE_READ(p, group_leader, start_time));
	return hash_step(id, BPF_CORE_READ(p, self_exec_id) - execs_ago);
}

static __always_inline u64 current_space(u32 execs_ago)
{
	return task_space((void *)bpf_get_current_task(), bpf_get_current_pid_tgid() >> 32,
			  execs_ago);
}

static __always_inline bool tell_of_space(u64 space, u32 pid, enum space_event event)
{
	struct space_notice *notice = bpf_ringbuf_reserve(&notices, sizeof(*notice), 0);

	if (!notice)
		return false;
	notice->space = space;
	notice->time = bpf_ktime_get_ns();
	notice->pid = pid;
	notice->event = event;
	bpf_ringbuf_submit(notice, 0);
	return true;
}

/*
 * Has userspace look at the mappings of @space at its first stack, and then at the second, fourth,
 * eighth: a program maps its libraries when it has begun to run, and may soon be gone.
 */
static __always_inline void see_space(u64 space)
{
	u32 first = 1, *count = bpf_map_lookup_elem(&spaces, &space);
	u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (count) {
		__sync_fetch_and_add(count, 1);
		if (!(*count & (*count - 1)))
			tell_of_space(space, pid, SPACE_SEEN);
	} else if (tell_of_space(space, pid, SPACE_SEEN)) {
		bpf_map_update_elem(&spaces, &space, &first, BPF_ANY);
	}
}

/*
 * Tells of the space of the process @child, which is being made and may be gone soon. It has its
 * parent's mappings.
 */
static __always_inline void see_space_of_child(struct task_struct *child)
{
	u32 pid = BPF_CORE_READ(child, tgid), first = 1;
	u64 space = task_space(child, pid, 0);

	if (tell_of_space(space, pid, SPACE_SEEN))
		bpf_map_update_elem(&spaces, &space, &first, BPF_ANY);
}

/*
 * Fills @key with what the running task is and has on its stack at @ctx, to be counted in @half.
 * @skip: kernel frames to leave out.
 */
static __always_inline void stack_here(void *ctx, u64 skip, bool in_user, u32 half,
				       struct stack_key *key)
{
	key->pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(key->comm, sizeof(key->comm));
	key->kernel = config.kernel_stack && !in_user ? keep_stack(ctx, skip, half) : 0;
	key->user = config.user_stack && key->pid ? keep_stack(ctx, BPF_F_USER_STACK, half) : 0;
	key->space = 0;
	if (!key->user)
		return;
	key->space = current_space(0);
	see_space(key->space);
}

#ifndef KERNEL_STACKS_ONLY
/* Of what was mapped before, userspace may have seen too little, or already something else. */
static __always_inline void tell_of_space_before(void)
{
	u64 before = current_space(1);

	if (bpf_map_lookup_elem(&spaces, &before))
		tell_of_space(before, bpf_get_current_pid_tgid() >> 32, SPACE_EXECED);
}

SEC("tp_btf/sched_process_exec")
int stack_exec(void *ctx)
{
	hold_cpu();
	tell_of_space_before();
	release_cpu();
	return 0;
}
#endif

#endif
