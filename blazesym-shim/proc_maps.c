// SPDX-License-Identifier: GPL-2.0-only
/* Snapshots of processes' mappings: see proc_maps.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proc_store.h"

#define BYTES_DEFAULT ((size_t)16 << 20)
#define FDS_DEFAULT   256
/* Of what a process had mapped once and has no more, for those that load and unload for ever. */
#define VMAS_BEFORE_MAX 256

struct proc_maps *proc_maps_new(const struct proc_maps_opts *opts)
{
	struct proc_maps *store = calloc(1, sizeof(*store));
	struct rlimit limit;

	if (!store)
		return NULL;
	store->max_bytes = opts && opts->max_bytes ? opts->max_bytes : BYTES_DEFAULT;
	store->max_fds = opts ? opts->max_fds : 0;
	if (!store->max_fds) {
		store->max_fds = FDS_DEFAULT;
		if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur / 4 < store->max_fds)
			store->max_fds = limit.rlim_cur / 4;
	}
	store->vdso = getauxval(AT_SYSINFO_EHDR);
	if (store->vdso && !maps_read(&store->maps, 0)) {
		const struct mapping *map = maps_find(&store->maps, store->vdso);

		if (map)
			store->vdso_size = map->end - map->start;
	}
	return store;
}

/* Snapshots */

static size_t vmas_bytes(const struct proc_vmas *vmas)
{
	return vmas ? sizeof(*vmas) + vmas->cnt * sizeof(vmas->vmas[0]) : 0;
}

static void vmas_put(struct proc_maps *store, struct proc_vmas *vmas)
{
	if (!vmas)
		return;
	for (size_t i = 0; i < vmas->cnt; i++) {
		if (vmas->vmas[i].file)
			proc_file_put(store, vmas->vmas[i].file);
	}
	store->stats.bytes -= vmas_bytes(vmas);
	free(vmas);
}

/* What is executable of store->maps. */
static struct proc_vmas *vmas_new(struct proc_maps *store, pid_t pid)
{
	struct proc_vmas *vmas;
	size_t cnt = 0;

	for (size_t i = 0; i < store->maps.cnt; i++)
		cnt += store->maps.maps[i].exec;
	vmas = calloc(1, sizeof(*vmas) + cnt * sizeof(vmas->vmas[0]));
	if (!vmas)
		return NULL;
	store->stats.bytes += sizeof(*vmas);
	for (size_t i = 0; i < store->maps.cnt; i++) {
		const struct mapping *map = &store->maps.maps[i];
		struct proc_vma *vma;

		if (!map->exec)
			continue;
		store->stats.bytes += sizeof(*vma);
		vma = &vmas->vmas[vmas->cnt++];
		vma->start = map->start;
		vma->end = map->end;
		vma->offset = map->offset;
		vma->kind = VMA_ANON;
		if (mapping_has_file(map)) {
			vma->kind = VMA_FILE;
			vma->file = proc_file_get(store, pid, map);
			if (!vma->file) {
				vmas_put(store, vmas);
				return NULL;
			}
		} else if (!strcmp(map->path, "[vdso]")) {
			vma->kind = VMA_VDSO;
		}
	}
	return vmas;
}

static bool vma_equal(const struct proc_vma *a, const struct proc_vma *b)
{
	return a->start == b->start && a->end == b->end && a->offset == b->offset &&
	       a->file == b->file && a->kind == b->kind;
}

static bool vmas_equal(const struct proc_vmas *a, const struct proc_vmas *b)
{
	if (a->cnt != b->cnt)
		return false;
	for (size_t i = 0; i < a->cnt; i++) {
		if (!vma_equal(&a->vmas[i], &b->vmas[i]))
			return false;
	}
	return true;
}

static const struct proc_vma *vmas_find(const struct proc_vmas *vmas, uint64_t addr)
{
	size_t lo = 0, hi = vmas ? vmas->cnt : 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (addr < vmas->vmas[mid].start)
			hi = mid;
		else if (addr >= vmas->vmas[mid].end)
			lo = mid + 1;
		else
			return &vmas->vmas[mid];
	}
	return NULL;
}

static bool overlaps(const struct proc_vmas *vmas, const struct proc_vma *vma)
{
	const struct proc_vma *last = vmas_find(vmas, vma->end - 1);

	if (last || vmas_find(vmas, vma->start))
		return true;
	/* Or one that is all inside it. */
	for (size_t i = 0; vmas && i < vmas->cnt; i++) {
		if (vmas->vmas[i].start >= vma->start && vmas->vmas[i].start < vma->end)
			return true;
	}
	return false;
}

