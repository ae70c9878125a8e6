// SPDX-License-Identifier: GPL-2.0-only
/*
 * Code for strings. What a comparison needs of a string, and no more, is compared by words: in the
 * record itself, or on the stack, where a helper puts it. Globs with more than one `*` behind them
 * are an automaton whose positions are bits (see comm_glob.c); its table becomes instructions that
 * move the positions on by a character without a jump, so that the verifier has one way to follow.
 *
 * Masks are made by multiplying with 0 or 1. An arithmetic shift to 0 or -1 and an `and` would do too,
 * but some verifiers then follow both ways, and a 6.18 crashes when these become too many.
 */
#include <string.h>
#include "code.h"
#include "glob.h"
#include "lex.h"

/* Of longer strings globs look at so many characters. */
#define MOST_LOOKED_AT (SCRATCH_SIZE - 1)

/* Strings that the automaton reads directly, not through a helper, are so short. */
#define MOST_DIRECT 16

/* It takes so many characters at a time: a register is full of them. */
#define CHUNK 8

static bool is_comm(const struct expr *text)
{
	return text->kind == EXPR_FIELD && text->field->place == PLACE_COMM;
}

static bool is_in_record(const struct expr *text)
{
	return text->kind == EXPR_FIELD && text->field->place == PLACE_RECORD &&
	       text->field->content == CONTENT_CHARS;
}

static void scratch_to(struct emitter *m, __u8 reg)
{
	code_move(m, reg, BPF_REG_10);
	code_alu_by(m, true, BPF_ADD, reg, SCRATCH, 0);
}

static void clear_scratch(struct emitter *m, unsigned int from, unsigned int size)
{
	unsigned int at;

	for (at = from / 8 * 8; at < size; at += 8)
		code_add(m, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, SCRATCH + (int)at, 0);
}

void emit_location(struct emitter *m, const struct expr_field *f)
{
	code_load_pieces(m, 4, BPF_REG_2, m->context, f->offset);
	code_move(m, BPF_REG_0, BPF_REG_2);
	code_alu_by(m, true, BPF_AND, BPF_REG_0, 0xffff, 0);
	code_alu_by(m, true, BPF_RSH, BPF_REG_2, 16, 0);
	code_load_address(m, BPF_REG_3, m->context, 0);
	code_alu(m, true, BPF_ADD, BPF_REG_3, BPF_REG_0);
	if (f->relative)
		code_alu_by(m, true, BPF_ADD, BPF_REG_3, f->offset + 4, 0);
}

/*
 * Where the string @text is into r3, and how many characters it may have at most into r2, unless that
 * is a number that is returned, 0 being none.
 */
static uint64_t emit_address(struct emitter *m, const struct expr *text, bool *in_r2)
{
	*in_r2 = false;
	if (text->kind == EXPR_AT) {
		emit_value(m, text->operand[0]);
		code_move(m, BPF_REG_3, BPF_REG_0);
		if (text->offset)
			code_alu_by(m, true, BPF_ADD, BPF_REG_3, text->offset, BPF_REG_1);
		return text->elements;
	}
	if (text->field->content == CONTENT_CHARS) {
		code_load_address(m, BPF_REG_3, m->context, text->field->offset);
		return text->field->size;
	}
	emit_location(m, text->field);
	*in_r2 = true;
	return 0;
}

/* Can @text be somewhere that has to be read in before it can be read? */
static bool may_be_absent(const struct expr *text)
{
	return text->kind == EXPR_AT;
}

/*
 * Jumps if there is a string, at r7, that the helper before could not read. Where there is no address
 * (NULL) there is no string, so that it is empty.
 */
static void emit_unread(struct emitter *m, struct jumps *to)
{
	struct jumps fine = {};

	code_jump_if_by(m, false, BPF_JSGE, BPF_REG_0, 0, 0, &fine);
	code_jump_if_by(m, true, BPF_JNE, BPF_REG_7, 0, 0, to);
	code_land(m, &fine);
}

