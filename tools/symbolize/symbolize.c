// SPDX-License-Identifier: GPL-2.0-only
/* Which functions are at these addresses? */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "json.h"
#include "options.h"
#include "say.h"
#include "symbolize.h"

/* The kernel's own bound for pids (PID_MAX_LIMIT). */
#define MOST_PIDS (4 << 20)

/* Of standard input, so much is taken at once; a word in it takes at least two bytes. */
#define INPUT_LEN 65536
#define BATCH	  (INPUT_LEN / 2)

static const char *binary, *file;
static uint64_t pid;
static bool kernel, no_lines;

static const struct option_entry options[] = {
	{ "pid", 'p', OPTION_COUNT, "PID", "addresses in this process", .value = &pid, .least = 1,
	  .most = MOST_PIDS },
	{ "kernel", 'k', OPTION_FLAG, NULL, "addresses in the kernel", .value = &kernel },
	{ "exe", 'e', OPTION_STRING, "FILE",
	  "addresses in this ELF file, as the file itself counts them", .value = &file },
	{ "symbols", 0, OPTION_STRING, "BINARY",
	  "answer standard input as pprof --symbols BINARY does", .value = &binary },
	{ "no-lines", 0, OPTION_FLAG, NULL, "no source lines and inlined functions: faster",
	  .value = &no_lines },
	{},
};

static const char *check(struct settings *settings)
{
	if (!pid + !kernel + !file + !binary != 3)
		return "needs one of -p PID, -k, -e FILE and --symbols BINARY";
	if (binary && settings->argument_count)
		return "--symbols takes addresses from standard input only";
	if (binary && (settings->json || no_lines))
		return "--symbols prints names and nothing else: no --json, no --no-lines";
	return NULL;
}

static const struct synopsis synopsis = {
	.name = "symbolize",
	.summary = "Which functions are at these addresses?",
	.description =
		"ADDR is hexadecimal, with 0x or without. Without any, addresses are read from\n"
		"standard input, divided by white space, and answered as they come. An answer is a line\n"
		"\n"
		"  ADDR FUNCTION+OFFSET (FILE) SOURCE:LINE\n"
		"\n"
		"and below it the functions that the compiler inlined there, outermost first. What is not\n"
		"known is left out; an address without a function has ?? and the reason. An address to\n"
		"return to lies behind its call: look up the byte before it to get the call's line.\n"
		"\n"
		"With --symbols, lines of /proc/PID/maps and lines with an address (0x...) are read to\n"
		"their end; for each address a line follows with the function's name, or ??. Addresses\n"
		"that are in none of the mapped files that there are here are BINARY's own. So with\n"
		"PPROF_PATH=/path/to/symbolize the heap checker of tcmalloc (gperftools) has names in its\n"
		"reports.",
	.examples =
		"  symbolize -p 4242 7f3a5c0e6a10     in a process that runs\n"
		"  symbolize -k < addresses           in the kernel\n"
		"  symbolize -e ./server 0x4011d6     what a log of ./server says\n"
		"  LD_PRELOAD=libtcmalloc.so.4 HEAPCHECK=normal PPROF_PATH=/usr/local/bin/symbolize ./server",
	.arguments = "[ADDR...]",
	.takes = TAKES_OUTPUT | TAKES_ARGUMENTS,
	.options = options,
	.check = check,
};

/* A run: where to ask, and where answers go. */
struct run {
	blaze_symbolizer *symbolizer;
	struct output out;
	bool json;
	size_t rows;
};

bool parse_address(const char *text, size_t length, uint64_t *addr)
{
	const char *end = text + length;
	uint64_t value = 0;

	if (length > 2 && text[0] == '0' && tolower(text[1]) == 'x')
		text += 2;
	if (text == end)
		return false;
	for (; text < end; text++) {
		if (!isxdigit((unsigned char)*text) || value >> 60)
			return false;
		value = value << 4 |
			(isdigit((unsigned char)*text) ? *text - '0' : tolower(*text) - 'a' + 10);
	}
	*addr = value;
	return true;
}

