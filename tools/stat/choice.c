// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "events/event.h"
#include "events/kind.h"
#include "events/perf_names.h"
#include "say.h"
#include "choice.h"

static const char *const usual[] = { "context-switches", "cpu-migrations", "page-faults",  "cycles",
				     "instructions",	 "branches",	   "branch-misses" };
static const char *const of_caches[] = { "L1-dcache-loads", "L1-dcache-load-misses", "LLC-loads",
					 "LLC-load-misses" };

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* What needs_program() goes by. */
static const struct settings *set;

bool choice_of_tasks(const struct settings *s)
{
	const struct targets *t = &s->targets;

	return t->pids || t->tids || t->comm || (s->command && !s->command_is_timer);
}

bool choice_by_thread(const struct settings *s)
{
	return s->perins && choice_of_tasks(s);
}

bool choice_by_cpu(const struct settings *s)
{
	return s->perins && !choice_of_tasks(s);
}

static bool is_clock(const struct perf_name *name)
{
	return name->type == PERF_TYPE_SOFTWARE && (name->config == PERF_COUNT_SW_CPU_CLOCK ||
						    name->config == PERF_COUNT_SW_TASK_CLOCK);
}

/* Does the kernel come by at each event, so that a program can count them? */
static bool comes_by(const struct spec *spec)
{
	struct perf_name name;

	return !spec_name_is_wild(spec) && perf_name_find(spec->name, strlen(spec->name), &name) &&
	       name.type == PERF_TYPE_SOFTWARE && !is_clock(&name) &&
	       strcmp(spec->name, PERF_PROFILE_NAME);
}

/* Are those that are observed chosen in a way that perf does not know? */
static bool chosen_by_program(const struct settings *s)
{
	const struct targets *t = &s->targets;

	return t->comm || (t->cgroup && choice_of_tasks(s));
}

static bool needs_program(const struct spec *spec)
{
	return spec->kind != SPEC_PERF || spec->filter || chosen_by_program(set) ||
	       ((choice_by_thread(set) || set->targets.cgroup) && comes_by(spec));
}

const char *choice_check(const struct settings *s)
{
	static char wrong[200];
	const struct spec_list *specs = engine_specs();
	unsigned int i;

	set = s;
	if (!specs->count && chosen_by_program(s))
		return "the usual events are not counted by name, nor a cgroup's of some processes only: "
		       "say which by -e";
	for (i = 0; i < specs->count; i++) {
		const struct spec *spec = &specs->specs[i];

		if (spec->kind == SPEC_PERF && !strcmp(spec->name, PERF_PROFILE_NAME))
			return "profile is a timer, there is nothing to count; cpu-clock is the time";
		if (spec->kind != SPEC_PERF || !needs_program(spec) || comes_by(spec))
			continue;
		snprintf(
			wrong, sizeof(wrong),
			"%.60s is counted as a whole: with a filter, --comm, or --cgroup and -p or a "
			"command, it cannot be",
			spec->text);
		return wrong;
	}
	return NULL;
}

static struct shown_event *add(struct choice *c, const char *name)
{
	c->events = event_have(realloc(c->events, (c->count + 1) * sizeof(*c->events)));
	c->events[c->count] = (struct shown_event){ .name = event_have(strdup(name)) };
	return &c->events[c->count++];
}

static void add_counter(struct choice *c, struct counters *counters, const char *name,
			const struct perf_event_attr *attr)
{
	add(c, name)->number = counters->count;
	counters_add(counters, name, attr);
}

/* Adds what perf calls @perf, shown as @name; with @modifiers or NULL. */
static void add_perf(struct choice *c, struct counters *counters, const struct perf_name *perf,
		     const char *name, const char *modifiers)
{
	bool user = modifiers && strchr(modifiers, 'u'),
	     kernel = modifiers && strchr(modifiers, 'k');
	struct perf_event_attr attr = {
		.type = perf->type,
		.config = perf->config,
		.exclude_user = kernel && !user,
		.exclude_kernel = user && !kernel,
		.exclude_hv = user && !kernel,
	};

	add_counter(c, counters, name, &attr);
	c->events[c->count - 1].is_clock = is_clock(perf);
}

static void add_named(struct choice *c, struct counters *counters, const char *const *names,
		      size_t count)
{
	struct perf_name perf;
	size_t i;

	for (i = 0; i < count; i++) {
		if (perf_name_find(names[i], strlen(names[i]), &perf))
			add_perf(c, counters, &perf, names[i], NULL);
	}
}

static const char *shown_name(const struct spec *spec, const char *name)
{
	const struct spec_attr *alias = spec_attr(spec, ATTR_ALIAS, 0);

	return alias && !spec_name_is_wild(spec) ? alias->value : name;
}

/* Adds what @spec names of perf's own events. */
static void add_perf_spec(struct choice *c, struct counters *counters, const struct spec *spec)
{
	const char *modifiers = spec->modifiers;
	struct perf_name perf;
	char *name;
	size_t i;

	if (!spec_name_is_wild(spec)) {
		perf_name_find(spec->name, strlen(spec->name), &perf);
		add_perf(c, counters, &perf, shown_name(spec, spec->text), modifiers);
		return;
	}
	for (i = 0; perf_name_at(i, &perf); i++) {
		if (!spec_matches_name(spec, perf.name))
			continue;
		name = event_text("%s%s%s", perf.name, modifiers ? ":" : "", modifiers ?: "");
		add_perf(c, counters, &perf, name, modifiers);
		free(name);
	}
}

/* Adds the events of @spec that programs count. */
static void add_programs(struct choice *c, const struct engine *engine, const struct spec *spec)
{
	struct shown_event *shown;
	size_t i;

	for (i = 0; i < engine->count; i++) {
		const struct engine_event *e = &engine->events[i];

		if (e->spec != spec)
			continue;
		shown = add(c, shown_name(spec, e->event->name));
		shown->by_program = true;
		shown->number = e->number;
	}
}

int choice_make(struct choice *c, const struct settings *s, bool detailed,
		struct counters *counters, struct engine *engine)
{
	const struct spec_list *specs = engine_specs();
	const char *clock = choice_of_tasks(s) ? "task-clock" : "cpu-clock";
	int status;
	size_t i;

	engine->wanted = needs_program;
	status = engine_find(engine, s, NULL);
	for (i = 0; i < specs->count && !status; i++) {
		const struct spec *spec = &specs->specs[i];

		if (needs_program(spec))
			add_programs(c, engine, spec);
		else
			add_perf_spec(c, counters, spec);
	}
	if (!specs->count) {
		add_named(c, counters, &clock, 1);
		add_named(c, counters, usual, COUNT_OF(usual));
	}
	if (detailed)
		add_named(c, counters, of_caches, COUNT_OF(of_caches));
	return status;
}

void choice_free(struct choice *c)
{
	size_t i;

	for (i = 0; i < c->count; i++)
		free(c->events[i].name);
	free(c->events);
	memset(c, 0, sizeof(*c));
}
