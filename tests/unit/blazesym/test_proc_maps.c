// SPDX-License-Identifier: GPL-2.0-only
/* Snapshots of processes: symbols after their end, what is shared, what is bounded. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

#include "helpers.h"
#include "proc_maps.h"

static void expect_in(struct proc_maps *store, blaze_symbolizer *s, uint64_t space, uint64_t addr,
		      const char *name, uint64_t offset, const char *module_end)
{
	const struct proc_maps_syms *syms = proc_maps_symbolize(store, s, space, true, &addr, 1);
	const struct blaze_sym *sym;

	assert_non_null(syms);
	assert_int_equal(syms->cnt, 1);
	sym = &syms->syms[0];
	if (!sym->name)
		fail_msg("not %s: %s", name, blaze_symbolize_reason_str(sym->reason));
	assert_string_equal(sym->name, name);
	assert_int_equal(sym->offset, offset);
	if (module_end) {
		size_t len = strlen(sym->module), end = strlen(module_end);

		assert_true(len >= end);
		assert_string_equal(sym->module + len - end, module_end);
	}
	proc_maps_syms_free(syms);
}

static struct proc_maps *store_with(size_t max_bytes, unsigned int max_fds)
{
	struct proc_maps_opts opts = { .max_bytes = max_bytes, .max_fds = max_fds };
	struct proc_maps *store = proc_maps_new(&opts);

	assert_non_null(store);
	return store;
}

static void frames_of_ended_processes_are_symbolized(void **state)
{
	struct proc_maps *store = proc_maps_new(NULL);
	blaze_symbolizer *s = symbolizer(true, true, false);
	struct child child;

	(void)state;
	child_start(&child, fixture("sleeper"), NULL, NULL);
	assert_int_equal(proc_maps_snapshot(store, child.pid, child.pid), 0);
	child_end(&child);
	expect_in(store, s, child.pid, child.addr, "target_function", 0, "/sleeper");
	expect_in(store, s, child.pid, child.shared_addr + 2, "shared_function", 2,
		  "/libshared.so");
	proc_maps_free(store);
	blaze_symbolizer_free(s);
}

static void deleted_files_of_ended_processes_are_read(void **state)
{
	char dir[] = "/tmp/blazesym-test-XXXXXX", path[128];
	struct proc_maps *store = proc_maps_new(NULL);
	blaze_symbolizer *s = symbolizer(true, true, false);
	struct child child;

	(void)state;
	assert_non_null(mkdtemp(dir));
	run("cp '%s' '%s' %s", fixture("sleeper"), fixture("libshared.so"), dir);
	snprintf(path, sizeof(path), "%s/sleeper", dir);
	child_start(&child, path, NULL, NULL);
	assert_int_equal(proc_maps_snapshot(store, child.pid, child.pid), 0);
	child_end(&child);
	run("rm -r %s", dir);
	expect_in(store, s, child.pid, child.addr, "target_function", 0, path);
	expect_in(store, s, child.pid, child.shared_addr, "shared_function", 0, "/libshared.so");
	proc_maps_free(store);
	blaze_symbolizer_free(s);
}

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

static void ended_processes_of_other_mount_namespaces_are_read(void **state)
{
	char dir[] = "/tmp/blazesym-test-XXXXXX", path[128];
	struct proc_maps *store;
	blaze_symbolizer *s;
	struct child child;

	(void)state;
	if (geteuid())
		pass_over("needs root");
	store = proc_maps_new(NULL);
	s = symbolizer(true, true, false);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sleeper", dir);
	child_start(&child, path, own_mounts, dir);
	assert_int_equal(proc_maps_snapshot(store, child.pid, child.pid), 0);
	child_end(&child);
	/* Its mounts are gone with it. */
	assert_int_not_equal(access(path, F_OK), 0);
	expect_in(store, s, child.pid, child.addr, "target_function", 0, path);
	rmdir(dir);
	proc_maps_free(store);
	blaze_symbolizer_free(s);
}

