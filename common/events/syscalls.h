/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of single system calls by way of the one that all have, raw_syscalls:sys_enter or
 * sys_exit: a program there calls that of the system call by its number. Records of both are alike.
 *
 * Since 7.2 a program at syscalls:* may be preempted, and until it goes on all other tasks of its CPU
 * go without it; at raw_syscalls:* it is not. And one tracepoint is let go of sooner than hundreds,
 * each of which the kernel waits for. On the other hand the program in front costs all system calls
 * something: hence this is for these two cases.
 */
#ifndef COMMON_EVENTS_SYSCALLS_H
#define COMMON_EVENTS_SYSCALLS_H

#include "events/event.h"

struct syscall_front;

/* Should @event be attached this way, where there are @count events in all? */
bool syscalls_wanted(const struct event *event, size_t count);

/*
 * Has @prog, of type tracepoint, run at @event, one of syscalls:*. *@front begins as NULL and is the
 * caller's to syscalls_detach(). Returns 0 or a negative errno; -ENOENT: that cannot be done, as
 * its number is not known or there is no room for another program; @event may have it by itself.
 */
int syscalls_attach(struct syscall_front **front, const struct event *event, int prog);

/* How often the kernel skipped the programs in front. @front may be NULL. */
uint64_t syscalls_misses(const struct syscall_front *front);

void syscalls_detach(struct syscall_front *front);

#endif
