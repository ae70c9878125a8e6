// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fentry works: a program on the entry of a system call counts exactly the calls that are made.
 * The program is five instructions put together here, so that nothing but the kernel's
 * part is tested.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define CALLS 10
#define FUNC  "__x64_sys_sethostname"

int main(void)
{
	/* Before 5.11 maps count against RLIMIT_MEMLOCK. */
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	static char log[65536];
	char name[256];
	long long hits = 0;
	int key = 0;

	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	int func = libbpf_find_vmlinux_btf_id(FUNC, BPF_TRACE_FENTRY);
	if (func < 0)
		errx(77, FUNC " is not in the kernel's BTF (%d)", func);

	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "hits", sizeof(key), sizeof(hits), 1, NULL);
	if (map < 0)
		err(1, "cannot make a map");

	struct bpf_insn insns[] = {
		/* r1 = the value of key 0 */
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = BPF_REG_1,
		  .src_reg = BPF_PSEUDO_MAP_VALUE,
		  .imm = map },
		{ 0 },
		/* r2 = 1; lock *r1 += r2; return 0 */
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 1 },
		{ .code = BPF_STX | BPF_DW | BPF_ATOMIC,
		  .dst_reg = BPF_REG_1,
		  .src_reg = BPF_REG_2,
		  .imm = BPF_ADD },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY,
		    .attach_btf_id = func, .log_buf = log, .log_size = sizeof(log));
	int prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "count", "GPL", insns,
				 sizeof(insns) / sizeof(insns[0]), &opts);
	if (prog < 0)
		err(1, "cannot load the program: %s", log);
	if (bpf_raw_tracepoint_open(NULL, prog) < 0)
		err(1, "cannot attach to " FUNC);

	gethostname(name, sizeof(name));
	for (int i = 0; i < CALLS; i++)
		if (sethostname(name, strnlen(name, sizeof(name))))
			err(1, "sethostname");
	if (bpf_map_lookup_elem(map, &key, &hits) || hits != CALLS)
		errx(1, "an fentry program on " FUNC " counted %lld of %d calls", hits, CALLS);
	printf("an fentry program on " FUNC " counted %lld of %d calls\n", hits, CALLS);
	return 0;
}
