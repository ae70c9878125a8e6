// SPDX-License-Identifier: GPL-2.0-only
/* Files that take another one's place when they are whole, and only then. */
#include "helpers.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "picture.h"
#include "say.h"

static char base[64];

static int setup(void **state)
{
	say_setup("tester", false, false);
	if (folder_make(state))
		return -1;
	snprintf(base, sizeof(base), "%s", path_of("pic"));
	return 0;
}

static int empty(void **state)
{
	(void)state;
	folder_empty();
	return 0;
}

static int write_text(void *what, FILE *file)
{
	return fputs(what, file) < 0 ? -EIO : 0;
}

static int write_svg(const char *text)
{
	return picture_write(base, ".svg", write_text, (void *)text);
}

static void what_is_written_is_there_and_nothing_else(void **state)
{
	unsigned int files = open_files();

	(void)state;
	assert_int_equal(write_svg("first"), 0);
	check_content(path_of("pic.svg"), "first");
	assert_int_equal(folder_count(), 1);
	assert_int_equal(write_svg("second, longer"), 0);
	check_content(path_of("pic.svg"), "second, longer");
	assert_int_equal(write_svg(""), 0);
	check_content(path_of("pic.svg"), "");
	assert_int_equal(folder_count(), 1);
	assert_int_equal(open_files(), files);
}

/* Looks at the file while it is being written. */
static int look_meanwhile(void *what, FILE *file)
{
	assert_true(fputs("new", file) >= 0);
	assert_int_equal(fflush(file), 0);
	if (what)
		check_content(path_of("pic.svg"), what);
	else
		assert_null(content(path_of("pic.svg")));
	return 0;
}

static void nobody_sees_half_of_it(void **state)
{
	(void)state;
	assert_int_equal(picture_write(base, ".svg", look_meanwhile, NULL), 0);
	check_content(path_of("pic.svg"), "new");
	write_file(path_of("pic.svg"), "old");
	assert_int_equal(picture_write(base, ".svg", look_meanwhile, "old"), 0);
	check_content(path_of("pic.svg"), "new");
	assert_int_equal(folder_count(), 1);
}

static void who_reads_the_old_one_can_read_on(void **state)
{
	char text[16] = "";
	FILE *old;

	(void)state;
	assert_int_equal(write_svg("old text"), 0);
	old = fopen(path_of("pic.svg"), "re");
	assert_non_null(old);
	assert_int_equal(write_svg("new"), 0);
	assert_int_equal(fread(text, 1, sizeof(text) - 1, old), 8);
	assert_string_equal(text, "old text");
	fclose(old);
}

static int fail_midway(void *what, FILE *file)
{
	(void)what;
	assert_true(fputs("half", file) >= 0);
	return -ENOMEM;
}

static void a_failure_leaves_what_there_was(void **state)
{
	unsigned int files = open_files();

	(void)state;
	assert_int_equal(picture_write(base, ".svg", fail_midway, NULL), -ENOMEM);
	assert_int_equal(folder_count(), 0);
	write_file(path_of("pic.svg"), "old");
	assert_int_equal(picture_write(base, ".svg", fail_midway, NULL), -ENOMEM);
	check_content(path_of("pic.svg"), "old");
	assert_int_equal(folder_count(), 1);
	assert_int_equal(open_files(), files);
}

static void where_it_cannot_be_written_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(picture_write(path_of("missing/pic"), ".svg", write_text, "x"), -ENOENT);
	assert_int_equal(picture_write("/dev/null/pic", ".svg", write_text, "x"), -ENOTDIR);
	/* A directory is in its place. */
	assert_int_equal(mkdir(path_of("pic.svg"), 0700), 0);
	assert_int_equal(write_svg("x"), -EISDIR);
	assert_int_equal(folder_count(), 1);
}

static bool is_link(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return S_ISLNK(st.st_mode);
}

static void a_link_stays_one_and_its_target_is_written(void **state)
{
	(void)state;
	write_file(path_of("target"), "a long text of before");
	assert_int_equal(symlink("target", path_of("pic.svg")), 0);
	assert_int_equal(picture_check(base, ".svg"), 0);
	check_content(path_of("target"), "a long text of before");
	assert_int_equal(write_svg("new"), 0);
	assert_true(is_link(path_of("pic.svg")));
	assert_false(is_link(path_of("target")));
	check_content(path_of("target"), "new");
	assert_int_equal(folder_count(), 2);
}

