// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "kernel.h"
#include "say.h"
#include "abi.h"
#include "kmemleak.h"
#include "library.h"
#include "unmap.h"
#include "user.h"
#include "kmemleak.skel.h"

/* More would take file descriptors, and time at their end, without bound. */
#define MOST_PROCESSES 64
#define MOST_LIBRARIES 16

/* There is room for so many threads that allocate, and mappings. */
#define MOST_THREADS  16384
#define MOST_MAPPINGS 65536

/* A program maps its libraries when it has begun to run. */
#define LOOKS 3

/* A file with functions of an allocator, as processes map it. */
struct known {
	dev_t dev;
	ino_t ino;
	char path[PATH_MAX]; /* where we can open it */
	struct library lib;
};

struct process {
	pid_t pid;
	bool probed[MOST_LIBRARIES];
	unsigned int looks; /* to be taken at what it has mapped since it runs another program */
};

/* A link to process `pid`: libbpf's, or by its file descriptor. */
struct attached {
	pid_t pid;
	int fd;
	struct bpf_link *link; /* NULL: it is `fd` */
};

static struct {
	struct kmemleak *skel;
	const char *wanted; /* the list of -O, or NULL */
	struct known *libraries;
	unsigned int library_count;
	struct process processes[MOST_PROCESSES];
	unsigned int process_count;
	bool multi; /* links are of many places */
	struct attached *attached;
	unsigned int attached_count;
	struct ring_buffer *notices;
	bool told_of_too_many, told_of_children;
	bool started;
	int error; /* of the last probe that could not be attached */
} user;

static const char *const programs[FUNCTION_KINDS] = {
	[CALL_MALLOC] = "enter_malloc",	    [CALL_CALLOC] = "enter_calloc",
	[CALL_REALLOC] = "enter_realloc",   [CALL_REALLOCARRAY] = "enter_reallocarray",
	[CALL_MEMALIGN] = "enter_memalign", [CALL_POSIX_MEMALIGN] = "enter_posix_memalign",
	[CALL_MMAP] = "enter_mmap",	    [CALL_MREMAP] = "enter_mremap",
	[CALL_FREE] = "enter_free",	    [CALL_MUNMAP] = "enter_munmap",
	[CALL_NEW] = "enter_new",
};

/* Does the function make objects, so that its end is needed? */
static bool returns(const struct place *place)
{
	return place->kind != CALL_FREE && place->kind != CALL_MUNMAP && place->kind != CALL_NEW;
}

/* include/uapi/linux/bpf.h, which the one that we are built with may not have yet. */
#define UPROBE_MULTI	    48
#define UPROBE_MULTI_RETURN 1

struct uprobe_multi_attr {
	__u32 prog_fd, target_fd, attach_type, flags;
	__u64 path, offsets, ref_ctr_offsets, cookies;
	__u32 count, multi_flags, pid, pad;
};

/*
 * One link can probe many places (6.6), which is attached and gone at once; each perf event takes its
 * time. But before 6.11 it took a process for its first thread: sessions came a little later.
 */
static bool has_uprobe_multi(void)
{
	const struct btf *btf = kernel_is_without("uprobe_multi") ? NULL : kernel_btf();
	int id = btf ? btf__find_by_name_kind(btf, "bpf_attach_type", BTF_KIND_ENUM) : -1, i;
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, id) : NULL;

	for (i = 0; t && i < btf_vlen(t); i++) {
		if (!strcmp(btf__name_by_offset(btf, btf_enum(t)[i].name_off),
			    "BPF_TRACE_UPROBE_SESSION"))
			return true;
	}
	return false;
}

int user_choose(struct kmemleak *skel, bool follow)
{
	struct rlimit files;
	unsigned int i;
	int err;

	/* Each link takes one; where they are of one place, a process takes dozens. */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}

	user.multi = has_uprobe_multi();
	for (i = 0; i < FUNCTION_KINDS; i++)
		bpf_program__set_autoload(bpf_object__find_program_by_name(skel->obj, programs[i]),
					  !user.multi);
	bpf_program__set_autoload(skel->progs.enter_any, user.multi);
	bpf_program__set_autoload(skel->progs.leave, true);
	if (user.multi) {
		bpf_program__set_expected_attach_type(skel->progs.enter_any, UPROBE_MULTI);
		bpf_program__set_expected_attach_type(skel->progs.leave, UPROBE_MULTI);
	}
	bpf_program__set_autoload(skel->progs.process_execed, true);
	bpf_program__set_autoload(skel->progs.thread_gone, true);
	bpf_program__set_autoload(skel->progs.process_made, follow);
	err = bpf_map__set_max_entries(skel->maps.mappings, MOST_MAPPINGS);
	return err ? err : bpf_map__set_max_entries(skel->maps.inside, MOST_THREADS);
}

