/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_community_id.c - Community ID against values that other implementations publish.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "bulkhead/flow.h"

static struct ip_addr address(const char *text)
{
	struct ip_addr ip = {.b = {[10] = 0xff, [11] = 0xff}};

	if (inet_pton(AF_INET, text, ip.b + 12) != 1)
		assert_int_equal(inet_pton(AF_INET6, text, ip.b), 1);
	return ip;
}

static void check(const char *src, const char *dst, uint8_t proto, uint16_t sport, uint16_t dport,
		  const char *expected)
{
	char buf[COMMUNITY_ID_SIZE];
	struct flow_tuple tuple = {
	    .src = address(src),
	    .dst = address(dst),
	    .sport = sport,
	    .dport = dport,
	    .proto = proto,
	};

	assert_string_equal(community_id(&tuple, buf), expected);
}

static void tcp_both_directions(void **state)
{
	(void)state;
	check("128.232.110.120", "66.35.250.204", 6, 34855, 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
	check("66.35.250.204", "128.232.110.120", 6, 80, 34855, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
}

static void udp_both_directions(void **state)
{
	(void)state;
	check("192.168.1.52", "8.8.8.8", 17, 54585, 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
	check("8.8.8.8", "192.168.1.52", 17, 53, 54585, "1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
}

static void sctp(void **state)
{
	(void)state;
	check("192.168.170.8", "192.168.170.56", 132, 7, 80, "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ=");
	check("192.168.170.56", "192.168.170.8", 132, 80, 7, "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ=");
}

/* Asked and answered: the answer's tuple gives the same, whether its code or its partner's type
 * stands in for the port. */
static void icmp_echo(void **state)
{
	(void)state;
	check("192.168.0.89", "192.168.0.1", 1, 8, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
	check("192.168.0.1", "192.168.0.89", 1, 0, 8, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
	check("192.168.0.1", "192.168.0.89", 1, 0, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
}

static void icmp_one_way(void **state)
{
	(void)state;
	check("192.168.0.89", "192.168.0.1", 1, 3, 1, "1:LXCfhMUFbYXe+CEMrQuZCbiLY3o=");
	check("192.168.0.89", "192.168.0.1", 1, 20, 0, "1:3o2RFccXzUgjl7zDpqmY7yJi8rI=");
}

static void icmpv6_neighbour(void **state)
{
	(void)state;
	check("fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 58, 135, 0,
	      "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=");
	check("fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 58, 136, 0,
	      "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=");
}

static void without_ports(void **state)
{
	(void)state;
	check("10.1.24.4", "224.0.0.22", 2, 0, 0, "1:7+Lr4fSUZvroAQovTexAYA+T3TM=");
	check("224.0.0.22", "10.1.24.4", 2, 99, 98, "1:7+Lr4fSUZvroAQovTexAYA+T3TM=");
}

/* One host talking to itself: the ports alone decide the order. */
static void same_address(void **state)
{
	char one[COMMUNITY_ID_SIZE], two[COMMUNITY_ID_SIZE];
	struct flow_tuple tuple = {.sport = 9, .dport = 5, .proto = 6};

	(void)state;
	tuple.src = tuple.dst = address("127.0.0.1");
	(void)community_id(&tuple, one);
	tuple.sport = 5;
	tuple.dport = 9;
	assert_string_equal(community_id(&tuple, two), one);
	assert_int_equal(strlen(one), 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tcp_both_directions),
	    cmocka_unit_test(udp_both_directions),
	    cmocka_unit_test(sctp),
	    cmocka_unit_test(icmp_echo),
	    cmocka_unit_test(icmp_one_way),
	    cmocka_unit_test(icmpv6_neighbour),
	    cmocka_unit_test(without_ports),
	    cmocka_unit_test(same_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
