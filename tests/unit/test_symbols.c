// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names for stacks: those of this process, whose symbols dladdr(3) and nm(1) know too, of children
 * that have ended or become other programs, and of the kernel, as /proc/kallsyms has them.
 */
#include "helpers.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "clock.h"
#include "quantity.h"
#include "symbols.h"

/* Numbers of spaces; no two tests share a struct symbols. */
#define OURS   0x1234567890abcdefULL
#define THEIRS 0xfedcba0987654321ULL

/*
 * Three functions of 16 bytes each, one directly behind the other. As if the first ended with a call
 * that does not return: the address to return to is where the second begins.
 */
__asm__(".text\n"
	".balign 16\n"
	".globl ends_with_a_call, stands_behind, stands_last\n"
	".type ends_with_a_call, %function\n"
	".type stands_behind, %function\n"
	".type stands_last, %function\n"
	"ends_with_a_call: .skip 16\n"
	".size ends_with_a_call, 16\n"
	"stands_behind: .skip 16\n"
	".size stands_behind, 16\n"
	"stands_last: .skip 16\n"
	".size stands_last, 16\n"
	/* And what belongs to none of them. */
	".skip 64\n");
extern const char ends_with_a_call[], stands_behind[], stands_last[];

/* A place in something inlined twice over, and the lines that lead there. */
extern const char mark_inlined[];
volatile int sink;

enum {
	INNERMOST_LINE = __LINE__ + 7,
	MIDDLE_LINE = __LINE__ + 12,
	OUTER_LINE = __LINE__ + 17,
};

static inline __attribute__((always_inline)) void innermost(int x)
{
	__asm__ volatile(".globl mark_inlined\nmark_inlined: nop");
	sink = x + 1;
}

static inline __attribute__((always_inline)) void middle(int x)
{
	innermost(x + 1);
	sink = x * 5;
}

__attribute__((noinline, used)) int outer(int x)
{
	middle(x - 1);
	sink = x * 9;
	return x;
}

static uint64_t address(const volatile void *function)
{
	return (uintptr_t)function;
}

static struct symbols *symbols_of_us(bool lines)
{
	struct symbols *s = symbols_new(lines);

	assert_non_null(s);
	symbols_see(s, OURS, getpid());
	return s;
}

/* The chain of @kernel and @user addresses behind it, resolved. */
static struct callchain *resolve(struct symbols *s, uint64_t space, unsigned int kernel,
				 unsigned int user, const uint64_t *ips)
{
	struct callchain *chain = callchain_new(kernel, user);

	chain->space = space;
	memcpy(chain->ips, ips, (kernel + user) * sizeof(*ips));
	symbols_resolve(s, &chain, 1);
	return chain;
}

static struct callchain *resolve_one(struct symbols *s, uint64_t space, uint64_t ip)
{
	struct callchain *chain = resolve(s, space, 0, 1, &ip);

	assert_int_equal(chain->frame_count, 1);
	assert_int_equal(chain->frames[0].addr, ip);
	return chain;
}

static void check_frame(const struct frame *f, const char *name, uint64_t offset)
{
	assert_non_null(f->name);
	assert_string_equal(f->name, name);
	assert_int_equal(f->offset, offset);
	assert_false(f->kernel || f->inlined);
}

static void check_name(struct symbols *s, uint64_t space, uint64_t ip, const char *name,
		       uint64_t offset)
{
	struct callchain *chain = resolve_one(s, space, ip);

	check_frame(&chain->frames[0], name, offset);
	callchain_free(chain);
}

static void check_no_name(struct symbols *s, uint64_t space, uint64_t ip)
{
	struct callchain *chain = resolve_one(s, space, ip);

	assert_null(chain->frames[0].name);
	assert_int_equal(chain->frames[0].offset, 0);
	callchain_free(chain);
}

static const char *own_path(void)
{
	static char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	assert_true(length > 0);
	path[length] = 0;
	return path;
}

