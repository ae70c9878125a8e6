// SPDX-License-Identifier: GPL-2.0-only
/*
 * A slot is a function of its own in the program that libbpf has put together. Just before that goes
 * to the kernel it is made anew: the expression comes in the place of the function. One that needs no
 * more than a call may change comes in the place of its calls, so that it costs no call; so does a
 * constant. Jumps and calls are aimed anew, and so is what BTF says about functions and lines; what
 * it says about code that was left out is dropped.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "say.h"
#include "slot.h"
#include "verifier.h"

#define MOST_FUNCTIONS 256 /* the kernel's bound (BPF_MAX_SUBPROGS) */
#define ARRAY_ROOM     16

/* What is in a program's slots. */
struct filling {
	const struct bpf_program *prog;
	struct expr_code *code[SLOTS]; /* NULL: `value` */
	int32_t value[SLOTS];

	/* As libbpf has put it together: what copies are made from. */
	struct bpf_insn *insns;
	size_t count;

	/* What the kernel gets to see of it beside the instructions. */
	struct bpf_func_info *functions;
	struct bpf_line_info *lines;
};

/* All of them: pointers, so that they stay where they are. */
static struct filling **fillings;
static size_t filling_count;

/* NULL: there is nothing yet. */
static struct filling *find_filling(const struct bpf_program *prog)
{
	size_t i;

	for (i = 0; i < filling_count; i++) {
		if (fillings[i]->prog == prog)
			return fillings[i];
	}
	return NULL;
}

static struct filling *filling_of(const struct bpf_program *prog)
{
	struct filling **more, *f = find_filling(prog);

	if (f)
		return f;
	if (filling_count % ARRAY_ROOM == 0) {
		more = realloc(fillings, (filling_count + ARRAY_ROOM) * sizeof(*fillings));
		if (!more)
			return NULL;
		fillings = more;
	}
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->prog = prog;
	f->value[SLOT_FILTER] = 1;
	return fillings[filling_count++] = f;
}

int slot_set(const struct bpf_program *prog, enum slot slot, int32_t value)
{
	struct filling *f = filling_of(prog);

	if (!f)
		return -ENOMEM;
	free(f->code[slot]);
	f->code[slot] = NULL;
	f->value[slot] = value;
	return 0;
}

int slot_fill(const struct bpf_program *prog, enum slot slot, const struct expr_code *code)
{
	struct filling *f = filling_of(prog);
	struct expr_code *copy = f ? malloc(sizeof(*copy)) : NULL;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, code, sizeof(*copy));
	free(f->code[slot]);
	f->code[slot] = copy;
	return 0;
}

void slots_free(void)
{
	size_t i;
	int slot;

	for (i = 0; i < filling_count; i++) {
		for (slot = 0; slot < SLOTS; slot++)
			free(fillings[i]->code[slot]);
		free(fillings[i]->insns);
		free(fillings[i]->functions);
		free(fillings[i]->lines);
		free(fillings[i]);
	}
	free(fillings);
	fillings = NULL;
	filling_count = 0;
}

/* A function of a program. */
struct function {
	size_t begin, end; /* instructions */
	int slot;	   /* -1: it is none */
};

struct program {
	const struct bpf_insn *insns;
	size_t count;
	struct function functions[MOST_FUNCTIONS];
	size_t function_count;
	struct filling *filling;

	struct bpf_insn *new_insns;
	size_t new_count;
	__u32 *new_at; /* where each instruction goes to, and what is behind the last one */
};

/* Does @insn speak of another function, by its distance? */
static bool names_function(const struct bpf_insn *insn)
{
	return (insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL) ||
	       (insn->code == (BPF_LD | BPF_IMM | BPF_DW) && insn->src_reg == BPF_PSEUDO_FUNC);
}

/* The slot that @insn is the mark of, or -1. */
static int slot_marked(const struct bpf_insn *insn)
{
	if (insn->code != (BPF_ALU64 | BPF_MOV | BPF_K) || insn->dst_reg || insn->imm < SLOT_MARK ||
	    insn->imm >= SLOT_MARK + SLOTS)
		return -1;
	return insn->imm - SLOT_MARK;
}

