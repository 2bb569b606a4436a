/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.c - from paths to parsed documents, and the revision over what was read.
 *
 * A folder stands for the *.yaml and *.yml files right in it, in the order of their names, hidden
 * ones left out.  Files are read here rather than by the YAML reader because the revision is a hash
 * over exactly the bytes that were parsed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tenant/load.h"

#define READ_STEP ((size_t)64 << 10)

struct reading {
	struct loader *l;
	struct hash128 sum;
	uint64_t bytes; /* so far, of all files */
	unsigned room;
};

static void no_input(struct loader *l, const char *path, const char *why)
{
	problem_add(l->problems, PROBLEM_ERROR, path, 0, 0, "%s", why);
	l->missing = true;
}

/* All of a file; NULL after reporting why not.  The caller frees *text. */
static int read_all(struct reading *r, const char *path, char **text, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t room = 0;
	ssize_t n = 1;

	*text = NULL;
	*len = 0;
	if (fd == -1) {
		no_input(r->l, path, strerror(errno));
		return -1;
	}
	while (n > 0) {
		if (room - *len < READ_STEP) {
			char *more = realloc(*text, room * 2 + READ_STEP);

			if (more == NULL) {
				r->l->memory = true;
				break;
			}
			*text = more;
			room = room * 2 + READ_STEP;
		}
		n = read(fd, *text + *len, READ_STEP);
		if (n == -1 && errno == EINTR) {
			n = 1;
			continue;
		}
		if (n == -1)
			no_input(r->l, path, strerror(errno));
		*len += n > 0 ? (size_t)n : 0;
		if (*len > YAML_MAX_BYTES || r->bytes + *len > INVENTORY_MAX_BYTES) {
			problem_add(r->l->problems, PROBLEM_ERROR, path, 0, 0,
				    "too big; a file may have 64 MiB, all together 256 MiB");
			n = -1;
		}
	}
	(void)close(fd); /* opened for reading: nothing to lose */
	return n == 0 && !r->l->memory ? 0 : -1;
}

static void file_read(struct reading *r, const char *path)
{
	struct loader *l = r->l;
	struct hash128 chain[2];
	struct yaml_doc *doc;
	struct err ignored = {0}; /* the cause is among the problems as well */
	char *text;
	size_t len;

	if (l->doc_count == INVENTORY_MAX_FILES) {
		problem_add(l->problems, PROBLEM_ERROR, path, 0, 0,
			    "too many files; an inventory may have %u", INVENTORY_MAX_FILES);
		return;
	}
	if (l->doc_count == r->room) {
		unsigned room = r->room == 0 ? 8 : r->room * 2;

		doc = realloc(l->docs, room * sizeof *doc);
		if (doc == NULL) {
			l->memory = true;
			return;
		}
		l->docs = doc;
		r->room = room;
	}
	if (read_all(r, path, &text, &len) == 0) {
		r->bytes += len;
		chain[0] = r->sum;
		chain[1] = hash128_plain(text, len);
		r->sum = hash128_plain(chain, sizeof chain);
		doc = &l->docs[l->doc_count++];
		*doc = (struct yaml_doc){0};
		if (yaml_read_text(doc, path, text, len, l->scratch, l->problems, &ignored) != 0) {
			l->memory = l->memory || ignored.code == ERR_MEMORY;
			l->doc_count--;
		}
	}
	free(text);
}

static int is_yaml(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot != NULL &&
	       (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* By bytes: the order may not depend on a locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void folder_read(struct reading *r, const char *path)
{
	struct dirent **names = NULL;
	int count = scandir(path, &names, is_yaml, by_name);
	size_t len = strlen(path);

	if (count == -1) {
		no_input(r->l, path, strerror(errno));
		return;
	}
	if (count == 0)
		problem_add(r->l->problems, PROBLEM_WARNING, path, 0, 0,
			    "no *.yaml file in this folder");
	for (int i = 0; i < count; i++) {
		const char *slash = len > 0 && path[len - 1] == '/' ? "" : "/";
		const char *file =
		    arena_printf(r->l->inv->arena, "%s%s%s", path, slash, names[i]->d_name);

		if (file == NULL)
			r->l->memory = true;
		else
			file_read(r, file);
		free(names[i]);
	}
	free(names);
}

int files_read(struct loader *l, const char *const *paths, unsigned count, struct err *err)
{
	struct reading r = {.l = l};

	for (unsigned i = 0; i < count; i++) {
		const char *path = keep(l, paths[i]);
		struct stat st;

		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			folder_read(&r, path);
		else
			file_read(&r, path);
	}
	(void)snprintf(l->inv->revision, sizeof l->inv->revision, "%016llx",
		       (unsigned long long)(r.sum.lo ^ r.sum.hi));
	if (l->memory)
		return err_set(err, ERR_MEMORY, "no memory to read the inventory");
	return 0;
}