static void addresses_of_this_process_have_the_names_that_dladdr_gives(void **state)
{
	/* In three libraries, none of them with a second name. */
	void *const functions[] = { gnu_get_libc_version, json_object_put,
				    _cmocka_run_group_tests };
	struct symbols *s = symbols_of_us(false);
	char path[4096];
	Dl_info info;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(functions); i++) {
		uint64_t ip = address(functions[i]) + 3;
		struct callchain *chain;

		assert_true(dladdr((void *)(uintptr_t)ip, &info) && info.dli_sname);
		chain = resolve_one(s, OURS, ip);
		check_frame(&chain->frames[0], info.dli_sname, ip - address(info.dli_saddr));
		assert_non_null(chain->frames[0].module);
		assert_non_null(realpath(info.dli_fname, path));
		assert_string_equal(chain->frames[0].module, path);
		callchain_free(chain);
	}
	symbols_free(s);
}

/* What nm says is by the file: the program begins where its first symbol would be 0. */
static void offsets_are_those_behind_what_nm_says(void **state)
{
	struct symbols *s = symbols_of_us(false);
	uint64_t ip = address(outer) + 5, by_nm = 0;
	struct callchain *chain;
	char command[5000];
	Dl_info info;
	FILE *nm;

	(void)state;
	snprintf(command, sizeof(command), "nm '%s' | awk '$3 == \"outer\" { print $1 }'",
		 own_path());
	nm = popen(command, "r");
	assert_non_null(nm);
	assert_int_equal(fscanf(nm, "%" SCNx64, &by_nm), 1);
	pclose(nm);
	assert_true(dladdr(outer, &info));
	chain = resolve_one(s, OURS, ip);
	check_frame(&chain->frames[0], "outer", ip - by_nm - address(info.dli_fbase));
	assert_string_equal(chain->frames[0].module, own_path());
	assert_null(chain->frames[0].file);
	callchain_free(chain);
	symbols_free(s);
}

static void a_call_at_a_functions_very_end_is_still_its_own(void **state)
{
	/* Leaf; return address behind the first's end; one amid the last; and the very last. */
	const uint64_t ips[] = { address(stands_behind), address(stands_behind),
				 address(stands_last) + 5, address(stands_last) + 16 };
	struct symbols *s = symbols_of_us(false);
	struct callchain *chain;
	size_t i;

	(void)state;
	chain = resolve(s, OURS, 0, 4, ips);
	assert_int_equal(chain->frame_count, 4);
	check_frame(&chain->frames[0], "stands_behind", 0);
	check_frame(&chain->frames[1], "ends_with_a_call", 16);
	check_frame(&chain->frames[2], "stands_last", 5);
	check_frame(&chain->frames[3], "stands_last", 16);
	for (i = 0; i < 4; i++)
		assert_int_equal(chain->frames[i].addr, ips[i]);
	callchain_free(chain);
	symbols_free(s);
}

/* Once as a leaf and once as a caller, in either order: one does not get the other's name. */
static void what_an_address_means_depends_on_where_it_stands(void **state)
{
	const uint64_t ips[] = { address(stands_behind), address(stands_behind) };
	int round;

	(void)state;
	for (round = 0; round < 2; round++) {
		struct symbols *s = symbols_of_us(false);
		struct callchain *chains[3], *leaf, *caller;
		size_t i;

		for (i = 0; i < 3; i++) {
			chains[i] = callchain_new(0, (int)i == round ? 1 : 2);
			chains[i]->space = OURS;
			memcpy(chains[i]->ips, ips, chains[i]->user * sizeof(*ips));
		}
		leaf = chains[round];
		caller = chains[!round];
		symbols_resolve(s, chains, 3);
		check_frame(&leaf->frames[0], "stands_behind", 0);
		check_frame(&caller->frames[1], "ends_with_a_call", 16);
		check_frame(&chains[2]->frames[1], "ends_with_a_call", 16);
		/* The same function's name is the same string: rows are merged by that. */
		assert_ptr_equal(caller->frames[1].name, chains[2]->frames[1].name);
		assert_ptr_equal(caller->frames[0].module, leaf->frames[0].module);
		for (i = 0; i < 3; i++)
			callchain_free(chains[i]);
		symbols_free(s);
	}
}

