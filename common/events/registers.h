/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers, by where the context of programs at probes (struct pt_regs, user_pt_regs) has them. */
#ifndef COMMON_EVENTS_REGISTERS_H
#define COMMON_EVENTS_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <elf.h>

#if defined(__aarch64__)
#define HOST_MACHINE EM_AARCH64
#else
#define HOST_MACHINE EM_X86_64
#endif

#define MOST_ARGUMENT_REGISTERS 8

/* How a machine (EM_*) calls functions; all are offsets in the context, in bytes. */
struct registers {
	unsigned int machine;
	unsigned int arguments[MOST_ARGUMENT_REGISTERS]; /* in which integers and pointers come */
	unsigned int argument_count;
	unsigned int result, stack, ip;
	unsigned int size; /* of all the registers */
	/* How far from the stack pointer the first argument is that is in no register. */
	unsigned int first_on_stack;
	bool large_by_address; /* structs above 16 bytes come by their address; else on the stack */
};

/* NULL: @machine is none that is known here. */
const struct registers *registers_of(unsigned int machine);

/*
 * Finds the register of @machine that an assembler calls the @length characters at @name, without a
 * percent sign: where it is and how many bytes of it are meant. False: there is none.
 */
bool register_find(unsigned int machine, const char *name, size_t length, unsigned int *offset,
		   unsigned int *size);

#endif
