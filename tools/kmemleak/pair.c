// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "kernel.h"
#include "perf_event.h"
#include "say.h"
#include "tracefs.h"
#include "abi.h"
#include "kmemleak.h"
#include "pair.h"
#include "kmemleak.skel.h"

#define MOST_FIELDS 64

struct event {
	char name[128]; /* "system:event" */
	char ptr[64], size[64];
};

/* Those of --alloc, and of --free. */
static struct side {
	struct event events[MOST_EVENTS];
	unsigned int count;
} allocs, frees;

static struct bpf_link *links[2 * MOST_EVENTS];
static unsigned int link_count;

/* Takes the attribute @text, "ptr=FIELD" or such. Returns what is wrong with it, or NULL. */
static const char *parse_attribute(const char *text, size_t length, bool sizes, struct event *event)
{
	char *to = NULL;
	size_t name;

	if (length == 5 && !strncmp(text, "stack", 5))
		return NULL; /* there are stacks anyway */
	if (length > 4 && !strncmp(text, "ptr=", 4))
		to = event->ptr;
	else if (sizes && length > 5 && !strncmp(text, "size=", 5))
		to = event->size;
	if (!to)
		return sizes ? "takes ptr=FIELD and size=FIELD, as kmem:kmalloc//ptr=ptr/size=bytes_alloc/"
			     : "takes ptr=FIELD, as kmem:kfree//ptr=ptr/";
	name = strchr(text, '=') + 1 - text;
	if (length - name >= sizeof(event->ptr))
		return "has a field's name that is too long";
	snprintf(to, sizeof(event->ptr), "%.*s", (int)(length - name), text + name);
	return NULL;
}

/* "system:event[//ATTRIBUTE[/ATTRIBUTE]...[/]]" */
static const char *parse_event(const char *text, size_t length, bool sizes, struct event *event)
{
	const char *end = text + length, *slash = memchr(text, '/', length), *colon, *wrong = NULL;
	size_t name = slash ? (size_t)(slash - text) : length, n;

	memset(event, 0, sizeof(*event));
	strcpy(event->ptr, "ptr");
	colon = memchr(text, ':', name);
	if (!colon || colon == text || colon + 1 == text + name || name >= sizeof(event->name))
		return "needs tracepoints such as kmem:kfree//ptr=ptr/";
	snprintf(event->name, sizeof(event->name), "%.*s", (int)name, text);
	if (!slash || slash + 1 == end)
		return NULL;
	if (slash[1] != '/')
		return "takes no filters: leave their place empty, as in kmem:kfree//ptr=ptr/";
	for (text = slash + 2; text < end && !wrong; text += n + 1) {
		n = strcspn(text, "/,");
		wrong = n ? parse_attribute(text, n, sizes, event) : NULL;
	}
	return wrong;
}

static const char *parse_events(const char *list, bool sizes, struct side *side)
{
	const char *wrong = NULL;
	size_t n;

	for (side->count = 0; *list && !wrong; list += n + (list[n] == ',')) {
		if (side->count == MOST_EVENTS)
			return "takes four events at most";
		n = strcspn(list, ",");
		wrong = parse_event(list, n, sizes, &side->events[side->count++]);
	}
	return wrong;
}

const char *check_alloc_events(const char *list)
{
	return parse_events(list, true, &allocs);
}

const char *check_free_events(const char *list)
{
	return parse_events(list, false, &frees);
}

/* Splits "system:event" into @system and what is behind. */
static const char *split(const struct event *event, char system[64])
{
	size_t n = strcspn(event->name, ":");

	snprintf(system, 64, "%.*s", (int)n, event->name);
	return event->name + n + 1;
}

