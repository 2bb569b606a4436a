/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fast.c - the frame that nearly all frames are: Ethernet, untagged or with one tag, IPv4
 * without options or IPv6 without extension headers, no fragment, TCP or UDP, whole headers.
 *
 * Its length is looked at once, and every field is read from a known place.  Anything else, also
 * anything wrong, is declined and decoded the long way; where this file accepts, it must say
 * exactly what the long way says (tests/unit/decode/test_hostile.c).
 */
#include "decode/decode.h"

#define FAST_MIN (ETHERNET_HEADER + IPV4_HEADER + UDP_HEADER)
#define TAG_SIZE 4
#define VID_MASK 0x0fff
#define IPV4_NO_OPTIONS 0x45
#define IPV4_FRAGMENTED 0x3fff /* more fragments, or an offset */

static inline bool fast_tcp(struct packet *p, const uint8_t *h, uint32_t wire)
{
	uint32_t header;

	if (p->l4_len < TCP_HEADER)
		return false;
	header = (uint32_t)(h[12] >> 4) * 4;
	if (header < TCP_HEADER || header > p->l4_len)
		return false;
	p->flags |= PACKET_L4 | PACKET_TCP_WHOLE;
	p->tcp_seq = read_be32(h + 4);
	p->tcp_ack = read_be32(h + 8);
	p->tcp_header_len = (uint8_t)header;
	p->tcp_flags = h[13];
	p->tcp_window = read_be16(h + 14);
	p->l4_checksum = read_be16(h + 16);
	p->payload_wire = wire - header;
	p->payload_len = p->l4_len - header;
	p->payload = p->payload_len != 0 ? h + header : NULL;
	return true;
}

static inline bool fast_udp(struct packet *p, const uint8_t *h, uint32_t wire)
{
	if (read_be16(h + 4) != wire) /* the header is there: fast_transport() */
		return false;
	p->flags |= PACKET_L4;
	p->l4_checksum = read_be16(h + 6);
	p->payload_wire = wire - UDP_HEADER;
	p->payload_len = p->l4_len - UDP_HEADER;
	p->payload = p->payload_len != 0 ? h + UDP_HEADER : NULL;
	return true;
}

/* captured and wire count from the IP header; header is its length, all of it captured. */
/* Of each network layer its own: a call costs a tenth of the decoding. */
static inline __attribute__((always_inline)) bool fast_transport(struct packet *p, uint32_t header,
								 uint32_t captured)
{
	const uint8_t *h = p->l3_data + header;

	p->l3_len = captured < p->ip_len ? captured : p->ip_len;
	if (p->l3_len < header + UDP_HEADER)
		return false;
	p->l4 = h;
	p->l4_len = p->l3_len - header;
	p->sport = read_be16(h);
	p->dport = read_be16(h + 2);
	if (p->proto == IPPROTO_NUM_TCP)
		return fast_tcp(p, h, p->ip_len - header);
	if (p->proto == IPPROTO_NUM_UDP)
		return fast_udp(p, h, p->ip_len - header);
	return false;
}

static inline bool fast_ipv4(struct packet *p, uint32_t captured, uint32_t wire)
{
	const uint8_t *h = p->l3_data;

	p->ip_len = read_be16(h + 2);
	if (h[0] != IPV4_NO_OPTIONS || (read_be16(h + 6) & IPV4_FRAGMENTED) != 0 ||
	    p->ip_len < IPV4_HEADER + UDP_HEADER || p->ip_len > wire)
		return false;
	p->l3 = L3_IPV4;
	p->ip_id = read_be16(h + 4);
	p->ttl = h[8];
	p->proto = h[9];
	packet_set_v4(&p->src, h + 12);
	packet_set_v4(&p->dst, h + 16);
	return fast_transport(p, IPV4_HEADER, captured);
}

static inline bool fast_ipv6(struct packet *p, uint32_t captured, uint32_t wire)
{
	const uint8_t *h = p->l3_data;
	uint32_t length;

	if (captured < IPV6_HEADER)
		return false;
	length = read_be16(h + 4);
	if (h[0] >> 4 != 6 || length == 0 || IPV6_HEADER + length > wire)
		return false;
	p->l3 = L3_IPV6;
	p->ip_len = IPV6_HEADER + length;
	p->proto = h[6];
	p->ttl = h[7];
	memcpy(p->src.b, h + 8, sizeof p->src);
	memcpy(p->dst.b, h + 24, sizeof p->dst);
	return fast_transport(p, IPV6_HEADER, captured);
}

bool decode_fast(const uint8_t *h, uint32_t captured, uint32_t wire, struct packet *p)
{
	uint32_t offset = ETHERNET_HEADER;
	uint16_t type;

	if (captured < FAST_MIN + TAG_SIZE)
		return false;
	packet_reset(p);
	memcpy(p->dmac.b, h, sizeof p->dmac);
	memcpy(p->smac.b, h + 6, sizeof p->smac);
	p->flags = PACKET_MAC;
	p->l2 = h;
	p->l2_len = captured;
	type = read_be16(h + 12);
	if (type == ETHERTYPE_VLAN) {
		p->tag_count = 1;
		p->tag[0] = (struct vlan_tag){.tpid = type, .tci = read_be16(h + 14)};
		p->vlan = p->tag[0].tci & VID_MASK;
		if (p->vlan == 0)
			p->flags |= PACKET_PRIORITY_TAG;
		type = read_be16(h + 16);
		offset += TAG_SIZE;
	}
	p->ethertype = type;
	p->l3_data = h + offset;
	if (type == ETHERTYPE_IPV4)
		return fast_ipv4(p, captured - offset, wire - offset);
	if (type == ETHERTYPE_IPV6)
		return fast_ipv6(p, captured - offset, wire - offset);
	return false;
}
