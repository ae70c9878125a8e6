// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include "events/kind.h"
#include "events/syscalls.h"
#include "kernel.h"
#include "perf_event.h"
#include "say.h"
#include "tracefs.h"

static const struct event_kind *const kinds[] = {
	[SPEC_TRACEPOINT] = &tracepoint_kind,
	[SPEC_KPROBE] = &kprobe_kind,
	[SPEC_KRETPROBE] = &kretprobe_kind,
	[SPEC_FENTRY] = &fentry_kind,
	[SPEC_FEXIT] = &fexit_kind,
	[SPEC_UPROBE] = &uprobe_kind,
	[SPEC_URETPROBE] = &uretprobe_kind,
	[SPEC_USDT] = &usdt_kind,
	[SPEC_PERF] = &perf_kind,
};

void *event_have(void *memory)
{
	if (!memory) {
		say_error("out of memory for the events");
		exit(EXIT_FAILED);
	}
	return memory;
}

char *event_text(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return event_have(text);
}

/* Makes room for one more of what has @size. */
static void *grow(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? 2 * *room : 16;
	return event_have(realloc(array, *room * size));
}

struct event *event_add(struct event_list *list, const struct event_kind *kind, char *name)
{
	struct event *event;

	list->events = grow(list->events, list->count, &list->room, sizeof(*event));
	event = &list->events[list->count++];
	*event = (struct event){ .kind = kind, .name = name };
	return event;
}

void event_add_field(struct event *event, const char *name, const char *type,
		     const struct expr_field *expr)
{
	struct event_field *field;

	event->fields = event_have(
		realloc(event->fields, (event->field_count + 1) * sizeof(*event->fields)));
	field = &event->fields[event->field_count++];
	*field = (struct event_field){
		.name = event_have(strdup(name)),
		.type = event_have(strdup(type)),
		.usable = expr,
	};
	if (!expr)
		return;
	field->expr = *expr;
	field->expr.name = field->name;
	event->scope =
		event_have(realloc(event->scope, (event->scope_count + 1) * sizeof(*event->scope)));
	event->scope[event->scope_count++] = field->expr;
}

int event_refuse(const struct event_search *search, int err, int status, const char *format, ...)
{
	va_list args;

	search->error->status = status;
	va_start(args, format);
	vsnprintf(search->error->what, sizeof(search->error->what), format, args);
	va_end(args);
	return err;
}

int event_need_pmu(const struct event_search *search, const char *name, const char *config)
{
	char path[80];

	snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/type", name);
	if (!access(path, F_OK))
		return 0;
	if (access("/sys/bus/event_source", F_OK))
		return event_refuse(
			search, -EOPNOTSUPP, EXIT_CANNOT,
			"cannot tell whether this kernel has %ss: sysfs is not mounted at /sys",
			name);
	return event_refuse(search, -EOPNOTSUPP, EXIT_CANNOT,
			    "this kernel has no %ss (it is built without %s)", name, config);
}

int events_find(const struct spec *spec, pid_t pid, struct event_list *list,
		struct event_error *error)
{
	const struct event_search search = {
		.spec = spec, .pid = pid, .found = list, .error = error
	};
	size_t before = list->count;
	int err;

	memset(error, 0, sizeof(*error));
	err = kinds[spec->kind]->find(&search);
	if (!err && list->count == before)
		err = event_refuse(&search, -ENOENT, EXIT_USAGE,
				   "there is no event that matches '%.100s'", spec->text);
	return err;
}

static void event_free(struct event *event)
{
	size_t i;

	for (i = 0; i < event->field_count; i++) {
		free(event->fields[i].name);
		free(event->fields[i].type);
	}
	free(event->fields);
	free(event->scope);
	free(event->name);
	free(event->system);
	free(event->function);
	free(event->module);
	free(event->file);
	free(event->arguments);
}

