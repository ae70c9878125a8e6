/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process's allocators, by probes at the functions of whatever library provides them. What an
 * allocator's function calls itself is its own affair: the outermost call counts.
 *
 * A free is carried out when the function is called, before anybody else can get the address. So
 * realloc() gives the old object up when it is called and gets it back if it fails.
 */
#ifndef USER_BPF_H
#define USER_BPF_H

#include "hold.bpf.h"
#include "live.bpf.h"
#include <bpf/bpf_tracing.h>

/* How many bytes a return takes off the stack. */
#if defined(__TARGET_ARCH_x86)
#define RETURN_POPS 8
#else
#define RETURN_POPS 0
#endif

/* The mappings of processes are looked at in so many calls, and then more and more rarely. */
#define LOOKED_AT 64

/* The frame of operator new is no larger, in bytes. */
#define NEW_FRAME 256

/* A call that has not returned yet. */
struct inside {
	u64 sp; /* the stack pointer at its begin; 0: there is none */
	u64 site;
	u64 bytes;
	u64 store;		   /* CALL_POSIX_MEMALIGN: where to */
	struct object_key old_key; /* of realloc; address 0: there was no object */
	struct object old;
	u32 kind;
	u32 allocator;
	u64 calls; /* so far */
	u64 new_sp,
		new_site; /* of an operator new that has not called malloc() yet; 0: there is none */
};

/* Key: the thread's id. Filled at its first call; when it is full, allocations are lost. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct inside);
} inside SEC(".maps");

/* struct process_notice. When it is full, processes are not followed. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} processes SEC(".maps");

const volatile __u32 page_size = 4096;

/* include/uapi/asm-generic/mman-common.h */
#define MAP_FIXED 0x10

/* What a function is called with. */
struct registers {
	u64 sp;
	u64 arg[4];
	u64 link; /* where it returns to, on machines that have that in a register */
};

/* Read at one place: moved about, it would be by an address that the verifier does not follow. */
static __always_inline void read_registers(struct registers *r, struct pt_regs *ctx)
{
	u64 sp = PT_REGS_SP(ctx), a = PT_REGS_PARM1(ctx), b = PT_REGS_PARM2(ctx),
	    c = PT_REGS_PARM3(ctx), d = PT_REGS_PARM4(ctx);

	asm volatile("" : "+r"(sp), "+r"(a), "+r"(b), "+r"(c), "+r"(d));
	r->sp = sp;
	r->arg[0] = a;
	r->arg[1] = b;
	r->arg[2] = c;
	r->arg[3] = d;
#if !defined(__TARGET_ARCH_x86)
	r->link = PT_REGS_RET(ctx);
#endif
}

static __always_inline u64 caller(const struct registers *r)
{
	u64 address = r->link;

#if defined(__TARGET_ARCH_x86)
	address = 0;
	bpf_probe_read_user(&address, sizeof(address), (void *)r->sp);
#endif
	return address;
}

/*
 * Has a function whose end is probed jumped here, at its own end? Then the call is still the first
 * one's, and what is called the caller, @site, is the kernel's: xol_add_vma() puts it into a process's
 * last page.
 */
static __always_inline bool came_by_jump(u64 site)
{
#if defined(__TARGET_ARCH_x86)
	return site >> 12 == 0x7fffffffe;
#else
	return true;
#endif
}

static __always_inline void key_of(struct object_key *key, u64 address)
{
	key->address = address;
	key->pid = bpf_get_current_pid_tgid() >> 32;
	key->name_space = BY_ADDRESS;
}

/* Takes the object at @old out of the live ones, to be given back should the call fail. */
static __always_inline void give_up(struct inside *in, u64 old, enum allocator allocator)
{
	struct object *object;

	key_of(&in->old_key, old);
	object = bpf_map_lookup_elem(map_of(allocator), &in->old_key);
	if (object) {
		in->old = *object;
		forget(&in->old_key, allocator);
	} else {
		in->old_key.address = 0;
	}
}

/* The running thread's. NULL: there is no room for it. */
static __always_inline struct inside *find_inside(void)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct inside *in = bpf_map_lookup_elem(&inside, &tid);
	static const struct inside none = {};
	int err;

	if (in)
		return in;
	err = bpf_map_update_elem(&inside, &tid, &none, BPF_ANY);
	if (err)
		count_lost(lost_because(err));
	return bpf_map_lookup_elem(&inside, &tid);
}

