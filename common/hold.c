// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/btf.h>
#include <linux/types.h>
#include "abi.h"
#include "hold.h"
#include "kernel.h"

/* include/uapi/linux/bpf.h: the call is of a kernel's function, by its number in BTF. */
#define KERNEL_FUNCTION 2

/* Is @insn "r0 = @mark"? */
static bool is_mark(const struct bpf_insn *insn, __s32 mark)
{
	return insn->code == (BPF_ALU64 | BPF_MOV | BPF_K) && !insn->dst_reg && insn->imm == mark;
}

static void make_calls(struct bpf_program *prog, __s32 mark, int function)
{
	/* The program's own, which go to the kernel from here. */
	struct bpf_insn *insn = (struct bpf_insn *)bpf_program__insns(prog);
	struct bpf_insn *end = insn + bpf_program__insn_cnt(prog);

	for (; insn < end; insn++) {
		if (is_mark(insn, mark))
			*insn = (struct bpf_insn){
				.code = BPF_JMP | BPF_CALL,
				.src_reg = KERNEL_FUNCTION,
				.imm = function,
			};
	}
}

void hold_programs(struct bpf_object *obj)
{
	struct btf *btf = kernel_is_without("preempt_disable") ? NULL : btf__load_vmlinux_btf();
	int disable = btf ? btf__find_by_name_kind(btf, "bpf_preempt_disable", BTF_KIND_FUNC) : -1;
	int enable = btf ? btf__find_by_name_kind(btf, "bpf_preempt_enable", BTF_KIND_FUNC) : -1;
	/* 7.0 took tracepoints' programs' guard against preemption, with this (6.19) for another. */
	bool everywhere = btf &&
			  btf__find_by_name_kind(btf, "init_srcu_struct_fast", BTF_KIND_FUNC) > 0;
	struct bpf_program *prog;

	btf__free(btf);
	if (disable <= 0 || enable <= 0)
		return;
	bpf_object__for_each_program(prog, obj)
	{
		if (bpf_program__type(prog) == BPF_PROG_TYPE_RAW_TRACEPOINT && !everywhere)
			continue;
		make_calls(prog, HOLD_CPU, disable);
		make_calls(prog, RELEASE_CPU, enable);
	}
}
