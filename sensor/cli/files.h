/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.h - what commands ask of the file system.
 *
 * A file of its own because POSIX has a struct stat and our counters an enum stat: nobody who
 * includes bulkhead/stats.h can include <sys/stat.h>.
 */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include "base/hash.h"
#include "bulkhead/err.h"

/* Unkeyed hash of a file's content.  What can be read only once (a pipe) is left alone: its hash
 * is a new one each time.  ERR_NOINPUT. */
int file_hash(const char *path, struct hash128 *out, struct err *err)
    __attribute__((warn_unused_result));
/* Makes a folder that only we may read; one that exists is as good. */
int folder_make(const char *path, struct err *err) __attribute__((warn_unused_result));
/* A number that changes when an SQLite database does: of the times and sizes of the file and its
 * write-ahead log.  0 when there is none. */
uint64_t file_change(const char *path);

#endif
