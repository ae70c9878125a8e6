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

/* What a program at a perf event is given. This is the system call's interface: it does not move. */
struct bpf_perf_event_data {
	struct {
		u64 regs[31];
		u64 sp;
		u64 pc;
		u64 pstate;
	} regs;
	u64 sample_period;
	u64 addr;
};

#define SAMPLE_IP(ctx)	     ((ctx)->regs.pc)
#define SAMPLE_IN_USER(ctx)  (!((ctx)->regs.pstate & 0xf)) /* exception level 0 */
#define SAMPLE_IRQS_OFF(ctx) (!!((ctx)->regs.pstate & 0x80))

/* Page faults have no tracepoints here that would say more of them. */
#define FAULT_WRITES(error)   false
#define FAULT_EXECUTES(error) false

/* Room for the instructions before an address that ENABLES_IRQS() looks at, in bytes. */
#define CODE_BEFORE 4

/*
 * Do the CODE_BEFORE bytes @code, directly before an address, end with an instruction that takes
 * interrupts that have been held back? That is msr daifclr or msr daif.
 */
#define CODE_WORD(code) \
	((code)[0] | (u32)(code)[1] << 8 | (u32)(code)[2] << 16 | (u32)(code)[3] << 24)
#define ENABLES_IRQS(code)                               \
	((CODE_WORD(code) & 0xfffff0ff) == 0xd50340ff || \
	 (CODE_WORD(code) & 0xffffffe0) == 0xd51b4220)

#endif
