# SPDX-License-Identifier: Apache-2.0
# `make help` lists what there is.  Build products go to build/ (or BUILD=...).

BUILD ?= build
# V=1 shows the commands.
Q = $(if $(V),,@)
ifeq ($(origin CC),default)
CC = gcc
endif
VERSION := 0.1.0

prefix ?= /usr/local
bindir ?= $(prefix)/bin
mandir ?= $(prefix)/share/man
datadir ?= $(prefix)/share/bulkhead
docdir ?= $(prefix)/share/doc/bulkhead
unitdir ?= $(prefix)/lib/systemd/system
sysconfdir ?= /etc

# pkg-config's name and Debian's package, which is in dist/packages-build.txt too.
LIBRARIES = libpcap=libpcap-dev libndpi=libndpi-dev hiredis=libhiredis-dev yaml-0.1=libyaml-dev \
	sqlite3=libsqlite3-dev libxxhash=libxxhash-dev zlib=zlib1g-dev libzstd=libzstd-dev \
	libmaxminddb=libmaxminddb-dev
PKGS := $(foreach library,$(LIBRARIES),$(firstword $(subst =, ,$(library))))
WARN = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
HARDEN = -fstack-protector-strong -fstack-clash-protection -fcf-protection=full
# clang 14 wants a second, self-abolishing option for this one.
ifeq ($(findstring clang,$(CC)),)
HARDEN += -ftrivial-auto-var-init=zero
endif
FORTIFY = -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
OPT ?= -O2 -g
SAN ?=
# Only the file that includes nDPI needs gnu17: its headers want u_char.
STD = -std=gnu17
CPPFLAGS += -Iinclude -Isensor -I$(BUILD)/gen -D_GNU_SOURCE -DBULKHEAD_VERSION='"$(VERSION)"'
# Third-party headers as system headers: their warnings are not ours to mend.
THIRD := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags-only-I $(PKGS) 2>/dev/null)) \
	-isystem /usr/include/ndpi
CFLAGS += $(STD) $(OPT) $(WARN) -Werror $(HARDEN) $(FORTIFY) -fno-omit-frame-pointer -fPIE -pthread $(SAN)
LDFLAGS += -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code -pthread $(SAN)
# Debian's start-up objects carry no marks, which voids ours: shadow stacks they can cope with.
ifeq ($(shell uname -m),x86_64)
LDFLAGS += -Wl,-z,shstk
endif
LDLIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm

# ROOMS="base tenant" builds and unit-tests only these folders of sensor/: for work on one room.
ROOMS ?=
ifeq ($(ROOMS),)
SRC := $(filter-out sensor/main.c,$(wildcard sensor/*.c sensor/*/*.c))
UNIT_SRC := $(wildcard tests/unit/*/test_*.c)
else
SRC := $(wildcard $(ROOMS:%=sensor/%/*.c))
UNIT_SRC := $(wildcard $(ROOMS:%=tests/unit/%/test_*.c))
endif
OBJ := $(SRC:%.c=$(BUILD)/%.o)
UNIT := $(UNIT_SRC:%.c=$(BUILD)/%)
TEST_PROGRAMS := $(UNIT) $(if $(ROOMS),,$(BUILD)/tests/scenario/delivery_driver)

# What people call runs a make of its own: on all processors, and with what pkg-config says now.
PARALLEL = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
SUB = +@$(MAKE) --no-print-directory $(if $(V),,-s) $(PARALLEL)

all: ## build the sensor (default)
	$(SUB) $(BUILD)/bulkhead

$(BUILD)/bulkhead: $(BUILD)/sensor/main.o $(BUILD)/libbulkhead.a
	@echo "LINK $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Says what to install before the compiler says what it does not find.
$(BUILD)/libraries-found: Makefile
	@mkdir -p $(@D)
	@command -v pkg-config >/dev/null || { \
		echo "make: no pkg-config here: apt install pkg-config, or make deps" >&2; exit 1; }
	@missing=; for library in $(LIBRARIES); do \
		pkg-config --exists $${library%=*} || missing="$$missing $${library#*=}"; done; \
		[ -z "$$missing" ] || { \
		echo "make: not found:$$missing; apt install them, or make deps" >&2; exit 1; }
	@touch $@

$(BUILD)/libbulkhead.a: $(OBJ)
	@rm -f $@
	@ar rcs $@ $^

# The core rules are part of the binary.
RULES := $(wildcard rules/*.yaml)
$(BUILD)/gen/core_rules.h: sensor/rule/embed.sh $(RULES)
	@mkdir -p $(@D)
	$(Q)sh sensor/rule/embed.sh $(RULES) >$@.tmp
	@mv $@.tmp $@

$(BUILD)/sensor/rule/core.o: $(BUILD)/gen/core_rules.h

$(BUILD)/%.o: %.c | $(BUILD)/libraries-found
	@mkdir -p $(@D)
	@echo "CC   $<"
	$(Q)$(CC) $(CPPFLAGS) $(THIRD) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/%: tests/%.c $(BUILD)/libbulkhead.a
	@mkdir -p $(@D)
	@echo "TEST $<"
	$(Q)$(CC) $(CPPFLAGS) -Itests $(THIRD) $(CFLAGS) -MMD -MP -o $@ $< $(BUILD)/libbulkhead.a $(LDFLAGS) $(LDLIBS) -lcmocka

# Calls of ours that these programs make fail: tests/unit/faults.h has one of each.
FAULTS = malloc calloc realloc strdup arena_alloc arena_array arena_strdup arena_strndup \
	arena_printf fopen pread write writev fdatasync pthread_create socket send recv poll \
	sqlite3_open_v2 sqlite3_prepare_v2 sqlite3_prepare_v3 sqlite3_step sqlite3_exec \
	sqlite3_bind_text redisConnectUnixWithTimeout redisReaderFeed \
	redisReaderGetReply
WITH_FAULTS = engine/test_reload_faults rule/test_faults sink/test_faults sink/test_redis_lies tenant/test_faults
$(WITH_FAULTS:%=$(BUILD)/tests/unit/%): LDFLAGS += $(FAULTS:%=-Wl,--wrap=%)

test-programs: $(TEST_PROGRAMS)

unit: ## run the unit tests only
	$(SUB) test-programs
	@set -e; for t in $(UNIT); do $$t; done

demo: ## install what is missing, build, show an attack and its alerts in a private Redis
	@sh dist/install-packages.sh build demo
	$(SUB) $(BUILD)/bulkhead
	@sh dist/demo.sh $(BUILD)/bulkhead

check: ## install what tests need, build, run all tests
	@sh dist/install-packages.sh build demo test
	$(SUB) $(BUILD)/bulkhead test-programs
	@tests/run.py $(BUILD)

# gcc's are errors in every build; these are clang's.
warnings: $(BUILD)/gen/core_rules.h ## hold every file to the warnings of clang too
	@printf '%s\n' $(SRC) sensor/main.c $(TEST_PROGRAMS:$(BUILD)/%=%.c) | xargs -P $$(nproc) -n 16 \
		clang -fsyntax-only $(CPPFLAGS) -Itests $(THIRD) $(STD) $(WARN) -Werror

analysis: $(BUILD)/gen/core_rules.h ## cppcheck and clang-tidy over every file
	@tests/analysis/run.sh $(BUILD)/bulkhead

lint: ## layers, headers, format, lengths, detectors and their cases
	@tests/lint/run.py

fmt: ## format all C files
	@git ls-files '*.c' '*.h' | xargs clang-format -i

# setarch -R: the sanitizers of this age do not start on kernels with more random address bits.
SANITIZED = setarch -R tests/run.py
SANITIZE = FORTIFY= HARDEN= OPT="-O1 -g"

asan: ## unit, command-line, replay and delivery tests under AddressSanitizer and UBSan
	@sh dist/install-packages.sh build demo test
	$(SUB) BUILD=build-asan $(SANITIZE) \
		SAN="-fsanitize=address,undefined -fno-sanitize-recover=all" \
		build-asan/bulkhead test-programs
	@ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1 \
		UBSAN_OPTIONS=print_stacktrace=1 $(SANITIZED) build-asan unit cli replay scenario

tsan: ## the same under ThreadSanitizer
	@sh dist/install-packages.sh build demo test
	$(SUB) BUILD=build-tsan $(SANITIZE) SAN="-fsanitize=thread" build-tsan/bulkhead test-programs
	@TSAN_OPTIONS=halt_on_error=1 $(SANITIZED) build-tsan unit cli replay scenario

# gcov comes with gcc, and reads what gcc wrote: neither lcov nor gcovr is needed for a table.  Without
# the fault tests of tests/reliability: what makes allocations and writes fail fails gcov's own too.
coverage: ## lines and branches that the tests reach, by room
	@sh dist/install-packages.sh build demo test
	$(SUB) BUILD=build-cov FORTIFY= HARDEN=-Wno-error=maybe-uninitialized OPT="-O0 -g" \
		SAN=--coverage build-cov/bulkhead test-programs
	@find build-cov -name '*.gcda' -delete
	@tests/run.py build-cov unit cli replay views scenario
	@tests/coverage/report.py build-cov

# BENCH="--full --rounds 5 --growth --live --strict": tests/bench/run.py --help
bench: all ## measure speed beside ndpiReader, tcpdump and suricata
	@tests/bench/run.py $(BUILD)/bulkhead $(BENCH)

# SOAK="--hours 8 --plot FILE": tests/soak/soak.py --help
soak: all ## traffic, floods, kills, reloads and flaps at once for 5 minutes, with a plot
	@sh dist/install-packages.sh build demo test
	@tests/soak/soak.py $(BUILD)/bulkhead $(SOAK)

include tests/fuzz/fuzz.mk

deps: ## install the packages that building needs
	@sh dist/install-packages.sh build

install: all ## install to DESTDIR and prefix (/usr/local)
	install -d $(DESTDIR)$(bindir) $(DESTDIR)$(datadir) $(DESTDIR)$(sysconfdir)/bulkhead
	install -m 755 $(BUILD)/bulkhead $(DESTDIR)$(bindir)/bulkhead
	for page in docs/man/*.[1-9]; do \
		install -D -m 644 $$page $(DESTDIR)$(mandir)/man$${page##*.}/$${page##*/}; done
	for file in README.md CHANGELOG.md docs/*.md; do \
		install -D -m 644 $$file $(DESTDIR)$(docdir)/$${file##*/}; done
	for file in docs/alert.schema.json $(wildcard rules/*.yaml rules/README.md dist/redis/*); do \
		install -D -m 644 $$file $(DESTDIR)$(datadir)/$${file#d*/}; done
	install -d $(DESTDIR)$(unitdir)
	sed 's,/usr/bin/,$(bindir)/,' dist/bulkhead.service >$(DESTDIR)$(unitdir)/bulkhead.service
	for file in bulkhead.yaml inventory.yaml; do \
		install -m 644 dist/$$file $(DESTDIR)$(sysconfdir)/bulkhead/$$file.example; done

clean: ## remove what was built
	rm -rf $(BUILD) build-asan build-cov build-tsan $(FUZZ_BUILD)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

-include $(OBJ:.o=.d) $(BUILD)/sensor/main.d $(TEST_PROGRAMS:=.d)
.PHONY: all unit test-programs demo check warnings analysis lint fmt asan tsan coverage bench soak deps install clean help
