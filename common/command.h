/* SPDX-License-Identifier: GPL-2.0-only */
/* The command behind `--`: made early, held until it is observed, and ended with the unit. */
#ifndef COMMON_COMMAND_H
#define COMMON_COMMAND_H

#include <sys/types.h>

struct command {
	char **argv;
	pid_t pid;   /* 0: there is none */
	int pidfd;   /* readable when it has ended */
	int hold;    /* writing here lets it go */
	int failure; /* the errno of a failed start can be read here */
	int status;  /* what waitpid() said, once it has ended */
};

/*
 * Makes the process, which waits. Returns 0 or a negative errno. command_end() is due.
 */
int command_hold(struct command *c, char **argv);

/* Lets it go. Returns 0, or the negative errno of what kept it from starting. */
int command_start(struct command *c);

/* Takes note of its end, after pidfd became readable. */
void command_reap(struct command *c);

/* The exit status to pass on: the command's, or 128 plus the signal that ended it. */
int command_status(const struct command *c);

/*
 * Ends it if it still runs: SIGTERM, and two seconds of patience, after which it is left running
 * and its pid is told. Frees what command_hold() took.
 */
void command_end(struct command *c);

#endif
