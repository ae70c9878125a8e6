/* SPDX-License-Identifier: GPL-2.0-only */
/* The suite's version. */
#ifndef COMMON_VERSION_H
#define COMMON_VERSION_H

#define VERSION "0.1.0"

#endif
