/* SPDX-License-Identifier: Apache-2.0 */
/* control.c - which packets are control traffic: few, and each worth a detector's look. */
#include <string.h>

#include "detect/dns.h"
#include "worker.h"

#define PROTO_VRRP 112 /* CARP too: RFC 5798, OpenBSD carp(4) */
#define PROTO_OSPF 89
#define PROTO_EIGRP 88
#define PROTO_PIM 103
#define ETHERTYPE_LOOPBACK 0x9000 /* Ethernet Configuration Testing Protocol */

static bool either_port(const struct packet *p, uint16_t port)
{
	return p->sport == port || p->dport == port;
}

/* Ports that are new here go to control_maybe() too. */
static uint64_t udp_events(const struct packet *p)
{
	if (either_port(p, 67) || either_port(p, 68))
		return EVENT_BIT(EVENT_DHCP);
	if (either_port(p, 546) || either_port(p, 547))
		return EVENT_BIT(EVENT_DHCP6);
	if (either_port(p, 53) || either_port(p, 5353) || either_port(p, 5355) ||
	    either_port(p, 137))
		return dns_matters(p) ? EVENT_BIT(EVENT_NAME) : 0;
	switch (p->dport) {
	case 520:
	case 521:
	case 646:
	case 1985:
	case 2029:
	case 3222:
	case 6696:
		return EVENT_BIT(EVENT_GATEWAY);
	default:
		return 0;
	}
}

static uint64_t icmp_events(const struct packet *p)
{
	switch (p->icmp_type) {
	case 5: /* RFC 792 */
		return EVENT_BIT(EVENT_REDIRECT) | EVENT_BIT(EVENT_ICMP_ERROR);
	case 9: /* RFC 1256 */
		return EVENT_BIT(EVENT_RA);
	case 3:
	case 4:
	case 11:
	case 12:
		return EVENT_BIT(EVENT_ICMP_ERROR);
	default:
		return 0;
	}
}

static uint64_t icmp6_events(const struct packet *p)
{
	switch (p->icmp_type) {
	case 1: /* RFC 4443: errors are below 128 */
	case 2:
	case 3:
	case 4:
		return EVENT_BIT(EVENT_ICMP_ERROR);
	case 134: /* RFC 4861 */
		return EVENT_BIT(EVENT_RA);
	case 133: /* a solicitation tells the router where its sender is */
	case 135:
	case 136:
		return EVENT_BIT(EVENT_ND);
	case 137:
		return EVENT_BIT(EVENT_REDIRECT) | EVENT_BIT(EVENT_ICMP_ERROR);
	default:
		return 0;
	}
}

/* RFC 4271 4.1: a marker of ones, length, type 1.  A connection alone may be a scan. */
static bool opens_bgp(const struct packet *p)
{
	return p->payload != NULL && p->payload_len >= 19 && p->payload[0] == 0xff &&
	       p->payload[18] == 1;
}

/* Bridge group addresses (IEEE 802.1Q table 8-1) and Cisco's (CDP, VTP, DTP, PVST+). */
static bool link_local_group(struct mac_addr mac)
{
	static const uint8_t bridge[5] = {0x01, 0x80, 0xc2, 0x00, 0x00};
	static const uint8_t cisco[5] = {0x01, 0x00, 0x0c, 0xcc, 0xcc};
	static const uint8_t iso[5] = {0x09, 0x00, 0x2b, 0x00, 0x00}; /* ISO 10589: IS-IS */

	return memcmp(mac.b, bridge, sizeof bridge) == 0 ||
	       memcmp(mac.b, cisco, sizeof cisco) == 0 || memcmp(mac.b, iso, sizeof iso) == 0;
}

/* Loop-back tests are between a switch and itself; frames without a type of their own, too, get
 * theirs from many a tool. */
static uint64_t other_events(const struct packet *p)
{
	if (link_local_group(p->dmac))
		return EVENT_BIT(EVENT_L2_CONTROL);
	return p->l3 == L3_OTHER && p->ethertype == ETHERTYPE_LOOPBACK && !mac_is_group(p->dmac)
		   ? EVENT_BIT(EVENT_RETURNED)
		   : 0;
}

uint64_t control_events(const struct packet *p)
{
	switch (p->l3) {
	case L3_IPV4:
	case L3_IPV6:
		break;
	case L3_ARP:
	case L3_RARP:
		return EVENT_BIT(EVENT_ARP);
	default:
		return p->flags & PACKET_MAC ? other_events(p) : 0;
	}
	switch (p->proto) {
	case IPPROTO_NUM_TCP:
		return (p->flags & PACKET_L4) && either_port(p, PORT_BGP) && opens_bgp(p)
			   ? EVENT_BIT(EVENT_GATEWAY)
			   : 0;
	case IPPROTO_NUM_UDP:
		return p->flags & PACKET_L4 ? udp_events(p) : 0;
	case IPPROTO_NUM_ICMP:
		return p->flags & PACKET_L4 ? icmp_events(p) : 0;
	case IPPROTO_NUM_ICMPV6:
		return p->flags & PACKET_L4 ? icmp6_events(p) : 0;
	case PROTO_VRRP:
	case PROTO_OSPF:
	case PROTO_EIGRP:
	case PROTO_PIM:
		return EVENT_BIT(EVENT_GATEWAY);
	default:
		return 0;
	}
}
