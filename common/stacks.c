// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include "say.h"
#include "stacks.h"

/* Bytes of a key and of a value. */
#define MOST_KEY   256
#define MOST_VALUE 64

/* Where a stack's addresses are. */
struct kept {
	uint64_t *ips;
	uint32_t depth;
	uint32_t cut_off;
};

struct stacks {
	int stacks; /* the map */
	struct ring_buffer *notices;
	struct symbols *symbols;
	struct tally kept; /* id without its half: struct kept */
};

static struct bpf_map *the_map(const struct bpf_object *obj)
{
	return bpf_object__find_map_by_name(obj, "stacks");
}

bool stacks_there(const struct bpf_object *obj)
{
	return the_map(obj);
}

int stacks_size(struct bpf_object *obj, unsigned int room)
{
	/* Two halves. */
	return bpf_map__set_max_entries(the_map(obj), 2 * room);
}

static int on_notice(void *context, void *data, size_t size)
{
	const struct space_notice *notice = data;
	struct stacks *st = context;

	(void)size;
	if (notice->event == SPACE_SEEN)
		symbols_see(st->symbols, notice->space, notice->pid);
	else
		symbols_over(st->symbols, notice->space, notice->time);
	return 0;
}

struct stacks *stacks_new(struct bpf_object *obj, bool lines)
{
	struct stacks *st = calloc(1, sizeof(*st));

	if (!st)
		return NULL;
	tally_init(&st->kept, sizeof(uint64_t), sizeof(struct kept));
	st->stacks = bpf_map__fd(the_map(obj));
	st->symbols = symbols_new(lines);
	st->notices = ring_buffer__new(bpf_object__find_map_fd_by_name(obj, "notices"), on_notice,
				       st, NULL);
	if (st->symbols && st->notices)
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

void stacks_free(struct stacks *st)
{
	if (!st)
		return;
	if (st->symbols)
		stacks_clear(st);
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

struct symbols *stacks_symbols(const struct stacks *st)
{
	return st->symbols;
}

/*
 * Calls @take for each key of hash @fd that @ours says belongs to the finished half, and removes
 * it. Such keys do not change any more; others come and go meanwhile.
 */
static int take_each(int fd, unsigned int half, bool (*ours)(const void *key, unsigned int half),
		     int (*take)(void *data, int fd, const void *key), void *data)
{
	char keys[2][MOST_KEY] __attribute__((aligned(8))), *key = NULL, *next = keys[0];
	bool remove = false;
	int err = 0;

	while (!err && !bpf_map_get_next_key(fd, key, next)) {
		/* Only now: the order goes on from an element that is there. */
		if (remove)
			bpf_map_delete_elem(fd, key);
		remove = ours(next, half);
		if (remove)
			err = take(data, fd, next);
		key = next;
		next = key == keys[0] ? keys[1] : keys[0];
	}
	if (!err && errno != ENOENT)
		err = -errno;
	if (remove)
		bpf_map_delete_elem(fd, key);
	return err;
}

static uint64_t without_half(uint64_t id)
{
	return id & ~STACK_HALF;
}

static bool count_of_half(const void *key, unsigned int half)
{
	return ((const struct stack_key *)key)->half == half;
}

struct counting {
	struct tally *into;
	void (*add)(void *total, const void *one);
};

static int take_count(void *data, int fd, const void *key)
{
	const struct counting *counting = data;
	struct tally *into = counting->into;
	char copy[MOST_KEY] __attribute__((aligned(8)));
	char value[MOST_VALUE] __attribute__((aligned(8)));
	struct stack_key *k = (struct stack_key *)copy;

	if (bpf_map_lookup_elem(fd, key, value))
		return -errno;
	memcpy(copy, key, into->key_size);
	k->half = 0;
	k->kernel = without_half(k->kernel);
	k->user = without_half(k->user);
	counting->add(tally_at(into, copy), value);
	return 0;
}

static bool stack_of_half(const void *key, unsigned int half)
{
	return (*(const uint64_t *)key & STACK_HALF) == half;
}

static int take_stack(void *data, int fd, const void *key)
{
	struct stacks *st = data;
	uint64_t id = without_half(*(const uint64_t *)key);
	struct stack stack;
	struct kept *kept;

	if (tally_find(&st->kept, &id))
		return 0;
	if (bpf_map_lookup_elem(fd, key, &stack))
		return -errno;
	kept = tally_at(&st->kept, &id);
	kept->depth = stack.depth < MAX_STACK ? stack.depth : MAX_STACK;
	kept->cut_off = stack.cut_off;
	kept->ips = malloc(kept->depth * sizeof(*kept->ips));
	if (!kept->ips)
		return -ENOMEM;
	memcpy(kept->ips, stack.ip, kept->depth * sizeof(*kept->ips));
	return 0;
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

/*
 * How many of @ips are return addresses for sure. Code without frame pointers, such as what starts a
 * program, leaves anything where one would be.
 */
static unsigned int sound_depth(const struct kept *user)
{
	unsigned int depth = user->depth ? 1 : 0;

	while (depth < user->depth && possible(user->ips[depth]))
		depth++;
	return depth;
}

struct callchain *stacks_chain(const struct stacks *st, const struct stack_key *key)
{
	bool kernel_lost, user_lost;
	const struct kept *kernel = find_part(st, key->kernel, &kernel_lost);
	const struct kept *user = find_part(st, key->user, &user_lost);
	unsigned int depth = sound_depth(user);
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

int stacks_take(struct stacks *st, int counts, unsigned int half, struct tally *into,
		void (*add)(void *total, const void *one))
{
	struct counting counting = { into, add };
	size_t known = into->count;
	int err = take_each(counts, half, count_of_half, take_count, &counting);

	if (!err)
		err = take_each(st->stacks, half, stack_of_half, take_stack, st);
	if (!err)
		look_again(st, into, known);
	return err;
}
