// SPDX-License-Identifier: GPL-2.0-only
/*
 * USDT probes' arguments, as assemblers for x86_64 and arm64 write them. Where registers are comes
 * from the kernel's uapi/asm/ptrace.h of either.
 */
#include "helpers.h"

#include <asm/ptrace.h>
#include <elf.h>
#include <string.h>
#include "events/registers.h"
#include "events/usdt_argument.h"

/* Words of the registers that are used here. */
enum {
	X86_RBP = 4 * 8,
	X86_RBX = 5 * 8,
	X86_RAX = 10 * 8,
	X86_RSI = 13 * 8,
	X86_RDI = 14 * 8,
	X86_RIP = 16 * 8,
	X86_RSP = 19 * 8,
	ARM64_SP = 31 * 8,
};

#define PROBE  0x1000
#define SYMBOL 0x4010

static bool symbol(const char *name, size_t length, uint64_t *address, void *arg)
{
	(void)arg;
	*address = SYMBOL;
	return length == 7 && !strncmp(name, "counter", 7);
}

static bool parse(unsigned int machine, const char *text, struct expr_field *field)
{
	const struct usdt_probe probe = { .machine = machine, .address = PROBE, .symbol = symbol };

	return usdt_argument_parse(text, strlen(text), &probe, field);
}

static const struct {
	unsigned int machine;
	const char *text;
	struct expr_field field;
} good[] = {
	{ EM_X86_64,
	  "-4@%edi",
	  { .place = PLACE_WORD, .offset = X86_RDI, .size = 4, .is_signed = true } },
	{ EM_X86_64, "8@%rax", { .place = PLACE_WORD, .offset = X86_RAX, .size = 8 } },
	{ EM_X86_64, "1@%ah", { .place = PLACE_WORD, .offset = X86_RAX + 1, .size = 1 } },
	{ EM_X86_64, "2@%ah", { .place = PLACE_WORD, .offset = X86_RAX + 1, .size = 1 } },
	{ EM_X86_64,
	  "-8@%edi",
	  { .place = PLACE_WORD, .offset = X86_RDI, .size = 4, .is_signed = true } },
	{ EM_X86_64,
	  "-1@%sil",
	  { .place = PLACE_WORD, .offset = X86_RSI, .size = 1, .is_signed = true } },
	{ EM_X86_64, "2@%bx", { .place = PLACE_WORD, .offset = X86_RBX, .size = 2 } },
	{ EM_X86_64, "4@%r8d", { .place = PLACE_WORD, .offset = 9 * 8, .size = 4 } },
	{ EM_X86_64, "%ax", { .place = PLACE_WORD, .offset = X86_RAX, .size = 2 } },
	{ EM_X86_64,
	  "-4@$-7",
	  { .place = PLACE_CONSTANT, .constant = -7, .size = 4, .is_signed = true } },
	{ EM_X86_64, "4@$-1", { .place = PLACE_CONSTANT, .constant = 0xffffffff, .size = 4 } },
	{ EM_X86_64,
	  "8@$0xffffffffffffffff",
	  { .place = PLACE_CONSTANT, .constant = UINT64_MAX, .size = 8 } },
	{ EM_X86_64,
	  "-8@-16(%rbp)",
	  { .place = PLACE_USER,
	    .base = X86_RBP,
	    .displacement = -16,
	    .size = 8,
	    .is_signed = true } },
	{ EM_X86_64, "8@(%rsp)", { .place = PLACE_USER, .base = X86_RSP, .size = 8 } },
	{ EM_X86_64,
	  "4@8(%rax,%rbx,4)",
	  { .place = PLACE_USER,
	    .base = X86_RAX,
	    .index = X86_RBX,
	    .scale = 4,
	    .displacement = 8,
	    .size = 4 } },
	{ EM_X86_64,
	  "4@(%rax,%rbx)",
	  { .place = PLACE_USER, .base = X86_RAX, .index = X86_RBX, .scale = 1, .size = 4 } },
	{ EM_X86_64,
	  "4@counter(%rip)",
	  { .place = PLACE_USER, .base = X86_RIP, .displacement = SYMBOL - PROBE, .size = 4 } },
	{ EM_X86_64,
	  "4@8+counter(%rip)",
	  { .place = PLACE_USER, .base = X86_RIP, .displacement = SYMBOL + 8 - PROBE, .size = 4 } },
	{ EM_X86_64,
	  "4@counter-4(%rip)",
	  { .place = PLACE_USER, .base = X86_RIP, .displacement = SYMBOL - 4 - PROBE, .size = 4 } },
	{ EM_AARCH64,
	  "-4@w3",
	  { .place = PLACE_WORD, .offset = 3 * 8, .size = 4, .is_signed = true } },
	{ EM_AARCH64, "8@x30", { .place = PLACE_WORD, .offset = 30 * 8, .size = 8 } },
	{ EM_AARCH64, "8@sp", { .place = PLACE_WORD, .offset = ARM64_SP, .size = 8 } },
	{ EM_AARCH64,
	  "-4@[sp, 12]",
	  { .place = PLACE_USER,
	    .base = ARM64_SP,
	    .displacement = 12,
	    .size = 4,
	    .is_signed = true } },
	{ EM_AARCH64, "8@[x1]", { .place = PLACE_USER, .base = 8, .size = 8 } },
	{ EM_AARCH64,
	  "8@[x29,#-24]",
	  { .place = PLACE_USER, .base = 29 * 8, .displacement = -24, .size = 8 } },
	{ EM_AARCH64,
	  "4@[x1, x2]",
	  { .place = PLACE_USER, .base = 8, .index = 16, .scale = 1, .size = 4 } },
	{ EM_AARCH64,
	  "4@[x1, x2, lsl 2]",
	  { .place = PLACE_USER, .base = 8, .index = 16, .scale = 4, .size = 4 } },
	{ EM_AARCH64,
	  "-4@-5",
	  { .place = PLACE_CONSTANT, .constant = -5, .size = 4, .is_signed = true } },
	{ EM_AARCH64, "1@200", { .place = PLACE_CONSTANT, .constant = 200, .size = 1 } },
};

