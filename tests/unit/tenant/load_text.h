/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_text.h - inventories for tests, out of texts instead of files.
 *
 * A scratch folder holds one file per text, "a.yaml", "b.yaml" ...; messages are compared with the
 * folder's name cut away.
 */
#ifndef TESTS_TENANT_LOAD_TEXT_H
#define TESTS_TENANT_LOAD_TEXT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bulkhead/clock.h"
#include "bulkhead/tenant.h"

#define TEXT_FILES 4

struct loaded {
	char folder[64];
	struct inventory *inv;
	struct problems problems;
	struct err err;
	int rc;
};

static inline uint64_t test_now(void)
{
	uint64_t ns = 0;

	assert_int_equal(clock_parse_date("2026-06-01", &ns), 0);
	return ns;
}

static inline void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

static inline void file_name(const struct loaded *t, unsigned i, char path[static 96])
{
	snprintf(path, 96, "%s/%c.yaml", t->folder, (char)('a' + (int)i));
}

/* Loads the folder holding one file for each text; "version: 1" is put in front of each. */
static inline void load_files(struct loaded *t, const char *const *texts, unsigned count)
{
	const char *path = t->folder;
	char file[96];

	memset(t, 0, sizeof *t);
	snprintf(t->folder, sizeof t->folder, "/tmp/bulkhead-test-XXXXXX");
	assert_non_null(mkdtemp(t->folder));
	for (unsigned i = 0; i < count; i++) {
		size_t size = strlen(texts[i]) + 32;
		char *whole = malloc(size);

		assert_non_null(whole);
		snprintf(whole, size, "version: 1\n%s", texts[i]);
		file_name(t, i, file);
		write_file(file, whole);
		free(whole);
	}
	t->rc = inventory_load(&path, 1, test_now(), &t->inv, &t->problems, &t->err);
	for (unsigned i = 0; i < count; i++) {
		file_name(t, i, file);
		unlink(file);
	}
	rmdir(t->folder);
}

static inline void load_text(struct loaded *t, const char *text)
{
	load_files(t, &text, 1);
}

static inline void unload(struct loaded *t)
{
	inventory_unref(t->inv);
	problems_fini(&t->problems);
}

/* The same for texts that must load; what was said is shown when not. */
static inline void load_good(struct loaded *t, const char *text)
{
	load_text(t, text);
	if (t->rc != 0)
		print_message("%s\n%s", t->err.text, t->problems.text);
	assert_int_equal(t->rc, 0);
	assert_non_null(t->inv);
}

/* Is there a message that reads "WHERE...MIDDLE..."?  where is "a.yaml:4:5" or "". */
static inline int told(const struct loaded *t, const char *where, const char *middle)
{
	char start[128];
	const char *line = t->problems.text;

	snprintf(start, sizeof start, "%s/%s: ", t->folder, where);
	while (line != NULL && *line != '\0') {
		const char *end = strchr(line, '\n');
		const char *at = strstr(line, middle);

		if (strncmp(line, start, strlen(start)) == 0 && at != NULL && at < end)
			return 1;
		line = end + 1;
	}
	return 0;
}

static inline struct ip_addr ip_of(const char *text)
{
	struct ip_addr ip;

	assert_true(ip_parse(text, &ip));
	return ip;
}

static inline struct mac_addr mac_of(const char *text)
{
	struct mac_addr mac;

	assert_true(mac_parse(text, &mac));
	return mac;
}

static inline struct owner owner_at(const struct loaded *t, uint16_t domain, const char *text)
{
	struct ip_addr ip = ip_of(text);

	return inventory_owner(t->inv, domain, &ip);
}

#endif