static void places_are_file_and_offset(void **state)
{
	struct proc_maps *store = proc_maps_new(NULL);
	blaze_symbolizer *s = symbolizer(false, false, false);
	struct blaze_symbolize_src_elf src = { .type_size = sizeof(src) };
	const struct blaze_syms *syms;
	struct proc_maps_place place;
	struct child child;

	(void)state;
	child_start(&child, fixture("sleeper"), NULL, NULL);
	assert_int_equal(proc_maps_find(store, child.pid, child.addr, &place), -ESRCH);
	assert_int_equal(proc_maps_snapshot(store, child.pid, child.pid), 0);
	assert_int_equal(proc_maps_find(store, child.pid, child.shared_addr, &place), 0);
	assert_string_equal(place.path, fixture("libshared.so"));
	assert_true(place.fd >= 0);
	src.path = place.path;
	syms = blaze_symbolize_elf_file_offsets(s, &src, &place.file_offset, 1);
	assert_string_equal(syms->syms[0].name, "shared_function");
	blaze_syms_free(syms);
	assert_int_equal(proc_maps_find(store, child.pid, 16, &place), -ENOENT);
	child_end(&child);
	proc_maps_free(store);
	blaze_symbolizer_free(s);
}

static void many_addresses_keep_their_order(void **state)
{
	struct proc_maps *store = proc_maps_new(NULL);
	blaze_symbolizer *s = symbolizer(false, false, false);
	const struct proc_maps_syms *syms;
	struct child child;
	uint64_t addrs[60];

	(void)state;
	child_start(&child, fixture("sleeper"), NULL, NULL);
	assert_int_equal(proc_maps_snapshot(store, child.pid, child.pid), 0);
	child_end(&child);
	for (size_t i = 0; i < 60; i++)
		addrs[i] = i % 3 == 0 ? child.addr : i % 3 == 1 ? child.shared_addr : 4096;
	syms = proc_maps_symbolize(store, s, child.pid, false, addrs, 60);
	assert_non_null(syms);
	for (size_t i = 0; i < 60; i++) {
		if (i % 3 == 2) {
			assert_null(syms->syms[i].name);
			assert_int_equal(syms->syms[i].reason, BLAZE_SYMBOLIZE_REASON_UNMAPPED);
		} else {
			assert_string_equal(syms->syms[i].name,
					    i % 3 ? "shared_function" : "target_function");
		}
	}
	proc_maps_syms_free(syms);
	proc_maps_free(store);
	blaze_symbolizer_free(s);
}

static size_t open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t cnt = 0;

	while (readdir(dir))
		cnt++;
	closedir(dir);
	return cnt;
}

static void files_are_shared_between_processes(void **state)
{
	struct proc_maps *store = proc_maps_new(NULL);
	size_t fds = open_fds();
	struct proc_maps_stats one, many;
	struct child children[8];

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		child_start(&children[i], fixture("sleeper"), NULL, NULL);
		assert_int_equal(proc_maps_snapshot(store, children[i].pid, children[i].pid), 0);
		if (!i)
			proc_maps_stats(store, &one);
	}
	proc_maps_stats(store, &many);
	assert_int_equal(many.procs, 8);
	/* The program, its library, libc, the loader: once. */
	assert_int_equal(one.files, many.files);
	assert_int_equal(one.fds, many.fds);
	for (size_t i = 0; i < 8; i++)
		child_end(&children[i]);
	assert_int_equal(open_fds(), fds + many.fds);
	/* Forgetting lets go of them, with the last. */
	for (size_t i = 0; i < 7; i++)
		proc_maps_forget(store, children[i].pid);
	proc_maps_stats(store, &many);
	assert_int_equal(many.procs, 1);
	assert_int_equal(many.files, one.files);
	proc_maps_forget(store, children[7].pid);
	proc_maps_stats(store, &many);
	assert_int_equal(many.procs, 0);
	assert_int_equal(many.files, 0);
	assert_int_equal(many.fds, 0);
	assert_int_equal(many.bytes, 0);
	assert_int_equal(open_fds(), fds);
	proc_maps_free(store);
}