static int add_function(struct program *p, size_t begin)
{
	size_t at = p->function_count;

	while (at && p->functions[at - 1].begin > begin)
		at--;
	if (at && p->functions[at - 1].begin == begin)
		return 0;
	if (p->function_count == MOST_FUNCTIONS)
		return -E2BIG;
	memmove(p->functions + at + 1, p->functions + at,
		(p->function_count - at) * sizeof(*p->functions));
	p->functions[at] = (struct function){ .begin = begin, .slot = -1 };
	p->function_count++;
	return 0;
}

static struct function *function_at(struct program *p, size_t insn)
{
	size_t i = p->function_count;

	while (i-- > 1 && p->functions[i].begin > insn)
		;
	return &p->functions[i];
}

/* Finds the functions, and which of them are slots. */
static int find_functions(struct program *p)
{
	int err = add_function(p, 0), slot;
	size_t i;

	for (i = 0; i < p->count && !err; i++) {
		if (names_function(&p->insns[i]))
			err = add_function(p, i + 1 + p->insns[i].imm);
	}
	for (i = 0; i < p->function_count; i++)
		p->functions[i].end = i + 1 < p->function_count ? p->functions[i + 1].begin
								: p->count;
	for (i = 0; i < p->count && !err; i++) {
		slot = slot_marked(&p->insns[i]);
		if (slot >= 0)
			function_at(p, i)->slot = slot;
	}
	return err;
}

/* Does what is in slot @f come in the place of its calls? */
static bool is_inline(const struct program *p, const struct function *f)
{
	return f->slot >= 0 && (!p->filling->code[f->slot] || p->filling->code[f->slot]->is_leaf);
}

/* The slot whose expression comes in the place of @insn, which is at @at; NULL: @insn stays. */
static const struct function *replaced_by(struct program *p, size_t at)
{
	const struct bpf_insn *insn = &p->insns[at];
	const struct function *to;

	if (!names_function(insn))
		return NULL;
	to = function_at(p, at + 1 + insn->imm);
	return is_inline(p, to) ? to : NULL;
}

/* How many instructions there are in the slot @f. */
static size_t slot_length(const struct program *p, const struct function *f)
{
	const struct expr_code *code = p->filling->code[f->slot];

	return code ? code->count : 1;
}

static void copy_slot(const struct program *p, const struct function *f, struct bpf_insn *to)
{
	const struct expr_code *code = p->filling->code[f->slot];

	if (code)
		memcpy(to, code->insn, code->count * sizeof(*to));
	else
		*to = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K,
					 .imm = p->filling->value[f->slot] };
}

static void place_function(struct program *p, const struct function *f)
{
	const struct function *slot;
	size_t at;

	for (at = f->begin; at < f->end; at++) {
		p->new_at[at] = p->new_count;
		slot = replaced_by(p, at);
		if (f->slot < 0)
			p->new_count += slot ? slot_length(p, slot) : 1;
	}
	/* With an exit. */
	if (f->slot >= 0 && !is_inline(p, f))
		p->new_count += slot_length(p, f) + 1;
}

