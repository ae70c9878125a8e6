/* SPDX-License-Identifier: GPL-2.0-only */
/* The numbers of system calls, by the names that their tracepoints have. */
#ifndef COMMON_EVENTS_SYSCALL_NUMBER_H
#define COMMON_EVENTS_SYSCALL_NUMBER_H

/* Numbers are below that. */
#define MOST_SYSCALLS 1024

/*
 * The number of the system call whose tracepoints are sys_enter_@name and sys_exit_@name, in this
 * architecture's own programs; -ENOENT: it is not known.
 */
int syscall_number(const char *name);

#endif
