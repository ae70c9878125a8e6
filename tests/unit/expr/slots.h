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

#endif
