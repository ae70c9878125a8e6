// SPDX-License-Identifier: GPL-2.0-only
/*
 * Readable C++ and Rust names, by binutils' libiberty.
 *
 * Why libiberty: it has both languages (Rust in its old and its v0 scheme), is a static
 * archive on every distribution, and adds about 70 kB to an executable, of which its use
 * here pulls in only two object files and what they need. __cxa_demangle() knows no Rust
 * and brings libstdc++'s runtime with it.
 */
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>

#include "demangle.h"

/*
 * A mangled name of a few hundred bytes can stand for gigabytes: back references double
 * the text at each level. No readable name is this long; the mangled one then serves.
 */
#define DEMANGLED_MAX 16384

struct sink {
	jmp_buf too_long;
	size_t len;
	char buf[DEMANGLED_MAX];
};

static void sink_add(const char *text, size_t len, void *opaque)
{
	struct sink *sink = opaque;

	/* An empty part can come without an address. */
	if (!len)
		return;
	if (len >= sizeof(sink->buf) - sink->len)
		longjmp(sink->too_long, 1);
	memcpy(sink->buf + sink->len, text, len);
	sink->len += len;
}

/* What can be demangled starts with _Z (C++, old Rust), _R (Rust), or a further _ (macOS). */
static bool looks_mangled(const char *name)
{
	return name[0] == '_' && (name[1] == 'Z' || name[1] == 'R');
}

char *demangle(const char *name)
{
	char *text = NULL;
	struct sink *sink;

	if (!looks_mangled(name))
		return NULL;
	sink = malloc(sizeof(*sink));
	if (!sink)
		return NULL;
	sink->len = 0;
	if (setjmp(sink->too_long))
		goto out;
	/* Old Rust names are also valid C++ names, so Rust goes first. */
	if (!rust_demangle_callback(name, DMGL_PARAMS | DMGL_ANSI, sink_add, sink)) {
		sink->len = 0;
		if (!cplus_demangle_v3_callback(name, DMGL_PARAMS | DMGL_ANSI, sink_add, sink))
			goto out;
	}
	text = strndup(sink->buf, sink->len);
out:
	free(sink);
	return text;
}
