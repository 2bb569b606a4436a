/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_messages.c - the readers of DNS, DHCPv6 and router protocols: what they understand, and that
 * every prefix of a message, and names that point at themselves, end well.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "detect/dhcp6.h"
#include "detect/dns.h"
#include "detect/gateway.h"

static struct packet udp(uint16_t sport, uint16_t dport, const uint8_t *payload, size_t len)
{
	return (struct packet){.l3 = L3_IPV4,
			       .proto = IPPROTO_NUM_UDP,
			       .flags = PACKET_L4,
			       .sport = sport,
			       .dport = dport,
			       .payload = payload,
			       .payload_len = (uint32_t)len};
}

/* www.example A 203.0.113.7 and .8, the names compressed. */
static const uint8_t answer[] = {
    0x12, 0x34, 0x81, 0x80, 0,	1, 0, 2, 0,    0,  0, 0, 3,  'W', 'w', 'w', 7, 'e', 'x', 'a', 'm',
    'p',  'l',	'e',  0,    0,	1, 0, 1, 0xc0, 12, 0, 1, 0,  1,	  0,   0,   0, 60,  0,	 4,   203,
    0,	  113,	7,    0xc0, 12, 0, 1, 0, 1,    0,  0, 0, 60, 0,	  4,   203, 0, 113, 8,
};

static void test_dns_answer(void **state)
{
	struct packet p = udp(53, 40000, answer, sizeof answer);
	struct dns_message m, turned;
	uint8_t other[sizeof answer];

	(void)state;
	assert_true(dns_parse(&p, &m));
	assert_true(m.response);
	assert_int_equal(m.id, 0x1234);
	assert_string_equal(m.question, "www.example");
	assert_int_equal(m.address_count, 2);
	assert_string_equal(m.address[1].name, "www.example");
	assert_int_equal(m.address[1].ip.b[15], 8);
	assert_false(m.truncated);
	/* The other order is the same answer, another address is not. */
	memcpy(other, answer, sizeof answer);
	other[44] = 8;
	other[60] = 7;
	p = udp(53, 40000, other, sizeof other);
	assert_true(dns_parse(&p, &turned));
	assert_int_equal(turned.data, m.data);
	other[60] = 9;
	assert_true(dns_parse(&p, &turned));
	assert_int_not_equal(turned.data, m.data);
}

static void test_dns_name_that_points_at_itself(void **state)
{
	uint8_t loop[sizeof answer];
	struct packet p = udp(53, 40000, loop, sizeof loop);
	struct dns_message m;

	(void)state;
	memcpy(loop, answer, sizeof answer);
	loop[29] = 0xc0;
	loop[30] = 29;
	assert_true(dns_parse(&p, &m));
	assert_true(m.truncated);
	assert_int_equal(m.address_count, 0);
}

/* A positive answer for the name "SRV" with this suffix (RFC 1002 4.2.13). */
static size_t netbios(uint8_t *to, uint8_t suffix, uint8_t flags)
{
	uint8_t plain[16] = "SRV            ";
	size_t at = 12;

	plain[15] = suffix;
	memset(to, 0, 62);
	to[2] = 0x85;
	to[7] = 1;
	to[at++] = 32;
	for (size_t i = 0; i < 16; i++) {
		to[at++] = (uint8_t)('A' + (plain[i] >> 4));
		to[at++] = (uint8_t)('A' + (plain[i] & 15));
	}
	at++;
	to[at + 1] = 0x20;
	to[at + 3] = 1;
	to[at + 9] = 6;
	to[at + 10] = flags;
	to[at + 12] = 10;
	to[at + 15] = 9;
	return at + 16;
}

static void test_netbios_names_of_hosts_only(void **state)
{
	uint8_t bytes[80];
	size_t len = netbios(bytes, 0x20, 0);
	struct packet p = udp(137, 137, bytes, len);
	struct dns_message m;

	(void)state;
	assert_true(dns_parse(&p, &m));
	assert_int_equal(m.address_count, 1);
	assert_string_equal(m.address[0].name, "srv");
	(void)netbios(bytes, 0x1c, 0); /* domain controllers */
	assert_true(dns_parse(&p, &m));
	assert_int_equal(m.address_count, 0);
	(void)netbios(bytes, 0x00, 0x80); /* a group */
	assert_true(dns_parse(&p, &m));
	assert_int_equal(m.address_count, 0);
}