static void places_are_those_of_the_text(void **state)
{
	struct expr_field found;
	unsigned int i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		const struct expr_field *f = &good[i].field;

		if (!parse(good[i].machine, good[i].text, &found))
			fail_msg("%s was refused", good[i].text);
		if (found.place != f->place || found.offset != f->offset || found.size != f->size ||
		    found.is_signed != f->is_signed || found.base != f->base ||
		    found.index != f->index || found.scale != f->scale ||
		    found.displacement != f->displacement || found.constant != f->constant ||
		    found.content != CONTENT_NUMBER)
			fail_msg("%s: place %u, offset %u, size %u, base %u + %u * %u + %lld, %lld",
				 good[i].text, found.place, found.offset, found.size, found.base,
				 found.index, found.scale, (long long)found.displacement,
				 (long long)found.constant);
	}
}

static void what_is_no_integer_is_refused(void **state)
{
	static const struct {
		unsigned int machine;
		const char *text;
	} cases[] = {
		{ EM_X86_64, "" },
		{ EM_X86_64, "4@" },
		{ EM_X86_64, "8f@%xmm0" },
		{ EM_X86_64, "16@%xmm0" },
		{ EM_X86_64, "3@%eax" },
		{ EM_X86_64, "4@%zax" },
		{ EM_X86_64, "4@%eax,x" },
		{ EM_X86_64, "4@(%eax)" },
		{ EM_X86_64, "4@8(%rax" },
		{ EM_X86_64, "4@(%rax,%rbx,3)" },
		{ EM_X86_64, "4@unknown(%rip)" },
		{ EM_X86_64, "4@counter(%rax)" },
		{ EM_X86_64, "4@%fs:16" },
		{ EM_X86_64, "4@$" },
		{ EM_X86_64, "4@w3" },
		{ EM_X86_64, "4@8" },
		{ EM_AARCH64, "4@%eax" },
		{ EM_AARCH64, "4@x31" },
		{ EM_AARCH64, "8@d0" },
		{ EM_AARCH64, "4@[w1]" },
		{ EM_AARCH64, "4@[x1, 8" },
		{ EM_AARCH64, "4@[x1, x2, lsl 5]" },
		{ EM_AARCH64, "4@[x1, x2, sxtw 2]" },
		{ EM_386, "4@%eax" },
	};
	struct expr_field field;
	unsigned int i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		if (parse(cases[i].machine, cases[i].text, &field))
			fail_msg("%s was taken", cases[i].text);
	}
}

