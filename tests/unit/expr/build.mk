# SPDX-License-Identifier: GPL-2.0-only
#
# Expressions in the kernel: a program that runs in any guest, and the cases that it runs, with the
# values that gcc and fnmatch(3) say they have. EXPR_CASES and EXPR_SEED make others.

EXPR_CASES ?= 3000
EXPR_SEED ?= 1
EXPR_OUT := $(O)/tests/unit/expr
UNIT_TESTS += $(EXPR_OUT)/test_expr_kernel
# Guests run them too.
SMOKE_PROGRAMS += $(EXPR_OUT)/test_expr_kernel $(EXPR_OUT)/test_slots

$(EXPR_OUT)/cases: tests/unit/expr/generate
	@mkdir -p $(@D)
	$< $(EXPR_CASES) $(EXPR_SEED) $(@D)

$(EXPR_OUT)/test_expr_kernel: tests/unit/expr/test_expr_kernel.c $(O)/libcommon.a $(EXPR_OUT)/cases
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -Wl,--gc-sections -static -MMD -MP $< $(O)/libcommon.a $(LDLIBS) -o $@

# Slots, in a skeleton of their own.
UNIT_TESTS += $(EXPR_OUT)/test_slots

$(EXPR_OUT)/slots.bpf.o: tests/unit/expr/slots.bpf.c $(O)/flags
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -Itests/unit/expr -D__TARGET_ARCH_$(ARCH) -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< \
		-o $(@:.o=.tmp)
	$(BPFTOOL) gen object $@ $(@:.o=.tmp)

$(EXPR_OUT)/slots.skel.h: $(EXPR_OUT)/slots.bpf.o
	$(BPFTOOL) gen skeleton $< name slots > $@.tmp
	@mv $@.tmp $@

$(EXPR_OUT)/test_slots: tests/unit/expr/test_slots.c $(EXPR_OUT)/slots.skel.h $(O)/tests/unit/helpers.o \
		$(SAN_LIBS)
	$(CC) $(CPPFLAGS) -I$(EXPR_OUT) -Ivmlinux -Itests/unit/expr $(SAN_CFLAGS) -MMD -MP $< $(O)/tests/unit/helpers.o -o $@ \
		$(SAN_LIBS) $(SHIM_LIBS) $(LDLIBS) -lcmocka

# make fuzz-expr [FUZZ_SECONDS=300]: libFuzzer over the parser and what it makes, from some cases on.
$(EXPR_OUT)/fuzz: tests/unit/expr/fuzz.c $(wildcard common/expr/*.c) common/caret.c \
		common/comm_glob.c common/utf8.c common/say.c common/verifier.c
	@mkdir -p $(@D)
	$(CLANG) $(CPPFLAGS) $(BT_FUZZ_FLAGS) -o $@ $^ -lbpf

$(EXPR_OUT)/corpus: $(EXPR_OUT)/cases
	@rm -rf $@
	@mkdir -p $@.tmp
	sed -n 's/^number \([-0-9]* \)\{5\}//p; s/^string \([01] \)\{6\}//p' $< | \
		awk -v folder=$@.tmp 'NR % 10 == 1 { print > (folder "/" NR) }'
	@mv $@.tmp $@

fuzz-expr: $(EXPR_OUT)/fuzz $(EXPR_OUT)/corpus
	@mkdir -p $(EXPR_OUT)/found
	$< -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=2048 -max_len=4200 -len_control=0 \
		-dict=tests/unit/expr/words -artifact_prefix=$(EXPR_OUT)/found/ -print_final_stats=1 \
		$(EXPR_OUT)/found $(EXPR_OUT)/corpus

.PHONY: fuzz-expr