static void inlined_functions_have_frames_of_their_own(void **state)
{
	struct symbols *s = symbols_of_us(true);
	uint64_t ip = address(mark_inlined);
	struct callchain *chain = resolve(s, OURS, 0, 1, &ip);
	static const char *const names[] = { "innermost", "middle", "outer" };
	static const unsigned int lines[] = { INNERMOST_LINE, MIDDLE_LINE, OUTER_LINE };
	size_t i;

	(void)state;
	assert_int_equal(chain->frame_count, 3);
	for (i = 0; i < 3; i++) {
		const struct frame *f = &chain->frames[i];

		assert_string_equal(f->name, names[i]);
		assert_int_equal(f->line, lines[i]);
		assert_non_null(f->file);
		assert_string_equal(strrchr(f->file, '/'), "/test_symbols.c");
		assert_int_equal(f->inlined, i < 2);
		assert_string_equal(f->module, own_path());
		assert_int_equal(f->addr, ip);
	}
	assert_int_equal(chain->frames[2].offset, ip - address(outer));
	callchain_free(chain);

	/* Without lines, only the function that is there. */
	symbols_free(s);
	s = symbols_of_us(false);
	check_name(s, OURS, ip, "outer", ip - address(outer));
	symbols_free(s);
}

static void where_nothing_is_mapped_there_is_no_name(void **state)
{
	struct symbols *s = symbols_of_us(true);
	/* The last one is mapped, but nothing runs there. */
	uint64_t ips[] = { 16, 0, 1, UINT64_MAX, 1ULL << 63, address(&sink) };
	struct callchain *chain = resolve(s, OURS, 0, COUNT(ips), ips);
	size_t i;

	(void)state;
	assert_int_equal(chain->frame_count, COUNT(ips));
	for (i = 0; i < COUNT(ips); i++) {
		assert_null(chain->frames[i].name);
		assert_int_equal(chain->frames[i].addr, ips[i]);
		assert_int_equal(chain->frames[i].offset, 0);
	}
	callchain_free(chain);
	symbols_free(s);
}

static void what_is_in_no_function_is_still_in_its_file(void **state)
{
	struct symbols *s = symbols_of_us(true);
	struct callchain *chain = resolve_one(s, OURS, address(stands_last) + 40);

	(void)state;
	assert_null(chain->frames[0].name);
	assert_int_equal(chain->frames[0].offset, 0);
	assert_non_null(chain->frames[0].module);
	assert_string_equal(chain->frames[0].module, own_path());
	callchain_free(chain);
	symbols_free(s);
}

static void a_space_that_was_never_seen_has_no_names(void **state)
{
	struct symbols *s = symbols_of_us(false);

	(void)state;
	check_no_name(s, THEIRS, address(outer));
	/* The same address in another space does. */
	check_name(s, OURS, address(outer), "outer", 0);
	check_no_name(s, THEIRS, address(outer));
	symbols_free(s);
}

static void what_has_been_resolved_stays_as_it_is(void **state)
{
	struct symbols *s = symbols_of_us(false);
	uint64_t ip = address(outer);
	struct callchain *chain = resolve(s, OURS, 0, 1, &ip);
	struct frame *frames = chain->frames;

	(void)state;
	symbols_resolve(s, &chain, 1);
	assert_ptr_equal(chain->frames, frames);
	assert_int_equal(chain->frame_count, 1);
	callchain_free(chain);
	symbols_resolve(s, NULL, 0);
	symbols_free(s);
}

