/* SPDX-License-Identifier: GPL-2.0-only */
/* The pictures in a directory: named by their moments, and not too many of them. */
#ifndef ALBUM_H
#define ALBUM_H

#include <stddef.h>
#include <stdint.h>
#include "flamegraph.h"

/* Pictures whose title begins so are perfsys's; no other file is ever removed. */
#define ALBUM_TITLE "sysHigh for cpu "

/*
 * Puts the name of a new picture of the moment @when (ns since the epoch) into @path, without the
 * directory if that is the working directory. Nothing has that name. Returns 0 or a negative errno.
 */
int album_name(const char *directory, uint64_t when, char *path, size_t size);

/* Writes @graph to @path. Returns 0 or a negative errno. */
int album_add(const char *path, struct flamegraph *graph);

/*
 * Removes the oldest pictures until there are @keep (not 0) with that of the path @latest, which
 * stays whatever the clock says. Returns 0 or a negative errno.
 */
int album_trim(const char *directory, unsigned int keep, const char *latest);

#endif
