// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stacks and what is counted by them, from the maps of stacks.bpf.c, which are filled here as
 * bpf/stack.bpf.h fills them.
 */
#include "helpers.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "clock.h"
#include "stacks.h"

#define ROOM  30000
#define SPACE 0x1234567890abcdefULL

static const char *object_path(void)
{
	const char *build = getenv("BPF_PROF_BUILD");
	static char path[4096];

	snprintf(path, sizeof(path), "%s/tests/unit/stacks.bpf.o", build ? build : "build");
	return path;
}

static struct bpf_object *open_object(void)
{
	struct bpf_object *obj = bpf_object__open_file(object_path(), NULL);

	if (!obj)
		fail_msg("%s: %s", object_path(), strerror(errno));
	return obj;
}

/* Why there can be no test here, or NULL. */
static const char *obstacle;

struct fixture {
	struct bpf_object *obj;
	struct stacks *st;
	struct tally into;
};

static int setup(void **state)
{
	static struct fixture f;
	int err;

	f.obj = open_object();
	assert_int_equal(stacks_size(f.obj, "stacks", ROOM), 0);
	assert_int_equal(stacks_size(f.obj, "counts", ROOM), 0);
	err = bpf_object__load(f.obj);
	obstacle = err == -EPERM ? "maps and programs of the kernel are not for us" : NULL;
	if (err && !obstacle)
		fail_msg("%s", strerror(-err));
	f.st = obstacle ? NULL : stacks_new(f.obj, false);
	assert_true(f.st || obstacle);
	tally_init(&f.into, sizeof(struct stack_key), sizeof(uint64_t));
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tally_clear(&f->into);
	stacks_free(f->st);
	bpf_object__close(f->obj);
	return 0;
}

static void skip_without_maps(void)
{
	if (obstacle) {
		print_message("%s\n", obstacle);
		skip();
	}
}

static int map_of(const struct fixture *f, const char *name, unsigned int half)
{
	char full[32];
	int fd;

	snprintf(full, sizeof(full), "%s_%u", name, half);
	fd = bpf_object__find_map_fd_by_name(f->obj, full);
	assert_true(fd >= 0);
	return fd;
}

static void put_count(const struct fixture *f, unsigned int half, const struct stack_key *key,
		      uint64_t count)
{
	assert_int_equal(bpf_map_update_elem(map_of(f, "counts", half), key, &count, BPF_ANY), 0);
}

static void put_stack(const struct fixture *f, unsigned int half, uint64_t id, const uint64_t *ips,
		      unsigned int depth, bool cut_off)
{
	struct stack s = { .depth = depth, .cut_off = cut_off };
	unsigned int i;

	for (i = 0; i < depth && i < MAX_STACK; i++)
		s.ip[i] = ips[i];
	assert_int_equal(bpf_map_update_elem(map_of(f, "stacks", half), &id, &s, BPF_ANY), 0);
}

static void take(struct fixture *f, unsigned int half)
{
	assert_int_equal(stacks_take(f->st, "counts", half, &f->into, stacks_add_number), 0);
}

static bool is_empty(int map)
{
	char key[sizeof(struct stack_key)];

	return bpf_map_get_next_key(map, NULL, key) == -ENOENT;
}

static uint64_t count_of(const struct fixture *f, const struct stack_key *key)
{
	const uint64_t *count = tally_find(&f->into, key);

	return count ? *count : 0;
}

static void an_object_that_takes_stacks_is_known(void **state)
{
	struct fixture *f = *state;
	struct bpf_map *map;

	assert_true(stacks_there(f->obj));
	map = bpf_object__find_map_by_name(f->obj, "stacks_1");
	assert_int_equal(bpf_map__max_entries(map), ROOM);
	map = bpf_object__find_map_by_name(f->obj, "counts_0");
	assert_int_equal(bpf_map__max_entries(map), ROOM);
	/* Once it is loaded, its size stays. */
	skip_without_maps();
	assert_true(stacks_size(f->obj, "stacks", 5) < 0);
}

