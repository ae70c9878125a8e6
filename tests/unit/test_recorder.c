// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flight recorders written by hand: a switch names whom it takes off the CPU. What they say is
 * compared with who had each ns of the CPU.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "recorder.h"

static struct record *push(struct recorder *r, uint64_t time, enum record_kind kind,
			   unsigned int tid, unsigned int arg, const char *comm)
{
	struct record *record = &r->ring[r->head++ % RECORDS];

	memset(record, 0, sizeof(*record));
	record->time = time;
	record->kind = kind;
	record->tid = tid;
	record->arg = arg;
	strncpy(record->comm, comm, COMM_LEN);
	return record;
}

/* At @time @tid was switched out. */
static void switch_out(struct recorder *r, uint64_t time, unsigned int tid)
{
	char comm[COMM_LEN];

	snprintf(comm, sizeof(comm), "task%u", tid);
	push(r, time, RECORD_SWITCH, tid, 0, tid ? comm : "swapper/1");
}

/* A column of @layout by its name. */
static unsigned int find(const struct layout *layout, const char *name)
{
	unsigned int i;

	for (i = 0; i < layout->count; i++) {
		if (!strcmp(layout->columns[i].name, name))
			return i;
	}
	fail_msg("there is no column %s", name);
	return 0;
}

static const struct cell *cell(const struct table *t, size_t row, const char *name)
{
	assert_in_range(row, 0, t->rows - 1);
	return &table_row(t, row)[find(t->layout, name)];
}

static void check_ran(const struct table *t, size_t row, const char *comm, uint64_t tid,
		      uint64_t sum)
{
	assert_true(cell(t, row, "comm")->set);
	assert_string_equal(cell(t, row, "comm")->string, comm);
	assert_int_equal(cell(t, row, "tid")->set, tid != 0);
	if (tid)
		assert_int_equal(cell(t, row, "tid")->number, tid);
	assert_int_equal(cell(t, row, "sum")->number, sum);
}

static uint64_t sum_of(const struct table *t)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < t->rows; i++)
		sum += cell(t, i, "sum")->number;
	return sum;
}

static void a_switch_ends_the_run_of_whom_it_names(void **state)
{
	struct recorder r = {};
	struct table t;

	(void)state;
	switch_out(&r, 1000, 1);
	switch_out(&r, 1200, 2);
	switch_out(&r, 1500, 3);
	table_init(&t, &ran_layout);
	recorder_ran(&r, 1000, 1500, 4, &t);
	assert_int_equal(t.rows, 2);
	check_ran(&t, 0, "task3", 3, 300);
	check_ran(&t, 1, "task2", 2, 200);
	table_free(&t);
}

static void runs_count_as_far_as_they_lie_in_the_window(void **state)
{
	struct recorder r = {};
	struct table t;

	(void)state;
	switch_out(&r, 1000, 1);
	switch_out(&r, 1200, 2);
	switch_out(&r, 1500, 3);
	switch_out(&r, 1900, 4);
	table_init(&t, &ran_layout);
	recorder_ran(&r, 1150, 1600, 4, &t);
	assert_int_equal(t.rows, 3);
	check_ran(&t, 0, "task3", 3, 300);
	check_ran(&t, 1, "task4", 4, 100);
	check_ran(&t, 2, "task2", 2, 50);
	/* All of it within one run. */
	table_clear(&t);
	recorder_ran(&r, 1600, 1700, 4, &t);
	assert_int_equal(t.rows, 1);
	check_ran(&t, 0, "task4", 4, 100);
	/* Nothing is no time. */
	table_clear(&t);
	recorder_ran(&r, 1600, 1600, 4, &t);
	assert_int_equal(t.rows, 0);
	table_free(&t);
}

