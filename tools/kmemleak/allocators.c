// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include "kernel.h"
#include "maps.h"
#include "say.h"
#include "word_list.h"
#include "allocators.h"
#include "pair.h"
#include "kmemleak.skel.h"

static const char *const names[ALLOC_EVENT] = {
	[ALLOC_KMALLOC] = "kmalloc", [ALLOC_CACHE] = "cache",	  [ALLOC_PAGES] = "pages",
	[ALLOC_PERCPU] = "percpu",   [ALLOC_VMALLOC] = "vmalloc", [ALLOC_MALLOC] = "malloc",
	[ALLOC_MMAP] = "mmap",
};

#define KERNEL_ALLOCATORS ALLOC_MALLOC

/* include/linux/mmzone.h */
static const char *const migratetypes[] = { "unmovable", "movable", "reclaimable" };

/* The tracepoints, and whose they are. Without those that are needed, there is no observing it. */
static const struct event {
	const char *tracepoint, *program;
	enum allocator allocator;
	bool needed;
} events[] = {
	{ "kmalloc", "made_kmalloc", ALLOC_KMALLOC, true },
	{ "kmalloc_node", "made_kmalloc_node", ALLOC_KMALLOC, false },
	{ "kfree", "freed_kmalloc", ALLOC_KMALLOC, true },
	{ "kfree", "kfree_again", ALLOC_KMALLOC, true },
	{ "kmem_cache_alloc", "made_in_cache", ALLOC_CACHE, true },
	{ "kmem_cache_alloc_node", "made_in_cache_node", ALLOC_CACHE, false },
	{ "kmem_cache_free", "freed_in_cache", ALLOC_CACHE, true },
	{ "kmem_cache_free", "cache_again", ALLOC_CACHE, true },
	{ "mm_page_alloc", "made_pages", ALLOC_PAGES, true },
	{ "mm_page_free", "freed_pages", ALLOC_PAGES, true },
	{ "mm_page_free", "pages_again", ALLOC_PAGES, true },
	{ "percpu_alloc_percpu", "made_percpu", ALLOC_PERCPU, true },
	{ "percpu_free_percpu", "freed_percpu", ALLOC_PERCPU, true },
	{ "alloc_vmap_area", "made_vmalloc", ALLOC_VMALLOC, true },
	{ "free_vmap_area_noflush", "freed_vmalloc", ALLOC_VMALLOC, true },
};

#define EVENTS (sizeof(events) / sizeof(*events))

/* Programs of which each does what the kernel skips of the other. */
static const char *const doubled[] = {
	"freed_kmalloc", "kfree_again", "freed_in_cache", "cache_again",   "freed_pages",
	"pages_again",	 "freed_early", "early_again",	  "freed_in_bulk", "bulk_again",
};

#define DOUBLED (sizeof(doubled) / sizeof(*doubled))

const char *check_allocators(const char *list)
{
	unsigned int i;
	size_t n;

	for (; *list; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		for (i = 0; i < KERNEL_ALLOCATORS; i++) {
			if (n == strlen(names[i]) && !strncmp(list, names[i], n))
				break;
		}
		if (i == KERNEL_ALLOCATORS)
			return "needs some of kmalloc,cache,pages,percpu,vmalloc";
	}
	return NULL;
}

/* The parameters of tracepoint @name, the first of which is not its own; NULL: it is not there. */
static const struct btf_param *parameters(const struct btf *btf, const char *name)
{
	char type[80];
	const struct btf_type *t;
	int id;

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	id = btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF);
	if (id < 0)
		return NULL;
	t = btf__type_by_id(btf, btf__type_by_id(btf, id)->type); /* a pointer ... */
	t = btf__type_by_id(btf, t->type);			  /* to a function */
	return btf_params(t);
}

static bool is_pointer(const struct btf *btf, __u32 id)
{
	return btf_is_ptr(btf__type_by_id(btf, id));
}

void allocators_none(struct kmemleak *skel)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, skel->obj)
	{
		/* What belongs to bpf/ sees to itself, and the walk is for all. */
		if (bpf_program__type(prog) != BPF_PROG_TYPE_TRACING ||
		    bpf_program__expected_attach_type(prog) == BPF_TRACE_FENTRY)
			bpf_program__set_autoload(prog, false);
	}
	bpf_program__set_autoattach(skel->progs.count_objects, false);
	bpf_program__set_autoattach(skel->progs.count_slots, false);
}

/* What cannot be seen to be freed here. */
static bool unseen_bulk, unseen_sheaves;

void allocators_tell_unseen(void)
{
	if (unseen_bulk)
		say_note("this kernel lets nobody see what is freed in bulk (it refuses fentry): "
			 "such objects count as live until their memory is used again%s",
			 unseen_sheaves ? "; those of caches with sheaves are not counted" : "");
}

