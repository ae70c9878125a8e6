// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "comm_glob.h"
#include "say.h"
#include "targets.h"

/* Room for a command's processes that live at one time, where the map is to hold them. */
#define MOST_FOLLOWED 16384

/* The kernel's own bound for ids (PID_MAX_LIMIT). */
#define MOST_ID (4 << 20)

/*
 * The next number of a comma-separated list at *@text, up to @most; moves *@text behind it. Returns
 * it, or -1 at anything that is not one. What follows it, *@end, is one of @ends or the NUL.
 */
static long next_number(const char **text, long most, const char *ends, char *end)
{
	size_t digits = strspn(*text, "0123456789");
	long number;

	if (!digits || digits > 9)
		return -1;
	number = strtol(*text, NULL, 10);
	*text += digits;
	*end = **text;
	if (number > most || !strchr(ends, *end))
		return -1;
	if (*end)
		++*text;
	return number;
}

const char *check_ids(const char *text)
{
	char end;

	do {
		if (next_number(&text, MOST_ID, ",", &end) < 1)
			return "needs numbers with commas between them";
	} while (end);
	return NULL;
}

/* Sets the bits of @text's CPUs. Returns NULL, or what is wrong. */
static const char *parse_cpus(const char *text, __u64 *bits)
{
	int possible = libbpf_num_possible_cpus();
	static char message[64];
	long first, last;
	char end;

	do {
		first = last = next_number(&text, MAX_CPUS - 1, ",-", &end);
		if (first >= 0 && end == '-')
			last = next_number(&text, MAX_CPUS - 1, ",", &end);
		if (first < 0 || last < first)
			return "needs CPU numbers and ranges such as 0-3,5";
		if (possible > 0 && last >= possible) {
			snprintf(message, sizeof(message), "this machine's CPUs are 0-%d",
				 possible - 1);
			return message;
		}
		for (; bits && first <= last; first++)
			bits[first / 64] |= 1ULL << first % 64;
	} while (end);
	return NULL;
}

const char *check_cpus(const char *text)
{
	return parse_cpus(text, NULL);
}

const char *check_comm(const char *text)
{
	struct comm_glob glob;

	switch (comm_glob_compile(text, &glob)) {
	case 0:
		return NULL;
	case -E2BIG:
		return "all patterns together may stand for 63 characters (fewer, if several); use `*`";
	default:
		return "needs globs with commas between them, such as 'nginx*,kworker/[0-3]:*'";
	}
}

/* Calls @use for each id of the list @text, which may be NULL; stops at what it returns. */
static int each_id(const char *text, int (*use)(long id, void *data), void *data)
{
	char end = 1;
	int err = 0;

	while (text && end && !err)
		err = use(next_number(&text, MOST_ID, ",", &end), data);
	return err;
}

/* The process of thread @tid, or 0 if there is no such thread. */
static long process_of(long tid)
{
	char path[64], line[128];
	long tgid = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/status", tid);
	file = fopen(path, "re");
	while (file && !tgid && fgets(line, sizeof(line), file))
		sscanf(line, "Tgid: %ld", &tgid);
	if (file)
		fclose(file);
	return tgid;
}

static int check_process(long pid, void *data)
{
	long process = process_of(pid);

	(void)data;
	if (process == pid)
		return 0;
	if (process)
		say_error("%ld is a thread of process %ld; name that, or use -t", pid, process);
	else
		say_error("there is no process %ld (-p)", pid);
	return EXIT_FAILED;
}

static int check_thread(long tid, void *data)
{
	(void)data;
	if (process_of(tid))
		return 0;
	say_error("there is no thread %ld (-t)", tid);
	return EXIT_FAILED;
}

/* Where cgroup v2 is mounted, in @buf of @size bytes; false if nowhere. */
static bool find_cgroup2(char *buf, size_t size)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m;
	bool found = false;

	while (mounts && !found && (m = getmntent(mounts))) {
		found = !strcmp(m->mnt_type, "cgroup2");
		if (found)
			snprintf(buf, size, "%s", m->mnt_dir);
	}
	if (mounts)
		endmntent(mounts);
	return found;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* Does @path end with the components @suffix? */