/* More than are looked up at once, of several spaces mixed. */
static void many_chains_get_each_its_own(void **state)
{
	enum {
		CHAINS = 6000
	};
	struct callchain **chains = calloc(CHAINS, sizeof(*chains));
	struct symbols *s = symbols_of_us(false);
	size_t i;

	(void)state;
	assert_non_null(chains);
	symbols_see(s, THEIRS, getpid());
	for (i = 0; i < CHAINS; i++) {
		chains[i] = callchain_new(0, 2);
		chains[i]->space = i % 3 == 0 ? OURS : i % 3 == 1 ? THEIRS : 5;
		chains[i]->ips[0] = 4096 + i;
		chains[i]->ips[1] = address(stands_behind) + i % 16;
	}
	symbols_resolve(s, chains, CHAINS);
	for (i = 0; i < CHAINS; i++) {
		const struct callchain *chain = chains[i];

		assert_int_equal(chain->frame_count, 2);
		assert_null(chain->frames[0].name);
		assert_int_equal(chain->frames[0].addr, 4096 + i);
		if (i % 3 == 2)
			assert_null(chain->frames[1].name);
		else if (i % 16)
			check_frame(&chain->frames[1], "stands_behind", i % 16);
		else
			check_frame(&chain->frames[1], "ends_with_a_call", 16);
	}
	/* A name is the same string wherever it stands, and so is a file's. */
	assert_ptr_equal(chains[1]->frames[1].name, chains[3]->frames[1].name);
	assert_ptr_equal(chains[1]->frames[1].module, chains[3]->frames[1].module);
	assert_ptr_equal(chains[1]->frames[1].module, chains[0]->frames[1].module);
	for (i = 0; i < CHAINS; i++)
		callchain_free(chains[i]);
	free(chains);
	symbols_free(s);
}

static void what_is_missing_is_marked(void **state)
{
	static const char *const cut_off = "[cut off]", *const lost = "[stack lost]";
	const uint64_t ips[] = { address(outer), address(outer) + 1 };
	struct symbols *s = symbols_of_us(false);
	struct callchain *chain;

	(void)state;
	chain = callchain_new(0, 2);
	chain->space = OURS;
	chain->user_cut_off = true;
	memcpy(chain->ips, ips, sizeof(ips));
	symbols_resolve(s, &chain, 1);
	assert_int_equal(chain->frame_count, 3);
	assert_string_equal(chain->frames[1].name, "outer");
	assert_string_equal(chain->frames[2].name, cut_off);
	assert_false(chain->frames[2].kernel);
	assert_null(chain->frames[2].module);
	assert_int_equal(chain->frames[2].addr, 0);
	callchain_free(chain);

	/* The kernel's mark stands between the parts. */
	chain = callchain_new(0, 1);
	chain->space = OURS;
	chain->kernel_lost = true;
	chain->ips[0] = ips[0];
	symbols_resolve(s, &chain, 1);
	assert_int_equal(chain->frame_count, 2);
	assert_string_equal(chain->frames[0].name, lost);
	assert_true(chain->frames[0].kernel);
	assert_string_equal(chain->frames[1].name, "outer");
	callchain_free(chain);

	/* Nothing but marks; what is lost cannot be cut off too. */
	chain = callchain_new(0, 0);
	chain->kernel_lost = chain->user_lost = true;
	chain->kernel_cut_off = chain->user_cut_off = true;
	symbols_resolve(s, &chain, 1);
	assert_int_equal(chain->frame_count, 2);
	assert_string_equal(chain->frames[0].name, lost);
	assert_string_equal(chain->frames[1].name, lost);
	callchain_free(chain);

	/* And nothing at all. */
	chain = callchain_new(0, 0);
	symbols_resolve(s, &chain, 1);
	assert_int_equal(chain->frame_count, 0);
	callchain_free(chain);
	symbols_free(s);
}

/* A child that does a step whenever it is told to. */
struct child {
	pid_t pid;
	int in, out;
};

