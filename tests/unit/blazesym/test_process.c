// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses in processes: our own, other ones, in other namespaces, without their files. A
 * process itself says where its functions are.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "helpers.h"

static void expect_sym(const struct blaze_syms *syms, const char *name, uint64_t offset,
		       const char *module_end)
{
	const struct blaze_sym *sym = &syms->syms[0];

	if (!sym->name)
		fail_msg("not %s: %s", name, blaze_symbolize_reason_str(sym->reason));
	assert_string_equal(sym->name, name);
	assert_int_equal(sym->offset, offset);
	if (module_end) {
		size_t len = strlen(sym->module), end = strlen(module_end);

		assert_true(len >= end);
		assert_string_equal(sym->module + len - end, module_end);
	}
	blaze_syms_free(syms);
}

static void expect_reason(const struct blaze_syms *syms, blaze_symbolize_reason reason)
{
	assert_null(syms->syms[0].name);
	assert_int_equal(syms->syms[0].reason, reason);
	blaze_syms_free(syms);
}

__attribute__((noinline)) static int own_function(int x)
{
	__asm__ volatile("" ::: "memory");
	return x + 1;
}

static void ones_own_functions_are_found(void **state)
{
	blaze_symbolizer *s = symbolizer(true, true, false);
	uint64_t addr = (uint64_t)(uintptr_t)own_function;

	(void)state;
	expect_sym(process_addr(s, 0, addr), "own_function", 0, "test_process");
	expect_sym(process_addr(s, getpid(), addr + 1), "own_function", 1, "test_process");
	own_function(1);
	blaze_symbolizer_free(s);
}

static void another_process_is_found(void **state)
{
	blaze_symbolizer *s = symbolizer(true, true, false);
	struct child child;

	(void)state;
	child_start(&child, fixture("sleeper"), NULL, NULL);
	expect_sym(process_addr(s, child.pid, child.addr), "target_function", 0, "/sleeper");
	expect_sym(process_addr(s, child.pid, child.addr + 2), "target_function", 2, "/sleeper");
	/* A library whose addresses are not its file offsets. */
	expect_sym(process_addr(s, child.pid, child.shared_addr + 1), "shared_function", 1,
		   "/libshared.so");
	child_end(&child);
	blaze_symbolizer_free(s);
}

static void normalized_addresses_are_what_nm_says(void **state)
{
	blaze_symbolizer *s = symbolizer(false, false, false);
	const struct blaze_syms *syms;
	struct child child;

	(void)state;
	child_start(&child, fixture("sleeper"), NULL, NULL);
	syms = process_addr(s, child.pid, child.shared_addr + 1);
	assert_int_equal(syms->syms[0].addr, nm_addr(fixture("libshared.so"), "shared_function"));
	blaze_syms_free(syms);
	child_end(&child);
	blaze_symbolizer_free(s);
}

static void many_addresses_keep_their_order(void **state)
{
	blaze_symbolizer *s = symbolizer(false, false, false);
	struct blaze_symbolize_src_process src = { .type_size = sizeof(src) };
	const struct blaze_syms *syms;
	uint64_t addrs[64];
	struct child child;

	(void)state;
	child_start(&child, fixture("sleeper"), NULL, NULL);
	src.pid = (uint32_t)child.pid;
	for (size_t i = 0; i < 64; i++)
		addrs[i] = i % 3 == 0 ? child.addr : i % 3 == 1 ? child.shared_addr + 1 : 16;
	syms = blaze_symbolize_process_abs_addrs(s, &src, addrs, 64);
	assert_non_null(syms);
	assert_int_equal(syms->cnt, 64);
	for (size_t i = 0; i < 64; i++) {
		if (i % 3 == 2)
			assert_int_equal(syms->syms[i].reason, BLAZE_SYMBOLIZE_REASON_UNMAPPED);
		else
			assert_string_equal(syms->syms[i].name,
					    i % 3 ? "shared_function" : "target_function");
	}
	blaze_syms_free(syms);
	child_end(&child);
	blaze_symbolizer_free(s);
}

static void reasons_tell_what_is_wrong(void **state)
{
	blaze_symbolizer *s = symbolizer(false, false, false);
	void *anon = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int on_stack;
	const struct blaze_syms *syms;

	(void)state;
	expect_reason(process_addr(s, 0, 8), BLAZE_SYMBOLIZE_REASON_UNMAPPED);
	expect_reason(process_addr(s, 0, UINT64_MAX), BLAZE_SYMBOLIZE_REASON_UNMAPPED);
	expect_reason(process_addr(s, 0, (uint64_t)(uintptr_t)anon + 4),
		      BLAZE_SYMBOLIZE_REASON_MISSING_COMPONENT);
	syms = process_addr(s, 0, (uint64_t)(uintptr_t)&on_stack);
	assert_null(syms->syms[0].name);
	blaze_syms_free(syms);
	munmap(anon, 4096);
	blaze_symbolizer_free(s);
}

