/* SPDX-License-Identifier: GPL-2.0-only */
/* The clocks: the kernel's (CLOCK_MONOTONIC) and people's. */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>

/* Room for either form of a time of day, with its final NUL. */
#define CLOCK_LEN 40

/* ns of CLOCK_MONOTONIC, which is what bpf_ktime_get_ns() counts. */
uint64_t monotonic_now(void);

/* ns since the epoch. */
uint64_t wall_now(void);

/* When it was @monotonic, in ns since the epoch, by what the clocks say now. */
uint64_t wall_of(uint64_t monotonic);

/* Both print into @buf of CLOCK_LEN bytes and return it. */
const char *clock_local(char *buf, uint64_t wall); /* 15:46:33.123456 */
const char *clock_utc(char *buf, uint64_t wall);   /* 2026-01-02T03:04:05.678901Z */

#endif
