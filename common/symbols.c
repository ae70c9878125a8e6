// SPDX-License-Identifier: GPL-2.0-only
#include <blazesym.h>
#include <errno.h>
#include <proc_maps.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "clock.h"
#include "quantity.h"
#include "say.h"
#include "symbols.h"
#include "tally.h"

/* So many addresses are looked up at once; in between, progress is told. */
#define BATCH 2048

/* From so many names on, symbols_trim() forgets them. */
#define MANY_NAMES 100000

/* Where an address is; the kernel's space is 0. */
struct place {
	uint64_t space;
	uint64_t addr;
};

/* What is at a place: `count` frames from `first` on, the innermost first. */
struct found {
	uint32_t first;
	uint32_t count; /* 0: not looked up yet */
};

/* When a process's mappings were looked at: CLOCK_MONOTONIC, ns. */
struct sight {
	uint64_t last;
	uint64_t pause; /* until it is worth while to look again; 0: never */
};

#define LEAST_PAUSE NSEC_PER_SEC
#define MOST_PAUSE  (64 * NSEC_PER_SEC)

/* A string that is kept once. */
struct text {
	struct text *next;
	char bytes[];
};

#define TEXT_BUCKETS 4096

struct symbols {
	blaze_symbolizer *symbolizer;
	struct proc_maps *maps;
	bool lines;
	struct tally places; /* struct place: struct found */
	struct tally seen;   /* space: struct sight */
	struct frame *frames;
	size_t frame_count, frame_room;
	struct text *texts[TEXT_BUCKETS];
};

static void *or_die(void *memory)
{
	if (!memory) {
		say_error("out of memory for the symbols");
		exit(EXIT_FAILED);
	}
	return memory;
}

struct callchain *callchain_new(unsigned int kernel, unsigned int user)
{
	struct callchain *chain =
		or_die(calloc(1, sizeof(*chain) + (kernel + user) * sizeof(uint64_t)));

	chain->kernel = kernel;
	chain->user = user;
	return chain;
}

void callchain_free(struct callchain *chain)
{
	if (chain)
		free(chain->frames);
	free(chain);
}

void callchain_drop(struct callchain *chain, unsigned int count)
{
	chain->kernel -= count;
	memmove(chain->ips, chain->ips + count,
		(chain->kernel + chain->user) * sizeof(*chain->ips));
}

struct symbols *symbols_new(bool lines)
{
	struct blaze_symbolizer_opts opts = {
		.type_size = sizeof(opts),
		.auto_reload = true,
		.code_info = lines,
		.inlined_fns = lines,
		.demangle = true,
	};
	struct symbols *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->lines = lines;
	tally_init(&s->places, sizeof(struct place), sizeof(struct found));
	tally_init(&s->seen, sizeof(uint64_t), sizeof(struct sight));
	s->symbolizer = blaze_symbolizer_new_opts(&opts);
	s->maps = proc_maps_new(NULL);
	if (s->symbolizer && s->maps)
		return s;
	symbols_free(s);
	return NULL;
}

static void forget_names(struct symbols *s)
{
	struct text *text, *next;
	unsigned int i;

	for (i = 0; i < TEXT_BUCKETS; i++) {
		for (text = s->texts[i]; text; text = next) {
			next = text->next;
			free(text);
		}
		s->texts[i] = NULL;
	}
	tally_clear(&s->places);
	free(s->frames);
	s->frames = NULL;
	s->frame_count = s->frame_room = 0;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	forget_names(s);
	tally_clear(&s->seen);
	proc_maps_free(s->maps);
	blaze_symbolizer_free(s->symbolizer);
	free(s);
}

void symbols_trim(struct symbols *s)
{
	if (s->frame_count > MANY_NAMES)
		forget_names(s);
	if (s->seen.count > MANY_NAMES)
		tally_clear(&s->seen);
}

void symbols_see(struct symbols *s, uint64_t space, pid_t pid)
{
	if (!proc_maps_snapshot(s->maps, space, pid))
		*(struct sight *)tally_at(&s->seen, &space) =
			(struct sight){ monotonic_now(), LEAST_PAUSE };
}

void symbols_over(struct symbols *s, uint64_t space, uint64_t time)
{
	struct sight *sight = tally_find(&s->seen, &space);

	if (sight && sight->last > time)
		proc_maps_forget(s->maps, space);
	else
		proc_maps_over(s->maps, space);
	if (sight)
		sight->pause = 0;
}

static bool is_covered(struct symbols *s, const struct callchain *chain)
{
	unsigned int i;

	for (i = 0; i < chain->user; i++) {
		if (!proc_maps_covers(s->maps, chain->space, chain->ips[chain->kernel + i]))
			return false;
	}
	return true;
}

void symbols_look_again(struct symbols *s, const struct callchain *chain)
{
	struct sight *sight = tally_find(&s->seen, &chain->space);
	uint64_t now;

	if (!sight || !sight->pause || is_covered(s, chain))
		return;
	now = monotonic_now();
	if (now - sight->last < sight->pause)
		return;
	sight->last = now;
	/* Garbage on the stack may look like an address, again and again. */
	if (proc_maps_refresh(s->maps, chain->space))
		sight->pause = 0; /* it has ended */
	else if (is_covered(s, chain))
		sight->pause = LEAST_PAUSE;
	else if (sight->pause < MOST_PAUSE)
		sight->pause *= 2;
}

