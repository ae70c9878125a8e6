// SPDX-License-Identifier: GPL-2.0-only
/*
 * Has the kernel allocate known numbers of objects, hold them, and free them.
 *
 *	leak KIND N
 *
 * KIND is
 *	eventfds, pipes, unix, udp	N of them; unix and udp are sockets
 *	pages				N fresh ones of the process, none of them huge, in touch_pages()
 *	percpu				a BPF map with N counters for each CPU
 *	maps				N BPF maps that are too large to be had but by vmalloc()
 *	datagrams			N that are sent over the loopback device, and received: none is held
 *	dropped				N that are sent to a socket that has no room for them
 *	stream				N short messages over a TCP connection to itself
 *	growing				N eventfds, ten of them each 60 ms
 *	churn				N times: 100 eventfds are made, and closed
 *
 * Says "ready PID" and waits for a line; makes them, says "made" and waits for another; gives them
 * back, says "dropped" and waits for the last.
 */
#include <linux/bpf.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST_FILES 9000
#define CHURNED	   100

/* At a function's end: its last call leaves it on the stack. */
#define NO_TAIL_CALL() __asm__ volatile("")

static int fds[2 * MOST_FILES];
static long count;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void check(long result, const char *what)
{
	if (result < 0)
		die(what);
}

static void raise_limit(int what, rlim_t to)
{
	struct rlimit limit;

	check(getrlimit(what, &limit), "getrlimit");
	if (limit.rlim_cur >= to)
		return;
	limit.rlim_cur = to;
	if (limit.rlim_max < to)
		limit.rlim_max = to;
	setrlimit(what, &limit); /* if it may not be, something else will fail, or nothing */
}

/* The table of files grows before the start. */
static void make_room(void)
{
	int fd;

	raise_limit(RLIMIT_NOFILE, 2 * count + 200);
	fd = dup2(0, 2 * count + 100);
	check(fd, "dup2");
	close(fd);
}

static void close_files(void)
{
	long i;

	for (i = 0; i < 2 * MOST_FILES; i++) {
		if (fds[i] > 0)
			close(fds[i]);
	}
}

static void make_eventfds(void)
{
	long i;

	for (i = 0; i < count; i++)
		check(fds[i] = eventfd(0, 0), "eventfd");
}

static void make_growing(void)
{
	long i;

	for (i = 0; i < count; i++) {
		check(fds[i] = eventfd(0, 0), "eventfd");
		if (i % 10 == 9)
			usleep(60000);
	}
}

static void make_pipes(void)
{
	long i;

	for (i = 0; i < count; i++)
		check(pipe(&fds[2 * i]), "pipe");
}

static void make_unix(void)
{
	long i;

	for (i = 0; i < count; i++)
		check(fds[i] = socket(AF_UNIX, SOCK_DGRAM, 0), "socket");
}

static void make_udp(void)
{
	long i;

	for (i = 0; i < count; i++)
		check(fds[i] = socket(AF_INET, SOCK_DGRAM, 0), "socket");
}

static char *pages;

static void map_pages(void)
{
	pages = mmap(NULL, count * getpagesize(), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		die("mmap");
	/* Kernels without huge pages do not know it. */
	madvise(pages, count * getpagesize(), MADV_NOHUGEPAGE);
}

__attribute__((noinline)) void touch_pages(void);

void touch_pages(void)
{
	char *volatile at = pages; /* has it keep its frame */
	long i;

	for (i = 0; i < count; i++)
		at[i * getpagesize()] = 1;
	NO_TAIL_CALL();
}

static void unmap_pages(void)
{
	munmap(pages, count * getpagesize());
}

/* Until Linux 5.11 maps are locked memory, of which there is a limit. */
static void lock_more(void)
{
	make_room();
	raise_limit(RLIMIT_MEMLOCK, 1UL << 30);
}

static int make_map(enum bpf_map_type type, __u32 entries)
{
	union bpf_attr attr = {
		.map_type = type,
		.key_size = sizeof(__u32),
		.value_size = sizeof(__u64),
		.max_entries = entries,
	};
	int fd = syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));

	check(fd, "bpf");
	return fd;
}

static void make_percpu(void)
{
	fds[0] = make_map(BPF_MAP_TYPE_PERCPU_ARRAY, count);
}