static void runs_of_a_thread_add_up_under_its_latest_name(void **state)
{
	struct recorder r = {};
	struct table t;

	(void)state;
	switch_out(&r, 1000, 9);
	push(&r, 1100, RECORD_SWITCH, 1, 0, "sh");
	switch_out(&r, 1250, 2);
	push(&r, 1350, RECORD_SWITCH, 1, 0, "make");
	/* The same name is not the same thread. */
	push(&r, 1380, RECORD_SWITCH, 3, 0, "make");
	table_init(&t, &ran_layout);
	recorder_ran(&r, 1000, 1380, 4, &t);
	assert_int_equal(t.rows, 3);
	check_ran(&t, 0, "make", 1, 200);
	check_ran(&t, 1, "task2", 2, 150);
	check_ran(&t, 2, "make", 3, 30);
	table_free(&t);
}

static void the_idle_task_is_named_idle(void **state)
{
	struct recorder r = {};
	struct table t;

	(void)state;
	switch_out(&r, 1000, 1);
	switch_out(&r, 1600, 0);
	switch_out(&r, 1700, 1);
	switch_out(&r, 1800, 0);
	table_init(&t, &ran_layout);
	recorder_ran(&r, 1000, 1800, 4, &t);
	assert_int_equal(t.rows, 2);
	check_ran(&t, 0, "idle", 0, 700);
	check_ran(&t, 1, "task1", 1, 100);
	table_free(&t);
}

static void a_name_may_fill_all_its_bytes(void **state)
{
	struct recorder r = {};
	struct table t;

	(void)state;
	switch_out(&r, 1000, 1);
	push(&r, 1100, RECORD_SWITCH, 2, 0, "sixteen-bytes-xx");
	table_init(&t, &ran_layout);
	recorder_ran(&r, 1000, 1100, 4, &t);
	check_ran(&t, 0, "sixteen-bytes-xx", 2, 100);
	table_free(&t);
}

static void those_who_are_too_many_are_others(void **state)
{
	struct recorder r = {};
	struct table t;
	unsigned int i;

	(void)state;
	switch_out(&r, 1000, 99);
	for (i = 1; i <= 6; i++)
		switch_out(&r, 1000 + 50 * i * (i + 1), i); /* runs of 100 to 600 */
	table_init(&t, &ran_layout);
	recorder_ran(&r, 1000, 3100, 4, &t);
	assert_int_equal(t.rows, 5);
	check_ran(&t, 0, "task6", 6, 600);
	check_ran(&t, 3, "task3", 3, 300);
	check_ran(&t, 4, "others", 0, 300);
	/* As many as there are. */
	table_clear(&t);
	recorder_ran(&r, 1000, 3100, 6, &t);
	assert_int_equal(t.rows, 6);
	check_ran(&t, 5, "task1", 1, 100);
	table_clear(&t);
	recorder_ran(&r, 1000, 3100, 0, &t);
	assert_int_equal(t.rows, 1);
	check_ran(&t, 0, "others", 0, 2100);
	table_free(&t);
}

static void what_was_before_the_first_switch_is_unknown(void **state)
{
	struct recorder r = {};
	struct table t;

	(void)state;
	table_init(&t, &ran_layout);
	recorder_ran(&r, 500, 1500, 4, &t);
	assert_int_equal(t.rows, 1);
	check_ran(&t, 0, "unknown", 0, 1000);
	table_clear(&t);

	switch_out(&r, 1000, 1);
	switch_out(&r, 1500, 2);
	recorder_ran(&r, 600, 1500, 4, &t);
	assert_int_equal(t.rows, 2);
	check_ran(&t, 0, "task2", 2, 500);
	check_ran(&t, 1, "unknown", 0, 400);
	/* Behind "others", where there are both. */
	table_clear(&t);
	recorder_ran(&r, 600, 1500, 0, &t);
	assert_int_equal(t.rows, 2);
	check_ran(&t, 0, "others", 0, 500);
	check_ran(&t, 1, "unknown", 0, 400);
	table_free(&t);
}