static void memory_is_bounded(void **state)
{
	const size_t max = 4096;
	struct proc_maps *store = store_with(max, 0);
	struct proc_maps_stats stats;
	struct child children[12];

	(void)state;
	for (size_t i = 0; i < 12; i++) {
		child_start(&children[i], fixture("sleeper"), NULL, NULL);
		assert_int_equal(proc_maps_snapshot(store, children[i].pid, children[i].pid), 0);
		proc_maps_stats(store, &stats);
		assert_true(stats.bytes <= max);
	}
	assert_true(stats.evicted > 0);
	assert_int_equal(stats.procs + stats.evicted, 12);
	for (size_t i = 0; i < 12; i++)
		child_end(&children[i]);
	proc_maps_free(store);
}

static void beyond_the_limit_files_are_known_by_what_they_are(void **state)
{
	char dir[] = "/tmp/blazesym-test-XXXXXX", path[128];
	struct proc_maps *store = store_with(0, 1);
	blaze_symbolizer *s = symbolizer(false, false, false);
	const struct proc_maps_syms *syms;
	struct proc_maps_stats stats;
	struct child child;

	(void)state;
	assert_non_null(mkdtemp(dir));
	run("cp '%s' '%s' %s", fixture("sleeper"), fixture("libshared.so"), dir);
	snprintf(path, sizeof(path), "%s/sleeper", dir);
	child_start(&child, path, NULL, NULL);
	assert_int_equal(proc_maps_snapshot(store, child.pid, child.pid), 0);
	proc_maps_stats(store, &stats);
	assert_int_equal(stats.fds, 1);
	assert_true(stats.unpinned >= 1);
	child_end(&child);
	/* The library is mapped below the program and has the one descriptor. */
	assert_true(child.shared_addr < child.addr);
	/* Still there. */
	expect_in(store, s, child.pid, child.addr, "target_function", 0, "/sleeper");
	/* The same build elsewhere in the file system is the same. */
	run("cp %s %s.new && mv %s.new %s", path, path, path, path);
	expect_in(store, s, child.pid, child.addr, "target_function", 0, "/sleeper");
	/* Another one is not. */
	run("cp '%s' %s.new && mv %s.new %s", fixture("cxx"), path, path, path);
	syms = proc_maps_symbolize(store, s, child.pid, false, &child.addr, 1);
	assert_non_null(syms);
	assert_null(syms->syms[0].name);
	assert_int_equal(syms->syms[0].reason, BLAZE_SYMBOLIZE_REASON_IGNORED_ERROR);
	proc_maps_syms_free(syms);
	run("rm -r %s", dir);
	proc_maps_free(store);
	blaze_symbolizer_free(s);
}

