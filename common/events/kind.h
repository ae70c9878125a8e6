/* SPDX-License-Identifier: GPL-2.0-only */
/* What a kind of event is to event.c, and what the kinds' files share. A new kind is a new file. */
#ifndef COMMON_EVENTS_KIND_H
#define COMMON_EVENTS_KIND_H

#include "events/event.h"

/* What is looked for, and where it goes. */
struct event_search {
	const struct spec *spec;
	pid_t pid; /* 0: none */
	struct event_list *found;
	struct event_error *error;
};

struct event_kind {
	const char *name;  /* in a word */
	const char *title; /* in words */
	bool one_each;	   /* a program can be attached to one event only */

	/* See events_find(). Finding nothing is an error where the spec has no wildcards. */
	int (*find)(const struct event_search *search);

	/* See event_read_fields(). NULL: it has none. */
	int (*read_fields)(struct event *event);

	/* See event_detail(). NULL: there is nothing. */
	char *(*detail)(const struct event *event);

	/* A program's type, and what else it needs to be told before it is loaded. NULL: nothing. */
	enum bpf_prog_type program;
	int (*prepare)(const struct event *event, struct event_program *program);

	/* See event_attach(). */
	int (*attach)(const struct event *event, int prog, pid_t pid, struct event_links *links);

	/* See event_attach_many(). NULL: there is no such way. */
	int (*attach_many)(const struct event *const *events, const uint64_t *cookies, size_t count,
			   int prog, struct event_links *links);
	enum bpf_attach_type many; /* what its programs are loaded as */

	/* See event_missed(). NULL: there is nothing that it could tell. */
	int (*missed)(int fd, uint64_t *missed);

	/* See event_due(). NULL: the kernel counts the runs that it skips. */
	bool (*is_counted)(const struct event *event);
	uint64_t (*due)(const struct event *event, int fd);
};

extern const struct event_kind tracepoint_kind, kprobe_kind, kretprobe_kind, fentry_kind,
	fexit_kind, uprobe_kind, uretprobe_kind, usdt_kind, perf_kind;

/* Ends the process where there is no memory; returns @memory. */
void *event_have(void *memory);

/* asprintf() that has memory. */
char *event_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Adds an event of @kind called @name, which it takes over. Valid until the next is added. */
struct event *event_add(struct event_list *list, const struct event_kind *kind, char *name);

/*
 * Sorts the events from number @first on by name and place, and removes those that are there twice.
 */
void event_sort(struct event_list *list, size_t first);

/*
 * Adds a field of @type as written, which are copied. It is usable if @expr is not NULL.
 */
void event_add_field(struct event *event, const char *name, const char *type,
		     const struct expr_field *expr);

/*
 * Opens the perf event of @attr, for process @pid (-1: all) and @cpu (-1: all), and has @prog run at
 * it. Returns 0 or a negative errno.
 */
int event_attach_perf(struct perf_event_attr *attr, pid_t pid, int cpu, int prog,
		      struct event_links *links);

/* The same, of the PMU @name, which makes probes. */
int event_attach_probe(const char *name, struct perf_event_attr *attr, bool at_return, pid_t pid,
		       int prog, struct event_links *links);

/*
 * Has @prog run at the tracepoint @name of @system. Returns a file descriptor, the caller's, or a
 * negative errno.
 */
int event_open_tracepoint(const char *system, const char *name, int prog);

/* Takes the file @fd over, or a negative errno. Returns 0 or that. */
int event_add_link(struct event_links *links, int fd);

/* Fills the search's error. Returns @err. */
int event_refuse(const struct event_search *search, int err, int status, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Does the kernel have events of the PMU @name ("kprobe", "uprobe")? If not, fills the search's
 * error. Returns 0 or -EOPNOTSUPP.
 */
int event_need_pmu(const struct event_search *search, const char *name, const char *config);

#endif