static void make_maps(void)
{
	long i;

	for (i = 0; i < count; i++)
		fds[i] = make_map(BPF_MAP_TYPE_ARRAY, 30000);
}

static char data[700];

/* A socket at the loopback address, in @fds[0], and another that is connected to it. */
static void make_sockets(int type)
{
	struct sockaddr_in here = { .sin_family = AF_INET };
	socklen_t length = sizeof(here);

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	check(fds[0] = socket(AF_INET, type, 0), "socket");
	check(fds[1] = socket(AF_INET, type, 0), "socket");
	check(bind(fds[0], (struct sockaddr *)&here, sizeof(here)), "bind");
	check(getsockname(fds[0], (struct sockaddr *)&here, &length), "getsockname");
	if (type == SOCK_STREAM)
		check(listen(fds[0], 1), "listen");
	check(connect(fds[1], (struct sockaddr *)&here, sizeof(here)), "connect");
}

static void make_datagram_sockets(void)
{
	make_sockets(SOCK_DGRAM);
}

static void make_stream_sockets(void)
{
	int one = 1;

	make_sockets(SOCK_STREAM);
	check(fds[2] = accept(fds[0], NULL, NULL), "accept");
	check(setsockopt(fds[1], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), "setsockopt");
}

static void receive_waiting(void)
{
	while (recv(fds[0], data, sizeof(data), MSG_DONTWAIT) > 0)
		;
}

static void exchange_datagrams(void)
{
	long i, burst;

	for (i = 0; i < count; i += burst) {
		for (burst = 0; burst < 20 && i + burst < count; burst++)
			check(send(fds[1], data, sizeof(data), 0), "send");
		receive_waiting();
	}
}

static void send_datagrams(void)
{
	long i;

	for (i = 0; i < count; i++)
		check(send(fds[1], data, sizeof(data), 0), "send");
	receive_waiting();
}

static void exchange_stream(void)
{
	long i, left;
	ssize_t n;

	for (i = 0; i < count; i++) {
		check(send(fds[1], data, sizeof(data), 0), "send");
		for (left = sizeof(data); left; left -= n)
			check(n = recv(fds[2], data, left, 0), "recv");
	}
}

static void make_and_close(void)
{
	long times, i;
	int some[CHURNED];

	for (times = 0; times < count; times++) {
		for (i = 0; i < CHURNED; i++)
			check(some[i] = eventfd(0, 0), "eventfd");
		for (i = 0; i < CHURNED; i++)
			close(some[i]);
	}
}

static void nothing(void)
{
}

static const struct kind {
	const char *name;
	void (*before)(void);
	void (*make)(void);
	void (*drop)(void);
} kinds[] = {
	{ "eventfds", make_room, make_eventfds, close_files },
	{ "growing", make_room, make_growing, close_files },
	{ "pipes", make_room, make_pipes, close_files },
	{ "unix", make_room, make_unix, close_files },
	{ "udp", make_room, make_udp, close_files },
	{ "pages", map_pages, touch_pages, unmap_pages },
	{ "percpu", lock_more, make_percpu, close_files },
	{ "maps", lock_more, make_maps, close_files },
	{ "datagrams", make_datagram_sockets, exchange_datagrams, nothing },
	{ "dropped", make_datagram_sockets, send_datagrams, nothing },
	{ "stream", make_stream_sockets, exchange_stream, nothing },
	{ "churn", nothing, make_and_close, nothing },
};

static const struct kind *find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	}
	return NULL;
}

/* What stdio would allocate is not the load's. */
static void say(const char *text)
{
	char line[16];

	check(write(1, text, strlen(text)), "write");
	if (read(0, line, sizeof(line)) <= 0)
		exit(1);
}

int main(int argc, char **argv)
{
	const struct kind *kind = argc == 3 ? find(argv[1]) : NULL;
	char ready[40];

	if (kind)
		count = strtol(argv[2], NULL, 10);
	if (!kind || count < 1 || (kind->drop == close_files && count > MOST_FILES)) {
		fputs("usage: leak eventfds|pipes|unix|udp|pages|percpu|maps|datagrams|dropped|stream|"
		      "growing|churn N\n",
		      stderr);
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, 15);
	kind->before();
	snprintf(ready, sizeof(ready), "ready %d\n", getpid());
	say(ready);
	kind->make();
	say("made\n");
	kind->drop();
	say("dropped\n");
	return 0;
}
