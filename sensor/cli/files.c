/* SPDX-License-Identifier: Apache-2.0 */
/* files.c - see files.h. */
#include "cli/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int hash_open_file(int fd, struct hash128 *out)
{
	uint64_t once;
	struct stat st;
	void *data;

	if (fstat(fd, &st) != 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		once = hash_random_seed();
		*out = hash128_plain(&once, sizeof once);
		return 0;
	}
	if (st.st_size == 0) {
		*out = hash128_plain("", 0);
		return 0;
	}
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return -1;
	*out = hash128_plain(data, (size_t)st.st_size);
	(void)munmap(data, (size_t)st.st_size);
	return 0;
}

int file_hash(const char *path, struct hash128 *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int code = 0;

	if (fd < 0 || hash_open_file(fd, out) != 0)
		code = err_set(err, ERR_NOINPUT, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return code;
}

int folder_make(const char *path, struct err *err)
{
	struct stat st;

	if (mkdir(path, 0700) == 0)
		return 0;
	if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	return err_set(err, ERR_RUN, "%s: %s", path,
		       errno == EEXIST ? "is not a folder" : strerror(errno));
}

uint64_t file_change(const char *path)
{
	static const char *const suffix[] = {"", "-wal"};
	uint64_t seen[2][3] = {{0}};
	char name[4096];
	struct stat st;
	unsigned i;

	for (i = 0; i < 2; i++) {
		(void)snprintf(name, sizeof name, "%s%s", path, suffix[i]);
		if (stat(name, &st) != 0)
			continue;
		seen[i][0] = (uint64_t)st.st_mtim.tv_sec;
		seen[i][1] = (uint64_t)st.st_mtim.tv_nsec;
		seen[i][2] = (uint64_t)st.st_size;
	}
	return seen[0][0] != 0 ? hash128_plain(seen, sizeof seen).lo : 0;
}
