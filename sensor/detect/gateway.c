/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway.c - see gateway.h.
 *
 *	VRRP 2, 3	IP protocol 112, RFC 3768 and RFC 5798
 *	CARP		IP protocol 112 as well, told apart by its length; OpenBSD carp(4)
 *	HSRP 1, 2	UDP 1985, IPv6 2029; RFC 2281, version 2 by its public dissections
 *	GLBP		UDP 3222, likewise
 *	routing		OSPF, EIGRP, PIM, RIP, RIPng, Babel, LDP, BGP, IS-IS: that it is spoken is
 *			enough
 */
#include "detect/gateway.h"

#include "base/cursor.h"

#define PROTO_VRRP 112
#define PROTO_OSPF 89
#define PROTO_EIGRP 88
#define PROTO_PIM 103
#define CARP_LENGTH 36
#define CARP_AUTH_WORDS 7
#define LLC_ISO 0xfe /* ISO 10589: DSAP of all its messages */
#define ISIS 0x83
#define RIP_RESPONSE 2
#define BGP_OPEN 1
#define BGP_HEADER 19
#define BABEL_MAGIC 42 /* RFC 8966 4.2, with version 2 */
#define BABEL_VERSION 2

static void take_addresses(struct gateway_message *m, struct cursor *c, unsigned count, bool v6)
{
	uint8_t bytes[16];

	for (unsigned i = 0; i < count && m->address_count < GATEWAY_ADDRESSES; i++) {
		cursor_bytes(c, bytes, v6 ? 16 : 4);
		if (c->failed)
			return;
		m->address[m->address_count++] = v6 ? ip_from_v6(bytes) : ip_from_v4(bytes);
	}
}

static void set_mac(struct gateway_message *m, const uint8_t mac[6])
{
	memcpy(m->mac.b, mac, sizeof m->mac.b);
	m->has_mac = true;
}

static bool parse_vrrp(const struct packet *p, struct gateway_message *m)
{
	struct cursor c = cursor_over(p->l4, p->l4_len);
	bool v6 = p->l3 == L3_IPV6;
	uint8_t version, count;

	version = cursor_u8(&c);
	m->group = cursor_u8(&c);
	m->priority = cursor_u8(&c);
	count = cursor_u8(&c);
	cursor_skip(&c, 4);					 /* timers and checksum */
	if (c.failed || (version & 15) != 1 || version >> 4 < 2) /* 1: the only type */
		return false;
	set_mac(m, (const uint8_t[6]){0, 0, 0x5e, 0, v6 ? 2 : 1, (uint8_t)m->group});
	m->protocol = "vrrp";
	if (version >> 4 == 2 && count == CARP_AUTH_WORDS && p->l4_len == CARP_LENGTH) {
		m->protocol = "carp"; /* its addresses are hashed, not sent; its vMAC is v4's */
		m->mac.b[4] = 1;
		return true;
	}
	take_addresses(m, &c, count, v6);
	return true;
}

static bool parse_hsrp1(struct gateway_message *m, struct cursor c)
{
	cursor_skip(&c, 1 + 1 + 1 + 1 + 1); /* version, opcode, state, timers */
	m->priority = cursor_u8(&c);
	m->group = cursor_u8(&c);
	cursor_skip(&c, 1 + 8); /* password */
	set_mac(m, (const uint8_t[6]){0, 0, 0x0c, 0x07, 0xac, (uint8_t)m->group});
	take_addresses(m, &c, 1, false);
	return m->address_count > 0;
}

static bool parse_hsrp2(struct gateway_message *m, struct cursor c)
{
	uint8_t family;

	cursor_skip(&c, 2 + 3); /* TLV head; version, opcode, state */
	family = cursor_u8(&c);
	m->group = cursor_be16(&c);
	cursor_skip(&c, 6); /* identifier */
	m->priority = cursor_be32(&c);
	cursor_skip(&c, 8); /* timers */
	if (c.failed)
		return false;
	if (family == 6)
		set_mac(m, (const uint8_t[6]){0, 0x05, 0x73, 0xa0, (m->group >> 8) & 0x0f,
					      (uint8_t)m->group});
	else
		set_mac(m, (const uint8_t[6]){0, 0, 0x0c, 0x9f, 0xf0 | ((m->group >> 8) & 0x0f),
					      (uint8_t)m->group});
	take_addresses(m, &c, 1, family == 6);
	return true;
}

