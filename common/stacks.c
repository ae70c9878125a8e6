// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "known_stacks.h"
#include "maps.h"
#include "say.h"
#include "stacks.h"

/* Where a stack's addresses are. */
struct kept {
	uint64_t *ips;
	uint32_t depth;
	uint32_t cut_off;
};

struct stacks {
	struct bpf_object *obj;
	struct ring_buffer *notices;
	struct symbols *symbols;
	struct tally kept;   /* id: struct kept */
	struct tally latest; /* pid: its space */
	struct known_stacks *known;
};

bool stacks_there(const struct bpf_object *obj)
{
	return half_map(obj, "stacks", 0);
}

int stacks_size(struct bpf_object *obj, const char *name, unsigned int room)
{
	int err = bpf_map__set_max_entries(half_map(obj, name, 0), room);

	return err ? err : bpf_map__set_max_entries(half_map(obj, name, 1), room);
}

int stacks_without_users(struct bpf_object *obj)
{
	int err = bpf_map__set_max_entries(bpf_object__find_map_by_name(obj, "spaces"), 1);

	return err ? err
		   : bpf_map__set_max_entries(bpf_object__find_map_by_name(obj, "notices"),
					      getpagesize());
}

static int on_notice(void *context, void *data, size_t size)
{
	const struct space_notice *notice = data;
	struct stacks *st = context;

	(void)size;
	if (notice->event == SPACE_SEEN) {
		*(uint64_t *)tally_at(&st->latest, &notice->pid) = notice->space;
		symbols_see(st->symbols, notice->space, notice->pid);
	} else {
		symbols_over(st->symbols, notice->space, notice->time);
	}
	return 0;
}

static int on_sample(void *context, void *data, size_t size)
{
	struct stacks *st = context;

	(void)size;
	known_stacks_learn(st->known, data);
	return 0;
}

/* For programs with bpf/known_stack.bpf.h. Returns 0 or a negative errno. */
static int learn_stacks(struct stacks *st)
{
	int steps = bpf_object__find_map_fd_by_name(st->obj, "stack_steps");
	int samples = bpf_object__find_map_fd_by_name(st->obj, "stack_samples");

	if (steps < 0 || samples < 0)
		return 0;
	st->known = known_stacks_new(steps);
	return st->known ? ring_buffer__add(st->notices, samples, on_sample, st) : -ENOMEM;
}

struct stacks *stacks_new(struct bpf_object *obj, bool lines)
{
	struct stacks *st = calloc(1, sizeof(*st));

	if (!st)
		return NULL;
	tally_init(&st->kept, sizeof(uint64_t), sizeof(struct kept));
	tally_init(&st->latest, sizeof(__u32), sizeof(uint64_t));
	st->obj = obj;
	st->symbols = symbols_new(lines);
	st->notices = ring_buffer__new(bpf_object__find_map_fd_by_name(obj, "notices"), on_notice,
				       st, NULL);
	if (st->symbols && st->notices && !learn_stacks(st))
		return st;
	stacks_free(st);
	errno = ENOMEM; /* whatever freeing made of it */
	return NULL;
}

void stacks_clear(struct stacks *st)
{
	size_t i;

	for (i = 0; i < st->kept.count; i++)
		free(((struct kept *)tally_value(&st->kept, i))->ips);
	tally_clear(&st->kept);
	symbols_trim(st->symbols);
}

static int want(void *data, const void *key, const void *value)
{
	(void)key;
	tally_at(data, value);
	return 0;
}

void stacks_keep(struct stacks *st, const struct tally *keys)
{
	int known = bpf_object__find_map_fd_by_name(st->obj, "known_stacks");
	struct tally old = st->kept, wanted;
	size_t i;

	tally_init(&wanted, sizeof(uint64_t), 1);
	for (i = 0; i < keys->count; i++) {
		const struct stack_key *key = tally_value(keys, i);

		tally_at(&wanted, &key->user);
		tally_at(&wanted, &key->kernel);
	}
	if (known >= 0)
		map_each(known, sizeof(uint64_t), sizeof(uint64_t), want, &wanted);
	tally_init(&st->kept, sizeof(uint64_t), sizeof(struct kept));
	for (i = 0; i < old.count; i++) {
		struct kept *kept = tally_value(&old, i);

		if (tally_find(&wanted, tally_key(&old, i)))
			*(struct kept *)tally_at(&st->kept, tally_key(&old, i)) = *kept;
		else
			free(kept->ips);
	}
	tally_clear(&old);
	tally_clear(&wanted);
	symbols_trim(st->symbols);
}

void stacks_free(struct stacks *st)
{
	if (!st)
		return;
	if (st->symbols)
		stacks_clear(st);
	tally_clear(&st->latest);
	known_stacks_free(st->known);
	symbols_free(st->symbols);
	ring_buffer__free(st->notices);
	free(st);
}

