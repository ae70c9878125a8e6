/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names for the addresses of stacks. Those of the kernel are its own; those of a process are told
 * by what it had mapped when it was looked at, which has to be while it lives.
 */
#ifndef COMMON_SYMBOLS_H
#define COMMON_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A function on a stack. Strings belong to struct symbols. */
struct frame {
	const char *name;   /* NULL: not known */
	const char *module; /* "[kernel]", "[a module of it]", a file's path, or NULL: not known */
	const char *file;   /* of the source; NULL: not known */
	uint64_t addr;	    /* as on the stack */
	uint64_t offset;    /* of addr behind the function's start */
	uint32_t line;	    /* 0: not known */
	bool inlined;	    /* into the function that follows */
	bool kernel;
};

/* A stack: its addresses, then, when it has been resolved, its frames. Leaf first. */
struct callchain {
	uint64_t space;	     /* of its user part */
	unsigned int kernel; /* addresses of its kernel part, the first in `ips` */
	unsigned int user;   /* addresses of its user part, behind those */
	bool kernel_lost, user_lost, kernel_cut_off, user_cut_off;
	unsigned int frame_count;
	struct frame *frames;
	uint64_t ips[];
};

/* A chain with room for the addresses of two parts; the caller fills it. */
struct callchain *callchain_new(unsigned int kernel, unsigned int user);
void callchain_free(struct callchain *chain);

/* Leaves out the first @count addresses, which are of the kernel part. */
void callchain_drop(struct callchain *chain, unsigned int count);

struct symbols;

/*
 * @lines: look for source lines and inlined functions too, where a program has such debug
 * information. NULL when memory is short.
 */
struct symbols *symbols_new(bool lines);
void symbols_free(struct symbols *s);

/*
 * Looks at the mappings of process @pid, which is @space now. If it is gone already, its addresses
 * stay without names.
 */
void symbols_see(struct symbols *s, uint64_t space, pid_t pid);

/*
 * The process of @space runs another program since @time (CLOCK_MONOTONIC, ns): what was seen of
 * it later than that was the other program's.
 */
void symbols_over(struct symbols *s, uint64_t space, uint64_t time);

/*
 * Makes sure that where @chain's process has mapped more by now, that is seen too. Costs little when
 * called often: a process whose mappings tell nothing new is asked more and more rarely.
 */
void symbols_look_again(struct symbols *s, const struct callchain *chain);

/*
 * Gives @count chains their frames. Tells of its progress on a terminal when it takes longer than a
 * second.
 */
void symbols_resolve(struct symbols *s, struct callchain **chains, size_t count);

/* Reads the kernel's names, which whoever looks up the first one has to wait for else. */
void symbols_read_kernel(struct symbols *s);

/* The kernel's function at @address; NULL: not known. Valid as long as frames are. */
const char *symbols_kernel_name(struct symbols *s, uint64_t address);

/* How many frames at the top of @chain are the tracing's, not those of what is traced. */
unsigned int symbols_tracing_frames(struct symbols *s, const struct callchain *chain);

/* Forgets names when there are many; frames are not valid any more. */
void symbols_trim(struct symbols *s);

/* What a frame is called in pictures and tables: never NULL. Valid until called again. */
const char *frame_label(const struct frame *f);

#endif
