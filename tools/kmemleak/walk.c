// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <linux/types.h>
#include "maps.h"
#include "abi.h"
#include "kmemleak.h"
#include "walk.h"
#include "kmemleak.skel.h"

/* Runs the program over the map @fd. */
static int run_over(const struct bpf_program *prog, int fd)
{
	union bpf_iter_link_info info = { .map.map_fd = fd };
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));
	struct bpf_link *link = bpf_program__attach_iter(prog, &opts);
	char unused[64];
	int iter, err = 0;
	ssize_t n;

	if (!link)
		return -errno;
	iter = bpf_iter_create(bpf_link__fd(link));
	if (iter < 0)
		err = -errno;
	while (!err) {
		n = read(iter, unused, sizeof(unused));
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			err = -errno;
		else if (!n)
			break;
	}
	if (iter >= 0)
		close(iter);
	bpf_link__destroy(link);
	return err;
}

/* Carries out the frees that came while `live` was busy. */
static void apply_pending(struct kmemleak *skel)
{
	int live = bpf_map__fd(skel->maps.live), pending = bpf_map__fd(skel->maps.pending);
	int mappings = bpf_map__fd(skel->maps.mappings);
	struct object_key key;
	struct object object;
	__u64 freed;

	/* Not what has been made there since. An allocation of this address withdraws it, too. */
	while (!bpf_map_get_next_key(pending, NULL, &key)) {
		if (bpf_map_lookup_elem(pending, &key, &freed) ||
		    bpf_map_delete_elem(pending, &key))
			continue;
		if (!bpf_map_lookup_elem(live, &key, &object) && object.time <= freed)
			bpf_map_delete_elem(live, &key);
		if (!bpf_map_lookup_elem(mappings, &key, &object) && object.time <= freed)
			bpf_map_delete_elem(mappings, &key);
	}
}

static int add_group(void *data, const void *key, const void *value)
{
	const struct group *group = value;
	struct group *to = tally_at(data, key);

	if (group->age > to->age)
		to->age = group->age;
	to->count += group->count;
	to->bytes += group->bytes;
	return 0;
}

int walk_objects(struct kmemleak *skel, struct tally *groups)
{
	int err = 0;

	if (skel->bss->frees_pending)
		apply_pending(skel);
	if (skel->bss->hash_used) {
		err = run_over(skel->progs.count_objects, bpf_map__fd(skel->maps.live));
		if (!err)
			err = run_over(skel->progs.count_objects, bpf_map__fd(skel->maps.mappings));
	}
	if (!err && skel->rodata->bucket_groups)
		err = run_over(skel->progs.count_slots, bpf_map__fd(skel->maps.buckets));
	if (!err && skel->bss->set_aside)
		err = run_over(skel->progs.count_objects, bpf_map__fd(skel->maps.aside));
	return err ? err : map_take(skel->maps.groups, add_group, groups);
}