/* Reads a string at r3 to r1, r2 bytes with the NUL at most. */
static void emit_read_text(struct emitter *m, const struct expr *text)
{
	enum expr_memory memory = text->kind == EXPR_AT ? text->memory : MEMORY_KERNEL;
	struct jumps kernel = {}, end = {};

	if (memory == MEMORY_KERNEL)
		code_no_user_address(m);
	if (memory == MEMORY_EITHER)
		code_jump_if_by(m, true, BPF_JSLT, BPF_REG_3, 0, 0, &kernel);
	if (memory != MEMORY_KERNEL)
		code_call(m, BPF_FUNC_probe_read_user_str);
	if (memory == MEMORY_EITHER)
		code_jump(m, &end);
	code_land(m, &kernel);
	if (memory != MEMORY_USER)
		code_call(m, BPF_FUNC_probe_read_kernel_str);
	code_land(m, &end);
}

/* r2, a number of characters, becomes one of bytes with the NUL, @most of them. */
static void bound(struct emitter *m, unsigned int most)
{
	struct jumps fits = {};

	code_alu_by(m, true, BPF_ADD, BPF_REG_2, 1, 0);
	code_jump_if_by(m, true, BPF_JLE, BPF_REG_2, most, 0, &fits);
	code_set(m, BPF_REG_2, most);
	code_land(m, &fits);
}

static unsigned int smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The first @size bytes, a NUL among them, of the string @text into the scratch area. */
static void emit_copy(struct emitter *m, const struct expr *text, unsigned int size)
{
	uint64_t limit;
	bool in_r2;

	if (is_comm(text)) {
		scratch_to(m, BPF_REG_1);
		code_set(m, BPF_REG_2, text->field->size);
		code_call(m, BPF_FUNC_get_current_comm);
		return;
	}
	limit = emit_address(m, text, &in_r2);
	if (in_r2) {
		clear_scratch(m, 0, size);
		bound(m, size);
	} else {
		limit = limit ? smaller(limit + 1, size) : size;
		/* Words are read: before 6.3, no byte may be that has not been written. */
		clear_scratch(m, limit, size);
		code_set(m, BPF_REG_2, limit);
	}
	scratch_to(m, BPF_REG_1);
	if (!m->unknown || !may_be_absent(text)) {
		emit_read_text(m, text);
		return;
	}
	code_move(m, BPF_REG_7, BPF_REG_3);
	emit_read_text(m, text);
	emit_unread(m, m->unknown);
}

/* Jumps if the @count bytes at @base + @offset, of which @room may be read, are not those of @with. */
static void emit_unlike(struct emitter *m, __u8 base, int offset, unsigned int room,
			const char *with, unsigned int count, struct jumps *to)
{
	unsigned int at = 0, piece, used, unused;

	for (; at < count; at += used) {
		uint64_t expected = 0;

		/* More than is needed is read where that takes fewer pieces. */
		piece = code_piece_at(offset + (int)at, smaller(room - at, 8));
		while (piece > 1 && piece / 2 >= count - at)
			piece /= 2;
		used = smaller(piece, count - at);
		memcpy(&expected, with + at, used);
		code_load(m, piece, BPF_REG_0, base, offset + (int)at);
		unused = 64 - 8 * used;
		if (used < piece) {
			code_alu_by(m, true, BPF_LSH, BPF_REG_0, unused, 0);
			expected <<= unused;
		}
		code_jump_if_by(m, used == piece && piece <= 4 ? false : true, BPF_JNE, BPF_REG_0,
				expected, BPF_REG_1, to);
	}
}