static void a_process_that_is_not_there_is_an_error(void **state)
{
	blaze_symbolizer *s = symbolizer(false, false, false);
	struct blaze_symbolize_src_process src = { .type_size = sizeof(src) };
	uint64_t addr = 4096;
	pid_t pid = fork();

	(void)state;
	if (!pid)
		_exit(0);
	/* A zombie has no mappings; and after that it is gone. */
	src.pid = (uint32_t)pid;
	waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
	assert_null(blaze_symbolize_process_abs_addrs(s, &src, &addr, 1));
	assert_int_equal(blaze_err_last(), BLAZE_ERR_NOT_FOUND);
	waitpid(pid, NULL, 0);
	assert_null(blaze_symbolize_process_abs_addrs(s, &src, &addr, 1));
	assert_int_equal(blaze_err_last(), BLAZE_ERR_NOT_FOUND);
	blaze_symbolizer_free(s);
}

/* The vDSO as an ELF file of its own, so that nm can be asked what is in it. */
static uint64_t vdso_symbol(const char *name)
{
	uint64_t base = getauxval(AT_SYSINFO_EHDR), addr;
	char path[] = "/tmp/blazesym-test-XXXXXX";
	char line[256];
	FILE *maps;
	int fd;

	if (!base)
		return 0;
	maps = fopen("/proc/self/maps", "r");
	while (fgets(line, sizeof(line), maps)) {
		unsigned long start, end;

		if (!strstr(line, "[vdso]") || sscanf(line, "%lx-%lx", &start, &end) != 2)
			continue;
		fd = mkstemp(path);
		assert_int_equal(write(fd, (void *)start, end - start), end - start);
		close(fd);
	}
	fclose(maps);
	addr = nm_addr(path, name);
	unlink(path);
	return base + addr;
}

static void the_vdso_is_symbolized(void **state)
{
	struct blaze_symbolize_src_process src = { .type_size = sizeof(src), .no_vdso = true };
	blaze_symbolizer *s;
	uint64_t addr, child_vdso = 0;
	const struct blaze_syms *syms;
	struct child child;
	char path[64];
	int fd;

	(void)state;
#ifndef __x86_64__
	pass_over("the vdso's functions have other names on this machine");
#endif
	addr = vdso_symbol("__vdso_clock_gettime");
	if (!addr)
		pass_over("the vdso does not have clock_gettime()");
	s = symbolizer(true, true, false);
	/* clock_gettime is a weak alias of it, without underscores. */
	syms = process_addr(s, 0, addr);
	assert_string_equal(syms->syms[0].name, "clock_gettime");
	assert_string_equal(syms->syms[0].module, "[vdso]");
	assert_int_equal(syms->syms[0].offset, 0);
	blaze_syms_free(syms);
	/* Not if told to leave it alone. */
	syms = blaze_symbolize_process_abs_addrs(s, &src, &addr, 1);
	expect_reason(syms, BLAZE_SYMBOLIZE_REASON_UNSUPPORTED);
	/* In another process, where it is elsewhere. */
	child_start(&child, fixture("sleeper"), NULL, NULL);
	snprintf(path, sizeof(path), "/proc/%d/auxv", (int)child.pid);
	fd = open(path, O_RDONLY);
	for (uint64_t entry[2]; read(fd, entry, sizeof(entry)) == sizeof(entry);) {
		if (entry[0] == AT_SYSINFO_EHDR)
			child_vdso = entry[1];
	}
	close(fd);
	assert_true(child_vdso != 0);
	addr += child_vdso - getauxval(AT_SYSINFO_EHDR);
	expect_sym(process_addr(s, child.pid, addr + 1), "clock_gettime", 1, "[vdso]");
	child_end(&child);
	blaze_symbolizer_free(s);
}

/* A copy of the sleeper and its library in a directory of its own. */
static void make_copy(char *dir)
{
	assert_non_null(mkdtemp(dir));
	run("cp '%s' '%s' %s", fixture("sleeper"), fixture("libshared.so"), dir);
}

