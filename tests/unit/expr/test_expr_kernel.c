// SPDX-License-Identifier: GPL-2.0-only
/*
 * Expressions are worth in the kernel what they are worth in C: those of the file `cases` (see
 * `generate`) are loaded, many into one program, and evaluated at a tracepoint whose record this
 * program decides on: raw_syscalls:sys_enter, by a system call that does not exist.
 *
 * Static, to run in any guest; speaks TAP.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "expr/expr.h"
#include "tracefs.h"

/* No kernel has a system call of this number. */
#define NO_SYSCALL 4000

/* Where the record has the call's number, and its arguments, which are what we decide on. */
#define NUMBER	     8
#define ARGUMENTS    16

#define BATCH	     32
#define MOST_RECORDS 8
#define MOST_CASES   100000

#define NUMBER_FIELD(name_, at, size_, is_signed_)                                                \
	{                                                                                         \
		.name = name_, .offset = ARGUMENTS + (at), .size = size_, .is_signed = is_signed_ \
	}

/* The same table as that of `generate`. */
static const struct expr_field number_fields[] = {
	NUMBER_FIELD("a", 0, 1, true),
	NUMBER_FIELD("b", 1, 1, false),
	NUMBER_FIELD("c", 2, 2, true),
	NUMBER_FIELD("d", 4, 4, true),
	NUMBER_FIELD("e", 8, 8, true),
	NUMBER_FIELD("f", 16, 8, false),
	NUMBER_FIELD("g", 24, 4, false),
	NUMBER_FIELD("h", 28, 2, false),
	NUMBER_FIELD("odd", 29, 2, false),
	{ .name = "v",
	  .content = CONTENT_ARRAY,
	  .offset = ARGUMENTS + 32,
	  .size = 4,
	  .elements = 4,
	  .is_signed = true },
	{ .name = "w",
	  .content = CONTENT_ARRAY,
	  .offset = ARGUMENTS + 32,
	  .size = 2,
	  .elements = 2,
	  .is_signed = true },
};

/* The first argument says where the string is, the second points to it, the others are it. */
#define TEXT_AT	  16
#define TEXT_SIZE 32

static const struct expr_field text_fields[] = {
	{ .name = "chars",
	  .content = CONTENT_CHARS,
	  .offset = ARGUMENTS + TEXT_AT,
	  .size = TEXT_SIZE },
	{ .name = "first", .content = CONTENT_CHARS, .offset = ARGUMENTS + TEXT_AT, .size = 11 },
	{ .name = "loc", .content = CONTENT_LOC_CHARS, .offset = ARGUMENTS },
	{ .name = "user", .content = CONTENT_USER_STRING, .offset = ARGUMENTS + 8 },
	{ .name = "either", .content = CONTENT_STRING, .offset = ARGUMENTS + 8 },
};

static const struct expr_scope number_scope = { .fields = number_fields, .count = 11 };
static const struct expr_scope text_scope = { .fields = text_fields, .count = 5 };

struct case_ {
	char *text;
	long long expected[MOST_RECORDS];
};

static struct case_ cases[MOST_CASES];
static unsigned char records[MOST_RECORDS][48];
static char user_texts[MOST_RECORDS][TEXT_SIZE + 1];
static unsigned int record_count, case_count, most_insns, failures, too_large, tests;
static int map, tracepoint;

static void add_insn(struct bpf_insn *code, unsigned int *count, struct bpf_insn insn)
{
	code[(*count)++] = insn;
}

static struct bpf_insn make(__u8 code, __u8 dst, __u8 src, __s16 off, __s32 imm)
{
	return (struct bpf_insn){
		.code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm
	};
}

/* One that needs too many instructions is refused rightly. */
static bool compile(const char *text, const struct expr_scope *scope, struct expr_code *code)
{
	char message[1000];
	struct expr_error error = {};
	struct expr *e = expr_parse(text, scope, EXPR_WANT_NUMBER, &error);
	bool good = e && !expr_emit(e, code, &error);

	expr_free(e);
	if (good && code->count > most_insns)
		most_insns = code->count;
	if (good)
		return true;
	if (code->count > EXPR_MOST_INSNS && strstr(error.what, "instructions")) {
		too_large++;
		return false;
	}
	expr_describe_error(message, sizeof(message), text, scope, &error);
	printf("# refused: %s\n", message);
	failures++;
	return false;
}

/*
 * A program that runs @codes at our system call and puts what they give into the map: a function
 * each, behind the main one.
 */
