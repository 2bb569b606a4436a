/* SPDX-License-Identifier: Apache-2.0 */
/* test_redis_url.c - where a Redis is and who we are there. */
#include "unit/sink/support.h"

#include "sink/redis_url.h"

struct good {
	const char *url, *host, *path, *user, *password, *label;
	uint16_t port;
	uint32_t db;
};

static void test_parses(void **state)
{
	static const struct good row[] = {
	    {"redis://h", "h", "", "", "", "h:6379", 6379, 0},
	    {"redis://h:1/", "h", "", "", "", "h:1", 1, 0},
	    {"redis://127.0.0.1:6380/3", "127.0.0.1", "", "", "", "127.0.0.1:6380", 6380, 3},
	    {"redis://[fd00::1]:7/2", "fd00::1", "", "", "", "fd00::1:7", 7, 2},
	    {"redis://[::1]", "::1", "", "", "", "::1:6379", 6379, 0},
	    {"redis://me@h", "h", "", "me", "", "h:6379", 6379, 0},
	    {"redis://me:p%40s%2Fs:x@h", "h", "", "me", "p@s/s:x", "h:6379", 6379, 0},
	    {"redis://:pw@h", "h", "", "", "pw", "h:6379", 6379, 0},
	    {"redis://u:a@b@h", "h", "", "u", "a@b", "h:6379", 6379, 0},
	    {"unix:///run/r.sock", "", "/run/r.sock", "", "", "/run/r.sock", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct redis_target t;
		struct err err = {0};

		if (redis_target_parse(&t, row[i].url, &err) != 0)
			fail_msg("%s: %s", row[i].url, err.text);
		assert_string_equal(t.host, row[i].host);
		assert_string_equal(t.path, row[i].path);
		assert_string_equal(t.user, row[i].user);
		assert_string_equal(t.password, row[i].password);
		assert_string_equal(t.label, row[i].label);
		assert_int_equal(t.port, row[i].port);
		assert_int_equal(t.db, row[i].db);
	}
}

static void test_refuses(void **state)
{
	static const char *const bad[] = {
	    "",
	    "h",
	    "http://h",
	    "redis:h",
	    "redis://",
	    "redis://:6379",
	    "redis://h:0",
	    "redis://h:65536",
	    "redis://h:x",
	    "redis://h/one",
	    "redis://h/1/2",
	    "redis://[::1",
	    "redis://[::1]x",
	    "redis://u:%zz@h",
	    "redis://%4:x@h",
	    "redis://%00:x@h",
	    "redis://h:6379x",
	    "redis://h:",
	    "redis://u:%4@h",
	    "redis://u:%4z@h",
	    "redis://u:%z4@h",
	    "redis://u:%00@h",
	    "unix://r.sock",
	    "rediss://h",
	    "redis://h/99999999999",
	};
	char url[1200];
	struct redis_target t;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (redis_target_parse(&t, bad[i], &err) != ERR_CONFIG)
			fail_msg("accepted: %s", bad[i]);
	assert_int_equal(redis_target_parse(&t, "rediss://h", &err), ERR_CONFIG);
	assert_non_null(strstr(err.text, "stunnel"));
	assert_non_null(strstr(err.text, "unix://"));
	(void)snprintf(url, sizeof url, "redis://u:secret%0900d@h", 1);
	assert_int_equal(redis_target_parse(&t, url, &err), ERR_CONFIG);
	assert_null(strstr(err.text, "secret"));
	(void)snprintf(url, sizeof url, "redis://%0300d", 1);
	assert_int_equal(redis_target_parse(&t, url, &err), ERR_CONFIG);
	(void)snprintf(url, sizeof url, "unix:///%0200d", 1);
	assert_int_equal(redis_target_parse(&t, url, &err), ERR_CONFIG);
}

static void test_secrets(void **state)
{
	struct fixture *f = *state;
	char path[PATH_SIZE], user[sizeof((struct redis_target *)0)->user + 8];
	struct redis_target t;
	struct err err;
	FILE *file = fopen(in_folder(f, "secret", path), "w");

	assert_non_null(file);
	(void)fputs("s3cret\nsecond line\n", file);
	(void)fclose(file);
	f->options.redis.username = "sensor";
	f->options.redis.password_file = path;
	assert_int_equal(redis_target_parse(&t, "redis://h", &err), 0);
	assert_int_equal(redis_target_secrets(&t, &f->options, &err), 0);
	assert_string_equal(t.user, "sensor");
	assert_string_equal(t.password, "s3cret");
	/* The URL's own wins, and an unnamed user with a password stays the default user. */
	assert_int_equal(redis_target_parse(&t, "redis://:own@h", &err), 0);
	assert_int_equal(redis_target_secrets(&t, &f->options, &err), 0);
	assert_string_equal(t.user, "");
	assert_string_equal(t.password, "own");
	/* Neither cut nor taken for none. */
	file = fopen(path, "w");
	assert_non_null(file);
	(void)fputs("\nsecond line\n", file);
	(void)fclose(file);
	assert_int_equal(redis_target_parse(&t, "redis://h", &err), 0);
	assert_int_equal(redis_target_secrets(&t, &f->options, &err), ERR_CONFIG);
	assert_non_null(strstr(err.text, "empty"));
	file = fopen(path, "w");
	assert_non_null(file);
	(void)fprintf(file, "%0*d", (int)sizeof t.password, 7);
	(void)fclose(file);
	assert_int_equal(redis_target_parse(&t, "redis://h", &err), 0);
	assert_int_equal(redis_target_secrets(&t, &f->options, &err), ERR_CONFIG);
	assert_non_null(strstr(err.text, "longer"));
	(void)snprintf(user, sizeof user, "%0*d", (int)sizeof t.user, 7);
	f->options.redis.username = user;
	assert_int_equal(redis_target_parse(&t, "redis://h", &err), 0);
	assert_int_equal(redis_target_secrets(&t, &f->options, &err), ERR_CONFIG);
	assert_non_null(strstr(err.text, "username"));
	f->options.redis.username = "sensor";
	f->options.redis.password_file = "/nonexistent/secret";
	assert_int_equal(redis_target_parse(&t, "redis://h", &err), 0);
	assert_int_equal(redis_target_secrets(&t, &f->options, &err), ERR_CONFIG);
	assert_non_null(strstr(err.text, "/nonexistent/secret"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parses),
	    cmocka_unit_test(test_refuses),
	    cmocka_unit_test_setup_teardown(test_secrets, fixture_new, fixture_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
