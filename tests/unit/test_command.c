// SPDX-License-Identifier: GPL-2.0-only
/* The command behind `--`, from its making to its end. */
#include "helpers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "command.h"
#include "say.h"

static char out_path[64], err_path[64];

static int group_setup(void **state)
{
	signal(SIGPIPE, SIG_IGN); /* as units do */
	say_setup("tester", false, false);
	if (folder_make(state))
		return -1;
	snprintf(out_path, sizeof(out_path), "%s", path_of("out"));
	snprintf(err_path, sizeof(err_path), "%s", path_of("err"));
	return 0;
}

static int group_teardown(void **state)
{
	unlink(out_path);
	unlink(err_path);
	return folder_remove(state);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static unsigned int files_before;
static pid_t last_pid; /* of hold_shell() */

static int setup(void **state)
{
	(void)state;
	unlink(out_path);
	files_before = open_files();
	last_pid = 0;
	return 0;
}

/* After each test: nothing is left of the command. */
static int teardown(void **state)
{
	(void)state;
	/* What a test that failed has left would run on. */
	if (last_pid && !waitpid(last_pid, NULL, WNOHANG)) {
		kill(last_pid, SIGKILL);
		waitpid(last_pid, NULL, 0);
		fail_msg("the command was left running");
	}
	assert_int_equal(open_files(), files_before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	return 0;
}

/* A shell that gets @script, with the path of `out` as its $1. */
static void hold_shell(struct command *c, const char *script)
{
	static char *argv[6];

	argv[0] = "/bin/sh";
	argv[1] = "-c";
	argv[2] = (char *)script;
	argv[3] = "sh";
	argv[4] = out_path;
	argv[5] = NULL;
	memset(c, 0, sizeof(*c));
	assert_int_equal(command_hold(c, argv), 0);
	last_pid = c->pid;
	assert_true(c->pid > 0);
	assert_true(c->pidfd >= 0);
}

static bool has_ended(const struct command *c, int patience_ms)
{
	struct pollfd ended = { .fd = c->pidfd, .events = POLLIN };

	return poll(&ended, 1, patience_ms) == 1;
}

/* Runs @script to its end and returns its status. */
static int run_shell(const char *script)
{
	struct command c;
	int status;

	hold_shell(&c, script);
	assert_int_equal(command_start(&c), 0);
	assert_true(has_ended(&c, 10000));
	command_reap(&c);
	assert_int_equal(c.pid, 0);
	status = command_status(&c);
	command_end(&c);
	return status;
}

/* Waits up to 10 s for `out` to have @expected. */
static void wait_for_content(const char *expected)
{
	double end = now() + 10;
	const char *text;

	while (!(text = content(out_path)) || strcmp(text, expected)) {
		assert_true(now() < end);
		usleep(1000);
	}
}

static void a_command_is_held_until_it_is_started(void **state)
{
	struct command c;

	(void)state;
	hold_shell(&c, "echo ran > $1");
	assert_false(has_ended(&c, 100));
	assert_null(content(out_path));
	/* It exists, so it can be observed before it does anything. */
	assert_int_equal(kill(c.pid, 0), 0);
	assert_int_equal(command_start(&c), 0);
	assert_true(has_ended(&c, 10000));
	command_reap(&c);
	check_content(out_path, "ran\n");
	command_end(&c);
}

static void the_process_that_is_held_becomes_the_command(void **state)
{
	struct command c;
	char expected[32];

	(void)state;
	hold_shell(&c, "echo $$ > $1");
	snprintf(expected, sizeof(expected), "%d\n", c.pid);
	assert_int_equal(command_start(&c), 0);
	assert_true(has_ended(&c, 10000));
	command_reap(&c);
	check_content(out_path, expected);
	command_end(&c);
}

static void arguments_arrive_as_they_were(void **state)
{
	struct command c = {};
	char *argv[] = { "sh", "-c", "printf '%s|' \"$@\" > $0", out_path, "a b", "", "--", "*",
			 "ä",  NULL };

	(void)state;
	/* Found in PATH. */
	assert_int_equal(command_hold(&c, argv), 0);
	assert_int_equal(command_start(&c), 0);
	assert_true(has_ended(&c, 10000));
	command_reap(&c);
	check_content(out_path, "a b||--|*|ä|");
	command_end(&c);
}

static void its_status_is_passed_on(void **state)
{
	(void)state;
	assert_int_equal(run_shell("exit 0"), 0);
	assert_int_equal(run_shell("exit 7"), 7);
	assert_int_equal(run_shell("exit 255"), 255);
}

static void a_signal_is_128_and_its_number(void **state)
{
	(void)state;
	assert_int_equal(run_shell("kill -KILL $$"), 128 + SIGKILL);
	assert_int_equal(run_shell("kill -TERM $$"), 128 + SIGTERM);
	assert_int_equal(run_shell("kill -SEGV $$"), 128 + SIGSEGV);
}

/* Units ignore SIGPIPE; `yes | head` would never end. */
static void it_does_not_ignore_broken_pipes(void **state)
{
	(void)state;
	assert_int_equal(run_shell("kill -PIPE $$; exit 5"), 128 + SIGPIPE);
}

static void it_inherits_no_files(void **state)
{
	char expected[4096];

	(void)state;
	/* What any child has, whatever the test itself has been given. */
	snprintf(expected, sizeof(expected), "ls /proc/self/fd > %s", err_path);
	assert_int_equal(system(expected), 0);
	snprintf(expected, sizeof(expected), "%s", content(err_path));
	assert_int_equal(run_shell("ls /proc/self/fd > $1"), 0);
	check_content(out_path, expected);
}

static int start_status(char **argv)
{
	struct command c = {};
	int err;

	assert_int_equal(command_hold(&c, argv), 0);
	err = command_start(&c);
	command_end(&c);
	assert_int_equal(c.pid, 0);
	return err;
}

static void what_keeps_it_from_starting_is_told(void **state)
{
	char *missing[] = { "/nonexistent/command", NULL };
	char *not_in_path[] = { "no-such-command-anywhere", NULL };
	char *not_executable[] = { out_path, NULL };
	char *directory[] = { "/tmp", NULL };
	char *below_a_file[] = { "/dev/null/x", NULL };
	char *empty[] = { "", NULL };
	FILE *file;

	(void)state;
	file = fopen(out_path, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(start_status(missing), -ENOENT);
	assert_int_equal(start_status(not_in_path), -ENOENT);
	assert_int_equal(start_status(not_executable), -EACCES);
	assert_int_equal(start_status(directory), -EACCES);
	assert_int_equal(start_status(below_a_file), -ENOTDIR);
	assert_int_equal(start_status(empty), -ENOENT);
}

static void a_command_that_is_never_started_does_nothing(void **state)
{
	struct command c;
	double begin = now();

	(void)state;
	hold_shell(&c, "echo ran > $1");
	command_end(&c);
	assert_true(now() - begin < 1.9);
	assert_int_equal(c.pid, 0);
	assert_null(content(out_path));
}

static void one_that_was_killed_while_held_cannot_start(void **state)
{
	struct command c;

	(void)state;
	hold_shell(&c, "echo ran > $1");
	assert_int_equal(kill(c.pid, SIGKILL), 0);
	assert_true(has_ended(&c, 10000));
	assert_int_equal(command_start(&c), -EPIPE);
	command_end(&c);
	assert_null(content(out_path));
}

/* In a unit that is killed, nobody ends what it holds. */
static void one_that_is_held_ends_when_its_unit_is_gone(void **state)
{
	struct pollfd ended = { .events = POLLIN };
	int ends[2], status;
	struct command c;
	pid_t unit, held;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	/* What becomes an orphan becomes ours. */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	unit = fork();
	if (!unit) {
		hold_shell(&c, "echo ran > $1");
		if (write(ends[1], &c.pid, sizeof(c.pid)) != sizeof(c.pid))
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(read(ends[0], &held, sizeof(held)), sizeof(held));
	assert_int_equal(waitpid(unit, &status, 0), unit);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	assert_true(WIFSIGNALED(status));
	ended.fd = syscall(SYS_pidfd_open, held, 0);
	assert_true(ended.fd >= 0);
	status = poll(&ended, 1, 10000);
	if (status != 1)
		kill(held, SIGKILL);
	assert_int_equal(waitpid(held, NULL, 0), held);
	close(ended.fd);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(status, 1);
	assert_null(content(out_path));
}

static void a_running_command_is_terminated_at_the_end(void **state)
{
	struct command c;
	double begin;

	(void)state;
	hold_shell(&c, "echo up > $1; exec sleep 60");
	assert_int_equal(command_start(&c), 0);
	wait_for_content("up\n");
	begin = now();
	command_end(&c);
	assert_true(now() - begin < 1.9);
	assert_int_equal(c.pid, 0);
	assert_int_equal(command_status(&c), 128 + SIGTERM);
}

/* A child of its own shell cleans up, which takes a while. */
static void it_has_time_to_clean_up(void **state)
{
	struct command c;

	(void)state;
	hold_shell(&c, "trap 'sleep 0.3; echo clean >> $1; exit 9' TERM; echo up > $1;"
		       "while :; do sleep 0.01; done");
	assert_int_equal(command_start(&c), 0);
	wait_for_content("up\n");
	command_end(&c);
	assert_int_equal(c.pid, 0);
	assert_int_equal(command_status(&c), 9);
	check_content(out_path, "up\nclean\n");
}

static volatile sig_atomic_t signals;

static void on_signal(int signal_number)
{
	(void)signal_number;
	signals++;
}

/* Someone asks for a report meanwhile, say: its two seconds are not over. */
static void a_signal_does_not_end_the_patience(void **state)
{
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART }, old;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec soon = { .it_value.tv_nsec = 100000000 };
	struct command c;
	timer_t timer;

	(void)state;
	hold_shell(&c, "trap 'sleep 0.4; exit 9' TERM; echo up > $1; while :; do sleep 0.01; done");
	assert_int_equal(command_start(&c), 0);
	wait_for_content("up\n");
	assert_int_equal(sigaction(SIGUSR1, &act, &old), 0);
	assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
	assert_int_equal(timer_settime(timer, 0, &soon, NULL), 0);
	command_end(&c);
	timer_delete(timer);
	sigaction(SIGUSR1, &old, NULL);
	assert_int_equal(signals, 1);
	assert_int_equal(c.pid, 0);
	assert_int_equal(command_status(&c), 9);
}

static void what_ends_by_itself_is_reaped_at_the_end(void **state)
{
	struct command c;

	(void)state;
	hold_shell(&c, "exit 3");
	assert_int_equal(command_start(&c), 0);
	assert_true(has_ended(&c, 10000));
	command_end(&c);
	assert_int_equal(c.pid, 0);
	assert_int_equal(command_status(&c), 3);
}

static void what_does_not_end_is_left_running_and_told(void **state)
{
	struct command c;
	const char *told;
	char pid[32];
	double begin, took;

	(void)state;
	hold_shell(&c, "trap '' TERM; echo up > $1; while :; do sleep 0.05; done");
	assert_int_equal(command_start(&c), 0);
	wait_for_content("up\n");

	catch_begin();
	begin = now();
	command_end(&c);
	took = now() - begin;
	told = catch_end();

	/* Still there, and not a zombie. */
	assert_int_equal(kill(c.pid, 0), 0);
	assert_int_equal(waitpid(c.pid, NULL, WNOHANG), 0);
	assert_int_equal(kill(c.pid, SIGKILL), 0);
	assert_int_equal(waitpid(c.pid, NULL, 0), c.pid);
	assert_true(took >= 1.9 && took < 4);

	snprintf(pid, sizeof(pid), " %d)", c.pid);
	check_told(told, pid);
	check_told(told, "/bin/sh");
}

static void without_a_command_there_is_nothing_to_end(void **state)
{
	struct command c = {};

	(void)state;
	command_end(&c);
	assert_int_equal(c.pid, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_command_is_held_until_it_is_started),
		TEST(the_process_that_is_held_becomes_the_command),
		TEST(arguments_arrive_as_they_were),
		TEST(its_status_is_passed_on),
		TEST(a_signal_is_128_and_its_number),
		TEST(it_does_not_ignore_broken_pipes),
		TEST(it_inherits_no_files),
		TEST(what_keeps_it_from_starting_is_told),
		TEST(a_command_that_is_never_started_does_nothing),
		TEST(one_that_was_killed_while_held_cannot_start),
		TEST(one_that_is_held_ends_when_its_unit_is_gone),
		TEST(a_running_command_is_terminated_at_the_end),
		TEST(it_has_time_to_clean_up),
		TEST(a_signal_does_not_end_the_patience),
		TEST(what_ends_by_itself_is_reaped_at_the_end),
		TEST(what_does_not_end_is_left_running_and_told),
		TEST(without_a_command_there_is_nothing_to_end),
	};

	alarm(60); /* rather than hang for ever */
	return cmocka_run_group_tests_name("the command", tests, group_setup, group_teardown);
}
