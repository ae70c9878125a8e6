/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line: the options that units have in common, and tables of those that a unit adds.
 * Parsing, --help, --usage and their messages all come from the tables.
 */
#ifndef COMMON_OPTIONS_H
#define COMMON_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include "targets.h"

/* The common options that a unit takes, beside -v -q -V -h --usage, which each has. */
enum common_option {
	TAKES_TARGETS = 1 << 0,	  /* -p -t -C --comm --cgroup */
	TAKES_INTERVAL = 1 << 1,  /* -i */
	TAKES_DURATION = 1 << 2,  /* --duration */
	TAKES_EVENTS = 1 << 3,	  /* --than -N */
	TAKES_HEATMAP = 1 << 4,	  /* --heatmap */
	TAKES_PERINS = 1 << 5,	  /* --perins */
	TAKES_OUTPUT = 1 << 6,	  /* --json -o */
	TAKES_COMMAND = 1 << 7,	  /* -- CMD */
	TAKES_ARGUMENTS = 1 << 8, /* words that are no options, also between these */
	TAKES_STACKS = 1 << 9,	  /* -g and its kin, --flame-graph */
	/* With TAKES_COMMAND: the first word that is no option begins CMD, also without `--`. */
	TAKES_BARE_COMMAND = 1 << 10,
};

enum option_kind {
	OPTION_FLAG,	/* bool: set */
	OPTION_NOT,	/* bool: cleared */
	OPTION_EITHER,	/* enum wish; [=0|1] */
	OPTION_COUNT,	/* uint64_t, at least `least` */
	OPTION_TIME,	/* uint64_t in ns, at least `least`; a bare number counts in `bare` ns */
	OPTION_SIZE,	/* uint64_t in bytes, at least `least` */
	OPTION_STRING,	/* const char *, not empty */
	OPTION_CHECKED, /* const char * that `check` accepts */
	/* May come several times: `check` keeps it, or says in several lines what is wrong. */
	OPTION_REPEATED,
};

/* What may be asked for, or for its contrary. */
enum wish {
	WISH_ANY,
	WISH_NO,
	WISH_YES,
};

struct option_entry {
	const char *name; /* the long one, without its dashes; NULL ends a table */
	char letter;	  /* the short one, or 0 */
	enum option_kind kind;
	const char *arg;	    /* the argument's name in the help */
	const char *help;	    /* one line */
	void *value;		    /* where it goes, of the kind's type */
	bool *given;		    /* if not NULL, set when the option is there */
	uint64_t least, most, bare; /* most 0: no bound of its own */
	/* Returns NULL if @text will do, else what is wrong with it. */
	const char *(*check)(const char *text);
	unsigned int takes; /* the enum common_option that brings it; 0: always */
};

/* What the common options said. */
struct settings {
	struct targets targets;
	uint64_t interval_ns; /* 0: one report, at the end */
	uint64_t duration_ns; /* 0: until told to stop */
	uint64_t most_events; /* 0: any number */
	uint64_t than_ns;
	bool than; /* single events are to be shown */
	const char *heatmap;
	bool call_graph;		       /* stacks are wanted */
	bool kernel_callchain, user_callchain; /* ... these parts of them */
	bool lines;			       /* ... with source lines and inlined functions */
	uint64_t max_stack;		       /* ... so many frames of each part */
	const char *flame_graph;
	bool reverse; /* the flame graph's root is on top */
	bool perins;
	bool json;
	const char *output;
	bool verbose, quiet;
	char **command;	       /* ends with NULL; NULL: none */
	bool command_is_timer; /* it only says how long: others are observed */
	char **arguments;      /* ends with NULL; NULL: the unit takes none */
	unsigned int argument_count;
};

/* What the help says of a unit. */
struct synopsis {
	const char *name;
	const char *summary;	 /* what it answers, one line */
	const char *description; /* the exact definition of its figures */
	const char *examples;
	const char *arguments; /* with TAKES_ARGUMENTS, how the help calls them: "ADDR..." */
	unsigned int takes;
	const struct option_entry *options; /* the unit's own */
	bool kernel_stacks;		    /* users' parts of stacks are taken only if asked for */
	bool timed_by_command;		    /* with -p or -t, a command only says how long */
	/*
	 * Says what cannot go together in @settings and its own options, or NULL; may change what
	 * its own options imply.
	 */
	const char *(*check)(struct settings *settings);
};

/*
 * Parses the command line into @settings and the unit's own values. Returns -1 to go on, or the
 * exit status: after --help and its kin, or after having told what is wrong. May change what is in
 * @argv; the strings stay.
 */
int options_parse(const struct synopsis *unit, int argc, char **argv, struct settings *settings);

#endif
