// SPDX-License-Identifier: GPL-2.0-only
/* The type_size convention: structures of callers built against another version. */
#include <string.h>

#include "shim.h"

/*
 * Copy the structure at @src, whose first member is its size as the caller knows it, into
 * @dst of @dst_size bytes, whose unused tail starts at @reserved_off. What the caller does
 * not have becomes zero. False if the size cannot be or if anything behind the members we
 * know is not zero: the caller then asks for something we cannot do.
 */
bool input_copy(void *dst, size_t dst_size, size_t reserved_off, const void *src)
{
	const unsigned char *bytes = src;
	size_t src_size;

	if (!src)
		return false;
	memcpy(&src_size, src, sizeof(src_size));
	if (src_size < sizeof(src_size))
		return false;
	for (size_t i = reserved_off; i < src_size; i++) {
		if (bytes[i])
			return false;
	}
	memset(dst, 0, dst_size);
	memcpy(dst, src, src_size < dst_size ? src_size : dst_size);
	return true;
}