static void what_is_counted_adds_up_over_the_halves(void **state)
{
	const struct stack_key a = { .space = 1, .kernel = 8, .pid = 1, .comm = "a" },
			       b = { .space = 1, .kernel = 8, .pid = 2, .comm = "a" },
			       c = { .space = 1, .kernel = 8, .pid = 1, .comm = "b" };
	struct fixture *f = *state;

	skip_without_maps();
	put_count(f, 0, &a, 5);
	put_count(f, 0, &b, 7);
	put_count(f, 1, &a, 100);
	put_count(f, 1, &c, 300);
	take(f, 0);
	assert_int_equal(f->into.count, 2);
	assert_int_equal(count_of(f, &a), 5);
	assert_int_equal(count_of(f, &b), 7);
	/* The half that is written to is left alone. */
	assert_true(is_empty(map_of(f, "counts", 0)));
	assert_false(is_empty(map_of(f, "counts", 1)));
	take(f, 1);
	assert_int_equal(f->into.count, 3);
	assert_int_equal(count_of(f, &a), 105);
	assert_int_equal(count_of(f, &b), 7);
	assert_int_equal(count_of(f, &c), 300);
	/* Nothing comes twice. */
	take(f, 0);
	take(f, 1);
	put_count(f, 0, &a, 1000);
	take(f, 0);
	assert_int_equal(f->into.count, 3);
	assert_int_equal(count_of(f, &a), 1105);
	assert_int_equal(count_of(f, &c), 300);
}

static void counts_may_be_taken_without_stacks(void **state)
{
	const struct stack_key key = { .kernel = 8, .pid = 1 };
	const uint64_t ip = 0x1000;
	struct fixture *f = *state;

	skip_without_maps();
	put_count(f, 1, &key, 5);
	put_stack(f, 1, 8, &ip, 1, false);
	assert_int_equal(counts_take(f->obj, "counts", 1, &f->into, stacks_add_number), 0);
	assert_int_equal(count_of(f, &key), 5);
	assert_true(is_empty(map_of(f, "counts", 1)));
	assert_false(is_empty(map_of(f, "stacks", 1)));
}

/* Full maps, over and over: nothing is lost, nothing comes twice. */
static void as_many_as_the_maps_hold_are_taken(void **state)
{
	struct fixture *f = *state;
	struct tally expected;
	uint64_t sum = 0, taken = 0;
	unsigned int round;
	size_t i;

	skip_without_maps();
	tally_init(&expected, sizeof(struct stack_key), sizeof(uint64_t));
	for (round = 0; round < 3; round++) {
		for (i = 0; i < ROOM; i++) {
			uint64_t random = random64(), ip = 0x1000 + i;
			struct stack_key key = { .space = random % 50,
						 .kernel = 8 + i,
						 .pid = round * i % 7 };

			put_count(f, round % 2, &key, 1 + i);
			put_stack(f, round % 2, 8 + i, &ip, 1, false);
			*(uint64_t *)tally_at(&expected, &key) += 1 + i;
			sum += 1 + i;
		}
		take(f, round % 2);
		assert_true(is_empty(map_of(f, "counts", round % 2)));
		assert_true(is_empty(map_of(f, "stacks", round % 2)));
	}
	assert_int_equal(f->into.count, expected.count);
	for (i = 0; i < expected.count; i++) {
		const struct stack_key *key = tally_key(&expected, i);

		assert_int_equal(count_of(f, key), *(uint64_t *)tally_value(&expected, i));
		assert_int_equal(stacks_leaf(f->st, key), 0x1000 + key->kernel - 8);
		taken += count_of(f, key);
	}
	assert_int_equal(taken, sum);
	tally_clear(&expected);
}

static void a_chain_has_both_parts(void **state)
{
	const uint64_t kernel[] = { 0xffffffff81000010, 0xffffffff81000020, 0xffffffff81000030 },
		       user[] = { 0x401000, 0x402000 };
	const struct stack_key key = { .space = SPACE, .kernel = 10, .user = 12 };
	struct fixture *f = *state;
	struct callchain *chain;

	skip_without_maps();
	put_stack(f, 0, 10, kernel, 3, false);
	put_stack(f, 0, 12, user, 2, true);
	take(f, 0);
	chain = stacks_chain(f->st, &key);
	assert_int_equal(chain->space, SPACE);
	assert_int_equal(chain->kernel, 3);
	assert_int_equal(chain->user, 2);
	assert_memory_equal(chain->ips, kernel, sizeof(kernel));
	assert_memory_equal(chain->ips + 3, user, sizeof(user));
	assert_true(chain->user_cut_off);
	assert_false(chain->kernel_cut_off || chain->kernel_lost || chain->user_lost);
	assert_null(chain->frames);
	assert_int_equal(chain->frame_count, 0);
	assert_int_equal(stacks_leaf(f->st, &key), kernel[0]);
	callchain_free(chain);
}

