// SPDX-License-Identifier: GPL-2.0-only
/* What -p -t -C --comm --cgroup become for the programs, with this process as the target. */
#include "helpers.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <mntent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "comm_glob.h"
#include "say.h"
#include "targets.h"

/* What was told on stderr while a call ran. */
static const char *told;

static int configure(const struct targets *targets, pid_t command, struct bpf_config *config)
{
	int status;

	memset(config, 0, sizeof(*config));
	catch_begin();
	status = targets_configure(targets, command, config);
	told = catch_end();
	if (!status)
		assert_string_equal(told, "");
	else
		check_told(told, "");
	return status;
}

static void without_targets_everybody_is_observed(void **state)
{
	struct bpf_config config, none = {};

	(void)state;
	assert_int_equal(configure(&(struct targets){}, 0, &config), 0);
	assert_memory_equal(&config, &none, sizeof(config));
}

static void one_process_is_compared_and_not_looked_up(void **state)
{
	struct bpf_config config;
	char pid[32];

	(void)state;
	snprintf(pid, sizeof(pid), "%d", getpid());
	assert_int_equal(configure(&(struct targets){ .pids = pid }, 0, &config), 0);
	assert_int_equal(config.only_tgid, getpid());
	assert_int_equal(config.only_tid, 0);
	assert_int_equal(config.chosen, 0);
	assert_false(config.follow_fork);
	assert_int_equal(configure(&(struct targets){ .tids = pid }, 0, &config), 0);
	assert_int_equal(config.only_tid, getpid());
	assert_int_equal(config.only_tgid, 0);
	assert_int_equal(config.chosen, 0);
}

static void several_ids_are_counted_together(void **state)
{
	struct bpf_config config;
	char two[64], one[32];

	(void)state;
	snprintf(two, sizeof(two), "%d,%d", getpid(), getppid() > 1 ? getppid() : 1);
	snprintf(one, sizeof(one), "%d", getpid());
	assert_int_equal(configure(&(struct targets){ .pids = two }, 0, &config), 0);
	assert_int_equal(config.chosen, 2);
	assert_int_equal(config.only_tgid, 0);
	assert_int_equal(configure(&(struct targets){ .pids = two, .tids = one }, 0, &config), 0);
	assert_int_equal(config.chosen, 3);
	assert_int_equal(config.only_tgid, 0);
	assert_int_equal(config.only_tid, 0);
}

static void a_command_is_observed_with_its_children(void **state)
{
	struct bpf_config config;

	(void)state;
	assert_int_equal(configure(&(struct targets){}, getpid(), &config), 0);
	assert_int_equal(config.chosen, 1);
	assert_true(config.follow_fork);
	assert_int_equal(config.only_tgid, 0);
}

static void who_is_not_there_is_told(void **state)
{
	struct bpf_config config;
	char list[64], gone[32];
	pid_t pid = fork();

	(void)state;
	if (!pid)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	snprintf(gone, sizeof(gone), "%d", pid);
	snprintf(list, sizeof(list), "%d,%d", getpid(), pid);
	assert_int_equal(configure(&(struct targets){ .pids = gone }, 0, &config), EXIT_FAILED);
	assert_non_null(strstr(told, gone));
	assert_int_equal(configure(&(struct targets){ .pids = list }, 0, &config), EXIT_FAILED);
	assert_non_null(strstr(told, gone));
	assert_int_equal(configure(&(struct targets){ .tids = list }, 0, &config), EXIT_FAILED);
	assert_non_null(strstr(told, gone));
}

static pid_t thread_id;
static pthread_barrier_t barrier;

static void *wait_in_thread(void *name)
{
	prctl(PR_SET_NAME, name);
	thread_id = syscall(SYS_gettid);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return NULL;
}

static void with_a_thread(const char *name, void (*check)(void))
{
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, wait_in_thread, (void *)name), 0);
	pthread_barrier_wait(&barrier);
	check();
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&barrier);
}