/* Takes note of a link. Returns 0 or a negative errno. */
static int attached(pid_t pid, int fd, struct bpf_link *link)
{
	struct attached *all = reallocarray(user.attached, user.attached_count + 1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	user.attached = all;
	all[user.attached_count++] = (struct attached){ pid, fd, link };
	return 0;
}

static void detach_one(const struct attached *a)
{
	if (a->link)
		bpf_link__destroy(a->link);
	else
		close(a->fd);
}

/* Probes @count places at @offsets in the file @path of process @pid. Returns 0 or a negative errno. */
static int attach_many(const struct bpf_program *prog, bool ends, pid_t pid, const char *path,
		       const __u64 *offsets, const __u64 *cookies, unsigned int count)
{
	struct uprobe_multi_attr attr = {
		.prog_fd = bpf_program__fd(prog),
		.attach_type = UPROBE_MULTI,
		.path = (unsigned long)path,
		.offsets = (unsigned long)offsets,
		.cookies = (unsigned long)cookies,
		.count = count,
		.multi_flags = ends ? UPROBE_MULTI_RETURN : 0,
		.pid = pid,
	};
	int fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	return fd < 0 ? -errno : attached(pid, fd, NULL);
}

static int attach_one(const struct bpf_program *prog, bool end, pid_t pid, const char *path,
		      uint64_t offset)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .retprobe = end);
	struct bpf_link *link = bpf_program__attach_uprobe_opts(prog, pid, path, offset, &opts);

	return link ? attached(pid, -1, link) : -errno;
}

/*
 * Which functions are probed when: first frees, then ends, then begins. So what is seen to be
 * allocated is seen to be freed.
 */
enum round {
	ROUND_FREES,
	ROUND_ENDS,
	ROUND_BEGINS,
	ROUNDS
};

/* Probes process @p where library @n has functions of @round. Returns 0 or a negative errno. */
static int probe_round(struct process *p, const struct known *k, enum round round)
{
	const struct kmemleak *skel = user.skel;
	__u64 offsets[MOST_PLACES], cookies[MOST_PLACES];
	bool ends = round == ROUND_ENDS;
	unsigned int count = 0, i;
	int err = 0;

	for (i = 0; i < k->lib.count && !err; i++) {
		const struct place *place = &k->lib.places[i];

		if ((round == ROUND_FREES) == returns(place))
			continue;
		offsets[count] = place->offset;
		cookies[count++] = place->kind;
		if (!user.multi)
			err = attach_one(ends ? skel->progs.leave
					      : bpf_object__find_program_by_name(
							skel->obj, programs[place->kind]),
					 ends, p->pid, k->path, place->offset);
	}
	if (user.multi && count)
		err = attach_many(ends ? skel->progs.leave : skel->progs.enter_any, ends, p->pid,
				  k->path, offsets, cookies, count);
	return err;
}

/* Probes process @p where library @n is. */
static void probe(struct process *p, unsigned int n)
{
	unsigned int round;
	int err = 0;

	p->probed[n] = true;
	for (round = 0; round < ROUNDS && !err; round++)
		err = probe_round(p, &user.libraries[n], round);
	/* It may have ended meanwhile. */
	if (!err || err == -ESRCH)
		return;
	if (user.started && !user.error)
		say_note("cannot probe process %d, and maybe others: %s", p->pid, strerror(-err));
	user.error = err;
}

/* Is the file called @path one that -O names? */
static bool is_wanted(const char *path)
{
	const char *base = strrchr(path, '/'), *list = user.wanted, *found;
	size_t n;

	base = base ? base + 1 : path;
	for (; *list; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		found = memmem(base, strlen(base), list, n);
		if (found || (strlen(path) == n && !strncmp(path, list, n)))
			return true;
	}
	return false;
}

/* Takes note of the file @path, which we can open as @open_path, if it has an allocator. */
static void see_file(const char *path, const char *open_path)
{
	struct stat st, here;
	struct known *k;
	unsigned int i;

	if (user.library_count == MOST_LIBRARIES || (user.wanted && !is_wanted(path)) ||
	    stat(open_path, &st) || !S_ISREG(st.st_mode))
		return;
	for (i = 0; i < user.library_count; i++) {
		if (user.libraries[i].dev == st.st_dev && user.libraries[i].ino == st.st_ino)
			return;
	}
	k = &user.libraries[user.library_count];
	/* Better not by way of a process, which may end. */
	snprintf(k->path, sizeof(k->path), "%s",
		 !stat(path, &here) && here.st_dev == st.st_dev && here.st_ino == st.st_ino
			 ? path
			 : open_path);
	if (library_read(open_path, &k->lib) || (!k->lib.allocates && !user.wanted) ||
	    !k->lib.count)
		return;
	k->dev = st.st_dev;
	k->ino = st.st_ino;
	user.library_count++;
	say_detail("%s has %u functions of an allocator", path, k->lib.count);
}