/* Says why there is no answer; returns the exit status. */
static int refuse(blaze_err err)
{
	bool denied = err == BLAZE_ERR_PERMISSION_DENIED;
	const char *why = blaze_err_str(err);

	if (pid && err == BLAZE_ERR_NOT_FOUND)
		say_error("there is no process %llu", (unsigned long long)pid);
	else if (pid)
		say_error("cannot look into process %llu: %s%s", (unsigned long long)pid, why,
			  denied ? " (be its user, or root)" : "");
	else if (kernel)
		say_error("cannot read /proc/kallsyms: %s%s", why, denied ? " (be root)" : "");
	else if (err == BLAZE_ERR_INVALID_DATA || err == BLAZE_ERR_UNSUPPORTED)
		say_error("'%s' is no ELF file that can be read: %s", file, why);
	else
		say_error("cannot read '%s': %s", file, why);
	return denied ? EXIT_CANNOT : EXIT_FAILED;
}

static const struct blaze_syms *look_up(blaze_symbolizer *symbolizer, const uint64_t *addrs,
					size_t count)
{
	struct blaze_symbolize_src_process in_process = {
		.type_size = sizeof(in_process),
		.pid = pid,
		.debug_syms = true,
		.perf_map = true,
	};
	struct blaze_symbolize_src_kernel in_kernel = {
		.type_size = sizeof(in_kernel),
		.vmlinux = "",
	};
	struct blaze_symbolize_src_elf in_file = {
		.type_size = sizeof(in_file),
		.path = file,
		.debug_syms = true,
	};

	if (pid)
		return blaze_symbolize_process_abs_addrs(symbolizer, &in_process, addrs, count);
	if (kernel)
		return blaze_symbolize_kernel_abs_addrs(symbolizer, &in_kernel, addrs, count);
	return blaze_symbolize_elf_virt_offsets(symbolizer, &in_file, addrs, count);
}

/* Is it that the kernel shows its addresses to none, or not to this user? */
static int check_shown(const struct blaze_syms *syms)
{
	size_t i;

	for (i = 0; kernel && i < syms->cnt; i++) {
		if (syms->syms[i].reason != BLAZE_SYMBOLIZE_REASON_MISSING_SYMS)
			continue;
		say_error("the kernel hides its addresses: be root (CAP_SYSLOG), with the sysctl "
			  "kernel.kptr_restrict at 0 or 1");
		return EXIT_CANNOT;
	}
	return 0;
}

/* Where @sym is: a file's path, or for the kernel, which names its modules barely, [NAME]. */
static const char *module_of(const struct blaze_sym *sym, char *buf, size_t size)
{
	if (!sym->name || (!kernel && sym->module))
		return sym->module;
	if (!kernel)
		return file;
	if (sym->module && *sym->module == '[')
		return sym->module;
	snprintf(buf, size, "[%s]", sym->module ? sym->module : "kernel");
	return buf;
}

/* Looks @count addresses up and prints what they are. Returns 0 or an exit status. */
static int answer(struct run *run, const uint64_t *addrs, size_t count)
{
	const struct blaze_syms *syms;
	FILE *to = run->out.file;
	const char *module;
	char buf[80];
	int status;
	size_t i;

	if (!count)
		return 0;
	syms = look_up(run->symbolizer, addrs, count);
	if (!syms)
		return refuse(blaze_err_last());
	status = check_shown(syms);
	for (i = 0; i < syms->cnt && !status; i++) {
		module = module_of(&syms->syms[i], buf, sizeof(buf));
		if (run->json) {
			fputs(run->rows++ ? "," : "", to);
			print_json(to, addrs[i], &syms->syms[i], module);
		} else {
			print_text(to, addrs[i], &syms->syms[i], module);
		}
	}
	blaze_syms_free(syms);
	/* A JSON object is to be there as a whole or not at all. */
	if (!run->json)
		output_flush(&run->out);
	return status;
}

static int bad_address(const char *word, size_t length)
{
	say_error("'%.*s' is no address: needs a hexadecimal number of 64 bits",
		  length < 80 ? (int)length : 80, word);
	return EXIT_USAGE;
}

static int answer_arguments(struct run *run, char **words, unsigned int count)
{
	uint64_t *addrs = calloc(count, sizeof(*addrs));
	unsigned int i;
	int status = 0;

	if (!addrs) {
		say_error("out of memory for the addresses");
		return EXIT_FAILED;
	}
	for (i = 0; i < count && !status; i++) {
		if (!parse_address(words[i], strlen(words[i]), &addrs[i]))
			status = bad_address(words[i], strlen(words[i]));
	}
	if (!status)
		status = answer(run, addrs, count);
	free(addrs);
	return status;
}

