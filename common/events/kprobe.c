// SPDX-License-Identifier: GPL-2.0-only
/* Probes at kernel functions' begins, at offsets in them, and at their returns. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "events/kernel_functions.h"
#include "events/kind.h"
#include "events/prototype.h"
#include "kernel.h"
#include "say.h"

static const struct event_kind *kind_of(const struct event_search *search)
{
	return search->spec->kind == SPEC_KRETPROBE ? &kretprobe_kind : &kprobe_kind;
}

static void add(const char *name, const char *module, void *arg)
{
	const struct event_search *search = arg;
	const char *kind = spec_kind_name(search->spec->kind);
	uint64_t offset = search->spec->offset;
	struct event *event;

	event = event_add(search->found, kind_of(search),
			  offset ? event_text("%s:%s+%#llx", kind, name, (unsigned long long)offset)
				 : event_text("%s:%s", kind, name));
	event->function = event_have(strdup(name));
	event->module = module && *module ? event_have(strdup(module)) : NULL;
	event->offset = offset;
}

static int find(const struct event_search *search)
{
	const struct spec *spec = search->spec;
	size_t before = search->found->count;
	char module[64];
	int err = event_need_pmu(search, "kprobe", "CONFIG_KPROBE_EVENTS");

	if (err)
		return err;
	if (spec->kind == SPEC_KRETPROBE && spec->offset)
		return event_refuse(search, -EINVAL, EXIT_USAGE,
				    "kretprobe:%s is a return, which has no offset", spec->name);
	if (spec_is_wild(spec->name)) {
		err = kernel_functions_each(spec->name, add, (void *)search);
		/* Several functions may have one name. */
		event_sort(search->found, before);
	} else {
		err = kernel_function_find(spec->name, module, sizeof(module));
		if (!err)
			add(spec->name, module, (void *)search);
	}
	if (err == -ENOENT)
		return event_refuse(search, err, EXIT_USAGE, "this kernel has no function %s",
				    spec->name);
	if (err)
		return event_refuse(search, err, EXIT_CANNOT,
				    "cannot read the kernel's functions: %s%s", strerror(-err),
				    kernel_missing(err));
	return 0;
}

static int read_fields(struct event *event)
{
	return prototype_fields(event, event->kind == &kretprobe_kind ? RESULT_IN_REGISTER
								      : ARGUMENTS_IN_REGISTERS);
}

static int prepare(const struct event *event, struct event_program *program)
{
	(void)event;
	program->type = BPF_PROG_TYPE_KPROBE;
	return 0;
}

static int attach(const struct event *event, int prog, pid_t pid, struct event_links *links)
{
	struct perf_event_attr attr = {
		.kprobe_func = (uintptr_t)event->function,
		.probe_offset = event->offset,
	};

	(void)pid;
	return event_attach_probe("kprobe", &attr, event->kind == &kretprobe_kind, 0, prog, links);
}

const struct event_kind kprobe_kind = {
	.title = "entry of a kernel function (kprobe)",
	.find = find,
	.read_fields = read_fields,
	.detail = prototype_text,
	.prepare = prepare,
	.attach = attach,
};

const struct event_kind kretprobe_kind = {
	.title = "return of a kernel function (kretprobe)",
	.find = find,
	.read_fields = read_fields,
	.detail = prototype_text,
	.prepare = prepare,
	.attach = attach,
};