/* Takes note of the files that process @pid has code of, if they have an allocator. */
static void see_maps(pid_t pid)
{
	char maps[32], line[PATH_MAX + 128], path[PATH_MAX], there[PATH_MAX + 32], *at;
	FILE *file;

	snprintf(maps, sizeof(maps), "/proc/%d/maps", pid);
	file = fopen(maps, "re");
	while (file && fgets(line, sizeof(line), file)) {
		char rights[5] = "";
		int n = 0;

		if (sscanf(line, "%*s %4s %*s %*s %*s %n", rights, &n) < 1 || rights[2] != 'x')
			continue;
		at = line + n;
		at[strcspn(at, "\n")] = 0;
		if (!n || *at != '/')
			continue;
		snprintf(path, sizeof(path), "%s", at);
		/* The loader has an allocator of its own that is no program's. */
		at = strrchr(path, '/');
		if (!strncmp(at, "/ld-", 4) || !strncmp(at, "/ld.so", 6))
			continue;
		snprintf(there, sizeof(there), "/proc/%d/root%s", pid, path);
		see_file(path, there);
	}
	if (file)
		fclose(file);
}

/* Probes process @p in all libraries that are known. */
static void probe_all(struct process *p)
{
	unsigned int n;

	for (n = 0; n < user.library_count; n++) {
		if (!p->probed[n])
			probe(p, n);
	}
}

static struct process *add_process(pid_t pid)
{
	unsigned int i;

	for (i = 0; i < user.process_count; i++) {
		if (user.processes[i].pid == pid)
			return &user.processes[i];
	}
	if (user.process_count == MOST_PROCESSES) {
		if (!user.told_of_too_many)
			say_note("only %d processes at a time are observed", MOST_PROCESSES);
		user.told_of_too_many = true;
		return NULL;
	}
	user.processes[user.process_count] = (struct process){ .pid = pid };
	return &user.processes[user.process_count++];
}

/* Its probes went with it; others may need the room. */
static void forget_process(pid_t pid)
{
	struct attached *from = user.attached, *to = from;
	unsigned int i;

	for (i = 0; i < user.process_count; i++) {
		if (user.processes[i].pid == pid)
			user.processes[i--] = user.processes[--user.process_count];
	}
	for (; from < user.attached + user.attached_count; from++) {
		if (from->pid == pid)
			detach_one(from);
		else
			*to++ = *from;
	}
	user.attached_count = to - user.attached;
}

static int on_notice(void *context, void *data, size_t size)
{
	const struct process_notice *notice = data;
	struct process *p;

	(void)context;
	(void)size;
	if (notice->event == PROCESS_UNMAPS) {
		unmap_later(notice);
		return 0;
	}
	if (notice->event == PROCESS_ENDED) {
		forget_process(notice->pid);
		return 0;
	}
	if (notice->event == PROCESS_MADE && !user.told_of_children)
		say_note(
			"processes that others start are observed from a moment after their begin on");
	user.told_of_children |= notice->event == PROCESS_MADE;
	p = add_process(notice->pid);
	if (!p)
		return 0;
	/* What it will map is most likely what others have. */
	probe_all(p);
	if (notice->event == PROCESS_EXECED)
		p->looks = LOOKS;
	return 0;
}

