// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "kernel.h"
#include "say.h"
#include "word_list.h"

#define BTF_PATH "/sys/kernel/btf/vmlinux"

/* The inode of the first PID namespace (PROC_PID_INIT_INO). */
#define FIRST_PID_NAMESPACE 0xeffffffcU

bool kernel_is_without(const char *feature)
{
	return list_has(getenv("BPF_PROF_WITHOUT"), feature);
}

static bool has_capability(const struct __user_cap_data_struct *data, int capability)
{
	return data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

/* Whether this process may load programs, and whether it may have them trace. */
static void get_privilege(bool *bpf, bool *perfmon)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	*bpf = *perfmon = true;
	if (syscall(SYS_capget, &header, data))
		return; /* the kernel will tell */
	if (has_capability(data, CAP_SYS_ADMIN))
		return;
	*bpf = has_capability(data, CAP_BPF);
	*perfmon = has_capability(data, CAP_PERFMON);
}

static int check_privilege(void)
{
	bool bpf, perfmon;

	get_privilege(&bpf, &perfmon);
	if (bpf && perfmon)
		return 0;
	say_error("cannot load BPF programs: Operation not permitted (needs %s%s%s, or root)",
		  bpf ? "" : "CAP_BPF", bpf || perfmon ? "" : " and ",
		  perfmon ? "" : "CAP_PERFMON");
	return EXIT_CANNOT;
}

int kernel_check(void)
{
	struct stat st;

	if (access(BTF_PATH, R_OK)) {
		say_error("cannot read the kernel's BTF at " BTF_PATH ": %s (needs a kernel with "
			  "CONFIG_DEBUG_INFO_BTF%s)",
			  strerror(errno), errno == ENOENT ? ", and sysfs mounted" : "");
		return EXIT_CANNOT;
	}
	if (!stat("/proc/self/ns/pid", &st) && st.st_ino != FIRST_PID_NAMESPACE) {
		say_error(
			"cannot tell threads apart from inside of a PID namespace (needs the host's: "
			"--pid=host for containers)");
		return EXIT_CANNOT;
	}
	return check_privilege();
}

bool kernel_has_task_storage(void)
{
	return !kernel_is_without("task_storage") &&
	       libbpf_probe_bpf_map_type(BPF_MAP_TYPE_TASK_STORAGE, NULL) == 1;
}

bool kernel_has_sched_info(void)
{
	unsigned long long ran = 0, waited = 0, turns = 0;
	FILE *file;

	if (kernel_is_without("sched_info"))
		return false;
	/* There without CONFIG_SCHED_INFO is not; all zeros if the account is switched off. */
	file = fopen("/proc/self/schedstat", "re");
	if (!file)
		return false;
	if (fscanf(file, "%llu %llu %llu", &ran, &waited, &turns) != 3)
		turns = 0;
	fclose(file);
	return turns;
}

bool kernel_has_tracepoint(const char *name)
{
	return !kernel_is_without(name) && libbpf_find_vmlinux_btf_id(name, BPF_TRACE_RAW_TP) > 0;
}

static struct btf *btf_of_kernel;

const struct btf *kernel_btf(void)
{
	if (!btf_of_kernel)
		btf_of_kernel = btf__load_vmlinux_btf();
	return btf_of_kernel;
}

void kernel_btf_free(void)
{
	btf__free(btf_of_kernel);
	btf_of_kernel = NULL;
}

bool kernel_has_fentry(const char *function)
{
	/* r0 = 0; exit */
	static const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY);
	int prog, link = -1;

	if (kernel_is_without("fentry") || !kernel_btf())
		return false;
	opts.attach_btf_id = btf__find_by_name_kind(kernel_btf(), function, BTF_KIND_FUNC);
	if ((int)opts.attach_btf_id <= 0)
		return false;
	prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "probe", "GPL", code, 2, &opts);
	if (prog >= 0) {
		link = bpf_raw_tracepoint_open(NULL, prog);
		close(prog);
	}
	if (link >= 0)
		close(link);
	return link >= 0;
}

__u64 kernel_stack_size(void)
{
#if defined(__x86_64__)
	const struct btf *btf = kernel_btf();
	/* Stacks of interrupts are as large as tasks' (arch/x86/include/asm/page_64_types.h). */
	int id = btf ? btf__find_by_name_kind(btf, "irq_stack", BTF_KIND_STRUCT) : -1;
	__s64 size = id > 0 ? btf__resolve_size(btf, id) : 0;

	return size > 0 && !kernel_is_without("known_stacks") ? size : 0;
#else
	return 0;
#endif
}

/* A map of maps: the kernel does not return from updating one while a program may use the old. */
static int outer_map = -1, inner_map = -1;

int kernel_wait_setup(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, options);

	inner_map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "inner", 4, 4, 1, NULL);
	if (inner_map < 0)
		return inner_map;
	options.inner_map_fd = inner_map;
	outer_map = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "outer", 4, 4, 1, &options);
	return outer_map < 0 ? outer_map : 0;
}

void kernel_wait_for_programs(void)
{
	__u32 zero = 0;

	if (bpf_map_update_elem(outer_map, &zero, &inner_map, BPF_ANY))
		say_detail("cannot wait for programs to end: %s", strerror(errno));
}

unsigned int kernel_threads(void)
{
	unsigned int running, threads = 0;
	FILE *file = fopen("/proc/loadavg", "re");

	if (file) {
		if (fscanf(file, "%*f %*f %*f %u/%u", &running, &threads) != 2)
			threads = 0;
		fclose(file);
	}
	return threads ? threads : 1;
}

const char *kernel_missing(int err)
{
	bool bpf, perfmon;

	get_privilege(&bpf, &perfmon);
	switch (-err) {
	case EPERM:
		if (bpf && perfmon)
			return " (needs CAP_SYS_RESOURCE or `ulimit -l unlimited` before Linux 5.11; "
			       "later, lockdown or a security module may forbid it)";
		return " (needs CAP_BPF and CAP_PERFMON, or root)";
	case EACCES:
	case EINVAL:
	case E2BIG:
		return " (this kernel's verifier refused it; -v shows why)";
	case ESRCH:
	case ENOENT:
		return " (this kernel does not have it)";
	case EOPNOTSUPP:
	case ENOSYS:
		return " (this kernel does not support it)";
	default:
		return "";
	}
}
