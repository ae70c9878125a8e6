/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events that there are: what a struct spec stands for on this kernel, with the fields that
 * expressions may name, and how a program gets there. Each kind of event is a struct event_kind, in
 * a file of its own; nobody else needs to know which kind an event is of.
 *
 *   spec_parse()         what the user said
 *   events_find()        the events that are meant
 *   event_read_fields()  what expressions over one may name: event_scope()
 *   event_prepare()      what its program has to be, before that is loaded
 *   event_attach()       after that
 */
#ifndef COMMON_EVENTS_EVENT_H
#define COMMON_EVENTS_EVENT_H

#include <bpf/libbpf.h>
#include <linux/perf_event.h>
#include <sys/types.h>
#include "expr/expr.h"
#include "events/spec.h"

struct event_kind;
struct syscall_front;
struct btf;

/* A field of an event. */
struct event_field {
	char *name;
	char *type;  /* as its source has it: "char[16]", "struct sock *" */
	bool usable; /* expressions can name it, and find it at `expr` */
	struct expr_field expr;
};

/* One event, at one place. What its kind does not speak of is NULL or 0. */
struct event {
	const struct event_kind *kind;
	char *name;	      /* in full, as -e takes it: "sched:sched_switch" */
	char *system;	      /* a tracepoint's, a USDT probe's provider */
	char *function;	      /* the kernel's or the file's; a tracepoint's or probe's own name */
	char *module;	      /* of the kernel's function; NULL: it is in the kernel itself */
	char *file;	      /* a path */
	char *arguments;      /* a USDT probe's, as its note has them */
	uint64_t offset;      /* behind the kernel's function, or in the file, in bytes */
	uint64_t address;     /* as the file itself counts them */
	uint64_t semaphore;   /* in the file; 0: there is none */
	unsigned int machine; /* the file's, EM_* */
	struct perf_event_attr perf;

	/* event_read_fields() fills these. */
	struct event_field *fields;
	size_t field_count;
	struct expr_field *scope; /* those that are usable */
	size_t scope_count;
	const struct btf *btf; /* of their types; not the event's, gone with kernel_btf_free() */
};

struct event_list {
	struct event *events;
	size_t count, room;
};

/* Why there is no such event: in one line, and as an exit status. */
struct event_error {
	int status; /* enum exit_status */
	char what[400];
};

/*
 * Adds to @list the events that @spec stands for; the list is the caller's to events_free(). A
 * probe of a file may be at several places: these are events of the same name. With @pid (0: none)
 * files are those that the process has. Returns 0, or a negative errno after having filled @error:
 * -EOPNOTSUPP and -EPERM with EXIT_CANNOT: this kernel does not have such events, or not for us.
 */
int events_find(const struct spec *spec, pid_t pid, struct event_list *list,
		struct event_error *error);
void events_free(struct event_list *list);

/* Reads what fields @event has, if that has not been done. Returns 0 or a negative errno. */
int event_read_fields(struct event *event);

/* What expressions over @event may speak of; valid as long as the event. */
struct expr_scope event_scope(const struct event *event);

/*
 * Can one program be attached to both, provided that what its expressions have been compiled to is
 * the same for both? Of fentry and fexit each function needs a program of its own.
 */
bool event_can_share(const struct event *a, const struct event *b);

/* What @event is, in a word, "kprobe", and in words, "entry of a kernel function (kprobe)". */
const char *event_kind_name(const struct event *event);
const char *event_title(const struct event *event);

/*
 * What there is to say of @event on one line beside its name (a function's prototype, a place in a
 * file), the caller's to free; NULL: nothing.
 */
char *event_detail(const struct event *event);

/* Where programs are attached: files to be closed by event_detach(). Begins as zeros. */
struct event_links {
	int *fds;
	size_t count, room;
	size_t expected; /* events that are going to be attached, if that is known */
	struct syscall_front *syscalls;
};

/* What a program has to be for an event. */
struct event_program {
	enum bpf_prog_type type;
	enum bpf_attach_type attach_type; /* expected */
	__u32 btf_id;			  /* of the kernel's function; 0: none is needed */
	int btf_fd; /* of its module's BTF, to be closed; 0: the kernel's own */
};

/* Says in @program what a program for @event has to be. Returns 0 or a negative errno. */
int event_prepare(const struct event *event, struct event_program *program);

/*
 * Attaches the program @prog, a file descriptor, to @event; adds to @links. Where the kernel can tell
 * processes apart by itself (uprobes), it runs in those of @pid only (0: all); otherwise that is the
 * program's own business. Returns 0 or a negative errno.
 */
int event_attach(const struct event *event, int prog, pid_t pid, struct event_links *links);

/*
 * Could @event, with others of its kind, share a program that is attached to all of them at once, and
 * learns by bpf_get_attach_cookie() which it is? Then @program tells what that has to be.
 */
bool event_prepare_many(const struct event *event, struct event_program *program);

/*
 * Attaches @prog to all @count @events of one kind; each has its own of @cookies. Returns 0 or a
 * negative errno: then none has it.
 */
int event_attach_many(const struct event *const *events, const uint64_t *cookies, size_t count,
		      int prog, struct event_links *links);

/* How often the kernel skipped the program @prog, a file descriptor, as far as it counts that. */
uint64_t event_program_misses(int prog);

/* The same of programs that stand in front of those that were attached. */
uint64_t event_misses(const struct event_links *links);

/*
 * How often a probe at @fd, one of the links, was passed without the program being asked for: 0 where that
 * cannot be. Returns 0, -ENOENT if @fd is not what tells it, or -EOPNOTSUPP: it is not known here (before
 * Linux 6.7).
 */
int event_missed(const struct event *event, int fd, uint64_t *missed);

/*
 * Are there events at which the kernel skips the program without counting that, but counts the events
 * themselves? Then event_due() is how often the program had to run so far at @fd, one of the links; it
 * is one too low rather than too high.
 */
bool event_is_counted(const struct event *event);
uint64_t event_due(const struct event *event, int fd);

/*
 * The kernel waits for its own readers at each tracepoint and kprobe that it lets go of, some ten
 * milliseconds long, one after the other for each that nobody else has: show what there is to show
 * before. Much of that is saved for system calls (syscalls.h) and by event_attach_many().
 */
void event_detach(struct event_links *links);

#endif