static void deleted_files_are_still_read(void **state)
{
	char dir[] = "/tmp/blazesym-test-XXXXXX", path[128];
	blaze_symbolizer *s;
	struct blaze_symbolize_src_process src = { .type_size = sizeof(src), .no_map_files = true };
	struct child child;

	(void)state;
	if (geteuid())
		pass_over("needs root");
	s = symbolizer(true, true, false);
	make_copy(dir);
	snprintf(path, sizeof(path), "%s/sleeper", dir);
	child_start(&child, path, NULL, NULL);
	run("rm -r %s", dir);
	expect_sym(process_addr(s, child.pid, child.addr), "target_function", 0, "/sleeper");
	expect_sym(process_addr(s, child.pid, child.shared_addr), "shared_function", 0,
		   "/libshared.so");
	blaze_symbolizer_free(s);
	/* By path alone there is no way. */
	s = symbolizer(true, true, false);
	src.pid = (uint32_t)child.pid;
	expect_reason(blaze_symbolize_process_abs_addrs(s, &src, &child.addr, 1),
		      BLAZE_SYMBOLIZE_REASON_IGNORED_ERROR);
	child_end(&child);
	blaze_symbolizer_free(s);
}

static void another_file_at_the_same_path_is_not_confused(void **state)
{
	char dir[] = "/tmp/blazesym-test-XXXXXX", path[128];
	blaze_symbolizer *s;
	struct child child;

	(void)state;
	if (geteuid())
		pass_over("needs root");
	s = symbolizer(true, true, false);
	make_copy(dir);
	snprintf(path, sizeof(path), "%s/sleeper", dir);
	child_start(&child, path, NULL, NULL);
	/* As an upgrade does it: a new file under the old name. */
	run("cp '%s' %s/new && mv %s/new %s", fixture("cxx"), dir, dir, path);
	expect_sym(process_addr(s, child.pid, child.addr), "target_function", 0, "/sleeper");
	child_end(&child);
	run("rm -r %s", dir);
	blaze_symbolizer_free(s);
}

/* In the child: a file system of its own on @arg, with the sleeper in it. */
static bool own_mounts(void *arg)
{
	const char *dir = arg;
	char command[512];

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", dir, "tmpfs", 0, NULL))
		return false;
	snprintf(command, sizeof(command), "cp '%s' '%s' %s", fixture("sleeper"),
		 fixture("libshared.so"), dir);
	return !system(command);
}

static void processes_in_other_mount_namespaces_are_found(void **state)
{
	char dir[] = "/tmp/blazesym-test-XXXXXX", path[128];
	struct blaze_symbolize_src_process src = { .type_size = sizeof(src), .no_map_files = true };
	blaze_symbolizer *s;
	struct child child;

	(void)state;
	if (geteuid())
		pass_over("needs root");
	s = symbolizer(true, true, false);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sleeper", dir);
	child_start(&child, path, own_mounts, dir);
	/* From here there is no such file. */
	assert_int_not_equal(access(path, F_OK), 0);
	expect_sym(process_addr(s, child.pid, child.addr), "target_function", 0, "/sleeper");
	blaze_symbolizer_free(s);
	/* And through its root instead of map_files. */
	s = symbolizer(true, true, false);
	src.pid = (uint32_t)child.pid;
	expect_sym(blaze_symbolize_process_abs_addrs(s, &src, &child.shared_addr, 1),
		   "shared_function", 0, "/libshared.so");
	child_end(&child);
	rmdir(dir);
	blaze_symbolizer_free(s);
}

