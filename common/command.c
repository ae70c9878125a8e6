// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "clock.h"
#include "command.h"
#include "quantity.h"
#include "say.h"

#define PATIENCE (2 * NSEC_PER_SEC)

/* In the new process: waits for the word, then becomes the command. */
static void __attribute__((noreturn)) run(char **argv, int hold, int failure)
{
	char word;
	int err;

	if (read(hold, &word, 1) != 1)
		_exit(EXIT_FAILED); /* the unit gave up */
	signal(SIGPIPE, SIG_DFL);
	execvp(argv[0], argv);
	err = errno;
	if (write(failure, &err, sizeof(err)) != sizeof(err))
		_exit(EXIT_FAILED);
	_exit(EXIT_FAILED);
}

int command_hold(struct command *c, char **argv)
{
	int hold[2], failure[2], err;

	if (pipe2(hold, O_CLOEXEC))
		return -errno;
	if (pipe2(failure, O_CLOEXEC)) {
		err = -errno;
		close(hold[0]);
		close(hold[1]);
		return err;
	}
	c->argv = argv;
	c->pid = fork();
	if (!c->pid) {
		close(hold[1]);
		run(argv, hold[0], failure[1]);
	}
	err = c->pid < 0 ? -errno : 0;
	close(hold[0]);
	close(failure[1]);
	c->hold = hold[1];
	c->failure = failure[0];
	c->pidfd = err ? -1 : (int)syscall(SYS_pidfd_open, c->pid, 0);
	if (!err && c->pidfd < 0)
		err = -errno;
	if (c->pid < 0)
		c->pid = 0;
	return err;
}

int command_start(struct command *c)
{
	int err = 0;

	if (write(c->hold, "", 1) != 1)
		return -errno;
	/* Closed without a word by a successful exec. */
	if (read(c->failure, &err, sizeof(err)) == sizeof(err))
		return -err;
	return 0;
}

void command_reap(struct command *c)
{
	if (waitpid(c->pid, &c->status, 0) == c->pid)
		c->pid = 0;
}

int command_status(const struct command *c)
{
	return WIFEXITED(c->status) ? WEXITSTATUS(c->status) : 128 + WTERMSIG(c->status);
}

/* Waits for the process of @pidfd to end, PATIENCE long; signals do not shorten that. */
static bool ends_in_time(int pidfd)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	uint64_t now = monotonic_now(), end = now + PATIENCE;
	int n;

	do {
		n = poll(&ended, 1, (end - now) / NSEC_PER_MSEC + 1);
		now = monotonic_now();
	} while (n < 0 && errno == EINTR && now < end);
	return n == 1;
}

void command_end(struct command *c)
{
	if (!c->argv)
		return;
	close(c->hold);
	close(c->failure);
	if (c->pid) {
		kill(c->pid, SIGTERM);
		kill(c->pid, SIGCONT); /* in case that it is stopped */
		if (ends_in_time(c->pidfd))
			command_reap(c);
		else
			say_note("%s (pid %d) does not end; left running", c->argv[0], c->pid);
	}
	if (c->pidfd >= 0)
		close(c->pidfd);
}