static unsigned int put_together(struct bpf_insn *insns, const struct expr_code *codes,
				 unsigned int count)
{
	unsigned int n = 0, i, calls[BATCH], out[2];

	add_insn(insns, &n, make(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0));
	add_insn(insns, &n, make(BPF_LDX | BPF_MEM | BPF_DW, 0, 6, NUMBER, 0));
	out[0] = n;
	add_insn(insns, &n, make(BPF_JMP | BPF_JNE | BPF_K, 0, 0, 0, NO_SYSCALL));
	add_insn(insns, &n, make(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_current_pid_tgid));
	out[1] = n;
	add_insn(insns, &n, make(BPF_JMP32 | BPF_JNE | BPF_K, 0, 0, 0, getpid()));
	for (i = 0; i < count; i++) {
		add_insn(insns, &n, make(BPF_ALU64 | BPF_MOV | BPF_X, 1, 6, 0, 0));
		calls[i] = n;
		add_insn(insns, &n, make(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0));
		add_insn(insns, &n,
			 make(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_VALUE, 0, map));
		add_insn(insns, &n, make(0, 0, 0, 0, 8 * i));
		add_insn(insns, &n, make(BPF_STX | BPF_MEM | BPF_DW, 1, 0, 0, 0));
	}
	insns[out[0]].off = n - out[0] - 1;
	insns[out[1]].off = n - out[1] - 1;
	add_insn(insns, &n, make(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0));
	add_insn(insns, &n, make(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
	for (i = 0; i < count; i++) {
		insns[calls[i]].imm = n - calls[i] - 1;
		memcpy(insns + n, codes[i].insn, codes[i].count * sizeof(*insns));
		n += codes[i].count;
		add_insn(insns, &n, make(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
	}
	return n;
}

static int load(const struct expr_code *codes, unsigned int count, char *log, size_t log_size)
{
	static struct bpf_insn insns[BATCH * (EXPR_MOST_INSNS + 8) + 16];
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_buf = log, .log_size = log_size,
		    .log_level = log ? 1 : 0);

	return bpf_prog_load(BPF_PROG_TYPE_TRACEPOINT, "expr", "GPL", insns,
			     put_together(insns, codes, count), &opts);
}

/* What the kernel has against the first of @codes that it does not want. */
static void tell_refused(const struct case_ *const *c, const struct expr_code *codes,
			 unsigned int count)
{
	static char log[1 << 20];
	unsigned int i;
	int fd;

	for (i = 0; i < count; i++) {
		log[0] = 0;
		fd = load(&codes[i], 1, log, sizeof(log));
		if (fd >= 0) {
			close(fd);
			continue;
		}
		printf("# the kernel refuses (%s): %s\n%s\n", strerror(errno), c[i]->text,
		       strlen(log) > 1500 ? log + strlen(log) - 1500 : log);
		return;
	}
	printf("# the kernel refuses (%s) %u expressions together, each alone it takes\n",
	       strerror(errno), count);
}

static int attach(int prog)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT,
					.size = sizeof(attr),
					.config = tracepoint,
					.sample_period = 1 };
	int fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0);

	if (fd < 0)
		err(1, "cannot open the tracepoint");
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog))
		err(1, "cannot attach to the tracepoint");
	if (ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
		err(1, "cannot enable the tracepoint");
	return fd;
}

static void do_syscall(const unsigned char *record)
{
	unsigned long long w[6];

	memcpy(w, record, sizeof(w));
	errno = 0;
	if (syscall(NO_SYSCALL, w[0], w[1], w[2], w[3], w[4], w[5]) != -1 || errno != ENOSYS)
		err(1, "system call %d", NO_SYSCALL);
}

/* Compares what is in the map with what is expected; says what differs. */
static void check(const struct case_ *const *c, unsigned int count, unsigned int record)
{
	long long values[BATCH];
	unsigned int i;
	__u32 zero = 0;

	if (bpf_map_lookup_elem(map, &zero, values))
		err(1, "cannot read the map");
	for (i = 0; i < count; i++) {
		if (values[i] == c[i]->expected[record])
			continue;
		if (++failures < 20)
			printf("# over record %u it is %lld, and not %lld: %s\n", record, values[i],
			       c[i]->expected[record], c[i]->text);
	}
}