static bool parse_hsrp(const struct packet *p, struct gateway_message *m)
{
	struct cursor c = cursor_over(p->payload, p->payload_len);

	if (p->payload_len < 20 || p->payload[0] > 1)
		return false;
	m->protocol = "hsrp";
	/* Version 1 begins with its version, 0; version 2 with a group state TLV: 1, 40. */
	return p->payload[0] == 1 && p->payload[1] == 40 ? parse_hsrp2(m, c) : parse_hsrp1(m, c);
}

static bool parse_glbp(const struct packet *p, struct gateway_message *m)
{
	struct cursor c = cursor_over(p->payload, p->payload_len);
	uint8_t family;

	m->protocol = "glbp";
	cursor_skip(&c, 2);
	m->group = cursor_be16(&c);
	cursor_skip(&c, 2 + 6); /* owner id */
	if (c.failed)
		return false;
	if (cursor_u8(&c) != 1) /* hello */
		return true;
	cursor_skip(&c, 1 + 3);
	m->priority = cursor_u8(&c);
	cursor_skip(&c, 2 + 4 + 4 + 2 + 2 + 2);
	family = cursor_u8(&c);
	cursor_skip(&c, 1);
	take_addresses(m, &c, 1, family == 2);
	return true;
}

/* To its group, or from its port to it, as all speakers do; LDP's hello (RFC 5036 2.4.1, 3.1). */
static bool parse_routing(const struct packet *p, struct gateway_message *m)
{
	const uint8_t *b = p->payload;

	m->group_protocol = false;
	switch (p->dport) {
	case 520:
	case 521:
		m->protocol = p->dport == 520 ? "rip" : "ripng";
		return p->payload_len >= 4 && b[0] == RIP_RESPONSE;
	case 646:
		m->protocol = "ldp";
		return ip_is_multicast(&p->dst) && p->payload_len >= 12 && b[0] == 0 && b[1] == 1 &&
		       b[10] == 1 && b[11] == 0;
	case 6696:
		m->protocol = "babel";
		return p->payload_len >= 4 && b[0] == BABEL_MAGIC && b[1] == BABEL_VERSION;
	default:
		return false;
	}
}

static bool parse_udp(const struct packet *p, struct gateway_message *m)
{
	/* A reply to a client that chose such a port; but to a group nobody replies. */
	if (p->sport != p->dport && !ip_is_multicast(&p->dst))
		return false;
	switch (p->dport) {
	case 1985:
	case 2029:
		return parse_hsrp(p, m);
	case 3222:
		return parse_glbp(p, m);
	default:
		return parse_routing(p, m);
	}
}

static bool parse_tcp(const struct packet *p, struct gateway_message *m)
{
	if ((p->sport != 179 && p->dport != 179) || p->payload_len < BGP_HEADER ||
	    p->payload[BGP_HEADER - 1] != BGP_OPEN)
		return false;
	for (unsigned i = 0; i < 16; i++) /* RFC 4271 4.1: the marker */
		if (p->payload[i] != 0xff)
			return false;
	m->protocol = "bgp";
	m->group_protocol = false;
	m->link = false;
	return true;
}

static bool parse_llc(const struct packet *p, struct gateway_message *m)
{
	m->protocol = "isis";
	m->group_protocol = false;
	return (p->ethertype & 0xff) == LLC_ISO && p->l3_data != NULL && p->l3_len > 0 &&
	       p->l3_data[0] == ISIS;
}

bool gateway_parse(const struct packet *p, struct gateway_message *m)
{
	*m = (struct gateway_message){.group_protocol = true, .link = true};
	if (p->l3 == L3_LLC)
		return parse_llc(p, m);
	if (p->l3 != L3_IPV4 && p->l3 != L3_IPV6)
		return false;
	switch (p->proto) {
	case PROTO_VRRP:
		return p->l4 != NULL && parse_vrrp(p, m);
	case IPPROTO_NUM_UDP:
		return p->payload != NULL && parse_udp(p, m);
	case IPPROTO_NUM_TCP:
		return p->payload != NULL && parse_tcp(p, m);
	case PROTO_OSPF:
		m->protocol = "ospf";
		break;
	case PROTO_EIGRP:
		m->protocol = "eigrp";
		break;
	case PROTO_PIM:
		m->protocol = "pim";
		break;
	default:
		return false;
	}
	m->group_protocol = false;
	return true;
}