/* A child that becomes another program when it is told to, which writes to @out. */
static pid_t start_exec_to(int *go, int out, char *const *argv)
{
	int fds[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (!pid) {
		close(fds[1]);
		if (read(fds[0], &c, 1) == 1 && dup2(fds[0], 0) == 0 && dup2(out, 1) == 1)
			execv(argv[0], argv);
		_exit(1);
	}
	close(fds[0]);
	*go = fds[1];
	return pid;
}

static pid_t start_exec(int *go, char *const *argv)
{
	return start_exec_to(go, 1, argv);
}

__attribute__((noinline)) static int function_before_exec(int x)
{
	__asm__ volatile("" ::: "memory");
	return x + 1;
}

static void addresses_from_before_an_exec_are_found(void **state)
{
	char *const argv[] = { "/bin/sleep", "10", NULL };
	struct proc_maps *store = proc_maps_new(NULL);
	blaze_symbolizer *s = symbolizer(false, false, false);
	uint64_t addr = (uintptr_t)function_before_exec;
	struct proc_maps_place place;
	pid_t pid;
	int go;

	(void)state;
	function_before_exec(0);
	pid = start_exec(&go, argv);
	assert_int_equal(proc_maps_snapshot(store, pid, pid), 0);
	assert_int_equal(write(go, "x", 1), 1);
	close(go);
	/* Until it is the other program. */
	for (int i = 0; i < 1000; i++) {
		if (strstr(output_of("readlink /proc/%d/exe", (int)pid), "sleep") ||
		    strstr(output_of("readlink /proc/%d/exe", (int)pid), "coreutils") ||
		    strstr(output_of("readlink /proc/%d/exe", (int)pid), "busybox"))
			break;
		usleep(10000);
	}
	assert_int_equal(proc_maps_snapshot(store, pid, pid), 0);
	assert_int_equal(proc_maps_find(store, pid, addr, &place), 0);
	expect_in(store, s, pid, addr, "function_before_exec", 0, "test_proc_maps");
	kill(pid, 9);
	waitpid(pid, NULL, 0);
	proc_maps_free(store);
	blaze_symbolizer_free(s);
}

/* Where @name is of libshared.so, which is linked to begin at 0x10000000, and begins at @image. */
static uint64_t in_image(const char *image, const char *name)
{
	return (uintptr_t)image + nm_addr(fixture("libshared.so"), name) - 0x10000000;
}

#define IMAGE_SIZE 16384

/* Maps its file as dlopen() does, but as one: file offset 0 is at what this returns. */
static char *map_image(void)
{
	int fd = open(fixture("libshared.so"), O_RDONLY);
	char *image = mmap(NULL, IMAGE_SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	assert_ptr_not_equal(image, MAP_FAILED);
	close(fd);
	return image;
}

static void what_was_mapped_since_is_looked_for(void **state)
{
	struct proc_maps *store = proc_maps_new(NULL);
	blaze_symbolizer *s = symbolizer(false, false, false);
	char *image;

	(void)state;
	assert_int_equal(proc_maps_snapshot(store, getpid(), getpid()), 0);
	image = map_image();
	expect_in(store, s, getpid(), in_image(image, "shared_function"), "shared_function", 0,
		  "/libshared.so");
	munmap(image, IMAGE_SIZE);
	proc_maps_free(store);
	blaze_symbolizer_free(s);
}

/* Of a process that became another program, each has its own. */
static void spaces_of_one_process_are_apart(void **state)
{
	/* They meet in the store's table, and differ only above 32 bits. */
	const uint64_t before = 5, after = 5 + (1ULL << 40);
	char *const argv[] = { (char *)fixture("sleeper"), NULL };
	struct proc_maps *store = proc_maps_new(NULL);
	blaze_symbolizer *s = symbolizer(false, false, false);
	uint64_t addr = (uintptr_t)function_before_exec, there;
	struct proc_maps_place place;
	struct proc_maps_stats stats;
	int go, out[2];
	char line[128] = "";
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(out), 0);
	pid = start_exec_to(&go, out[1], argv);
	assert_int_equal(proc_maps_snapshot(store, before, pid), 0);
	proc_maps_over(store, before);
	assert_int_equal(write(go, "x", 1), 1);
	assert_true(read(out[0], line, sizeof(line) - 1) > 0);
	assert_int_equal(sscanf(line, "%" SCNx64, &there), 1);
	assert_int_equal(proc_maps_snapshot(store, after, pid), 0);
	proc_maps_stats(store, &stats);
	assert_int_equal(stats.procs, 2);

	expect_in(store, s, before, addr, "function_before_exec", 0, "test_proc_maps");
	expect_in(store, s, after, there, "target_function", 0, "/sleeper");
	/* The process lives, but is not asked about what it was. */
	assert_int_equal(proc_maps_find(store, before, there, &place), -ENOENT);
	assert_int_equal(proc_maps_find(store, after, addr, &place), -ENOENT);
	assert_true(proc_maps_covers(store, before, addr) &&
		    !proc_maps_covers(store, before, there));
	assert_true(proc_maps_covers(store, after, there) && !proc_maps_covers(store, after, addr));
	assert_int_equal(proc_maps_refresh(store, before), -ESRCH);
	assert_int_equal(proc_maps_refresh(store, after), 0);

	/* To forget one is not to forget the other. */
	proc_maps_forget(store, after);
	assert_int_equal(proc_maps_find(store, after, there, &place), -ESRCH);
	assert_int_equal(proc_maps_find(store, before, addr, &place), 0);
	proc_maps_forget(store, before);
	proc_maps_stats(store, &stats);
	assert_int_equal(stats.procs, 0);
	assert_int_equal(stats.bytes, 0);
	close(go);
	close(out[0]);
	close(out[1]);
	kill(pid, 9);
	waitpid(pid, NULL, 0);
	proc_maps_free(store);
	blaze_symbolizer_free(s);
}

static void what_is_over_stays_as_it_was(void **state)
{
	struct proc_maps *store = proc_maps_new(NULL);
	blaze_symbolizer *s = symbolizer(false, false, false);
	struct proc_maps_place place;
	char *image;

	(void)state;
	/* Of what was never there, nothing is over. */
	proc_maps_over(store, 7);
	assert_int_equal(proc_maps_snapshot(store, 7, getpid()), 0);
	proc_maps_over(store, 7);
	image = map_image();
	assert_int_equal(proc_maps_find(store, 7, in_image(image, "shared_function"), &place),
			 -ENOENT);
	assert_int_equal(proc_maps_refresh(store, 7), -ESRCH);
	assert_false(proc_maps_covers(store, 7, in_image(image, "shared_function")));
	expect_in(store, s, 7, (uintptr_t)function_before_exec, "function_before_exec", 0, NULL);
	munmap(image, IMAGE_SIZE);
	proc_maps_free(store);
	blaze_symbolizer_free(s);
}

static void a_refresh_sees_what_is_mapped_now(void **state)
{
	struct proc_maps *store = proc_maps_new(NULL);
	blaze_symbolizer *s = symbolizer(false, false, false);
	struct proc_maps_place place;
	uint64_t addr;
	char *image;

	(void)state;
	assert_int_equal(proc_maps_refresh(store, 7), -ESRCH);
	assert_int_equal(proc_maps_snapshot(store, 7, getpid()), 0);
	image = map_image();
	addr = in_image(image, "shared_function");
	/* Until then nobody asks, even though it would tell. */
	assert_false(proc_maps_covers(store, 7, addr));
	assert_int_equal(proc_maps_find_kept(store, 7, addr, &place), -ENOENT);
	assert_int_equal(proc_maps_find_kept(store, 7, addr, &place), -ENOENT);
	assert_int_equal(proc_maps_refresh(store, 7), 0);
	assert_true(proc_maps_covers(store, 7, addr));
	assert_int_equal(proc_maps_find_kept(store, 7, addr, &place), 0);
	assert_string_equal(place.path, fixture("libshared.so"));
	assert_int_equal(place.file_offset, addr - (uintptr_t)image);

	/* What is there no more is still known, but not covered. */
	munmap(image, IMAGE_SIZE);
	assert_true(proc_maps_covers(store, 7, addr));
	assert_int_equal(proc_maps_refresh(store, 7), 0);
	assert_false(proc_maps_covers(store, 7, addr));
	assert_int_equal(proc_maps_find_kept(store, 7, addr, &place), 0);
	assert_string_equal(place.path, fixture("libshared.so"));
	expect_in(store, s, 7, addr, "shared_function", 0, "/libshared.so");
	proc_maps_free(store);
	blaze_symbolizer_free(s);
}

static void a_process_that_has_ended_cannot_be_refreshed(void **state)
{
	struct proc_maps *store = proc_maps_new(NULL);
	blaze_symbolizer *s = symbolizer(false, false, false);
	struct proc_maps_place place;
	struct child child;

	(void)state;
	child_start(&child, fixture("sleeper"), NULL, NULL);
	assert_int_equal(proc_maps_snapshot(store, 7, child.pid), 0);
	assert_int_equal(proc_maps_refresh(store, 7), 0);
	child_end(&child);
	assert_int_equal(proc_maps_refresh(store, 7), -ESRCH);
	/* That changes nothing of what is known. */
	assert_true(proc_maps_covers(store, 7, child.addr));
	assert_int_equal(proc_maps_find_kept(store, 7, child.addr, &place), 0);
	expect_in(store, s, 7, child.addr, "target_function", 0, "/sleeper");
	proc_maps_free(store);
	blaze_symbolizer_free(s);
}

static void only_what_is_executable_is_covered(void **state)
{
	struct proc_maps *store = proc_maps_new(NULL);
	struct proc_maps_place place;
	static int data;
	char *image, *code;
	int on_stack;

	(void)state;
	image = map_image();
	code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(code, MAP_FAILED);
	/* A store without the space covers nothing. */
	assert_false(proc_maps_covers(store, 7, (uintptr_t)image));
	assert_int_equal(proc_maps_find_kept(store, 7, (uintptr_t)image, &place), -ESRCH);
	assert_int_equal(proc_maps_snapshot(store, 7, getpid()), 0);
	assert_true(proc_maps_covers(store, 7, (uintptr_t)function_before_exec));
	assert_false(proc_maps_covers(store, 7, (uintptr_t)&data));
	assert_false(proc_maps_covers(store, 7, (uintptr_t)&on_stack));
	assert_false(proc_maps_covers(store, 7, 0));
	assert_false(proc_maps_covers(store, 7, UINT64_MAX));
	/* From its first byte to its last. */
	assert_true(proc_maps_covers(store, 7, (uintptr_t)image));
	assert_true(proc_maps_covers(store, 7, (uintptr_t)image + IMAGE_SIZE - 1));
	/* Code that is in no file is covered too; there is no file to be found. */
	assert_true(proc_maps_covers(store, 7, (uintptr_t)code));
	assert_int_equal(proc_maps_find_kept(store, 7, (uintptr_t)code, &place), -ENOENT);
	munmap(code, 4096);
	munmap(image, IMAGE_SIZE);
	proc_maps_free(store);
}

static void processes_without_a_snapshot_are_refused(void **state)
{
	struct proc_maps *store = proc_maps_new(NULL);
	blaze_symbolizer *s = symbolizer(false, false, false);
	uint64_t addr = 4096;

	(void)state;
	assert_null(proc_maps_symbolize(store, s, getpid(), false, &addr, 1));
	assert_int_equal(errno, ESRCH);
	proc_maps_free(store);
	blaze_symbolizer_free(s);
}

static void jit_code_of_ended_processes_is_named(void **state)
{
	struct proc_maps *store = proc_maps_new(NULL);
	blaze_symbolizer *s = symbolizer(false, false, false);
	struct child child;

	(void)state;
	child_start(&child, fixture("jit"), NULL, NULL);
	assert_int_equal(proc_maps_snapshot(store, child.pid, child.pid), 0);
	/* At its end it deletes the map. */
	child_end(&child);
	expect_in(store, s, child.pid, child.addr + 1, "first", 1, NULL);
	expect_in(store, s, child.pid, child.addr + 0x60, "recompiled", 0, NULL);
	proc_maps_free(store);
	blaze_symbolizer_free(s);
}

static void the_vdso_of_ended_processes_is_symbolized(void **state)
{
	struct proc_maps *store;
	blaze_symbolizer *s;
	uint64_t own = getauxval(AT_SYSINFO_EHDR), theirs = 0;
	size_t found = 0;
	struct child child;
	char path[64];
	int fd;

	(void)state;
	if (!own)
		pass_over("the kernel gives programs no vdso");
	store = proc_maps_new(NULL);
	s = symbolizer(false, false, false);
	child_start(&child, fixture("sleeper"), NULL, NULL);
	snprintf(path, sizeof(path), "/proc/%d/auxv", (int)child.pid);
	fd = open(path, O_RDONLY);
	for (uint64_t entry[2]; read(fd, entry, sizeof(entry)) == sizeof(entry);) {
		if (entry[0] == AT_SYSINFO_EHDR)
			theirs = entry[1];
	}
	close(fd);
	assert_int_equal(proc_maps_snapshot(store, child.pid, child.pid), 0);
	child_end(&child);
	/* At each offset the same as in our own process. */
	for (uint64_t offset = 0; offset < 0x1000; offset += 32) {
		const struct blaze_syms *ours = process_addr(s, 0, own + offset);
		uint64_t addr = theirs + offset;
		const struct proc_maps_syms *syms;

		syms = proc_maps_symbolize(store, s, child.pid, false, &addr, 1);
		if (ours->syms[0].name) {
			assert_string_equal(syms->syms[0].name, ours->syms[0].name);
			assert_int_equal(syms->syms[0].offset, ours->syms[0].offset);
			assert_string_equal(syms->syms[0].module, "[vdso]");
			found++;
		} else {
			assert_null(syms->syms[0].name);
		}
		proc_maps_syms_free(syms);
		blaze_syms_free(ours);
	}
	assert_true(found > 0);
	proc_maps_free(store);
	blaze_symbolizer_free(s);
}

static void processes_that_are_not_there_are_refused(void **state)
{
	struct proc_maps *store = proc_maps_new(NULL);
	struct proc_maps_stats stats;
	pid_t pid = fork();

	(void)state;
	if (!pid)
		_exit(0);
	waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
	assert_int_equal(proc_maps_snapshot(store, pid, pid), -ESRCH);
	waitpid(pid, NULL, 0);
	assert_int_equal(proc_maps_snapshot(store, pid, pid), -ESRCH);
	proc_maps_stats(store, &stats);
	assert_int_equal(stats.procs, 0);
	assert_int_equal(stats.bytes, 0);
	proc_maps_forget(store, pid);
	proc_maps_free(store);
	proc_maps_free(NULL);
	proc_maps_syms_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_of_ended_processes_are_symbolized),
		cmocka_unit_test(deleted_files_of_ended_processes_are_read),
		cmocka_unit_test(ended_processes_of_other_mount_namespaces_are_read),
		cmocka_unit_test(places_are_file_and_offset),
		cmocka_unit_test(many_addresses_keep_their_order),
		cmocka_unit_test(files_are_shared_between_processes),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(beyond_the_limit_files_are_known_by_what_they_are),
		cmocka_unit_test(addresses_from_before_an_exec_are_found),
		cmocka_unit_test(what_was_mapped_since_is_looked_for),
		cmocka_unit_test(spaces_of_one_process_are_apart),
		cmocka_unit_test(what_is_over_stays_as_it_was),
		cmocka_unit_test(a_refresh_sees_what_is_mapped_now),
		cmocka_unit_test(a_process_that_has_ended_cannot_be_refreshed),
		cmocka_unit_test(only_what_is_executable_is_covered),
		cmocka_unit_test(processes_without_a_snapshot_are_refused),
		cmocka_unit_test(jit_code_of_ended_processes_is_named),
		cmocka_unit_test(the_vdso_of_ended_processes_is_symbolized),
		cmocka_unit_test(processes_that_are_not_there_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
