// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel functions' arguments: the types are those of the kernel's own sources, which all supported
 * kernels have, and places those of the calling conventions.
 */
#include "helpers.h"

#include <bpf/btf.h>
#include <stdlib.h>
#include <string.h>
#include "events/kernel_functions.h"
#include "events/prototype.h"
#include "events/registers.h"
#include "kernel.h"

static struct event event;

/* The fields of @function. */
static void fields_of(const char *function, enum argument_places places)
{
	static struct event_list list;

	events_free(&list);
	event = *event_add(&list, &fentry_kind, strdup("a function"));
	list.count = 0;
	event.function = strdup(function);
	if (!kernel_btf()) {
		print_message("the kernel has no BTF here\n");
		skip();
	}
	assert_int_equal(prototype_fields(&event, places), 0);
	/* All that it has is freed as the list's. */
	list.events[list.count++] = event;
}

static const struct expr_field *field(const char *name)
{
	size_t i;

	for (i = 0; i < event.scope_count; i++) {
		if (!strcmp(event.scope[i].name, name))
			return &event.scope[i];
	}
	fail_msg("%s has no %s", event.function, name);
	return NULL;
}

/* int tcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t size), include/net/tcp.h */
static void types_are_those_of_the_prototype(void **state)
{
	const struct registers *r = registers_of(HOST_MACHINE);
	const struct expr_field *f;

	(void)state;
	fields_of("tcp_sendmsg", ARGUMENTS_IN_REGISTERS);
	assert_int_equal(event.scope_count, 6);
	f = field("sk");
	assert_int_equal(f->content, CONTENT_POINTER);
	assert_int_equal(f->place, PLACE_WORD);
	assert_int_equal(f->offset, r->arguments[0]);
	assert_int_equal(f->btf_type,
			 btf__find_by_name_kind(kernel_btf(), "sock", BTF_KIND_STRUCT));
	assert_int_equal(field("arg0")->btf_type, f->btf_type);
	f = field("size");
	assert_int_equal(f->content, CONTENT_NUMBER);
	assert_int_equal(f->size, 8);
	assert_false(f->is_signed);
	assert_int_equal(f->offset, r->arguments[2]);

	fields_of("tcp_sendmsg", RESULT_IN_REGISTER);
	assert_int_equal(event.scope_count, 1);
	f = field("ret");
	assert_int_equal(f->size, 4);
	assert_true(f->is_signed);
	assert_int_equal(f->offset, r->result);

	fields_of("tcp_sendmsg", RESULT_BEHIND_WORDS);
	assert_int_equal(event.scope_count, 7);
	assert_int_equal(field("size")->offset, 16);
	assert_int_equal(field("ret")->offset, 24);
}

/* void wake_up_new_task(struct task_struct *p), include/linux/sched/task.h */
static void what_returns_nothing_has_no_result(void **state)
{
	(void)state;
	fields_of("wake_up_new_task", RESULT_IN_REGISTER);
	assert_int_equal(event.field_count, 0);
	fields_of("wake_up_new_task", RESULT_BEHIND_WORDS);
	assert_int_equal(event.scope_count, 2);
	assert_int_equal(field("p")->offset, 0);
}

/* ssize_t vfs_write(struct file *, const char __user *, size_t, loff_t *pos), include/linux/fs.h */
static void pointers_lead_to_what_they_point_to(void **state)
{
	(void)state;
	fields_of("vfs_write", ARGUMENTS_IN_WORDS);
	assert_int_equal(field("arg0")->content, CONTENT_POINTER);
	assert_true(field("arg1")->content == CONTENT_STRING ||
		    field("arg1")->content == CONTENT_USER_STRING);
	assert_int_equal(field("arg3")->content, CONTENT_NUMBER);
	assert_int_equal(field("arg3")->offset, 24);
}

/* do_mmap() has eight arguments or more: behind those in registers, they are on the stack. */
static void arguments_follow_on_the_stack(void **state)
{
	const struct registers *r = registers_of(HOST_MACHINE);
	const struct expr_field *f;
	unsigned int i;
	char name[16];

	(void)state;
	fields_of("do_mmap", ARGUMENTS_IN_REGISTERS);
	assert_in_range(event.scope_count, 16, 20);
	for (i = 0; i < event.scope_count / 2; i++) {
		snprintf(name, sizeof(name), "arg%u", i);
		f = field(name);
		if (i < r->argument_count) {
			assert_int_equal(f->place, PLACE_WORD);
			assert_int_equal(f->offset, r->arguments[i]);
			continue;
		}
		assert_int_equal(f->place, PLACE_KERNEL);
		assert_int_equal(f->base, r->stack);
		assert_int_equal(f->displacement, r->first_on_stack + 8 * (i - r->argument_count));
	}
}

static void prototypes_are_written_as_in_c(void **state)
{
	char *text;

	(void)state;
	fields_of("tcp_sendmsg", ARGUMENTS_IN_WORDS);
	text = prototype_text(&event);
	assert_string_equal(text,
			    "int tcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t size)");
	free(text);
	fields_of("wake_up_new_task", ARGUMENTS_IN_WORDS);
	text = prototype_text(&event);
	assert_string_equal(text, "void wake_up_new_task(struct task_struct *p)");
	free(text);
}

/* What the BTF does not know is in registers all the same; behind a function's begin, too. */
static void without_a_prototype_there_are_registers(void **state)
{
	const struct registers *r = registers_of(HOST_MACHINE);

	(void)state;
	fields_of("no_such_function", ARGUMENTS_IN_REGISTERS);
	assert_int_equal(event.scope_count, r->argument_count);
	assert_int_equal(field("arg1")->offset, r->arguments[1]);
	assert_int_equal(field("arg1")->size, 8);
	fields_of("no_such_function", RESULT_IN_REGISTER);
	assert_int_equal(event.scope_count, 1);
	assert_true(field("ret")->is_signed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_are_those_of_the_prototype),
		cmocka_unit_test(what_returns_nothing_has_no_result),
		cmocka_unit_test(pointers_lead_to_what_they_point_to),
		cmocka_unit_test(arguments_follow_on_the_stack),
		cmocka_unit_test(prototypes_are_written_as_in_c),
		cmocka_unit_test(without_a_prototype_there_are_registers),
	};

	return cmocka_run_group_tests_name("event_prototype", tests, NULL, NULL);
}
