// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel and the CPU count, and timers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "events/kind.h"
#include "events/perf_names.h"
#include "events/registers.h"
#include "perf_event.h"
#include "clock.h"
#include "quantity.h"
#include "say.h"

/* Out of step with what a kernel does 100, 250 or 1000 times a second. */
#define USUAL_HZ 999
#define MOST_HZ	 100000

static bool is_clock(const struct perf_event_attr *attr)
{
	return attr->type == PERF_TYPE_SOFTWARE && (attr->config == PERF_COUNT_SW_CPU_CLOCK ||
						    attr->config == PERF_COUNT_SW_TASK_CLOCK);
}

/* Of software events only clocks go on all the time; the others are wanted each. */
static bool is_single(const struct perf_event_attr *attr)
{
	return attr->type == PERF_TYPE_SOFTWARE && !is_clock(attr);
}

static void fill(struct perf_event_attr *attr, const struct perf_name *name, const char *modifiers,
		 uint64_t hz)
{
	bool user = modifiers && strchr(modifiers, 'u'),
	     kernel = modifiers && strchr(modifiers, 'k');

	*attr = (struct perf_event_attr){
		.type = name->type,
		.size = sizeof(*attr),
		.config = name->config,
		.disabled = 1, /* until it has its program */
		.exclude_user = kernel && !user,
		.exclude_kernel = user && !kernel,
		.exclude_hv = user && !kernel,
	};
	if (is_single(attr)) {
		attr->sample_period = 1;
	} else {
		attr->freq = 1;
		attr->sample_freq = hz;
	}
}

/* Is there anything here that counts @attr? Returns 0 or a negative errno. */
static int try(const struct perf_event_attr *attr)
{
	int fd = perf_event_open(attr, 0, -1, 0);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static void add(const struct event_search *search, const char *word,
		const struct perf_event_attr *attr)
{
	const char *modifiers = search->spec->modifiers;
	struct event *event;

	event = event_add(search->found, &perf_kind,
			  event_text("%s%s%s", word, modifiers ? ":" : "", modifiers ?: ""));
	event->function = event_have(strdup(word));
	event->perf = *attr;
}

/* Tells why there is none of what the search is for: @err is what opening one of @type gave. */
static int refuse(const struct event_search *search, int err, unsigned int type)
{
	if (err == -EACCES || err == -EPERM)
		return event_refuse(search, err, EXIT_CANNOT,
				    "%s is refused: %s (needs CAP_PERFMON, or root; see the sysctl "
				    "kernel.perf_event_paranoid)",
				    search->spec->name, strerror(-err));
	return event_refuse(search, -EOPNOTSUPP, EXIT_CANNOT, "nothing here counts %s: %s%s",
			    search->spec->name, strerror(-err),
			    type == PERF_TYPE_SOFTWARE ? ""
						       : " (it needs a CPU with a PMU that does)");
}

/* What there is here of all that has names. */
static int find_matching(const struct event_search *search)
{
	size_t before = search->found->count, i;
	unsigned int type = PERF_TYPE_SOFTWARE;
	struct perf_event_attr attr;
	struct perf_name name;
	int err, why = 0;

	for (i = 0; perf_name_at(i, &name); i++) {
		if (!spec_matches_name(search->spec, name.name) &&
		    !(name.alias && spec_matches_name(search->spec, name.alias)))
			continue;
		fill(&attr, &name, search->spec->modifiers, USUAL_HZ);
		err = try(&attr);
		if (!err) {
			add(search, name.name, &attr);
		} else if (!why) {
			why = err;
			type = name.type;
		}
	}
	return why && search->found->count == before ? refuse(search, why, type) : 0;
}

/* "-F 500" */
static int parse_rate(const struct event_search *search, uint64_t *hz)
{
	const char *options = search->spec->options;

	*hz = USUAL_HZ;
	if (!options)
		return 0;
	if (!strncmp(options, "-F", 2) &&
	    !parse_count(options + 2 + strspn(options + 2, " "), hz) && *hz && *hz <= MOST_HZ)
		return 0;
	return event_refuse(search, -EINVAL, EXIT_USAGE,
			    "profile takes -F HZ, from 1 to %u, not '%.40s'", MOST_HZ, options);
}

static int find(const struct event_search *search)
{
	const struct spec *spec = search->spec;
	struct perf_event_attr attr;
	struct perf_name name;
	uint64_t hz;
	int err;

	if (spec_name_is_wild(spec))
		return find_matching(search);
	err = parse_rate(search, &hz);
	if (err)
		return err;
	perf_name_find(spec->name, strlen(spec->name), &name);
	fill(&attr, &name, spec->modifiers, hz);
	err = try(&attr);
	if (!err) {
		add(search, spec->name, &attr);
		return 0;
	}
	return refuse(search, err, name.type);
}

/* struct bpf_perf_event_data: registers, the period, the address that the event is about. */
static int read_fields(struct event *event)
{
	const struct registers *registers = registers_of(HOST_MACHINE);
	const struct {
		const char *name;
		unsigned int offset;
	} fields[] = {
		{ "ip", registers->ip },
		{ "period", registers->size },
		{ "addr", registers->size + 8 },
	};
	struct expr_field field = { .place = PLACE_WORD, .size = 8 };
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		field.offset = fields[i].offset;
		event_add_field(event, fields[i].name, "unsigned long", &field);
	}
	return 0;
}

static char *detail(const struct event *event)
{
	static const char *const kinds[] = {
		[PERF_TYPE_HARDWARE] = "hardware",
		[PERF_TYPE_SOFTWARE] = "software",
		[PERF_TYPE_HW_CACHE] = "hardware cache",
		[PERF_TYPE_RAW] = "raw hardware",
	};

	return event_text("%s event", kinds[event->perf.type]);
}

static int attach(const struct event *event, int prog, pid_t pid, struct event_links *links)
{
	struct perf_event_attr attr = event->perf;
	int cpus = libbpf_num_possible_cpus(), cpu, err, attached = 0;

	(void)pid;
	if (cpus < 0)
		return cpus;
	for (cpu = 0; cpu < cpus; cpu++) {
		err = event_attach_perf(&attr, -1, cpu, prog, links);
		if (err && err != -ENODEV) /* offline */
			return err;
		attached += !err;
	}
	return attached ? 0 : -ENODEV;
}

/*
 * Where another program is running on the CPU, the kernel skips the one of a perf event and says so
 * nowhere. Of a PMU's events it is not known how many make a sample: the kernel changes that.
 */
static bool is_counted(const struct event *event)
{
	return event->perf.type == PERF_TYPE_SOFTWARE && !event->perf.exclude_user &&
	       !event->perf.exclude_kernel;
}

static uint64_t due(const struct event *event, int fd)
{
	uint64_t count, period;

	if (read(fd, &count, sizeof(count)) != sizeof(count))
		return 0;
	if (!is_clock(&event->perf))
		return count;
	/* A clock counts ns, and its timer has a fixed period. What is due just now may be about to come. */
	period = NSEC_PER_SEC / event->perf.sample_freq;
	return count > period ? count / period - 1 : 0;
}

const struct event_kind perf_kind = {
	.name = "perf",
	.title = "event that the kernel or the CPU counts",
	.find = find,
	.read_fields = read_fields,
	.detail = detail,
	.program = BPF_PROG_TYPE_PERF_EVENT,
	.attach = attach,
	.is_counted = is_counted,
	.due = due,
};
