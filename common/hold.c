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

/* The next mark of @prog from @insn on, NULL: there is none. */
static struct bpf_insn *next_mark(const struct bpf_program *prog, struct bpf_insn *insn, __s32 mark)
{
	/* The program's own instructions, which go to the kernel from here. */
	struct bpf_insn *begin = (struct bpf_insn *)bpf_program__insns(prog);
	struct bpf_insn *end = begin + bpf_program__insn_cnt(prog);

	for (insn = insn ? insn : begin; insn < end; insn++) {
		if (is_mark(insn, mark))
			return insn;
	}
	return NULL;
}

static void make_calls(const struct bpf_program *prog, __s32 mark, int function)
{
	struct bpf_insn *insn = NULL;

	while ((insn = next_mark(prog, insn, mark)))
		*insn = (struct bpf_insn){
			.code = BPF_JMP | BPF_CALL,
			.src_reg = KERNEL_FUNCTION,
			.imm = function,
		};
}

static bool asks(const struct bpf_object *obj)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj)
	{
		if (next_mark(prog, NULL, HOLD_CPU))
			return true;
	}
	return false;
}

/* The number of the kernel's function @name; not above 0: it has none. */
static int function_of(const char *name)
{
	return btf__find_by_name_kind(kernel_btf(), name, BTF_KIND_FUNC);
}

void hold_programs(struct bpf_object *obj)
{
	struct bpf_program *prog;
	int disable, enable;
	bool everywhere;

	if (!asks(obj) || kernel_is_without("preempt_disable") || !kernel_btf())
		return;
	disable = function_of("bpf_preempt_disable");
	enable = function_of("bpf_preempt_enable");
	/* 7.0 took tracepoints' programs' guard against preemption, with this (6.19) for another. */
	everywhere = function_of("init_srcu_struct_fast") > 0;
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