/* ADVERTISE in a relay's reply: client DUID-LL, IA_NA with an address, a DNS server. */
static const uint8_t advertise[] = {
    13,	  0,  0, 0,  0,	   0, 0,   0,	 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0,    0, 0,
    0,	  0,  0, 0,  0,	   0, 0,   0,	 0, 0, 0,		       /* relay header */
    0,	  9,  0, 82,						       /* the message */
    2,	  1,  2, 3,  0,	   1, 0,   10,	 0, 3, 0, 1, 2, 3, 4, 5, 6, 7, /* client */
    0,	  3,  0, 40, 0,	   0, 0,   1,	 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 24, 0x20, 1, 0xd,
    0xb8, 0,  0, 0,  0,	   0, 0,   0,	 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0,  0, /* address */
    0,	  23, 0, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9,
};

static void test_dhcp6_inside_a_relay(void **state)
{
	struct packet p = udp(547, 546, advertise, sizeof advertise);
	struct dhcp6_message m;

	(void)state;
	assert_true(dhcp6_parse(&p, &m));
	assert_int_equal(m.type, DHCP6_ADVERTISE);
	assert_true(dhcp6_from_server(m.type));
	assert_true(m.has_client);
	assert_int_equal(m.client.b[5], 7);
	assert_true(m.has_address);
	assert_int_equal(m.address.b[15], 5);
	assert_int_equal(m.valid_seconds, 0);
	assert_true(m.has_dns);
	assert_int_equal(m.dns.b[15], 9);
}

static struct packet ip(uint8_t l3, uint8_t proto, const uint8_t *l4, size_t len)
{
	return (struct packet){.l3 = l3, .proto = proto, .l4 = l4, .l4_len = (uint32_t)len};
}

static const uint8_t vrrp[] = {0x21, 7, 200, 1, 0, 1, 0, 0, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0};
static const uint8_t carp[36] = {0x21, 9, 0, 7, 0, 1};

static void test_vrrp_and_carp(void **state)
{
	struct packet p = ip(L3_IPV4, 112, vrrp, sizeof vrrp);
	struct gateway_message m;

	(void)state;
	assert_true(gateway_parse(&p, &m));
	assert_string_equal(m.protocol, "vrrp");
	assert_int_equal(m.group, 7);
	assert_int_equal(m.priority, 200);
	assert_int_equal(m.address_count, 1);
	assert_int_equal(m.mac.b[5], 7);
	p = ip(L3_IPV4, 112, carp, sizeof carp);
	assert_true(gateway_parse(&p, &m));
	assert_string_equal(m.protocol, "carp");
	assert_int_equal(m.address_count, 0);
}

static void test_routing_only_what_claims(void **state)
{
	uint8_t rip[24] = {2, 2};
	uint8_t bgp[29];
	struct packet p = udp(520, 520, rip, sizeof rip);
	struct gateway_message m;

	(void)state;
	assert_true(gateway_parse(&p, &m));
	assert_false(m.group_protocol);
	rip[0] = 1; /* a request */
	assert_false(gateway_parse(&p, &m));
	memset(bgp, 0xff, sizeof bgp);
	bgp[18] = 1;
	p = udp(40000, 179, bgp, sizeof bgp);
	p.proto = IPPROTO_NUM_TCP;
	assert_true(gateway_parse(&p, &m));
	bgp[18] = 4; /* keepalive */
	assert_false(gateway_parse(&p, &m));
}

/* Each prefix in memory of exactly its size, for the sanitizer to watch. */
static void test_every_prefix(void **state)
{
	static const struct {
		const uint8_t *bytes;
		size_t len;
		uint16_t port;
	} whole[] = {{answer, sizeof answer, 53},
		     {advertise, sizeof advertise, 547},
		     {vrrp, sizeof vrrp, 1985},
		     {vrrp, sizeof vrrp, 3222},
		     {carp, sizeof carp, 520}};

	(void)state;
	for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
		for (size_t len = 0; len <= whole[i].len; len++) {
			uint8_t *copy = malloc(len + (len == 0));
			struct packet p = udp(whole[i].port, whole[i].port, copy, len);
			struct gateway_message g;
			struct dhcp6_message h;
			struct dns_message m;

			assert_non_null(copy);
			memcpy(copy, whole[i].bytes, len);
			(void)dns_parse(&p, &m);
			(void)dhcp6_parse(&p, &h);
			(void)gateway_parse(&p, &g);
			p = ip(L3_IPV4, 112, copy, len);
			(void)gateway_parse(&p, &g);
			free(copy);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_dns_answer),
	    cmocka_unit_test(test_dns_name_that_points_at_itself),
	    cmocka_unit_test(test_netbios_names_of_hosts_only),
	    cmocka_unit_test(test_dhcp6_inside_a_relay),
	    cmocka_unit_test(test_vrrp_and_carp),
	    cmocka_unit_test(test_routing_only_what_claims),
	    cmocka_unit_test(test_every_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
