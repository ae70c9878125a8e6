// SPDX-License-Identifier: GPL-2.0-only
/*
 * MiniDebugInfo: a section .gnu_debugdata with an xz-compressed ELF file, of which only the
 * symbol table matters (GDB manual, "Debugging information in a special section").
 */
#include <errno.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#include "shim.h"

/* Symbols of the largest binaries are some 100 MB; a bomb would be more. */
#define MINIDEBUG_MAX ((size_t)512 << 20)
/* What xz -9 needs is 65 MB. */
#define MINIDEBUG_MEMLIMIT (UINT64_C(128) << 20)

static int unxz(const void *in, size_t in_size, void **out, size_t *out_size)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	size_t cap = 0, len = 0;
	unsigned char *buf = NULL;
	lzma_ret ret;
	int err = 0;

	if (lzma_stream_decoder(&stream, MINIDEBUG_MEMLIMIT, 0) != LZMA_OK)
		return -ENOMEM;
	stream.next_in = in;
	stream.avail_in = in_size;
	do {
		if (len == cap) {
			unsigned char *grown;

			/* Starts with a usual ratio, so that it mostly fits at once. */
			cap = cap ? cap * 2 : in_size * 6 + 4096;
			if (cap > MINIDEBUG_MAX) {
				err = -E2BIG;
				break;
			}
			grown = realloc(buf, cap);
			if (!grown) {
				err = -ENOMEM;
				break;
			}
			buf = grown;
		}
		stream.next_out = buf + len;
		stream.avail_out = cap - len;
		ret = lzma_code(&stream, LZMA_FINISH);
		len = cap - stream.avail_out;
		/* Out of input without an end is LZMA_BUF_ERROR, so this does not spin. */
	} while (ret == LZMA_OK);
	lzma_end(&stream);
	if (!err && ret != LZMA_STREAM_END)
		err = -EBADMSG;
	if (err) {
		free(buf);
		return err;
	}
	/* It stays as long as the file, so give back what is too much. */
	*out = len ? realloc(buf, len) : NULL;
	if (!*out)
		*out = buf;
	*out_size = len;
	return 0;
}

struct elf_file *minidebug_open(const struct elf_file *file)
{
	struct elf_file *mini;
	GElf_Shdr shdr;
	Elf_Data *data;
	void *image;
	size_t size;
	Elf_Scn *scn;

	scn = elf_file_section(file, ".gnu_debugdata", &shdr);
	if (!scn)
		return NULL;
	data = elf_rawdata(scn, NULL);
	if (!data || !data->d_buf || data->d_size > MINIDEBUG_MAX / 8)
		return NULL;
	if (unxz(data->d_buf, data->d_size, &image, &size))
		return NULL;
	if (elf_file_from_memory(image, size, &mini)) {
		free(image);
		return NULL;
	}
	return mini;
}