/* The switch to the thread that has waited is the last one, just before the window's end. */
static void the_arrival_of_the_waiting_thread_is_nobodys_run(void **state)
{
	struct recorder r = {};
	struct table t;

	(void)state;
	switch_out(&r, 1000, 1);
	switch_out(&r, 1490, 2);
	table_init(&t, &ran_layout);
	recorder_ran(&r, 1000, 1500, 4, &t);
	assert_int_equal(t.rows, 1);
	check_ran(&t, 0, "task2", 2, 490);
	table_free(&t);
}

static void only_switches_tell_who_ran(void **state)
{
	struct recorder r = {};
	struct table t;

	(void)state;
	switch_out(&r, 1000, 1);
	push(&r, 1050, RECORD_MIGRATE, 7, 1, "gone");
	push(&r, 1060, RECORD_IRQ_ENTER, 0, 11, "eth0");
	push(&r, 1070, RECORD_SOFTIRQ_ENTER, 0, 3, "");
	push(&r, 1080, RECORD_SOFTIRQ_EXIT, 0, 3, "");
	push(&r, 1090, RECORD_IRQ_EXIT, 0, 11, "");
	switch_out(&r, 1100, 2);
	table_init(&t, &ran_layout);
	recorder_ran(&r, 1000, 1100, 4, &t);
	assert_int_equal(t.rows, 1);
	check_ran(&t, 0, "task2", 2, 100);
	table_free(&t);
}

static void the_oldest_records_are_overwritten(void **state)
{
	const uint64_t all = 10 * (4 * RECORDS - 1), kept = 10 * (RECORDS - 1);
	struct recorder r = {};
	struct table t;
	unsigned int i;

	(void)state;
	/* Three threads in turn, each for 10 ns. */
	for (i = 0; i < 4 * RECORDS; i++)
		switch_out(&r, 10000 + 10 * i, 1 + i % 3);
	table_init(&t, &ran_layout);
	recorder_ran(&r, 10000, 10000 + all, 4, &t);
	assert_int_equal(t.rows, 4);
	check_ran(&t, 3, "unknown", 0, all - kept);
	assert_int_equal(sum_of(&t), all);
	for (i = 0; i < 3; i++)
		assert_in_range(cell(&t, i, "sum")->number, kept / 30 * 10, kept / 30 * 10 + 10);
	table_free(&t);
}

#define THREADS	 7
#define TIMELINE 4000

/* Random schedules, and random windows that end with a switch, as those of waits do. */
static void runs_are_those_of_the_schedule_and_add_up_to_the_window(void **state)
{
	static unsigned int schedule[TIMELINE]; /* who has the CPU at each ns */
	uint64_t random = 88172645463325252ULL, reach, from, to, now, most;
	uint64_t expected[THREADS + 1], got[THREADS + 1];
	unsigned int round, tid, before, i, switches;
	uint64_t times[TIMELINE];
	struct recorder r;
	struct table t;
	size_t row;

	(void)state;
	table_init(&t, &ran_layout);
	for (round = 0; round < 2000; round++) {
		memset(&r, 0, sizeof(r));
		before = switches = 0;
		for (now = 0; now < TIMELINE;) {
			random = random * 6364136223846793005ULL + 1442695040888963407ULL;
			tid = (random >> 40) % THREADS;
			if (now) {
				times[switches++] = now;
				switch_out(&r, 1000 + now, before);
			}
			before = tid;
			for (i = 0; i < 1 + (random >> 50) % (round % 2 ? 20 : 400); i++) {
				if (now < TIMELINE)
					schedule[now++] = tid;
			}
		}
		if (!switches)
			continue;
		reach = switches > RECORDS ? times[switches - RECORDS] : times[0];
		to = times[switches - 1 - random % (switches / 4 + 1)];
		from = (random >> 20) % to;
		most = (random >> 30) % 10;

		memset(expected, 0, sizeof(expected));
		for (now = from; now < to; now++)
			expected[now < reach ? THREADS : schedule[now]]++;
		table_clear(&t);
		recorder_ran(&r, 1000 + from, 1000 + to, most, &t);
		assert_int_equal(sum_of(&t), to - from);

		memset(got, 0, sizeof(got));
		for (row = 0; row < t.rows; row++) {
			const char *comm = cell(&t, row, "comm")->string;
			uint64_t sum = cell(&t, row, "sum")->number;

			if (!strcmp(comm, "others")) {
				assert_int_equal(row, most);
				continue;
			}
			if (row && strcmp(comm, "unknown"))
				assert_true(sum <= cell(&t, row - 1, "sum")->number);
			i = !strcmp(comm, "idle")      ? 0
			    : !strcmp(comm, "unknown") ? THREADS
						       : cell(&t, row, "tid")->number;
			assert_in_range(i, 0, THREADS);
			assert_int_equal(got[i], 0);
			got[i] = sum;
			assert_int_equal(sum, expected[i]);
		}
		assert_int_equal(got[THREADS], expected[THREADS]);
		/* Nobody is left out while there is room. */
		for (i = 0, row = 0; i < THREADS; i++)
			row += expected[i] > 0;
		assert_int_equal(t.rows, (row < most ? row : most) + (row > most) +
						 (expected[THREADS] > 0));
	}
	table_free(&t);
}