static bool ends_with(const char *path, const char *suffix)
{
	size_t whole = strlen(path), end = strlen(suffix);

	return whole > end && path[whole - end - 1] == '/' && !strcmp(path + whole - end, suffix);
}

/* Looks below @root for cgroups whose path ends with @suffix: the first is put into @found. */
static unsigned int find_below(char *root, const char *suffix, char *found, size_t size)
{
	char *const roots[] = { root, NULL };
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	unsigned int count = 0;
	FTSENT *entry;

	while (walk && (entry = fts_read(walk))) {
		if (entry->fts_info == FTS_D && ends_with(entry->fts_path, suffix) && !count++)
			snprintf(found, size, "%s", entry->fts_path);
	}
	if (walk)
		fts_close(walk);
	return count;
}

/* Finds the directory of the cgroup that the user calls @path. Returns an exit status, or 0. */
static int find_cgroup(const char *path, char *root, char *found, size_t size)
{
	size_t length = strlen(root);
	const char *suffix = path;
	char *end;
	unsigned int count;

	/* A directory below the mount, or the path as /proc/PID/cgroup shows it. */
	if (!strncmp(path, root, length) && (path[length] == '/' || !path[length]))
		snprintf(found, size, "%s", path);
	else
		snprintf(found, size, "%s%s%s", root, *path == '/' ? "" : "/", path);
	end = found + strlen(found);
	while (end > found + length && end[-1] == '/')
		*--end = 0;
	if (is_directory(found))
		return 0;
	suffix += strspn(suffix, "/");
	count = *suffix ? find_below(root, suffix, found, size) : 0;
	if (count == 1)
		return 0;
	if (count)
		say_error("'%s' is the end of %u cgroups' paths, one of them %s; write more of it",
			  path, count, found + length);
	else
		say_error("there is no cgroup '%s' below %s", path, root);
	return EXIT_FAILED;
}

bool targets_cpus(const struct targets *targets, __u64 *bits)
{
	if (targets->cpus)
		parse_cpus(targets->cpus, bits);
	return targets->cpus;
}

/* Finds where cgroups are. Returns an exit status, or 0. */
static int need_cgroup2(char *root, size_t size)
{
	if (find_cgroup2(root, size))
		return 0;
	say_error("--cgroup needs cgroup v2, which is not mounted (mount -t cgroup2 none "
		  "/sys/fs/cgroup)");
	return EXIT_CANNOT;
}

int targets_open_cgroup(const char *path, int *fd)
{
	char root[PATH_MAX], found[2 * PATH_MAX];
	int status = need_cgroup2(root, sizeof(root));

	if (!status)
		status = find_cgroup(path, root, found, sizeof(found));
	if (status)
		return status;
	*fd = open(found, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd >= 0)
		return 0;
	say_error("cannot open the cgroup %s: %s", found, strerror(errno));
	return EXIT_FAILED;
}

static int configure_cgroup(const char *path, struct bpf_config *config)
{
	char root[PATH_MAX], found[2 * PATH_MAX];
	struct stat st;
	const char *p;
	int status = need_cgroup2(root, sizeof(root));

	if (status)
		return status;
	/* Depths count from the root of all; its inode is 1. */
	if (stat(root, &st) || st.st_ino != 1) {
		say_error(
			"--cgroup needs the whole cgroup tree, and sees a part of it: run outside of "
			"the cgroup namespace");
		return EXIT_CANNOT;
	}
	status = find_cgroup(path, root, found, sizeof(found));
	if (status)
		return status;
	if (stat(found, &st)) {
		say_error("cannot read the cgroup %s: %s", found, strerror(errno));
		return EXIT_FAILED;
	}
	config->by_cgroup = true;
	config->cgroup_id = st.st_ino;
	for (p = found + strlen(root); *p; p++)
		config->cgroup_level += *p == '/' && p[1] && p[1] != '/';
	say_detail("cgroup %s has id %llu at level %u", found, config->cgroup_id,
		   config->cgroup_level);
	return 0;
}

