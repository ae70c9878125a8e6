// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/perf_event.h>
#include "buffers.h"
#include "events/kind.h"

/* Who reads is woken when so much of a buffer is full. */
#define WAKE_PART 4

static size_t page_size(void)
{
	static size_t size;

	if (!size)
		size = sysconf(_SC_PAGESIZE);
	return size;
}

/* Returns 0 or a negative errno; -ENODEV: the CPU is offline. */
static int make(struct buffers *b, struct buffer *buffer, int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_BPF_OUTPUT,
		.sample_type = PERF_SAMPLE_RAW,
		.sample_period = 1,
		.watermark = true,
		.wakeup_watermark = b->size / WAKE_PART,
		.write_backward = b->overwrite,
	};
	int access = b->overwrite ? PROT_READ : PROT_READ | PROT_WRITE;

	buffer->cpu = cpu;
	buffer->fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (buffer->fd < 0)
		return -errno;
	buffer->memory = mmap(NULL, page_size() + b->size, access, MAP_SHARED, buffer->fd, 0);
	if (buffer->memory != MAP_FAILED)
		return 0;
	buffer->memory = NULL;
	return -errno;
}

static int add(struct buffers *b, int cpu, int map)
{
	struct epoll_event wake = { .events = EPOLLIN };
	struct buffer *buffer = &b->each[b->count++];
	int err = make(b, buffer, cpu);

	if (err == -ENODEV) {
		b->count--;
		return 0;
	}
	if (!err && bpf_map_update_elem(map, &cpu, &buffer->fd, BPF_ANY))
		err = -errno;
	if (!err && ioctl(buffer->fd, PERF_EVENT_IOC_ENABLE, 0))
		err = -errno;
	if (!err && !b->overwrite && epoll_ctl(b->epoll, EPOLL_CTL_ADD, buffer->fd, &wake))
		err = -errno;
	return err;
}

int buffers_make(struct buffers *b, size_t size, bool overwrite, int fd)
{
	int cpus = libbpf_num_possible_cpus(), cpu, err = 0;

	*b = (struct buffers){ .size = size, .overwrite = overwrite };
	b->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (cpus < 0 || b->epoll < 0)
		return cpus < 0 ? cpus : -errno;
	b->each = event_have(calloc(cpus, sizeof(*b->each)));
	for (cpu = 0; cpu < cpus && !err; cpu++)
		err = add(b, cpu, fd);
	return err;
}

void buffers_free(struct buffers *b)
{
	unsigned int i;

	for (i = 0; i < b->count; i++) {
		if (b->each[i].memory)
			munmap(b->each[i].memory, page_size() + b->size);
		if (b->each[i].fd >= 0)
			close(b->each[i].fd);
	}
	if (b->each)
		close(b->epoll);
	free(b->each);
	memset(b, 0, sizeof(*b));
}

/* Copies @size bytes from position @at on, which may go on at the buffer's begin. */
static void copy(const struct buffers *b, const struct buffer *buffer, uint64_t at, void *to,
		 size_t size)
{
	const char *data = buffer->memory + page_size();
	size_t offset = at & (b->size - 1), first = b->size - offset;

	if (first > size)
		first = size;
	memcpy(to, data + offset, first);
	memcpy((char *)to + first, data, size - first);
}

static void make_room(struct records *to, size_t size)
{
	if (to->room - to->used >= size)
		return;
	to->room = 2 * to->room + size;
	to->bytes = event_have(realloc(to->bytes, to->room));
}

/* Takes the record at @at with this head: those that BPF programs have written. */
static void take(const struct buffers *b, const struct buffer *buffer, uint64_t at,
		 const struct perf_event_header *head, struct records *to)
{
	uint32_t raw;
	uint64_t size;

	if (head->type != PERF_RECORD_SAMPLE)
		return;
	copy(b, buffer, at + sizeof(*head), &raw, sizeof(raw));
	if (raw > head->size - sizeof(*head) - sizeof(raw))
		return;
	size = (raw + 7ULL) & ~7ULL;
	make_room(to, sizeof(size) + size);
	memcpy(to->bytes + to->used, &size, sizeof(size));
	copy(b, buffer, at + sizeof(*head) + sizeof(raw), to->bytes + to->used + sizeof(size), raw);
	to->used += sizeof(size) + size;
}

/* From the newest one, where the kernel's head is, to those taken before, or where it has begun anew. */
static void take_newest(const struct buffers *b, struct buffer *buffer, struct records *to)
{
	const struct perf_event_mmap_page *page = (void *)buffer->memory;
	struct perf_event_header head;
	uint64_t at, begin;

	ioctl(buffer->fd, PERF_EVENT_IOC_PAUSE_OUTPUT, 1);
	at = begin = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
	/* The head of a record is in one piece: records are multiples of 8 bytes. */
	while (at != buffer->taken && at - begin + sizeof(head) <= b->size) {
		copy(b, buffer, at, &head, sizeof(head));
		if (!head.size || at - begin + head.size > b->size)
			break;
		take(b, buffer, at, &head, to);
		at += head.size;
	}
	buffer->taken = begin;
	ioctl(buffer->fd, PERF_EVENT_IOC_PAUSE_OUTPUT, 0);
}

static void take_all(const struct buffers *b, const struct buffer *buffer, struct records *to)
{
	struct perf_event_mmap_page *page = (void *)buffer->memory;
	uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE), at = page->data_tail;
	struct perf_event_header record;

	while (at < head) {
		copy(b, buffer, at, &record, sizeof(record));
		take(b, buffer, at, &record, to);
		at += record.size;
	}
	__atomic_store_n(&page->data_tail, at, __ATOMIC_RELEASE);
}

void buffers_take(struct buffers *b, unsigned int number, struct records *to)
{
	if (b->overwrite)
		take_newest(b, &b->each[number], to);
	else
		take_all(b, &b->each[number], to);
}