static void close_both(const int ends[2])
{
	close(ends[0]);
	close(ends[1]);
}

/* Forks; the child calls @work with its ends of the pipes, and ends. */
static void child_start(struct child *child, void (*work)(int in, int out))
{
	int in[2], out[2];

	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	child->pid = fork();
	if (!child->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(in[1]);
		close(out[0]);
		work(in[0], out[1]);
		_exit(0);
	}
	assert_true(child->pid > 0);
	child->in = in[1];
	child->out = out[0];
	close(in[0]);
	close(out[1]);
}

/* Lets the child do its next step; returns the address that it answers with. */
static uint64_t child_do(const struct child *child)
{
	uint64_t answer = 0;

	assert_int_equal(write(child->in, "x", 1), 1);
	assert_int_equal(read(child->out, &answer, sizeof(answer)), sizeof(answer));
	return answer;
}

static void child_end(const struct child *child)
{
	int status;

	close_both((int[]){ child->in, child->out });
	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
}

static bool told(int in)
{
	char c;

	return read(in, &c, 1) == 1;
}

static void just_wait(int in, int out)
{
	(void)out;
	while (told(in))
		;
}

static void a_process_that_was_seen_may_end(void **state)
{
	struct symbols *s = symbols_new(false);
	struct child child;

	(void)state;
	child_start(&child, just_wait);
	symbols_see(s, THEIRS, child.pid);
	child_end(&child);
	check_name(s, THEIRS, address(outer) + 1, "outer", 1);
	symbols_free(s);

	/* One that was not is told by its addresses alone. */
	s = symbols_new(false);
	child_start(&child, just_wait);
	child_end(&child);
	symbols_see(s, THEIRS, child.pid);
	check_no_name(s, THEIRS, address(outer) + 1);
	symbols_free(s);
}

/* Becomes this program again, elsewhere in memory; main() has what it does then. */
static void run_again(int in, int out)
{
	char in_text[16], out_text[16];

	if (!told(in))
		return;
	snprintf(in_text, sizeof(in_text), "%d", in);
	snprintf(out_text, sizeof(out_text), "%d", out);
	execl("/proc/self/exe", "test_symbols", in_text, out_text, NULL);
}

/* Says where `outer` is now, and waits. */
static int again(int in, int out)
{
	uint64_t answer = address(outer);

	if (write(out, &answer, sizeof(answer)) != sizeof(answer))
		return 1;
	just_wait(in, out);
	return 0;
}

/* The notice of the exec comes later than that of the first stack, as it should. */
static void what_was_seen_before_an_exec_holds(void **state)
{
	struct symbols *s = symbols_new(false);
	uint64_t there, execed;
	struct child child;

	(void)state;
	child_start(&child, run_again);
	symbols_see(s, THEIRS, child.pid);
	execed = monotonic_now();
	there = child_do(&child);
	symbols_over(s, THEIRS, execed);
	symbols_see(s, THEIRS + 1, child.pid);
	assert_true(there != address(outer));
	/* Each by its own; and the old one is not what the process is now. */
	check_name(s, THEIRS, address(outer) + 4, "outer", 4);
	check_no_name(s, THEIRS, there + 4);
	check_name(s, THEIRS + 1, there + 4, "outer", 4);
	check_no_name(s, THEIRS + 1, address(outer) + 4);
	child_end(&child);
	check_name(s, THEIRS, address(outer) + 5, "outer", 5);
	check_name(s, THEIRS + 1, there + 5, "outer", 5);
	symbols_free(s);
}

/* It was looked at too late: what was seen is already the other program. */
static void what_was_seen_after_an_exec_is_forgotten(void **state)
{
	struct symbols *s = symbols_new(false);
	uint64_t there, execed;
	struct child child;

	(void)state;
	child_start(&child, run_again);
	execed = monotonic_now();
	there = child_do(&child);
	symbols_see(s, THEIRS, child.pid);
	symbols_over(s, THEIRS, execed);
	check_no_name(s, THEIRS, there);
	check_no_name(s, THEIRS, address(outer));
	/* Of a space that was not seen there is nothing to forget. */
	symbols_over(s, THEIRS + 7, execed);
	child_end(&child);
	symbols_free(s);
}

