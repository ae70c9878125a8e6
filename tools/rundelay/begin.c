// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include "maps.h"
#include "stacks.h"
#include "rundelay.h"
#include "begin.h"
#include "rundelay.skel.h"

/* Different rows that may come in a second, and stacks. */
#define ROW_ROOM   16384
#define STACK_ROOM 8192

static struct rundelay *skel;
static struct tally waits; /* struct waits_key: struct waits; not reported yet */

/* What is wanted of stacks. All is taken: only the kernel part tells whether there was an interrupt. */
static bool kernel_part;
static unsigned int most_frames;

enum {
	ROW_SUM,
	ROW_PERCENT,
	ROW_COUNT,
	ROW_MAX,
	ROW_COMM,
	ROW_PID,
	ROW_TID,
	ROW_BEGIN,
	ROW_STACK = ROW_BEGIN + BEGIN_CELLS,
	ROW_CELLS
};

static const struct column columns[] = {
	[ROW_SUM] = { .name = "sum", .type = CELL_DURATION, .adds_up = true },
	[ROW_PERCENT] = { .name = "sum",
			  .title = "percent",
			  .type = CELL_PERCENT,
			  .share_of = ROW_SUM + 1 },
	[ROW_COUNT] = { .name = "count", .type = CELL_COUNT, .adds_up = true },
	[ROW_MAX] = { .name = "max", .type = CELL_DURATION, .highest = true },
	[ROW_COMM] = { .name = "comm", .type = CELL_STRING },
	[ROW_PID] = { .name = "pid", .type = CELL_ID },
	[ROW_TID] = { .name = "tid", .type = CELL_ID, .optional = true },
	[ROW_BEGIN] = BEGIN_COLUMNS,
	[ROW_STACK] = { .name = "stack", .type = CELL_STACK },
};

static const struct layout layout = {
	.columns = columns,
	.count = ROW_CELLS,
	.rows_are = "stacks",
	.most_shown = 10,
};

const struct layout *begin_rows(void)
{
	return &layout;
}

int begin_open(struct session *s, struct rundelay *skeleton, unsigned int threads)
{
	int err;

	skel = skeleton;
	tally_init(&waits, sizeof(struct waits_key), sizeof(struct waits));
	s->stack_room = STACK_ROOM;
	s->keep_stacks = true;
	kernel_part = s->settings.kernel_callchain;
	most_frames = s->settings.max_stack;
	s->settings.kernel_callchain = true;
	s->settings.max_stack = MAX_STACK;
	skel->rodata->waits_of_threads = s->settings.perins;
	err = bpf_map__set_max_entries(skel->maps.begun, threads);
	return err ? err : stacks_size(s->obj, "waits", ROW_ROOM);
}

/*
 * Of a wakeup in an interrupt, what was interrupted is no part: it happened to run there. True: @chain
 * ended with one, which is its last frame now.
 */
static bool cut_interrupted(struct symbols *symbols, struct callchain *chain)
{
	/* arch/x86/include/asm/idtentry.h, arch/arm64/kernel/entry.S */
	static const char *const entries[] = { "asm_sysvec_", "asm_common_interrupt",
					       "fred_extint", "asm_exc_xen_hypervisor_callback",
					       "el1_irq",     "el0_irq",
					       "el1h_64_irq", "el0t_64_irq",
					       "el1t_64_irq", "el0t_32_irq" };
	unsigned int i, j;

	for (i = 0; i < chain->kernel; i++) {
		const char *name = symbols_kernel_name(symbols, chain->ips[i]);

		for (j = 0; name && j < sizeof(entries) / sizeof(*entries); j++) {
			if (strncmp(name, entries[j], strlen(entries[j])))
				continue;
			chain->kernel = i + 1;
			chain->user = 0;
			chain->kernel_cut_off = chain->user_cut_off = chain->user_lost = false;
			return true;
		}
	}
	return false;
}

