# SPDX-License-Identifier: GPL-2.0-only
#
# make              build everything into build/ (O=DIR: into DIR)
# make demo         install what is missing, build, show a report of a real load
# make test         install what is missing, build, run all tests
# make test-kernels [KERNELS="6.12 ..."]: only the tests on other kernels
# make bench        measure against the floor and against peers
# make install      [PREFIX=/usr/local] [DESTDIR=]
# make dist         a tarball of stripped static binaries
#
# SHARED=1 links dynamically. BLAZESYM=PREFIX takes the real libblazesym_c, from PREFIX, for the
# one in blazesym-shim/.

O ?= build
$(if $(filter 1,$(words $(O))),,$(error the object directory is one path, without spaces: '$(O)'))
UNITS := $(foreach unit,$(notdir $(patsubst %/,%,$(wildcard tools/*/))),$\
	$(if $(wildcard tools/$(unit)/$(unit).c),$(unit)))

CC := gcc
CLANG := clang
BPFTOOL := $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v bpftool || echo bpftool)
AR := ar

ARCH := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
VERSION := $(shell sed -n 's/^.define VERSION *"\(.*\)"/\1/p' common/version.h)
PREFIX ?= /usr/local

WARN := -Wall -Wextra -Werror
# Small: an executable is copied to the machine that it is for.
CFLAGS := -Os -g -std=gnu11 -D_GNU_SOURCE -ffunction-sections -fdata-sections \
	  -fno-asynchronous-unwind-tables $(WARN)
CPPFLAGS = -Ibpf -Icommon $(BLAZESYM_CFLAGS)
# libbpf's BPF_PROG() declares a ctx that most programs do not use.
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v2 $(WARN) -Wno-unused-parameter -Ivmlinux -Ibpf
# The real blazesym is Rust's, which may want its unwind tables.
LDFLAGS := -Wl,--gc-sections -Wl,--as-needed -Wl,-z,noseparate-code $(if $(SHARED),,-static) \
	   $(if $(SHARED)$(BLAZESYM),,-Wl,-T,scripts/no-unwind.ld)
LDLIBS := -lbpf -lelf -lz -ljson-c -lm

all: $(UNITS:%=$(O)/%)

include blazesym-shim/build.mk

# What was built with other flags is built anew.
FLAGS := $(CC) $(CLANG) $(CFLAGS) $(CPPFLAGS) $(BPF_CFLAGS) $(LDFLAGS) $(LDLIBS) $(filter-out $(O)/%,$(BLAZESYM_LIBS))
ifneq ($(FLAGS),$(shell cat $(O)/flags 2>/dev/null))
$(shell mkdir -p $(O) && echo '$(FLAGS)' > $(O)/flags)
endif

# What userspace shares.
COMMON := $(patsubst common/%.c,$(O)/common/%.o,$(wildcard common/*.c common/*/*.c))

$(O)/common/%.o: common/%.c $(O)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

# The system calls that the headers know, with their numbers.
$(O)/syscall_names.inc: $(O)/flags
	echo '#include <sys/syscall.h>' | $(CC) -E -dM - | \
		sed -n 's/^#define __NR_\([a-z0-9_]*\) .*/{ "\1", __NR_\1 },/p' | sort > $@

$(O)/common/events/syscall_number.o $(O)/san/common/events/syscall_number.o: $(O)/syscall_names.inc
$(O)/common/events/syscall_number.o $(O)/san/common/events/syscall_number.o: CPPFLAGS += -I$(O)

# P: files of different folders may have the same name.
$(O)/libcommon.a: $(COMMON)
	@rm -f $@
	$(AR) rcsP $@ $^

# A unit's BPF object, and the skeleton made from that.
define bpf_rules
$(O)/tools/$(1)/$(1).bpf.o: tools/$(1)/$(1).bpf.c $(O)/flags
	@mkdir -p $$(@D)
	$$(CLANG) $$(BPF_CFLAGS) -D__TARGET_ARCH_$$(ARCH) -Itools/$(1) -MMD -MP -MT $$@ -MF $$(@:.o=.d) -c $$< \
		-o $$(@:.o=.tmp)
	$$(BPFTOOL) gen object $$@ $$(@:.o=.tmp)

$(O)/tools/$(1)/$(1).skel.h: $(O)/tools/$(1)/$(1).bpf.o
	$$(BPFTOOL) gen skeleton $$< name $(subst -,_,$(1)) > $$@.tmp
	@mv $$@.tmp $$@

$(call objects,$(1)): $(O)/tools/$(1)/$(1).skel.h
endef

# A unit: all of its C files, with a skeleton or without.
objects = $(patsubst %.c,$(O)/%.o,$(filter-out %.bpf.c,$(wildcard tools/$(1)/*.c)))

# What only some units need: libraries, and those that handle each event in userspace, speed.
LIBS_trace := -ltraceevent
OPTIMIZE_trace := -O2

define unit_rules
$(if $(wildcard tools/$(1)/$(1).bpf.c),$(bpf_rules))

$(call objects,$(1)): $(O)/%.o: %.c $(O)/flags
	@mkdir -p $$(@D)
	$$(CC) $$(CPPFLAGS) -Itools/$(1) -I$(O)/tools/$(1) $$(CFLAGS) $$(OPTIMIZE_$(1)) -MMD -MP -c $$< -o $$@

$(O)/$(1): $(call objects,$(1)) $(O)/libcommon.a $(filter %.a,$(BLAZESYM_LIBS)) scripts/no-unwind.ld
	$$(CC) $$(CFLAGS) $$(LDFLAGS) $$(filter %.o,$$^) $(O)/libcommon.a $$(BLAZESYM_LIBS) \
		$$(LIBS_$(1)) $$(LDLIBS) -o $$@
endef
$(foreach unit,$(UNITS),$(eval $(call unit_rules,$(unit))))

# Unit tests: C programs, built with sanitizers, as is what they test. Folders with more than plain
# programs have a build.mk, which adds its programs to UNIT_TESTS.
SAN := -fsanitize=address,undefined -fno-sanitize-recover=all
SAN_CFLAGS := -O1 -g -std=gnu11 -D_GNU_SOURCE $(WARN) $(SAN)
UNIT_TESTS := $(patsubst %.c,$(O)/%,$(wildcard tests/unit/test_*.c))

$(O)/san/common/%.o: common/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(SAN_CFLAGS) -MMD -MP -c $< -o $@

$(O)/san/libcommon.a: $(patsubst common/%.c,$(O)/san/common/%.o,$(wildcard common/*.c common/*/*.c))
	@rm -f $@
	$(AR) rcsP $@ $^

SAN_LIBS := $(O)/san/libcommon.a $(O)/san/libblazesym_c.a

$(O)/tests/unit/helpers.o: tests/unit/helpers.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(SAN_CFLAGS) -MMD -MP -c $< -o $@

$(O)/tests/unit/test_%: tests/unit/test_%.c $(O)/tests/unit/helpers.o $(SAN_LIBS)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -Ivmlinux $(SAN_CFLAGS) -MMD -MP $< $(O)/tests/unit/helpers.o -o $@ $(SAN_LIBS) \
		$(SHIM_LIBS) $(LDLIBS) -lcmocka

$(O)/tests/unit/%.bpf.o: tests/unit/%.bpf.c $(O)/flags
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -D__TARGET_ARCH_$(ARCH) -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< -o $@

$(O)/tests/unit/test_stacks: $(O)/tests/unit/stacks.bpf.o

$(O)/tests/unit/test_event_attach: $(O)/tests/unit/event_count.bpf.o

-include $(wildcard tests/unit/*/build.mk tests/bench/build.mk)

BUILD := $(O)
-include tests/kernels/smoke.mk

# Loads whose right figures are known, for the tests of units; static, to run in any guest, and with
# frame pointers, to show who called whom.
LOAD_CFLAGS := -O2 -g -std=gnu11 -D_GNU_SOURCE -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer \
	       $(WARN)
LOADS := $(patsubst tests/load/%.c,$(O)/load/%,$(wildcard tests/load/*.c))

$(O)/load/%: tests/load/%.c
	@mkdir -p $(@D)
	$(CC) $(LOAD_CFLAGS) -static -MMD -MP $< -o $@ -lpthread

# The same load linked in other ways; and with other names for the functions at the same addresses.
LOADS += $(O)/load/cpu-pie $(O)/load/cpu-static-pie $(O)/load/cpu-other

$(O)/load/cpu-pie: tests/load/cpu.c
	@mkdir -p $(@D)
	$(CC) $(LOAD_CFLAGS) -fPIE -pie -MMD -MP $< -o $@

$(O)/load/cpu-static-pie: tests/load/cpu.c
	@mkdir -p $(@D)
	$(CC) $(LOAD_CFLAGS) -fPIE -static-pie -MMD -MP $< -o $@

$(O)/load/cpu-other: tests/load/cpu.c
	@mkdir -p $(@D)
	$(CC) $(LOAD_CFLAGS) -static -Dburn_seventy=other_seventy -Dburn_twenty=other_twenty \
		-Dburn_ten=other_ten -Dburn_round=other_round -MMD -MP $< -o $@

# Loads of the user's heap, with the C library that everybody has; and with one of their own.
LOADS += $(O)/load/heap-static $(O)/load/operators

$(O)/load/heap: tests/load/heap.c
	@mkdir -p $(@D)
	$(CC) $(LOAD_CFLAGS) -fPIE -pie -fno-builtin -MMD -MP $< -o $@

$(O)/load/heap-static: tests/load/heap.c
	@mkdir -p $(@D)
	$(CC) $(LOAD_CFLAGS) -fno-builtin -static $< -o $@

$(O)/load/operators: tests/load/operators.cc
	@mkdir -p $(@D)
	g++ -O2 -g -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer $(WARN) -fPIE -pie $< -o $@

# Probes that the C++ library has.
LOADS += $(O)/load/throws

$(O)/load/throws: tests/load/throws.cc
	@mkdir -p $(@D)
	g++ -O2 -g $(WARN) -fPIE -pie $< -o $@

# Programs whose symbols are known: linked in each way, with a shared library or with it inside.
ZOO := $(O)/load/symbols
LOADS += $(ZOO)/zoo $(ZOO)/zoo-nopie $(ZOO)/zoo-static
ZOO_CXX := g++ -O2 -g $(WARN) -Wl,--as-needed

$(ZOO)/libkeeper.so: tests/load/symbols/keeper.cc tests/load/symbols/keeper.h
	@mkdir -p $(@D)
	$(ZOO_CXX) -fPIC -shared $< -o $@

$(ZOO)/zoo $(ZOO)/zoo-nopie: tests/load/symbols/zoo.cc $(ZOO)/libkeeper.so
	$(ZOO_CXX) $(if $(filter %-nopie,$@),-fno-pie -no-pie,-fPIE -pie) $^ -Wl,-rpath,'$$ORIGIN' -o $@

$(ZOO)/zoo-static: tests/load/symbols/zoo.cc tests/load/symbols/keeper.cc tests/load/symbols/keeper.h
	@mkdir -p $(@D)
	$(ZOO_CXX) -static $(filter %.cc,$^) -o $@

tests: all $(UNIT_TESTS) $(BROWSER_TEST_NEEDS) $(LOADS) $(SMOKE_PROGRAMS)

setup:
	@scripts/setup build

demo: setup
	@$(MAKE) --no-print-directory -s all $(O)/load/sched
	@scripts/demo $(O)

test:
	@scripts/setup test
	@$(MAKE) --no-print-directory -s -j2 tests
	@UNIT_TESTS="$(UNIT_TESTS) $(BROWSER_TEST)" tests/run $(O)

# KERNELS="5.10 6.12": only these.
test-kernels:
	@scripts/setup test
	@$(MAKE) --no-print-directory -s -j2 all $(LOADS) $(SMOKE_PROGRAMS)
	@KERNELS="$(KERNELS)" tests/run $(O) kernels

bench:
	@scripts/setup bench
	@$(MAKE) --no-print-directory -s all $(BENCH_PROGRAMS) $(O)/load/cpu $(O)/load/calls
	@tests/bench/run $(O)
	@echo
	@tests/bench/symbols $(O)
	@tests/bench/sampling $(O)
	@echo
	@tests/bench/kmemleak $(O)
	@echo
	@$(O)/bench/expr
	@echo
	@tests/bench/events $(O)
	@echo
	@tests/bench/trace $(O)

# Names that commands of other packages have (coreutils, procps, perf): installed as bpf-NAME.
PREFIXED := stat top trace
MAN := $(DESTDIR)$(PREFIX)/share/man/man8
COMPLETIONS := $(DESTDIR)$(PREFIX)/share/bash-completion/completions
installed = $(if $(filter $(PREFIXED),$(1)),bpf-$(1),$(1))

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(MAN) $(COMPLETIONS)
	set -e; for pair in $(foreach unit,$(UNITS),$(unit):$(call installed,$(unit))); do \
		unit=$${pair%:*} name=$${pair#*:}; \
		install -s -m 755 $(O)/$$unit $(DESTDIR)$(PREFIX)/bin/$$name; \
		scripts/manpage $(O)/$$unit $$name > $(MAN)/$$name.8; \
		scripts/completion $(O)/$$unit $$name > $(COMPLETIONS)/$$name; \
	done

# One file for each unit, ready to be copied anywhere.
DIST := bpf-prof-$(VERSION)-$(shell uname -m)

dist: all
	rm -rf $(O)/dist
	mkdir -p $(O)/dist/$(DIST)
	install -s -m 755 $(UNITS:%=$(O)/%) $(O)/dist/$(DIST)/
	cp README.md LICENSE $(O)/dist/$(DIST)/
	tar -C $(O)/dist -czf $(O)/$(DIST).tar.gz $(DIST)
	@echo "$(O)/$(DIST).tar.gz"

clean:
	rm -rf $(O)

-include $(shell find $(O) -name '*.d' 2>/dev/null)

.DELETE_ON_ERROR:
.PHONY: all tests setup demo test test-kernels bench install dist clean
