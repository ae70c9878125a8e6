// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPU time in the kernel that another thread has to wait for, whatever the kernel's preemption:
 * some milliseconds at a stretch in a BPF program, which the test runs of programs call with
 * preemption or softirqs off (BPF_PROG_TEST_RUN; net/bpf/test_run.c).
 *
 *	held [--wait] SECONDS
 *
 * With --wait it says "ready PID" and waits for a line, works, says "done" and waits for another one.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cue.h"

/*
 * The program divides so often in a round, has so many rounds (old verifiers follow 8192 branches),
 * and then calls itself until the kernel stops that, which is after some thirty times.
 */
#define DIVISIONS 20
#define ROUNDS	  4000

static int bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	int result = syscall(SYS_bpf, command, attr, sizeof(*attr));

	if (result < 0) {
		perror("held");
		exit(1);
	}
	return result;
}

static int make_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_PROG_ARRAY,
		.key_size = sizeof(__u32),
		.value_size = sizeof(__u32),
		.max_entries = 1,
	};

	return bpf(BPF_MAP_CREATE, &attr);
}

static void put(int map, __u32 prog)
{
	union bpf_attr attr = { .map_fd = map };
	__u32 first = 0;

	attr.key = (unsigned long)&first;
	attr.value = (unsigned long)&prog;
	bpf(BPF_MAP_UPDATE_ELEM, &attr);
}

static struct bpf_insn make(__u8 code, __u8 to, __u8 from, __s16 offset, __s32 number)
{
	return (struct bpf_insn){ code, to, from, offset, number };
}

static int load(int map)
{
	struct bpf_insn code[DIVISIONS + 16];
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SCHED_CLS };
	int n = 0, round, i;

	code[n++] = make(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_8, BPF_REG_1, 0, 0);
	code[n++] = make(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_6, 0, 0, 0);
	code[n++] = make(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_7, 0, 0, 3);
	round = n;
	code[n++] = make(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, -1);
	for (i = 0; i < DIVISIONS; i++)
		code[n++] = make(BPF_ALU64 | BPF_DIV | BPF_X, BPF_REG_0, BPF_REG_7, 0, 0);
	code[n++] = make(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_6, 0, 0, 1);
	code[n] = make(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_6, 0, round - n - 1, ROUNDS);
	n++;
	code[n++] = make(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_8, 0, 0);
	code[n++] = make(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_2, BPF_PSEUDO_MAP_FD, 0, map);
	code[n++] = make(0, 0, 0, 0, 0);
	code[n++] = make(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, 0);
	code[n++] = make(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_tail_call);
	code[n++] = make(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0);
	code[n++] = make(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	attr.insns = (unsigned long)code;
	attr.insn_cnt = n;
	attr.license = (unsigned long)"GPL";
	return bpf(BPF_PROG_LOAD, &attr);
}

static void run(int prog)
{
	char packet[64] = {};
	union bpf_attr attr = { .test.prog_fd = prog };

	attr.test.data_in = (unsigned long)packet;
	attr.test.data_size_in = sizeof(packet);
	attr.test.repeat = 1;
	bpf(BPF_PROG_TEST_RUN, &attr);
}

static double cpu_seconds(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return r.ru_utime.tv_sec + r.ru_stime.tv_sec +
	       (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
	bool wait = argc > 1 && !strcmp(argv[1], "--wait");
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	int map, prog;
	double end;

	if (argc != 2 + wait) {
		fputs("usage: held [--wait] SECONDS\n", stderr);
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, 15);
	setrlimit(RLIMIT_MEMLOCK, &unlimited); /* before 5.11 that is what BPF's memory counts as */
	map = make_map();
	prog = load(map);
	put(map, prog);
	if (wait)
		await_line("ready %d", getpid());
	end = cpu_seconds() + strtod(argv[argc - 1], NULL);
	while (cpu_seconds() < end)
		run(prog);
	if (wait)
		await_line("done");
	return 0;
}
