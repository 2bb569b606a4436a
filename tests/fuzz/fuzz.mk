# SPDX-License-Identifier: Apache-2.0
# fuzz.mk - how fuzz targets are built and run; part of the Makefile.  clang only.

FUZZ_BUILD = build-fuzz
FUZZ_SECONDS ?= 10
# Functions stay whole but for those marked inline, so that coverage names each that was reached.
FUZZ_FLAGS = CC=clang FORTIFY= HARDEN= OPT="-O1 -g -finline-hint-functions" \
	SAN="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all"

# targets/NAME.c is a target, unless it is one of these, which targets share.
FUZZ_SHARED := common alert arena rulefile
FUZZ_OBJ := $(FUZZ_SHARED:%=$(BUILD)/tests/fuzz/targets/%.o)
FUZZ_TARGETS := $(filter-out $(FUZZ_SHARED) savefile %_mutate %_wrap,\
	$(patsubst tests/fuzz/targets/%.c,%,$(wildcard tests/fuzz/targets/*.c)))

fuzz-programs: $(FUZZ_TARGETS:%=$(BUILD)/fuzz/%)

$(BUILD)/tests/fuzz/targets/%.o: CPPFLAGS += -DFUZZ_TOP='"$(CURDIR)"'
$(BUILD)/fuzz/pipeline: $(BUILD)/tests/fuzz/targets/pipeline_mutate.o $(BUILD)/tests/fuzz/targets/pipeline_wrap.o
$(BUILD)/fuzz/pcap $(BUILD)/fuzz/pcapng $(BUILD)/fuzz/packed: $(BUILD)/tests/fuzz/targets/savefile.o
$(BUILD)/fuzz/pipeline: LDFLAGS += -Wl,--wrap=table_new,--wrap=nanosleep,--wrap=ring_new,--wrap=ring_free,--wrap=ring_peek,--wrap=ring_look_ahead,--wrap=ring_pop
# libpcap is to find this one's getaddrinfo().
$(BUILD)/fuzz/filter: LDFLAGS += -rdynamic
# The linker puts a target's function before one of ours or of a library.
$(BUILD)/fuzz/redis: LDFLAGS += -Wl,--wrap=poll,--wrap=send,--wrap=recv,--wrap=clock_monotonic
$(BUILD)/fuzz/pcap $(BUILD)/fuzz/pcapng $(BUILD)/fuzz/packed: LDFLAGS += -Wl,--wrap=input_fill,--wrap=input_recycle,--wrap=input_move
$(BUILD)/fuzz/dpi: LDFLAGS += -Wl,--wrap=ndpi_detection_process_packet

$(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/targets/%.o $(FUZZ_OBJ) $(BUILD)/libbulkhead.a
	@mkdir -p $(@D)
	@echo "FUZZ $@"
	$(Q)$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS)

fuzz-build:
	$(SUB) BUILD=$(FUZZ_BUILD) $(FUZZ_FLAGS) fuzz-programs

fuzz-flags:
	@printf '%s\n' '$(FUZZ_FLAGS)'

fuzz: fuzz-build ## feed every parser hostile input, each for FUZZ_SECONDS (10)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/fuzz.sh $(FUZZ_BUILD)

fuzz-selftest: ## plant bugs in a copy of the source; the fuzzers have to find each
	@tests/fuzz/selftest.py

-include $(wildcard $(BUILD)/tests/fuzz/targets/*.d)
.PHONY: fuzz fuzz-build fuzz-flags fuzz-programs fuzz-selftest
.PRECIOUS: $(BUILD)/tests/fuzz/targets/%.o