/*
 * Answers the words in @text, up to the last one that is complete: the part behind that may go on.
 * Notes in @used how much that was.
 */
static int answer_words(struct run *run, const char *text, size_t length, size_t *used)
{
	static uint64_t addrs[BATCH + 1];
	size_t count = 0, start = 0, bad = 0, i;
	int status;

	for (i = 0; i < length; i++) {
		if (!isspace((unsigned char)text[i]))
			continue;
		if (i > start && !parse_address(&text[start], i - start, &addrs[count])) {
			bad = i - start;
			break;
		}
		count += i > start;
		start = i + 1;
	}
	*used = start;
	/* What came before a bad one has its answer. */
	status = answer(run, addrs, count);
	return !status && bad ? bad_address(&text[start], bad) : status;
}

static int answer_input(struct run *run)
{
	static char text[INPUT_LEN + 1];
	size_t length = 0, used;
	int status = 0;
	ssize_t n;

	if (isatty(STDIN_FILENO))
		say_note("reading addresses from standard input");
	do {
		n = read(STDIN_FILENO, text + length, INPUT_LEN - length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			say_error("cannot read standard input: %s", strerror(errno));
			return EXIT_FAILED;
		}
		length += n;
		if (!n) /* the last word need not have an end */
			text[length++] = '\n';
		status = answer_words(run, text, length, &used);
		length -= used;
		memmove(text, text + used, length);
		if (!status && length == INPUT_LEN)
			status = bad_address(text, length);
	} while (n && !status && !run->out.error);
	return status;
}

static int answer_all(struct run *run, const struct settings *settings)
{
	int status;

	if (run->json)
		json_begin_rows(run->out.file, synopsis.name);
	status = settings->argument_count
			 ? answer_arguments(run, settings->arguments, settings->argument_count)
			 : answer_input(run);
	if (run->json && !status) {
		json_end_rows(run->out.file);
		output_flush(&run->out);
	}
	return status;
}

/* Finds out now what every address would fail for. */
static int check_source(blaze_symbolizer *symbolizer)
{
	struct blaze_cache_src_elf src = { .type_size = sizeof(src), .path = file };
	char path[32];

	if (file) {
		blaze_symbolize_cache_elf(symbolizer, &src);
		if (blaze_err_last())
			return refuse(blaze_err_last());
	} else if (pid) {
		snprintf(path, sizeof(path), "/proc/%llu/maps", (unsigned long long)pid);
		if (access(path, F_OK))
			return refuse(BLAZE_ERR_NOT_FOUND);
	}
	return 0;
}

static int run_to_end(struct run *run, const struct settings *settings)
{
	int status, err;

	err = output_open(&run->out, settings->output);
	if (err) {
		say_error("cannot write to %s: %s", settings->output, strerror(-err));
		return EXIT_FAILED;
	}
	output_begin(&run->out);
	status = binary ? pprof_symbols(run->symbolizer, binary, &run->out)
			: answer_all(run, settings);
	/* What there is of a JSON object that has no end stays here. */
	if (run->json && status)
		rewind(run->out.file);
	err = output_close(&run->out);
	if (!err || err == -EPIPE) /* nobody is interested any more */
		return status;
	say_error("cannot write to %s: %s", settings->output ?: "standard output", strerror(-err));
	return EXIT_FAILED;
}

int main(int argc, char **argv)
{
	struct blaze_symbolizer_opts opts = { .type_size = sizeof(opts), .demangle = true };
	struct settings settings;
	struct run run = {};
	int status;

	/* A standard input that is closed is an empty one, not the next file that is opened. */
	if (fcntl(STDIN_FILENO, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0)
		return EXIT_FAILED;
	status = options_parse(&synopsis, argc, argv, &settings);
	if (status >= 0)
		return status;
	signal(SIGPIPE, SIG_IGN);
	opts.code_info = opts.inlined_fns = !no_lines && !binary;
	run.json = settings.json;
	run.symbolizer = blaze_symbolizer_new_opts(&opts);
	if (!run.symbolizer) {
		say_error("cannot set up symbolization: %s", blaze_err_str(blaze_err_last()));
		return EXIT_FAILED;
	}
	status = check_source(run.symbolizer);
	if (!status)
		status = run_to_end(&run, &settings);
	blaze_symbolizer_free(run.symbolizer);
	return status;
}
