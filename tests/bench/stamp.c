// SPDX-License-Identifier: GPL-2.0-only
/*
 * When does something begin?
 *
 *	stamp FILE [COMMAND [ARG...]]
 *
 * Appends a line with CLOCK_MONOTONIC, in ns, to FILE, then becomes COMMAND.
 */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct timespec now;
	int fd;

	if (argc < 2) {
		fprintf(stderr, "usage: stamp FILE [COMMAND [ARG...]]\n");
		return 2;
	}
	fd = open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (fd < 0 || dprintf(fd, "%lld\n", now.tv_sec * 1000000000LL + now.tv_nsec) < 0) {
		perror(argv[1]);
		return 1;
	}
	if (argc == 2)
		return 0;
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
