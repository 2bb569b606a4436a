/* SPDX-License-Identifier: Apache-2.0 */
/* test_json.c - whatever a string holds, valid JSON of printable ASCII comes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

/* The JSON of one string value, as a top-level text. */
static const char *of_bytes(const void *bytes, size_t len, bool *sanitised)
{
	static char buf[4096];
	struct json j;

	json_init(&j, buf, sizeof buf);
	json_bytes(&j, NULL, bytes, len);
	assert_false(j.overflow);
	assert_int_equal(strlen(buf), j.len);
	*sanitised = j.sanitised;
	return buf;
}

static void check(const char *text, const char *expected, bool expect_sanitised)
{
	bool sanitised;

	assert_string_equal(of_bytes(text, strlen(text), &sanitised), expected);
	assert_int_equal(sanitised, expect_sanitised);
}

static void members_commas_and_numbers(void **state)
{
	char buf[512];
	struct json j;

	(void)state;
	json_init(&j, buf, sizeof buf);
	json_open_object(&j, NULL);
	json_string(&j, "a", "x");
	json_open_object(&j, "o");
	json_close_object(&j);
	json_open_array(&j, "l");
	json_uint(&j, NULL, 0);
	json_uint(&j, NULL, UINT64_MAX);
	json_int(&j, NULL, INT64_MIN);
	json_int(&j, NULL, 7);
	json_open_array(&j, NULL);
	json_close_array(&j);
	json_close_array(&j);
	json_bool(&j, "t", true);
	json_bool(&j, "f", false);
	json_close_object(&j);
	assert_string_equal(buf, "{\"a\":\"x\",\"o\":{},\"l\":[0,18446744073709551615,"
				 "-9223372036854775808,7,[]],\"t\":true,\"f\":false}");
	assert_false(j.overflow);
	assert_false(j.sanitised);
	json_init(&j, buf, sizeof buf);
	json_double(&j, NULL, 1.5);
	json_double(&j, NULL, NAN);
	json_double(&j, NULL, -INFINITY);
	json_double(&j, NULL, -0.000123456789);
	json_double(&j, NULL, DBL_MAX);
	assert_string_equal(buf, "1.5,0,0,-0.000123457,1.79769e+308");
}

static void all_byte_values_alone(void **state)
{
	bool sanitised;

	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		unsigned char byte = (unsigned char)c;
		const char *out = of_bytes(&byte, 1, &sanitised);
		char expected[16];

		if (c == '"' || c == '\\')
			(void)snprintf(expected, sizeof expected, "\"\\%c\"", (int)c);
		else if (c >= 0x80)
			(void)snprintf(expected, sizeof expected, "\"\\\\x%02x\"", c);
		else if (c < 0x20 || c == 0x7f || c == '<' || c == '>' || c == '&' || c == '\'')
			(void)snprintf(expected, sizeof expected, "\"\\u%04x\"", c);
		else
			(void)snprintf(expected, sizeof expected, "\"%c\"", (int)c);
		assert_string_equal(out, expected);
		assert_int_equal(sanitised, c < 0x20 || c >= 0x7f);
	}
}

static void utf8_is_read_strictly(void **state)
{
	(void)state;
	check("\xc3\xa9", "\"\\u00e9\"", false);
	check("\xe2\x82\xac", "\"\\u20ac\"", false);
	check("\xf0\x9f\x98\x80", "\"\\ud83d\\ude00\"", false);
	check("\xf4\x8f\xbf\xbf", "\"\\udbff\\udfff\"", false);
	check("\xc0\x80", "\"\\\\xc0\\\\x80\"", true);		  /* overlong NUL */
	check("\xe0\x80\xaf", "\"\\\\xe0\\\\x80\\\\xaf\"", true); /* overlong slash */
	check("\xed\xa0\x80", "\"\\\\xed\\\\xa0\\\\x80\"", true); /* surrogate */
	check("\xf4\x90\x80\x80", "\"\\\\xf4\\\\x90\\\\x80\\\\x80\"", true);
	check("\xf0\x9f\x98", "\"\\\\xf0\\\\x9f\\\\x98\"", true); /* cut */
	check("\xe2\x82", "\"\\\\xe2\\\\x82\"", true);
	check("\xe2\x28\xa1", "\"\\\\xe2(\\\\xa1\"", true);
	check("a\xff"
	      "b",
	      "\"a\\\\xff"
	      "b\"",
	      true);
}

static void what_misleads_a_reader_is_marked(void **state)
{
	(void)state;
	check("\xe2\x80\xae", "\"\\u202e\"", true); /* right-to-left override */
	check("\xe2\x81\xa6", "\"\\u2066\"", true); /* isolate */
	check("\xe2\x80\x8b", "\"\\u200b\"", true); /* zero width space */
	check("\xef\xbb\xbf", "\"\\ufeff\"", true);
	check("\xc2\x85", "\"\\u0085\"", true);
	check("\xf3\xa0\x81\x81", "\"\\udb40\\udc41\"", true); /* a tag character */
	check("</script>", "\"\\u003c/script\\u003e\"", false);
	check("\x1b[2J\r\n", "\"\\u001b[2J\\u000d\\u000a\"", true);
}

