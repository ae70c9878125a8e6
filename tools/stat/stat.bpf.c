// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts events that perf cannot count by itself: some of a tracepoint's, probes', some threads'. There
 * is a copy of the program for each event of -e. Programs may interrupt each other, hence additions are
 * atomic.
 */
#include "vmlinux.h"
#include "abi.h"
#include <bpf/bpf_helpers.h>
#include "stat.h"
#include "event.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* There is a row for each thread. */
const volatile bool by_thread = false;

/* The process of a command that is counted from its exec on, or 0; and has that come? */
const volatile __u32 command = 0;
__u32 execed = 0;

/* By the number of an event. Sized and emptied by userspace. */
struct event_counts {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} counts_0 SEC(".maps"), counts_1 SEC(".maps");

/*
 * By event and thread. Filled at the first event of a thread in a half, sized and emptied by userspace;
 * when it is full, the events of new threads are lost.
 */
struct thread_counts {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct thread_key);
	__type(value, struct thread_count);
} threads_0 SEC(".maps"), threads_1 SEC(".maps");

/* The count of @event in the running thread, which is made if there is none; or NULL. */
static __always_inline u64 *count_of_thread(void *threads, u32 event)
{
	struct thread_key key = { .event = event, .tid = (u32)bpf_get_current_pid_tgid() };
	struct thread_count *found = bpf_map_lookup_elem(threads, &key), made = {};
	int err = 0;

	if (!found) {
		err = bpf_map_update_elem(threads, &key, &made, BPF_NOEXIST);
		found = bpf_map_lookup_elem(threads, &key);
	}
	if (!found) {
		count_lost(lost_because(err));
		return NULL;
	}
	rename_to_current(found->comm);
	return &found->count;
}

static __always_inline void count_event(void *ctx)
{
	u32 half = current_half(), event = slot_event(ctx);
	u64 *count;

	if (by_thread)
		count = count_of_thread(HALF_MAP(threads, half), event);
	else
		count = bpf_map_lookup_elem(HALF_MAP(counts, half), &event);
	if (count)
		__sync_fetch_and_add(count, 1);
}

SEC("event")
int on_event(void *ctx)
{
	if ((!command || *(volatile __u32 *)&execed) && event_wanted(ctx))
		count_event(ctx);
	return slot_passed_on(ctx);
}

/*
 * In its exec, a process gets its new name where perf begins to count what is to be counted from exec
 * on (begin_new_exec() in fs/exec.c). Loaded only for a command.
 */
SEC("tp_btf/task_rename")
int BPF_PROG(command_execs, struct task_struct *p, const char *name)
{
	if ((u32)p->tgid == command)
		execed = 1;
	return 0;
}
