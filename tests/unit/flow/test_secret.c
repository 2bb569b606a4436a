/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_secret.c - decoys are found wherever they stand and however base64 shifts them; of HTTP only
 * credentials that nobody else has by chance leave, as keyed hashes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "flow/secret.h"

static const char yaml[] = "version: 1\n"
			   "tenants:\n"
			   "  - name: one\n"
			   "    decoys: [{ name: raw, secret: \"hunter2-7f3a\" },\n"
			   "             { name: pair, secret: \"svc:Tq9-blue-Anchor\" },\n"
			   "             { name: both, secret: \"known-to-two\" }]\n"
			   "  - name: two\n"
			   "    decoys: [{ name: also, secret: \"known-to-two\" }]\n";

static struct hash_key key;
static struct decoy_set *set;

static int set_up(void **state)
{
	char path[] = "/tmp/bulkhead-test-XXXXXX";
	const char *const paths[] = {path};
	struct problems problems = {0};
	struct inventory *inv = NULL;
	struct err err = {0};
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0 || write(fd, yaml, sizeof yaml - 1) != (ssize_t)sizeof yaml - 1)
		return -1;
	(void)close(fd);
	if (inventory_load(paths, 1, 0, &inv, &problems, &err) != 0) {
		(void)fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	(void)unlink(path);
	hash_key_init(&key, 5);
	set = decoy_set_new(inv, 5);
	inventory_unref(inv);
	return set != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	decoy_set_free(set);
	return 0;
}

/* From a copy that ends with its heap block, so that a sanitizer sees a read behind it. */
static unsigned scan(const char *text, size_t len, struct secret *out)
{
	uint8_t *copy = malloc(len + 1);
	unsigned count;

	assert_non_null(copy);
	memcpy(copy, text, len);
	copy = realloc(copy, len == 0 ? 1 : len);
	assert_non_null(copy);
	count = decoy_set_scan(set, copy, len, out);
	free(copy);
	return count;
}

static void test_raw(void **state)
{
	struct secret out[SECRETS_A_PACKET];
	char text[400];

	(void)state;
	for (size_t at = 0; at + 12 <= sizeof text; at++) {
		memset(text, 'h', sizeof text);
		memcpy(text + at, "hunter2-7f3a", 12);
		assert_int_equal(scan(text, sizeof text, out), 1);
		assert_int_equal(out[0].kind, SECRET_DECOY);
		assert_int_equal(out[0].decoy, 0);
		assert_false(out[0].encoded);
		text[at + 5] ^= 1;
		assert_int_equal(scan(text, sizeof text, out), 0);
	}
	assert_int_equal(scan("hunter2-7f3a hunter2-7f3a svc:Tq9-blue-Anchor", 45, out), 2);
	assert_int_equal(scan("hunter2-7f3", 11, out), 0);
	assert_int_equal(scan("", 0, out), 0);
}

/* What base64(1) writes for "x" * n + secret + ":y". */
static void test_base64(void **state)
{
	static const char *const texts[] = {
	    "Basic aHVudGVyMi03ZjNhOnk=",
	    "Basic eGh1bnRlcjItN2YzYTp5",
	    "Basic eHhodW50ZXIyLTdmM2E6eQ==",
	    "Basic eHh4aHVudGVyMi03ZjNhOnk=",
	};
	struct secret out[SECRETS_A_PACKET];

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_int_equal(scan(texts[i], strlen(texts[i]), out), 1);
		assert_int_equal(out[0].decoy, 0);
		assert_true(out[0].encoded);
	}
	assert_int_equal(scan("c3ZjOlRxOS1ibHVlLUFuY2hvcg==", 28, out), 1);
	assert_int_equal(out[0].decoy, 1);
}

static void test_shared_decoy(void **state)
{
	struct secret out[SECRETS_A_PACKET];

	(void)state;
	/* Two tenants know it: whoever says it proves nothing. */
	assert_int_equal(scan("known-to-two", 12, out), 0);
}

static unsigned http(const char *text, struct secret *out)
{
	return secret_of_http((const uint8_t *)text, strlen(text), &key, out);
}

#define TOKEN "c29tZS1yYW5kb20tdG9rZW4tOTM4NDc1"
#define SESSION "9f86d081884c7d659a2feaa0c55ad015"

static void test_http(void **state)
{
	struct secret a[SECRETS_A_PACKET], b[SECRETS_A_PACKET];

	(void)state;
	assert_int_equal(http("GET / HTTP/1.1\r\nAuthorization: Bearer " TOKEN "\r\n\r\n", a), 1);
	assert_int_equal(a[0].kind, SECRET_BEARER);
	assert_int_equal(
	    http("PUT /x HTTP/1.1\r\nHost: h\r\nauthorization:bearer " TOKEN " \r\n\r\n", b), 1);
	assert_true(a[0].lo == b[0].lo && a[0].hi == b[0].hi);
	/* A cookie that is set is the one that is sent. */
	assert_int_equal(http("HTTP/1.1 200 OK\r\nSet-Cookie: SID=" SESSION "; Path=/\r\n\r\n", a),
			 1);
	assert_int_equal(a[0].kind, SECRET_COOKIE_SET);
	assert_int_equal(http("GET / HTTP/1.0\r\nCookie: lang=en; SID=" SESSION "; x=1\r\n\r\n", b),
			 1);
	assert_int_equal(b[0].kind, SECRET_COOKIE);
	assert_true(a[0].lo == b[0].lo && a[0].hi == b[0].hi);
}

static void test_http_ignored(void **state)
{
	static const char *const texts[] = {
	    /* admin:changeme: guessable, so many have it */
	    "GET / HTTP/1.1\r\nAuthorization: Basic YWRtaW46Y2hhbmdlbWU=\r\n\r\n",
	    "GET / HTTP/1.1\r\nAuthorization: Bearer aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n",
	    "GET / HTTP/1.1\r\nCookie: csrftoken=" SESSION "\r\n\r\n",
	    "GET / HTTP/1.1\r\nCookie: consent=" SESSION "\r\n\r\n",
	    "GET / HTTP/1.1\r\nAuthorization: Basic !!\r\nCookie\r\n: \r\n\r\n",
	    /* half a value is not the value */
	    "GET / HTTP/1.1\r\nAuthorization: Bearer " TOKEN,
	    /* not a head */
	    "hello\r\nAuthorization: Bearer " TOKEN "\r\n\r\n",
	    "GET / HTTP/1.1\r\n\r\nAuthorization: Bearer " TOKEN "\r\n",
	};
	struct secret out[SECRETS_A_PACKET];

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_int_equal(http(texts[i], out), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_raw),		 cmocka_unit_test(test_base64),
	    cmocka_unit_test(test_shared_decoy), cmocka_unit_test(test_http),
	    cmocka_unit_test(test_http_ignored),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
