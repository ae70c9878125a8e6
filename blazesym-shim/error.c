// SPDX-License-Identifier: GPL-2.0-only
/* The last error and the texts of errors and reasons. */
#include <errno.h>

#include "shim.h"

static __thread blaze_err last_error;

void set_last_error(blaze_err err)
{
	last_error = err;
}

void set_last_errno(int err)
{
	switch (err < 0 ? -err : err) {
	case 0:
		last_error = BLAZE_ERR_OK;
		break;
	case ENOENT:
	case ENOTDIR:
	case ESRCH:
		last_error = BLAZE_ERR_NOT_FOUND;
		break;
	case EACCES:
	case EPERM:
		last_error = BLAZE_ERR_PERMISSION_DENIED;
		break;
	case ENOMEM:
		last_error = BLAZE_ERR_OUT_OF_MEMORY;
		break;
	case EBADMSG:
		last_error = BLAZE_ERR_INVALID_DATA;
		break;
	case EINVAL:
		last_error = BLAZE_ERR_INVALID_INPUT;
		break;
	case EOPNOTSUPP:
		last_error = BLAZE_ERR_UNSUPPORTED;
		break;
	case EAGAIN:
		last_error = BLAZE_ERR_WOULD_BLOCK;
		break;
	case ETIMEDOUT:
		last_error = BLAZE_ERR_TIMED_OUT;
		break;
	default:
		last_error = BLAZE_ERR_OTHER;
	}
}

blaze_err blaze_err_last(void)
{
	return last_error;
}

const char *blaze_err_str(blaze_err err)
{
	switch (err) {
	case BLAZE_ERR_OK:
		return "no error";
	case BLAZE_ERR_NOT_FOUND:
		return "not found";
	case BLAZE_ERR_PERMISSION_DENIED:
		return "no permission";
	case BLAZE_ERR_ALREADY_EXISTS:
		return "exists already";
	case BLAZE_ERR_WOULD_BLOCK:
		return "would block";
	case BLAZE_ERR_INVALID_DATA:
		return "damaged data";
	case BLAZE_ERR_TIMED_OUT:
		return "took too long";
	case BLAZE_ERR_UNSUPPORTED:
		return "not supported";
	case BLAZE_ERR_OUT_OF_MEMORY:
		return "no memory left";
	case BLAZE_ERR_INVALID_INPUT:
		return "bad argument";
	case BLAZE_ERR_WRITE_ZERO:
		return "nothing could be written";
	case BLAZE_ERR_UNEXPECTED_EOF:
		return "data ends too early";
	case BLAZE_ERR_INVALID_DWARF:
		return "damaged debug information";
	default:
		return "some other error";
	}
}

const char *blaze_symbolize_reason_str(blaze_symbolize_reason reason)
{
	switch (reason) {
	case BLAZE_SYMBOLIZE_REASON_SUCCESS:
		return "found";
	case BLAZE_SYMBOLIZE_REASON_UNMAPPED:
		return "address not mapped";
	case BLAZE_SYMBOLIZE_REASON_INVALID_FILE_OFFSET:
		return "not in a loaded part of the file";
	case BLAZE_SYMBOLIZE_REASON_MISSING_COMPONENT:
		return "mapping has no file";
	case BLAZE_SYMBOLIZE_REASON_MISSING_SYMS:
		return "missing symbols";
	case BLAZE_SYMBOLIZE_REASON_UNKNOWN_ADDR:
		return "no symbol at the address";
	case BLAZE_SYMBOLIZE_REASON_UNSUPPORTED:
		return "unsupported kind of mapping";
	case BLAZE_SYMBOLIZE_REASON_IGNORED_ERROR:
		return "symbols could not be read";
	default:
		return "reason not known";
	}
}

const char *blaze_normalize_reason_str(blaze_normalize_reason reason)
{
	switch (reason) {
	case BLAZE_NORMALIZE_REASON_UNMAPPED:
		return blaze_symbolize_reason_str(BLAZE_SYMBOLIZE_REASON_UNMAPPED);
	case BLAZE_NORMALIZE_REASON_MISSING_COMPONENT:
		return blaze_symbolize_reason_str(BLAZE_SYMBOLIZE_REASON_MISSING_COMPONENT);
	case BLAZE_NORMALIZE_REASON_UNSUPPORTED:
		return blaze_symbolize_reason_str(BLAZE_SYMBOLIZE_REASON_UNSUPPORTED);
	case BLAZE_NORMALIZE_REASON_INVALID_FILE_OFFSET:
		return blaze_symbolize_reason_str(BLAZE_SYMBOLIZE_REASON_INVALID_FILE_OFFSET);
	case BLAZE_NORMALIZE_REASON_MISSING_SYMS:
		return blaze_symbolize_reason_str(BLAZE_SYMBOLIZE_REASON_MISSING_SYMS);
	case BLAZE_NORMALIZE_REASON_UNKNOWN_ADDR:
		return blaze_symbolize_reason_str(BLAZE_SYMBOLIZE_REASON_UNKNOWN_ADDR);
	case BLAZE_NORMALIZE_REASON_IGNORED_ERROR:
		return blaze_symbolize_reason_str(BLAZE_SYMBOLIZE_REASON_IGNORED_ERROR);
	default:
		return "reason not known";
	}
}
