/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport.c - TCP, UDP, ICMP, ICMPv6, and the ports of SCTP, DCCP and UDP-Lite.
 *
 * Ports are the first four bytes of all of them: they are kept even if the rest of the header
 * was cut off, by a short snaplen or a tiny first fragment.
 */
#include "decode/decode.h"

#define PORTS 4
#define ICMP_HEADER 8
#define ICMP_FIXED 4 /* type, code, checksum */
#define SCTP_HEADER 12
#define PROTO_DCCP 33
#define PROTO_UDPLITE 136

void decode_payload(struct decode *d)
{
	struct packet *p = d->packet;

	p->payload_wire = left_wire(&d->left);
	p->payload_len = left_captured(&d->left);
	p->payload = p->payload_len != 0 ? d->left.c.at : NULL;
}

/* False, with a verdict, when not even the ports are there. */
static bool set_ports(struct decode *d)
{
	const uint8_t *h = d->left.c.at;

	if (left_captured(&d->left) < PORTS) {
		(void)decode_take(d, PORTS);
		return false;
	}
	d->packet->sport = read_be16(h);
	d->packet->dport = read_be16(h + 2);
	d->packet->flags |= PACKET_L4;
	return true;
}

static void decode_tcp(struct decode *d)
{
	struct packet *p = d->packet;
	const uint8_t *h = d->left.c.at;
	uint32_t header;

	if (!set_ports(d))
		return;
	if (left_captured(&d->left) < TCP_HEADER) {
		(void)decode_take(d, TCP_HEADER);
		return;
	}
	header = (uint32_t)(h[12] >> 4) * 4;
	if (header < TCP_HEADER) {
		decode_fail(d, DECODE_MALFORMED);
		return;
	}
	p->tcp_seq = read_be32(h + 4);
	p->tcp_ack = read_be32(h + 8);
	p->tcp_header_len = (uint8_t)header;
	p->tcp_flags = h[13];
	p->tcp_window = read_be16(h + 14);
	p->l4_checksum = read_be16(h + 16);
	if (decode_take(d, header) == NULL) {
		if (left_wire(&d->left) > header)
			p->payload_wire = left_wire(&d->left) - header;
		return;
	}
	p->flags |= PACKET_TCP_WHOLE;
	decode_payload(d);
}

static void decode_udp(struct decode *d)
{
	struct packet *p = d->packet;
	const uint8_t *h = d->left.c.at;
	uint32_t length;

	if (!set_ports(d) || decode_take(d, UDP_HEADER) == NULL)
		return;
	p->l4_checksum = read_be16(h + 6);
	length = read_be16(h + 4);
	if (length != 0) { /* 0: larger than 16 bits can say */
		if (length < UDP_HEADER ||
		    (!d->left.open && length - UDP_HEADER > left_wire(&d->left)))
			decode_fail(d, DECODE_MALFORMED);
		if (length >= UDP_HEADER)
			left_cut(&d->left, length - UDP_HEADER);
	}
	decode_payload(d);
	if (tunnel_is_port(p->dport))
		tunnel_of_udp(d);
}

static void decode_icmp(struct decode *d)
{
	struct packet *p = d->packet;
	const uint8_t *h = d->left.c.at;

	if (left_captured(&d->left) < ICMP_FIXED) {
		(void)decode_take(d, ICMP_FIXED);
		return;
	}
	p->icmp_type = h[0];
	p->icmp_code = h[1];
	p->l4_checksum = read_be16(h + 2);
	p->flags |= PACKET_L4;
	if (decode_take(d, ICMP_HEADER) != NULL)
		decode_payload(d);
}

static void decode_ports_only(struct decode *d, uint32_t header)
{
	if (set_ports(d) && decode_take(d, header) != NULL)
		decode_payload(d);
}

void decode_transport(struct decode *d)
{
	struct packet *p = d->packet;

	p->l4_len = left_captured(&d->left);
	p->l4 = p->l4_len != 0 ? d->left.c.at : NULL;
	switch (p->proto) {
	case IPPROTO_NUM_TCP:
		decode_tcp(d);
		break;
	case IPPROTO_NUM_UDP:
		decode_udp(d);
		break;
	case IPPROTO_NUM_ICMP:
	case IPPROTO_NUM_ICMPV6:
		decode_icmp(d);
		break;
	case IPPROTO_NUM_SCTP:
		decode_ports_only(d, SCTP_HEADER);
		break;
	case PROTO_UDPLITE:
		decode_ports_only(d, UDP_HEADER);
		break;
	case PROTO_DCCP:
		(void)set_ports(d);
		break;
	default:
		tunnel_of_ip(d);
		break;
	}
}
