// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scheduling loads whose run delays the kernel accounts for in /proc/TID/schedstat. That is read of
 * each thread when it has done its work and sleeps, and printed at the end:
 *
 *	{"tid":1,"pid":1,"comm":"hog-0","wait_ns":1,"turns":1,"early_ns":1,"wall_ns":1,"cpu_ns":1}
 *
 * since its birth (of the main thread: since the beginning of the load, up to its end). wall_ns -
 * cpu_ns is the time that it did not run, by other clocks than the scheduler's account. early_ns are
 * its waits until it was on the CPU that it was sent to.
 *
 *	sched [--wait] hogs SECONDS CPU[,CPU...]	a busy thread on each of these CPUs
 *	sched [--wait] pair ROUNDS CPU[,CPU]		two threads that wake each other in turn
 *	sched [--wait] spawn THREADS CPU		threads that live for some milliseconds
 *	sched [--wait] migrate SECONDS			busy threads that are moved while they wait
 *	sched [--wait] rename SECONDS CPU[,CPU...]	the first busy thread changes its name halfway
 *	sched [--wait] main SECONDS CPU			the main thread and another are busy
 *
 * With --wait it prints "ready PID" and begins when a line comes on standard input; when it has
 * printed its accounts it prints "done" and lets its threads end when another line comes, so that an
 * observer can see just what the accounts hold.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MOST_THREADS 512
#define NSEC	     1000000000ULL

static double seconds;
static long rounds;

struct account {
	unsigned long long ran, waited, turns, wall, cpu, early;
};

