/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rows of typed, named, united cells: what a unit fills and every renderer reads. A unit knows
 * nothing of text or JSON, and a renderer nothing of units.
 */
#ifndef COMMON_TABLE_H
#define COMMON_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hist.h"
#include "numbers.h"
#include "symbols.h"

enum cell_type {
	CELL_STRING,	/* bytes up to a NUL, in no known encoding */
	CELL_ID,	/* a number that names something: a thread, a CPU */
	CELL_SIGNED_ID, /* the same, which may be below 0, in two's complement */
	CELL_COUNT,
	CELL_NUMBER,   /* a count or sum that may be below 0, in two's complement */
	CELL_DURATION, /* ns */
	CELL_SIZE,     /* bytes */
	CELL_TIME,     /* ns since the epoch */
	CELL_DIST,     /* a distribution of durations */
	CELL_NUMBERS,  /* ... of numbers */
	CELL_TABLE,    /* rows that belong to this row */
	CELL_PERCENT,  /* in PERCENT_UNITs */
	CELL_RATIO,    /* in RATIO_UNITs */
	CELL_FLAG,     /* yes or no */
	CELL_ADDRESS,  /* in memory */
	CELL_STACK,    /* leaf first */
};

/* 1 %; percentages have two digits behind the point. */
#define PERCENT_UNIT 100

/* 1; ratios have three digits behind the point. */
#define RATIO_UNIT 1000

/* Where a column is shown. */
enum column_shown {
	SHOWN_ALWAYS,
	SHOWN_IN_TEXT, /* it is there for people, and others have the same in other columns */
	SHOWN_IN_JSON,
};

struct column {
	const char *
		name; /* as a JSON member, without its unit; a CELL_DIST's members have their own */
	const char *title; /* as a text column's head; NULL: the name */
	enum cell_type type;
	const struct layout *layout; /* of a CELL_TABLE */
	bool below; /* text shows it below the row, a line each of a table's rows or a stack's frames */
	bool optional; /* text leaves it out where no row has it */
	bool adds_up;  /* rows that are the same but for such columns, and these two, are one */
	bool lowest, highest; /* ... which has the lowest or the highest of their values */
	/* A CELL_PERCENT: the number of the column that it is a share of, plus one. */
	unsigned int share_of;
	int width;  /* in text; 0: as usual */
	bool level; /* a CELL_STRING: flame graphs have it above the stack, behind comm */
	bool right; /* text has a CELL_STRING on the right of its column */
	enum column_shown shown;
	bool or_null; /* JSON has a cell without a value as null */
};

struct layout {
	const struct column *columns;
	unsigned int count;
	const char *rows_are;	 /* what text calls the rows that it leaves out; NULL: rows */
	unsigned int most_shown; /* rows in text; 0: all */
	/* Rows with stacks: the number of the column whose largest come first, plus one; 0: what adds up. */
	unsigned int sorted_by;
};

#define LAYOUT(array)                                                           \
	{                                                                       \
		.columns = (array), .count = sizeof(array) / sizeof((array)[0]) \
	}

struct cell {
	bool set;     /* false: there is no such value here */
	bool unknown; /* it is not set, as it cannot be told: JSON has null */
	union {
		char *string;
		uint64_t number;
		struct hist *dist;
		struct numbers *numbers;
		struct table *table;
		struct callchain *stack;
	};
};

struct table {
	const struct layout *layout;
	struct cell *cells; /* row by row */
	size_t rows;
	size_t room; /* rows that there is memory for */
};

/* A table without rows; @layout is kept. */
void table_init(struct table *t, const struct layout *layout);

/* Removes all rows; the table can be filled again. */
void table_clear(struct table *t);

/* Frees what the table owns. */
void table_free(struct table *t);

/*
 * Adds an empty row and returns its cells, valid until the next row is added. Out of memory ends
 * the process: a report with rows missing would be a wrong one.
 */
struct cell *table_add(struct table *t);

const struct cell *table_row(const struct table *t, size_t row);

/* These fill a cell. Strings and distributions are copied. */
void cell_string(struct cell *c, const char *text);
void cell_comm(struct cell *c, const char comm[COMM_LEN]); /* need not end with a NUL */
void cell_number(struct cell *c, uint64_t number);
void cell_unknown(struct cell *c);
void cell_dist(struct cell *c, const struct hist *dist);
void cell_numbers(struct cell *c, const struct numbers *numbers);

/* Takes @chain over. */
void cell_stack(struct cell *c, struct callchain *chain);

/* Makes the cell a table of @layout without rows and returns it. */
struct table *cell_table(struct cell *c, const struct layout *layout);

/* The number of the layout's first column of @type, or of those that add up; or -1. */
int column_of(const struct layout *layout, enum cell_type type);
int column_that_adds_up(const struct layout *layout);

/*
 * Makes rows one that are the same but for columns that say how (adds_up, lowest, highest), where
 * stacks are the same when their frames have the same names. The one with most in the first column
 * that adds up gives what names do not tell (offsets).
 */
void table_merge(struct table *t);

/* Removes the rows behind the first @rows. */
void table_cut(struct table *t, size_t rows);

/* Makes @column, whose width is given, wide enough in text for @text. */
void column_widen(struct column *column, const char *text);

/* What percentage of @whole @part is, for a CELL_PERCENT. */
uint64_t percent(uint64_t part, uint64_t whole);

/* Fills the columns that are shares of others. */
void table_shares(struct table *t);

/* Sorts the rows by column @column (a number, or a distribution's sum), largest first. */
void table_sort(struct table *t, unsigned int column);

#endif
