// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include "events/registers.h"

/* struct pt_regs of x86_64: words of 8 bytes, in this order (arch/x86/include/asm/ptrace.h). */
enum {
	R15,
	R14,
	R13,
	R12,
	RBP,
	RBX,
	R11,
	R10,
	R9,
	R8,
	RAX,
	RCX,
	RDX,
	RSI,
	RDI,
	ORIG_RAX,
	RIP,
	CS,
	FLAGS,
	RSP,
	SS,
	X86_WORDS
};

/* struct user_pt_regs of arm64: x0 to x30, and behind them these (its uapi/asm/ptrace.h). */
enum {
	ARM64_SP = 31,
	ARM64_PC,
	ARM64_PSTATE,
	ARM64_WORDS
};

#define WORD 8

static const struct registers machines[] = {
	{
		.machine = EM_X86_64,
		.arguments = { RDI * WORD, RSI *WORD, RDX *WORD, RCX *WORD, R8 *WORD, R9 *WORD },
		.argument_count = 6,
		.result = RAX * WORD,
		.stack = RSP * WORD,
		.ip = RIP * WORD,
		.size = X86_WORDS * WORD,
		.first_on_stack = WORD, /* the return address is before it */
	},
	{
		.machine = EM_AARCH64,
		.arguments = { 0 * WORD, 1 * WORD, 2 * WORD, 3 * WORD, 4 * WORD, 5 * WORD, 6 * WORD,
			       7 * WORD },
		.argument_count = 8,
		.result = 0,
		.stack = ARM64_SP * WORD,
		.ip = ARM64_PC * WORD,
		.size = ARM64_WORDS * WORD,
		.large_by_address = true,
	},
};

/*
 * The names of x86_64's registers by what of them is meant: 8, 4, 2, 1 bytes, and the byte above.
 */
static const struct {
	unsigned int word;
	const char *names[5];
} x86[] = {
	{ RAX, { "rax", "eax", "ax", "al", "ah" } },
	{ RBX, { "rbx", "ebx", "bx", "bl", "bh" } },
	{ RCX, { "rcx", "ecx", "cx", "cl", "ch" } },
	{ RDX, { "rdx", "edx", "dx", "dl", "dh" } },
	{ RSI, { "rsi", "esi", "si", "sil" } },
	{ RDI, { "rdi", "edi", "di", "dil" } },
	{ RBP, { "rbp", "ebp", "bp", "bpl" } },
	{ RSP, { "rsp", "esp", "sp", "spl" } },
	{ R8, { "r8", "r8d", "r8w", "r8b" } },
	{ R9, { "r9", "r9d", "r9w", "r9b" } },
	{ R10, { "r10", "r10d", "r10w", "r10b" } },
	{ R11, { "r11", "r11d", "r11w", "r11b" } },
	{ R12, { "r12", "r12d", "r12w", "r12b" } },
	{ R13, { "r13", "r13d", "r13w", "r13b" } },
	{ R14, { "r14", "r14d", "r14w", "r14b" } },
	{ R15, { "r15", "r15d", "r15w", "r15b" } },
	{ RIP, { "rip", "eip", "ip" } },
};

const struct registers *registers_of(unsigned int machine)
{
	size_t i;

	for (i = 0; i < sizeof(machines) / sizeof(*machines); i++) {
		if (machines[i].machine == machine)
			return &machines[i];
	}
	return NULL;
}

static bool is(const char *name, const char *text, size_t length)
{
	return name && strlen(name) == length && !strncmp(name, text, length);
}

static bool find_x86(const char *name, size_t length, unsigned int *offset, unsigned int *size)
{
	static const unsigned int sizes[] = { 8, 4, 2, 1, 1 };
	size_t i, part;

	for (i = 0; i < sizeof(x86) / sizeof(*x86); i++) {
		for (part = 0; part < 5; part++) {
			if (!is(x86[i].names[part], name, length))
				continue;
			*offset = x86[i].word * WORD + (part == 4);
			*size = sizes[part];
			return true;
		}
	}
	return false;
}

/* x0 to x30, w0 to w30, and the stack pointer. */
static bool find_arm64(const char *name, size_t length, unsigned int *offset, unsigned int *size)
{
	unsigned long number;
	char *end;

	if (is("sp", name, length) || is("wsp", name, length)) {
		*offset = ARM64_SP * WORD;
		*size = *name == 'w' ? 4 : 8;
		return true;
	}
	if (length < 2 || length > 3 || (*name != 'x' && *name != 'w') || name[1] < '0' ||
	    name[1] > '9')
		return false;
	number = strtoul(name + 1, &end, 10);
	if (end != name + length || number >= ARM64_SP)
		return false;
	*offset = number * WORD;
	*size = *name == 'w' ? 4 : 8;
	return true;
}

bool register_find(unsigned int machine, const char *name, size_t length, unsigned int *offset,
		   unsigned int *size)
{
	if (machine == EM_X86_64)
		return find_x86(name, length, offset, size);
	return machine == EM_AARCH64 && find_arm64(name, length, offset, size);
}
