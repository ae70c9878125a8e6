// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "report.h"

int output_open(struct output *out, const char *path)
{
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");

	memset(out, 0, sizeof(*out));
	out->path = path;
	out->fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666)
		       : STDOUT_FILENO;
	if (out->fd < 0)
		return -errno;
	out->file = open_memstream(&out->text, &out->size);
	if (!out->file) {
		if (path)
			close(out->fd);
		return -ENOMEM;
	}
	out->terminal = isatty(out->fd) && term && strcmp(term, "dumb");
	out->colour = out->terminal && !(no_colour && *no_colour);
	return 0;
}

void output_begin(struct output *out)
{
	/* Fails for what is no regular file, and has nothing to lose. */
	if (out->path && ftruncate(out->fd, 0))
		errno = 0;
}

int output_flush(struct output *out)
{
	size_t done = 0;
	ssize_t n;

	if (!out->error && fflush(out->file))
		out->error = -errno;
	while (!out->error && done < out->size) {
		n = write(out->fd, out->text + done, out->size - done);
		if (n < 0 && errno != EINTR)
			out->error = -errno;
		done += n > 0 ? n : 0;
	}
	rewind(out->file);
	return out->error;
}

int output_close(struct output *out)
{
	int err = output_flush(out);

	fclose(out->file);
	free(out->text);
	out->file = NULL;
	/* Some file systems tell only now that the data did not fit. */
	if (out->path && close(out->fd) && !err)
		err = -errno;
	return err;
}