/* Finds @name among @fields; tells what there is if it is not there. Returns an exit status. */
static int find_field(const struct event *event, const char *name, const struct trace_field *fields,
		      int count, struct field *found)
{
	char all[512] = "";
	size_t used = 0;
	int i;

	for (i = 0; i < count && i < MOST_FIELDS; i++) {
		if (!strcmp(fields[i].name, name)) {
			unsigned int size = fields[i].size;

			if (fields[i].is_array || size > 8 || (size & (size - 1))) {
				say_error("%s: the field %s is no number", event->name, name);
				return EXIT_USAGE;
			}
			found->offset = fields[i].offset;
			found->size = size;
			return EXIT_DONE;
		}
		if (used < sizeof(all))
			used += snprintf(all + used, sizeof(all) - used, " %s", fields[i].name);
	}
	say_error("%s has no field %s; it has%s", event->name, name, all);
	return EXIT_USAGE;
}

static int look_up(const struct event *event, struct field *ptr, struct field *size)
{
	struct trace_field fields[MOST_FIELDS];
	const char *name;
	char system[64];
	int count, status;

	name = split(event, system);
	count = tracepoint_fields(system, name, fields, MOST_FIELDS);
	if (count == -ENOENT) {
		say_error("this kernel has no tracepoint %s", event->name);
		return EXIT_USAGE;
	}
	if (count < 0) {
		say_error("cannot read what %s has: %s%s", event->name, strerror(-count),
			  kernel_missing(count));
		return EXIT_CANNOT;
	}
	status = find_field(event, event->ptr, fields, count, ptr);
	if (!status && *event->size)
		status = find_field(event, event->size, fields, count, size);
	return status;
}

static struct bpf_program *program_of(struct kmemleak *skel, const char *what, unsigned int event)
{
	char name[32];

	snprintf(name, sizeof(name), "%s_by_event_%u", what, event);
	return bpf_object__find_program_by_name(skel->obj, name);
}

int pair_choose(struct kmemleak *skel, const char *alloc, const char *free)
{
	unsigned int i;
	int status = 0;

	parse_events(alloc, true, &allocs);
	parse_events(free, false, &frees);
	for (i = 0; !status && i < allocs.count; i++) {
		status = look_up(&allocs.events[i], (struct field *)&skel->rodata->made_address[i],
				 (struct field *)&skel->rodata->made_bytes[i]);
		bpf_program__set_autoload(program_of(skel, "made", i), true);
	}
	for (i = 0; !status && i < frees.count; i++) {
		status = look_up(&frees.events[i], (struct field *)&skel->rodata->freed_address[i],
				 NULL);
		bpf_program__set_autoload(program_of(skel, "freed", i), true);
	}
	return status;
}

/* Attaches @prog to @event on all CPUs. Returns 0 or a negative errno. */
static int attach_one(struct bpf_program *prog, const struct event *event)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT };
	char system[64];
	const char *name = split(event, system);
	int id = tracepoint_id(system, name);

	if (id < 0)
		return id;
	attr.config = id;
	links[link_count] = perf_event_attach(prog, &attr);
	if (!links[link_count])
		return -errno;
	link_count++;
	return 0;
}

int pair_attach(struct kmemleak *skel)
{
	unsigned int i;
	int err;

	/* Frees first: what is seen to be made is seen to be freed. */
	for (i = 0; i < frees.count + allocs.count; i++) {
		bool is_free = i < frees.count;
		unsigned int n = is_free ? i : i - frees.count;
		const struct event *event = is_free ? &frees.events[n] : &allocs.events[n];

		err = attach_one(program_of(skel, is_free ? "freed" : "made", n), event);
		if (err) {
			say_error("cannot attach to %s: %s%s", event->name, strerror(-err),
				  kernel_missing(err));
			return err == -EPERM || err == -EACCES ? EXIT_CANNOT : EXIT_FAILED;
		}
	}
	return EXIT_DONE;
}

void pair_detach(void)
{
	while (link_count)
		bpf_link__destroy(links[--link_count]);
}

const char *pair_name(unsigned int number)
{
	return allocs.events[number % MOST_EVENTS].name;
}