static void what_was_not_kept_is_lost_and_what_was_not_there_is_not(void **state)
{
	const uint64_t ip = 0x401000;
	struct stack_key key = { .space = SPACE, .kernel = STACK_LOST, .user = 12 };
	struct fixture *f = *state;
	struct callchain *chain;

	skip_without_maps();
	put_stack(f, 0, 12, &ip, 1, false);
	take(f, 0);
	chain = stacks_chain(f->st, &key);
	assert_true(chain->kernel_lost && !chain->user_lost);
	assert_int_equal(chain->kernel, 0);
	assert_int_equal(chain->user, 1);
	assert_int_equal(chain->ips[0], ip);
	assert_int_equal(stacks_leaf(f->st, &key), 0);
	callchain_free(chain);
	key.kernel = 0;
	key.user = 14;
	chain = stacks_chain(f->st, &key);
	assert_true(!chain->kernel_lost && chain->user_lost);
	assert_int_equal(chain->kernel + chain->user, 0);
	callchain_free(chain);
	key.user = 0;
	chain = stacks_chain(f->st, &key);
	assert_false(chain->kernel_lost || chain->user_lost);
	assert_int_equal(chain->kernel + chain->user, 0);
	assert_int_equal(stacks_leaf(f->st, &key), 0);
	callchain_free(chain);
}

/* Code without frame pointers leaves anything on the stack. */
static void a_user_part_ends_where_no_code_can_be(void **state)
{
	static const uint64_t parts[][4] = {
		{ 0x401000, 0, 0x402000, 0x403000 },
		{ 0x401000, 4095, 0x402000, 0x403000 },
		{ 0x401000, 1ULL << 56, 0x402000, 0x403000 },
		{ 0x401000, UINT64_MAX, 0x402000, 0x403000 },
		/* The leaf is where it was, whatever that is. */
		{ 1, 4096, (1ULL << 56) - 1, 0 },
	};
	static const unsigned int depths[] = { 1, 1, 1, 1, 3 };
	struct fixture *f = *state;
	struct callchain *chain;
	size_t i;

	skip_without_maps();
	for (i = 0; i < COUNT(parts); i++)
		put_stack(f, 0, 100 + 2 * i, parts[i], 4, true);
	put_stack(f, 0, 200, parts[0], 1, true);
	take(f, 0);
	for (i = 0; i < COUNT(parts); i++) {
		const struct stack_key key = { .user = 100 + 2 * i };

		chain = stacks_chain(f->st, &key);
		assert_int_equal(chain->user, depths[i]);
		assert_memory_equal(chain->ips, parts[i], depths[i] * sizeof(*parts[i]));
		/* It ended there; more frames would not have helped. */
		assert_false(chain->user_cut_off);
		callchain_free(chain);
	}
	chain = stacks_chain(f->st, &(struct stack_key){ .user = 200 });
	assert_true(chain->user_cut_off);
	callchain_free(chain);
	/* The kernel's addresses are all above that. */
	chain = stacks_chain(f->st, &(struct stack_key){ .kernel = 106 });
	assert_int_equal(chain->kernel, 4);
	assert_true(chain->kernel_cut_off);
	callchain_free(chain);
}

static void depths_are_bounded(void **state)
{
	static const unsigned int depths[] = { 0, 1, MAX_STACK - 1, MAX_STACK, 1000, UINT32_MAX };
	uint64_t ips[MAX_STACK];
	struct fixture *f = *state;
	struct callchain *chain;
	size_t i;

	skip_without_maps();
	for (i = 0; i < MAX_STACK; i++)
		ips[i] = 0x10000 + i;
	for (i = 0; i < COUNT(depths); i++)
		put_stack(f, 0, 100 + 2 * i, ips, depths[i], false);
	take(f, 0);
	for (i = 0; i < COUNT(depths); i++) {
		const struct stack_key key = { .kernel = 100 + 2 * i, .user = 100 + 2 * i };
		unsigned int depth = depths[i] < MAX_STACK ? depths[i] : MAX_STACK;

		chain = stacks_chain(f->st, &key);
		assert_int_equal(chain->kernel, depth);
		assert_int_equal(chain->user, depth);
		assert_false(chain->kernel_lost || chain->user_lost);
		assert_memory_equal(chain->ips, ips, depth * sizeof(*ips));
		assert_memory_equal(chain->ips + depth, ips, depth * sizeof(*ips));
		assert_int_equal(stacks_leaf(f->st, &key), depth ? ips[0] : 0);
		callchain_free(chain);
	}
}

static void a_stack_is_kept_until_it_has_been_reported(void **state)
{
	const struct stack_key key = { .kernel = 10 };
	const uint64_t ip = 0xffffffff81000010;
	struct fixture *f = *state;
	struct callchain *chain;

	skip_without_maps();
	put_stack(f, 0, 10, &ip, 1, false);
	take(f, 0);
	/* In both halves, it is the same. */
	put_stack(f, 1, 10, &ip, 1, false);
	take(f, 1);
	assert_true(is_empty(map_of(f, "stacks", 1)));
	assert_int_equal(stacks_leaf(f->st, &key), ip);
	stacks_clear(f->st);
	chain = stacks_chain(f->st, &key);
	assert_true(chain->kernel_lost);
	callchain_free(chain);
	/* And can come again. */
	put_stack(f, 0, 10, &ip, 1, false);
	take(f, 0);
	assert_int_equal(stacks_leaf(f->st, &key), ip);
}

