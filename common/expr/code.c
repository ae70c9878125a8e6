// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include "code.h"

void emit_fail(struct emitter *m, size_t at, const char *what)
{
	if (!m->failed) {
		m->error->at = at;
		m->error->show_fields = false;
		snprintf(m->error->what, sizeof(m->error->what), "%s", what);
	}
	m->failed = true;
}

void code_add(struct emitter *m, __u8 code, __u8 dst, __u8 src, __s16 off, __s32 imm)
{
	if (m->count < EXPR_MOST_INSNS)
		m->code->insn[m->count] = (struct bpf_insn){
			.code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm
		};
	m->count++;
}

void code_move(struct emitter *m, __u8 dst, __u8 src)
{
	if (dst != src)
		code_add(m, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

/* Can an instruction on 32 or 64 bits have @number in itself? */
static bool fits(bool wide, uint64_t number)
{
	return !wide || (uint64_t)(int64_t)(int32_t)number == number;
}

void code_set(struct emitter *m, __u8 dst, uint64_t number)
{
	if (fits(true, number)) {
		code_add(m, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, number);
		return;
	}
	code_add(m, BPF_LD | BPF_DW | BPF_IMM, dst, 0, 0, number);
	code_add(m, 0, 0, 0, 0, number >> 32);
}

void code_call(struct emitter *m, enum bpf_func_id helper)
{
	m->is_leaf = false;
	code_add(m, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

void code_alu(struct emitter *m, bool wide, __u8 op, __u8 dst, __u8 src)
{
	code_add(m, (wide ? BPF_ALU64 : BPF_ALU) | op | BPF_X, dst, src, 0, 0);
}

void code_alu_by(struct emitter *m, bool wide, __u8 op, __u8 dst, uint64_t number, __u8 spare)
{
	if (fits(wide, number)) {
		code_add(m, (wide ? BPF_ALU64 : BPF_ALU) | op | BPF_K, dst, 0, 0, number);
		return;
	}
	code_set(m, spare, number);
	code_alu(m, wide, op, dst, spare);
}

void code_load(struct emitter *m, unsigned int size, __u8 dst, __u8 base, int offset)
{
	__u8 width = size == 1 ? BPF_B : size == 2 ? BPF_H : size == 4 ? BPF_W : BPF_DW;

	code_add(m, BPF_LDX | BPF_MEM | width, dst, base, offset, 0);
}

void code_store(struct emitter *m, int offset, __u8 src)
{
	m->is_leaf = false;
	code_add(m, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, src, offset, 0);
}

unsigned int code_piece_at(int offset, unsigned int most)
{
	unsigned int size = 8;

	while (size > most || offset % (int)size)
		size /= 2;
	return size;
}

void code_load_pieces(struct emitter *m, unsigned int size, __u8 dst, __u8 base, int offset)
{
	unsigned int done = 0, piece;

	for (; done < size; done += piece) {
		piece = code_piece_at(offset + (int)done, size - done);
		code_load(m, piece, done ? BPF_REG_5 : dst, base, offset + (int)done);
		if (!done)
			continue;
		code_alu_by(m, true, BPF_LSH, BPF_REG_5, 8 * done, 0);
		code_alu(m, true, BPF_OR, dst, BPF_REG_5);
	}
}

/* The instruction just added is a jump @to what is not known yet. */
static void note(struct emitter *m, struct jumps *to)
{
	if (m->count > EXPR_MOST_INSNS)
		return;
	m->code->insn[m->count - 1].off = to->last;
	to->last = m->count;
}

void code_jump(struct emitter *m, struct jumps *to)
{
	code_add(m, BPF_JMP | BPF_JA, 0, 0, 0, 0);
	note(m, to);
}

void code_jump_if(struct emitter *m, bool wide, __u8 op, __u8 dst, __u8 src, struct jumps *to)
{
	code_add(m, (wide ? BPF_JMP : BPF_JMP32) | op | BPF_X, dst, src, 0, 0);
	note(m, to);
}

void code_jump_if_by(struct emitter *m, bool wide, __u8 op, __u8 dst, uint64_t number, __u8 spare,
		     struct jumps *to)
{
	if (!fits(wide, number)) {
		code_set(m, spare, number);
		code_jump_if(m, wide, op, dst, spare, to);
		return;
	}
	code_add(m, (wide ? BPF_JMP : BPF_JMP32) | op | BPF_K, dst, 0, 0, number);
	note(m, to);
}

void code_jump_back_if(struct emitter *m, __u8 op, __u8 dst, __s32 imm, unsigned int count)
{
	code_add(m, BPF_JMP | op | BPF_K, dst, 0, (int)count - (int)m->count - 1, imm);
}

void code_land(struct emitter *m, struct jumps *from)
{
	unsigned int number = from->last;

	while (number) {
		struct bpf_insn *insn = &m->code->insn[number - 1];
		unsigned int before = insn->off;

		insn->off = m->count - number;
		number = before;
	}
	from->last = 0;
}

void code_join(struct emitter *m, struct jumps *to, const struct jumps *more)
{
	unsigned int first = more->last;

	if (!first)
		return;
	while (m->code->insn[first - 1].off)
		first = m->code->insn[first - 1].off;
	m->code->insn[first - 1].off = to->last;
	to->last = more->last;
}

/*
 * Makes a number of what the verifier may take for a pointer, with which it allows next to nothing:
 * what a pointer's negation is it does not know, so that it is a number.
 */
static void as_number(struct emitter *m, __u8 dst)
{
	code_add(m, BPF_ALU64 | BPF_NEG, dst, 0, 0, 0);
	code_add(m, BPF_ALU64 | BPF_NEG, dst, 0, 0, 0);
}

void code_load_word(struct emitter *m, __u8 dst, unsigned int offset)
{
	code_load(m, 8, dst, m->context, offset);
	as_number(m, dst);
}

void code_load_address(struct emitter *m, __u8 dst, __u8 base, int offset)
{
	code_move(m, dst, base);
	as_number(m, dst);
	if (offset)
		code_alu_by(m, true, BPF_ADD, dst, offset, 0);
}

/* Without a jump: a multiplication with the address's highest bit. */
void code_no_user_address(struct emitter *m)
{
	code_move(m, BPF_REG_4, BPF_REG_3);
	code_alu_by(m, true, BPF_RSH, BPF_REG_4, 63, 0);
	code_alu(m, true, BPF_MUL, BPF_REG_3, BPF_REG_4);
}
