// SPDX-License-Identifier: GPL-2.0-only
/* Probes at kernel functions' begins, at offsets in them, and at their returns. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/libbpf.h>
#include "events/kernel_functions.h"
#include "events/kind.h"
#include "events/prototype.h"
#include "perf_event.h"
#include "say.h"

static const struct event_kind *kind_of(const struct event_search *search)
{
	return search->spec->kind == SPEC_KRETPROBE ? &kretprobe_kind : &kprobe_kind;
}

static void add(const struct event_search *search, const struct kernel_function *f)
{
	const char *kind = spec_kind_name(search->spec->kind);
	uint64_t offset = search->spec->offset;
	struct event *event;

	event = event_add(search->found, kind_of(search),
			  offset ? event_text("%s:%s+%#llx", kind, f->name,
					      (unsigned long long)offset)
				 : event_text("%s:%s", kind, f->name));
	event->function = event_have(strdup(f->name));
	event->module = f->module ? event_have(strdup(f->module)) : NULL;
	event->offset = offset;
	event->address = f->address;
}

static int find(const struct event_search *search)
{
	const struct spec *spec = search->spec;
	size_t before = search->found->count;
	int err = event_need_pmu(search, "kprobe", "CONFIG_KPROBE_EVENTS");

	if (err)
		return err;
	if (spec->kind == SPEC_KRETPROBE && spec->offset)
		return event_refuse(search, -EINVAL, EXIT_USAGE,
				    "kretprobe:%s is a return, which has no offset", spec->name);
	err = kernel_functions_find(search, add);
	if (err)
		return err;
	if (search->found->count == before && !spec_is_wild(spec->name))
		return event_refuse(search, -ENOENT, EXIT_USAGE, "this kernel has no function %s",
				    spec->name);
	return 0;
}

static int read_fields(struct event *event)
{
	return prototype_fields(event, event->kind == &kretprobe_kind ? RESULT_IN_REGISTER
								      : ARGUMENTS_IN_REGISTERS);
}

/* Of two functions of one name each has its own address; and the kernel need not look for it. */
static int attach_at(const struct event *event, bool is_return, struct bpf_program *prog,
		     struct event_links *links)
{
	struct perf_event_attr attr = { .config = is_return };
	unsigned int type;
	FILE *file = fopen("/sys/bus/event_source/devices/kprobe/type", "re");
	int err;

	if (!file)
		return -errno;
	err = fscanf(file, "%u", &type) == 1 ? 0 : -EINVAL;
	fclose(file);
	if (err)
		return err;
	attr.type = type;
	attr.kprobe_addr = event->address + event->offset;
	return event_add_link(links, perf_event_attach(prog, &attr));
}

static int attach(const struct event *event, struct bpf_program *prog, pid_t pid,
		  struct event_links *links)
{
	bool is_return = event->kind == &kretprobe_kind;
	LIBBPF_OPTS(bpf_kprobe_opts, opts, .offset = event->offset, .retprobe = is_return);

	(void)pid;
	if (event->address)
		return attach_at(event, is_return, prog, links);
	return event_add_link(links, bpf_program__attach_kprobe_opts(prog, event->function, &opts));
}

const struct event_kind kprobe_kind = {
	.name = "kprobe",
	.title = "entry of a kernel function (kprobe)",
	.find = find,
	.read_fields = read_fields,
	.detail = prototype_text,
	.program = BPF_PROG_TYPE_KPROBE,
	.attach = attach,
};

const struct event_kind kretprobe_kind = {
	.name = "kretprobe",
	.title = "return of a kernel function (kretprobe)",
	.find = find,
	.read_fields = read_fields,
	.detail = prototype_text,
	.program = BPF_PROG_TYPE_KPROBE,
	.attach = attach,
};
