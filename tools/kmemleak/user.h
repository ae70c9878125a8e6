/* SPDX-License-Identifier: GPL-2.0-only */
/* Probes at the functions of processes' allocators. user.bpf.h is what they run. */
#ifndef USER_H
#define USER_H

#include <sys/types.h>

struct kmemleak;

/* Switches the programs on; @follow: also those that tell of a command's children. Before load. */
int user_choose(struct kmemleak *skel, bool follow);

/*
 * Probes the processes of @pids (a list as in -p), or process @command that is about to run @file:
 * each library there that has malloc and free, or, when @libraries (a list) is not NULL, those.
 * Returns 0 or, after having told what is wrong, an exit status.
 */
int user_attach(struct kmemleak *skel, const char *pids, pid_t command, const char *file,
		const char *libraries);

/* Readable when there are new processes, which user_heed() takes. */
int user_fd(void);
void user_heed(void);

/* Probes what processes have mapped since they were looked at last. */
void user_look_again(void);

void user_detach(void);

#endif