/* What @file would map if it were run, as its loader tells. */
static void see_dependencies(const char *file)
{
	char interpreter[PATH_MAX], line[PATH_MAX + 64], *path;
	char *argv[] = { interpreter, "--list", (char *)file, NULL };
	posix_spawn_file_actions_t actions;
	int ends[2], status;
	FILE *list;
	pid_t pid;

	see_file(file, file);
	if (library_interpreter(file, interpreter, sizeof(interpreter)) || pipe(ends))
		return;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_addclose(&actions, ends[0]);
	posix_spawn_file_actions_addclose(&actions, ends[1]);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	status = posix_spawn(&pid, interpreter, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	list = fdopen(ends[0], "r");
	while (list && fgets(line, sizeof(line), list)) {
		/* "\tlibc.so.6 => /lib/libc.so.6 (0x7f...)", or without the arrow */
		path = strstr(line, "=> ");
		path = path ? path + 3 : line + strspn(line, "\t ");
		path[strcspn(path, " \n")] = 0;
		if (*path == '/' && strcmp(path, interpreter))
			see_file(path, path);
	}
	if (list)
		fclose(list);
	if (!status)
		waitpid(pid, NULL, 0);
}

/* Where execvp() finds @name. */
static bool find_program(const char *name, char *path, size_t size)
{
	const char *folders = getenv("PATH");
	struct stat st;
	size_t n;

	if (!folders)
		folders = "/bin:/usr/bin";
	if (strchr(name, '/'))
		folders = "";
	do {
		n = strcspn(folders, ":");
		snprintf(path, size, "%.*s%s%s", (int)n, folders, n ? "/" : "", name);
		if (!access(path, X_OK) && !stat(path, &st) && S_ISREG(st.st_mode))
			return true;
		folders += n;
	} while (*folders++);
	return false;
}

/* Looks at the program @name; of a script, at what interprets it. */
static void see_program(const char *name)
{
	char path[PATH_MAX], line[256] = "", *word;
	FILE *file;

	if (!find_program(name, path, sizeof(path)))
		return;
	file = fopen(path, "re");
	if (file && fgets(line, sizeof(line), file) && !strncmp(line, "#!", 2)) {
		word = line + 2 + strspn(line + 2, " \t");
		word[strcspn(word, " \t\n")] = 0;
		snprintf(path, sizeof(path), "%s", word);
	}
	if (file)
		fclose(file);
	see_dependencies(path);
}

/* Files that -O names by their path are looked at whether or not somebody maps them. */
static int see_wanted(void)
{
	const char *list = user.wanted;
	char path[PATH_MAX];
	unsigned int before;
	size_t n;

	for (; list && *list; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		if (!memchr(list, '/', n))
			continue;
		snprintf(path, sizeof(path), "%.*s", (int)n, list);
		before = user.library_count;
		see_file(path, path);
		if (user.library_count == before) {
			say_error("%s: %s (-O)", path,
				  access(path, R_OK) ? strerror(errno)
						     : "has no function of an allocator");
			return EXIT_FAILED;
		}
	}
	return EXIT_DONE;
}

int user_attach(struct kmemleak *skel, const char *pids, pid_t command, const char *file,
		const char *libraries)
{
	unsigned int i;
	int status;

	user.skel = skel;
	user.wanted = libraries;
	user.libraries = calloc(MOST_LIBRARIES, sizeof(*user.libraries));
	user.notices = ring_buffer__new(bpf_map__fd(skel->maps.processes), on_notice, NULL, NULL);
	if (!user.libraries || !user.notices) {
		say_error("out of memory for libraries");
		return EXIT_FAILED;
	}
	status = see_wanted();
	if (status)
		return status;
	for (; pids && *pids; pids += strspn(pids, ",")) {
		struct process *p = add_process(strtol(pids, (char **)&pids, 10));

		if (p)
			see_maps(p->pid);
	}
	if (command) {
		add_process(command);
		see_program(file);
	}
	if (!user.library_count) {
		say_error("no library with %s found in %s; name one with -O",
			  libraries ? libraries : "malloc", command ? file : "these processes");
		return EXIT_FAILED;
	}
	for (i = 0; i < user.process_count; i++)
		probe_all(&user.processes[i]);
	user.started = true;
	if (!user.error)
		return EXIT_DONE;
	if (user.error == -EINVAL) {
		say_error(
			"cannot probe the allocator: %s (another program may probe it in a way that "
			"rules this out; the kernel's log tells)",
			strerror(EINVAL));
		return EXIT_FAILED;
	}
	say_error("cannot probe the allocator: %s%s", strerror(-user.error),
		  kernel_missing(user.error));
	return user.error == -EPERM || user.error == -EACCES || user.error == -ENOENT ? EXIT_CANNOT
										      : EXIT_FAILED;
}

int user_fd(void)
{
	return ring_buffer__epoll_fd(user.notices);
}

void user_heed(void)
{
	ring_buffer__consume(user.notices);
	unmap_all(bpf_map__fd(user.skel->maps.mappings));
}

void user_look_again(void)
{
	unsigned int i;

	for (i = 0; i < user.process_count; i++) {
		struct process *p = &user.processes[i];

		if (p->looks) {
			p->looks--;
			see_maps(p->pid);
		}
		probe_all(p);
	}
}

void user_detach(void)
{
	while (user.attached_count)
		detach_one(&user.attached[--user.attached_count]);
	free(user.attached);
	free(user.libraries);
	ring_buffer__free(user.notices);
}
