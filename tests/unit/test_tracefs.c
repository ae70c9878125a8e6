// SPDX-License-Identifier: GPL-2.0-only
/* Tracepoints' fields and numbers, compared with what this program reads by itself. */
#include "helpers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "tracefs.h"

#define ROOM 32

static const struct trace_field *find(const struct trace_field *fields, int count, const char *name)
{
	int i;

	for (i = 0; i < count; i++) {
		if (!strcmp(fields[i].name, name))
			return &fields[i];
	}
	fail_msg("no field %s", name);
	return NULL;
}

static void need_tracefs(void)
{
	int fd = tracefs_open("events/header_page");

	if (fd < 0) {
		print_message("no tracefs here: %s\n", strerror(-fd));
		skip();
	}
	close(fd);
}

/* Since Linux 2.6, and as it is in the kernel: include/trace/events/sched.h. */
static void fields_are_where_the_record_has_them(void **state)
{
	struct trace_field fields[ROOM];
	const struct trace_field *comm, *pid;
	int count;

	(void)state;
	need_tracefs();
	count = tracepoint_fields("sched", "sched_wakeup", fields, ROOM);
	assert_in_range(count, 4, ROOM);
	comm = find(fields, count, "comm");
	assert_int_equal(comm->offset, 8);
	assert_int_equal(comm->size, 16);
	assert_true(comm->is_array);
	pid = find(fields, count, "pid");
	assert_int_equal(pid->offset, comm->offset + comm->size);
	assert_int_equal(pid->size, 4);
	assert_true(pid->is_signed);
	assert_false(pid->is_array);
	/* With room for two, two are filled, and all are counted. */
	memset(fields, 0, sizeof(fields));
	assert_int_equal(tracepoint_fields("sched", "sched_wakeup", fields, 2), count);
	assert_string_equal(fields[1].name, "pid");
	assert_string_equal(fields[2].name, "");
	assert_int_equal(tracepoint_fields("sched", "sched_wakeup", NULL, 0), count);
}

/* Types are as in the kernel's include/trace/events, all since before Linux 5.10. */
static void types_are_as_written(void **state)
{
	static const struct {
		const char *system, *event, *field, *type;
		unsigned int elements;
		bool is_array, is_dynamic;
	} cases[] = {
		{ "sched", "sched_wakeup", "comm", "char[16]", 16, true, false },
		{ "sched", "sched_wakeup", "prio", "int", 0, false, false },
		{ "raw_syscalls", "sys_enter", "args", "unsigned long[6]", 6, true, false },
		{ "sched", "sched_process_exec", "filename", "__data_loc char[]", 0, true, true },
		{ "kmem", "kfree", "ptr", "const void *", 0, false, false },
		{ "syscalls", "sys_enter_openat", "filename", "const char *", 0, false, false },
	};
	struct trace_field fields[ROOM];
	unsigned int i;

	(void)state;
	need_tracefs();
	for (i = 0; i < COUNT(cases); i++) {
		int count = tracepoint_fields(cases[i].system, cases[i].event, fields, ROOM);
		const struct trace_field *field;

		if (count == -ENOENT) { /* CONFIG_FTRACE_SYSCALLS */
			assert_int_equal(access("/sys/kernel/tracing/events/syscalls", F_OK), -1);
			continue;
		}
		assert_in_range(count, 1, ROOM);
		field = find(fields, count, cases[i].field);
		assert_string_equal(field->type, cases[i].type);
		assert_int_equal(field->elements, cases[i].elements);
		assert_int_equal(field->is_array, cases[i].is_array);
		assert_int_equal(field->is_dynamic, cases[i].is_dynamic);
		assert_false(field->relative);
	}
}

static unsigned int seen;

static int see(const char *system, const char *event, void *arg)
{
	if (!strcmp(system, "sched") && !strcmp(event, "sched_switch"))
		seen++;
	return *event ? *(int *)arg : -EINVAL;
}

static void all_events_are_listed(void **state)
{
	int stop = 0;

	(void)state;
	need_tracefs();
	seen = 0;
	assert_int_equal(tracepoint_each(see, &stop), 0);
	assert_int_equal(seen, 1);
	stop = 7;
	assert_int_equal(tracepoint_each(see, &stop), 7);
}

static void an_event_has_a_number(void **state)
{
	(void)state;
	need_tracefs();
	assert_true(tracepoint_id("sched", "sched_wakeup") > 0);
	assert_int_not_equal(tracepoint_id("sched", "sched_wakeup"),
			     tracepoint_id("sched", "sched_switch"));
}

static void what_is_not_there_is_said_to_be_so(void **state)
{
	(void)state;
	need_tracefs();
	assert_int_equal(tracepoint_id("sched", "no_such_event"), -ENOENT);
	assert_int_equal(tracepoint_fields("none", "sched_wakeup", NULL, 0), -ENOENT);
	assert_int_equal(tracepoint_fields("sched/sched_wakeup/..", "sched_wakeup", NULL, 0),
			 -ENOENT);
	assert_int_equal(tracepoint_fields("sched", "../../events/sched/sched_wakeup", NULL, 0),
			 -ENOENT);
	assert_int_equal(tracefs_open("no/such/file"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_where_the_record_has_them),
		cmocka_unit_test(types_are_as_written),
		cmocka_unit_test(all_events_are_listed),
		cmocka_unit_test(an_event_has_a_number),
		cmocka_unit_test(what_is_not_there_is_said_to_be_so),
	};

	return cmocka_run_group_tests_name("tracefs", tests, NULL, NULL);
}
