/* SPDX-License-Identifier: Apache-2.0 */
/* file.c - see file.h. */
#include "sink/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

int sink_file_append(const char *path, bool truncate)
{
	int flags = O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | (truncate ? O_TRUNC : 0);
	int fd = open(path, flags | O_RDWR, 0640);

	/* A file we may only write is fine; so is a terminal or a pipe. */
	if (fd < 0 && errno != ENOENT && errno != ENOSPC)
		fd = open(path, flags | O_WRONLY, 0640);
	return fd;
}

int sink_file_lock(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	(void)close(fd);
	return -2;
}
