/* SPDX-License-Identifier: GPL-2.0-only */
/* x86_64: the registers that a probe finds, as PT_REGS_PARM1() and its kin name them. */
#ifndef VMLINUX_X86_64_H
#define VMLINUX_X86_64_H

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx;
	unsigned long r11, r10, r9, r8;
	unsigned long ax, cx, dx, si, di;
	unsigned long orig_ax;
	unsigned long ip, cs, flags, sp, ss;
};

#pragma clang attribute pop

#endif