static void check_happened(const struct table *t, size_t row, const char *what, uint64_t before)
{
	assert_string_equal(cell(t, row, "what")->string, what);
	assert_int_equal(cell(t, row, "before_end")->number, before);
}

/* @length: -1 for none. */
static void check_length(const struct table *t, size_t row, long length)
{
	assert_int_equal(cell(t, row, "length")->set, length >= 0);
	if (length >= 0)
		assert_int_equal(cell(t, row, "length")->number, length);
}

static void what_happened_is_told_in_order(void **state)
{
	struct recorder r = {};
	struct table t;

	(void)state;
	switch_out(&r, 1000, 1);
	push(&r, 1010, RECORD_MIGRATE, 7, 3, "gone");
	switch_out(&r, 1040, 2);
	push(&r, 1050, RECORD_IRQ_ENTER, 0, 11, "eth0");
	push(&r, 1055, RECORD_IRQ_EXIT, 0, 11, "");
	push(&r, 1056, RECORD_SOFTIRQ_ENTER, 0, 3, "");
	push(&r, 1090, RECORD_SOFTIRQ_EXIT, 0, 3, "");
	switch_out(&r, 1100, 0);
	table_init(&t, &happened_layout);
	recorder_happened(&r, 1005, 1100, RECORDS, &t);
	assert_int_equal(t.rows, 5);

	check_happened(&t, 0, "to cpu 3", 90);
	check_length(&t, 0, -1);
	assert_int_equal(cell(&t, 0, "tid")->number, 7);
	assert_string_equal(cell(&t, 0, "comm")->string, "gone");

	check_happened(&t, 1, "ran", 60);
	check_length(&t, 1, 40);
	assert_int_equal(cell(&t, 1, "tid")->number, 2);
	assert_string_equal(cell(&t, 1, "comm")->string, "task2");

	check_happened(&t, 2, "irq 11", 50);
	check_length(&t, 2, 5);
	assert_string_equal(cell(&t, 2, "comm")->string, "eth0");
	assert_false(cell(&t, 2, "tid")->set);

	check_happened(&t, 3, "softirq NET_RX", 44);
	check_length(&t, 3, 34);

	check_happened(&t, 4, "ran", 0);
	check_length(&t, 4, 60);
	assert_string_equal(cell(&t, 4, "comm")->string, "idle");
	assert_false(cell(&t, 4, "tid")->set);
	table_free(&t);
}

