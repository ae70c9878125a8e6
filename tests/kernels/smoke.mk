# SPDX-License-Identifier: GPL-2.0-only
#
# The programs of tests/kernels/smoke: included by the Makefile, which sets BUILD to the build
# folder. `make smoke-programs` builds them. They are static, like all that runs in a guest.

BUILD ?= build
SMOKE_PROGRAMS += $(addprefix $(BUILD)/tests/kernels/,smoke-kvm smoke-fentry)

# What unit tests skip on kernels that lack it.
SMOKE_PROGRAMS += $(BUILD)/tests/unit/test_event_attach

$(BUILD)/tests/kernels/smoke-%: tests/kernels/smoke/smoke-%.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -g -Wall -Wextra -Werror -static -o $@ $< $(SMOKE_LIBS)

$(BUILD)/tests/kernels/smoke-fentry: SMOKE_LIBS = $(shell pkg-config --static --libs libbpf)

.PHONY: smoke-programs
smoke-programs: $(SMOKE_PROGRAMS)
