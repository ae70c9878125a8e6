// SPDX-License-Identifier: GPL-2.0-only
/* Which probes have programs and libraries been built with? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "events/kind.h"
#include "events/listing.h"
#include "events/show.h"
#include "options.h"
#include "say.h"

static bool all_fields;

static const struct option_entry options[] = {
	{ "fields", 0, OPTION_FLAG, NULL, "arguments, their types and an example of each probe",
	  .value = &all_fields },
	{},
};

static const char *check(struct settings *settings);

static const struct synopsis synopsis = {
	.name = "usdt",
	.summary = "Which probes have programs and libraries been built with?",
	.description =
		"`usdt list` shows the USDT probes of FILE, a path or a library's or program's bare name, or\n"
		"of all that process PID has mapped: a line for each place, which begins with what units\n"
		"take behind -e. In parentheses is where arguments are: -4@%edi, 4 bytes with a sign in %edi;\n"
		"expressions call them arg0, arg1 ... A probe with a semaphore does more for who looks on; it\n"
		"is switched on meanwhile.\n"
		"\n"
		"Nothing has to be added before a probe can be used, nor deleted after: there is no `usdt add`\n"
		"and no `usdt del`.",
	.examples =
		"  usdt list libstdc++.so.6\n"
		"  usdt list /usr/bin/python3 --fields\n"
		"  usdt list 4242                     what a process has mapped\n"
		"  top -e usdt:libstdc++.so.6:libstdcxx:throw --duration 10s   to use one: who throws in C++?",
	.arguments = "list FILE|PID...",
	.takes = TAKES_OUTPUT | TAKES_ARGUMENTS,
	.options = options,
	.check = check,
};

/* What behind -e stands for "PROVIDER:NAME[@FILE]", as others have it added. Static. */
static const char *as_event(const char *probe)
{
	static char event[400];
	const char *at = strchr(probe, '@');

	if (at && strchr(probe, ':'))
		snprintf(event, sizeof(event), "usdt:%.200s:%.*s", at + 1,
			 (int)(at - probe > 150 ? 150 : at - probe), probe);
	else
		snprintf(event, sizeof(event), "usdt:FILE:PROVIDER:NAME");
	return event;
}

static const char *check(struct settings *settings)
{
	const char *verb = settings->argument_count ? settings->arguments[0] : "";
	static char wrong[640];

	if (!strcmp(verb, "add") || !strcmp(verb, "del")) {
		snprintf(wrong, sizeof(wrong),
			 "nothing has to be %s: give units the probe itself, as in top -e '%s'",
			 *verb == 'a' ? "added" : "deleted",
			 as_event(settings->argument_count > 1 ? settings->arguments[1] : ""));
		return wrong;
	}
	if (strcmp(verb, "list") || settings->argument_count < 2)
		return "of what? `usdt list FILE`, or `usdt list PID`";
	return NULL;
}

/* Prints an example for one of the events, with arguments if there are such. */
static int print_example(struct listing *l)
{
	struct event *event = l->events.events;
	char *example;
	size_t i;
	int err = 0;

	for (i = 0; i < l->events.count && !err; i++) {
		err = event_read_fields(&l->events.events[i]);
		if (!event->scope_count && l->events.events[i].scope_count)
			event = &l->events.events[i];
	}
	if (err)
		return EXIT_FAILED;
	example = event_example(event);
	fprintf(l->out.file, "\n  %s\n", example);
	free(example);
	return EXIT_DONE;
}

static int fill(struct listing *l, const struct settings *settings)
{
	unsigned int i;
	int status = EXIT_DONE;

	for (i = 1; i < settings->argument_count && !status; i++) {
		char *file = spec_quoted(settings->arguments[i]);
		char *event = event_text("usdt:%s", file);

		status = listing_add(l, event);
		free(event);
		free(file);
	}
	return status || l->fields ? status : print_example(l);
}

int main(int argc, char **argv)
{
	struct settings settings;
	struct listing listing = { .tool = synopsis.name };
	int status = options_parse(&synopsis, argc, argv, &settings);

	if (status >= 0)
		return status;
	/* Programs want to know all. */
	listing.fields = all_fields || settings.json;
	return listing_run(&listing, &settings, fill);
}