static int by_name_and_place(const void *a, const void *b)
{
	const struct event *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (!order)
		order = (x->offset > y->offset) - (x->offset < y->offset);
	return order ? order : (x->address > y->address) - (x->address < y->address);
}

void event_sort(struct event_list *list, size_t first)
{
	size_t i, kept = first;

	if (list->count - first < 2)
		return;
	qsort(list->events + first, list->count - first, sizeof(*list->events), by_name_and_place);
	for (i = first; i < list->count; i++) {
		if (kept > first && !by_name_and_place(&list->events[kept - 1], &list->events[i]))
			event_free(&list->events[i]);
		else
			list->events[kept++] = list->events[i];
	}
	list->count = kept;
}

void events_free(struct event_list *list)
{
	while (list->count)
		event_free(&list->events[--list->count]);
	free(list->events);
	memset(list, 0, sizeof(*list));
}

int event_read_fields(struct event *event)
{
	if (event->fields || !event->kind->read_fields)
		return 0;
	return event->kind->read_fields(event);
}

struct expr_scope event_scope(const struct event *event)
{
	return (struct expr_scope){
		.fields = event->scope,
		.count = event->scope_count,
		.btf = event->btf,
	};
}

bool event_can_share(const struct event *a, const struct event *b)
{
	return a->kind == b->kind && !a->kind->one_each;
}

const char *event_kind_name(const struct event *event)
{
	return event->kind->name;
}

const char *event_title(const struct event *event)
{
	return event->kind->title;
}

char *event_detail(const struct event *event)
{
	return event->kind->detail ? event->kind->detail(event) : NULL;
}

int event_prepare(const struct event *event, struct event_program *program)
{
	memset(program, 0, sizeof(*program));
	program->type = event->kind->program;
	return event->kind->prepare ? event->kind->prepare(event, program) : 0;
}

int event_attach(const struct event *event, int prog, pid_t pid, struct event_links *links)
{
	return event->kind->attach(event, prog, pid, links);
}

/* Can the kernel (from 5.18) attach a program to many functions at once? */
static bool has_kprobe_multi(void)
{
	static int found;

	if (!found)
		found = kernel_btf() ? btf__find_by_name_kind(kernel_btf(),
							      "bpf_kprobe_multi_link_attach",
							      BTF_KIND_FUNC)
				     : -ENOENT;
	return found > 0 && !kernel_is_without("kprobe_multi");
}

bool event_prepare_many(const struct event *event, struct event_program *program)
{
	*program = (struct event_program){
		.type = event->kind->program,
		.attach_type = event->kind->many,
	};
	/* Somewhere in a function, or where the kernel does not tell where that is: one by one. */
	return event->kind->attach_many && event->address && !event->offset && has_kprobe_multi();
}

int event_attach_many(const struct event *const *events, const uint64_t *cookies, size_t count,
		      int prog, struct event_links *links)
{
	return events[0]->kind->attach_many(events, cookies, count, prog, links);
}

int event_missed(const struct event *event, int fd, uint64_t *missed)
{
	*missed = 0;
	return event->kind->missed ? event->kind->missed(fd, missed) : 0;
}

bool event_is_counted(const struct event *event)
{
	return event->kind->is_counted && event->kind->is_counted(event);
}

uint64_t event_due(const struct event *event, int fd)
{
	return event->kind->due(event, fd);
}

int event_add_link(struct event_links *links, int fd)
{
	if (fd < 0)
		return fd;
	links->fds = grow(links->fds, links->count, &links->room, sizeof(fd));
	links->fds[links->count++] = fd;
	return 0;
}