/* Maps this program's file once more at each step, and answers where `outer` is in it. */
static void map_more(int in, int out)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	size_t size = lseek(fd, 0, SEEK_END);
	Dl_info info;

	if (!dladdr(outer, &info))
		return;
	while (told(in)) {
		char *image = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
		/* Text is where it is in the file: the linker has put it there (see below). */
		uint64_t answer = address(image) + address(outer) - address(info.dli_fbase);

		if (write(out, &answer, sizeof(answer)) != sizeof(answer))
			return;
	}
}

static void look_again(struct symbols *s, uint64_t ip)
{
	struct callchain *chain = callchain_new(0, 1);

	chain->space = THEIRS;
	chain->ips[0] = ip;
	symbols_look_again(s, chain);
	callchain_free(chain);
}

/* Is the program's text at the same place in its file as in memory? */
static bool text_is_where_it_is_in_the_file(void)
{
	uint64_t start, end, offset, ip = address(outer);
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[5000], access[8];
	bool same = false;
	Dl_info info;

	assert_non_null(maps);
	assert_true(dladdr(outer, &info));
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64, &start, &end, access,
			   &offset) == 4 &&
		    ip >= start && ip < end)
			same = start - offset == address(info.dli_fbase);
	}
	fclose(maps);
	return same;
}

static void what_is_mapped_later_is_seen_after_a_while(void **state)
{
	struct symbols *s = symbols_new(false);
	uint64_t early, late;
	struct child child;

	(void)state;
	if (!text_is_where_it_is_in_the_file()) {
		print_message("the linker has moved the text\n");
		symbols_free(s);
		skip();
	}
	child_start(&child, map_more);
	symbols_see(s, THEIRS, child.pid);
	early = child_do(&child);
	/* A process is not asked again and again. */
	look_again(s, early);
	usleep(1100000);
	late = child_do(&child);
	look_again(s, late);
	child_end(&child);
	check_name(s, THEIRS, late + 3, "outer", 3);
	check_name(s, THEIRS, early + 3, "outer", 3);
	symbols_free(s);
}

static void what_is_mapped_later_and_not_looked_at_has_no_name(void **state)
{
	struct symbols *s = symbols_new(false);
	struct child child;
	uint64_t ip;

	(void)state;
	child_start(&child, map_more);
	symbols_see(s, THEIRS, child.pid);
	ip = child_do(&child);
	look_again(s, ip); /* too early, see above */
	child_end(&child);
	check_no_name(s, THEIRS, ip);
	/* Nor does it matter that it is asked for when it is gone, or was never there. */
	look_again(s, ip);
	symbols_free(s);
	s = symbols_new(false);
	look_again(s, ip);
	symbols_free(s);
}

/* An address of the kernel, with its name. */
struct known {
	uint64_t addr;
	char name[128], module[64];
};

/*
 * Finds the function @name in /proc/kallsyms, or with NULL the first one of a module, that is at an
 * address of its own. False: it is not there, or addresses are hidden.
 */
static bool find_in_kernel(const char *name, struct known *found)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	char line[512], type, module[64];
	uint64_t addr;
	bool there = false;
	char symbol[128];

	assert_non_null(file);
	while (!there && fgets(line, sizeof(line), file)) {
		*module = 0;
		if (sscanf(line, "%" SCNx64 " %c %127s %63s", &addr, &type, symbol, module) < 3 ||
		    !addr || !strchr("tT", type))
			continue;
		there = name ? !strcmp(symbol, name) : !strncmp(module, "[", 1);
		if (there) {
			found->addr = addr;
			strcpy(found->name, symbol);
			strcpy(found->module, module);
		}
	}
	fclose(file);
	return there;
}

