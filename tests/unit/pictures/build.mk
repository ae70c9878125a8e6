# SPDX-License-Identifier: GPL-2.0-only
# Tests of the pictures: flame graphs and heat maps. Included from the top of the tree with O, CC
# and CFLAGS set, and SAN where sanitizers are wanted. Adds to UNIT_TESTS; the browser test is
# BROWSER_TEST and needs BROWSER_TEST_NEEDS to be built. Each is run from the top of the tree with
# BPF_PROF_BUILD=$(O).

PICTURES := tests/unit/pictures
PICTURES_OUT := $(O)/$(PICTURES)
PICTURES_FROM := svg flamegraph heatmap quantity utf8 clock
PICTURES_SRC := $(PICTURES_FROM:%=common/%.c)
PICTURES_HDR := $(wildcard $(PICTURES_FROM:%=common/%.h)) $(PICTURES)/helpers.h
PICTURES_TESTS := $(PICTURES_OUT)/svg_test $(PICTURES_OUT)/flamegraph_test \
		  $(PICTURES_OUT)/heatmap_test

UNIT_TESTS += $(PICTURES_TESTS)
BROWSER_TEST := $(PICTURES)/browser_test.py
BROWSER_TEST_NEEDS := $(PICTURES_OUT)/make_picture

# The assembler copies the script in; the compiler's list of dependencies knows nothing of it.
$(O)/common/flamegraph.o $(O)/san/common/flamegraph.o: common/flamegraph.js

# The helpers' allocator takes the place of the C library's, so that memory can run short.
$(PICTURES_TESTS): $(PICTURES_OUT)/%: $(PICTURES)/%.c $(PICTURES)/helpers.c $(PICTURES_SRC) \
		$(PICTURES_HDR) common/flamegraph.js
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(SAN) -Icommon -o $@ $< $(PICTURES)/helpers.c $(PICTURES_SRC) \
		-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free -lcmocka -lm

$(PICTURES_OUT)/make_picture: $(PICTURES)/make_picture.c $(PICTURES_SRC) $(PICTURES_HDR) \
		common/flamegraph.js
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(SAN) -Icommon -o $@ $< $(PICTURES_SRC)
