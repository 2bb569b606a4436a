/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sources.c - folders of captures, the list of sources, interfaces that are none.
 */
#include "bytes.h"

#include <fcntl.h>
#include <sys/stat.h>

static char **paths;
static unsigned count;
static struct err err;

static void touch(const char *folder, const char *name)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
}

static void clear(const char *folder, const char *const *names)
{
	char path[256];

	for (; *names != NULL; names++) {
		(void)snprintf(path, sizeof path, "%s/%s", folder, *names);
		assert_int_equal(remove(path), 0);
	}
	assert_int_equal(rmdir(folder), 0);
}

static void folders(void **state)
{
	static const char *const names[] = {
	    "b.pcap",	    "a.pcapng.gz", "c.cap.zst", "notes.txt", "x.gz",
	    ".hidden.pcap", "sub.pcap",	   ".pcap",	"A.pcapng",  NULL};
	char folder[] = "/tmp/bulkhead-test-XXXXXX", path[256];

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(capture_paths(folder, &paths, &count, &err), ERR_NOINPUT);
	for (unsigned n = 0; names[n] != NULL; n++)
		if (strcmp(names[n], "sub.pcap") != 0)
			touch(folder, names[n]);
	(void)snprintf(path, sizeof path, "%s/sub.pcap", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(capture_paths(folder, &paths, &count, &err), 0);
	assert_int_equal(count, 4);
	assert_string_equal(paths[0] + strlen(folder), "/A.pcapng");
	assert_string_equal(paths[1] + strlen(folder), "/a.pcapng.gz");
	assert_string_equal(paths[2] + strlen(folder), "/b.pcap");
	assert_string_equal(paths[3] + strlen(folder), "/c.cap.zst");
	capture_paths_free(paths, count);
	(void)snprintf(path, sizeof path, "%s/notes.txt", folder);
	assert_int_equal(capture_paths(path, &paths, &count, &err), 0); /* named is wanted */
	assert_int_equal(count, 1);
	assert_string_equal(paths[0], path);
	capture_paths_free(paths, count);
	clear(folder, names);
	assert_int_equal(capture_paths(folder, &paths, &count, &err), ERR_NOINPUT);
	assert_int_equal(capture_paths("-", &paths, &count, &err), 0);
	assert_string_equal(paths[0], "-");
	capture_paths_free(paths, count);
	capture_paths_free(NULL, 0);
}

static void sources(void **state)
{
	(void)state;
	assert_ptr_equal(capture_sources[0], &capture_live);
	assert_ptr_equal(capture_sources[1], &capture_savefile);
	assert_null(capture_sources[2]);
}

static void no_such_interface(void **state)
{
	struct capture_options options = {.name = "no-such-if", .snaplen = 65535};
	struct capture *c;
	int rc = capture_live.open(&c, &options, &err);

	(void)state;
	/* Without the right to capture, that is what is wrong first. */
	assert_true(rc == ERR_NOINPUT || rc == ERR_PERM);
	assert_int_equal(rc, err.code);
	assert_non_null(strstr(err.text, "no-such-if"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(folders),
	    cmocka_unit_test(sources),
	    cmocka_unit_test(no_such_interface),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