static __always_inline int enter(const struct registers *r, enum function_kind kind, u64 bytes,
				 u64 store, u64 old)
{
	struct inside *in = find_inside();
	u64 sp = r->sp, site;

	if (!in)
		return 0;
	site = caller(r);
	/* An inner call. A frame that is further out is gone: longjmp() went past it. */
	if (in->sp && (sp < in->sp || (sp == in->sp && came_by_jump(site))))
		return 0;
	in->sp = sp;
	/* Of what operator new gets from malloc(), its caller is the site. */
	in->site = in->new_sp > sp && in->new_sp - sp < NEW_FRAME ? in->new_site : site;
	in->new_sp = 0;
	in->bytes = bytes;
	in->store = store;
	in->kind = kind;
	in->allocator = kind == CALL_MMAP || kind == CALL_MREMAP ? ALLOC_MMAP : ALLOC_MALLOC;
	in->old_key.address = 0;
	if (old && observing())
		give_up(in, old, in->allocator);
	return 0;
}

/* What overflows fails: it is not the small number that is left. */
static __always_inline u64 product(u64 count, u64 bytes)
{
	u64 all = count * bytes;

	/* Without this, clang would use a multiplication of 128 bits. */
	asm volatile("" : "+r"(all));
	return count && all / count != bytes ? ~0ULL : all;
}

static __always_inline void tell_of_process(u32 pid, enum process_event event, u64 address,
					    u64 bytes)
{
	struct process_notice *notice = bpf_ringbuf_reserve(&processes, sizeof(*notice), 0);

	if (!notice) {
		count_lost(LOST_BUFFER);
		return;
	}
	notice->pid = pid;
	notice->event = event;
	notice->time = bpf_ktime_get_ns();
	notice->address = address;
	notice->bytes = bytes;
	bpf_ringbuf_submit(notice, 0);
}

static __always_inline u64 whole_pages(u64 bytes)
{
	return (bytes + page_size - 1) & ~(u64)(page_size - 1);
}

/* What is unmapped may be a part of a mapping, or several: that is userspace's to find out. */
static __always_inline int unmap(u64 address, u64 bytes)
{
	struct object_key key;
	struct object *object;

	key_of(&key, address);
	object = bpf_map_lookup_elem(&mappings, &key);
	if (object && whole_pages(object->bytes) == whole_pages(bytes))
		forget(&key, ALLOC_MMAP);
	else
		tell_of_process(key.pid, PROCESS_UNMAPS, address, whole_pages(bytes));
	return 0;
}

/* Nothing is at its end: an exception could not pass by there. */
static __always_inline int begin_new(const struct registers *r)
{
	struct inside *in = find_inside();

	if (!in || (in->sp && r->sp < in->sp))
		return 0;
	in->new_sp = r->sp;
	in->new_site = caller(r);
	return 0;
}

/* A mapping at an address that is asked for takes the place of what is there. */
static __always_inline int map(const struct registers *r, u64 address, u64 bytes)
{
	if (r->arg[3] & MAP_FIXED)
		tell_of_process(bpf_get_current_pid_tgid() >> 32, PROCESS_UNMAPS, address,
				whole_pages(bytes));
	return enter(r, CALL_MMAP, bytes, 0, 0);
}

static __always_inline int called(struct pt_regs *ctx, enum function_kind kind)
{
	struct registers regs = {}, *r = &regs;
	struct object_key key;
	u64 a, b, c;

	read_registers(r, ctx);
	a = r->arg[0];
	b = r->arg[1];
	c = r->arg[2];

	switch (kind) {
	case CALL_MALLOC:
		return enter(r, kind, a, 0, 0);
	case CALL_CALLOC:
		return enter(r, kind, product(a, b), 0, 0);
	case CALL_REALLOC:
		return enter(r, kind, b, 0, a);
	case CALL_REALLOCARRAY:
		return enter(r, kind, product(b, c), 0, a);
	case CALL_MEMALIGN:
		return enter(r, kind, b, 0, 0);
	case CALL_POSIX_MEMALIGN:
		return enter(r, kind, c, a, 0);
	case CALL_MMAP:
		return map(r, a, b);
	case CALL_MREMAP:
		return enter(r, kind, c, 0, a);
	case CALL_FREE:
		key_of(&key, a);
		if (a)
			forget(&key, ALLOC_MALLOC);
		return 0;
	case CALL_MUNMAP:
		return unmap(a, b);
	case CALL_NEW:
		return begin_new(r);
	default:
		return 0;
	}
}

/* With 0 from a program at a probe, perf would not see it any more. */
#define SEEN_BY_PERF 1

#define CALL_PROGRAM(name, kind)              \
	SEC("uprobe")                         \
	int enter_##name(struct pt_regs *ctx) \
	{                                     \
		hold_cpu();                   \
		called(ctx, kind);            \
		release_cpu();                \
		return SEEN_BY_PERF;          \
	}