static int count_id(long id, void *data)
{
	(void)id;
	++*(unsigned int *)data;
	return 0;
}

int targets_configure(const struct targets *targets, pid_t command, struct bpf_config *config)
{
	int status = each_id(targets->pids, check_process, NULL);

	if (!status)
		status = each_id(targets->tids, check_thread, NULL);
	if (!status && targets->cgroup)
		status = configure_cgroup(targets->cgroup, config);
	if (status)
		return status;

	each_id(targets->pids, count_id, &config->chosen);
	each_id(targets->tids, count_id, &config->chosen);
	if (command) {
		config->chosen++;
		config->follow_fork = true;
	} else if (config->chosen == 1) {
		/* Compared at each event; nobody has to be looked up. */
		config->chosen = 0;
		if (targets->pids)
			config->only_tgid = strtoul(targets->pids, NULL, 10);
		else
			config->only_tid = strtoul(targets->tids, NULL, 10);
	}
	if (targets->cpus) {
		config->by_cpu = true;
		parse_cpus(targets->cpus, config->cpus);
	}
	if (targets->comm) {
		config->by_comm = true;
		comm_glob_compile(targets->comm, &config->comm);
	}
	return 0;
}

int targets_size(const struct bpf_config *config, struct bpf_object *obj)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, "chosen");
	struct bpf_program *follow = bpf_object__find_program_by_name(obj, "follow_fork");
	struct bpf_program *forget = bpf_object__find_program_by_name(obj, "forget_task");
	unsigned int room = config->chosen ? config->chosen : 1;

	if (follow && config->follow_fork)
		room += MOST_FOLLOWED;
	if (follow && !config->follow_fork)
		bpf_program__set_autoload(follow, false);
	if (forget && !config->chosen)
		bpf_program__set_autoload(forget, false);
	return bpf_map__set_max_entries(map, room);
}

struct fill {
	int fd;
	__u64 kind;
};

static int fill_id(long id, void *data)
{
	struct fill *fill = data;
	__u64 key = fill->kind | id;
	__u8 value = 1;

	return bpf_map_update_elem(fill->fd, &key, &value, BPF_ANY) ? -errno : 0;
}

int targets_fill(const struct targets *targets, pid_t command, const struct bpf_config *config,
		 struct bpf_object *obj)
{
	struct fill fill = { bpf_object__find_map_fd_by_name(obj, "chosen"), CHOSEN_PROCESS };
	int err = 0;

	if (!config->chosen)
		return 0;
	if (command)
		err = fill_id(command, &fill);
	if (!err)
		err = each_id(targets->pids, fill_id, &fill);
	fill.kind = CHOSEN_THREAD;
	if (!err)
		err = each_id(targets->tids, fill_id, &fill);
	return err;
}

/* Does the name in the file @path match? */
static bool name_matches(const char *path, const struct comm_glob *glob)
{
	char comm[COMM_LEN + 1] = "";
	FILE *file = fopen(path, "re");

	if (!file)
		return false;
	if (fgets(comm, sizeof(comm), file))
		comm[strcspn(comm, "\n")] = 0;
	fclose(file);
	return comm_glob_match(glob, comm);
}

/* Does the name of a thread of the process with the directory @tasks match? */
static bool any_thread_matches(const char *tasks, const struct comm_glob *glob)
{
	char path[128];
	bool found = false;
	struct dirent *d;
	DIR *dir = opendir(tasks);

	while (dir && !found && (d = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%.16s/comm", tasks, d->d_name);
		found = name_matches(path, glob);
	}
	if (dir)
		closedir(dir);
	return found;
}

void targets_hint(const struct targets *targets, const struct bpf_config *config)
{
	char path[64];
	bool found = false;
	struct dirent *d;
	DIR *proc;

	if (!targets->comm)
		return;
	proc = opendir("/proc");
	while (proc && !found && (d = readdir(proc))) {
		snprintf(path, sizeof(path), "/proc/%.16s/task", d->d_name);
		found = any_thread_matches(path, &config->comm);
	}
	if (proc)
		closedir(proc);
	if (!found)
		say_note("no thread's name matches '%s' yet", targets->comm);
}
