/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.c - the capture files a path stands for.
 *
 * Of a folder those whose names say so, in the order of their names: that is the order in which
 * rotating capture programs (tcpdump -G, dumpcap -b) number them.  Folders inside are not entered.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/stat.h>

#include "bulkhead/capture.h"

#define MAX_FILES 65536

static bool ends_with(const char *name, size_t len, const char *ending)
{
	size_t n = strlen(ending);

	return len > n && memcmp(name + len - n, ending, n) == 0;
}

static bool is_capture_name(const char *name)
{
	static const char *const packed[] = {".gz", ".zst", NULL};
	static const char *const endings[] = {".pcap", ".pcapng", ".cap", NULL};
	size_t len = strlen(name);

	if (name[0] == '.')
		return false;
	for (unsigned n = 0; packed[n] != NULL; n++) {
		if (ends_with(name, len, packed[n])) {
			len -= strlen(packed[n]);
			break;
		}
	}
	for (unsigned n = 0; endings[n] != NULL; n++)
		if (ends_with(name, len, endings[n]))
			return true;
	return false;
}

static int select_capture(const struct dirent *entry)
{
	return is_capture_name(entry->d_name);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name); /* whatever the locale */
}

static int one_path(const char *path, char ***paths, unsigned *count, struct err *err)
{
	char **list = calloc(1, sizeof *list);

	if (list == NULL || (list[0] = strdup(path)) == NULL) {
		free(list);
		return err_set(err, ERR_MEMORY, "out of memory");
	}
	*paths = list;
	*count = 1;
	return 0;
}

/* Joins the names to the folder, leaving out what is no regular file. */
static int join(const char *folder, struct dirent **entries, int n, char ***paths, unsigned *count,
		struct err *err)
{
	char **list = calloc((size_t)n, sizeof *list);
	unsigned kept = 0;
	struct stat st;

	if (list == NULL)
		return err_set(err, ERR_MEMORY, "out of memory");
	for (int i = 0; i < n; i++) {
		if (asprintf(&list[kept], "%s/%s", folder, entries[i]->d_name) < 0) {
			capture_paths_free(list, kept);
			return err_set(err, ERR_MEMORY, "out of memory");
		}
		if (stat(list[kept], &st) == 0 && S_ISREG(st.st_mode))
			kept++;
		else
			free(list[kept]);
	}
	if (kept == 0) {
		free(list);
		return err_set(err, ERR_NOINPUT, "%s: no capture file in this folder", folder);
	}
	*paths = list;
	*count = kept;
	return 0;
}

static int folder_paths(const char *path, char ***paths, unsigned *count, struct err *err)
{
	struct dirent **entries = NULL;
	int n = scandir(path, &entries, select_capture, by_name), rc;

	if (n < 0)
		return err_set(err, errno == EACCES ? ERR_PERM : ERR_NOINPUT, "%s: %s", path,
			       strerror(errno));
	if (n == 0)
		rc = err_set(err, ERR_NOINPUT, "%s: no capture file in this folder", path);
	else if (n > MAX_FILES)
		rc = err_set(err, ERR_NOINPUT, "%s: more than %d captures in one folder", path,
			     MAX_FILES);
	else
		rc = join(path, entries, n, paths, count, err);
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
	return rc;
}

int capture_paths(const char *path, char ***paths, unsigned *count, struct err *err)
{
	struct stat st;

	if (strcmp(path, "-") == 0)
		return one_path(path, paths, count, err);
	if (stat(path, &st) != 0)
		return err_set(err, errno == EACCES ? ERR_PERM : ERR_NOINPUT, "%s: %s", path,
			       strerror(errno));
	return S_ISDIR(st.st_mode) ? folder_paths(path, paths, count, err)
				   : one_path(path, paths, count, err);
}

void capture_paths_free(char **paths, unsigned count)
{
	if (paths == NULL)
		return;
	for (unsigned n = 0; n < count; n++)
		free(paths[n]);
	free(paths);
}
