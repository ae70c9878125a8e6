/* SPDX-License-Identifier: GPL-2.0-only */
/* Apart from shim.h because libiberty's header has names of its own for common things. */
#ifndef BLAZESYM_DEMANGLE_H
#define BLAZESYM_DEMANGLE_H

/* The readable form of a C++ or Rust name, to free(); NULL if it is neither. */
char *demangle(const char *name);

#endif /* BLAZESYM_DEMANGLE_H */
