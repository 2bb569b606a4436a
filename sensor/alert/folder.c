/* SPDX-License-Identifier: Apache-2.0 */
/*
 * folder.c - see folder.h.
 *
 * invariants: entries head .. tail - 1 are in use, at index n % capacity; bytes is the sum of
 * their sizes; an entry with an owner belongs to an open incident, and *owner is its number.
 */
#include "alert/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".pcapng"
#define ID_LEN 32
#define NAME_SIZE (ID_LEN + sizeof SUFFIX)

struct file {
	char id[ID_LEN];
	bool gone; /* made anew under another number: nothing to remove */
	uint64_t size;
	uint64_t *owner; /* NULL: closed */
};

struct folder {
	int dir;
	uint32_t capacity;
	uint64_t quota, bytes;
	uint64_t head, tail;
	uint64_t removed;
	struct file file[];
};

/* What a scan of the folder finds. */
struct found {
	char id[ID_LEN];
	uint64_t size;
	struct timespec mtime;
};

static struct file *file_at(struct folder *folder, uint64_t number)
{
	return &folder->file[number % folder->capacity];
}

static void name_of(const char *id, char name[static NAME_SIZE])
{
	memcpy(name, id, ID_LEN);
	memcpy(name + ID_LEN, SUFFIX, sizeof SUFFIX);
}

static bool is_ours(const char *name)
{
	return strspn(name, "0123456789abcdef") == ID_LEN && strcmp(name + ID_LEN, SUFFIX) == 0;
}

static int by_age(const void *a, const void *b)
{
	const struct found *x = a;
	const struct found *y = b;

	if (x->mtime.tv_sec != y->mtime.tv_sec)
		return x->mtime.tv_sec < y->mtime.tv_sec ? -1 : 1;
	if (x->mtime.tv_nsec != y->mtime.tv_nsec)
		return x->mtime.tv_nsec < y->mtime.tv_nsec ? -1 : 1;
	return memcmp(x->id, y->id, ID_LEN);
}

/* Every file of ours in the folder, unsorted; only at start, so it may allocate. */
static int scan(DIR *dir, struct found **found, size_t *count)
{
	size_t room = 0;
	struct dirent *entry;

	while ((entry = readdir(dir)) != NULL) {
		struct stat st;

		if (!is_ours(entry->d_name) ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		if (*count == room) {
			struct found *more;

			room = room == 0 ? 256 : room * 2;
			more = reallocarray(*found, room, sizeof **found);
			if (more == NULL)
				return -1;
			*found = more;
		}
		memcpy((*found)[*count].id, entry->d_name, ID_LEN);
		(*found)[*count].size = (uint64_t)st.st_size;
		(*found)[*count].mtime = st.st_mtim;
		++*count;
	}
	return 0;
}

/* Takes the oldest entry off; its file is removed unless it was made anew since. */
static void remove_oldest(struct folder *folder)
{
	struct file *oldest = file_at(folder, folder->head++);
	char name[NAME_SIZE];

	folder->bytes -= oldest->size;
	if (oldest->gone)
		return;
	name_of(oldest->id, name);
	(void)unlinkat(folder->dir, name, 0); /* already gone is as good */
	folder->removed++;
}

static void file_add(struct folder *folder, const char *id, uint64_t size, uint64_t *owner)
{
	struct file *file = file_at(folder, folder->tail++);

	memcpy(file->id, id, ID_LEN);
	file->gone = false;
	file->size = size;
	file->owner = owner;
	folder->bytes += size;
}

static int load(struct folder *folder, const char *directory, struct err *err)
{
	int copy = fcntl(folder->dir, F_DUPFD_CLOEXEC, 0);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct found *found = NULL;
	size_t count = 0;
	int rc = 0;

	if (dir == NULL) {
		rc = err_set(err, ERR_RUN, "evidence directory %s: %s", directory, strerror(errno));
		if (copy >= 0)
			(void)close(copy);
		return rc;
	}
	if (scan(dir, &found, &count) != 0) {
		rc = err_set(err, ERR_MEMORY, "evidence directory %s: out of memory", directory);
		goto out;
	}
	if (count > 0)
		qsort(found, count, sizeof *found, by_age);
	for (size_t i = 0; i < count; i++) {
		if (folder->tail - folder->head == folder->capacity)
			remove_oldest(folder);
		file_add(folder, found[i].id, found[i].size, NULL);
	}
	while (folder->bytes > folder->quota && folder->head != folder->tail)
		remove_oldest(folder);
out:
	free(found);
	(void)closedir(dir);
	return rc;
}

struct folder *folder_new(const char *directory, uint32_t capacity, uint64_t quota, struct err *err)
{
	struct folder *folder = calloc(1, sizeof *folder + capacity * sizeof folder->file[0]);

	if (folder == NULL) {
		(void)err_set(err, ERR_MEMORY, "evidence: out of memory");
		return NULL;
	}
	folder->capacity = capacity;
	folder->quota = quota;
	if (mkdir(directory, 0750) != 0 && errno != EEXIST) {
		folder->dir = -1;
		(void)err_set(err, ERR_RUN, "evidence directory %s: %s", directory,
			      strerror(errno));
		goto fail;
	}
	folder->dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder->dir < 0) {
		(void)err_set(err, ERR_RUN, "evidence directory %s: %s", directory,
			      strerror(errno));
		goto fail;
	}
	if (load(folder, directory, err) != 0)
		goto fail;
	return folder;
fail:
	folder_free(folder);
	return NULL;
}

