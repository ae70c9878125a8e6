// SPDX-License-Identifier: GPL-2.0-only
/* Which memory do processes fault in? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "filter.h"
#include "kernel.h"
#include "maps.h"
#include "mapping.h"
#include "sampler.h"
#include "say.h"
#include "stacks.h"
#include "unit.h"
#include "page-faults.h"
#include "page-faults.skel.h"

/* Rows that may come in a second, and stacks. */
#define USUAL_ROOM 16384
#define PAGES_ROOM 131072
#define STACK_ROOM 8192
#define MOST_ROOM  (1 << 24)

static struct page_faults *skel;
static struct sampler minor, major;
static struct tally faults; /* struct fault_key: struct faults; not reported yet */

static bool pages;
static uint64_t max_rows;
static struct filter filter = { .values = { "addr" } };

static const struct option_entry options[] = {
	FILTER_OPTION(filter, " addr"),
	{ "pages", 0, OPTION_FLAG, NULL, "a row for each page", .value = &pages },
	{ "max-rows", 0, OPTION_COUNT, "N",
	  "room for N rows a second, 350 bytes each (16384; --pages: 131072)", .value = &max_rows,
	  .least = 1, .most = MOST_ROOM },
	{},
};

enum {
	ROW_COUNT,
	ROW_PERCENT,
	ROW_COMM,
	ROW_PID,
	ROW_ACCESS,
	ROW_MODE,
	ROW_TYPE,
	ROW_ADDRESS,
	ROW_LAST,
	ROW_MAPPING,
	ROW_STACK,
	ROW_CELLS
};

/* Addresses of processes have 47 bits, or 56 where that is asked for. */
#define ADDRESS_WIDTH 14

static struct column columns[] = {
	[ROW_COUNT] = { .name = "count", .title = "faults", .type = CELL_COUNT, .adds_up = true },
	[ROW_PERCENT] = { .name = "count",
			  .title = "percent",
			  .type = CELL_PERCENT,
			  .share_of = ROW_COUNT + 1 },
	[ROW_COMM] = { .name = "comm", .type = CELL_STRING },
	[ROW_PID] = { .name = "pid", .type = CELL_ID },
	[ROW_ACCESS] = { .name = "access", .type = CELL_STRING, .width = 6 },
	[ROW_MODE] = { .name = "mode", .type = CELL_STRING, .width = 6 },
	[ROW_TYPE] = { .name = "type", .type = CELL_STRING, .width = 5 },
	[ROW_ADDRESS] = { .name = "address",
			  .type = CELL_ADDRESS,
			  .lowest = true,
			  .width = ADDRESS_WIDTH },
	[ROW_LAST] = { .name = "last",
		       .type = CELL_ADDRESS,
		       .highest = true,
		       .width = ADDRESS_WIDTH },
	[ROW_MAPPING] = { .name = "mapping", .type = CELL_STRING },
	[ROW_STACK] = { .name = "stack", .type = CELL_STACK },
};

static struct layout layout = { .columns = columns, .count = ROW_CELLS };

static const char *const accesses[] = {
	[ACCESS_READ] = "read",
	[ACCESS_WRITE] = "write",
	[ACCESS_EXEC] = "exec",
};

static const struct layout *rows(const struct session *s)
{
	/* A page is an address by itself, not the lowest of some. */
	columns[ROW_ADDRESS].lowest = !pages;
	layout.count = s->settings.call_graph ? ROW_CELLS : ROW_STACK;
	layout.most_shown = s->settings.call_graph ? 10 : 50;
	return &layout;
}

static const char *check(struct settings *settings)
{
	return filter_check(&filter, settings);
}

static int open_skeleton(struct session *s)
{
	int err = filter_compile(&filter);

	if (err)
		return err;
	skel = page_faults__open();
	if (!skel)
		return -errno;
	session_use(s, skel);
	skel->rodata->by_filter = filter.code;
	tally_init(&faults, sizeof(struct fault_key), sizeof(struct faults));
	s->show_functions = s->settings.call_graph;
	s->stack_room = STACK_ROOM;
	skel->rodata->has_access = kernel_has_tracepoint("page_fault_user") &&
				   kernel_has_tracepoint("page_fault_kernel");
	if (!skel->rodata->has_access) {
		say_note("this kernel does not say whether a fault was a read or a write");
		bpf_program__set_autoload(skel->progs.access_user, false);
		bpf_program__set_autoload(skel->progs.access_kernel, false);
	}
	if (pages)
		skel->rodata->page_mask = ~(uint64_t)(sysconf(_SC_PAGESIZE) - 1);
	if (!max_rows)
		max_rows = pages ? PAGES_ROOM : USUAL_ROOM;
	err = filter_use(&filter, skel->progs.minor_fault);
	if (!err)
		err = filter_use(&filter, skel->progs.major_fault);
	return err ? err : stacks_size(s->obj, "faults", max_rows);
}

static int start(struct sampler *s, uint64_t event, const __u64 *cpus, struct bpf_program *prog)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = event,
		.sample_period = 1,
		.disabled = true, /* until it has its program */
	};

	return sampler_start_event(s, &attr, cpus, prog);
}

/* Returns an exit status. */
static int attach(struct session *s)
{
	const __u64 *cpus = s->config->by_cpu ? s->config->cpus : NULL;
	int err = start(&minor, PERF_COUNT_SW_PAGE_FAULTS_MIN, cpus, skel->progs.minor_fault);

	if (!err)
		err = start(&major, PERF_COUNT_SW_PAGE_FAULTS_MAJ, cpus, skel->progs.major_fault);
	if (!err)
		return EXIT_DONE;
	if (err == -ENODEV)
		say_error("cannot watch page faults: none of these CPUs is online");
	else if (err == -EACCES)
		say_error(
			"cannot watch page faults: %s (kernel.perf_event_paranoid forbids it to all "
			"but root)",
			strerror(-err));
	else
		say_error("cannot watch page faults: %s%s", strerror(-err), kernel_missing(err));
	return err == -EPERM || err == -EACCES || err == -ENODEV ? EXIT_CANNOT : EXIT_FAILED;
}