static void arguments_have_spaces_between(void **state)
{
	static const char *const expected[] = { "-4@[sp, 12]", "8@x1", "4@8(%rax, %rbx)", "1@$3" };
	const char *text = " -4@[sp, 12] 8@x1  4@8(%rax, %rbx) 1@$3 ", *argument;
	unsigned int i = 0;
	size_t length;

	(void)state;
	for (; usdt_argument_next(&text, &argument, &length); i++) {
		assert_in_range(i, 0, COUNT(expected) - 1);
		assert_int_equal(length, strlen(expected[i]));
		assert_memory_equal(argument, expected[i], length);
	}
	assert_int_equal(i, COUNT(expected));
	text = "";
	assert_false(usdt_argument_next(&text, &argument, &length));
}

/* Damaged notes hold any bytes: nothing but what is within the text may be read. */
static void any_text_will_do(void **state)
{
	static const char letters[] = "-+0123456789@%$()[], #abcdirspxwlh\xff";
	struct expr_field field;
	const char *p, *argument;
	unsigned int round, i;
	size_t length;
	char *text;

	(void)state;
	for (round = 0; round < 200000; round++) {
		size_t size = random64() % 24;

		/* Its very end is known to the sanitizer. */
		text = test_malloc(size + 1);
		for (i = 0; i < size; i++)
			text[i] = letters[random64() % (sizeof(letters) - 1)];
		text[size] = 0;
		for (p = text; usdt_argument_next(&p, &argument, &length);) {
			const struct usdt_probe probe = { .machine = round % 2 ? EM_X86_64
									       : EM_AARCH64,
							  .symbol = symbol };

			usdt_argument_parse(argument, length, &probe, &field);
		}
		test_free(text);
	}
}

/* The machine that this is: the compiler knows where its registers are. */
static void registers_are_where_the_kernel_has_them(void **state)
{
	const struct registers *r = registers_of(HOST_MACHINE);

	(void)state;
	assert_non_null(r);
#if defined(__x86_64__)
	assert_int_equal(r->arguments[0], offsetof(struct pt_regs, rdi));
	assert_int_equal(r->arguments[1], offsetof(struct pt_regs, rsi));
	assert_int_equal(r->arguments[2], offsetof(struct pt_regs, rdx));
	assert_int_equal(r->arguments[3], offsetof(struct pt_regs, rcx));
	assert_int_equal(r->arguments[4], offsetof(struct pt_regs, r8));
	assert_int_equal(r->arguments[5], offsetof(struct pt_regs, r9));
	assert_int_equal(r->result, offsetof(struct pt_regs, rax));
	assert_int_equal(r->stack, offsetof(struct pt_regs, rsp));
	assert_int_equal(r->ip, offsetof(struct pt_regs, rip));
	assert_int_equal(r->size, sizeof(struct pt_regs));
#elif defined(__aarch64__)
	assert_int_equal(r->arguments[7], offsetof(struct user_pt_regs, regs[7]));
	assert_int_equal(r->stack, offsetof(struct user_pt_regs, sp));
	assert_int_equal(r->ip, offsetof(struct user_pt_regs, pc));
	assert_int_equal(r->size, sizeof(struct user_pt_regs));
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_are_those_of_the_text),
		cmocka_unit_test(what_is_no_integer_is_refused),
		cmocka_unit_test(arguments_have_spaces_between),
		cmocka_unit_test(any_text_will_do),
		cmocka_unit_test(registers_are_where_the_kernel_has_them),
	};

	return cmocka_run_group_tests_name("usdt_argument", tests, NULL, NULL);
}
