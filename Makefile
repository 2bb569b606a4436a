# SPDX-License-Identifier: Apache-2.0
# `make help` lists what there is.  Build products go to build/ (or BUILD=...).

BUILD ?= build
ifeq ($(origin CC),default)
CC = gcc
endif
VERSION := 0.1.0

PKGS = libpcap libndpi hiredis yaml-0.1 sqlite3 libxxhash zlib libzstd libmaxminddb
WARN = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
HARDEN = -fstack-protector-strong -fstack-clash-protection -fcf-protection=full \
	-ftrivial-auto-var-init=zero
FORTIFY = -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
OPT ?= -O2 -g
SAN ?=
# Only the file that includes nDPI needs gnu17: its headers want u_char.
STD = -std=gnu17
CPPFLAGS += -Iinclude -Isensor -I$(BUILD)/gen -D_GNU_SOURCE -DBULKHEAD_VERSION='"$(VERSION)"'
# Third-party headers as system headers: their warnings are not ours to mend.
THIRD = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags-only-I $(PKGS) 2>/dev/null)) -isystem /usr/include/ndpi
CFLAGS += $(STD) $(OPT) $(WARN) -Werror $(HARDEN) $(FORTIFY) -fno-omit-frame-pointer -fPIE -pthread $(SAN)
LDFLAGS += -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code -pthread $(SAN)
LDLIBS = $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm

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

all: $(BUILD)/bulkhead

$(BUILD)/bulkhead: $(BUILD)/sensor/main.o $(BUILD)/libbulkhead.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/libbulkhead.a: $(OBJ)
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(THIRD) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/libbulkhead.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -Itests $(THIRD) $(CFLAGS) -MMD -MP -o $@ $< $(BUILD)/libbulkhead.a $(LDFLAGS) $(LDLIBS) -lcmocka

unit: $(UNIT)
	@set -e; for t in $(UNIT); do $$t; done

clean:
	rm -rf $(BUILD)

-include $(OBJ:.o=.d) $(UNIT:=.d)
.PHONY: all unit clean