static void addresses_of_the_kernel_have_its_own_names(void **state)
{
	const uint64_t user = address(outer);
	struct symbols *s;
	struct callchain *chain;
	struct known schedule, vfs_read;
	uint64_t ips[3];

	(void)state;
	if (!find_in_kernel("schedule", &schedule) || !find_in_kernel("vfs_read", &vfs_read)) {
		print_message("the kernel hides its addresses\n");
		skip();
	}
	ips[0] = schedule.addr + 4;
	ips[1] = vfs_read.addr + 9;
	ips[2] = user;
	s = symbols_of_us(false);
	chain = resolve(s, OURS, 2, 1, ips);
	assert_int_equal(chain->frame_count, 3);
	assert_string_equal(chain->frames[0].name, "schedule");
	assert_int_equal(chain->frames[0].offset, 4);
	assert_string_equal(chain->frames[1].name, "vfs_read");
	assert_int_equal(chain->frames[1].offset, 9);
	assert_true(chain->frames[0].kernel && chain->frames[1].kernel);
	assert_string_equal(chain->frames[0].module, "[kernel]");
	/* Where it went into the kernel is no address to return to. */
	check_frame(&chain->frames[2], "outer", 0);
	callchain_free(chain);

	assert_string_equal(symbols_kernel_name(s, schedule.addr), "schedule");
	assert_string_equal(symbols_kernel_name(s, schedule.addr + 4), "schedule");
	assert_ptr_equal(symbols_kernel_name(s, vfs_read.addr + 1),
			 symbols_kernel_name(s, vfs_read.addr + 2));
	assert_null(symbols_kernel_name(s, 4096));
	/* Cut off and lost. */
	chain = callchain_new(1, 1);
	chain->space = OURS;
	chain->ips[0] = schedule.addr;
	chain->ips[1] = user;
	chain->kernel_cut_off = chain->user_cut_off = true;
	symbols_resolve(s, &chain, 1);
	assert_int_equal(chain->frame_count, 4);
	assert_string_equal(chain->frames[1].name, "[cut off]");
	assert_true(chain->frames[1].kernel);
	assert_string_equal(chain->frames[3].name, "[cut off]");
	assert_false(chain->frames[3].kernel);
	callchain_free(chain);
	symbols_free(s);
}

static void addresses_of_kernel_modules_name_the_module(void **state)
{
	struct symbols *s;
	struct callchain *chain;
	struct known known;
	uint64_t ip;

	(void)state;
	if (!find_in_kernel(NULL, &known)) {
		print_message("no module is loaded, or the kernel hides its addresses\n");
		skip();
	}
	s = symbols_new(false);
	ip = known.addr;
	chain = resolve(s, 0, 1, 0, &ip);
	assert_int_equal(chain->frame_count, 1);
	assert_string_equal(chain->frames[0].module, known.module);
	assert_true(chain->frames[0].kernel);
	callchain_free(chain);
	symbols_free(s);
}

static void names_that_are_forgotten_are_found_again(void **state)
{
	enum {
		CHAINS = 1000,
		EACH = 110
	};
	struct callchain **chains = calloc(CHAINS, sizeof(*chains));
	struct symbols *s = symbols_of_us(false);
	size_t i, j;

	(void)state;
	assert_non_null(chains);
	/* Few: they stay. */
	symbols_trim(s);
	check_name(s, OURS, address(outer) + 2, "outer", 2);
	for (i = 0; i < CHAINS; i++) {
		chains[i] = callchain_new(0, EACH);
		chains[i]->space = 5;
		for (j = 0; j < EACH; j++)
			chains[i]->ips[j] = 1 + i * EACH + j;
	}
	symbols_resolve(s, chains, CHAINS);
	for (i = 0; i < CHAINS; i++) {
		assert_int_equal(chains[i]->frame_count, EACH);
		callchain_free(chains[i]);
	}
	free(chains);
	symbols_trim(s);
	check_name(s, OURS, address(outer) + 2, "outer", 2);
	symbols_trim(s);
	check_name(s, OURS, address(outer) + 2, "outer", 2);
	symbols_free(s);
}

