/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.h - what the decoders of this folder share.
 *
 * One frame is decoded by a loop in packet.c, a layer at a time:
 *
 *	link.c > ethernet.c > vlan.c, llc.c, mpls.c > arp.c, ipv4.c, ipv6.c > transport.c
 *	  ^                                                 |                    |
 *	  +----- next layer: decode.carried <---- gre.c, l2tp.c, tunnel.c <------+
 *
 * A decoder reads its header from decode.left, fills decode.packet and calls the decoder of what
 * follows.  A tunnel does not call: it describes what it carries in decode.carried, and the loop
 * goes round again.  So nothing recurses and the depth of a frame is bounded by the loop.
 *
 * fast.c answers for the common frame (Ethernet, at most one tag, IPv4 or IPv6, TCP or UDP) what
 * the decoders would have said, with one look at its length; a test holds the two together.
 */
#ifndef DECODE_DECODE_H
#define DECODE_DECODE_H

#include <endian.h>

#include "base/cursor.h"
#include "bulkhead/packet.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_TEB 0x6558 /* an Ethernet frame */
#define ETHERTYPE_RARP 0x8035
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_IPX 0x8137
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_MPLS 0x8847
#define ETHERTYPE_MPLS_MULTICAST 0x8848
#define ETHERTYPE_PPPOE_SESSION 0x8864
#define ETHERTYPE_MIN 0x0600 /* below: an 802.3 length */

#define ETHERNET_HEADER 14
#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define TCP_HEADER 20
#define UDP_HEADER 8

#define PORT_L2TP 1701
#define PORT_GTPU 2152
#define PORT_GRE_IN_UDP 4754
#define PORT_VXLAN 4789
#define PORT_VXLAN_GPE 4790
#define PORT_GENEVE 6081
#define PORT_MPLS_IN_UDP 6635
#define PORT_VXLAN_LINUX 8472
#define PORT_TZSP 37008

#define MPLS_MAX_LABELS 16
#define IPV6_MAX_EXTENSIONS                                                                        \
	64 /* hosts drop far shorter chains; the cost of a frame stays small                       \
	    */

/* The bytes of a layer that are not read yet. */
struct left {
	struct cursor c; /* those captured */
	uint32_t beyond; /* those the wire had behind them */
	bool open;	 /* the carrier was cut (fragment, quote, truncating mirror): lengths beyond
			  * the end contradict nothing */
};

enum carried_kind { CARRIED_NOTHING, CARRIED_LINK, CARRIED_ETHERNET, CARRIED_ETHERTYPE };

/* The next layer of a frame and how it was carried. */
struct carried {
	uint8_t kind;	/* enum carried_kind */
	uint8_t encap;	/* enum encap */
	uint16_t type;	/* CARRIED_LINK: link type; CARRIED_ETHERTYPE: EtherType */
	uint16_t vlan;	/* of an untagged frame, when the carrier tells it */
	uint32_t flags; /* PACKET_VNI, PACKET_KEY */
	uint32_t vni;
	uint32_t key;
	struct left left;
};

/* A frame being decoded. */
struct decode {
	struct packet *packet;
	bool slowly; /* never by the fast path */
	struct left left;
	struct carried carried;
};

static inline uint32_t left_captured(const struct left *left)
{
	return (uint32_t)cursor_left(&left->c);
}

/* At most the frame's length, which is a number of 32 bits. */
static inline uint32_t left_wire(const struct left *left)
{
	return left_captured(left) + left->beyond;
}

/* Keeps the first len bytes of the wire: padding and trailers go. */
static inline void left_cut(struct left *left, uint32_t len)
{
	uint32_t captured = left_captured(left);

	if (len >= left_wire(left))
		return;
	if (len <= captured) {
		left->c.end = left->c.at + len;
		left->beyond = 0;
		left->open = false;
		return;
	}
	left->beyond = len - captured;
}

/* The next len captured bytes, or NULL. */
static inline const uint8_t *left_take(struct left *left, uint32_t len)
{
	return left_captured(left) < len ? NULL : cursor_take(&left->c, len);
}

/* Everything but the tags; they are valid up to tag_count.  In pieces that compilers turn into
 * plain stores: of the whole gcc makes a "rep stos", which costs as much as the decoding. */
static inline void packet_reset(struct packet *packet)
{
	char *bytes = (char *)packet;

	memset(bytes, 0, 64);
	memset(bytes + 64, 0, 64);
	memset(bytes + 128, 0, offsetof(struct packet, tag) - 128);
}

