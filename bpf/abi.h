/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs of every unit and common/ agree on: plain structs and constants. The including
 * side brings its own __u32 and __u64.
 */
#ifndef BPF_ABI_H
#define BPF_ABI_H

#define COMM_LEN 16

/*
 * A log-linear histogram: every power of two is split into HIST_SUB linear buckets, so a bucket is
 * at most 1/16 of its lower bound wide. Values below HIST_SUB have a bucket each. Values from
 * 2^HIST_MAX_BITS on (18 minutes, in ns) share a last bucket; sum and max stay exact for them.
 */
#define HIST_SUB_BITS 4
#define HIST_SUB      (1 << HIST_SUB_BITS)
#define HIST_MAX_BITS 40
#define HIST_BUCKETS  ((HIST_MAX_BITS - HIST_SUB_BITS + 1) * HIST_SUB + 1)

struct hist {
	__u64 count;
	__u64 sum;
	__u64 min; /* valid when count is not 0 */
	__u64 max;
	__u64 bucket[HIST_BUCKETS];
};

/* Why an event is missing from the figures. */
enum lost_reason {
	LOST_MAP_FULL,	   /* a map had no room */
	LOST_BUSY,	   /* a map was in use by what this event interrupted */
	LOST_NO_MEMORY,	   /* the kernel had no memory for a map's element */
	LOST_UNKNOWN_TASK, /* of a task that had not been seen before */
	LOST_UNSEEN,	   /* the kernel did not come past the tracepoint */
	LOST_BUFFER,	   /* an event could not be handed to userspace */
	LOST_UNREADABLE,   /* a filter asks for a string that was not in memory */
	LOST_IN_KERNEL,
	/* Known to userspace alone: the kernel skipped a program that was already running. */
	LOST_RECURSION = LOST_IN_KERNEL,
	LOST_REASONS,
};

struct lost_counts {
	__u64 count[LOST_IN_KERNEL];
};

/* Bits of task_slot.flags. */
#define TASK_CHOSEN (1U << 0) /* by -p, -t or as the command, or nobody was named */
#define TASK_COMM   (1U << 1) /* its name matches --comm, or no name was asked for */
#define TASK_TARGET (TASK_CHOSEN | TASK_COMM)

/* The key of the map `chosen`: a process or a thread. */
#define CHOSEN_PROCESS (1ULL << 32)
#define CHOSEN_THREAD  (2ULL << 32)

#define MAX_CPUS       8192

/*
 * One or more globs as a bit-parallel automaton: bit n is set while n is a position that the
 * characters read so far lead to. See common/comm_glob.h.
 */
struct comm_glob {
	__u64 start;	 /* positions before the first character */
	__u64 stay;	 /* positions where a `*` stands: any character leads back to them */
	__u64 accept;	 /* positions at a pattern's end */
	__u64 step[256]; /* for each character, the positions that it may lead to */
};

/* What does not change while a program is loaded: the verifier drops what it rules out. */
struct bpf_config {
	__u32 only_tgid;    /* exactly one process is observed, or 0 */
	__u32 only_tid;	    /* exactly one thread is observed, or 0 */
	__u32 chosen;	    /* number of entries in the map `chosen`; 0: everybody is */
	__u32 follow_fork;  /* children of the chosen are chosen too */
	__u32 by_comm;	    /* `comm` is to be matched */
	__u32 by_cpu;	    /* `cpus` is to be matched */
	__u32 by_cgroup;    /* `cgroup_id` is to be matched */
	__u32 cgroup_level; /* depth of that cgroup below the root */
	__u64 cgroup_id;
	__u64 than;	    /* single events longer than this are shown; see `events` */
	__u32 events;	    /* single events are wanted */
	__u32 per_task;	    /* a row for each thread */
	__u32 total;	    /* a row for all */
	__u32 task_storage; /* the kernel has task storage for tracing programs */
	__u32 max_stack;    /* frames of a stack's kernel part and of its user part, at most */
	__u32 kernel_stack; /* kernel parts of stacks are wanted */
	__u32 user_stack;   /* ... user parts */
	__u32 pad;
	__u64 cpus[MAX_CPUS / 64];
	struct comm_glob comm;
};

/*
 * What userspace changes while the programs run.
 *
 * What a report shows is kept in halves: programs write into half `span % 2`. To report, userspace
 * adds 1 to span, waits until no program runs that saw the old one, and then owns the other half:
 * it reads it and empties it. So no event is lost or shown twice, and each report has its own
 * extremes.
 */
struct bpf_control {
	__u32 observing; /* events count */
	__u32 span;
};

/* Frames of a stack's kernel part, and of its user part: the kernel's usual bound. */
#define MAX_STACK 127

/* One part of a stack, innermost frame first. */
struct stack {
	__u32 depth;
	__u32 cut_off; /* there may be more frames, beyond the depth that was asked for */
	__u64 ip[MAX_STACK];
};

