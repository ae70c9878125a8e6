/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two halves of page-faults share. Needs abi.h before it. */
#ifndef PAGE_FAULTS_H
#define PAGE_FAULTS_H

enum fault_access {
	ACCESS_UNKNOWN, /* this architecture does not say */
	ACCESS_READ,
	ACCESS_WRITE,
	ACCESS_EXEC,
};

enum fault_mode {
	MODE_USER,
	MODE_KERNEL,
};

enum fault_type {
	FAULT_MINOR,
	FAULT_MAJOR,
};

/* What is mapped: one of these, or a number that the map `names` has a name for. */
#define MAPPING_UNKNOWN 0
#define MAPPING_ANON	1
#define MAPPING_HEAP	2
#define MAPPING_STACK	3
#define MAPPING_NAMED	(1ULL << 63)

/* What faults are counted by. */
struct fault_key {
	struct stack_key stack;
	__u64 mapping; /* MAPPING_* */
	__u64 page;    /* with --pages: its address; else 0 */
	__u32 cpu;     /* so that only one CPU writes to a value */
	__u8 access;   /* enum fault_access */
	__u8 mode;     /* enum fault_mode */
	__u8 type;     /* enum fault_type */
	__u8 pad;
};

struct faults {
	__u64 count;
	__u64 lowest, highest; /* address */
};

/* So many of a path's last bytes are kept; a component of it has at most so many. */
#define NAME_ROOM      512
#define NAME_COMPONENT 256

enum name_kind {
	NAME_FILE,    /* the path's components, last one first, each with a NUL behind it */
	NAME_SPECIAL, /* a text of the kernel's, such as [vdso] */
	NAME_ANON,    /* what prctl(PR_SET_VMA_ANON_NAME) called it */
};

struct mapping_name {
	__u32 kind;    /* enum name_kind */
	__u32 used;    /* bytes of text */
	__u32 cut_off; /* the path begins before what is kept */
	__u32 deleted; /* the path does not lead to the file any more */
	char text[NAME_ROOM + NAME_COMPONENT];
};

#endif
