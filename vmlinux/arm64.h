/* SPDX-License-Identifier: GPL-2.0-only */
/* arm64: the registers that a probe finds, as PT_REGS_PARM1() and its kin name them. */
#ifndef VMLINUX_ARM64_H
#define VMLINUX_ARM64_H

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct user_pt_regs {
	u64 regs[31];
	u64 sp;
	u64 pc;
	u64 pstate;
};

struct pt_regs {
	struct user_pt_regs user_regs;
	u64 orig_x0;
};

#pragma clang attribute pop

#endif
