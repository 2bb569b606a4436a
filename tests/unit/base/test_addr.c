/* SPDX-License-Identifier: Apache-2.0 */
/* test_addr.c - addresses from text and back (RFC 5952), and what kind each is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "bulkhead/addr.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct ip_addr ip(const char *text)
{
	struct ip_addr out = {0};

	assert_true(ip_parse(text, &out));
	return out;
}

static void ip_texts_are_canonical(void **state)
{
	static const char *const pairs[][2] = {
	    {"10.0.0.1", "10.0.0.1"},
	    {"0.0.0.0", "0.0.0.0"},
	    {"255.255.255.255", "255.255.255.255"},
	    {"::ffff:10.0.0.1", "10.0.0.1"},
	    {"::", "::"},
	    {"::1", "::1"},
	    {"1::", "1::"},
	    {"2001:DB8::1", "2001:db8::1"},
	    {"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
	    {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"}, /* one group stays, 4.2.2 */
	    {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},	      /* the longer run, 4.2.3 */
	    {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},    /* the first run, 4.2.3 */
	    {"::1:0:0:0:1", "::1:0:0:0:1"},
	    {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
	    {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
	    {"fe80::abcd:10:f:100", "fe80::abcd:10:f:100"},
	    {"::10.0.0.1", "::a00:1"},
	    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	};
	char buf[IP_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct ip_addr a = ip(pairs[i][0]);

		assert_string_equal(ip_format(&a, buf), pairs[i][1]);
	}
}

static void every_pattern_of_zero_groups_comes_back(void **state)
{
	char buf[IP_TEXT_SIZE];

	(void)state;
	for (unsigned mask = 0; mask < 256; mask++) {
		struct ip_addr a = {0};
		struct ip_addr b;
		uint8_t libc[16];

		for (unsigned i = 0; i < 8; i++)
			a.b[2 * i + 1] = mask >> i & 1 ? (uint8_t)(0x10 * i + 1) : 0;
		(void)ip_format(&a, buf);
		b = ip(buf);
		assert_true(ip_equal(&a, &b));
		assert_int_equal(inet_pton(AF_INET6, buf, libc), 1);
		assert_memory_equal(libc, a.b, 16);
	}
}

static void what_is_no_ip_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "1",
	    "1.2.3",
	    "1.2.3.4.5",
	    "01.2.3.4",
	    "1.2.3.256",
	    "1.2.3.4 ",
	    " 1.2.3.4",
	    "0x1.2.3.4",
	    "1.2.3.4/8",
	    ":",
	    ":::",
	    "1::2::3",
	    "12345::",
	    "fe80::1%eth0",
	    "1:2:3:4:5:6:7",
	    "1:2:3:4:5:6:7:8:9",
	    "::1.2.3",
	    "g::",
	};
	struct ip_addr a = {.b = {42}};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(ip_parse(bad[i], &a));
	assert_int_equal(a.b[0], 42);
}

static void macs(void **state)
{
	static const char *const bad[] = {
	    "",
	    "52:54:00:00:0b",
	    "52:54:00:00:0b:01:02",
	    "52:54:00:00:0b:1",
	    "5254.0000.0b01",
	    "52:54:00:00:0b:0g",
	    "52:54:00-00:0b:01",
	    "52:54:00:00:0b:01 ",
	    "525400000b01",
	    "52:54:00:00:0b:01:",
	    ":52:54:00:00:0b:01",
	};
	struct mac_addr m = {0};
	char buf[MAC_TEXT_SIZE];

	(void)state;
	assert_true(mac_parse("52:54:00:AB:0b:01", &m));
	assert_string_equal(mac_format(m, buf), "52:54:00:ab:0b:01");
	assert_int_equal(mac_to_u64(m), 0x525400ab0b01);
	assert_true(mac_parse("01-00-5E-00-00-01", &m));
	assert_string_equal(mac_format(m, buf), "01:00:5e:00:00:01");
	assert_true(mac_is_group(m));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(mac_parse(bad[i], &m));
	assert_string_equal(mac_format(m, buf), "01:00:5e:00:00:01");
}

