// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "report.h"

int output_open(struct output *out, const char *path)
{
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");

	memset(out, 0, sizeof(*out));
	out->path = path;
	out->file = path ? fopen(path, "we") : stdout;
	if (!out->file)
		return -errno;
	out->terminal = isatty(fileno(out->file)) && term && strcmp(term, "dumb");
	out->colour = out->terminal && !(no_colour && *no_colour);
	return 0;
}

int output_flush(struct output *out)
{
	errno = 0;
	if (!out->error && (fflush(out->file) || ferror(out->file)))
		out->error = errno ? -errno : -EIO;
	return out->error;
}

int output_close(struct output *out)
{
	int err = output_flush(out);

	/* Some file systems tell only now that the data did not fit. */
	if (fclose(out->file) && !err)
		err = -errno;
	out->file = NULL;
	return err;
}
