// SPDX-License-Identifier: GPL-2.0-only
/* Probes at kernel functions' begins, at offsets in them, and at their returns. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
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
	if (search->found->count == before && !spec_name_is_wild(spec))
		return event_refuse(search, -ENOENT, EXIT_USAGE, "this kernel has no function %s",
				    spec->name);
	return 0;
}

static int read_fields(struct event *event)
{
	return prototype_fields(event, event->kind == &kretprobe_kind ? RESULT_IN_REGISTER
								      : ARGUMENTS_IN_REGISTERS);
}

static int attach(const struct event *event, int prog, pid_t pid, struct event_links *links)
{
	struct perf_event_attr attr = {
		.kprobe_func = (uintptr_t)event->function,
		.probe_offset = event->offset,
	};

	(void)pid;
	/* Of two functions of one name each has its own address; and the kernel need not look for it. */
	if (event->address) {
		attr.kprobe_func = 0;
		attr.kprobe_addr = event->address + event->offset;
	}
	return event_attach_probe("kprobe", &attr, event->kind == &kretprobe_kind, 0, prog, links);
}

/* By one link, of a program that the kernel has run at functions' begins or ends by ftrace (5.18). */
static int attach_many(const struct event *const *events, const uint64_t *cookies, size_t count,
		       int prog, struct event_links *links)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .kprobe_multi.cnt = count,
		    .kprobe_multi.cookies = (const __u64 *)cookies);
	unsigned long *addresses = event_have(calloc(count, sizeof(*addresses)));
	size_t i;
	int fd;

	for (i = 0; i < count; i++)
		addresses[i] = events[i]->address;
	opts.kprobe_multi.addrs = addresses;
	if (events[0]->kind == &kretprobe_kind)
		opts.kprobe_multi.flags = BPF_F_KPROBE_MULTI_RETURN;
	fd = bpf_link_create(prog, 0, BPF_TRACE_KPROBE_MULTI, &opts);
	free(addresses);
	return event_add_link(links, fd < 0 ? -errno : fd);
}

/* The parts of the kernel's struct bpf_link_info that are about probes (linux/bpf.h of 6.7). */
struct probe_info {
	__u32 type, id, prog_id, pad;
	union {
		struct {
			__u32 type, pad;
			__u64 name;
			__u32 name_len, offset;
			__u64 addr;
			__u64 missed;
		} one;
		struct {
			__u64 addrs;
			__u32 count, flags;
			__u64 missed;
		} many;
	};
};

/*
 * The kernel passes by a probe that it comes to while it handles one on that CPU; and a return when too
 * many calls of the function are under way, asleep perhaps: it keeps twice as many as there are CPUs.
 */
static int missed(int fd, uint64_t *count)
{
	struct probe_info info = {};
	__u32 size = sizeof(info);
	bool many;

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -ENOENT;
	if (size < sizeof(info))
		return -EOPNOTSUPP;
	many = info.type == BPF_LINK_TYPE_KPROBE_MULTI;
	*count = many ? info.many.missed : info.one.missed;
	return 0;
}

const struct event_kind kprobe_kind = {
	.name = "kprobe",
	.title = "entry of a kernel function (kprobe)",
	.find = find,
	.read_fields = read_fields,
	.detail = prototype_text,
	.program = BPF_PROG_TYPE_KPROBE,
	.attach = attach,
	.attach_many = attach_many,
	.many = BPF_TRACE_KPROBE_MULTI,
	.missed = missed,
};

const struct event_kind kretprobe_kind = {
	.name = "kretprobe",
	.title = "return of a kernel function (kretprobe)",
	.find = find,
	.read_fields = read_fields,
	.detail = prototype_text,
	.program = BPF_PROG_TYPE_KPROBE,
	.attach = attach,
	.attach_many = attach_many,
	.many = BPF_TRACE_KPROBE_MULTI,
	.missed = missed,
};