static void die(const char *what)
{
	fprintf(stderr, "sched: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * NSEC + ts.tv_nsec;
}

/* What the scheduler accounts for thread @tid of this process. */
static struct account account(int tid)
{
	struct account a = {};
	char path[64], text[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/schedstat", tid);
	fd = open(path, O_RDONLY);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		die(path);
	text[n] = 0;
	close(fd);
	if (sscanf(text, "%llu %llu %llu", &a.ran, &a.waited, &a.turns) != 3)
		die(path);
	return a;
}

static void read_clocks(struct account *a)
{
	a->wall = now(CLOCK_MONOTONIC);
	a->cpu = now(CLOCK_THREAD_CPUTIME_ID);
}

/* What a thread's account grew by. */
static void print_between(long tid, const char *comm, const struct account *begin,
			  const struct account *end)
{
	printf("{\"tid\":%ld,\"pid\":%d,\"comm\":\"%s\",\"wait_ns\":%llu,\"turns\":%llu,"
	       "\"early_ns\":%llu,\"wall_ns\":%llu,\"cpu_ns\":%llu}\n",
	       tid, getpid(), comm, end->waited - begin->waited, end->turns - begin->turns,
	       end->early, end->wall - begin->wall, end->cpu - begin->cpu);
}

static void pin(pid_t tid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(tid, sizeof(set), &set))
		die("sched_setaffinity");
}

static void spin_until(uint64_t end)
{
	while (now(CLOCK_MONOTONIC) < end)
		;
}

struct thread {
	pthread_t id;
	int number;
	int cpu; /* -1: any */
	int in, out;
	atomic_int tid, done;
	int leave; /* an eventfd: the thread ends when it is written to */
	char comm[16];
	struct account begin, end;
	void (*body)(struct thread *t);
};

static struct thread threads[MOST_THREADS];

static void player(struct thread *t);

static void *thread_main(void *data)
{
	struct thread *t = data;

	uint64_t word;

	t->begin.wall = now(CLOCK_MONOTONIC);
	snprintf(t->comm, sizeof(t->comm), "%s-%d", t->body == player ? "player" : "hog",
		 t->number);
	prctl(PR_SET_NAME, t->comm);
	if (t->cpu >= 0)
		pin(0, t->cpu);
	atomic_store(&t->tid, (int)syscall(SYS_gettid));
	t->end.early = account(atomic_load(&t->tid)).waited;
	t->body(t);
	prctl(PR_GET_NAME, t->comm);
	read_clocks(&t->end);
	atomic_store(&t->done, 1);
	if (read(t->leave, &word, sizeof(word)) < 0)
		die("eventfd");
	return NULL;
}

/* Is thread @tid asleep? */
static int sleeps(int tid)
{
	char path[64], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		die(path);
	fclose(file);
	return state == 'S';
}

static void nap(void)
{
	struct timespec pause = { 0, 1000000 };

	nanosleep(&pause, NULL);
}

/* Waits until thread @t has done its work and sleeps; from then on its account stands still. */
static void wait_done(struct thread *t)
{
	while (!atomic_load(&t->done) || !sleeps(atomic_load(&t->tid)))
		nap();
}

static void start(int number, int cpu, void (*body)(struct thread *t))
{
	struct thread *t = &threads[number];

	t->number = number;
	t->cpu = cpu;
	t->body = body;
	t->leave = eventfd(0, EFD_CLOEXEC);
	if (t->leave < 0 || pthread_create(&t->id, NULL, thread_main, t))
		die("pthread_create");
}

/* Takes the accounts of the first @count threads. */
static void take_accounts(int count)
{
	int i;

	for (i = 0; i < count; i++) {
		struct thread *t = &threads[i];
		struct account end;

		wait_done(t);
		end = account(atomic_load(&t->tid));
		end.wall = t->end.wall;
		end.cpu = t->end.cpu;
		end.early = t->end.early;
		t->end = end;
	}
}

/* Lets all threads end. */
static void release(void)
{
	uint64_t one = 1;
	int i;

	for (i = 0; i < MOST_THREADS && threads[i].body; i++) {
		if (write(threads[i].leave, &one, sizeof(one)) < 0)
			die("eventfd");
		pthread_join(threads[i].id, NULL);
	}
}

static void hog(struct thread *t)
{
	(void)t;
	spin_until(now(CLOCK_MONOTONIC) + seconds * NSEC);
}

static void player(struct thread *t)
{
	uint64_t word = 1;
	long i;

	for (i = 0; i < rounds; i++) {
		if (read(t->in, &word, sizeof(word)) < 0 || write(t->out, &word, sizeof(word)) < 0)
			die("eventfd");
	}
}

static void mayfly(struct thread *t)
{
	(void)t;
	spin_until(now(CLOCK_MONOTONIC) + 20000000);
}

static void renamer(struct thread *t)
{
	uint64_t begin = now(CLOCK_MONOTONIC);

	spin_until(begin + seconds / 2 * NSEC);
	if (t->number == 0)
		prctl(PR_SET_NAME, "renamed");
	spin_until(begin + seconds * NSEC);
}

static int parse_cpus(char *text, int cpus[MOST_THREADS])
{
	int count = 0;
	char *word;

	for (word = strtok(text, ","); word && count < MOST_THREADS; word = strtok(NULL, ","))
		cpus[count++] = atoi(word);
	return count;
}

static void run_hogs(char *cpu_list, void (*body)(struct thread *t))
{
	int cpus[MOST_THREADS], count = parse_cpus(cpu_list, cpus), i;

	for (i = 0; i < count; i++)
		start(i, cpus[i], body);
	take_accounts(count);
}

static void run_pair(char *cpu_list)
{
	int cpus[MOST_THREADS], count = parse_cpus(cpu_list, cpus), a = eventfd(0, 0),
				b = eventfd(1, 0);

	threads[0].in = threads[1].out = a;
	threads[1].in = threads[0].out = b;
	start(0, cpus[0], player);
	start(1, cpus[count - 1], player);
	take_accounts(2);
}

/* Four at a time, so that they wait for each other. */
static void run_spawn(int count, int cpu)
{
	int i;

	for (i = 0; i < count; i++) {
		if (i >= 4)
			wait_done(&threads[i - 4]);
		start(i, cpu, mayfly);
	}
	take_accounts(count);
}

/*
 * Three busy threads on each of two CPUs, so that most of them wait at any moment; each is sent to
 * the other CPU again and again, mostly while it waits.
 */
static void run_migrate(void)
{
	uint64_t end = now(CLOCK_MONOTONIC) + seconds * NSEC;
	int count = 6, i, turn;

	for (i = 0; i < count; i++)
		start(i, i % 2, hog);
	for (turn = 0; now(CLOCK_MONOTONIC) < end; turn++) {
		int tid = atomic_load(&threads[turn % count].tid);

		nap();
		if (tid && now(CLOCK_MONOTONIC) < end)
			pin(tid, (turn / count + turn) % 2);
	}
	take_accounts(count);
}

int main(int argc, char **argv)
{
	struct account begin, end;
	int i, wait = argc > 1 && !strcmp(argv[1], "--wait");
	const char *mode;

	argc -= wait;
	argv += wait;
	if (argc < 3) {
		fprintf(stderr, "usage: sched [--wait] MODE ARG...; see the head of the source\n");
		return 2;
	}
	if (wait) {
		printf("ready %d\n", getpid());
		fflush(stdout);
	}
	/* The wait for the CPU after the cue is seen by an observer, too. */
	begin = account(getpid());
	if (wait && getchar() == EOF)
		return 1;
	read_clocks(&begin);
	mode = argv[1];
	seconds = atof(argv[2]);
	rounds = atol(argv[2]);
	if (!strcmp(mode, "hogs") && argc > 3) {
		run_hogs(argv[3], hog);
	} else if (!strcmp(mode, "rename") && argc > 3) {
		run_hogs(argv[3], renamer);
	} else if (!strcmp(mode, "main") && argc > 3) {
		pin(0, atoi(argv[3]));
		start(0, -1, hog);
		hog(NULL);
		take_accounts(1);
	} else if (!strcmp(mode, "pair") && argc > 3) {
		run_pair(argv[3]);
	} else if (!strcmp(mode, "spawn") && argc > 3 && rounds <= MOST_THREADS) {
		run_spawn(rounds, atoi(argv[3]));
	} else if (!strcmp(mode, "migrate")) {
		run_migrate();
	} else {
		fprintf(stderr, "sched: cannot do '%s'\n", mode);
		return 2;
	}
	end = account(getpid());
	read_clocks(&end);
	print_between(getpid(), "sched", &begin, &end);
	for (i = 0; i < MOST_THREADS && threads[i].body; i++)
		print_between(atomic_load(&threads[i].tid), threads[i].comm, &threads[i].begin,
			      &threads[i].end);
	if (wait) {
		printf("done\n");
		fflush(stdout);
		getchar();
	}
	release();
	return 0;
}
