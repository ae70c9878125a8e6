/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Putting instructions together. emit.c makes those of numbers, emit_text.c those of strings.
 *
 * A value is in r0. Of one of 4 bytes or less only the lower 32 bits count, and they are extended by
 * its type's sign. What has to wait is on the stack. Little-endian machines only.
 */
#ifndef COMMON_EXPR_CODE_H
#define COMMON_EXPR_CODE_H

#include "tree.h"

/* Values that wait are at 8, 16 ... bytes below the frame pointer; below is room for a string. */
#define MOST_WAITING 14
#define SCRATCH_SIZE 200
#define SCRATCH	     (-8 * MOST_WAITING - SCRATCH_SIZE)
#define CHUNK_AT     (SCRATCH - 8)

/* Jumps that are to lead to the same place, which is not known yet. Begins as {}. */
struct jumps {
	unsigned int last; /* its number plus one; each has that of the one before in `off` */
};

struct emitter {
	struct expr_code *code;
	unsigned int count; /* of instructions, also of those that found no room */
	unsigned int waiting;
	__u8 context; /* the register that it is in */
	bool is_leaf; /* nothing is called so far, nothing is on the stack or in r6 to r9 */
	struct jumps *unknown; /* where to go when a string cannot be read; NULL: it is empty then */
	struct expr_error *error;
	bool failed;
};

void code_add(struct emitter *m, __u8 code, __u8 dst, __u8 src, __s16 off, __s32 imm);
void code_move(struct emitter *m, __u8 dst, __u8 src);
void code_set(struct emitter *m, __u8 dst, uint64_t number);
void code_call(struct emitter *m, enum bpf_func_id helper);

/* Arithmetic on 32 or (@wide) 64 bits; with a number, which may need @spare to be held. */
void code_alu(struct emitter *m, bool wide, __u8 op, __u8 dst, __u8 src);
void code_alu_by(struct emitter *m, bool wide, __u8 op, __u8 dst, uint64_t number, __u8 spare);

void code_load(struct emitter *m, unsigned int size, __u8 dst, __u8 base, int offset);
void code_store(struct emitter *m, int offset, __u8 src);

/*
 * Loads @size bytes at @base + @offset, 8 at most, of what may be read only where that is a multiple
 * of the size: in pieces. Uses r5.
 */
void code_load_pieces(struct emitter *m, unsigned int size, __u8 dst, __u8 base, int offset);

/* The largest piece, of @most bytes at most, that may be read at @offset. */
unsigned int code_piece_at(int offset, unsigned int most);

void code_jump(struct emitter *m, struct jumps *to);
void code_jump_if(struct emitter *m, bool wide, __u8 op, __u8 dst, __u8 src, struct jumps *to);
void code_jump_if_by(struct emitter *m, bool wide, __u8 op, __u8 dst, uint64_t number, __u8 spare,
		     struct jumps *to);

/* Back to where @count was. */
void code_jump_back_if(struct emitter *m, __u8 op, __u8 dst, __s32 imm, unsigned int count);

/* Has the jumps come here. */
void code_land(struct emitter *m, struct jumps *from);

/* Has those of @more lead to where @to does. */
void code_join(struct emitter *m, struct jumps *to, const struct jumps *more);

void emit_fail(struct emitter *m, size_t at, const char *what);

/* The context's word at @offset, which may hold a pointer: as a number. */
void code_load_word(struct emitter *m, __u8 dst, unsigned int offset);

/* The address @base + @offset, as a number. */
void code_load_address(struct emitter *m, __u8 dst, __u8 base, int offset);

/*
 * r3, if it is no address of the kernel's, becomes 0, which no helper reads. Of others that cannot be
 * addresses at all kernels before 6.2 may warn in their log. Uses r4.
 */
void code_no_user_address(struct emitter *m);

/* emit.c: a number into r0; and jumps @to somewhere if @e is true, or if it is not. */
void emit_value(struct emitter *m, const struct expr *e);
void emit_branch(struct emitter *m, const struct expr *e, bool when, struct jumps *to);

/* emit_text.c: the same of EXPR_SAME and EXPR_MATCHES; and a string to where r2 says. */
void emit_text_branch(struct emitter *m, const struct expr *e, bool when, struct jumps *to);
void emit_text(struct emitter *m, const struct expr *e);

/* Where a "__data_loc" string or array is (r3) and its length in bytes (r2). Uses r0. */
void emit_location(struct emitter *m, const struct expr_field *f);

#endif
