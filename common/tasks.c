// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "kernel.h"
#include "say.h"
#include "tasks.h"

/* Room for as many tasks again as there are now, and no fewer than this. */
#define LEAST_TASKS 16384

static void without(struct bpf_object *obj, const char *program)
{
	bpf_program__set_autoload(bpf_object__find_program_by_name(obj, program), false);
}

int tasks_configure(struct bpf_object *obj, struct bpf_config *config)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, "tasks");
	unsigned int room = 2 * kernel_threads();
	int err;

	if (!map)
		return 0;
	if (!config->by_comm)
		without(obj, "task_renamed");
	config->task_storage = kernel_has_task_storage();
	if (config->task_storage) {
		without(obj, "task_free");
		return 0;
	}
	say_detail("this kernel has no task storage for tracing programs: a hash takes its place");
	err = bpf_map__set_type(map, BPF_MAP_TYPE_HASH);
	if (!err)
		err = bpf_map__set_map_flags(map, 0);
	if (!err)
		err = bpf_map__set_key_size(map, sizeof(__u64));
	if (!err)
		err = bpf_map__set_max_entries(map, room < LEAST_TASKS ? LEAST_TASKS : room);
	return err;
}

int tasks_walk(const struct bpf_object *obj)
{
	const struct bpf_program *walk = bpf_object__find_program_by_name(obj, "task_walk");
	struct bpf_link *link;
	char unused[64];
	int fd, err = 0;
	ssize_t n;

	if (!walk)
		return 0;
	link = bpf_program__attach_iter(walk, NULL);
	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0)
		err = -errno;
	while (!err) {
		n = read(fd, unused, sizeof(unused));
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			err = -errno;
		else if (!n)
			break;
	}
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	return err;
}