/* In one store: it is read again soon, and a load that is wider than the stores waits for them. */
static inline void packet_set_v4(struct ip_addr *ip, const uint8_t v4[4])
{
	typedef uint64_t words __attribute__((vector_size(16)));
	const words mapped = {0, htobe64(UINT64_C(0xffff00000000) | read_be32(v4))};

	memcpy(ip->b, &mapped, sizeof mapped);
}

/* The first thing that was wrong stays the verdict. */
static inline void decode_fail(struct decode *d, enum decode_verdict verdict)
{
	if (d->packet->verdict == DECODE_OK)
		d->packet->verdict = (uint8_t)verdict;
}

/* The next len bytes, or NULL: the capture was cut there, or the frame never had them. */
static inline const uint8_t *decode_take(struct decode *d, uint32_t len)
{
	const uint8_t *p = left_take(&d->left, len);

	if (p == NULL)
		decode_fail(d, d->left.open || left_wire(&d->left) >= len ? DECODE_TRUNCATED
									  : DECODE_MALFORMED);
	return p;
}

/* packet.c.  decode_slowly() is packet_decode() without the fast path, for the test of it. */
void decode_slowly(const struct frame *frame, struct packet_stack *stack);

/* fast.c: false when the Ethernet frame is anything but the common case; packet is then to be
 * reset.  What its payload carries is left to the caller. */
bool decode_fast(const uint8_t *data, uint32_t captured, uint32_t wire, struct packet *packet);

/* link.c, ethernet.c, vlan.c, llc.c, mpls.c, ppp.c */
void decode_link(struct decode *d, uint16_t linktype);
void decode_ethernet(struct decode *d);
void decode_ethertype(struct decode *d, uint16_t type);
bool ethertype_known(uint16_t type);
bool ethertype_is_tag(uint16_t type);
/* Whether these bytes may be an Ethernet frame: its type agrees with what follows. */
bool ethernet_plausible(const struct left *left);
bool decode_tags(struct decode *d, uint16_t *type); /* false: cut or too deep */
bool decode_llc(struct decode *d, uint16_t *type);  /* true: SNAP, type is its EtherType */
void decode_mpls(struct decode *d);
void decode_pppoe(struct decode *d);
/* EtherType of what a PPP frame carries, 0 for control and compressed frames. */
uint16_t ppp_ethertype(struct left *left);

/* arp.c, ipv4.c, ipv6.c, transport.c */
void decode_arp(struct decode *d, uint16_t type);
void decode_ipv4(struct decode *d);
void decode_ipv6(struct decode *d);
/* By the version nibble: what raw IP links and some tunnels carry. */
void decode_ip(struct decode *d);
bool ip_plausible(const struct left *left, uint16_t ethertype);
/* Skips an authentication header; returns the protocol behind it or -1. */
int decode_ah(struct decode *d);
void decode_transport(struct decode *d);
void decode_payload(struct decode *d); /* what is left is payload */

/* tunnel.c, gre.c, l2tp.c.  Each looks whether the bytes left are what the port or protocol says;
 * when not, there is no tunnel and nothing wrong. */
void tunnel_of_udp(struct decode *d);
void tunnel_of_ip(struct decode *d);
bool tunnel_is_port(uint16_t dport);
#define PORT_BIT(port) (UINT64_C(1) << ((port)&63))
/* Most other ports are told by their last six bits. */
static inline bool tunnel_may_be_port(uint16_t dport)
{
	const uint64_t some =
	    PORT_BIT(PORT_L2TP) | PORT_BIT(PORT_GTPU) | PORT_BIT(PORT_GRE_IN_UDP) |
	    PORT_BIT(PORT_VXLAN) | PORT_BIT(PORT_VXLAN_GPE) | PORT_BIT(PORT_GENEVE) |
	    PORT_BIT(PORT_MPLS_IN_UDP) | PORT_BIT(PORT_VXLAN_LINUX) | PORT_BIT(PORT_TZSP);

	return (some & PORT_BIT(dport)) != 0 && tunnel_is_port(dport);
}
void tunnel_gre(struct decode *d);
void tunnel_l2tp_ip(struct decode *d);
void tunnel_l2tp_udp(struct decode *d);

/* Says that the bytes left are carried so; false when they cannot be that. */
bool carry_ethernet(struct decode *d, enum encap encap, const struct left *left);
bool carry_ethertype(struct decode *d, enum encap encap, uint16_t type, const struct left *left);

#endif
