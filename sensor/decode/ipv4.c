/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipv4.c - IPv4 (RFC 791): options skipped, fragments marked, padding cut.
 *
 * The addresses stand at a fixed place: they are kept even if a length is broken, because the
 * frame was sent all the same and says who claims to talk to whom.
 */
#include "decode/decode.h"

#define FRAGMENT_OFFSET 0x1fff
#define FRAGMENT_MORE 0x2000
#define PROTO_AH 51

/* Cuts to the total length.  False when the header cannot be followed further. */
static bool apply_length(struct decode *d, uint32_t header, uint32_t total)
{
	struct packet *p = d->packet;
	uint32_t wire = left_wire(&d->left);

	/* Segmentation offload leaves 0 where the length does not fit 16 bits. */
	p->ip_len = total != 0 ? total : wire;
	if (header < IPV4_HEADER || p->ip_len < header || (p->ip_len > wire && !d->left.open)) {
		p->flags |= PACKET_BAD_LENGTH;
		decode_fail(d, DECODE_MALFORMED);
	}
	if (header < IPV4_HEADER || p->ip_len < header) {
		p->l3_len = left_captured(&d->left);
		return false;
	}
	left_cut(&d->left, p->ip_len);
	p->l3_len = left_captured(&d->left);
	return true;
}

/* False for a later fragment: no transport header in it. */
static bool apply_fragment(struct decode *d, uint16_t field)
{
	struct packet *p = d->packet;

	p->fragment_offset = (uint16_t)((field & FRAGMENT_OFFSET) * 8);
	p->fragment_more = (field & FRAGMENT_MORE) != 0;
	if (p->fragment_offset == 0 && p->fragment_more == 0)
		return true;
	p->flags |= PACKET_FRAGMENT;
	if (p->fragment_offset == 0) {
		d->left.open = true;
		return true;
	}
	p->flags |= PACKET_LATER_FRAGMENT;
	decode_payload(d);
	return false;
}

int decode_ah(struct decode *d)
{
	const uint8_t *h = d->left.c.at;

	if (left_captured(&d->left) < 2) {
		(void)decode_take(d, 2);
		return -1;
	}
	d->packet->flags |= PACKET_EXT_HEADERS;
	if (decode_take(d, (uint32_t)(h[1] + 2) * 4) == NULL) /* RFC 4302: words, minus 2 */
		return -1;
	return h[0];
}

void decode_ipv4(struct decode *d)
{
	struct packet *p = d->packet;
	const uint8_t *h = d->left.c.at;
	uint32_t header;
	int next;

	if (left_captured(&d->left) < IPV4_HEADER) {
		(void)decode_take(d, IPV4_HEADER);
		return;
	}
	if (h[0] >> 4 != 4) {
		decode_fail(d, DECODE_MALFORMED);
		return;
	}
	p->l3 = L3_IPV4;
	p->l3_data = h;
	packet_set_v4(&p->src, h + 12);
	packet_set_v4(&p->dst, h + 16);
	p->proto = h[9];
	p->ttl = h[8];
	p->ip_id = read_be16(h + 4);
	header = (h[0] & 15u) * 4;
	if (!apply_length(d, header, read_be16(h + 2)) || decode_take(d, header) == NULL)
		return;
	if (header > IPV4_HEADER)
		p->flags |= PACKET_EXT_HEADERS;
	if (!apply_fragment(d, read_be16(h + 6)))
		return;
	if (p->proto == PROTO_AH) {
		next = decode_ah(d);
		if (next < 0)
			return;
		p->proto = (uint8_t)next;
	}
	decode_transport(d);
}

void decode_ip(struct decode *d)
{
	if (left_captured(&d->left) == 0)
		(void)decode_take(d, 1);
	else if (d->left.c.at[0] >> 4 == 4)
		decode_ipv4(d);
	else if (d->left.c.at[0] >> 4 == 6)
		decode_ipv6(d);
	else
		decode_fail(d, DECODE_MALFORMED);
}

bool ip_plausible(const struct left *left, uint16_t ethertype)
{
	const uint8_t *h = left->c.at;
	uint32_t captured = left_captured(left), header, total;

	if (captured == 0 || h[0] >> 4 != (ethertype == ETHERTYPE_IPV4 ? 4 : 6))
		return false;
	if (ethertype == ETHERTYPE_IPV6)
		return captured < 6 || left->open ||
		       read_be16(h + 4) + (uint32_t)IPV6_HEADER <= left_wire(left);
	header = (h[0] & 15u) * 4;
	if (header < IPV4_HEADER)
		return false;
	if (captured < 4)
		return true;
	total = read_be16(h + 2);
	return total == 0 || (total >= header && (left->open || total <= left_wire(left)));
}