static void check_thread_ids(void)
{
	struct bpf_config config;
	char tid[32], pid[32];

	snprintf(tid, sizeof(tid), "%d", thread_id);
	snprintf(pid, sizeof(pid), "%d", getpid());
	assert_int_not_equal(thread_id, getpid());
	assert_int_equal(configure(&(struct targets){ .tids = tid }, 0, &config), 0);
	assert_int_equal(config.only_tid, thread_id);
	assert_int_equal(configure(&(struct targets){ .pids = tid }, 0, &config), EXIT_FAILED);
	assert_non_null(strstr(told, tid));
	assert_non_null(strstr(told, pid));
}

static void a_thread_is_no_process(void **state)
{
	(void)state;
	with_a_thread("worker", check_thread_ids);
}

static void cpus_are_those_of_the_list(void **state)
{
	int last = libbpf_num_possible_cpus() - 1, i;
	struct bpf_config config;
	char list[32];

	(void)state;
	assert_int_equal(configure(&(struct targets){ .cpus = "0" }, 0, &config), 0);
	assert_true(config.by_cpu);
	assert_int_equal(config.cpus[0], 1);
	for (i = 1; i < MAX_CPUS / 64; i++)
		assert_int_equal(config.cpus[i], 0);

	snprintf(list, sizeof(list), "%d", last);
	assert_int_equal(configure(&(struct targets){ .cpus = list }, 0, &config), 0);
	for (i = 0; i < MAX_CPUS; i++)
		assert_int_equal(config.cpus[i / 64] >> i % 64 & 1, i == last);

	snprintf(list, sizeof(list), "0-%d,0", last);
	assert_int_equal(configure(&(struct targets){ .cpus = list }, 0, &config), 0);
	for (i = 0; i < MAX_CPUS; i++)
		assert_int_equal(config.cpus[i / 64] >> i % 64 & 1, i <= last);
	assert_false(config.by_comm || config.by_cgroup || config.chosen);
}

static void names_are_matched_by_their_globs(void **state)
{
	struct bpf_config config;

	(void)state;
	assert_int_equal(configure(&(struct targets){ .comm = "nginx*,sh" }, 0, &config), 0);
	assert_true(config.by_comm);
	assert_true(comm_glob_match(&config.comm, "nginx2"));
	assert_true(comm_glob_match(&config.comm, "sh"));
	assert_false(comm_glob_match(&config.comm, "bash"));
}

static const char *hint(const char *comm)
{
	struct targets targets = { .comm = comm };
	struct bpf_config config;

	assert_int_equal(configure(&targets, 0, &config), 0);
	catch_begin();
	targets_hint(&targets, &config);
	told = catch_end();
	return told;
}

static void check_hints(void)
{
	/* A thread's own name, not that of its process. */
	assert_string_equal(hint("some-odd-[m-o]ame"), "");
	assert_non_null(strstr(hint("no-such-name-?"), "no-such-name-?"));
	assert_string_equal(hint(NULL), "");
}

static void a_name_that_nobody_has_is_hinted_at(void **state)
{
	(void)state;
	with_a_thread("some-odd-name", check_hints);
}

/* Where cgroup v2 is mounted with the root of all; false if it is not. */
static bool find_root(char *found, size_t size)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	bool is_there = false;
	struct mntent *m;
	struct stat st;

	while (mounts && !is_there && (m = getmntent(mounts))) {
		is_there = !strcmp(m->mnt_type, "cgroup2") && !stat(m->mnt_dir, &st) &&
			   st.st_ino == 1;
		if (is_there)
			snprintf(found, size, "%s", m->mnt_dir);
	}
	if (mounts)
		endmntent(mounts);
	return is_there;
}

static void check_cgroup(const char *path, const char *directory, unsigned int level)
{
	struct bpf_config config;
	struct stat st;
	int status = configure(&(struct targets){ .cgroup = path }, 0, &config);

	if (status)
		fail_msg("--cgroup %s: %d, %s", path, status, told);
	assert_int_equal(stat(directory, &st), 0);
	assert_true(config.by_cgroup);
	assert_int_equal(config.cgroup_id, st.st_ino);
	assert_int_equal(config.cgroup_level, level);
}