static bool is_jump(const struct bpf_insn *insn)
{
	__u8 class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

/* Aims @insn, which was at @at, anew. Returns 0, or -E2BIG if that is too far now. */
static int aim(const struct program *p, struct bpf_insn *insn, size_t at)
{
	int here = p->new_at[at] + 1, distance;

	if (names_function(insn))
		insn->imm = (int)p->new_at[at + 1 + insn->imm] - here;
	if (!is_jump(insn))
		return 0;
	distance = (int)p->new_at[at + 1 + insn->off] - here;
	if (distance < INT16_MIN || distance > INT16_MAX)
		return -E2BIG;
	insn->off = distance;
	return 0;
}

static int copy_function(struct program *p, const struct function *f)
{
	struct bpf_insn *to = p->new_insns + p->new_at[f->begin];
	const struct function *slot;
	size_t at;
	int err = 0;

	if (f->slot >= 0) {
		if (is_inline(p, f))
			return 0;
		copy_slot(p, f, to);
		to[slot_length(p, f)] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
		return 0;
	}
	for (at = f->begin; at < f->end && !err; at++) {
		to = p->new_insns + p->new_at[at];
		slot = replaced_by(p, at);
		*to = p->insns[at];
		if (slot)
			copy_slot(p, slot, to);
		else
			err = aim(p, to, at);
	}
	return err;
}

/*
 * BTF's @count records of functions or lines, of @size bytes, which begin with an instruction's number.
 * Of functions that are left out they are dropped, of slots that are filled all but the first one.
 * Returns the records that are left, @count of them, or NULL.
 */
static void *move_records(struct program *p, const void *records, __u32 *count, __u32 size)
{
	char *moved = malloc((size_t)*count * size), *to = moved;
	__u32 i;

	for (i = 0; moved && i < *count; i++) {
		const char *record = (const char *)records + (size_t)i * size;
		const struct function *f;
		__u32 at;

		memcpy(&at, record, sizeof(at));
		f = function_at(p, at);
		if (is_inline(p, f) || (f->slot >= 0 && at != f->begin))
			continue;
		memcpy(to, record, size);
		at = p->new_at[at];
		memcpy(to, &at, sizeof(at));
		to += size;
	}
	*count = (to - moved) / size;
	return moved;
}

static int move_btf(struct program *p, struct bpf_prog_load_opts *opts)
{
	struct filling *f = p->filling;

	free(f->functions);
	free(f->lines);
	f->functions = NULL;
	f->lines = NULL;
	if (opts->func_info_cnt) {
		f->functions = move_records(p, opts->func_info, &opts->func_info_cnt,
					    opts->func_info_rec_size);
		opts->func_info = f->functions;
		if (!f->functions)
			return -ENOMEM;
	}
	if (opts->line_info_cnt) {
		f->lines = move_records(p, opts->line_info, &opts->line_info_cnt,
					opts->line_info_rec_size);
		opts->line_info = f->lines;
		if (!f->lines)
			return -ENOMEM;
	}
	return 0;
}

static void program_free(struct program *p)
{
	if (p) {
		free(p->new_insns);
		free(p->new_at);
	}
	free(p);
}

/* Makes @p's new instructions. */
static int rebuild(struct program *p)
{
	size_t i;
	int err;

	err = find_functions(p);
	if (err)
		return err;
	p->new_at = calloc(p->count + 1, sizeof(*p->new_at));
	if (!p->new_at)
		return -ENOMEM;
	for (i = 0; i < p->function_count; i++)
		place_function(p, &p->functions[i]);
	p->new_at[p->count] = p->new_count;
	p->new_insns = calloc(p->new_count + 1, sizeof(*p->new_insns));
	if (!p->new_insns)
		return -ENOMEM;
	for (i = 0; i < p->function_count && !err; i++)
		err = copy_function(p, &p->functions[i]);
	return err;
}

/* Keeps the instructions of @p for copies. */
static int keep(struct program *p)
{
	struct filling *f = p->filling;

	free(f->insns);
	f->insns = malloc(p->count * sizeof(*p->insns));
	if (!f->insns)
		return -ENOMEM;
	memcpy(f->insns, p->insns, p->count * sizeof(*p->insns));
	f->count = p->count;
	return 0;
}

/* libbpf calls this for each program just before it loads it. */
static int prepare(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	struct program *p = calloc(1, sizeof(*p));
	int err = -ENOMEM;

	(void)cookie;
	if (p) {
		p->insns = bpf_program__insns(prog);
		p->count = bpf_program__insn_cnt(prog);
		p->filling = filling_of(prog);
		if (p->filling)
			err = keep(p);
		if (!err)
			err = rebuild(p);
		if (!err)
			err = move_btf(p, opts);
		if (!err)
			err = bpf_program__set_insns(prog, p->new_insns, p->new_count);
	}
	program_free(p);
	return err;
}

/* What the verifier says of a program that it refuses may be long. */
#define REFUSAL_ROOM (1 << 24)

/* Shows why the verifier refuses @p. */
static void show_refusal(const struct program *p, const char *name, enum bpf_prog_type type,
			 struct bpf_prog_load_opts *opts)
{
	char *log = calloc(1, REFUSAL_ROOM);
	int fd;

	if (!log)
		return;
	opts->log_level = 1;
	opts->log_buf = log;
	opts->log_size = REFUSAL_ROOM;
	fd = bpf_prog_load(type, name, "GPL", p->new_insns, p->new_count, opts);
	if (fd >= 0)
		close(fd);
	fputs(log, stderr);
	free(log);
}

/* Loads @p's new instructions; returns the file descriptor or a negative errno. */
static int load(const struct program *p, const char *name, enum bpf_prog_type type,
		struct bpf_prog_load_opts *opts)
{
	char stats[VERIFIER_STATS_LEN] = "";
	bool tell = verifier_stats_wanted();
	int fd;

	if (tell) {
		opts->log_level = VERIFIER_STATS;
		opts->log_buf = stats;
		opts->log_size = sizeof(stats);
	}
	fd = bpf_prog_load(type, name, "GPL", p->new_insns, p->new_count, opts);
	if (fd < 0) {
		fd = -errno;
		if (say_is_verbose())
			show_refusal(p, name, type, opts);
		return fd;
	}
	if (tell)
		verifier_tell(name, stats);
	return fd;
}

int slots_load_copy(const struct bpf_program *prog, const struct filled_slots *slots)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = slots->attach_type,
		    .attach_btf_id = slots->btf_id, .attach_btf_obj_fd = slots->btf_fd);
	struct program *p = calloc(1, sizeof(*p));
	struct filling *of = filling_of(prog), mine = {};
	int slot, fd = -ENOMEM;

	if (!p || !of)
		goto out;
	for (slot = 0; slot < SLOTS; slot++) {
		mine.code[slot] = (struct expr_code *)slots->code[slot];
		mine.value[slot] = slots->value[slot];
	}
	p->insns = of->insns;
	p->count = of->count;
	p->filling = &mine;
	fd = rebuild(p);
	if (!fd)
		fd = load(p, bpf_program__name(prog), slots->type, &opts);
