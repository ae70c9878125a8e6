// SPDX-License-Identifier: GPL-2.0-only
/* See helpers.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "helpers.h"

/* Answers of other tools are looked at right away, so a few buffers in turn are enough. */
static char *next_buffer(void)
{
	static char buffers[8][PATH_MAX + 64];
	static unsigned int turn;

	return buffers[turn++ % 8];
}

/* One copy of each path there is, for as long as the test runs. */
static const char *keep(const char *path)
{
	static struct kept {
		struct kept *next;
		char path[];
	} * list;
	struct kept *kept;

	for (kept = list; kept; kept = kept->next) {
		if (!strcmp(kept->path, path))
			return kept->path;
	}
	kept = malloc(sizeof(*kept) + strlen(path) + 1);
	assert_non_null(kept);
	strcpy(kept->path, path);
	kept->next = list;
	list = kept;
	return kept->path;
}

const char *fixture(const char *name)
{
	const char *build = getenv("BPF_PROF_BUILD");
	char path[2 * PATH_MAX], real[PATH_MAX];

	if (!realpath(build ? build : "build", real))
		fail_msg("no build directory: set BPF_PROF_BUILD");
	snprintf(path, sizeof(path), "%s/tests/unit/blazesym/fixtures/%s", real, name);
	return keep(path);
}

const char *source(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "tests/unit/blazesym/fixtures/%s", name);
	return keep(path);
}

const char *output_of(const char *format, ...)
{
	char command[2 * PATH_MAX], *line = next_buffer();
	va_list args;
	FILE *pipe;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	pipe = popen(command, "r");
	if (!pipe)
		fail_msg("%s: %s", command, strerror(errno));
	if (!fgets(line, PATH_MAX, pipe))
		*line = '\0';
	line[strcspn(line, "\n")] = '\0';
	pclose(pipe);
	return line;
}

void run(const char *format, ...)
{
	char command[2 * PATH_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (system(command))
		fail_msg("failed: %s", command);
}

static void nm_symbol(const char *file, const char *symbol, uint64_t *addr, uint64_t *size)
{
	/* The dynamic symbols too, for stripped files; versions of names do not matter. */
	const char *line = output_of("{ nm -S '%s'; nm -D -S '%s'; } 2>/dev/null | "
				     "sed 's/@.*//' | awk '$NF == \"%s\"'",
				     file, file, symbol);

	*size = 0;
	if (sscanf(line, "%" SCNx64 " %" SCNx64 " ", addr, size) < 1)
		fail_msg("nm knows no %s in %s", symbol, file);
}

uint64_t nm_addr(const char *file, const char *symbol)
{
	uint64_t addr, size;

	nm_symbol(file, symbol, &addr, &size);
	return addr;
}

uint64_t nm_size(const char *file, const char *symbol)
{
	uint64_t addr, size;

	nm_symbol(file, symbol, &addr, &size);
	return size;
}

unsigned int source_line(const char *name, const char *marker)
{
	const char *line = output_of("grep -n 'line: %s \\*/' '%s'", marker, source(name));

	if (!*line)
		fail_msg("no line marked \"%s\" in %s", marker, name);
	return (unsigned int)atoi(line);
}

void child_start(struct child *child, const char *path, bool (*setup)(void *), void *arg)
{
	int in[2], out[2];
	char line[128];
	size_t len = 0;

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	child->pid = fork();
	if (!child->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(in[0], 0);
		dup2(out[1], 1);
		if (setup && !setup(arg))
			_exit(126);
		execl(path, path, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	child->in = in[1];
	child->out = out[0];
	while (len < sizeof(line) - 1) {
		ssize_t got = read(child->out, line + len, sizeof(line) - 1 - len);

		if (got <= 0)
			fail_msg("%s did not start", path);
		len += (size_t)got;
		if (line[len - 1] == '\n')
			break;
	}
	line[len] = '\0';
	assert_int_equal(sscanf(line, "%" SCNx64 " %" SCNx64, &child->addr, &child->shared_addr),
			 2);
}

void child_end(struct child *child)
{
	int status;

	close(child->in);
	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	close(child->out);
}

blaze_symbolizer *symbolizer(bool code_info, bool inlined_fns, bool demangle)
{
	struct blaze_symbolizer_opts opts = {
		.type_size = sizeof(opts),
		.auto_reload = true,
		.code_info = code_info,
		.inlined_fns = inlined_fns,
		.demangle = demangle,
	};
	blaze_symbolizer *symbolizer = blaze_symbolizer_new_opts(&opts);

	assert_non_null(symbolizer);
	return symbolizer;
}

const struct blaze_syms *elf_addr(blaze_symbolizer *symbolizer, const char *path, bool debug_syms,
				  uint64_t addr)
{
	struct blaze_symbolize_src_elf src = {
		.type_size = sizeof(src),
		.path = path,
		.debug_syms = debug_syms,
	};
	const struct blaze_syms *syms;

	syms = blaze_symbolize_elf_virt_offsets(symbolizer, &src, &addr, 1);
	if (!syms)
		fail_msg("%s: %s", path, blaze_err_str(blaze_err_last()));
	assert_int_equal(syms->cnt, 1);
	return syms;
}

const struct blaze_syms *process_addr(blaze_symbolizer *symbolizer, pid_t pid, uint64_t addr)
{
	struct blaze_symbolize_src_process src = {
		.type_size = sizeof(src),
		.pid = (uint32_t)pid,
		.debug_syms = true,
		.perf_map = true,
	};
	const struct blaze_syms *syms;

	syms = blaze_symbolize_process_abs_addrs(symbolizer, &src, &addr, 1);
	if (!syms)
		fail_msg("process %d: %s", (int)pid, blaze_err_str(blaze_err_last()));
	assert_int_equal(syms->cnt, 1);
	return syms;
}

void expect_elf(blaze_symbolizer *symbolizer, const char *path, uint64_t addr, const char *name,
		uint64_t offset)
{
	const struct blaze_syms *syms = elf_addr(symbolizer, path, true, addr);
	const struct blaze_sym *sym = &syms->syms[0];

	if (!sym->name)
		fail_msg("%#" PRIx64 " is not %s: %s", addr, name,
			 blaze_symbolize_reason_str(sym->reason));
	assert_string_equal(sym->name, name);
	assert_int_equal(sym->offset, offset);
	assert_int_equal(sym->addr, addr - offset);
	assert_int_equal(sym->reason, BLAZE_SYMBOLIZE_REASON_SUCCESS);
	blaze_syms_free(syms);
}

void expect_no_elf(blaze_symbolizer *symbolizer, const char *path, uint64_t addr,
		   blaze_symbolize_reason reason)
{
	const struct blaze_syms *syms = elf_addr(symbolizer, path, true, addr);

	assert_null(syms->syms[0].name);
	assert_int_equal(syms->syms[0].reason, reason);
	blaze_syms_free(syms);
}
