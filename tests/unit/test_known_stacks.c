// SPDX-License-Identifier: GPL-2.0-only
/* What is learnt from stacks: made-up ones, whose frames are where this program put them. */
#include "helpers.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <linux/types.h>
#include "known_stacks.h"

#define START 7
#define TOP   300

/* Return addresses; what calls first comes last. */
#define IP(n) (0xffffffff81000000ULL + 16 * (n))

static int steps_fd;
static struct known_stacks *known;

/* Why there can be no test here, or NULL. */
static const char *obstacle;

static int setup(void **state)
{
	(void)state;
	steps_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "steps", sizeof(__u32),
				  sizeof(struct stack_step), 1 << STEP_BITS, NULL);
	obstacle = steps_fd < 0 ? strerror(errno) : NULL;
	known = known_stacks_new(steps_fd);
	return known ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	known_stacks_free(known);
	if (steps_fd >= 0)
		close(steps_fd);
	return 0;
}

/* An empty stack of @count words with the programs' frames. */
static struct words *empty(uint64_t count)
{
	static struct words w;

	if (obstacle) {
		print_message("no BPF maps here: %s\n", obstacle);
		skip();
	}
	memset(&w, 0, sizeof(w));
	w.start = START;
	w.count = count;
	w.depth = PROGRAMS_FRAMES;
	return &w;
}

static void put(struct words *w, uint64_t ip, unsigned int pos)
{
	w->ip[w->depth++] = ip;
	w->word[pos] = ip;
}

static struct stack_step step_of(uint64_t ip)
{
	struct stack_step step;
	__u32 at = STEP_AT(ip);

	assert_int_equal(bpf_map_lookup_elem(steps_fd, &at, &step), 0);
	if (step.ip != ip)
		memset(&step, 0, sizeof(step));
	return step;
}

static void check_up(uint64_t ip, int64_t distance)
{
	struct stack_step step = step_of(ip);

	assert_int_equal(step.ip, ip);
	assert_int_equal(step.from_here, ~0ULL);
	assert_int_equal(step.distance, distance);
}

static void a_distance_counts_when_it_has_been_seen_several_times(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 8; i++) {
		struct words *w = empty(TOP);

		put(w, IP(1), 9);
		put(w, IP(2), 20);
		put(w, IP(3), 50);
		known_stacks_learn(known, w);
		if (!i)
			assert_int_equal(step_of(IP(1)).ip, 0);
	}
	check_up(START, 9);
	check_up(IP(1), 11);
	check_up(IP(2), 30);
	assert_int_equal(step_of(IP(3)).distance, 0);
	assert_int_equal(step_of(IP(3)).last, TOP - 50);
}

/* As system calls that begin at a random depth: the outermost frame is at the top, whatever is below. */
static void a_gap_of_any_size_is_passed_from_the_top(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 20; i++) {
		struct words *w = empty(200 + 7 * i);

		put(w, IP(1), 9);
		put(w, IP(2), 20);
		put(w, IP(3), w->count - 22);
		known_stacks_learn(known, w);
	}
	check_up(IP(1), 11);
	assert_int_equal(step_of(IP(2)).from_here, 0);
	assert_int_equal(step_of(IP(2)).distance, -22);
	assert_int_equal(step_of(IP(3)).last, 22);
}

/* Words that an earlier call has left, now here, now there, before the true one. */
static void leftovers_do_not_mislead(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 40; i++) {
		struct words *w = empty(TOP);

		put(w, IP(1), 9);
		put(w, IP(2), 40);
		w->word[10 + random64() % 29] = IP(2);
		put(w, IP(3), 80);
		w->word[41 + random64() % 38] = IP(3);
		w->word[81 + random64() % 100] = IP(1);
		known_stacks_learn(known, w);
	}
	check_up(IP(1), 31);
	check_up(IP(2), 40);
}

/* A function that aligns its frame to 16 bytes has it in two sizes. */
static void two_distances_are_both_known(void **state)
{
	struct stack_step step;
	unsigned int i;

	(void)state;
	for (i = 0; i < 20; i++) {
		struct words *w = empty(TOP + 3 * i);

		put(w, IP(1), 9);
		put(w, IP(2), 20 + i % 2);
		put(w, IP(3), 40 + i % 2);
		known_stacks_learn(known, w);
	}
	step = step_of(IP(1));
	assert_int_equal(step.from_here, ~0ULL);
	assert_int_equal(step.distance + step.or_up, 11 + 12);
	assert_int_not_equal(step.distance, step.or_up);
	check_up(IP(2), 20);
}

/* The entry of page faults is the last frame of one in user mode, and in the middle of another's. */
static void an_address_can_be_the_last_one_and_not(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 20; i++) {
		struct words *w = empty(TOP);

		put(w, IP(1), 9);
		if (i % 2) {
			put(w, IP(2), TOP - 22);
		} else {
			put(w, IP(2), 60);
			put(w, IP(3), 80);
		}
		known_stacks_learn(known, w);
	}
	assert_int_equal(step_of(IP(2)).last, 22);
	check_up(IP(2), 20);
}

static void an_address_that_is_not_there_ends_the_way(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 10; i++) {
		struct words *w = empty(TOP);

		put(w, IP(1), 9);
		put(w, IP(2), 20);
		w->word[20] = 0;
		put(w, IP(3), 30);
		known_stacks_learn(known, w);
	}
	check_up(START, 9);
	assert_int_equal(step_of(IP(1)).ip, 0);
	assert_int_equal(step_of(IP(2)).ip, 0);
}

static void what_cannot_be_is_refused(void **state)
{
	struct words *w = empty(KNOWN_WORDS + 1);
	unsigned int i;

	(void)state;
	put(w, IP(1), 9);
	for (i = 0; i < 10; i++)
		known_stacks_learn(known, w);
	assert_int_equal(step_of(START).ip, 0);
	w->count = TOP;
	w->depth = KNOWN_FRAMES + 1;
	for (i = 0; i < 10; i++)
		known_stacks_learn(known, w);
	assert_int_equal(step_of(START).ip, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_distance_counts_when_it_has_been_seen_several_times, setup, teardown),
		cmocka_unit_test_setup_teardown(a_gap_of_any_size_is_passed_from_the_top, setup,
						teardown),
		cmocka_unit_test_setup_teardown(leftovers_do_not_mislead, setup, teardown),
		cmocka_unit_test_setup_teardown(two_distances_are_both_known, setup, teardown),
		cmocka_unit_test_setup_teardown(an_address_can_be_the_last_one_and_not, setup,
						teardown),
		cmocka_unit_test_setup_teardown(an_address_that_is_not_there_ends_the_way, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests_name("known stacks", tests, NULL, NULL);
}
