/* SPDX-License-Identifier: Apache-2.0 */
/* test_ndpi_speed.c - what takes a library function's place says the same as it. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "dpi/ndpi_compat.h"
#include "dpi/ndpi_speed.h"

#define ROOM 24

static const unsigned values[] = {0,	  1,	   9,	     10,      15,	   16,
				  255,	  256,	   4095,     4096,    65535,	   99999,
				  100000, 4294967, 1u << 31, INT_MAX, 4294967294u, UINT_MAX};
#define VALUES (sizeof values / sizeof values[0])

/* Both into arrays of the same bytes: what is behind the text must be left alone. */
static void same(const char *format, size_t size, unsigned value, const char *before)
{
	char ours[ROOM], libc[ROOM];
	int a, b;

	memset(ours, 'x', sizeof ours);
	memset(libc, 'x', sizeof libc);
	if (before != NULL) {
		a = __snprintf_chk(ours, size, 1, sizeof ours, format, before, value);
		b = snprintf(libc, size, format, before, value);
	} else {
		a = __snprintf_chk(ours, size, 1, sizeof ours, format, value);
		b = snprintf(libc, size, format, value);
	}
	assert_int_equal(a, b);
	assert_memory_equal(ours, libc, sizeof ours);
}

static void test_known_formats(void **state)
{
	static const char *const before[] = {"", "-", "a longer text than fits"};

	(void)state;
	for (size_t size = 0; size <= ROOM; size++)
		for (size_t i = 0; i < VALUES; i++) {
			same("%02x", size, values[i], NULL);
			same("%02X", size, values[i], NULL);
			for (size_t k = 0; k < sizeof before / sizeof before[0]; k++)
				same("%s%u", size, values[i], before[k]);
		}
}

static void test_all_others(void **state)
{
	(void)state;
	for (size_t size = 0; size <= ROOM; size++) {
		same("%u", size, 12345, NULL);
		same("%s%u;", size, 12345, "-");
		same("%s%04X", size, 0xabc, "-");
		same("%03x", size, 0xabcdef, NULL);
	}
}

static void test_no_array(void **state)
{
	(void)state;
	assert_int_equal(__snprintf_chk(NULL, 0, 1, SIZE_MAX, "%s%u", "-", 771u), 4);
	assert_int_equal(__snprintf_chk(NULL, 0, 1, SIZE_MAX, "%02x", 7u), 2);
}

static void finds_words(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: example\0Host: other";

	(void)state;
	assert_ptr_equal(ndpi_strnstr(text, "GET", sizeof text), text);
	assert_ptr_equal(ndpi_strnstr(text, "Host", sizeof text), text + 16);
	assert_ptr_equal(ndpi_strnstr(text, "", sizeof text), text);
	assert_ptr_equal(ndpi_strnstr(text, "", 0), text);
	assert_ptr_equal(ndpi_strnstr(text, "Host", 20), text + 16);
	assert_null(ndpi_strnstr(text, "Host", 19));
	assert_null(ndpi_strnstr(text, "other", sizeof text)); /* behind the zero */
	assert_null(ndpi_strnstr(text, "GET", 0));
	assert_null(ndpi_strnstr(text, "get", sizeof text));
}

static void knows_beginnings(void **state)
{
	static const uint8_t text[] = {'U', 'S', 'E', 'R', 0xff};

	(void)state;
	assert_int_equal(ndpi_match_prefix(text, sizeof text, "USER", 4), 1);
	assert_int_equal(ndpi_match_prefix(text, 4, "USER", 4), 1);
	assert_int_equal(ndpi_match_prefix(text, 3, "USER", 4), 0);
	assert_int_equal(ndpi_match_prefix(text, sizeof text, "UXER", 4), 0);
	assert_int_equal(ndpi_match_prefix(text, sizeof text, "PASS", 4), 0);
	assert_int_equal(ndpi_match_prefix(text, sizeof text, "USER\xff", 5), 1);
	assert_int_equal(ndpi_match_prefix(text, 0, "USER", 4), 0);
	assert_int_equal(ndpi_match_prefix(text, sizeof text, "", 0), 1);
}

#if NDPI_RELEASE <= 402
static void compares_sets(void **state)
{
	NDPI_PROTOCOL_BITMASK a, b;

	(void)state;
	for (unsigned i = 0; i < 512; i++) {
		NDPI_BITMASK_RESET(a);
		NDPI_BITMASK_SET_ALL(b);
		assert_int_equal(NDPI_BITMASK_COMPARE(a, b), 0);
		a.fds_bits[i / 32] |= 1u << i % 32;
		assert_int_equal(NDPI_BITMASK_COMPARE(a, b), 1);
		assert_int_equal(NDPI_BITMASK_COMPARE(b, a), 1);
		b.fds_bits[i / 32] &= ~(1u << i % 32);
		assert_int_equal(NDPI_BITMASK_COMPARE(a, b), 0);
	}
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_formats),
		cmocka_unit_test(test_all_others),
		cmocka_unit_test(test_no_array),
		cmocka_unit_test(finds_words),
		cmocka_unit_test(knows_beginnings),
#if NDPI_RELEASE <= 402
		cmocka_unit_test(compares_sets),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
