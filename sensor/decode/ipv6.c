/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipv6.c - IPv6 (RFC 8200): the chain of extension headers walked to the transport header.
 *
 * Router advertisements hidden behind extension headers or fragments (RFC 7113) are why the walk
 * goes further than a host would.  A fragment header that fragments nothing (RFC 6946) is walked
 * over like any other.
 */
#include "decode/decode.h"

#define FRAGMENT_HEADER 8

enum next_header {
	NEXT_HOP_BY_HOP = 0,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_AH = 51,
	NEXT_NONE = 59,
	NEXT_DESTINATION = 60,
	NEXT_MOBILITY = 135,
	NEXT_HIP = 139,
	NEXT_SHIM6 = 140,
};

/* Returns the next header's number, or -1 when the walk ends here. */
static int fragment_header(struct decode *d)
{
	struct packet *p = d->packet;
	const uint8_t *h = decode_take(d, FRAGMENT_HEADER);

	if (h == NULL)
		return -1;
	if (p->flags & PACKET_FRAGMENT) { /* fragments of fragments do not exist */
		decode_fail(d, DECODE_MALFORMED);
		return -1;
	}
	p->ip_id = read_be32(h + 4);
	p->fragment_offset = read_be16(h + 2) & 0xfff8;
	p->fragment_more = read_be16(h + 2) & 1;
	if (p->fragment_offset == 0 && p->fragment_more == 0)
		return h[0];
	p->flags |= PACKET_FRAGMENT;
	if (p->fragment_offset == 0) {
		d->left.open = true;
		return h[0];
	}
	p->proto = h[0];
	p->flags |= PACKET_LATER_FRAGMENT;
	decode_payload(d);
	return -1;
}

/* Any header that starts with next header and length in units of 8 bytes, not counting the first.
 */
static int plain_extension(struct decode *d)
{
	const uint8_t *h = d->left.c.at;

	if (left_captured(&d->left) < 2) {
		(void)decode_take(d, 2);
		return -1;
	}
	return decode_take(d, (uint32_t)(h[1] + 1) * 8) == NULL ? -1 : h[0];
}

/* Leaves the transport protocol in packet->proto; false when it was not reached. */
static bool walk_extensions(struct decode *d)
{
	struct packet *p = d->packet;

	for (unsigned n = 0; n < IPV6_MAX_EXTENSIONS; n++) {
		int next;

		switch (p->proto) {
		case NEXT_ROUTING:
			p->flags |= PACKET_SRH;
			next = plain_extension(d);
			break;
		case NEXT_HOP_BY_HOP:
		case NEXT_DESTINATION:
		case NEXT_MOBILITY:
		case NEXT_HIP:
		case NEXT_SHIM6:
			next = plain_extension(d);
			break;
		case NEXT_FRAGMENT:
			next = fragment_header(d);
			break;
		case NEXT_AH:
			next = decode_ah(d);
			break;
		case NEXT_NONE:
			return false;
		default:
			return true;
		}
		p->flags |= PACKET_EXT_HEADERS;
		if (next < 0)
			return false;
		p->proto = (uint8_t)next;
	}
	decode_fail(d, DECODE_DEPTH);
	return false;
}

static void apply_payload_length(struct decode *d, uint32_t length)
{
	struct packet *p = d->packet;
	uint32_t wire = left_wire(&d->left);

	/* 0 is a jumbogram (RFC 2675) or segmentation offload: the frame's length tells. */
	if (length == 0 && p->proto != NEXT_NONE)
		p->ip_len = wire;
	else
		p->ip_len = IPV6_HEADER + length;
	if (p->ip_len > wire && !d->left.open) {
		p->flags |= PACKET_BAD_LENGTH;
		decode_fail(d, DECODE_MALFORMED);
	}
	left_cut(&d->left, p->ip_len);
	p->l3_len = left_captured(&d->left);
}

void decode_ipv6(struct decode *d)
{
	struct packet *p = d->packet;
	const uint8_t *h = d->left.c.at;

	if (left_captured(&d->left) < IPV6_HEADER) {
		(void)decode_take(d, IPV6_HEADER);
		return;
	}
	if (h[0] >> 4 != 6) {
		decode_fail(d, DECODE_MALFORMED);
		return;
	}
	p->l3 = L3_IPV6;
	p->l3_data = h;
	memcpy(p->src.b, h + 8, sizeof p->src);
	memcpy(p->dst.b, h + 24, sizeof p->dst);
	p->proto = h[6];
	p->ttl = h[7];
	apply_payload_length(d, read_be16(h + 4));
	(void)decode_take(d, IPV6_HEADER); /* the length cuts off none of it */
	if (walk_extensions(d))
		decode_transport(d);
}
