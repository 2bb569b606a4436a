/* SPDX-License-Identifier: Apache-2.0 */
/*
 * folder.h - the evidence folder: which files of ours are in it, oldest first, and how big.
 *
 * A ring of fixed capacity mirrors the folder, so that keeping to the quota costs no directory
 * scan.  Files found at start count as closed.
 */
#ifndef ALERT_FOLDER_H
#define ALERT_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bulkhead/err.h"

struct folder;

/* Opens the folder, making it when it is missing.  ERR_RUN, ERR_MEMORY: NULL. */
struct folder *folder_new(const char *directory, uint32_t capacity, uint64_t quota,
			  struct err *err);
void folder_free(struct folder *folder); /* NULL is fine */

/*
 * Makes room for len more bytes, and for one more file, by removing the oldest closed files.
 * False when there is none left to remove.
 */
bool folder_reserve(struct folder *folder, uint64_t len, bool new_file);
/* Makes ID.pcapng anew; a descriptor, or -1.  *number_at must stay where it is until
 * folder_close(): the file's number is kept up to date in it. */
int folder_create(struct folder *folder, const char *id, uint64_t *number_at);
/* Opens it again to append at size; -1 when it is gone or no plain file. */
int folder_append(struct folder *folder, const char *id, uint64_t size);
/* Bytes were added. */
void folder_grow(struct folder *folder, uint64_t number, uint64_t len);
/* Nothing more will be written to it. */
void folder_close(struct folder *folder, uint64_t number);
/* It could not be written: takes it back. */
void folder_discard(struct folder *folder, uint64_t number);

uint64_t folder_removed(const struct folder *folder); /* to keep to the quota, since the start */

#endif