CALL_PROGRAM(malloc, CALL_MALLOC)
CALL_PROGRAM(calloc, CALL_CALLOC)
CALL_PROGRAM(realloc, CALL_REALLOC)
CALL_PROGRAM(reallocarray, CALL_REALLOCARRAY)
CALL_PROGRAM(memalign, CALL_MEMALIGN)
CALL_PROGRAM(posix_memalign, CALL_POSIX_MEMALIGN)
CALL_PROGRAM(mmap, CALL_MMAP)
CALL_PROGRAM(mremap, CALL_MREMAP)
CALL_PROGRAM(free, CALL_FREE)
CALL_PROGRAM(munmap, CALL_MUNMAP)
CALL_PROGRAM(new, CALL_NEW)

/* Where one probe can be at many places: each has its kind for a cookie. */
SEC("uprobe")
int enter_any(struct pt_regs *ctx)
{
	hold_cpu();
	called(ctx, bpf_get_attach_cookie(ctx));
	release_cpu();
	return SEEN_BY_PERF;
}

/* A function has returned. */
static __always_inline int returned(struct pt_regs *ctx)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct inside *in = bpf_map_lookup_elem(&inside, &tid);
	u64 result = PT_REGS_RC(ctx), sp = PT_REGS_SP(ctx);
	struct object object = {};
	struct object_key key;

	asm volatile("" : "+r"(result), "+r"(sp));
	if (!in || !in->sp || in->sp + RETURN_POPS != sp)
		return 0;
	in->sp = 0;
	/* So that userspace knows what is mapped where: at first often, as a program comes to run. */
	in->calls++;
	if (in->calls < LOOKED_AT || !(in->calls & (in->calls - 1)))
		see_space(current_space(0));
	if (in->kind == CALL_POSIX_MEMALIGN) {
		if ((u32)result || bpf_probe_read_user(&result, sizeof(result), (void *)in->store))
			result = 0;
	} else if (in->allocator == ALLOC_MMAP && result == ~0ULL) {
		result = 0;
	}
	/*
	 * It failed, unless it was realloc(old, 0), which is a free. At the end, what there was is to
	 * be in the last report.
	 */
	if (in->old_key.address && ((!result && in->bytes) || !observing()))
		add_object(&in->old_key, &in->old);
	if (!result)
		return 0;
	key_of(&key, result);
	object.site.address = in->site;
	object.site.allocator = in->allocator;
	object.site.pid = key.pid;
	object.bytes = in->bytes;
	made(ctx, 0, &key, &object);
	return 0;
}

/* The end of each of these that makes an object. */
SEC("uretprobe")
int leave(struct pt_regs *ctx)
{
	hold_cpu();
	returned(ctx);
	release_cpu();
	return SEEN_BY_PERF;
}

static __always_inline void tell_of_child(struct task_struct *child)
{
	u32 tgid = BPF_CORE_READ(child, tgid);

	if (!current_chosen() || (u32)BPF_CORE_READ(child, pid) != tgid)
		return;
	tell_of_process(tgid, PROCESS_MADE, 0, 0);
	see_space_of_child(child);
}

/* Its children have to be probed too: only for a command. */
SEC("raw_tp/sched_process_fork")
int process_made(struct bpf_raw_tracepoint_args *ctx)
{
	hold_cpu();
	tell_of_child((void *)ctx->args[1]);
	release_cpu();
	return 0;
}

static __always_inline void tell_of_exec(void)
{
	u32 tgid = bpf_get_current_pid_tgid() >> 32;
	u64 now = bpf_ktime_get_ns();

	if (!current_chosen())
		return;
	bpf_map_update_elem(&execs, &tgid, &now, BPF_ANY);
	tell_of_process(tgid, PROCESS_EXECED, 0, 0);
}

SEC("raw_tp/sched_process_exec")
int process_execed(struct bpf_raw_tracepoint_args *ctx)
{
	hold_cpu();
	tell_of_exec();
	release_cpu();
	return 0;
}

static __always_inline void forget_thread(void)
{
	u32 tid = bpf_get_current_pid_tgid();

	bpf_map_delete_elem(&inside, &tid);
	if (bpf_get_current_pid_tgid() >> 32 == tid && current_chosen())
		tell_of_process(tid, PROCESS_ENDED, 0, 0);
}

SEC("raw_tp/sched_process_exit")
int thread_gone(struct bpf_raw_tracepoint_args *ctx)
{
	hold_cpu();
	forget_thread();
	release_cpu();
	return 0;
}

#endif