static void strings_end_at_255_bytes_and_whole_characters(void **state)
{
	char text[600];
	char expected[700];
	bool sanitised;

	(void)state;
	memset(text, 'a', sizeof text);
	(void)snprintf(expected, sizeof expected, "\"%.255s\"", text);
	assert_string_equal(of_bytes(text, 255, &sanitised), expected);
	assert_false(sanitised);
	assert_string_equal(of_bytes(text, 256, &sanitised), expected);
	assert_true(sanitised);
	memcpy(text + 254, "\xc3\xa9", 2); /* would end at 256 */
	(void)snprintf(expected, sizeof expected, "\"%.254s\"", text);
	assert_string_equal(of_bytes(text, 256, &sanitised), expected);
	assert_true(sanitised);
	memset(text, 0xff, sizeof text); /* each takes four bytes once read */
	assert_int_equal(strlen(of_bytes(text, 600, &sanitised)), 2 + 63 * 5);
}

static void overflow_stops_at_every_size(void **state)
{
	char whole[128];
	char buf[128];
	struct json j;
	size_t len;

	(void)state;
	for (size_t size = 0; size < sizeof buf; size++) {
		memset(buf, 'Z', sizeof buf);
		json_init(&j, buf, size);
		json_open_object(&j, NULL);
		json_string(&j, "k\"", "v\xff\x01");
		json_uint(&j, "n", 12345);
		json_double(&j, "d", 0.5);
		json_close_object(&j);
		if (size == sizeof buf - 1)
			memcpy(whole, buf, sizeof whole);
		assert_true(j.overflow || j.len < size);
		assert_true(size == 0 || buf[j.len] == '\0');
		for (size_t i = size; i < sizeof buf; i++)
			assert_int_equal(buf[i], 'Z');
	}
	assert_string_equal(whole, "{\"k\\\"\":\"v\\\\xff\\u0001\",\"n\":12345,\"d\":0.5}");
	len = strlen(whole);
	json_init(&j, buf, len + 1);
	json_open_object(&j, NULL);
	json_string(&j, "k\"", "v\xff\x01");
	json_uint(&j, "n", 12345);
	json_double(&j, "d", 0.5);
	json_close_object(&j);
	assert_false(j.overflow);
	assert_int_equal(j.len, len);
}

static void nothing_follows_an_overflow(void **state)
{
	char buf[8];
	struct json j;

	(void)state;
	json_init(&j, buf, sizeof buf);
	json_string(&j, NULL, "too long for it");
	assert_true(j.overflow);
	json_uint(&j, NULL, 1);
	assert_string_equal(buf, "\"");
}

static void sanitised_text(void **state)
{
	char out[64];

	(void)state;
	assert_false(text_sanitise(out, sizeof out, "plain text", 10));
	assert_string_equal(out, "plain text");
	assert_true(text_sanitise(out, sizeof out, "a\nb\xff\"", 5));
	assert_string_equal(out, "a\\u000ab\\\\xff\\\"");
	assert_true(text_sanitise(out, 8, "a\nb", 3));
	assert_string_equal(out, "a\\u000a");
	assert_true(text_sanitise(out, 7, "a\nb", 3));
	assert_string_equal(out, "a");
	assert_true(text_sanitise(out, 4, "abcd", 4));
	assert_string_equal(out, "abc");
	assert_false(text_sanitise(out, 5, "abcd", 4));
	assert_false(text_sanitise(out, 1, "", 0));
	assert_string_equal(out, "");
	assert_true(text_sanitise(out, 0, "a", 1));
}

static void random_bytes_stay_printable(void **state)
{
	unsigned long long x = 88172645463325252ULL;
	unsigned char bytes[300];
	bool sanitised;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		const char *out;

		for (size_t i = 0; i < sizeof bytes; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			bytes[i] = (unsigned char)(round % 2 ? x | 0x80 : x);
		}
		out = of_bytes(bytes, (size_t)round % sizeof bytes, &sanitised);
		for (const char *p = out; *p != '\0'; p++)
			assert_in_range(*p, 0x20, 0x7e);
		assert_int_equal(out[0], '"');
		assert_int_equal(out[strlen(out) - 1], '"');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(members_commas_and_numbers),
	    cmocka_unit_test(all_byte_values_alone),
	    cmocka_unit_test(utf8_is_read_strictly),
	    cmocka_unit_test(what_misleads_a_reader_is_marked),
	    cmocka_unit_test(strings_end_at_255_bytes_and_whole_characters),
	    cmocka_unit_test(overflow_stops_at_every_size),
	    cmocka_unit_test(nothing_follows_an_overflow),
	    cmocka_unit_test(sanitised_text),
	    cmocka_unit_test(random_bytes_stay_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
