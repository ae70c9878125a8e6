// SPDX-License-Identifier: GPL-2.0-only
/* What was allocated and not freed? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "clock.h"
#include "events/engine.h"
#include "filter.h"
#include "kernel.h"
#include "quantity.h"
#include "say.h"
#include "stacks.h"
#include "unit.h"
#include "allocators.h"
#include "kmemleak.h"
#include "pair.h"
#include "user.h"
#include "walk.h"
#include "watch.h"
#include "kmemleak.skel.h"

#define DEFAULT_LIVE (1 << 20)
#define MOST_LIVE    (64 << 20)

/* Room for different stacks of a second. */
#define STACK_ROOM 16384

/* So many stacks are looked at each second, to know their like when they come again. */
#define SAMPLES 2000

/* Looking at all objects takes at most this part of the time. */
#define WALK_SHARE 100

/* When there are more stacks than twice those that are in use and this, the others are forgotten. */
#define SPARE_CHAINS 2048

/* Buckets count on what a CPU stores being seen in that order by others. */
#ifdef __x86_64__
#define STORES_IN_ORDER true
#else
#define STORES_IN_ORDER false
#endif

static struct kmemleak *skel;
static struct tally chains; /* id: struct stack_key */
static size_t chains_in_use;
static struct watch *watch;
static uint64_t next_walk;

static const char *allocators, *library;
static uint64_t max_live = DEFAULT_LIVE, min_size, than, most_rows;
static bool exact, user;
static struct filter filter = { .values = { "bytes" } };

static const struct option_entry options[] = {
	{ "allocators", 0, OPTION_CHECKED, "LIST",
	  "only these: kmalloc,cache,pages,percpu,vmalloc (all)", .value = &allocators,
	  .check = check_allocators },
	{ "user", 0, OPTION_FLAG, NULL, "a process's: malloc and its kin, mmap; needs -p or -- CMD",
	  .value = &user },
	{ "library", 'O', OPTION_STRING, "LIB[,LIB...]",
	  "... in these: paths, or parts of names (all with malloc)", .value = &library },
	{ "alloc", 0, OPTION_REPEATED, "EVENT[,EVENT...]",
	  "events that make objects: EVENT/FILTER/ptr=EXPR/size=EXPR/", .check = pair_add_allocs },
	{ "free", 0, OPTION_REPEATED, "EVENT[,EVENT...]",
	  "... and those that end them: EVENT/FILTER/ptr=EXPR/", .check = pair_add_frees },
	FILTER_OPTION(filter, " bytes"),
	{ "exact", 0, OPTION_FLAG, NULL,
	  "a stack for each object, not only for suspicious call sites", .value = &exact },
	{ "than", 0, OPTION_TIME, "AGE", "only objects older than AGE (bare numbers: ns)",
	  .value = &than, .least = 1, .bare = 1 },
	{ "min-size", 0, OPTION_SIZE, "SIZE", "only objects of at least SIZE", .value = &min_size },
	{ "top", 0, OPTION_COUNT, "N", "only N rows: those with the oldest objects",
	  .value = &most_rows, .least = 1, .most = UINT32_MAX },
	{ "max-live", 0, OPTION_COUNT, "N",
	  "room for N live objects of 81 bytes (85 MB); of --user, --alloc: 120",
	  .value = &max_live, .least = 1, .most = MOST_LIVE },
	{},
};

enum {
	ABOUT_OBJECTS,
	ABOUT_BYTES,
	ABOUT_WATCHED,
	ABOUT_SITES
};

static const struct column about_row[] = {
	[ABOUT_OBJECTS] = { .name = "objects", .type = CELL_COUNT },
	[ABOUT_BYTES] = { .name = "bytes", .title = "", .type = CELL_SIZE },
	[ABOUT_WATCHED] = { .name = "call_sites_with_stacks",
			    .title = "stacks of %",
			    .type = CELL_COUNT },
	[ABOUT_SITES] = { .name = "call_sites", .title = " of % call sites", .type = CELL_COUNT },
};

enum {
	ROW_COUNT,
	ROW_BYTES,
	ROW_AGE,
	ROW_ALLOCATOR,
	ROW_COMM,
	ROW_PID,
	ROW_STACK
};

static const struct column object_row[] = {
	[ROW_COUNT] = { .name = "count", .title = "objects", .type = CELL_COUNT, .adds_up = true },
	[ROW_BYTES] = { .name = "bytes", .type = CELL_SIZE, .adds_up = true },
	[ROW_AGE] = { .name = "oldest", .type = CELL_DURATION, .highest = true },
	[ROW_ALLOCATOR] = { .name = "allocator", .type = CELL_STRING, .width = 26 },
	[ROW_COMM] = { .name = "comm", .type = CELL_STRING },
	[ROW_PID] = { .name = "pid", .type = CELL_ID },
	[ROW_STACK] = { .name = "stack", .type = CELL_STACK },
};

