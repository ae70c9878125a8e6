// SPDX-License-Identifier: GPL-2.0-only
/* What no program on these events can be cheaper than: programs that do nothing. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

SEC("tp_btf/sched_switch")
int sched_switch(u64 *ctx)
{
	return 0;
}

SEC("tp_btf/sched_wakeup")
int sched_wakeup(u64 *ctx)
{
	return 0;
}

SEC("tp_btf/sched_wakeup_new")
int sched_wakeup_new(u64 *ctx)
{
	return 0;
}

SEC("raw_tp/kmalloc")
int kmalloc(void *ctx)
{
	return 0;
}

SEC("raw_tp/kfree")
int kfree(void *ctx)
{
	return 0;
}

SEC("raw_tp/kmem_cache_alloc")
int kmem_cache_alloc(void *ctx)
{
	return 0;
}

SEC("raw_tp/kmem_cache_free")
int kmem_cache_free(void *ctx)
{
	return 0;
}

SEC("raw_tp/mm_page_alloc")
int mm_page_alloc(void *ctx)
{
	return 0;
}

SEC("raw_tp/mm_page_free")
int mm_page_free(void *ctx)
{
	return 0;
}

SEC("raw_tp/percpu_alloc_percpu")
int percpu_alloc_percpu(void *ctx)
{
	return 0;
}

SEC("raw_tp/percpu_free_percpu")
int percpu_free_percpu(void *ctx)
{
	return 0;
}

/* At functions of a process, which floor.c names. */
SEC("uprobe")
int begin(void *ctx)
{
	return 0;
}

SEC("uretprobe")
int end(void *ctx)
{
	return 0;
}