static void add_faults(void *total, const void *one)
{
	const struct faults *from = one;
	struct faults *to = total;

	if (!to->count || from->lowest < to->lowest)
		to->lowest = from->lowest;
	if (from->highest > to->highest)
		to->highest = from->highest;
	to->count += from->count;
}

static int take(struct session *s, unsigned int half)
{
	size_t i = faults.count;
	int err = s->stacks ? stacks_take(s->stacks, "faults", half, &faults, add_faults)
			    : counts_take(s->obj, "faults", half, &faults, add_faults);

	for (; i < faults.count; i++) {
		const struct fault_key *key = tally_key(&faults, i);

		mapping_learn(bpf_map__fd(skel->maps.names), key->mapping);
	}
	return err;
}

static void fill(struct session *s, struct cell *row, const struct fault_key *key,
		 const struct faults *value)
{
	const char *mapping = mapping_text(key->mapping);

	cell_number(&row[ROW_COUNT], value->count);
	cell_comm(&row[ROW_COMM], key->stack.comm);
	cell_number(&row[ROW_PID], key->stack.pid);
	if (key->access != ACCESS_UNKNOWN)
		cell_string(&row[ROW_ACCESS], accesses[key->access]);
	cell_string(&row[ROW_MODE], key->mode == MODE_USER ? "user" : "kernel");
	cell_string(&row[ROW_TYPE], key->type == FAULT_MINOR ? "minor" : "major");
	cell_number(&row[ROW_ADDRESS], pages ? key->page : value->lowest);
	cell_number(&row[ROW_LAST], value->highest);
	if (mapping)
		cell_string(&row[ROW_MAPPING], mapping);
	if (s->stacks)
		cell_stack(&row[ROW_STACK], stacks_chain(s->stacks, &key->stack));
}

static int report(struct session *s, unsigned int half, struct table *rows)
{
	size_t i;

	(void)half;
	for (i = 0; i < faults.count; i++)
		fill(s, table_add(rows), tally_key(&faults, i), tally_value(&faults, i));
	if (!s->stacks) {
		table_merge(rows);
		table_sort(rows, ROW_COUNT);
	}
	return 0;
}

static int empty(struct session *s, unsigned int half)
{
	(void)s;
	(void)half;
	tally_clear(&faults);
	mapping_forget_all();
	return 0;
}

static void add_run(void *total, const void *one)
{
	*(uint64_t *)total += *(const uint64_t *)one;
}

static uint64_t runs(void)
{
	uint64_t count = 0;
	__u32 zero = 0;

	if (percpu_read(bpf_map__fd(skel->maps.runs), &zero, sizeof(count), add_run, &count))
		return UINT64_MAX;
	return count;
}

/* Faults of anybody at which the kernel has not run our programs: at least so many. */
static uint64_t skipped(struct session *s)
{
	static uint64_t most;
	uint64_t events = sampler_events(&minor) + sampler_events(&major), seen = runs();

	(void)s;
	if (events > seen) {
		kernel_wait_for_programs(); /* some may be on their way */
		seen = runs();
	}
	if (events > seen && events - seen > most)
		most = events - seen;
	return most;
}

static const struct unit page_faults = {
	.synopsis = {
		.name = "page-faults",
		.summary = "Which memory do processes fault in, by what access, from where?",
		.description =
			"A page fault is an access to memory that the processor finds no page for, or one that\n"
			"forbids it: the kernel gives the process a page (minor) or has to read it first (major).\n"
			"Counted are the faults that the kernel handled, as in getrusage(): a row for each\n"
			"process, kind and mapping. `access` is what the program was about to do, `mode` says\n"
			"whether it did so itself or had the kernel do it, in a system call; `address` and `last`\n"
			"are the lowest and highest address of these faults, `mapping` is as in /proc/PID/maps.\n"
			"\n"
			"A fault brings one page, or more: a huge page, or neighbours that a file has in memory.\n"
			"What the kernel maps ahead of any access (MAP_POPULATE, mlock, pages pinned for I/O) is\n"
			"not among these faults, though getrusage() has it.\n"
			"\n"
			FILTER_HELP "\n"
			"addr is the address that was faulted at.",
		.examples =
			"  page-faults --duration 10s                  the whole machine\n"
			"  page-faults -p 4242 -g                      a process, with who touches the memory\n"
			"  page-faults --flame-graph faults -- CMD     a command, as faults.folded and faults.svg\n"
			"  page-faults --pages -p 4242 -i 1s           which pages",
		.takes = TAKES_TARGETS | TAKES_INTERVAL | TAKES_DURATION | TAKES_STACKS |
			 TAKES_OUTPUT | TAKES_COMMAND,
		.options = options,
		.check = check,
	},
	.map_full_help = "more different rows or stacks a second than there is room for; --max-rows "
			 "makes some for rows",
	.rows = rows,
	.open = open_skeleton,
	.attach = attach,
	.take = take,
	.report = report,
	.empty = empty,
	.skipped = skipped,
};

int main(int argc, char **argv)
{
	int status = unit_main(&page_faults, argc, argv);

	sampler_stop(&minor);
	sampler_stop(&major);
	tally_clear(&faults);
	mapping_forget_all();
	filter_free(&filter);
	return status;
}
