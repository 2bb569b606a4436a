/* SPDX-License-Identifier: Apache-2.0 */
/*
 * common.h - what the fuzz targets share.
 *
 * A target is one file targets/NAME.c with LLVMFuzzerTestOneInput(): it turns bytes into calls of
 * the functions that entries.txt lists for it, and checks what these promise.  A promise that
 * does not hold ends the process, as a sanitizer's report does.
 *
 * No target reads a clock, the network or a file that the input names, so that an input
 * means the same each time.
 */
#ifndef FUZZ_COMMON_H
#define FUZZ_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "bulkhead/packet.h"
#include "bulkhead/tenant.h"

struct alert;

#define FUZZ_CHECK(condition)                                                                      \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fuzz_fail(__FILE__, __LINE__, #condition);                                 \
	} while (0)

_Noreturn void fuzz_fail(const char *file, int line, const char *what);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Bytes as a file without a name on disk: its path in path, its descriptor to be closed. */
#define FUZZ_PATH_SIZE 32
int fuzz_file(const void *data, size_t size, char path[static FUZZ_PATH_SIZE]);
/* The same as a pipe on standard input; false when no pipe holds so much. */
bool fuzz_stdin(const void *data, size_t size);
/* An empty folder in memory, the same one each time; fuzz_run (environment.sh) removes it. */
const char *fuzz_folder(void);
/* A copy that ends where the allocation ends, so that AddressSanitizer sees a byte too many. */
uint8_t *fuzz_copy(const void *data, size_t size);
/* The same with a NUL behind it. */
char *fuzz_text(const void *data, size_t size);

/* Only printable ASCII, terminated within size. */
void fuzz_check_plain(const char *text, size_t size);
/* All strings of an alert but its JSON. */
void fuzz_check_alert_texts(const struct alert *alert);
/* One JSON value, printable ASCII, nothing behind it. */
void fuzz_check_json(const char *text, size_t len);

/* Every pointer of a packet within its frame, every length within what is there. */
void fuzz_check_packet(const struct packet *packet, const uint8_t *data, uint32_t caplen);

/* An inventory of the source tree: 0 pcaps/inventory.yaml, 1 pcaps/relay.yaml, 2 all that an
 * inventory can hold. */
#define FUZZ_INVENTORIES 4
struct inventory *fuzz_inventory(unsigned which);

#endif