/* In the child: a mount and pid namespace with a /tmp of its own, as pid 1; runs @arg. */
static bool own_pid_and_tmp(void *arg)
{
	/* It may be in the /tmp that is covered. */
	int status, fd = open(arg, O_RDONLY | O_CLOEXEC);
	char *argv[] = { arg, NULL };
	pid_t pid;

	if (unshare(CLONE_NEWNS | CLONE_NEWPID) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return false;
	pid = fork();
	if (!pid) {
		if (!mount("none", "/tmp", "tmpfs", 0, NULL))
			fexecve(fd, argv, environ);
		_exit(1);
	}
	/* The namespace is for children; stay around to be waited for, holding no pipe. */
	close_range(0, ~0U, 0);
	waitpid(pid, &status, 0);
	_exit(0);
}

static void expect_jit(blaze_symbolizer *s, pid_t pid, uint64_t code)
{
	struct blaze_symbolize_src_process src = { .type_size = sizeof(src), .pid = (uint32_t)pid };

	expect_sym(process_addr(s, pid, code), "first", 0, NULL);
	expect_sym(process_addr(s, pid, code + 0x3f), "first", 0x3f, NULL);
	expect_sym(process_addr(s, pid, code + 0x5f), "second with spaces", 0x1f, NULL);
	expect_sym(process_addr(s, pid, code + 0x60), "recompiled", 0, NULL);
	expect_reason(process_addr(s, pid, code + 0x80), BLAZE_SYMBOLIZE_REASON_MISSING_COMPONENT);
	/* Only if it is asked for. */
	expect_reason(blaze_symbolize_process_abs_addrs(s, &src, &code, 1),
		      BLAZE_SYMBOLIZE_REASON_MISSING_COMPONENT);
}

static void jit_code_is_named_by_its_perf_map(void **state)
{
	blaze_symbolizer *s = symbolizer(true, true, false);
	struct child child;

	(void)state;
	child_start(&child, fixture("jit"), NULL, NULL);
	expect_jit(s, child.pid, child.addr);
	child_end(&child);
	blaze_symbolizer_free(s);
}

static void a_perf_map_that_grows_is_read_again(void **state)
{
	blaze_symbolizer *s = symbolizer(false, false, false);
	struct child child;

	(void)state;
	child_start(&child, fixture("jit"), NULL, NULL);
	expect_reason(process_addr(s, child.pid, child.addr + 0x80),
		      BLAZE_SYMBOLIZE_REASON_MISSING_COMPONENT);
	run("printf '%lx 40 compiled later\\n' >> /tmp/perf-%d.map",
	    (unsigned long)child.addr + 0x80, (int)child.pid);
	expect_sym(process_addr(s, child.pid, child.addr + 0x81), "compiled later", 1, NULL);
	child_end(&child);
	blaze_symbolizer_free(s);
}

static void a_perf_map_of_a_stranger_is_not_believed(void **state)
{
	blaze_symbolizer *s;
	struct child child;

	(void)state;
	if (geteuid())
		pass_over("needs root");
	s = symbolizer(false, false, false);
	child_start(&child, fixture("jit"), NULL, NULL);
	run("chown 65534 /tmp/perf-%d.map", (int)child.pid);
	expect_reason(process_addr(s, child.pid, child.addr),
		      BLAZE_SYMBOLIZE_REASON_MISSING_COMPONENT);
	child_end(&child);
	blaze_symbolizer_free(s);
}

static void perf_maps_of_other_namespaces_are_found(void **state)
{
	blaze_symbolizer *s;
	struct child child;
	char line[64];
	pid_t inner;

	(void)state;
	if (geteuid())
		pass_over("needs root");
	s = symbolizer(true, true, false);
	child_start(&child, fixture("jit"), own_pid_and_tmp, (void *)fixture("jit"));
	/* The process that we started waits for the one that is pid 1 in there. */
	snprintf(line, sizeof(line), "/proc/%d/task/%d/children", (int)child.pid, (int)child.pid);
	inner = (pid_t)atoi(output_of("cat %s", line));
	if (!inner)
		pass_over("/proc does not tell of a process's children");
	assert_int_not_equal(access("/tmp/perf-1.map", F_OK), 0);
	expect_jit(s, inner, child.addr);
	child_end(&child);
	blaze_symbolizer_free(s);
}

static void remembered_mappings_outlive_the_process(void **state)
{
	blaze_symbolizer *s = symbolizer(true, true, false);
	struct blaze_cache_src_process cache = { .type_size = sizeof(cache), .cache_vmas = true };
	struct blaze_symbolize_src_process src = { .type_size = sizeof(src), .no_map_files = true };
	struct child child;

	(void)state;
	child_start(&child, fixture("sleeper"), NULL, NULL);
	src.pid = cache.pid = (uint32_t)child.pid;
	blaze_symbolize_cache_process(s, &cache);
	assert_int_equal(blaze_err_last(), BLAZE_ERR_OK);
	child_end(&child);
	expect_sym(blaze_symbolize_process_abs_addrs(s, &src, &child.addr, 1), "target_function", 0,
		   "/sleeper");
	/* Remembering anew fails, and leaves what was. */
	blaze_symbolize_cache_process(s, &cache);
	assert_int_equal(blaze_err_last(), BLAZE_ERR_NOT_FOUND);
	expect_sym(blaze_symbolize_process_abs_addrs(s, &src, &child.shared_addr, 1),
		   "shared_function", 0, "/libshared.so");
	blaze_symbolizer_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ones_own_functions_are_found),
		cmocka_unit_test(another_process_is_found),
		cmocka_unit_test(normalized_addresses_are_what_nm_says),
		cmocka_unit_test(many_addresses_keep_their_order),
		cmocka_unit_test(reasons_tell_what_is_wrong),
		cmocka_unit_test(a_process_that_is_not_there_is_an_error),
		cmocka_unit_test(the_vdso_is_symbolized),
		cmocka_unit_test(deleted_files_are_still_read),
		cmocka_unit_test(another_file_at_the_same_path_is_not_confused),
		cmocka_unit_test(processes_in_other_mount_namespaces_are_found),
		cmocka_unit_test(jit_code_is_named_by_its_perf_map),
		cmocka_unit_test(a_perf_map_that_grows_is_read_again),
		cmocka_unit_test(a_perf_map_of_a_stranger_is_not_believed),
		cmocka_unit_test(perf_maps_of_other_namespaces_are_found),
		cmocka_unit_test(remembered_mappings_outlive_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