static const struct layout about_layout = LAYOUT(about_row);
static struct layout object_layout = {
	.columns = object_row,
	.count = sizeof(object_row) / sizeof(*object_row),
	.rows_are = "groups of objects",
	.most_shown = 20,
	.sorted_by = ROW_AGE + 1,
};

static const struct layout *rows(const struct session *s)
{
	(void)s;
	if (most_rows)
		object_layout.most_shown = most_rows;
	return &object_layout;
}

static const struct layout *about(const struct session *s)
{
	(void)s;
	return &about_layout;
}

/* Are objects a process's own? */
static bool in_process(void)
{
	return user || pair_is_in_process();
}

static const char *check(struct settings *settings)
{
	const char *wrong = filter_check(&filter, settings);

	if (wrong)
		return wrong;
	if (user + pair_given() + (allocators != NULL) > 1)
		return "--allocators, --user and --alloc are different allocators: choose one";
	if (library && !user)
		return "-O names a process's allocator: it needs --user";
	if (user && !settings->targets.pids && !settings->command)
		return "--user needs a process: -p PID or -- CMD";
	if (pair_given() && filter.text && !filter.is_glob)
		return "--alloc has its own filters, behind each event: --alloc EVENT/FILTER/ptr=EXPR/";
	if (user && filter.text && !filter.is_glob)
		return "--filter takes the kernel's allocators: with --user, -p, -t and --comm choose";
	if (pair_check() || !in_process())
		return pair_check();
	settings->user_callchain = true;
	settings->kernel_callchain = false;
	return NULL;
}

/* What is to be observed, and by which programs. Returns as struct unit's `open`. */
static int choose_programs(struct session *s)
{
	const struct targets *t = &s->settings.targets;
	bool others = t->tids || t->cpus || t->comm || t->cgroup;

	allocators_none(skel);
	skel->rodata->jiffies_clock = !in_process();
	/* Probes are at no other processes anyway. */
	skel->rodata->some_tasks = others || (!user && (t->pids || s->settings.command));
	if (pair_given()) {
		pair_choose(skel, s->settings.command);
		return EXIT_DONE;
	}
	return user ? user_choose(skel, s->settings.command) : allocators_choose(skel, allocators);
}

/*
 * Half of the room is in buckets: with all of it in use there are twice as many objects as these
 * hold, so next to no slot is left empty. Returns 0 or a negative errno.
 */
static int make_room(void)
{
	__u32 group = GROUP_BUCKETS * BUCKET_SLOTS, groups = 0;
	int err = 0;

	/* Up, as `live` takes more memory by half for one more than a power of two. */
	if (!user && !pair_given() && max_live >= 2 * group && STORES_IN_ORDER &&
	    !allocators_free_late(skel) && !kernel_is_without("buckets"))
		groups = (max_live / 2 + group - 1) / group;
	skel->rodata->bucket_groups = groups;
	if (groups)
		err = bpf_map__set_max_entries(skel->maps.buckets, groups * GROUP_BUCKETS);
	return err ? err : bpf_map__set_max_entries(skel->maps.live, max_live - groups * group);
}

/* Which programs are for allocations does not matter: others do not ask. */
static int filter_all(void)
{
	struct bpf_program *prog;
	int err = 0;

	skel->rodata->by_filter = filter.code;
	bpf_object__for_each_program(prog, skel->obj)
	{
		if (!err && bpf_program__type(prog) == BPF_PROG_TYPE_RAW_TRACEPOINT)
			err = filter_use(&filter, prog);
	}
	return err;
}

static int open_skeleton(struct session *s)
{
	int err = pair_given() ? pair_find(&s->settings) : filter_compile(&filter);

	if (err)
		return err;
	skel = kmemleak__open();
	watch = watch_new();
	if (!skel || !watch)
		return -ENOMEM;
	session_use(s, skel);
	s->settings.call_graph = true;
	s->stack_room = STACK_ROOM;
	s->keep_stacks = true;
	s->most_rows = most_rows;
	tally_init(&chains, sizeof(uint64_t), sizeof(struct stack_key));
	skel->rodata->min_size = min_size;
	skel->rodata->exact = exact;
	skel->rodata->page_size = getpagesize();
	skel->rodata->self = getpid();
	skel->bss->samples_wanted = SAMPLES;
	skel->rodata->task_stack_size = kernel_stack_size();
	err = choose_programs(s);
	if (!err)
		err = filter_all();
	if (!err)
		err = stacks_size(s->obj, "chains", STACK_ROOM);
	return err ? err : make_room();
}