/* Where cgroup v2 is mounted, and the directories that the test has made. */
static char root[256], made[4][600];

static int remove_cgroups(void **state)
{
	int i;

	(void)state;
	for (i = 3; i >= 0; i--) {
		if (*made[i])
			rmdir(made[i]);
	}
	return 0;
}

/* Makes cgroup @i, "/NAME.PID" or "PARENT/NAME.PID"; returns its path from the root. */
static const char *make_cgroup(int i, const char *parent, const char *name)
{
	snprintf(made[i], sizeof(made[i]), "%.255s%.255s/%s.%d", root, parent, name, getpid());
	if (mkdir(made[i], 0755)) {
		print_message("cannot make %s: %s\n", made[i], strerror(errno));
		*made[i] = 0;
		skip();
	}
	return made[i] + strlen(root);
}

static void a_cgroup_is_found_by_its_path_or_the_end_of_it(void **state)
{
	char top[300], two[300], with_slash[700], common_end[64], part[64];
	struct bpf_config config;

	(void)state;
	if (!find_root(root, sizeof(root))) {
		print_message("cgroup v2 is not mounted here\n");
		skip();
	}
	snprintf(top, sizeof(top), "%.299s", make_cgroup(0, "", "test_targets"));
	make_cgroup(1, top, "one");
	snprintf(two, sizeof(two), "%.299s", make_cgroup(2, top, "two"));
	make_cgroup(3, two, "one");

	check_cgroup("/", root, 0);
	check_cgroup(root, root, 0);
	check_cgroup(top, made[0], 1);
	check_cgroup(top + 1, made[0], 1);
	check_cgroup(made[0], made[0], 1);
	snprintf(with_slash, sizeof(with_slash), "%s/", made[1]);
	check_cgroup(with_slash, made[1], 2);
	/* "two.PID" and "two.PID/one.PID" */
	check_cgroup(strrchr(made[2], '/') + 1, made[2], 2);
	check_cgroup(made[2] + strlen(made[0]) + 1, made[2], 2);
	check_cgroup(made[3] + strlen(made[0]) + 1, made[3], 3);

	/* The end of two paths, and of a component alone. */
	snprintf(common_end, sizeof(common_end), "one.%d", getpid());
	assert_int_equal(configure(&(struct targets){ .cgroup = common_end }, 0, &config),
			 EXIT_FAILED);
	assert_non_null(strstr(told, common_end));
	snprintf(part, sizeof(part), "wo.%d", getpid());
	assert_int_equal(configure(&(struct targets){ .cgroup = part }, 0, &config), EXIT_FAILED);
}

static void a_cgroup_that_is_not_there_is_told(void **state)
{
	struct bpf_config config;
	int status = configure(&(struct targets){ .cgroup = "no/such-cgroup" }, 0, &config);

	(void)state;
	assert_int_equal(status, find_root(root, sizeof(root)) ? EXIT_FAILED : EXIT_CANNOT);
	assert_non_null(strstr(told, "cgroup"));
	assert_false(config.by_cgroup);
}

static int setup(void **state)
{
	(void)state;
	say_setup("tester", false, false);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_targets_everybody_is_observed),
		cmocka_unit_test(one_process_is_compared_and_not_looked_up),
		cmocka_unit_test(several_ids_are_counted_together),
		cmocka_unit_test(a_command_is_observed_with_its_children),
		cmocka_unit_test(who_is_not_there_is_told),
		cmocka_unit_test(a_thread_is_no_process),
		cmocka_unit_test(cpus_are_those_of_the_list),
		cmocka_unit_test(names_are_matched_by_their_globs),
		cmocka_unit_test(a_name_that_nobody_has_is_hinted_at),
		cmocka_unit_test_teardown(a_cgroup_is_found_by_its_path_or_the_end_of_it,
					  remove_cgroups),
		cmocka_unit_test(a_cgroup_that_is_not_there_is_told),
	};

	return cmocka_run_group_tests_name("targets", tests, setup, NULL);
}