/* Returns the perf event's file descriptor or a negative errno. */
static int open_perf(struct perf_event_attr *attr, pid_t pid, int cpu, int prog)
{
	int fd = perf_event_open(attr, pid, cpu, 0), err;

	if (fd < 0)
		return fd;
	if (!ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog) && !ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int event_attach_perf(struct perf_event_attr *attr, pid_t pid, int cpu, int prog,
		      struct event_links *links)
{
	return event_add_link(links, open_perf(attr, pid, cpu, prog));
}

int event_open_tracepoint(const char *system, const char *name, int prog)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr) };
	int id = tracepoint_id(system, name);

	if (id < 0)
		return id;
	attr.config = id;
	/* A program at a tracepoint's event runs on each CPU, whichever the event was made for. */
	return open_perf(&attr, -1, 0, prog);
}

/* The number in the file @path; negative: there is none. @format is scanf()'s. */
static int read_number(const char *path, const char *format)
{
	FILE *file = fopen(path, "re");
	int number = -ENOENT;

	if (file && fscanf(file, format, &number) != 1)
		number = -EINVAL;
	if (file)
		fclose(file);
	return number;
}

/* Of all processes, where a kernel has that by a link, which tells more: behind its event. */
static int attach_link(struct perf_event_attr *attr, int prog, struct event_links *links)
{
	int fd = perf_event_open(attr, -1, 0, 0), link;

	if (fd < 0)
		return fd;
	link = bpf_link_create(prog, fd, BPF_PERF_EVENT, NULL);
	if (link >= 0) {
		event_add_link(links, fd);
		return event_add_link(links, link);
	}
	close(fd);
	/* Before 5.15 there are no such links. */
	return event_attach_perf(attr, -1, 0, prog, links);
}

int event_attach_probe(const char *name, struct perf_event_attr *attr, bool at_return, pid_t pid,
		       int prog, struct event_links *links)
{
	char path[64];
	int type, bit = 0;

	snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/type", name);
	type = read_number(path, "%d");
	if (at_return) {
		snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/format/retprobe",
			 name);
		bit = read_number(path, "config:%d");
	}
	if (type < 0 || bit < 0)
		return -EOPNOTSUPP;
	attr->size = sizeof(*attr);
	attr->type = type;
	if (at_return)
		attr->config |= 1ULL << bit;
	/* Of the kernel's probes a link tells what they missed. */
	if (!strcmp(name, "kprobe"))
		return attach_link(attr, prog, links);
	/* Of all processes it is asked for on one CPU, and is on all. */
	return event_attach_perf(attr, pid ? pid : -1, pid ? -1 : 0, prog, links);
}

uint64_t event_program_misses(int prog)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(prog, &info, &size) ? 0 : info.recursion_misses;
}

uint64_t event_misses(const struct event_links *links)
{
	return syscalls_misses(links->syscalls);
}

/* At each the kernel waits, in part for what others that are closed meanwhile wait for, too. */
#define CLOSERS 32

/* What one of several threads closes: each CLOSERS'th. */
struct closer {
	pthread_t thread;
	bool runs;
	const struct event_links *links;
	size_t first;
};

static void *close_some(void *arg)
{
	const struct closer *c = arg;
	size_t i;

	for (i = c->first; i < c->links->count; i += CLOSERS)
		close(c->links->fds[i]);
	return NULL;
}

static void close_all(const struct event_links *links)
{
	struct closer closers[CLOSERS];
	size_t i;

	for (i = 0; i < CLOSERS && i < links->count; i++) {
		closers[i] = (struct closer){ .links = links, .first = i };
		/* The first, or all that there is no thread for, by this one. */
		closers[i].runs =
			i && !pthread_create(&closers[i].thread, NULL, close_some, &closers[i]);
	}
	for (i = 0; i < CLOSERS && i < links->count; i++) {
		if (!closers[i].runs)
			close_some(&closers[i]);
	}
	for (i = 0; i < CLOSERS && i < links->count; i++) {
		if (closers[i].runs)
			pthread_join(closers[i].thread, NULL);
	}
}

void event_detach(struct event_links *links)
{
	syscalls_detach(links->syscalls);
	close_all(links);
	free(links->fds);
	memset(links, 0, sizeof(*links));
}