/* Leaves in @chain what is wanted of it. */
static void cut_to_wish(struct callchain *chain)
{
	unsigned int kernel = kernel_part ? chain->kernel : 0;

	if (!kernel_part)
		chain->kernel_lost = chain->kernel_cut_off = false;
	if (kernel > most_frames) {
		kernel = most_frames;
		chain->kernel_cut_off = true;
	}
	memmove(chain->ips + kernel, chain->ips + chain->kernel, chain->user * sizeof(*chain->ips));
	chain->kernel = kernel;
	if (chain->user > most_frames) {
		chain->user = most_frames;
		chain->user_cut_off = true;
	}
}

void begin_fill(struct session *s, struct cell *cells, struct cell *stack,
		const struct beginning *begin)
{
	struct symbols *symbols = stacks_symbols(s->stacks);
	struct callchain *chain;

	if (begin->cause == CAUSE_UNSEEN) {
		cell_string(&cells[BEGIN_CAUSE], "unseen");
		cell_stack(stack, callchain_new(0, 0));
		return;
	}
	chain = stacks_chain(s->stacks, &begin->stack);
	callchain_drop(chain, symbols_tracing_frames(symbols, chain));
	if (begin->cause == CAUSE_PREEMPTION) {
		cell_string(&cells[BEGIN_CAUSE], "preemption");
	} else {
		cell_string(&cells[BEGIN_CAUSE], "wakeup");
		if (cut_interrupted(symbols, chain)) {
			cell_string(&cells[BEGIN_BY], "[interrupt]");
		} else if (chain->kernel && !chain->kernel_cut_off) {
			cell_comm(&cells[BEGIN_BY], begin->stack.comm);
			cell_number(&cells[BEGIN_BY_PID], begin->stack.pid);
		}
	}
	cut_to_wish(chain);
	cell_stack(stack, chain);
}

static void add_waits(void *total, const void *one)
{
	const struct waits *from = one;
	struct waits *to = total;

	to->count += from->count;
	to->sum += from->sum;
	if (from->longest > to->longest)
		to->longest = from->longest;
}

int begin_take(struct session *s, unsigned int half)
{
	return stacks_take(s->stacks, "waits", half, &waits, add_waits);
}

int begin_report(struct session *s, unsigned int half, struct table *rows)
{
	size_t i;

	(void)half;
	for (i = 0; i < waits.count; i++) {
		const struct waits_key *key = tally_key(&waits, i);
		const struct waits *value = tally_value(&waits, i);
		struct cell *row = table_add(rows);

		cell_number(&row[ROW_SUM], value->sum);
		cell_number(&row[ROW_COUNT], value->count);
		cell_number(&row[ROW_MAX], value->longest);
		cell_comm(&row[ROW_COMM], key->comm);
		cell_number(&row[ROW_PID], key->tgid);
		if (key->tid)
			cell_number(&row[ROW_TID], key->tid);
		begin_fill(s, &row[ROW_BEGIN], &row[ROW_STACK], &key->begin);
	}
	return 0;
}

static void want(struct tally *wanted, const struct stack_key *stack)
{
	memcpy(tally_at(wanted, stack), stack, sizeof(*stack));
}

static int want_begun(void *wanted, const void *key, const void *value)
{
	const struct beginning *begin = value;

	(void)key;
	want(wanted, &begin->stack);
	return 0;
}

static int want_ended(void *wanted, const void *key, const void *value)
{
	const struct waits_key *waits_key = key;

	(void)value;
	want(wanted, &waits_key->begin.stack);
	return 0;
}

/* Stacks of waits that go on, or have ended since, will be asked for. */
int begin_empty(struct session *s, unsigned int half)
{
	const struct bpf_map *current = half_map(s->obj, "waits", !half);
	struct tally wanted;
	int err;

	tally_clear(&waits);
	tally_init(&wanted, sizeof(struct stack_key), sizeof(struct stack_key));
	/* In this order: a wait goes from the first to the second. */
	err = map_each(bpf_map__fd(skel->maps.begun), sizeof(__u64), sizeof(struct beginning),
		       want_begun, &wanted);
	if (!err)
		err = map_each(bpf_map__fd(current), sizeof(struct waits_key), sizeof(struct waits),
			       want_ended, &wanted);
	if (!err)
		stacks_keep(s->stacks, &wanted);
	tally_clear(&wanted);
	return err;
}

void begin_free(void)
{
	tally_clear(&waits);
}