void folder_free(struct folder *folder)
{
	if (folder == NULL)
		return;
	if (folder->dir >= 0)
		(void)close(folder->dir);
	free(folder);
}

bool folder_reserve(struct folder *folder, uint64_t len, bool new_file)
{
	uint64_t looked = 0;
	uint64_t used = folder->tail - folder->head;

	if (len > folder->quota)
		return false;
	while (folder->bytes + len > folder->quota || (new_file && used == folder->capacity)) {
		struct file *oldest = file_at(folder, folder->head);

		if (looked++ == folder->capacity || used == 0)
			return false;
		if (oldest->owner == NULL) {
			remove_oldest(folder);
		} else { /* still open: counts as young again */
			struct file moved = *oldest;

			folder->head++;
			folder->bytes -= moved.size;
			*moved.owner = folder->tail;
			file_add(folder, moved.id, moved.size, moved.owner);
		}
		used = folder->tail - folder->head;
	}
	return true;
}

/* The folder may hold the file of an earlier run over the same capture: same id, same name. */
static void forget(struct folder *folder, const char *id)
{
	for (uint64_t n = folder->head; n != folder->tail; n++) {
		struct file *file = file_at(folder, n);

		if (!file->gone && memcmp(file->id, id, ID_LEN) == 0) {
			folder->bytes -= file->size;
			file->size = 0;
			file->gone = true;
		}
	}
}

int folder_create(struct folder *folder, const char *id, uint64_t *number_at)
{
	static const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	char name[NAME_SIZE];
	int fd;

	name_of(id, name);
	fd = openat(folder->dir, name, flags, 0640);
	if (fd < 0 && errno == EEXIST) {
		/* Never written through: it may be a link that somebody left there. */
		if (unlinkat(folder->dir, name, 0) != 0)
			return -1;
		forget(folder, id);
		fd = openat(folder->dir, name, flags, 0640);
	}
	if (fd < 0)
		return -1;
	*number_at = folder->tail;
	file_add(folder, id, 0, number_at);
	return fd;
}

int folder_append(struct folder *folder, const char *id, uint64_t size)
{
	char name[NAME_SIZE];
	struct stat st;
	int fd;

	name_of(id, name);
	fd = openat(folder->dir, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != size ||
	    lseek(fd, (off_t)size, SEEK_SET) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

void folder_grow(struct folder *folder, uint64_t number, uint64_t len)
{
	file_at(folder, number)->size += len;
	folder->bytes += len;
}

void folder_close(struct folder *folder, uint64_t number)
{
	file_at(folder, number)->owner = NULL;
}

void folder_discard(struct folder *folder, uint64_t number)
{
	struct file *file = file_at(folder, number);
	char name[NAME_SIZE];

	name_of(file->id, name);
	(void)unlinkat(folder->dir, name, 0);
	file->gone = true;
	file->owner = NULL;
}

uint64_t folder_removed(const struct folder *folder)
{
	return folder->removed;
}