static void a_device_stays_one(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(symlink("/dev/null", path_of("pic.svg")), 0);
	assert_int_equal(picture_check(base, ".svg"), 0);
	assert_int_equal(write_svg("x"), 0);
	assert_true(is_link(path_of("pic.svg")));
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(folder_count(), 1);
	/* Whose disk is full. */
	folder_empty();
	assert_int_equal(symlink("/dev/full", path_of("pic.svg")), 0);
	assert_int_equal(write_svg("x"), -ENOSPC);
	assert_true(is_link(path_of("pic.svg")));
	assert_int_equal(stat("/dev/full", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
}

static void *read_pipe(void *text)
{
	FILE *file = fopen(path_of("pic.svg"), "re");
	size_t size = file ? fread(text, 1, 63, file) : 0;

	((char *)text)[size] = 0;
	if (file)
		fclose(file);
	return NULL;
}

static void a_pipe_is_written_to(void **state)
{
	char text[64] = "";
	pthread_t reader;
	struct stat st;

	(void)state;
	assert_int_equal(mkfifo(path_of("pic.svg"), 0600), 0);
	assert_int_equal(pthread_create(&reader, NULL, read_pipe, text), 0);
	assert_int_equal(write_svg("through the pipe"), 0);
	pthread_join(reader, NULL);
	assert_string_equal(text, "through the pipe");
	assert_int_equal(lstat(path_of("pic.svg"), &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(folder_count(), 1);
}

static void to_check_changes_nothing(void **state)
{
	const struct timespec long_ago[2] = { { 1000000000, 5 }, { 1000000000, 5 } };
	unsigned int files = open_files();
	struct stat before, after;

	(void)state;
	assert_int_equal(picture_check(base, ".svg"), 0);
	assert_int_equal(folder_count(), 0);
	write_file(path_of("pic.svg"), "old");
	assert_int_equal(utimensat(AT_FDCWD, path_of("pic.svg"), long_ago, 0), 0);
	assert_int_equal(stat(path_of("pic.svg"), &before), 0);
	assert_int_equal(picture_check(base, ".svg"), 0);
	assert_int_equal(stat(path_of("pic.svg"), &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_size, before.st_size);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_int_equal(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
	assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	check_content(path_of("pic.svg"), "old");
	assert_int_equal(folder_count(), 1);
	assert_int_equal(open_files(), files);
}

static int check(const char *path, const char **told)
{
	int err;

	catch_begin();
	err = picture_check(path, ".svg");
	*told = catch_end();
	return err;
}

static void what_cannot_be_written_is_told_at_the_check(void **state)
{
	const char *told, *missing = path_of("missing/pic");

	(void)state;
	assert_int_equal(check(missing, &told), -ENOENT);
	check_told(told, missing);
	check_told(told, "missing/pic.svg: No such file or directory");
	assert_int_equal(mkdir(path_of("pic.svg"), 0700), 0);
	assert_int_equal(check(base, &told), -EISDIR);
	check_told(told, "pic.svg: Is a directory");
	assert_int_equal(check("/dev/null/pic", &told), -ENOTDIR);
	assert_int_equal(folder_count(), 1);
}

static void failures_are_told_by_name(void **state)
{
	const char *told;

	(void)state;
	catch_begin();
	assert_int_equal(picture_failed("a/b", "-7.svg", -ENOSPC), -ENOSPC);
	told = catch_end();
	check_told(told, "cannot write a/b-7.svg: No space left on device");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, empty, empty)
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_is_there_and_nothing_else),
		TEST(nobody_sees_half_of_it),
		TEST(who_reads_the_old_one_can_read_on),
		TEST(a_failure_leaves_what_there_was),
		TEST(where_it_cannot_be_written_is_an_error),
		TEST(a_link_stays_one_and_its_target_is_written),
		TEST(a_device_stays_one),
		TEST(a_pipe_is_written_to),
		TEST(to_check_changes_nothing),
		TEST(what_cannot_be_written_is_told_at_the_check),
		TEST(failures_are_told_by_name),
	};

	alarm(60); /* rather than hang for ever */
	return cmocka_run_group_tests_name("pictures' files", tests, setup, folder_remove);
}