static const char *keep_text(struct symbols *s, const char *bytes)
{
	size_t length = strlen(bytes) + 1;
	uint32_t hash = 2166136261u; /* FNV-1a */
	struct text **bucket, *text;
	const char *c;

	for (c = bytes; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	bucket = &s->texts[(hash ^ hash >> 16) % TEXT_BUCKETS];
	for (text = *bucket; text; text = text->next) {
		if (!strcmp(text->bytes, bytes))
			return text->bytes;
	}
	text = or_die(malloc(sizeof(*text) + length));
	memcpy(text->bytes, bytes, length);
	text->next = *bucket;
	*bucket = text;
	return text->bytes;
}

static struct frame *add_frame(struct symbols *s)
{
	if (s->frame_count == s->frame_room) {
		s->frame_room = s->frame_room ? 2 * s->frame_room : 1024;
		s->frames = or_die(reallocarray(s->frames, s->frame_room, sizeof(*s->frames)));
	}
	return memset(&s->frames[s->frame_count++], 0, sizeof(*s->frames));
}

static void add_source(struct symbols *s, struct frame *f, const blaze_symbolize_code_info *source)
{
	char path[4096];

	if (!source->file || !source->line)
		return;
	f->line = source->line;
	snprintf(path, sizeof(path), "%s%s%s", source->dir ? source->dir : "",
		 source->dir ? "/" : "", source->file);
	f->file = keep_text(s, path);
}

/* The kernel's or its module's name, or the file's path. */
static const char *module_of(struct symbols *s, const struct place *place,
			     const struct blaze_sym *sym)
{
	struct proc_maps_place where;
	char name[80];

	if (!place->space) {
		if (!sym || !sym->module)
			return "[kernel]";
		snprintf(name, sizeof(name), sym->module[0] == '[' ? "%s" : "[%s]", sym->module);
		return keep_text(s, name);
	}
	if (sym && sym->module)
		return keep_text(s, sym->module);
	if (!proc_maps_find_kept(s->maps, place->space, place->addr, &where))
		return keep_text(s, where.path);
	return NULL;
}

/* Notes what @sym (NULL: nothing) says of @place: first what was inlined, innermost first. */
static void note(struct symbols *s, const struct place *place, const struct blaze_sym *sym)
{
	struct found *found = tally_find(&s->places, place);
	const char *module = module_of(s, place, sym);
	size_t i = sym && sym->name ? sym->inlined_cnt : 0;
	struct frame *f;

	found->first = s->frame_count;
	found->count = i + 1;
	while (i--) {
		f = add_frame(s);
		f->name = keep_text(s, sym->inlined[i].name ? sym->inlined[i].name : "?");
		f->module = module;
		f->addr = place->addr;
		f->inlined = true;
		f->kernel = !place->space;
		add_source(s, f, &sym->inlined[i].code_info);
	}
	f = add_frame(s);
	f->module = module;
	f->addr = place->addr;
	f->kernel = !place->space;
	if (sym && sym->name) {
		f->name = keep_text(s, sym->name);
		f->offset = sym->offset;
		add_source(s, f, &sym->code_info);
	}
}

/* Looks up @count places of one space. */
static void look_up(struct symbols *s, const struct place *places, size_t count)
{
	struct blaze_symbolize_src_kernel kernel = {
		.type_size = sizeof(kernel),
		.vmlinux = "",
	};
	const struct proc_maps_syms *user = NULL;
	const struct blaze_syms *syms = NULL;
	uint64_t addrs[BATCH];
	size_t i;

	for (i = 0; i < count; i++)
		addrs[i] = places[i].addr;
	if (places->space)
		user = proc_maps_symbolize(s->maps, s->symbolizer, places->space, s->lines, addrs,
					   count);
	else
		syms = blaze_symbolize_kernel_abs_addrs(s->symbolizer, &kernel, addrs, count);
	for (i = 0; i < count; i++)
		note(s, &places[i], user ? &user->syms[i] : syms ? &syms->syms[i] : NULL);
	proc_maps_syms_free(user);
	blaze_syms_free(syms);
}

/*
 * Where to look @chain's address @i up. What is above the leaf is an address to return to, behind
 * the call: the function may have ended with that, so the byte before it is looked up. The user
 * part's first address is where it entered the kernel, or the leaf.
 */
static struct place place_of(const struct callchain *chain, unsigned int i)
{
	bool leaf = !i || i == chain->kernel;

	return (struct place){ i < chain->kernel ? 0 : chain->space, chain->ips[i] - !leaf };
}

static int by_space(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->space != y->space)
		return x->space < y->space ? -1 : 1;
	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static void tell_progress(uint64_t began, size_t done, size_t all, bool *told)
{
	if (!isatty(STDERR_FILENO) || monotonic_now() - began < NSEC_PER_SEC)
		return;
	fprintf(stderr, "\rlooking up symbols: %zu %% of %zu addresses", 100 * done / all, all);
	*told = true;
}

/* Looks up the places that are new. */
static void look_up_all(struct symbols *s, struct place *places, size_t count)
{
	uint64_t began = monotonic_now();
	size_t i, n;
	bool told = false;

	if (count)
		qsort(places, count, sizeof(*places), by_space);
	for (i = 0; i < count; i += n) {
		for (n = 1; n < BATCH && i + n < count; n++) {
			if (places[i + n].space != places[i].space)
				break;
		}
		look_up(s, &places[i], n);
		tell_progress(began, i + n, count, &told);
	}
	if (told)
		fputs("\r\033[K", stderr);
}

/* Frames that say what is missing. */
static const char *const cut_off = "[cut off]", *const lost = "[stack lost]";

static void add_mark(struct callchain *chain, const char *what, bool kernel)
{
	chain->frames[chain->frame_count++] = (struct frame){ .name = what, .kernel = kernel };
}

/* Adds the frames of @count addresses from number @from on. */
static void add_part(struct symbols *s, struct callchain *chain, unsigned int from,
		     unsigned int count)
{
	unsigned int i, j;

	for (i = from; i < from + count; i++) {
		struct place place = place_of(chain, i);
		const struct found *found = tally_find(&s->places, &place);

		for (j = 0; j < found->count; j++) {
			struct frame *f = &chain->frames[chain->frame_count++];

			*f = s->frames[found->first + j];
			f->addr = chain->ips[i];
			if (f->name && !f->inlined)
				f->offset += chain->ips[i] - place.addr;
		}
	}
}

static void add_frames(struct symbols *s, struct callchain *chain)
{
	unsigned int i, room = 2;

	for (i = 0; i < chain->kernel + chain->user; i++) {
		struct place place = place_of(chain, i);

		room += ((struct found *)tally_find(&s->places, &place))->count;
	}
	chain->frames = or_die(calloc(room, sizeof(*chain->frames)));
	add_part(s, chain, 0, chain->kernel);
	if (chain->kernel_lost || chain->kernel_cut_off)
		add_mark(chain, chain->kernel_lost ? lost : cut_off, true);
	add_part(s, chain, chain->kernel, chain->user);
	if (chain->user_lost || chain->user_cut_off)
		add_mark(chain, chain->user_lost ? lost : cut_off, false);
}

void symbols_resolve(struct symbols *s, struct callchain **chains, size_t count)
{
	struct place *fresh = NULL;
	size_t fresh_count = 0, room = 0, i;
	unsigned int j;

	for (i = 0; i < count; i++) {
		for (j = 0; j < chains[i]->kernel + chains[i]->user; j++) {
			struct place place = place_of(chains[i], j);

			if (tally_find(&s->places, &place))
				continue;
			tally_at(&s->places, &place);
			if (fresh_count == room) {
				room = room ? 2 * room : 1024;
				fresh = or_die(reallocarray(fresh, room, sizeof(*fresh)));
			}
			fresh[fresh_count++] = place;
		}
	}
	look_up_all(s, fresh, fresh_count);
	free(fresh);
	for (i = 0; i < count; i++) {
		if (!chains[i]->frames)
			add_frames(s, chains[i]);
	}
}

const char *symbols_kernel_name(struct symbols *s, uint64_t address)
{
	struct place place = { 0, address };
	const struct found *found = tally_find(&s->places, &place);

	if (!found) {
		tally_at(&s->places, &place);
		look_up(s, &place, 1);
		found = tally_find(&s->places, &place);
	}
	/* The last one is the function that others are inlined into. */
	return s->frames[found->first + found->count - 1].name;
}

unsigned int symbols_tracing_frames(struct symbols *s, const struct callchain *chain)
{
	static const char *const begins[] = { "bpf_trace_run",	"__bpf_trace_", "__traceiter_",
					      "trace_call_bpf", "perf_trace_",	"bpf_get_stack",
					      "bpf_trampoline_" };
	unsigned int i, j, frames = 0;

	/* They are not deep; the programs' own are above these. */
	for (i = 0; i < chain->kernel && i < 16; i++) {
		const char *name = symbols_kernel_name(s, chain->ips[i]);

		for (j = 0; name && j < sizeof(begins) / sizeof(*begins); j++) {
			if (!strncmp(name, begins[j], strlen(begins[j])))
				frames = i + 1;
		}
	}
	return frames;
}

void symbols_read_kernel(struct symbols *s)
{
	symbols_kernel_name(s, UINT64_MAX); /* any address will do */
}

const char *frame_label(const struct frame *f)
{
	static char label[300];
	const char *base = f->module ? strrchr(f->module, '/') : NULL;

	if (f->name)
		return f->name;
	if (!f->module || f->module[0] == '[')
		return f->module ? f->module : "[unknown]";
	snprintf(label, sizeof(label), "[%s]", base ? base + 1 : f->module);
	return label;
}
