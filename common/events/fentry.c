// SPDX-License-Identifier: GPL-2.0-only
/* Programs that the kernel's functions call themselves, at their begins and returns. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include "events/kernel_functions.h"
#include "events/kind.h"
#include "events/prototype.h"
#include "kernel.h"
#include "say.h"

/* Each kernel with networking has this one for such tries (net/bpf/test_run.c). */
#define TRIED_FUNCTION "bpf_fentry_test1"

static void add(const struct event_search *search, const struct kernel_function *f)
{
	const struct btf *btf;
	struct event *event;

	/* Without a prototype the kernel could not check the program. */
	if (!kernel_function_prototype(f->name, f->module, &btf))
		return;
	event = event_add(search->found,
			  search->spec->kind == SPEC_FEXIT ? &fexit_kind : &fentry_kind,
			  event_text("%s:%s", spec_kind_name(search->spec->kind), f->name));
	event->function = event_have(strdup(f->name));
	event->module = f->module ? event_have(strdup(f->module)) : NULL;
}

static int check_means(const struct event_search *search)
{
	const char *kind = spec_kind_name(search->spec->kind);

	if (!kernel_btf())
		return event_refuse(search, -EOPNOTSUPP, EXIT_CANNOT,
				    "cannot read the kernel's BTF, which %s needs: %s", kind,
				    strerror(errno));
	if (kernel_has_fentry(TRIED_FUNCTION))
		return 0;
	return event_refuse(search, -EOPNOTSUPP, EXIT_CANNOT,
			    "this kernel lets no programs be attached to its functions (%s): %s%s",
			    kind, strerror(errno), kernel_missing(-errno));
}

static int find(const struct event_search *search)
{
	const struct spec *spec = search->spec;
	size_t before = search->found->count;
	int err = check_means(search);

	if (err)
		return err;
	if (spec->offset)
		return event_refuse(search, -EINVAL, EXIT_USAGE,
				    "%s:%s has no offset: take a kprobe",
				    spec_kind_name(spec->kind), spec->name);
	/* Of several functions that have one name, the kernel takes the first. */
	err = kernel_functions_find(search, add);
	if (err)
		return err;
	if (search->found->count == before && !spec_name_is_wild(spec))
		return event_refuse(search, -ENOENT, EXIT_USAGE,
				    "this kernel has no function %s, or no type of it in its BTF",
				    spec->name);
	return 0;
}

static int read_fields(struct event *event)
{
	return prototype_fields(event, event->kind == &fexit_kind ? RESULT_BEHIND_WORDS
								  : ARGUMENTS_IN_WORDS);
}

/* The BTF of module @name, as a file; or a negative errno. */
static int module_btf(const char *name)
{
	struct bpf_btf_info info;
	__u32 id = 0, size;
	char found[64];
	int fd;

	while (!bpf_btf_get_next_id(id, &id)) {
		fd = bpf_btf_get_fd_by_id(id);
		if (fd < 0)
			continue;
		memset(&info, 0, sizeof(info));
		info.name = (uintptr_t)found;
		info.name_len = sizeof(found);
		size = sizeof(info);
		if (!bpf_obj_get_info_by_fd(fd, &info, &size) && info.kernel_btf &&
		    !strcmp(found, name))
			return fd;
		close(fd);
	}
	return -ENOENT;
}

/* The function's number in the kernel's BTF, or in its module's. Negative errno: there is none. */
static int function_id(const struct event *event, int *fd)
{
	struct btf *module;
	int id;

	if (!event->module)
		return btf__find_by_name_kind(kernel_btf(), event->function, BTF_KIND_FUNC);
	module = btf__load_module_btf(event->module, (struct btf *)kernel_btf());
	if (!module)
		return -errno;
	id = btf__find_by_name_kind(module, event->function, BTF_KIND_FUNC);
	btf__free(module);
	*fd = id < 0 ? id : module_btf(event->module);
	return *fd < 0 ? *fd : id;
}

static int prepare(const struct event *event, struct event_program *program)
{
	int id;

	if (!kernel_btf())
		return -errno;
	id = function_id(event, &program->btf_fd);
	if (id < 0)
		return id;
	program->attach_type = event->kind == &fexit_kind ? BPF_TRACE_FEXIT : BPF_TRACE_FENTRY;
	program->btf_id = id;
	return 0;
}

static int attach(const struct event *event, int prog, pid_t pid, struct event_links *links)
{
	int fd = bpf_raw_tracepoint_open(NULL, prog);

	(void)event;
	(void)pid;
	return event_add_link(links, fd < 0 ? -errno : fd);
}

const struct event_kind fentry_kind = {
	.name = "fentry",
	.title = "entry of a kernel function (fentry)",
	.one_each = true,
	.find = find,
	.read_fields = read_fields,
	.detail = prototype_text,
	.program = BPF_PROG_TYPE_TRACING,
	.prepare = prepare,
	.attach = attach,
};

const struct event_kind fexit_kind = {
	.name = "fexit",
	.title = "return of a kernel function (fexit)",
	.one_each = true,
	.find = find,
	.read_fields = read_fields,
	.detail = prototype_text,
	.program = BPF_PROG_TYPE_TRACING,
	.prepare = prepare,
	.attach = attach,
};
