/* SPDX-License-Identifier: GPL-2.0-only */
/* What slots.bpf.c and its test agree on. The including side brings its own __u64. */
#ifndef SLOTS_H
#define SLOTS_H

#include "abi.h"

struct slots_result {
	__u64 seen, passed;
	__u64 key, value, value2;
	__u64 here; /* the running thread, by CO-RE: code beside the slots is whole */
	char text[SLOT_TEXT_SIZE];
};

/*
 * What memory is taken for, to read it as the compiler does: 15 bytes that are not 0 and one that is,
 * which is what a thread's new name can be. Numbers are not const, so that arithmetic is C's.
 */
struct overlay {
	unsigned int a : 3;
	int b : 5;
	unsigned int c : 11;
	int d : 13;
	union {
		struct {
			short s;
			unsigned char bytes[2];
		};
		unsigned int whole;
		struct {
			int : 9;
			signed char : 0;
			int high : 7;
		};
	};
	struct {
		signed char x;
		unsigned char y;
	} pair[3];
	char text[2];
};

struct overlay_long {
	unsigned long l : 33;
	long m : 20;
	unsigned long n : 11;
	struct overlay_long *next;
};

#endif
