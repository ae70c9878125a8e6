// SPDX-License-Identifier: GPL-2.0-only
/* Where reports go, and what is told when they do not get there. */
#include "helpers.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int setup(void **state)
{
	/* As units do. */
	signal(SIGPIPE, SIG_IGN);
	return folder_make(state);
}

static int teardown(void **state)
{
	unlink(path_of("report"));
	return folder_remove(state);
}

static void a_file_has_what_was_printed_once_it_is_flushed(void **state)
{
	unsigned int files = open_files();
	struct output out;

	(void)state;
	assert_int_equal(output_open(&out, path_of("report")), 0);
	assert_false(out.terminal || out.colour || out.refresh);
	fputs("first\n", out.file);
	assert_int_equal(output_flush(&out), 0);
	check_content(path_of("report"), "first\n");
	fputs("second\n", out.file);
	assert_int_equal(output_close(&out), 0);
	check_content(path_of("report"), "first\nsecond\n");
	assert_int_equal(open_files(), files);
}

static void what_was_in_the_file_is_gone_once_it_begins(void **state)
{
	struct output out;

	(void)state;
	assert_int_equal(output_open(&out, path_of("report")), 0);
	fputs("a long text of the run before\n", out.file);
	assert_int_equal(output_close(&out), 0);
	assert_int_equal(output_open(&out, path_of("report")), 0);
	check_content(path_of("report"), "a long text of the run before\n");
	output_begin(&out);
	check_content(path_of("report"), "");
	fputs("new\n", out.file);
	assert_int_equal(output_close(&out), 0);
	check_content(path_of("report"), "new\n");
}

