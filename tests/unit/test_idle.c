// SPDX-License-Identifier: GPL-2.0-only
/* Idle CPUs, told by where in the kernel a sample of theirs was: addresses are those of this kernel. */
#include "helpers.h"

#include <grp.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "idle.h"
#include "say.h"

/* The address of @name, 0 if there is none or it is hidden. */
static uint64_t find(const char *name)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	uint64_t addr, found = 0;
	char line[512], symbol[128];

	assert_non_null(file);
	while (!found && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%" SCNx64 " %*c %127s", &addr, symbol) == 2 &&
		    !strcmp(symbol, name))
			found = addr;
	}
	fclose(file);
	return found;
}

/* Every kernel has the first; architectures have one of the others. */
static uint64_t find_idle(void)
{
	static const char *const names[] = { "do_idle", "default_idle", "cpu_do_idle" };
	uint64_t addr = 0;
	size_t i;

	for (i = 0; i < COUNT(names) && !addr; i++)
		addr = find(names[i]);
	return addr;
}

struct fixture {
	volatile __u64 places[IDLE_PLACES + 1];
	struct symbols *symbols;
	uint64_t idle, busy;
};

static const struct stack_key swapper = { .comm = "swapper/1" };

static int setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.symbols = symbols_new(false);
	f.idle = find_idle();
	f.busy = find("vfs_read");
	/* Behind the last place, nothing is touched. */
	f.places[IDLE_PLACES] = 77;
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(f->places[IDLE_PLACES], 77);
	symbols_free(f->symbols);
	return 0;
}

static void skip_if_hidden(const struct fixture *f)
{
	if (!f->idle || !f->busy) {
		print_message("the kernel hides its addresses\n");
		skip();
	}
}

static bool learn(struct fixture *f, uint64_t leaf)
{
	return idle_learn(f->places, &swapper, leaf, f->symbols);
}

static unsigned int known(const struct fixture *f)
{
	unsigned int i;

	for (i = 0; i < IDLE_PLACES && f->places[i]; i++)
		;
	return i;
}

static void where_it_is_idle_is_learnt_once(void **state)
{
	struct fixture *f = *state;

	skip_if_hidden(f);
	assert_true(learn(f, f->idle + 5));
	assert_int_equal(known(f), 1);
	assert_int_equal(f->places[0], f->idle + 5);
	assert_true(learn(f, f->idle + 5));
	assert_int_equal(known(f), 1);
	/* Another place in the same function. */
	assert_true(learn(f, f->idle + 6));
	assert_true(learn(f, f->idle + 5));
	assert_int_equal(known(f), 2);
	assert_int_equal(f->places[1], f->idle + 6);
}

static void what_an_idle_cpu_is_interrupted_by_is_work(void **state)
{
	struct fixture *f = *state;

	skip_if_hidden(f);
	assert_false(learn(f, f->busy + 1));
	/* User code, or a lost stack. */
	assert_false(learn(f, 0));
	assert_int_equal(known(f), 0);
}

/* Somebody else may be there too: a thread that injects idle time, say. */
static void only_the_idle_task_is_idle(void **state)
{
	struct stack_key key = { .pid = 4, .comm = "idle_inject/0" };
	struct fixture *f = *state;

	skip_if_hidden(f);
	assert_false(idle_learn(f->places, &key, f->idle + 5, f->symbols));
	key.pid = UINT32_MAX;
	assert_false(idle_learn(f->places, &key, f->idle + 5, f->symbols));
	assert_int_equal(known(f), 0);
}

static void there_is_room_for_so_many_places(void **state)
{
	struct fixture *f = *state;
	unsigned int i;

	skip_if_hidden(f);
	for (i = 0; i < IDLE_PLACES; i++)
		assert_true(learn(f, f->idle + 1 + i % 8));
	assert_int_equal(known(f), 8);
	/* As if others had filled the rest. */
	for (i = 8; i < IDLE_PLACES; i++)
		f->places[i] = i;
	assert_true(learn(f, f->idle + 9));
	assert_int_equal(f->places[IDLE_PLACES - 1], IDLE_PLACES - 1);
	for (i = 0; i < IDLE_PLACES; i++)
		assert_true(f->places[i] != f->idle + 9);
	/* The last one is a place like the others. */
	f->places[IDLE_PLACES - 1] = 0;
	assert_true(learn(f, f->idle + 9));
	assert_int_equal(f->places[IDLE_PLACES - 1], f->idle + 9);
	assert_true(learn(f, f->idle + 9));
}

/* In a process of its own, which has no right to see the kernel's addresses. */
static void hidden_addresses_are_told_of_once(void **state)
{
	struct fixture *f = *state;
	const char *told;
	int status;
	pid_t pid;

	if (geteuid()) {
		print_message("only root can give its rights up\n");
		skip();
	}
	fflush(stdout);
	pid = fork();
	if (!pid) {
		/* One that has read nothing yet. */
		struct symbols *symbols;
		bool idle = false;
		int i;

		if (setgroups(0, NULL) || setgid(65534) || setuid(65534))
			_exit(2);
		if (find_idle())
			_exit(77);
		symbols = symbols_new(false);
		catch_begin();
		for (i = 0; i < 3; i++)
			idle |= idle_learn(f->places, &swapper, 0xffffffff81000000 + i, symbols);
		told = catch_end();
		_exit(idle || known(f) || strncmp(told, "tester: the kernel hides", 24) ||
		      strchr(told, '\n') != told + strlen(told) - 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("this kernel hides nothing\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(where_it_is_idle_is_learnt_once),
		TEST(what_an_idle_cpu_is_interrupted_by_is_work),
		TEST(only_the_idle_task_is_idle),
		TEST(there_is_room_for_so_many_places),
		TEST(hidden_addresses_are_told_of_once),
	};

	say_setup("tester", false, false);
	return cmocka_run_group_tests_name("idle CPUs", tests, NULL, NULL);
}
