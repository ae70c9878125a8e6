/* SPDX-License-Identifier: GPL-2.0-only */
/* Files that are written in one piece: nobody sees half of one. */
#ifndef COMMON_PICTURE_H
#define COMMON_PICTURE_H

#include <stdio.h>

/*
 * Can @path with @suffix behind it be written? Changes nothing that is there. Tells why not.
 * Returns 0 or a negative errno.
 */
int picture_check(const char *path, const char *suffix);

/*
 * Has @write write @what to a file that then takes the place of @path with @suffix behind it.
 * Returns 0 or a negative errno, which picture_failed() tells.
 */
int picture_write(const char *path, const char *suffix, int (*write)(void *what, FILE *file),
		  void *what);

/* Tells that the file cannot be written, and returns @err. */
int picture_failed(const char *path, const char *suffix, int err);

#endif
