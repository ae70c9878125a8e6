# SPDX-License-Identifier: GPL-2.0-only
#
# blazesym's C API over elfutils, and the snapshots of process mappings beside it.
#
#   $(O)/libblazesym_c.a  both
#   $(O)/libproc_maps.a   only the snapshots, to go with the real libblazesym_c
#   BLAZESYM_LIBS         what to link for both, with -static or without
#
# Needs CC, CFLAGS, AR and O. May be included more than once.

ifndef BLAZESYM_DIR
BLAZESYM_DIR := blazesym-shim
PROC_MAPS_OBJS := $(addprefix $(O)/blazesym/,proc_maps.o proc_files.o \
	proc_symbolize.o maps.o perf_map.o spans.o)
BLAZESYM_OBJS := $(PROC_MAPS_OBJS) \
	$(addprefix $(O)/blazesym/,input.o error.o result.o symbolizer.o process.o files.o elf.o \
	plt.o minidebug.o debugfile.o dwarf.o kernel.o kallsyms.o vdso.o normalize.o demangle.o)

BLAZESYM_LIBS := $(O)/libblazesym_c.a -ldw -lelf -liberty -llzma -lz
BLAZESYM_CFLAGS := -I$(BLAZESYM_DIR)

$(O)/blazesym/%.o: $(BLAZESYM_DIR)/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -D_GNU_SOURCE -MMD -MP -c -o $@ $<

# One object each, in which only the public names are left: a tool may have a demangle() too.
$(O)/libblazesym_c.a: $(BLAZESYM_OBJS)
$(O)/libproc_maps.a: $(PROC_MAPS_OBJS)
$(O)/libblazesym_c.a $(O)/libproc_maps.a:
	@rm -f $@
	$(CC) -r -nostdlib -o $(@:.a=.o) $^
	objcopy --wildcard --keep-global-symbol='blaze_*' --keep-global-symbol='proc_maps_*' \
		$(@:.a=.o)
	$(AR) rcs $@ $(@:.a=.o)

-include $(BLAZESYM_OBJS:.o=.d)

endif