static void a_label_is_what_is_known(void **state)
{
	static const struct {
		struct frame frame;
		const char *label;
	} table[] = {
		{ { .name = "work", .module = "/bin/program", .addr = 5 }, "work" },
		{ { .name = "[cut off]" }, "[cut off]" },
		{ { .module = "/usr/lib/libc.so.6", .addr = 5 }, "[libc.so.6]" },
		{ { .module = "program" }, "[program]" },
		{ { .module = "/tmp/dir/" }, "[]" },
		{ { .module = "[kernel]", .kernel = true }, "[kernel]" },
		{ { .module = "[nf_tables]", .kernel = true }, "[nf_tables]" },
		{ { .module = "[vdso]" }, "[vdso]" },
		{ { .addr = 5 }, "[unknown]" },
		{ { .file = "main.c", .line = 5 }, "[unknown]" },
	};
	char path[1000] = "/";
	struct frame frame = { .module = path };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++)
		assert_string_equal(frame_label(&table[i].frame), table[i].label);
	/* A file's name may be long; it has its brackets and an end. */
	memset(path + 1, 'x', sizeof(path) - 2);
	assert_int_equal(strncmp(frame_label(&frame), "[xxx", 4), 0);
	assert_in_range(strlen(frame_label(&frame)), 250, sizeof(path) + 2);
}

static void nothing_is_left_open(void **state)
{
	unsigned int files;
	struct symbols *s;
	int i;

	(void)state;
	/* The first time, libraries may keep something of their own. */
	symbols_free(symbols_of_us(true));
	files = open_files();
	for (i = 0; i < 3; i++) {
		s = symbols_of_us(true);
		check_name(s, OURS, address(stands_last), "stands_last", 0);
		symbols_free(s);
		assert_int_equal(open_files(), files);
	}
	symbols_free(NULL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_this_process_have_the_names_that_dladdr_gives),
		cmocka_unit_test(offsets_are_those_behind_what_nm_says),
		cmocka_unit_test(a_call_at_a_functions_very_end_is_still_its_own),
		cmocka_unit_test(what_an_address_means_depends_on_where_it_stands),
		cmocka_unit_test(inlined_functions_have_frames_of_their_own),
		cmocka_unit_test(where_nothing_is_mapped_there_is_no_name),
		cmocka_unit_test(what_is_in_no_function_is_still_in_its_file),
		cmocka_unit_test(a_space_that_was_never_seen_has_no_names),
		cmocka_unit_test(what_has_been_resolved_stays_as_it_is),
		cmocka_unit_test(many_chains_get_each_its_own),
		cmocka_unit_test(what_is_missing_is_marked),
		cmocka_unit_test(a_process_that_was_seen_may_end),
		cmocka_unit_test(what_was_seen_before_an_exec_holds),
		cmocka_unit_test(what_was_seen_after_an_exec_is_forgotten),
		cmocka_unit_test(what_is_mapped_later_is_seen_after_a_while),
		cmocka_unit_test(what_is_mapped_later_and_not_looked_at_has_no_name),
		cmocka_unit_test(addresses_of_the_kernel_have_its_own_names),
		cmocka_unit_test(addresses_of_kernel_modules_name_the_module),
		cmocka_unit_test(names_that_are_forgotten_are_found_again),
		cmocka_unit_test(a_label_is_what_is_known),
		cmocka_unit_test(nothing_is_left_open),
	};

	if (argc == 3)
		return again(atoi(argv[1]), atoi(argv[2]));
	outer(1);
	return cmocka_run_group_tests_name("names of stacks", tests, NULL, NULL);
}