static void an_interrupt_ends_with_its_own_exit(void **state)
{
	struct recorder r = {};
	struct table t;

	(void)state;
	/* One in another, and a softirq that is interrupted. */
	push(&r, 1000, RECORD_SOFTIRQ_ENTER, 0, 1, "");
	push(&r, 1010, RECORD_IRQ_ENTER, 0, 5, "disk");
	push(&r, 1015, RECORD_IRQ_ENTER, 0, 1, "timer");
	push(&r, 1017, RECORD_IRQ_EXIT, 0, 1, "");
	push(&r, 1030, RECORD_IRQ_EXIT, 0, 5, "");
	push(&r, 1070, RECORD_SOFTIRQ_EXIT, 0, 1, "");
	/* Still running. */
	push(&r, 1080, RECORD_IRQ_ENTER, 0, 5, "disk");
	push(&r, 1081, RECORD_SOFTIRQ_EXIT, 0, 5, "");
	table_init(&t, &happened_layout);
	recorder_happened(&r, 1000, 1100, RECORDS, &t);
	assert_int_equal(t.rows, 4);
	check_happened(&t, 0, "softirq TIMER", 100);
	check_length(&t, 0, 70);
	check_happened(&t, 1, "irq 5", 90);
	check_length(&t, 1, 20);
	check_happened(&t, 2, "irq 1", 85);
	check_length(&t, 2, 2);
	check_happened(&t, 3, "irq 5", 20);
	check_length(&t, 3, -1);
	table_free(&t);
}

static void only_the_window_is_told(void **state)
{
	struct recorder r = {};
	struct table t;

	(void)state;
	push(&r, 990, RECORD_IRQ_ENTER, 0, 4, "early");
	switch_out(&r, 995, 1);
	push(&r, 1005, RECORD_IRQ_EXIT, 0, 4, "");
	switch_out(&r, 1010, 2);
	push(&r, 1095, RECORD_IRQ_ENTER, 0, 6, "late");
	push(&r, 1120, RECORD_IRQ_EXIT, 0, 6, "");
	switch_out(&r, 1130, 3);
	table_init(&t, &happened_layout);
	recorder_happened(&r, 1000, 1100, RECORDS, &t);
	assert_int_equal(t.rows, 2);
	check_happened(&t, 0, "ran", 90);
	/* How long it took in all. */
	check_length(&t, 0, 15);
	check_happened(&t, 1, "irq 6", 5);
	check_length(&t, 1, 25);
	/* The ends belong to it. */
	table_clear(&t);
	recorder_happened(&r, 1010, 1095, RECORDS, &t);
	assert_int_equal(t.rows, 2);
	/* Who was switched out first has run since nobody knows when. */
	table_clear(&t);
	recorder_happened(&r, 995, 996, RECORDS, &t);
	assert_int_equal(t.rows, 1);
	check_length(&t, 0, -1);
	table_free(&t);
}

/* enum in the kernel's include/linux/interrupt.h. */
static void softirqs_have_the_kernels_names(void **state)
{
	static const char *const names[] = { "HI",	 "TIMER",   "NET_TX", "NET_RX",	 "BLOCK",
					     "IRQ_POLL", "TASKLET", "SCHED",  "HRTIMER", "RCU" };
	struct recorder r = {};
	struct table t;
	char what[32];
	unsigned int i;

	(void)state;
	for (i = 0; i < 10; i++)
		push(&r, 1000 + i, RECORD_SOFTIRQ_ENTER, 0, i, "");
	push(&r, 1010, RECORD_SOFTIRQ_ENTER, 0, 10, "");
	push(&r, 1011, RECORD_SOFTIRQ_ENTER, 0, 65535, "");
	table_init(&t, &happened_layout);
	recorder_happened(&r, 1000, 1100, RECORDS, &t);
	assert_int_equal(t.rows, 12);
	for (i = 0; i < 10; i++) {
		snprintf(what, sizeof(what), "softirq %s", names[i]);
		check_happened(&t, i, what, 100 - i);
	}
	assert_int_equal(strncmp(cell(&t, 10, "what")->string, "softirq ", 8), 0);
	table_free(&t);
}