static int compare_vmas(const void *a, const void *b)
{
	const struct proc_vma *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/*
 * What a process had mapped before @now: what the last snapshot, @newer, had, and where that
 * had nothing, what the ones before it, @older, had. Takes both over.
 */
static struct proc_vmas *merge(struct proc_maps *store, struct proc_vmas *older,
			       struct proc_vmas *newer, const struct proc_vmas *now)
{
	struct proc_vmas *sources[] = { newer, older };
	struct proc_vmas *merged;

	merged = calloc(1, sizeof(*merged) + ((older ? older->cnt : 0) + newer->cnt) *
						     sizeof(struct proc_vma));
	if (!merged) {
		/* Only the last one then. */
		vmas_put(store, older);
		return newer;
	}
	store->stats.bytes += sizeof(*merged);
	for (size_t i = 0; i < 2; i++) {
		size_t from_newer = merged->cnt;

		for (size_t j = 0; sources[i] && j < sources[i]->cnt; j++) {
			struct proc_vma *vma = &sources[i]->vmas[j];
			const struct proc_vma *same = vmas_find(now, vma->start);

			if (merged->cnt >= VMAS_BEFORE_MAX || (same && vma_equal(same, vma)))
				continue;
			if (i && overlaps(newer, vma))
				continue;
			merged->vmas[merged->cnt++] = *vma;
			store->stats.bytes += sizeof(*vma);
			if (vma->file)
				vma->file->refs++;
		}
		if (i && from_newer != merged->cnt)
			qsort(merged->vmas, merged->cnt, sizeof(merged->vmas[0]), compare_vmas);
	}
	vmas_put(store, older);
	vmas_put(store, newer);
	return merged;
}

static bool has_anon(const struct proc_vmas *vmas)
{
	for (size_t i = 0; i < vmas->cnt; i++) {
		if (vmas->vmas[i].kind == VMA_ANON)
			return true;
	}
	return false;
}

/* Processes */

static struct proc **proc_bucket(struct proc_maps *store, uint64_t space)
{
	return &store->procs[space % PROC_BUCKETS];
}

struct proc *proc_find(struct proc_maps *store, uint64_t space)
{
	struct proc *proc;

	for (proc = *proc_bucket(store, space); proc; proc = proc->next) {
		if (proc->space == space)
			break;
	}
	return proc;
}

static void unlink_use(struct proc_maps *store, struct proc *proc)
{
	if (proc->newer)
		proc->newer->older = proc->older;
	else
		store->newest = proc->older;
	if (proc->older)
		proc->older->newer = proc->newer;
	else
		store->oldest = proc->newer;
}

static void link_use(struct proc_maps *store, struct proc *proc)
{
	proc->newer = NULL;
	proc->older = store->newest;
	if (store->newest)
		store->newest->newer = proc;
	else
		store->oldest = proc;
	store->newest = proc;
}

size_t proc_perf_map_bytes(const struct perf_map *map)
{
	return (map->text ? (size_t)map->seen.st_size : 0) + map->fn_cnt * sizeof(*map->fns) +
	       map->span_cnt * sizeof(*map->spans);
}

static void proc_free(struct proc_maps *store, struct proc *proc)
{
	struct proc **at;

	for (at = proc_bucket(store, proc->space); *at != proc;)
		at = &(*at)->next;
	*at = proc->next;
	unlink_use(store, proc);
	vmas_put(store, proc->now);
	vmas_put(store, proc->before);
	if (proc->perf_map_fd >= 0)
		close(proc->perf_map_fd);
	store->stats.bytes -= proc_perf_map_bytes(&proc->perf_map) + sizeof(*proc);
	perf_map_free(&proc->perf_map);
	store->stats.procs--;
	free(proc);
}

static struct proc *proc_new(struct proc_maps *store, uint64_t space, pid_t pid)
{
	struct proc *proc = calloc(1, sizeof(*proc));

	if (!proc)
		return NULL;
	proc->space = space;
	proc->pid = pid;
	proc->perf_map_fd = -1;
	proc->next = *proc_bucket(store, space);
	*proc_bucket(store, space) = proc;
	link_use(store, proc);
	store->stats.procs++;
	store->stats.bytes += sizeof(*proc);
	return proc;
}

void proc_maps_free(struct proc_maps *store)
{
	if (!store)
		return;
	while (store->newest)
		proc_free(store, store->newest);
	maps_free(&store->maps);
	free(store);
}

void proc_maps_stats(const struct proc_maps *store, struct proc_maps_stats *stats)
{
	*stats = store->stats;
}

void proc_maps_over(struct proc_maps *store, uint64_t space)
{
	struct proc *proc = proc_find(store, space);

	if (proc)
		proc->over = true;
}

void proc_maps_forget(struct proc_maps *store, uint64_t space)
{
	struct proc *proc = proc_find(store, space);

	if (proc)
		proc_free(store, proc);
}

/* Field 22 of /proc/PID/stat (proc(5)). */
static int read_start_time(pid_t pid, uint64_t *start_time)
{
	char path[64], buf[1024], *at;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	got = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (got <= 0)
		return -ESRCH;
	buf[got] = '\0';
	/* The second field is the command in parentheses, with anything in it. */
	at = strrchr(buf, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return -EBADMSG;
	*start_time = strtoull(at + 1, NULL, 10);
	return 0;
}

/* Keep @keep, of which we are about to hand out something. */
static void evict(struct proc_maps *store, const struct proc *keep)
{
	while (store->stats.bytes > store->max_bytes && store->oldest != keep) {
		proc_free(store, store->oldest);
		store->stats.evicted++;
	}
}

static int snapshot(struct proc_maps *store, uint64_t space, pid_t pid, uint64_t start_time)
{
	struct proc_vmas *vmas;
	struct proc *proc;
	int err;

	err = maps_read(&store->maps, pid);
	if (err)
		return err;
	vmas = vmas_new(store, pid);
	if (!vmas)
		return -ENOMEM;
	proc = proc_find(store, space);
	if (!proc) {
		proc = proc_new(store, space, pid);
		if (!proc) {
			vmas_put(store, vmas);
			return -ENOMEM;
		}
	} else {
		unlink_use(store, proc);
		link_use(store, proc);
	}
	if (proc->start_time != start_time && proc->perf_map_fd >= 0) {
		close(proc->perf_map_fd);
		proc->perf_map_fd = -1;
	}
	proc->start_time = start_time;
	if (proc->now && vmas_equal(proc->now, vmas)) {
		vmas_put(store, vmas);
	} else {
		if (proc->now)
			proc->before = merge(store, proc->before, proc->now, vmas);
		proc->now = vmas;
	}
	/* Held open, for it can be out of reach once the process has ended. */
	if (proc->perf_map_fd < 0 && has_anon(proc->now))
		proc->perf_map_fd = perf_map_open(pid);
	evict(store, proc);
	return 0;
}

int proc_maps_snapshot(struct proc_maps *store, uint64_t space, pid_t pid)
{
	uint64_t start_time;
	int err;

	err = read_start_time(pid, &start_time);
	return err ? err : snapshot(store, space, pid, start_time);
}

static int refresh(struct proc_maps *store, struct proc *proc)
{
	uint64_t start_time;
	int err;

	if (proc->over)
		return -ESRCH;
	err = read_start_time(proc->pid, &start_time);
	if (!err && start_time != proc->start_time)
		err = -ESRCH;
	return err ? err : snapshot(store, proc->space, proc->pid, start_time);
}

int proc_maps_refresh(struct proc_maps *store, uint64_t space)
{
	struct proc *proc = proc_find(store, space);

	return proc ? refresh(store, proc) : -ESRCH;
}

const struct proc_vma *proc_vma_find(struct proc_maps *store, struct proc *proc, uint64_t addr,
				     bool *fresh)
{
	const struct proc_vma *vma = vmas_find(proc->now, addr);

	if (!vma && !*fresh) {
		*fresh = true;
		if (!refresh(store, proc))
			vma = vmas_find(proc->now, addr);
	}
	return vma ? vma : vmas_find(proc->before, addr);
}

static int find(struct proc_maps *store, uint64_t space, uint64_t addr, bool ask,
		struct proc_maps_place *place)
{
	struct proc *proc = proc_find(store, space);
	const struct proc_vma *vma;
	bool fresh = !ask;

	if (!proc)
		return -ESRCH;
	vma = proc_vma_find(store, proc, addr, &fresh);
	if (!vma || !vma->file)
		return -ENOENT;
	place->path = vma->file->path;
	place->file_offset = addr - vma->start + vma->offset;
	place->fd = vma->file->fd;
	return 0;
}

int proc_maps_find(struct proc_maps *store, uint64_t space, uint64_t addr,
		   struct proc_maps_place *place)
{
	return find(store, space, addr, true, place);
}

int proc_maps_find_kept(struct proc_maps *store, uint64_t space, uint64_t addr,
			struct proc_maps_place *place)
{
	return find(store, space, addr, false, place);
}

bool proc_maps_covers(struct proc_maps *store, uint64_t space, uint64_t addr)
{
	struct proc *proc = proc_find(store, space);

	return proc && vmas_find(proc->now, addr);
}