static void run_batch(const struct case_ *batch, unsigned int size, const struct expr_scope *scope)
{
	static struct expr_code codes[BATCH];
	const struct case_ *c[BATCH];
	unsigned int count = 0;
	long long unset[BATCH];
	unsigned int i;
	__u32 zero = 0;
	int prog, event;

	for (i = 0; i < size; i++) {
		codes[count].count = 0;
		if (compile(batch[i].text, scope, &codes[count]))
			c[count++] = &batch[i];
	}
	prog = load(codes, count, NULL, 0);
	if (prog < 0) {
		tell_refused(c, codes, count);
		failures++;
		return;
	}
	event = attach(prog);
	for (i = 0; i < record_count; i++) {
		memset(unset, 0x5a, sizeof(unset));
		bpf_map_update_elem(map, &zero, unset, 0);
		if (scope == &text_scope)
			prctl(PR_SET_NAME, user_texts[i]);
		do_syscall(records[i]);
		check(c, count, i);
	}
	close(event);
	close(prog);
}

static void run_cases(const char *what, const struct expr_scope *scope)
{
	/* Globs have the verifier keep in mind more than it can of many. */
	unsigned int batch = scope == &text_scope ? BATCH / 4 : BATCH, i;

	failures = too_large = 0;
	for (i = 0; i < case_count; i += batch)
		run_batch(cases + i, case_count - i < batch ? case_count - i : batch, scope);
	if (!case_count || !record_count || too_large > case_count / 10)
		failures++;
	printf("%sok %u - %u %s over %u records are in the kernel what they are in C\n",
	       failures ? "not " : "", ++tests, case_count - too_large, what, record_count);
	if (too_large)
		printf("# %u others need more instructions than they may\n", too_large);
	for (i = 0; i < case_count; i++)
		free(cases[i].text);
	if (failures)
		exit(1);
	case_count = record_count = 0;
}

static void add_record(const char *hex)
{
	unsigned char *record = records[record_count++];
	unsigned int i;

	for (i = 0; i < 48; i++) {
		if (sscanf(hex + 2 * i, "%2hhx", record + i) != 1)
			errx(1, "no record: %s", hex);
	}
}

static void add_text(const char *text)
{
	unsigned char *record = records[record_count];
	__u32 loc = (strlen(text) + (strlen(text) < TEXT_SIZE)) << 16 | (ARGUMENTS + TEXT_AT);
	char *user = user_texts[record_count++];

	memset(record, 0, 48);
	memcpy(record, &loc, 4);
	memcpy(record + 8, &user, 8);
	/* What is behind a string's end is not part of it. */
	memset(record + TEXT_AT, 'a', TEXT_SIZE);
	memcpy(record + TEXT_AT, text, strlen(text) + (strlen(text) < TEXT_SIZE));
	strcpy(user, text);
}

static void add_case(char *line)
{
	struct case_ *c = &cases[case_count++];
	unsigned int i;

	if (case_count == MOST_CASES)
		errx(1, "there are more cases than there is room for");
	for (i = 0; i < record_count; i++)
		c->expected[i] = strtoull(line, &line, 10);
	c->text = strdup(line + 1);
}

/* A line of the cases. */
static void take_line(char *line)
{
	char *rest = strchr(line, ' ');

	if (!rest)
		errx(1, "no case: %s", line);
	*rest++ = 0;
	if (!strcmp(line, "record"))
		add_record(rest);
	else if (!strcmp(line, "number") || !strcmp(line, "string"))
		add_case(rest);
	if (strcmp(line, "text"))
		return;
	if (case_count && !user_texts[0][0] && !user_texts[1][0])
		run_cases("expressions of numbers", &number_scope);
	add_text(rest);
}

int main(void)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	const char *build = getenv("BPF_PROF_BUILD");
	static char path[4096], line[1 << 16];
	FILE *file;

	setvbuf(stdout, NULL, _IOLBF, 0);
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	snprintf(path, sizeof(path), "%s/tests/unit/expr/cases", build ? build : "build");
	file = fopen(path, "r");
	if (!file)
		err(1, "%s", path);
	tracepoint = tracepoint_id("raw_syscalls", "sys_enter");
	map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "values", 4, 8 * BATCH, 1, NULL);
	if (tracepoint < 0 || map < 0) {
		printf("no programs can be run at tracepoints here: %s\n",
		       strerror(tracepoint < 0 ? -tracepoint : -map));
		return 77;
	}
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		take_line(line);
	}
	fclose(file);
	run_cases("expressions of strings", &text_scope);
	printf("# the longest one has %u instructions\n1..%u\n", most_insns, tests);
	return 0;
}
