/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The userspace side of bpf/stack.bpf.h: what has been counted by stacks is moved out of the
 * kernel's maps into memory here, and kept until it has been reported.
 */
#ifndef COMMON_STACKS_H
#define COMMON_STACKS_H

#include <bpf/libbpf.h>
#include <linux/types.h>
#include "abi.h"
#include "symbols.h"
#include "tally.h"

struct stacks;

/* Is @obj one that takes stacks? */
bool stacks_there(const struct bpf_object *obj);

/*
 * Sizes the maps of @obj that are called @name with a half's number behind it ("stacks" are the
 * stacks') for @room keys each. Before load. Returns 0 or a negative errno.
 */
int stacks_size(struct bpf_object *obj, const char *name, unsigned int room);

/* There will be no user parts: no memory is needed for what they are of. Before load; as above. */
int stacks_without_users(struct bpf_object *obj);

/*
 * To be called after load. @lines: see symbols_new(). NULL with errno set when memory is short or
 * @obj's notices cannot be had.
 */
struct stacks *stacks_new(struct bpf_object *obj, bool lines);
void stacks_free(struct stacks *st);

/* Readable when there are notices of processes, which stacks_heed() takes. */
int stacks_fd(const struct stacks *st);
void stacks_heed(struct stacks *st);

/*
 * Moves what the finished half @half has: stacks to memory here, and what its map of @name has to
 * @into, where @add adds a value to what there is of the same key. Keys begin with a struct
 * stack_key. Returns 0 or a negative errno.
 */
int stacks_take(struct stacks *st, const char *name, unsigned int half, struct tally *into,
		void (*add)(void *total, const void *one));

/* The same for what is counted without stacks: @obj's map of @name alone. */
int counts_take(const struct bpf_object *obj, const char *name, unsigned int half,
		struct tally *into, void (*add)(void *total, const void *one));

/* For values that are numbers of 64 bits. */
void stacks_add_number(void *total, const void *one);

/* Copies what the kernel's maps have of the stack of @key yet: before a half is taken, that is in none. */
void stacks_fetch(struct stacks *st, const struct stack_key *key);

/* The stack of @key, to be freed by the caller. */
struct callchain *stacks_chain(const struct stacks *st, const struct stack_key *key);

/* Where in the kernel the stack of @key was taken; 0: not in the kernel. */
uint64_t stacks_leaf(const struct stacks *st, const struct stack_key *key);

/* The space that process @pid was when stacks came from it last; 0: none did. */
uint64_t stacks_space(const struct stacks *st, __u32 pid);

/*
 * How many of the @count addresses of a stack's user part are return addresses for sure. Code without
 * frame pointers, such as what starts a program, leaves anything where one would be.
 */
unsigned int stack_sound_depth(const uint64_t *ips, unsigned int count);

struct symbols *stacks_symbols(const struct stacks *st);

/*
 * Forgets stacks that were moved here and are in none of @keys (an id: struct stack_key), nor to be
 * met again without being moved here (bpf/known_stack.bpf.h). For units that keep stacks.
 */
void stacks_keep(struct stacks *st, const struct tally *keys);

/* Forgets the stacks that were moved here: they have been reported. */
void stacks_clear(struct stacks *st);

#endif
