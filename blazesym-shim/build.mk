# SPDX-License-Identifier: GPL-2.0-only
#
# blazesym's C API over elfutils, and the snapshots of process mappings beside it.
#
#   $(O)/libblazesym_c.a  both
#   $(O)/libproc_maps.a   only the snapshots, to go with the real libblazesym_c
#   BLAZESYM_LIBS         what to link for both, with -static or without
#   BLAZESYM_CFLAGS       where their headers are
#
# BLAZESYM=PREFIX takes the real library: PREFIX/include/blazesym.h and PREFIX/lib/libblazesym_c.a
# (or .so, for SHARED=1).
#
# Needs CC, CFLAGS, AR and O, and the file $(O)/flags, which is newer than what was built with
# other flags. May be included more than once.

ifndef BLAZESYM_DIR
BLAZESYM_DIR := blazesym-shim
PROC_MAPS_OBJS := $(addprefix $(O)/blazesym/,proc_maps.o proc_files.o \
	proc_symbolize.o maps.o perf_map.o spans.o)
BLAZESYM_OBJS := $(PROC_MAPS_OBJS) \
	$(addprefix $(O)/blazesym/,input.o error.o result.o symbolizer.o process.o files.o elf.o \
	plt.o minidebug.o debugfile.o dwarf.o kernel.o kallsyms.o vdso.o normalize.o demangle.o)

# What the shim itself stands on.
SHIM_LIBS := -ldw -lelf -liberty -llzma -lz
ifdef BLAZESYM
BLAZESYM_LIBS := $(O)/libproc_maps.a -L$(BLAZESYM)/lib -lblazesym_c
BLAZESYM_CFLAGS := -I$(BLAZESYM)/include -I$(BLAZESYM_DIR)
else
BLAZESYM_LIBS := $(O)/libblazesym_c.a $(SHIM_LIBS)
BLAZESYM_CFLAGS := -I$(BLAZESYM_DIR)
endif

$(O)/blazesym/%.o: $(BLAZESYM_DIR)/%.c $(O)/flags
	@mkdir -p $(@D)
	$(CC) $(BLAZESYM_CFLAGS) $(CFLAGS) -D_GNU_SOURCE -MMD -MP -c -o $@ $<

# One object each, in which only the public names are left: a tool may have a demangle() too.
define blazesym_archive
@rm -f $@
$(CC) -r -nostdlib -o $(@:.a=.o) $^
objcopy --wildcard --keep-global-symbol='blaze_*' --keep-global-symbol='proc_maps_*' $(@:.a=.o)
$(AR) rcs $@ $(@:.a=.o)
endef

$(O)/libblazesym_c.a: $(BLAZESYM_OBJS)
	$(blazesym_archive)

$(O)/libproc_maps.a: $(PROC_MAPS_OBJS)
	$(blazesym_archive)

-include $(BLAZESYM_OBJS:.o=.d)

endif