/* Stacks have ids: a hash of their addresses. 0: there is no stack. STACK_LOST: it was not kept. */
#define STACK_LOST 1ULL

/*
 * What a stack stands for: whose it is, and its two parts. An address means something in a space
 * only: a process between two calls of exec. `space` is a hash of what tells them apart.
 */
struct stack_key {
	__u64 space;
	__u64 kernel; /* ids of stacks */
	__u64 user;
	__u32 pid;
	__u32 pad;
	char comm[COMM_LEN];
};

/*
 * A stack for userspace to learn from, see bpf/known_stack.bpf.h: its words, from what a program was
 * given upwards, and what the kernel found there. Stacks with more words or frames are not walked.
 */
#define KNOWN_WORDS  512
#define KNOWN_FRAMES 64

struct words {
	__u64 at;				 /* the address of the first word */
	__u64 start;				 /* a number of the program's */
	__u64 count;				 /* of words */
	__u64 depth;				 /* of frames */
	__u64 pos, before, other, ip_here, hash; /* of a walk */
	__u64 ip[KNOWN_FRAMES];
	__u64 word[KNOWN_WORDS];
};

/*
 * From return address `ip`, at position `pos` of a stack's words, to the next: which is at
 * (pos & from_here) + (count & ~from_here) + distance. There is a table of these.
 */
struct stack_step {
	__u64 ip;
	__u64 from_here; /* all bits, or none: from the top */
	__s64 distance;	 /* 0: the next one is not known */
	__u32 last;	 /* it is the last one when it is so far from the top; 0: it never is */
	__u32 or_up; /* if what is there is in no table: so far up from here; 0: there is no other */
};

#define STEP_BITS   15
#define STEP_AT(ip) ((__u64)(ip)*0x9e3779b97f4a7c15ULL >> (64 - STEP_BITS))

/* The programs' own frames are at the top of a stack, below what they were given. */
#define PROGRAMS_FRAMES 3

/* See bpf/hold.bpf.h. */
#define HOLD_CPU    0x686f6c64
#define RELEASE_CPU 0x66726565

/* For userspace: look at the mappings of process `pid` now, or do not trust them any more. */
enum space_event {
	SPACE_SEEN,   /* a space's first stack, second, fourth, eighth ... */
	SPACE_EXECED, /* `space` has made place for another program */
};

struct space_notice {
	__u64 space;
	__u64 time; /* CLOCK_MONOTONIC, ns */
	__u32 pid;
	__u32 event; /* enum space_event */
};

/*
 * Where expressions go into a program that runs at an event, see bpf/slot.bpf.h: its slots. What is
 * without an expression is 1 for the filter, 0 for others.
 */
enum slot {
	SLOT_FILTER,
	SLOT_KEY,
	SLOT_VALUE,
	SLOT_VALUE2,
	SLOT_VALUE3,
	SLOT_VALUE4,
	SLOT_KEY_TEXT,
	SLOT_NAME_TEXT,
	SLOT_EVENT,	/* the event's number: a constant */
	SLOT_UNIT,	/* a constant that the unit gives a meaning */
	SLOT_RUNS,	/* a constant: runs are to be counted */
	SLOT_PASSED_ON, /* a constant: what the program gives back */
	SLOTS,
};

/* What a filter gives when it depends on a string that cannot be read. */
#define FILTER_UNKNOWN 0x756e6b6e

#define SLOT_MARK      0x65787000
#define SLOT_TEXT_SIZE 64

/* What --filter's expression speaks of: see bpf/filter.bpf.h, and common/filter.h for the names. */
#define FILTER_VALUES 2

struct filter_record {
	__u64 value[FILTER_VALUES]; /* the unit's own */
	__u32 pid, tid, cpu, prio;
	char comm[COMM_LEN];
};

/* What events of -e are counted by: a number, or a string with NULs behind it. */
union event_key {
	__u64 number; /* of signed types with its sign extended */
	char text[SLOT_TEXT_SIZE];
};

/* Addresses at which idle CPUs are found: each idle function has one or two. */
#define IDLE_PLACES 32

/* The flight recorder: the latest things that happened on a CPU, oldest overwritten first. */
#define RECORDS 256

enum record_kind {
	RECORD_NONE,
	RECORD_SWITCH,	      /* tid, comm: who was switched out */
	RECORD_MIGRATE,	      /* tid, comm, arg: who was sent to which CPU */
	RECORD_IRQ_ENTER,     /* arg: number; comm: name */
	RECORD_IRQ_EXIT,      /* arg: number */
	RECORD_SOFTIRQ_ENTER, /* arg: vector */
	RECORD_SOFTIRQ_EXIT,  /* arg: vector */
};

struct record {
	__u64 time; /* CLOCK_MONOTONIC, ns */
	__u32 tid;
	__u16 kind;
	__u16 arg;
	char comm[COMM_LEN];
};

struct recorder {
	__u64 head; /* records ever written; the newest is at (head - 1) % RECORDS */
	struct record ring[RECORDS];
};

#endif
