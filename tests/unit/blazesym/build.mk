# SPDX-License-Identifier: GPL-2.0-only
#
# Unit tests of blazesym-shim/: adds its programs to UNIT_TESTS. Each is to be run from the top
# of the tree with BPF_PROF_BUILD=$(O). The programs that they look at are built here too.
#
#   make $(O)/tests/unit/blazesym/fuzz    the fuzz target, for libFuzzer
#   make fuzz-blazesym [FUZZ_SECONDS=300] run it over the fixtures
#
# Needs CC, CFLAGS, CLANG and O; SAN if tests are to run with sanitizers. Also binutils,
# elfutils and xz, whose answers tests compare with.

include blazesym-shim/build.mk

CXX ?= g++
BT_DIR := tests/unit/blazesym
BT_OUT := $(O)/tests/unit/blazesym
BT_FIX := $(BT_OUT)/fixtures
BT_CFLAGS := $(CFLAGS) -O1 -g -D_GNU_SOURCE $(SAN)
BT_OBJS := $(patsubst $(O)/blazesym/%,$(O)/san/blazesym/%,$(BLAZESYM_OBJS))
BT_TESTS := $(patsubst $(BT_DIR)/%.c,$(BT_OUT)/%,$(wildcard $(BT_DIR)/test_*.c))
UNIT_TESTS += $(BT_TESTS)

$(BT_OBJS): $(O)/san/blazesym/%.o: $(BLAZESYM_DIR)/%.c
	@mkdir -p $(@D)
	$(CC) $(BT_CFLAGS) -I$(BLAZESYM_DIR) -MMD -MP -c -o $@ $<

# For the tests of what stands on it.
$(O)/san/libblazesym_c.a: $(BT_OBJS)
	$(blazesym_archive)

$(BT_OUT)/helpers.o: $(BT_OUT)/%.o: $(BT_DIR)/%.c
	@mkdir -p $(@D)
	$(CC) $(BT_CFLAGS) -I$(BLAZESYM_DIR) -MMD -MP -c -o $@ $<

# Fixtures

BT_FIXTURES := $(addprefix $(BT_FIX)/,inline inline-nopie inline-gz inline-dwarf4 inline-clang \
	inline-stripped inline-mini inline-byid inline-bylink inline-ownlink cxx rust symbols.so \
	libshared.so sleeper jit kernel $(if $(filter x86_64,$(shell uname -m)),i386))
BT_C := $(CC) -O2 -g -Wall -Wextra
# How a file loses all symbols but the dynamic ones.
BT_STRIP := strip --strip-all

$(BT_FIX)/inline: $(BT_DIR)/fixtures/inline.c
	@mkdir -p $(@D)
	$(BT_C) -fPIE -pie -Wl,--build-id -o $@ $<

$(BT_FIX)/inline-nopie: $(BT_DIR)/fixtures/inline.c
	@mkdir -p $(@D)
	$(BT_C) -fno-pie -no-pie -o $@ $<

$(BT_FIX)/inline-gz: $(BT_DIR)/fixtures/inline.c
	@mkdir -p $(@D)
	$(BT_C) -gz -o $@ $<

$(BT_FIX)/inline-dwarf4: $(BT_DIR)/fixtures/inline.c
	@mkdir -p $(@D)
	$(BT_C) -gdwarf-4 -o $@ $<

$(BT_FIX)/inline-clang: $(BT_DIR)/fixtures/inline.c
	@mkdir -p $(@D)
	$(CLANG) -O2 -g -Wall -Wextra -o $@ $<

$(BT_FIX)/inline-stripped: $(BT_FIX)/inline
	$(BT_STRIP) -o $@ $<

# As the GDB manual has it ("MiniDebugInfo"): functions of .symtab that .dynsym does not have.
$(BT_FIX)/inline-mini: $(BT_FIX)/inline
	nm -D $< --format=posix --defined-only | awk '{ print $$1 }' | sort > $@.dyn
	nm $< --format=posix --defined-only | \
		awk '{ if ($$2 == "T" || $$2 == "t" || $$2 == "D") print $$1 }' | sort > $@.funcs
	comm -13 $@.dyn $@.funcs > $@.keep
	objcopy --only-keep-debug $< $@.debug
	objcopy -S --remove-section .gdb_index --remove-section .comment --keep-symbols=$@.keep \
		$@.debug $@.small
	xz -k -f $@.small
	$(BT_STRIP) -o $@.tmp $<
	objcopy --add-section .gnu_debugdata=$@.small.xz $@.tmp $@
	@rm -f $@.dyn $@.funcs $@.keep $@.debug $@.small $@.small.xz $@.tmp

# Debug files as distributions install them, below fixtures/debug.
$(BT_FIX)/inline-byid: $(BT_FIX)/inline
	id=$$(readelf -n $< | sed -n 's/.*Build ID: //p') && \
	dir=$(BT_FIX)/debug/.build-id/$$(echo $$id | cut -c1-2) && mkdir -p $$dir && \
	objcopy --only-keep-debug $< $$dir/$$(echo $$id | cut -c3-).debug
	$(BT_STRIP) -o $@ $<