static void a_wrapped_recorder_is_told_oldest_first(void **state)
{
	struct recorder r = {};
	struct table t;
	unsigned int i;

	(void)state;
	for (i = 0; i < 3 * RECORDS + 17; i++)
		push(&r, 1000 + i, RECORD_MIGRATE, i + 1, i % 8, "x");
	table_init(&t, &happened_layout);
	recorder_happened(&r, 0, 100000, RECORDS, &t);
	assert_int_equal(t.rows, RECORDS);
	for (i = 0; i < RECORDS; i++)
		assert_int_equal(cell(&t, i, "tid")->number, 2 * RECORDS + 17 + i + 1);
	table_free(&t);
}

static void of_too_many_things_the_last_are_told(void **state)
{
	struct recorder r = {};
	struct table t;
	unsigned int i, most;

	(void)state;
	switch_out(&r, 900, 9);
	for (i = 0; i < 5; i++) {
		switch_out(&r, 1000 + 10 * i, 1 + i);
		push(&r, 1002 + 10 * i, RECORD_IRQ_ENTER, 0, i, "disk");
		push(&r, 1005 + 10 * i, RECORD_IRQ_EXIT, 0, i, "");
	}
	switch_out(&r, 2000, 6);
	table_init(&t, &happened_layout);
	for (most = 0; most < 10; most++) {
		table_clear(&t);
		recorder_happened(&r, 1000, 1100, most, &t);
		assert_int_equal(t.rows, most + 1);
		assert_true(cell(&t, 0, "what")->set);
		assert_int_equal(strtoul(cell(&t, 0, "what")->string, NULL, 10), 10 - most);
		assert_false(cell(&t, 0, "before_end")->set);
		for (i = 0; i < most; i++) {
			/* Switches and interrupts by turns. */
			unsigned int nth = 10 - most + i;

			assert_int_equal(cell(&t, 1 + i, "before_end")->number,
					 100 - nth / 2 * 10 - nth % 2 * 2);
			check_length(&t, 1 + i, nth % 2 ? 3 : nth ? 10 : 100);
		}
	}
	/* Exactly as many. */
	table_clear(&t);
	recorder_happened(&r, 1000, 1100, 10, &t);
	assert_int_equal(t.rows, 10);
	check_happened(&t, 0, "ran", 100);
	check_length(&t, 0, 100);
	table_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_switch_ends_the_run_of_whom_it_names),
		cmocka_unit_test(runs_count_as_far_as_they_lie_in_the_window),
		cmocka_unit_test(runs_of_a_thread_add_up_under_its_latest_name),
		cmocka_unit_test(the_idle_task_is_named_idle),
		cmocka_unit_test(a_name_may_fill_all_its_bytes),
		cmocka_unit_test(those_who_are_too_many_are_others),
		cmocka_unit_test(what_was_before_the_first_switch_is_unknown),
		cmocka_unit_test(the_arrival_of_the_waiting_thread_is_nobodys_run),
		cmocka_unit_test(only_switches_tell_who_ran),
		cmocka_unit_test(the_oldest_records_are_overwritten),
		cmocka_unit_test(runs_are_those_of_the_schedule_and_add_up_to_the_window),
		cmocka_unit_test(what_happened_is_told_in_order),
		cmocka_unit_test(an_interrupt_ends_with_its_own_exit),
		cmocka_unit_test(only_the_window_is_told),
		cmocka_unit_test(softirqs_have_the_kernels_names),
		cmocka_unit_test(a_wrapped_recorder_is_told_oldest_first),
		cmocka_unit_test(of_too_many_things_the_last_are_told),
	};

	return cmocka_run_group_tests_name("the flight recorder", tests, NULL, NULL);
}
