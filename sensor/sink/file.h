/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h - the files this room opens.
 *
 * Apart because <fcntl.h> brings POSIX's struct stat, which cannot stand beside our enum stat.
 */
#ifndef SINK_FILE_H
#define SINK_FILE_H

#include <stdbool.h>

/* To append; read as well where that is allowed.  A descriptor, or -1 and errno. */
int sink_file_append(const char *path, bool truncate);
/* Opens or makes a private file (0600, no symbolic link) and locks it against other sensors.  A
 * descriptor; -1 and errno; -2 somebody else has the lock. */
int sink_file_lock(const char *path);

#endif
