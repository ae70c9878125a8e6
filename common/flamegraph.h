/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMMON_FLAMEGRAPH_H
#define COMMON_FLAMEGRAPH_H

/*
 * Flame graphs: weighted stacks in, folded lines or one self-contained SVG out.
 *
 * Stacks that begin alike share what they have in common, so memory grows with the number of
 * distinct frames, not with the number of stacks added. The same stacks give the same output,
 * byte for byte, whatever order they were added in.
 *
 * Functions that can fail return 0 or a negative errno.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What weights are, which decides how they are written. */
enum flamegraph_value {
	FLAMEGRAPH_COUNT, /* 1,234 samples: the unit's name is in flamegraph_opts */
	FLAMEGRAPH_BYTES, /* 1.18 MiB */
	FLAMEGRAPH_NS,	  /* 1.23 ms */
};

/* The hue of user frames; kernel frames, whose names end in "_[k]", get a second one. */
enum flamegraph_colors {
	FLAMEGRAPH_HOT,	 /* time on the CPU: yellow to red; the kernel blue */
	FLAMEGRAPH_MEM,	 /* memory: greens; the kernel violet */
	FLAMEGRAPH_WAIT, /* waiting, off the CPU: blues; the kernel rose */
};

struct flamegraph_opts {
	const char *title;    /* "profile: nginx"; NULL is "Flame graph" */
	const char *subtitle; /* what was observed, when; may be NULL */
	const char *unit;     /* plural, for FLAMEGRAPH_COUNT; NULL is "samples" */
	enum flamegraph_value value;
	enum flamegraph_colors colors;
	bool inverted; /* the root on top (an icicle graph) */
};

struct flamegraph;

/* An empty graph; its texts are copied. NULL when memory is short. */
struct flamegraph *flamegraph_new(const struct flamegraph_opts *opts);

/* NULL is ignored. */
void flamegraph_free(struct flamegraph *fg);

/*
 * Adds @weight (samples, bytes or ns) to the stack of @n frames, root first: the thread's name,
 * then its outermost function. Names are copied, and cleaned (see svg.h). A weight of 0 adds
 * nothing. -EINVAL when there is no frame, -EOVERFLOW when the sum of weights would not fit
 * 64 bits, -ENOMEM; after an error the graph is as it was.
 */
int flamegraph_add(struct flamegraph *fg, const char *const *frames, size_t n, uint64_t weight);

/*
 * Adds folded lines, "root;caller;callee WEIGHT", up to the end of the file. Empty lines and
 * lines that begin with '#' are skipped. -EINVAL at the first other line that is not of this
 * form, -EIO, or what flamegraph_add() returns; then *@line, unless NULL, is the line's number
 * from 1, and the lines before it have been added.
 */
int flamegraph_read_folded(struct flamegraph *fg, FILE *f, unsigned long *line);

/*
 * Writes one folded line for each stack, ordered by its names. ';' in a name becomes ':'.
 * @prefix, unless NULL, is put before each stack as a frame of its own; with the time of the
 * interval there, `grep ^15:46:33 cpu.folded` picks the interval's stacks.
 */
int flamegraph_write_folded(struct flamegraph *fg, FILE *f, const char *prefix);

/*
 * Writes the picture. Frames narrower than a tenth of a pixel at its first width are left out;
 * what is left out is still part of the frames below it.
 */
int flamegraph_write_svg(struct flamegraph *fg, FILE *f);

#endif
