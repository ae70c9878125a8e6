// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include "events/kind.h"
#include "events/syscall_number.h"
#include "events/syscalls.h"
#include "kernel.h"
#include "tracefs.h"

/* From so many events on one program in front is worth what it costs. */
#define MANY_EVENTS 16

/* Where the records of raw_syscalls:* have the number: behind the common fields. */
#define RECORD_ID 8

/*
 * Programs by system calls' numbers, and the one in front of them. When a system call has another
 * program, that goes to another layer.
 */
struct layer {
	bool at_exit;
	bool taken[MOST_SYSCALLS];
	int map;	/* BPF_MAP_TYPE_PROG_ARRAY, which is emptied when it is closed */
	int front;	/* the program */
	int tracepoint; /* where that is attached */
};

struct syscall_front {
	struct layer *layers;
	size_t count;
};

static bool strip(const char *name, const char *prefix, const char **rest)
{
	size_t length = strlen(prefix);

	*rest = name + length;
	return !strncmp(name, prefix, length);
}

/* Which system call's tracepoint is @event, and which of the two? */
static int number_of(const struct event *event, bool *at_exit)
{
	const char *name;

	*at_exit = strip(event->function, "sys_exit_", &name);
	if (!*at_exit && !strip(event->function, "sys_enter_", &name))
		return -ENOENT;
	return syscall_number(name);
}

/* May programs at syscalls:* be preempted? */
static bool preempts(void)
{
	static int found;

	if (!found)
		found = kernel_btf()
				? btf__find_by_name_kind(kernel_btf(), "trace_call_bpf_faultable",
							 BTF_KIND_FUNC)
				: -ENOENT;
	return found > 0;
}

bool syscalls_wanted(const struct event *event, size_t count)
{
	return !strcmp(event->system, "syscalls") &&
	       (count > MANY_EVENTS || preempts() || kernel_is_without("syscalls"));
}

/* What tells a task's 32-bit system calls, whose numbers mean others. */
#if defined(__x86_64__)
#define COMPAT_MEMBER "status"
#define COMPAT_BIT    (1 << 1) /* TS_COMPAT */
#elif defined(__aarch64__)
#define COMPAT_MEMBER "flags"
#define COMPAT_BIT    (1 << 22) /* TIF_32BIT */
#endif

/* The offset of member @name of struct @type in the kernel, in bytes, or a negative errno. */
static int offset_of(const char *type, const char *name)
{
	const struct btf *btf = kernel_btf();
	int id = btf ? btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT) : -ENOENT, i;
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, id) : NULL;

	for (i = 0; t && i < btf_vlen(t); i++) {
		if (!strcmp(btf__name_by_offset(btf, btf_members(t)[i].name_off), name))
			return btf_member_bit_offset(t, i) / 8;
	}
	return -ENOENT;
}

#define INSN(op, to, from, at, value)                                                         \
	(struct bpf_insn)                                                                     \
	{                                                                                     \
		.code = (op), .dst_reg = (to), .src_reg = (from), .off = (at), .imm = (value) \
	}
#define CALL(function) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, function)
#define SET(to, value) INSN(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value)
#define COPY(to, from) INSN(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0)
#define ADD(to, value) INSN(BPF_ALU64 | BPF_ADD | BPF_K, to, 0, 0, value)

/*
 * Loads a program that goes on in the one that @map has for the record's system call, unless that is
 * one of 32 bits: these have no tracepoints of their own. Returns a file descriptor or a negative errno.
 */
static int load_front(int map)
{
	int info = offset_of("task_struct", "thread_info"),
	    status = offset_of("thread_info", COMPAT_MEMBER), fd;
	struct bpf_insn insns[] = {
		COPY(BPF_REG_6, BPF_REG_1),
		CALL(BPF_FUNC_get_current_task),
		COPY(BPF_REG_3, BPF_REG_0),
		ADD(BPF_REG_3, info + status),
		INSN(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -8, 0),
		SET(BPF_REG_2, sizeof(__u32)),
		COPY(BPF_REG_1, BPF_REG_10),
		ADD(BPF_REG_1, -8),
		CALL(BPF_FUNC_probe_read_kernel),
		INSN(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_0, BPF_REG_10, -8, 0),
		INSN(BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_0, 0, 0, COMPAT_BIT),
		INSN(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 5, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_3, BPF_REG_6, RECORD_ID, 0),
		COPY(BPF_REG_1, BPF_REG_6),
		INSN(BPF_LD | BPF_IMM | BPF_DW, BPF_REG_2, BPF_PSEUDO_MAP_FD, 0, map),
		INSN(0, 0, 0, 0, 0),
		CALL(BPF_FUNC_tail_call),
		SET(BPF_REG_0, 1), /* see slot_passed_on() */
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};

	if (info < 0 || status < 0)
		return -EOPNOTSUPP;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACEPOINT, "system_calls", "GPL", insns,
			   sizeof(insns) / sizeof(*insns), NULL);
	return fd < 0 ? -errno : fd;
}

static void layer_close(struct layer *l)
{
	if (l->tracepoint >= 0)
		close(l->tracepoint);
	if (l->front >= 0)
		close(l->front);
	if (l->map >= 0)
		close(l->map);
}

static int layer_open(struct layer *l, bool at_exit)
{
	*l = (struct layer){ .at_exit = at_exit, .front = -1, .tracepoint = -1 };
	l->map = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "system_calls", sizeof(__u32),
				sizeof(__u32), MOST_SYSCALLS, NULL);
	if (l->map < 0)
		return -errno;
	l->front = load_front(l->map);
	if (l->front < 0)
		return l->front;
	l->tracepoint =
		event_open_tracepoint("raw_syscalls", at_exit ? "sys_exit" : "sys_enter", l->front);
	return l->tracepoint < 0 ? l->tracepoint : 0;
}

/* A layer where system call @number has no program yet, made if there is none; NULL with @err filled. */
static struct layer *layer_for(struct syscall_front *f, bool at_exit, int number, int *err)
{
	size_t i;

	for (i = 0; i < f->count; i++) {
		if (f->layers[i].at_exit == at_exit && !f->layers[i].taken[number])
			return &f->layers[i];
	}
	f->layers = event_have(realloc(f->layers, (i + 1) * sizeof(*f->layers)));
	*err = layer_open(&f->layers[i], at_exit);
	if (*err) {
		layer_close(&f->layers[i]);
		return NULL;
	}
	f->count++;
	return &f->layers[i];
}

int syscalls_attach(struct syscall_front **front, const struct event *event, int prog)
{
	struct layer *layer;
	bool at_exit;
	int number = number_of(event, &at_exit), err = 0;

	if (number < 0 || number >= MOST_SYSCALLS)
		return -ENOENT;
	if (!*front)
		*front = event_have(calloc(1, sizeof(**front)));
	layer = layer_for(*front, at_exit, number, &err);
	/* So many tools are at raw_syscalls:* that the kernel has no room for more. */
	if (err == -E2BIG)
		return -ENOENT;
	if (!layer)
		return err;
	if (bpf_map_update_elem(layer->map, &number, &prog, BPF_ANY))
		return -errno;
	layer->taken[number] = true;
	return 0;
}

uint64_t syscalls_misses(const struct syscall_front *front)
{
	uint64_t misses = 0;
	size_t i;

	for (i = 0; front && i < front->count; i++)
		misses += event_program_misses(front->layers[i].front);
	return misses;
}

void syscalls_detach(struct syscall_front *front)
{
	size_t i;

	for (i = 0; front && i < front->count; i++)
		layer_close(&front->layers[i]);
	if (front)
		free(front->layers);
	free(front);
}
