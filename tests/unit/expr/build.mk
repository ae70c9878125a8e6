# SPDX-License-Identifier: GPL-2.0-only
#
# Expressions in the kernel: a program that runs in any guest, and the cases that it runs, with the
# values that gcc and fnmatch(3) say they have. EXPR_CASES and EXPR_SEED make others.

EXPR_CASES ?= 3000
EXPR_SEED ?= 1
EXPR_OUT := $(O)/tests/unit/expr
UNIT_TESTS += $(EXPR_OUT)/test_expr_kernel

$(EXPR_OUT)/cases: tests/unit/expr/generate
	@mkdir -p $(@D)
	$< $(EXPR_CASES) $(EXPR_SEED) $(@D)

$(EXPR_OUT)/test_expr_kernel: tests/unit/expr/test_expr_kernel.c $(O)/libcommon.a $(EXPR_OUT)/cases
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -Wl,--gc-sections -static -MMD -MP $< $(O)/libcommon.a $(LDLIBS) -o $@