/* Jumps if @text is not, or with @open does not begin with, @plain. */
static void emit_unlike_plain(struct emitter *m, const struct expr *text, const char *plain,
			      bool open, struct jumps *to)
{
	unsigned int length = strlen(plain), count = open ? length : length + 1, room;

	if (is_in_record(text)) {
		room = text->field->size;
		emit_unlike(m, m->context, text->field->offset, room, plain, smaller(count, room),
			    to);
		return;
	}
	room = is_comm(text) ? text->field->size : (count + 1 + 7) / 8 * 8;
	emit_copy(m, text, is_comm(text) ? room : count + 1);
	emit_unlike(m, BPF_REG_10, SCRATCH, room, plain, smaller(count, room), to);
}

/* The bits that most characters have in common with each other. */
static uint64_t usual_step(const struct comm_glob *glob)
{
	unsigned int c, other, count, most = 0;
	uint64_t usual = 0;

	for (c = 1; c < 256; c++) {
		count = 0;
		for (other = 1; other < 256; other++)
			count += glob->step[other] == glob->step[c];
		if (count > most) {
			most = count;
			usual = glob->step[c];
		}
	}
	return usual;
}

/* r5: the positions that character r2 may lead to. Uses r0 and r1. */
static void emit_step(struct emitter *m, const struct comm_glob *glob)
{
	uint64_t usual = usual_step(glob);
	unsigned int from, to;

	code_set(m, BPF_REG_5, usual);
	for (from = 1; from < 256; from = to + 1) {
		for (to = from; to < 255 && glob->step[to + 1] == glob->step[from]; to++)
			;
		if (glob->step[from] == usual)
			continue;
		/* Negative for these characters only. */
		code_move(m, BPF_REG_0, BPF_REG_2);
		if (from == to) {
			code_alu_by(m, true, BPF_XOR, BPF_REG_0, from, 0);
			code_alu_by(m, true, BPF_SUB, BPF_REG_0, 1, 0);
		} else {
			code_alu_by(m, true, BPF_SUB, BPF_REG_0, from, 0);
			code_alu_by(m, true, BPF_AND, BPF_REG_0, 255, 0);
			code_alu_by(m, true, BPF_SUB, BPF_REG_0, to - from + 1, 0);
		}
		code_alu_by(m, true, BPF_RSH, BPF_REG_0, 63, 0);
		code_alu_by(m, true, BPF_MUL, BPF_REG_0, glob->step[from] ^ usual, BPF_REG_1);
		code_alu(m, true, BPF_XOR, BPF_REG_5, BPF_REG_0);
	}
}

/*
 * Moves the positions in r7 on by the @count characters in r3, behind the first NUL of which there are
 * no others; goes to @end if there is one, to @no if no position is left.
 */
static void emit_characters(struct emitter *m, const struct comm_glob *glob, unsigned int count,
			    struct jumps *end, struct jumps *no)
{
	unsigned int again;

	m->is_leaf = false;
	code_set(m, BPF_REG_4, count);
	again = m->count;
	code_move(m, BPF_REG_2, BPF_REG_3);
	code_alu_by(m, true, BPF_AND, BPF_REG_2, 255, 0);
	emit_step(m, glob);
	code_move(m, BPF_REG_0, BPF_REG_7);
	code_alu_by(m, true, BPF_LSH, BPF_REG_0, 1, 0);
	code_alu(m, true, BPF_AND, BPF_REG_0, BPF_REG_5);
	code_move(m, BPF_REG_1, BPF_REG_7);
	code_alu_by(m, true, BPF_AND, BPF_REG_1, glob->stay, BPF_REG_5);
	code_alu(m, true, BPF_OR, BPF_REG_0, BPF_REG_1);
	/* They stay what they are at a NUL: r2 becomes 0 there, 1 elsewhere. */
	code_alu(m, true, BPF_XOR, BPF_REG_0, BPF_REG_7);
	code_add(m, BPF_ALU64 | BPF_NEG, BPF_REG_2, 0, 0, 0);
	code_alu_by(m, true, BPF_RSH, BPF_REG_2, 63, 0);
	code_alu(m, true, BPF_MUL, BPF_REG_0, BPF_REG_2);
	code_alu(m, true, BPF_XOR, BPF_REG_7, BPF_REG_0);
	code_alu_by(m, true, BPF_RSH, BPF_REG_3, 8, 0);
	code_alu_by(m, true, BPF_SUB, BPF_REG_4, 1, 0);
	code_jump_back_if(m, BPF_JNE, BPF_REG_4, 0, again);
	code_jump_if_by(m, true, BPF_JEQ, BPF_REG_7, 0, 0, no);
	code_jump_if_by(m, true, BPF_JEQ, BPF_REG_2, 0, 0, end);
}