/* Frees that have no tracepoint of their own. @btf is the kernel's. */
static void choose_silent_frees(struct kmemleak *skel, const struct btf *btf)
{
	bool bulk = kernel_has_fentry("kmem_cache_free_bulk");
	bool sheaves = btf__find_by_name_kind(btf, "kfree_rcu_sheaf", BTF_KIND_FUNC) > 0 ||
		       btf__find_by_name_kind(btf, "__kfree_rcu_sheaf", BTF_KIND_FUNC) > 0;

	bpf_program__set_autoload(skel->progs.freed_in_bulk, bulk);
	bpf_program__set_autoload(skel->progs.bulk_again, bulk);
	bpf_program__set_autoload(skel->progs.freed_by_rcu, bulk && sheaves);
	bpf_program__set_autoload(skel->progs.packet_consumed,
				  !bulk && parameters(btf, "consume_skb"));
	bpf_program__set_autoload(skel->progs.packet_dropped,
				  !bulk && parameters(btf, "kfree_skb"));
	skel->rodata->without_sheaves = !bulk;
	if (bulk && skel->rodata->cache_event_has_size && kernel_has_fentry("kmem_cache_free")) {
		bpf_program__set_autoload(skel->progs.freed_in_cache, false);
		bpf_program__set_autoload(skel->progs.cache_again, false);
		bpf_program__set_autoload(skel->progs.freed_early, true);
		bpf_program__set_autoload(skel->progs.early_again, true);
	}
	unseen_bulk = !bulk;
	unseen_sheaves = !bulk && sheaves;
}

int allocators_choose(struct kmemleak *skel, const char *list)
{
	const struct btf *btf = kernel_btf();
	const struct btf_param *p;
	bool off[KERNEL_ALLOCATORS] = {}, any = false;
	unsigned int i;

	if (!btf)
		return -errno;
	for (i = 0; i < EVENTS; i++) {
		enum allocator a = events[i].allocator;

		if (off[a])
			continue;
		if (list && !list_has(list, names[a])) {
			off[a] = true;
		} else if (events[i].needed && !parameters(btf, events[i].tracepoint)) {
			off[a] = true;
			say_note("%s is not observed: this kernel has no tracepoint %s", names[a],
				 events[i].tracepoint);
		}
	}
	for (i = 0; i < EVENTS; i++) {
		bool on = !off[events[i].allocator] && parameters(btf, events[i].tracepoint);

		any |= on;
		bpf_program__set_autoload(
			bpf_object__find_program_by_name(skel->obj, events[i].program), on);
	}
	/* The third is the cache, or, before 6.1, a size; the first the site (from 6.0), or a bool. */
	p = parameters(btf, "kmem_cache_alloc");
	skel->rodata->cache_event_has_size = p && !is_pointer(btf, p[3].type);
	p = parameters(btf, "kmalloc");
	skel->rodata->kmalloc_event_has_cache = p && is_pointer(btf, p[3].type);
	p = parameters(btf, "percpu_alloc_percpu");
	skel->rodata->percpu_event_has_site = p && btf__resolve_size(btf, p[1].type) == 8;
	if (!off[ALLOC_KMALLOC] || !off[ALLOC_CACHE])
		choose_silent_frees(skel, btf);
	if (any)
		return 0;
	say_error("this kernel has the events of none of these allocators");
	return EXIT_CANNOT;
}

bool allocators_free_late(const struct kmemleak *skel)
{
	return skel->rodata->cache_event_has_size &&
	       bpf_program__autoload(skel->progs.freed_in_cache);
}

bool allocators_doubled(const char *name)
{
	unsigned int i;

	for (i = 0; i < DOUBLED; i++) {
		if (!strcmp(name, doubled[i]))
			return true;
	}
	return false;
}

static void add_nested(void *total, const void *one)
{
	*(uint64_t *)total += ((const struct frees *)one)->nested;
}

uint64_t allocators_skipped(struct kmemleak *skel)
{
	static uint64_t most;
	uint64_t skipped = 0, seen = 0;
	struct bpf_program *prog;
	unsigned int i;
	__u32 zero = 0;

	/* The first of each two: the second one runs in its place, unless that is running too. */
	for (i = 0; i < DOUBLED; i += 2) {
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);

		prog = bpf_object__find_program_by_name(skel->obj, doubled[i]);
		if (bpf_program__fd(prog) >= 0 &&
		    !bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &size))
			skipped += info.recursion_misses;
	}
	if (percpu_read(bpf_map__fd(skel->maps.frees), &zero, sizeof(struct frees), add_nested,
			&seen))
		return most;
	if (skipped > seen && skipped - seen > most)
		most = skipped - seen;
	return most;
}

void cell_allocator(struct cell *cell, const struct site *site)
{
	unsigned int order = site->address & 0xff, type = site->address >> 8;
	char text[60];

	if (site->allocator >= ALLOC_EVENT) {
		cell_string(cell, pair_name(site->allocator - ALLOC_EVENT));
		return;
	}
	if (site->allocator != ALLOC_PAGES) {
		cell_string(cell, names[site->allocator]);
		return;
	}
	if (type < sizeof(migratetypes) / sizeof(*migratetypes))
		snprintf(text, sizeof(text), "pages, order %u %s", order, migratetypes[type]);
	else
		snprintf(text, sizeof(text), "pages, order %u type %u", order, type);
	cell_string(cell, text);
}

bool site_has_address(const struct site *site)
{
	return site->allocator != ALLOC_PAGES && site->address;
}

void trim_chain(struct symbols *symbols, struct callchain *chain, const struct site *site)
{
	unsigned int i = chain->kernel;

	if (site_has_address(site)) {
		for (i = 0; i < chain->kernel && chain->ips[i] != site->address; i++)
			;
	}
	if (i == chain->kernel)
		i = symbols_tracing_frames(symbols, chain);
	callchain_drop(chain, i);
}
