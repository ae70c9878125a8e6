// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tracepoint does not tell its system call's number. It is called as the kernel's function is, which
 * is what users call it for nearly all.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include "events/syscall_number.h"

struct numbered {
	const char *name;
	int number;
};

/* Those whose function is called otherwise than they are. */
static const struct numbered renamed[] = {
#ifdef __NR_stat
	{ "newstat", __NR_stat },	    { "newlstat", __NR_lstat },
#endif
	{ "newfstat", __NR_fstat },	    { "newuname", __NR_uname },
	{ "sendfile64", __NR_sendfile },    { "umount", __NR_umount2 },
#ifdef __aarch64__
	{ "fadvise64_64", __NR_fadvise64 },
#endif
};

/* Those that headers of some years ago do not have; all architectures number them alike. */
static const struct numbered recent[] = {
	{ "cachestat", 451 },
	{ "fchmodat2", 452 },
	{ "futex_wake", 454 },
	{ "futex_wait", 455 },
	{ "futex_requeue", 456 },
	{ "statmount", 457 },
	{ "listmount", 458 },
	{ "lsm_get_self_attr", 459 },
	{ "lsm_set_self_attr", 460 },
	{ "lsm_list_modules", 461 },
	{ "mseal", 462 },
	{ "setxattrat", 463 },
	{ "getxattrat", 464 },
	{ "listxattrat", 465 },
	{ "removexattrat", 466 },
	{ "open_tree_attr", 467 },
	{ "file_getattr", 468 },
	{ "file_setattr", 469 },
	{ "listns", 470 },
	{ "rseq_slice_yield", 471 },
#ifdef __x86_64__
	{ "uretprobe", 335 },
	{ "uprobe", 336 },
	{ "map_shadow_stack", 453 },
#endif
};

/* All that the headers have. */
static const struct numbered common[] = {
#include "syscall_names.inc"
};

static int find(const struct numbered *table, size_t count, const char *name)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (!strcmp(table[i].name, name))
			return table[i].number;
	}
	return -ENOENT;
}

#define FIND(table, name) find(table, sizeof(table) / sizeof(*(table)), name)

int syscall_number(const char *name)
{
	int number = FIND(renamed, name);

	if (number < 0)
		number = FIND(common, name);
	return number < 0 ? FIND(recent, name) : number;
}