int stacks_fd(const struct stacks *st)
{
	return ring_buffer__epoll_fd(st->notices);
}

void stacks_heed(struct stacks *st)
{
	ring_buffer__consume(st->notices);
}

uint64_t stacks_space(const struct stacks *st, __u32 pid)
{
	const uint64_t *space = tally_find(&st->latest, &pid);

	return space ? *space : 0;
}

struct symbols *stacks_symbols(const struct stacks *st)
{
	return st->symbols;
}

struct counting {
	struct tally *into;
	void (*add)(void *total, const void *one);
};

static int take_count(void *data, const void *key, const void *value)
{
	const struct counting *counting = data;

	counting->add(tally_at(counting->into, key), value);
	return 0;
}

static int take_stack(void *data, const void *key, const void *value)
{
	const struct stack *stack = value;
	struct stacks *st = data;
	struct kept *kept = tally_at(&st->kept, key);

	if (kept->ips)
		return 0;
	kept->depth = stack->depth < MAX_STACK ? stack->depth : MAX_STACK;
	kept->cut_off = stack->cut_off;
	kept->ips = malloc((kept->depth + 1) * sizeof(*kept->ips));
	if (!kept->ips)
		return -ENOMEM;
	memcpy(kept->ips, stack->ip, kept->depth * sizeof(*kept->ips));
	return 0;
}

static void fetch(struct stacks *st, uint64_t id)
{
	struct stack stack;
	unsigned int half;

	for (half = 0; half < 2 && id && !tally_find(&st->kept, &id); half++) {
		if (!bpf_map_lookup_elem(bpf_map__fd(half_map(st->obj, "stacks", half)), &id,
					 &stack))
			take_stack(st, &id, &stack);
	}
}

void stacks_fetch(struct stacks *st, const struct stack_key *key)
{
	stacks_heed(st);
	fetch(st, key->kernel);
	fetch(st, key->user);
}

static const struct kept *find_part(const struct stacks *st, uint64_t id, bool *lost)
{
	static const struct kept none;
	const struct kept *kept = id ? tally_find(&st->kept, &id) : NULL;

	*lost = id && !kept;
	return kept ? kept : &none;
}

uint64_t stacks_leaf(const struct stacks *st, const struct stack_key *key)
{
	bool lost;
	const struct kept *kernel = find_part(st, key->kernel, &lost);

	return kernel->depth ? kernel->ips[0] : 0;
}

/* Can code of a process be there? Architectures keep 56 bits for processes at most. */
static bool possible(uint64_t address)
{
	return address >= 4096 && !(address >> 56);
}

unsigned int stack_sound_depth(const uint64_t *ips, unsigned int count)
{
	unsigned int depth = count ? 1 : 0;

	while (depth < count && possible(ips[depth]))
		depth++;
	return depth;
}

struct callchain *stacks_chain(const struct stacks *st, const struct stack_key *key)
{
	bool kernel_lost, user_lost;
	const struct kept *kernel = find_part(st, key->kernel, &kernel_lost);
	const struct kept *user = find_part(st, key->user, &user_lost);
	unsigned int depth = stack_sound_depth(user->ips, user->depth);
	struct callchain *chain = callchain_new(kernel->depth, depth);

	chain->space = key->space;
	chain->kernel_lost = kernel_lost;
	chain->user_lost = user_lost;
	chain->kernel_cut_off = kernel->cut_off;
	chain->user_cut_off = user->cut_off && depth == user->depth;
	if (kernel->depth)
		memcpy(chain->ips, kernel->ips, kernel->depth * sizeof(*kernel->ips));
	if (depth)
		memcpy(chain->ips + kernel->depth, user->ips, depth * sizeof(*user->ips));
	return chain;
}

/* Where a process has mapped more since it was seen first, it has to be seen again while it lives. */
static void look_again(struct stacks *st, const struct tally *counts, size_t from)
{
	struct callchain *chain;
	size_t i;

	for (i = from; i < counts->count; i++) {
		const struct stack_key *key = tally_key(counts, i);

		if (!key->user)
			continue;
		chain = stacks_chain(st, key);
		symbols_look_again(st->symbols, chain);
		callchain_free(chain);
	}
}

void stacks_add_number(void *total, const void *one)
{
	*(uint64_t *)total += *(const uint64_t *)one;
}

int counts_take(const struct bpf_object *obj, const char *name, unsigned int half,
		struct tally *into, void (*add)(void *total, const void *one))
{
	struct counting counting = { into, add };

	return map_take(half_map(obj, name, half), take_count, &counting);
}

int stacks_take(struct stacks *st, const char *name, unsigned int half, struct tally *into,
		void (*add)(void *total, const void *one))
{
	size_t known = into->count;
	int err = counts_take(st->obj, name, half, into, add);

	if (!err)
		err = map_take(half_map(st->obj, "stacks", half), take_stack, st);
	if (!err)
		look_again(st, into, known);
	return err;
}