static int attach(struct session *s)
{
	const struct settings *set = &s->settings;

	if (pair_given())
		return pair_attach(skel, set);
	if (!user) {
		allocators_tell_unseen();
		return EXIT_DONE;
	}
	return user_attach(skel, set->targets.pids, s->command.pid,
			   set->command ? set->command[0] : NULL, library);
}

/* A jiffy, which is the tick of the coarse clocks; or what struct object.time counts in. */
static uint64_t tick_ns(void)
{
	struct timespec tick;

	if (in_process())
		return 1;
	clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	return tick.tv_nsec;
}

static void keep_chain(void *total, const void *one)
{
	memcpy(total, one, sizeof(struct stack_key));
}

/* The stack of objects at @site of which no more is known. To be freed. */
static struct callchain *site_chain(struct session *s, const struct site *site)
{
	bool known = site_has_address(site);
	struct callchain *chain = callchain_new(known && !site->pid, known && site->pid);

	if (known)
		chain->ips[0] = site->address;
	if (site->pid)
		chain->space = stacks_space(s->stacks, site->pid);
	return chain;
}

/* Processes' mappings have to be seen while they live: so where the sites of @groups are, too. */
static void look_again(struct session *s, const struct tally *groups)
{
	struct callchain *chain;
	size_t i;

	for (i = 0; i < groups->count; i++) {
		const struct group_key *key = tally_key(groups, i);

		if (!key->site.pid || key->chain)
			continue;
		chain = site_chain(s, &key->site);
		symbols_look_again(stacks_symbols(s->stacks), chain);
		callchain_free(chain);
	}
}

/* Forgets stacks that no object has, as @groups tell: all that have been taken are older than they. */
static void forget_chains(struct session *s, const struct tally *groups)
{
	struct tally used;
	size_t i;

	tally_init(&used, chains.key_size, chains.value_size);
	for (i = 0; i < groups->count; i++) {
		const __u64 *id = &((const struct group_key *)tally_key(groups, i))->chain;
		const struct stack_key *key = tally_find(&chains, id);

		if (key)
			keep_chain(tally_at(&used, id), key);
	}
	tally_clear(&chains);
	chains = used;
	chains_in_use = chains.count;
	stacks_keep(s->stacks, &chains);
}

/* Looks at all objects: which sites are suspicious, and which stacks are in use? */
static int walk(struct session *s)
{
	struct tally groups;
	__u64 missed;
	int err;

	tally_init(&groups, sizeof(struct group_key), sizeof(struct group));
	skel->bss->least_age = 0;
	missed = skel->bss->groups_missed;
	err = walk_objects(skel, &groups);
	if (!err && !exact)
		watch_update(watch, &groups, skel->bss->watched);
	if (!err && in_process())
		look_again(s, &groups);
	if (!err && chains.count > 2 * chains_in_use + SPARE_CHAINS &&
	    skel->bss->groups_missed == missed)
		forget_chains(s, &groups);
	tally_clear(&groups);
	return err;
}

static int take(struct session *s, unsigned int half)
{
	int err = stacks_take(s->stacks, "chains", half, &chains, keep_chain);
	uint64_t began = monotonic_now();

	skel->bss->samples_wanted = SAMPLES;
	if (user) {
		user_heed();
		user_look_again();
	}
	if (err || !s->control->observing || began < next_walk)
		return err;
	err = walk(s);
	next_walk = began + WALK_SHARE * (monotonic_now() - began);
	return err;
}

static void fill_row(struct session *s, struct cell *row, const struct group_key *key,
		     const struct group *group)
{
	const struct stack_key *owner = tally_find(&chains, &key->chain);
	struct callchain *chain;

	cell_number(&row[ROW_COUNT], group->count);
	cell_number(&row[ROW_BYTES], group->bytes);
	cell_number(&row[ROW_AGE], group->age * tick_ns());
	cell_allocator(&row[ROW_ALLOCATOR], &key->site);
	if (owner) {
		cell_comm(&row[ROW_COMM], owner->comm);
		cell_number(&row[ROW_PID], owner->pid);
		chain = stacks_chain(s->stacks, owner);
		if (chain->kernel)
			trim_chain(stacks_symbols(s->stacks), chain, &key->site);
		/* Not operator new, but who called it. */
		else if (chain->user && site_has_address(&key->site))
			chain->ips[0] = key->site.address;
	} else {
		if (key->site.pid)
			cell_number(&row[ROW_PID], key->site.pid);
		chain = site_chain(s, &key->site);
		chain->kernel_lost = key->chain == STACK_LOST;
	}
	cell_stack(&row[ROW_STACK], chain);
}