static void prefixes(void **state)
{
	static const struct {
		const char *text, *canonical;
		uint8_t length;
		bool host_bits;
	} good[] = {
	    {"10.0.0.0/24", "10.0.0.0/24", 120, false},
	    {"10.0.0.77/24", "10.0.0.0/24", 120, true},
	    {"0.0.0.0/0", "0.0.0.0/0", 96, false},
	    {"1.2.3.4/32", "1.2.3.4/32", 128, false},
	    {"10.255.255.255/9", "10.128.0.0/9", 105, true},
	    {"fd00:10::/64", "fd00:10::/64", 64, false},
	    {"fd00:10::1/64", "fd00:10::/64", 64, true},
	    {"::/0", "::/0", 0, false},
	    {"2001:db8::1/128", "2001:db8::1/128", 128, false},
	    {"ffff::/3", "e000::/3", 3, true},
	    {"::ffff:10.0.0.0/104", "10.0.0.0/8", 104, false},
	};
	static const char *const bad[] = {
	    "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/+8",  "10.0.0.0/8 ",
	    "/8",	"::/129",    "::/0128",	    "10.0.0/8",	   "10.0.0.0/8/8", "10.0.0.0/-1"};
	char buf[PREFIX_TEXT_SIZE];
	struct ip_prefix p;
	bool host_bits;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(prefix_parse(good[i].text, &p, &host_bits));
		assert_int_equal(p.length, good[i].length);
		assert_int_equal(host_bits, good[i].host_bits);
		assert_string_equal(prefix_format(&p, buf), good[i].canonical);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(prefix_parse(bad[i], &p, NULL));
}

static bool contains(const char *prefix, const char *addr)
{
	struct ip_addr a = ip(addr);
	struct ip_prefix p;

	assert_true(prefix_parse(prefix, &p, NULL));
	return prefix_contains(&p, &a);
}

static void containment(void **state)
{
	(void)state;
	assert_true(contains("10.0.0.0/24", "10.0.0.255"));
	assert_false(contains("10.0.0.0/24", "10.0.1.0"));
	assert_true(contains("10.0.0.128/25", "10.0.0.128"));
	assert_false(contains("10.0.0.128/25", "10.0.0.127"));
	assert_true(contains("1.2.3.4/32", "1.2.3.4"));
	assert_false(contains("1.2.3.4/32", "1.2.3.5"));
	assert_true(contains("0.0.0.0/0", "255.0.0.1"));
	assert_false(contains("0.0.0.0/0", "2001:db8::1"));
	assert_true(contains("::/0", "2001:db8::1"));
	assert_false(contains("::/0", "10.0.0.1"));
	assert_true(contains("fe80::/10", "febf::1"));
	assert_false(contains("fe80::/10", "fec0::1"));
}

static void classes(void **state)
{
	static const struct {
		const char *text;
		bool (*is)(const struct ip_addr *ip);
		bool expected;
	} cases[] = {
	    {"10.0.0.1", ip_is_v4, true},
	    {"::1", ip_is_v4, false},
	    {"0.0.0.0", ip_is_unspecified, true},
	    {"::", ip_is_unspecified, true},
	    {"::1", ip_is_unspecified, false},
	    {"0.0.0.1", ip_is_unspecified, false},
	    {"224.0.0.1", ip_is_multicast, true},
	    {"239.255.255.255", ip_is_multicast, true},
	    {"240.0.0.1", ip_is_multicast, false},
	    {"223.255.255.255", ip_is_multicast, false},
	    {"ff02::1", ip_is_multicast, true},
	    {"fe80::1", ip_is_multicast, false},
	    {"255.255.255.255", ip_is_broadcast, true},
	    {"255.255.255.254", ip_is_broadcast, false},
	    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ip_is_broadcast, false},
	    {"169.254.1.1", ip_is_link_local, true},
	    {"169.253.1.1", ip_is_link_local, false},
	    {"fe80::1", ip_is_link_local, true},
	    {"fec0::1", ip_is_link_local, false},
	    {"127.255.0.1", ip_is_loopback, true},
	    {"128.0.0.1", ip_is_loopback, false},
	    {"::1", ip_is_loopback, true},
	    {"::2", ip_is_loopback, false},
	    {"10.255.0.1", ip_is_private, true},
	    {"172.15.0.1", ip_is_private, false},
	    {"172.16.0.1", ip_is_private, true},
	    {"172.31.255.255", ip_is_private, true},
	    {"172.32.0.1", ip_is_private, false},
	    {"192.168.0.1", ip_is_private, true},
	    {"192.169.0.1", ip_is_private, false},
	    {"100.63.0.1", ip_is_private, false},
	    {"100.64.0.1", ip_is_private, true},
	    {"100.127.255.255", ip_is_private, true},
	    {"100.128.0.1", ip_is_private, false},
	    {"fd00::1", ip_is_private, true},
	    {"fc00::1", ip_is_private, true},
	    {"fe00::1", ip_is_private, false},
	    {"2001:db8::1", ip_is_private, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct ip_addr a = ip(cases[i].text);

		if (cases[i].is(&a) != cases[i].expected)
			fail_msg("case %zu: %s", i, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ip_texts_are_canonical),
	    cmocka_unit_test(every_pattern_of_zero_groups_comes_back),
	    cmocka_unit_test(what_is_no_ip_is_refused),
	    cmocka_unit_test(macs),
	    cmocka_unit_test(prefixes),
	    cmocka_unit_test(containment),
	    cmocka_unit_test(classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