out:
	program_free(p);
	return fd;
}

/* Other sections that libbpf does not know stay unknown. */
static int check_section(struct bpf_program *prog, long cookie)
{
	const char *section = bpf_program__section_name(prog);

	(void)cookie;
	return strcmp(section, "event") && strncmp(section, "event/", 6) ? -EINVAL : 0;
}

int slots_setup(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_setup_fn = check_section,
		    .prog_prepare_load_fn = prepare);
	static int handler;

	/*
	 * The handler of all sections that have none of their own: libbpf keeps no other when a
	 * program's type is set.
	 */
	if (handler <= 0)
		handler = libbpf_register_prog_handler(NULL, BPF_PROG_TYPE_TRACEPOINT, 0, &opts);
	return handler < 0 ? handler : 0;
}

/* The handlers of libbpf's own sections do as libbpf does, beside. */

static int prepare_filled(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	return find_filling(prog) ? prepare(prog, opts, cookie) : 0;
}

/* What is behind the section's kind: the tracepoint. */
static const char *tracepoint_of(const struct bpf_program *prog)
{
	const char *slash = strchr(bpf_program__section_name(prog), '/');

	return slash ? slash + 1 : "";
}

static int prepare_tp_btf(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	int id = libbpf_find_vmlinux_btf_id(tracepoint_of(prog), BPF_TRACE_RAW_TP);

	if (id < 0)
		return id;
	opts->attach_btf_id = id;
	return prepare_filled(prog, opts, cookie);
}

static int attach_tp_btf(const struct bpf_program *prog, long cookie, struct bpf_link **link)
{
	(void)cookie;
	*link = bpf_program__attach_trace(prog);
	return *link ? 0 : -errno;
}

static int attach_raw_tp(const struct bpf_program *prog, long cookie, struct bpf_link **link)
{
	(void)cookie;
	*link = bpf_program__attach_raw_tracepoint(prog, tracepoint_of(prog));
	return *link ? 0 : -errno;
}

int slots_setup_builtin(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, tp_btf, .prog_prepare_load_fn = prepare_tp_btf,
		    .prog_attach_fn = attach_tp_btf);
	LIBBPF_OPTS(libbpf_prog_handler_opts, raw_tp, .prog_prepare_load_fn = prepare_filled,
		    .prog_attach_fn = attach_raw_tp);
	LIBBPF_OPTS(libbpf_prog_handler_opts, perf_event, .prog_prepare_load_fn = prepare_filled);
	int err;

	err = libbpf_register_prog_handler("tp_btf+", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP,
					   &tp_btf);
	if (err > 0)
		err = libbpf_register_prog_handler("raw_tp+", BPF_PROG_TYPE_RAW_TRACEPOINT, 0,
						   &raw_tp);
	if (err > 0)
		err = libbpf_register_prog_handler("perf_event", BPF_PROG_TYPE_PERF_EVENT, 0,
						   &perf_event);
	return err < 0 ? err : 0;
}
