/* SPDX-License-Identifier: GPL-2.0-only */
/* The names of what is mapped, as /proc/PID/maps has them. mapping.bpf.h finds them out. */
#ifndef MAPPING_H
#define MAPPING_H

#include <stdint.h>

/* Remembers the name that the map @fd (`names`) has for @mapping, while it has one. */
void mapping_learn(int fd, uint64_t mapping);

/* What @mapping is called; NULL: not known. Valid until mapping_forget_all(). */
const char *mapping_text(uint64_t mapping);

void mapping_forget_all(void);

#endif
