# SPDX-License-Identifier: GPL-2.0-only
# What tests/bench/* need beside the units. Included from the top of the tree; adds to
# BENCH_PROGRAMS.

BENCH_PROGRAMS += $(O)/bench/floor $(O)/bench/stamp $(O)/bench/symbolize_bench \
	$(O)/bench/malloc_bench

$(O)/bench/floor.bpf.o: tests/bench/floor.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -D__TARGET_ARCH_$(ARCH) -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< \
		-o $(@:.o=.tmp)
	$(BPFTOOL) gen object $@ $(@:.o=.tmp)

$(O)/bench/floor.skel.h: $(O)/bench/floor.bpf.o
	$(BPFTOOL) gen skeleton $< name floor > $@.tmp
	@mv $@.tmp $@

$(O)/bench/floor: tests/bench/floor.c $(O)/bench/floor.skel.h
	$(CC) $(CPPFLAGS) -I$(O)/bench $(CFLAGS) $(LDFLAGS) -MMD -MP $< $(LDLIBS) -o $@

$(O)/bench/stamp: tests/bench/stamp.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -MMD -MP $< -o $@

$(O)/bench/symbolize_bench: tests/bench/symbolize_bench.c $(filter %.a,$(BLAZESYM_LIBS)) \
		scripts/no-unwind.ld
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -MMD -MP $< $(BLAZESYM_LIBS) $(LDLIBS) -o $@

# With frame pointers, by which stacks are taken; and every malloc() is called.
$(O)/bench/malloc_bench: tests/bench/malloc_bench.c
	@mkdir -p $(@D)
	$(CC) -O2 -g -std=gnu11 -D_GNU_SOURCE -fno-omit-frame-pointer -fno-builtin $(WARN) -MMD -MP $< \
		-o $@

BENCH_PROGRAMS += $(O)/bench/expr

$(O)/bench/expr.bpf.o: tests/bench/expr.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -D__TARGET_ARCH_$(ARCH) -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< \
		-o $(@:.o=.tmp)
	$(BPFTOOL) gen object $@ $(@:.o=.tmp)

$(O)/bench/expr.skel.h: $(O)/bench/expr.bpf.o
	$(BPFTOOL) gen skeleton $< name expr_bench > $@.tmp
	@mv $@.tmp $@

$(O)/bench/expr: tests/bench/expr.c $(O)/bench/expr.skel.h $(O)/libcommon.a
	$(CC) $(CPPFLAGS) -I$(O)/bench $(CFLAGS) $(LDFLAGS) -MMD -MP $< $(O)/libcommon.a $(LDLIBS) -o $@

BENCH_PROGRAMS += $(O)/bench/pace

$(O)/bench/pace: tests/bench/pace.c
	@mkdir -p $(@D)
	$(CC) -O2 -g -std=gnu11 -D_GNU_SOURCE $(WARN) -MMD -MP $< -o $@ -lpthread