$(BT_FIX)/inline-bylink: $(BT_DIR)/fixtures/inline.c
	@mkdir -p $(BT_FIX)/debug/$(abspath $(BT_FIX))
	$(BT_C) -Wl,--build-id=none -o $@.full $<
	objcopy --only-keep-debug $@.full $(BT_FIX)/debug/$(abspath $(BT_FIX))/inline-bylink.debug
	$(BT_STRIP) -o $@.tmp $@.full
	objcopy --add-gnu-debuglink=$(BT_FIX)/debug/$(abspath $(BT_FIX))/inline-bylink.debug $@.tmp $@
	@rm -f $@.full $@.tmp

# The same with the debug file in .debug beside it.
$(BT_FIX)/inline-ownlink: $(BT_DIR)/fixtures/inline.c
	@mkdir -p $(BT_FIX)/.debug
	$(BT_C) -Wl,--build-id=none -o $@.full $<
	objcopy --only-keep-debug $@.full $(BT_FIX)/.debug/inline-ownlink.debug
	$(BT_STRIP) -o $@.tmp $@.full
	objcopy --add-gnu-debuglink=$(BT_FIX)/.debug/inline-ownlink.debug $@.tmp $@
	@rm -f $@.full $@.tmp

$(BT_FIX)/cxx: $(BT_DIR)/fixtures/cxx.cc
	@mkdir -p $(@D)
	$(CXX) -O1 -g -fno-inline -o $@ $<

$(BT_FIX)/rust: $(BT_DIR)/fixtures/rust.c
	@mkdir -p $(@D)
	$(BT_C) -o $@ $<

# Loaded where it is not in the file: vaddr and file offset differ.
$(BT_FIX)/symbols.so: $(BT_DIR)/fixtures/symbols.S
	@mkdir -p $(@D)
	$(CC) -shared -nostdlib -Wl,-Ttext-segment=0x400000 -o $@ $<

$(BT_FIX)/libshared.so: $(BT_DIR)/fixtures/shared.c
	@mkdir -p $(@D)
	$(BT_C) -fPIC -shared -Wl,-Ttext-segment=0x10000000 -Wl,--build-id -o $@ $<

$(BT_FIX)/sleeper: $(BT_DIR)/fixtures/sleeper.c $(BT_FIX)/libshared.so
	$(BT_C) -fPIE -pie -fcf-protection -Wl,-z,lazy -o $@ $< -L$(BT_FIX) -lshared '-Wl,-rpath,$$ORIGIN'

$(BT_FIX)/jit: $(BT_DIR)/fixtures/jit.c
	@mkdir -p $(@D)
	$(BT_C) -static -o $@ $<

$(BT_FIX)/i386: $(BT_DIR)/fixtures/freestanding.c
	@mkdir -p $(@D)
	$(BT_C) -m32 -ffreestanding -fno-pie -nostdlib -static -Wl,-e,_stext -o $@ $<

$(BT_FIX)/kernel: $(BT_DIR)/fixtures/freestanding.c
	@mkdir -p $(@D)
	$(BT_C) $(if $(filter x86_64,$(shell uname -m)),-mcmodel=kernel) -ffreestanding -fno-pie \
		-nostdlib -static -Wl,-Ttext-segment=0xffffffff81000000 -Wl,-e,_stext -o $@ $<

# Tests

$(BT_TESTS): $(BT_OUT)/%: $(BT_DIR)/%.c $(BT_OUT)/helpers.o $(BT_OBJS) | $(BT_FIXTURES)
	$(CC) $(BT_CFLAGS) -I$(BLAZESYM_DIR) -MMD -MP -o $@ $< $(BT_OUT)/helpers.o $(BT_OBJS) \
		-lcmocka $(SHIM_LIBS)

# Fuzzing

FUZZ_SECONDS ?= 300
BT_FUZZ_FLAGS := -O1 -g -std=gnu11 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined \
	-fno-sanitize-recover=all

$(BT_OUT)/fuzz: $(BT_DIR)/fuzz.c $(BLAZESYM_OBJS:$(O)/blazesym/%.o=$(BLAZESYM_DIR)/%.c)
	@mkdir -p $(@D)
	$(CLANG) $(BT_FUZZ_FLAGS) -I$(BLAZESYM_DIR) -o $@ $^ $(SHIM_LIBS)

# What libFuzzer starts from: each fixture, led by the byte that says what it is.
$(BT_OUT)/corpus: $(BT_DIR)/corpus.sh | $(BT_FIXTURES)
	@rm -rf $@
	sh $< $(BT_FIX) $@

fuzz-blazesym: $(BT_OUT)/fuzz $(BT_OUT)/corpus
	@mkdir -p $(BT_OUT)/found
	$< -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=2048 -max_len=65536 -len_control=0 \
		-artifact_prefix=$(BT_OUT)/found/ -print_final_stats=1 $(BT_OUT)/found \
		$(BT_OUT)/corpus

.PHONY: fuzz-blazesym

-include $(BT_OBJS:.o=.d) $(BT_TESTS:=.d) $(BT_OUT)/helpers.d