/*
 * Clears what is behind the first NUL in r3. In (w - 0x01...) & ~w & 0x80... the lowest bit that is
 * set is in the byte of the first NUL.
 */
static void emit_end_at_nul(struct emitter *m)
{
	code_move(m, BPF_REG_0, BPF_REG_3);
	code_alu_by(m, true, BPF_SUB, BPF_REG_0, 0x0101010101010101, BPF_REG_1);
	code_move(m, BPF_REG_1, BPF_REG_3);
	code_alu_by(m, true, BPF_XOR, BPF_REG_1, -1, 0);
	code_alu(m, true, BPF_AND, BPF_REG_0, BPF_REG_1);
	code_alu_by(m, true, BPF_AND, BPF_REG_0, 0x8080808080808080, BPF_REG_1);
	code_move(m, BPF_REG_1, BPF_REG_0);
	code_add(m, BPF_ALU64 | BPF_NEG, BPF_REG_1, 0, 0, 0);
	code_alu(m, true, BPF_AND, BPF_REG_0, BPF_REG_1);
	code_alu_by(m, true, BPF_RSH, BPF_REG_0, 7, 0);
	code_alu_by(m, true, BPF_SUB, BPF_REG_0, 1, 0);
	code_alu(m, true, BPF_AND, BPF_REG_3, BPF_REG_0);
}

/* A string that is short enough for all of its words to be loaded. */
static void emit_walk_direct(struct emitter *m, const struct expr *text,
			     const struct comm_glob *glob, struct jumps *end, struct jumps *no)
{
	unsigned int size = text->field->size, at, count;
	__u8 base = m->context;
	int offset = text->field->offset;

	if (is_comm(text)) {
		emit_copy(m, text, size);
		base = BPF_REG_10;
		offset = SCRATCH;
	}
	code_set(m, BPF_REG_7, glob->start);
	for (at = 0; at < size; at += count) {
		count = smaller(size - at, CHUNK);
		code_load_pieces(m, count, BPF_REG_3, base, offset + (int)at);
		emit_end_at_nul(m);
		emit_characters(m, glob, count, end, no);
	}
}

/*
 * Any string: a copy, by chunks. r8 is the next one's address, r9 how many may come. Only a helper can
 * read the stack at a place that changes, in old kernels. Nothing but the ends of the loop is a jump
 * in it: verifiers lose sight of what they have already seen of more.
 */
static void emit_walk(struct emitter *m, const struct expr *text, const struct comm_glob *glob,
		      struct jumps *end, struct jumps *no)
{
	uint64_t limit = most_characters(text);
	unsigned int again, most = MOST_LOOKED_AT;

	if (limit && limit < most)
		most = limit;
	emit_copy(m, text, most + 1);
	code_load_address(m, BPF_REG_8, BPF_REG_10, SCRATCH);
	code_set(m, BPF_REG_7, glob->start);
	code_set(m, BPF_REG_9, (most + CHUNK - 1) / CHUNK);
	again = m->count;
	code_move(m, BPF_REG_1, BPF_REG_10);
	code_alu_by(m, true, BPF_ADD, BPF_REG_1, CHUNK_AT, 0);
	code_set(m, BPF_REG_2, CHUNK);
	code_move(m, BPF_REG_3, BPF_REG_8);
	code_call(m, BPF_FUNC_probe_read_kernel);
	code_load(m, CHUNK, BPF_REG_3, BPF_REG_10, CHUNK_AT);
	emit_end_at_nul(m);
	emit_characters(m, glob, CHUNK, end, no);
	code_alu_by(m, true, BPF_ADD, BPF_REG_8, CHUNK, 0);
	code_alu_by(m, true, BPF_SUB, BPF_REG_9, 1, 0);
	code_jump_back_if(m, BPF_JNE, BPF_REG_9, 0, again);
}