static void give_notice(const struct fixture *f, enum space_event event, uint64_t space,
			uint64_t time, pid_t pid)
{
	const struct space_notice notice = {
		.space = space, .time = time, .pid = pid, .event = event
	};
	int map = bpf_object__find_map_fd_by_name(f->obj, "to_be_given");
	struct bpf_program *program = bpf_object__find_program_by_name(f->obj, "give_notice");
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	__u32 zero = 0;

	assert_int_equal(bpf_map_update_elem(map, &zero, &notice, BPF_ANY), 0);
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(program), &opts), 0);
	assert_int_equal(opts.retval, 0);
}

static bool is_readable(int fd)
{
	return poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0) == 1;
}

__attribute__((noinline, used)) int a_function(int x)
{
	__asm__ volatile("" ::: "memory");
	return x + 1;
}

/* The name of a_function() in @space, or NULL. */
static const char *name_in(const struct fixture *f, uint64_t space)
{
	struct callchain *chain = callchain_new(0, 1);
	const char *name;

	chain->space = space;
	chain->ips[0] = (uintptr_t)a_function;
	symbols_resolve(stacks_symbols(f->st), &chain, 1);
	assert_int_equal(chain->frame_count, 1);
	name = chain->frames[0].name;
	callchain_free(chain);
	return name;
}

static void heed(const struct fixture *f)
{
	assert_true(is_readable(stacks_fd(f->st)));
	stacks_heed(f->st);
	assert_false(is_readable(stacks_fd(f->st)));
}

static void a_notice_has_a_process_looked_at_while_it_lives(void **state)
{
	struct fixture *f = *state;
	int ends[2], status;
	pid_t pid;
	char c;

	skip_without_maps();
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[1]);
		_exit(read(ends[0], &c, 1));
	}
	assert_false(is_readable(stacks_fd(f->st)));
	give_notice(f, SPACE_SEEN, SPACE, 0, pid);
	heed(f);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_non_null(name_in(f, SPACE));
	assert_string_equal(name_in(f, SPACE), "a_function");
	assert_null(name_in(f, SPACE + 1));
	/* Of one that is gone there is nothing to see. */
	give_notice(f, SPACE_SEEN, SPACE + 2, 0, pid);
	heed(f);
	assert_null(name_in(f, SPACE + 2));
}

static void a_notice_tells_of_another_program(void **state)
{
	struct fixture *f = *state;
	uint64_t before = monotonic_now();

	skip_without_maps();
	give_notice(f, SPACE_SEEN, SPACE, 0, getpid());
	give_notice(f, SPACE_SEEN, SPACE + 1, 0, getpid());
	heed(f);
	/* What was seen of the one was seen in time, of the other too late. */
	give_notice(f, SPACE_EXECED, SPACE, monotonic_now(), getpid());
	give_notice(f, SPACE_EXECED, SPACE + 1, before, getpid());
	heed(f);
	assert_string_equal(name_in(f, SPACE), "a_function");
	assert_null(name_in(f, SPACE + 1));
}

static void without_its_maps_there_are_no_stacks(void **state)
{
	struct bpf_object *obj = open_object();
	unsigned int files = open_files();

	(void)state;
	/* It has not been loaded. */
	errno = 0;
	assert_null(stacks_new(obj, false));
	assert_true(errno);
	assert_int_equal(open_files(), files);
	bpf_object__close(obj);
	stacks_free(NULL);
}

static int print_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_object_that_takes_stacks_is_known),
		TEST(what_is_counted_adds_up_over_the_halves),
		TEST(counts_may_be_taken_without_stacks),
		TEST(as_many_as_the_maps_hold_are_taken),
		TEST(a_chain_has_both_parts),
		TEST(what_was_not_kept_is_lost_and_what_was_not_there_is_not),
		TEST(a_user_part_ends_where_no_code_can_be),
		TEST(depths_are_bounded),
		TEST(a_stack_is_kept_until_it_has_been_reported),
		TEST(a_notice_has_a_process_looked_at_while_it_lives),
		TEST(a_notice_tells_of_another_program),
		cmocka_unit_test(without_its_maps_there_are_no_stacks),
	};

	libbpf_set_print(print_nothing);
	return cmocka_run_group_tests_name("stacks", tests, NULL, NULL);
}