static int report(struct session *s, unsigned int half, struct table *rows)
{
	struct cell *about = table_add(&s->report.about);
	uint64_t objects = 0, bytes = 0;
	struct tally groups;
	size_t i;
	int err;

	(void)half;
	tally_init(&groups, sizeof(struct group_key), sizeof(struct group));
	/* As old at least, whenever within a tick it was made. */
	skel->bss->least_age = than ? (than + tick_ns() - 1) / tick_ns() + !in_process() : 0;
	skel->bss->for_report = true;
	err = walk_objects(skel, &groups);
	skel->bss->for_report = false;
	for (i = 0; !err && i < groups.count; i++) {
		const struct group *group = tally_value(&groups, i);

		fill_row(s, table_add(rows), tally_key(&groups, i), group);
		objects += group->count;
		bytes += group->bytes;
	}
	cell_number(&about[ABOUT_OBJECTS], objects);
	cell_number(&about[ABOUT_BYTES], bytes);
	watch_about(watch, &groups, exact, &about[ABOUT_SITES], &about[ABOUT_WATCHED]);
	tally_clear(&groups);
	return err;
}

static int empty(struct session *s, unsigned int half)
{
	(void)s;
	(void)half;
	return 0;
}

static uint64_t skipped(struct session *s)
{
	(void)s;
	return pair_given() ? pair_skipped() : allocators_skipped(skel);
}

static int wake_fd(void)
{
	return user ? user_fd() : -1;
}

static const struct unit kmemleak = {
	.synopsis = {
		.name = "kmemleak",
		.summary = "What was allocated and not freed?",
		.description =
			"Each object that is allocated while kmemleak runs is kept track of until it is freed.\n"
			"A report shows those that live, the oldest first, by who allocated them: all of the\n"
			"kernel's allocators, or with --user a process's own (by probes at its functions).\n"
			"\n"
			"At first objects are told apart by their call site, the place that called the allocator;\n"
			"for pages, by order and migratetype. Where their number grows from second to second, or\n"
			"they take much memory, each further object is shown under its whole stack. --exact takes\n"
			"all stacks from the beginning, at a higher cost.\n"
			"\n"
			"Live is not leaked: an object that is in use is in the report, too. What grows, and what\n"
			"is older (--than) than it should become, is suspicious. Objects from before the start are\n"
			"not known, and their frees change nothing. With --user -- CMD, processes that CMD starts are\n"
			"observed from a moment after their begin.\n"
			"\n"
			"--alloc and --free name any events that make and end objects, with ptr=EXPR, which tells an\n"
			"object, on both. Events of users' code (uprobe, usdt) pair within their process.\n"
			ENGINE_EVENT_HELP "\n"
			"\n"
			FILTER_HELP "\n"
			"bytes is an object's size.",
		.examples =
			"  kmemleak --duration 1m --than 30s         what has been there for 30 seconds\n"
			"  kmemleak -i 10s --allocators cache,kmalloc\n"
			"  kmemleak --exact --flame-graph mem -- ./test   what a command leaves in the kernel\n"
			"  kmemleak --user -p 4242 -i 10s            a process's heap\n"
			"  kmemleak --user -O jemalloc -- ./server   a command's, in a library of its own\n"
			"  kmemleak --alloc 'kmem:kmalloc/bytes_alloc>4096/ptr=ptr/size=bytes_alloc/' \\\n"
			"           --free 'kmem:kfree//ptr=ptr/' --duration 10s   of any events",
		.takes = TAKES_TARGETS | TAKES_INTERVAL | TAKES_DURATION | TAKES_STACKS |
			 TAKES_OUTPUT | TAKES_COMMAND,
		.options = options,
		.kernel_stacks = true,
		.check = check,
	},
	.map_full_help = "more objects live than --max-live has room for, or more stacks or threads",
	.flames = { .value = FLAMEGRAPH_BYTES, .colors = FLAMEGRAPH_MEM },
	.holds = true,
	.rows = rows,
	.about = about,
	.open = open_skeleton,
	.attach = attach,
	.take = take,
	.report = report,
	.empty = empty,
	.made_up = allocators_doubled,
	.skipped = skipped,
	.wake_fd = wake_fd,
	.wake = user_heed,
};

int main(int argc, char **argv)
{
	int status = unit_main(&kmemleak, argc, argv);

	user_detach();
	pair_free();
	filter_free(&filter);
	tally_clear(&chains);
	watch_free(watch);
	return status;
}
