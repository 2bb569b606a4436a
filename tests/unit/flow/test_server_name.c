/* SPDX-License-Identifier: Apache-2.0 */
/* test_server_name.c - names out of hellos, whole, cut and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/server_name.h"

/* Two cipher suites, an extension that is no name, then the name. */
static size_t hello(uint8_t *out, const char *name)
{
	size_t len = strlen(name), at = 5 + 4 + 2 + 32;

	memset(out, 0, 512);
	out[0] = 22;
	out[1] = 3;
	out[5] = 1;
	at++; /* no session id */
	out[at + 1] = 4;
	at += 2 + 4;
	out[at++] = 1;
	at++; /* no compression */
	at += 2;
	out[at + 1] = 23; /* extended master secret: empty */
	at += 4;
	out[at + 3] = (uint8_t)(len + 5);
	out[at + 5] = (uint8_t)(len + 3);
	out[at + 8] = (uint8_t)len;
	memcpy(out + at + 9, name, len);
	return at + 9 + len;
}

static bool name_of(const uint8_t *bytes, size_t len, char *out, size_t size)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);
	bool found;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	found = server_name(copy, len, out, size);
	free(copy);
	return found;
}

static void names(void **state)
{
	uint8_t bytes[512];
	char out[16];
	size_t len = hello(bytes, "Shop.Example");

	(void)state;
	assert_true(name_of(bytes, len, out, sizeof out));
	assert_string_equal(out, "shop.example");
	len = hello(bytes, "a.very.long.shop.example");
	assert_true(name_of(bytes, len, out, sizeof out));
	assert_string_equal(out, "ng.shop.example");
	for (size_t cut = 0; cut < len; cut++)
		assert_false(name_of(bytes, cut, out, sizeof out));
}

static void damaged(void **state)
{
	uint8_t bytes[512];
	char out[80];
	size_t len = hello(bytes, "shop.example");

	(void)state;
	for (size_t at = 0; at < len; at++) {
		uint8_t was = bytes[at];

		for (unsigned value = 0; value < 256; value += 5) {
			bytes[at] = (uint8_t)value;
			if (name_of(bytes, len, out, sizeof out))
				assert_true(strlen(out) < sizeof out);
		}
		bytes[at] = was;
	}
	bytes[5] = 2; /* a ServerHello */
	assert_false(name_of(bytes, len, out, sizeof out));
	len = hello(bytes, "");
	assert_false(name_of(bytes, len, out, sizeof out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names),
	    cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