/* In a process of its own, whose standard output it closes. */
static void without_a_path_it_is_standard_output(void **state)
{
	struct output out;
	int file, status;
	pid_t pid;

	(void)state;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		file = open(path_of("report"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (file < 0 || dup2(file, STDOUT_FILENO) < 0 || output_open(&out, NULL))
			_exit(1);
		fputs("report\n", out.file);
		_exit(output_flush(&out) || out.path || output_close(&out) ? 2 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	check_content(path_of("report"), "report\n");
}

static void a_command_does_not_inherit_the_file(void **state)
{
	unsigned int found = 0;
	struct output out;
	struct stat st, it;
	int fd;

	(void)state;
	assert_int_equal(output_open(&out, path_of("report")), 0);
	assert_int_equal(stat(path_of("report"), &it), 0);
	for (fd = 0; fd < 1000; fd++) {
		if (fstat(fd, &st) || st.st_ino != it.st_ino || st.st_dev != it.st_dev)
			continue;
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		found++;
	}
	assert_int_equal(found, 1);
	assert_int_equal(output_close(&out), 0);
}

static void a_path_that_cannot_be_written_is_an_error(void **state)
{
	unsigned int files = open_files();
	struct output out;

	(void)state;
	assert_int_equal(output_open(&out, path_of("missing/report")), -ENOENT);
	assert_int_equal(output_open(&out, path_of("")), -EISDIR);
	assert_int_equal(output_open(&out, "/dev/null/report"), -ENOTDIR);
	assert_int_equal(output_open(&out, ""), -ENOENT);
	assert_int_equal(open_files(), files);
}

/* Small reports stay in stdio's buffer until the flush; large ones meet the device before that. */
static const size_t sizes[] = { 1, 100, 4095, 4096, 4097, 8192, 10000, 65536, 100001 };

#define SIZES (sizeof(sizes) / sizeof(*sizes))

static void print(struct output *out, size_t size)
{
	char *text = malloc(size + 1);

	assert_non_null(text);
	memset(text, 'x', size);
	text[size] = 0;
	/* As the JSON renderer does. */
	fprintf(out->file, "%s\n", text);
	free(text);
}

static void a_full_device_is_told_whatever_the_size(void **state)
{
	unsigned int files = open_files();
	struct output out;
	size_t i;
	int err;

	(void)state;
	for (i = 0; i < SIZES; i++) {
		assert_int_equal(output_open(&out, "/dev/full"), 0);
		print(&out, sizes[i]);
		err = output_flush(&out);
		if (err != -ENOSPC)
			fail_msg("%zu bytes to a full device give %s", sizes[i], strerror(-err));
		err = output_close(&out);
		if (err != -ENOSPC)
			fail_msg("after it, closing gives %s", strerror(-err));
	}
	assert_int_equal(open_files(), files);
}

static void a_full_device_is_told_at_the_close_too(void **state)
{
	struct output out;
	size_t i;
	int err;

	(void)state;
	for (i = 0; i < SIZES; i++) {
		assert_int_equal(output_open(&out, "/dev/full"), 0);
		print(&out, sizes[i]);
		err = output_close(&out);
		if (err != -ENOSPC)
			fail_msg("%zu bytes to a full device give %s", sizes[i], strerror(-err));
	}
}

/* Opens a pipe for output; the end to read from is in *@reader. */
static void open_pipe(struct output *out, int *reader)
{
	char path[64];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[1]);
	assert_int_equal(output_open(out, path), 0);
	close(ends[1]);
	*reader = ends[0];
}

static void a_pipe_that_nobody_reads_is_told_apart_whatever_the_size(void **state)
{
	unsigned int files = open_files();
	struct output out;
	int reader, err;
	size_t i;

	(void)state;
	for (i = 0; i < SIZES; i++) {
		open_pipe(&out, &reader);
		close(reader);
		print(&out, sizes[i]);
		err = output_flush(&out);
		if (err != -EPIPE)
			fail_msg("%zu bytes to a closed pipe give %s", sizes[i], strerror(-err));
		err = output_close(&out);
		if (err != -EPIPE)
			fail_msg("after it, closing gives %s", strerror(-err));
	}
	assert_int_equal(open_files(), files);
}

static void a_pipe_that_is_read_gets_each_report_at_its_flush(void **state)
{
	struct output out;
	char text[16] = "";
	int reader;

	(void)state;
	open_pipe(&out, &reader);
	fputs("one\n", out.file);
	assert_int_equal(output_flush(&out), 0);
	assert_int_equal(read(reader, text, sizeof(text)), 4);
	assert_string_equal(text, "one\n");
	close(reader);
	/* Nothing new has been printed: nothing is wrong yet. */
	assert_int_equal(output_flush(&out), 0);
	fputs("two\n", out.file);
	assert_int_equal(output_flush(&out), -EPIPE);
	assert_int_equal(output_close(&out), -EPIPE);
}

static void an_error_does_not_go_away(void **state)
{
	struct output out;
	int reader, i;

	(void)state;
	open_pipe(&out, &reader);
	close(reader);
	for (i = 0; i < 3; i++) {
		fputs("report\n", out.file);
		assert_int_equal(output_flush(&out), -EPIPE);
	}
	assert_int_equal(output_close(&out), -EPIPE);
}

/* Opens a terminal with the environment's @term and @no_colour (NULL: not set). */
static void check_terminal(const char *term, const char *no_colour, bool terminal, bool colour)
{
	int master, slave;
	struct output out;
	char name[128];

	unsetenv("TERM");
	unsetenv("NO_COLOR");
	if (term)
		setenv("TERM", term, 1);
	if (no_colour)
		setenv("NO_COLOR", no_colour, 1);
	assert_int_equal(openpty(&master, &slave, name, NULL, NULL), 0);
	assert_int_equal(output_open(&out, name), 0);
	assert_int_equal(out.terminal, terminal);
	assert_int_equal(out.colour, colour);
	assert_int_equal(output_close(&out), 0);
	close(master);
	close(slave);
}

static void a_terminal_has_colours_unless_told_otherwise(void **state)
{
	(void)state;
	check_terminal("xterm-256color", NULL, true, true);
	check_terminal("xterm", "1", true, false);
	check_terminal("xterm", "yes", true, false);
	/* https://no-color.org: when present and not an empty string. */
	check_terminal("xterm", "", true, true);
	check_terminal("dumb", NULL, false, false);
	check_terminal(NULL, NULL, false, false);
}

static void a_file_has_no_colours_whatever_the_terminal(void **state)
{
	struct output out;

	(void)state;
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	assert_int_equal(output_open(&out, path_of("report")), 0);
	assert_false(out.terminal);
	assert_false(out.colour);
	assert_int_equal(output_close(&out), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_has_what_was_printed_once_it_is_flushed),
		cmocka_unit_test(what_was_in_the_file_is_gone_once_it_begins),
		cmocka_unit_test(without_a_path_it_is_standard_output),
		cmocka_unit_test(a_command_does_not_inherit_the_file),
		cmocka_unit_test(a_path_that_cannot_be_written_is_an_error),
		cmocka_unit_test(a_full_device_is_told_whatever_the_size),
		cmocka_unit_test(a_full_device_is_told_at_the_close_too),
		cmocka_unit_test(a_pipe_that_nobody_reads_is_told_apart_whatever_the_size),
		cmocka_unit_test(a_pipe_that_is_read_gets_each_report_at_its_flush),
		cmocka_unit_test(an_error_does_not_go_away),
		cmocka_unit_test(a_terminal_has_colours_unless_told_otherwise),
		cmocka_unit_test(a_file_has_no_colours_whatever_the_terminal),
	};

	return cmocka_run_group_tests_name("output", tests, setup, teardown);
}
