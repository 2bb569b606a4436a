/* SPDX-License-Identifier: Apache-2.0 */
/* test_server_name.c - names and prints out of hellos, whole, cut and damaged. */
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

static size_t append(uint8_t *bytes, size_t at, uint16_t type, const void *body, size_t len)
{
	bytes[at] = (uint8_t)(type >> 8);
	bytes[at + 1] = (uint8_t)type;
	bytes[at + 2] = (uint8_t)(len >> 8);
	bytes[at + 3] = (uint8_t)len;
	memcpy(bytes + at + 4, body, len);
	return at + 4 + len;
}

static uint64_t print_of(const uint8_t *bytes, size_t len)
{
	struct hash_key key;
	uint8_t *copy = malloc(len == 0 ? 1 : len);
	uint64_t print;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	hash_key_init(&key, 7);
	print = hello_print(copy, len, &key);
	free(copy);
	return print;
}

static const uint8_t GROUPS[] = {0, 4, 0x1a, 0x1a, 0, 29}, FORMATS[] = {1, 0};

/* One client: other names, randoms, GREASE, padding, resumption and order are the same print. */
static void same_client(void **state)
{
	uint8_t a[512], b[512];
	size_t len_a = hello(a, "shop.example"), len_b = hello(b, "a.very.long.name.example");
	uint8_t groups[sizeof GROUPS];

	(void)state;
	len_a = append(a, len_a, 10, GROUPS, sizeof GROUPS);
	len_a = append(a, len_a, 11, FORMATS, sizeof FORMATS);
	memcpy(groups, GROUPS, sizeof groups);
	groups[2] = groups[3] = 0xfa;
	memset(b + 11, 0x55, 32);
	len_b = append(b, len_b, 0x3a3a, "", 0);
	len_b = append(b, len_b, 41, "ticket", 6);
	len_b = append(b, len_b, 11, FORMATS, sizeof FORMATS);
	len_b = append(b, len_b, 42, "", 0);
	len_b = append(b, len_b, 10, groups, sizeof groups);
	len_b = append(b, len_b, 21, "\0\0\0", 3);
	assert_int_not_equal(print_of(a, len_a), 0);
	assert_int_equal(print_of(a, len_a), print_of(b, len_b));
}

static void other_clients(void **state)
{
	uint8_t a[512], b[512];
	size_t len = hello(a, "shop.example");
	uint8_t groups[] = {0, 2, 0, 23};

	(void)state;
	len = append(a, len, 10, GROUPS, sizeof GROUPS);
	memcpy(b, a, sizeof b);
	b[9] = 3; /* the version */
	assert_int_not_equal(print_of(a, len), print_of(b, len));
	memcpy(b, a, sizeof b);
	b[5 + 4 + 2 + 32 + 1 + 2 + 1] = 0x2f; /* a cipher suite */
	assert_int_not_equal(print_of(a, len), print_of(b, len));
	assert_int_not_equal(print_of(a, len), print_of(b, append(b, len, 13, "", 0)));
	assert_int_not_equal(print_of(a, len),
			     print_of(b, append(b, hello(b, "shop.example"), 10, groups, 4)));
	/* Cut within an extension, or before the first. */
	assert_int_equal(print_of(a, len - 1), 0);
	assert_int_equal(print_of(a, 45), 0);
	assert_int_equal(print_of(a, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names),
	    cmocka_unit_test(damaged),
	    cmocka_unit_test(same_client),
	    cmocka_unit_test(other_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
