/* SPDX-License-Identifier: Apache-2.0 */
/* geo.c against a database that pcaps/make_geo.pl writes anew. */
#include "detect/geo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/bulkhead-geo-XXXXXX";
static char database[64];

static int write_database(const char *path)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		execlp("perl", "perl", "pcaps/make_geo.pl", path, (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static int set_up(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(database, sizeof database, "%s/geo.mmdb", folder);
	return write_database(database);
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(database);
	return rmdir(folder);
}

static struct geo_place find(const struct geo *geo, const char *text)
{
	struct ip_addr ip;

	assert_true(ip_parse(text, &ip));
	return geo_find(geo, &ip);
}

static void finds_both_layouts(void **state)
{
	struct err err = {0};
	struct geo *geo;

	(void)state;
	assert_int_equal(geo_open(&geo, database, database, &err), 0);
	assert_string_equal(find(geo, "198.51.100.7").country, "US");
	assert_int_equal(find(geo, "198.51.100.7").asn, 64501);
	assert_string_equal(find(geo, "2001:db8:1::7").country, "JP");
	assert_int_equal(find(geo, "2001:db8:1::7").asn, 64503);
	assert_string_equal(find(geo, "198.18.5.9").country, "BR");
	assert_int_equal(find(geo, "198.18.5.9").asn, 64504);
	geo_close(geo);
}

static void knows_what_it_does_not_know(void **state)
{
	struct err err = {0};
	struct geo *geo;

	(void)state;
	assert_int_equal(geo_open(&geo, database, NULL, &err), 0);
	assert_string_equal(find(geo, "8.8.8.8").country, "");
	assert_int_equal(find(geo, "198.51.100.7").asn, 0);
	assert_string_equal(find(geo, "198.51.100.7").country, "US");
	geo_close(geo);
}

static void says_why_it_cannot(void **state)
{
	char broken[80];
	struct err err = {0};
	struct geo *geo;
	FILE *f;

	(void)state;
	assert_int_equal(geo_open(&geo, "/nowhere/geo.mmdb", NULL, &err), ERR_NOINPUT);
	assert_non_null(strstr(err.text, "/nowhere/geo.mmdb"));
	assert_null(geo);
	(void)snprintf(broken, sizeof broken, "%s/broken.mmdb", folder);
	f = fopen(broken, "w");
	assert_non_null(f);
	(void)fputs("not a database\n", f);
	(void)fclose(f);
	assert_int_equal(geo_open(&geo, database, broken, &err), ERR_CONFIG);
	assert_null(geo);
	(void)unlink(broken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_both_layouts),
	    cmocka_unit_test(knows_what_it_does_not_know),
	    cmocka_unit_test(says_why_it_cannot),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