static void emit_glob(struct emitter *m, const struct expr *e, bool when, struct jumps *to)
{
	const struct expr *text = e->operand[0];
	struct jumps end = {}, no = {};
	struct comm_glob glob;

	/* It was compiled before, when it was typed. */
	if (glob_compile(e->text, &glob)) {
		emit_fail(m, e->at, "this glob cannot be compiled");
		return;
	}
	if (is_comm(text) || (is_in_record(text) && text->field->size <= MOST_DIRECT))
		emit_walk_direct(m, text, &glob, &end, &no);
	else
		emit_walk(m, text, &glob, &end, &no);
	code_land(m, &end);
	code_alu_by(m, true, BPF_AND, BPF_REG_7, glob.accept, BPF_REG_1);
	code_jump_if_by(m, true, when ? BPF_JNE : BPF_JEQ, BPF_REG_7, 0, 0, to);
	if (when)
		code_land(m, &no);
	else
		code_join(m, to, &no);
}

void emit_text_branch(struct emitter *m, const struct expr *e, bool when, struct jumps *to)
{
	char plain[TOKEN_MOST_TEXT + 1];
	struct jumps unlike = {};
	bool open = false;

	if (e->kind == EXPR_SAME) {
		strcpy(plain, e->text);
	} else if (!glob_is_plain(e->text, plain, sizeof(plain), &open)) {
		emit_glob(m, e, when, to);
		return;
	}
	emit_unlike_plain(m, e->operand[0], plain, open, when ? &unlike : to);
	if (when) {
		code_jump(m, to);
		code_land(m, &unlike);
	}
}

/* Has the string whose address is on the stack at @slot be @text, of 16 bytes with NULs behind it. */
static void emit_mark(struct emitter *m, int slot, const char text[16])
{
	uint64_t words[2];
	unsigned int i;

	memcpy(words, text, sizeof(words));
	code_load(m, 8, BPF_REG_1, BPF_REG_10, slot);
	for (i = 0; i < 2; i++) {
		code_set(m, BPF_REG_2, words[i]);
		code_add(m, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_2, 8 * (int)i, 0);
	}
}

void emit_text(struct emitter *m, const struct expr *e)
{
	struct jumps unread = {}, end = {};
	int slot = -8 * (int)++m->waiting, at;
	uint64_t limit = 0;
	bool in_r2 = false;

	code_store(m, slot, BPF_REG_2);
	if (!is_comm(e))
		limit = emit_address(m, e, &in_r2);
	code_load(m, 8, BPF_REG_1, BPF_REG_10, slot);
	for (at = 0; at < EXPR_TEXT_SIZE; at += 8)
		code_add(m, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_1, 0, at, 0);
	if (is_comm(e)) {
		code_set(m, BPF_REG_2, e->field->size);
		code_call(m, BPF_FUNC_get_current_comm);
	} else {
		if (in_r2)
			bound(m, EXPR_TEXT_SIZE);
		else
			code_set(m, BPF_REG_2,
				 limit ? smaller(limit + 1, EXPR_TEXT_SIZE) : EXPR_TEXT_SIZE);
		code_move(m, BPF_REG_7, BPF_REG_3);
		emit_read_text(m, e);
	}
	if (may_be_absent(e)) {
		emit_unread(m, &unread);
		code_jump(m, &end);
		code_land(m, &unread);
		emit_mark(m, slot, EXPR_UNREAD);
		code_land(m, &end);
	}
	code_set(m, BPF_REG_0, 0);
}
