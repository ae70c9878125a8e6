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

/* What a program at a perf event is given. This is the system call's interface: it does not move. */
struct bpf_perf_event_data {
	struct {
		unsigned long r15, r14, r13, r12, bp, bx;
		unsigned long r11, r10, r9, r8;
		unsigned long ax, cx, dx, si, di;
		unsigned long orig_ax;
		unsigned long ip, cs, flags, sp, ss;
	} regs;
	u64 sample_period;
	u64 addr;
};

#define SAMPLE_IP(ctx)	     ((ctx)->regs.ip)
#define SAMPLE_IN_USER(ctx)  (((ctx)->regs.cs & 3) == 3)
#define SAMPLE_IRQS_OFF(ctx) (!((ctx)->regs.flags & 1 << 9)) /* the interrupt flag */

/* What the processor says of a page fault, by the error code that its tracepoints have. */
#define FAULT_WRITES(error)   (!!((error)&1 << 1))
#define FAULT_EXECUTES(error) (!!((error)&1 << 4))

/* Room for the instructions before an address that ENABLES_IRQS() looks at, in bytes. */
#define CODE_BEFORE 6

/*
 * Do the CODE_BEFORE bytes @code, directly before an address, end with an instruction that takes
 * interrupts that have been held back? popf does so at once, sti after one more instruction: one of
 * a byte (ret, nop, push), or the nop of 5 bytes that takes the place of a call.
 */
#define ENABLES_IRQS(code)                                                                    \
	((code)[5] == 0x9d || (code)[4] == 0xfb ||                                            \
	 ((code)[0] == 0xfb && (code)[1] == 0x0f && (code)[2] == 0x1f && (code)[3] == 0x44 && \
	  !(code)[4] && !(code)[5]))

#endif
