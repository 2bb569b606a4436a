/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gre.c - GRE (RFC 2784, 2890) and what is built on it: NVGRE, ERSPAN, PPTP, WCCP.
 *
 *	type 0x0800 0x86dd 0x8847	IP or MPLS
 *	     0x6558			Ethernet; with a key: NVGRE, VSID in its upper 24 bits
 *	     0x88be			ERSPAN: without sequence number type I (bare frame), with
 *one type II (8 bytes of header in front of the frame) 0x22eb			ERSPAN type III (12
 *bytes, 8 more if O is set) 0x880b version 1		PPTP: PPP
 *	     0x883e			WCCP: IP, maybe behind 4 bytes
 *
 * Mirrors cut frames, and do not always say so (T): what ERSPAN carries is open-ended, the lengths
 * inside contradict nothing.  Type II says whether the mirror took an 802.1Q tag out; its VLAN
 * field alone does not make a frame tagged: it is the port's VLAN then.
 */
#include "decode/decode.h"

#define GRE_HEADER 4
#define GRE_CHECKSUM 0x8000
#define GRE_ROUTING 0x4000
#define GRE_KEY 0x2000
#define GRE_SEQUENCE 0x1000
#define GRE_ACK 0x0080 /* version 1 */
#define GRE_VERSION 0x0007

#define GRE_PPP 0x880b
#define GRE_WCCP 0x883e
#define GRE_ERSPAN 0x88be
#define GRE_ERSPAN3 0x22eb

#define ERSPAN2_HEADER 8
#define ERSPAN3_HEADER 12
#define ERSPAN3_VERSION 2
#define ERSPAN3_SUBHEADER 8
#define ERSPAN3_TYPE(h) (read_be16((h) + 10) >> 10 & 31)
#define ERSPAN3_ETHERNET 0
#define ERSPAN3_IP 2
#define ERSPAN_VLAN 0x0fff
#define ERSPAN_EN(h) ((h)[2] >> 3 & 3)
#define ERSPAN_EN_8021Q 2 /* there was a tag, it is not in the frame any more */
#define ERSPAN_SESSION 0x03ff

static void carry_key(struct decode *d, uint32_t key)
{
	if (d->carried.kind == CARRIED_NOTHING)
		return;
	d->carried.key = key;
	d->carried.flags |= PACKET_KEY;
}

static bool tunnel_erspan2(struct decode *d, const struct left *in, const uint8_t *h)
{
	if (!carry_ethernet(d, ENCAP_ERSPAN2, in))
		return false;
	carry_key(d, read_be16(h + 2) & ERSPAN_SESSION);
	if (ERSPAN_EN(h) == ERSPAN_EN_8021Q)
		d->carried.vlan = read_be16(h) & ERSPAN_VLAN;
	return true;
}

static void tunnel_erspan3(struct decode *d, struct left *in, const uint8_t *h)
{
	uint16_t type;

	if ((h[11] & 1) && left_take(in, ERSPAN3_SUBHEADER) == NULL)
		return;
	type = ERSPAN3_TYPE(h);
	if (type == ERSPAN3_IP && left_captured(in) != 0)
		(void)carry_ethertype(d, ENCAP_ERSPAN3,
				      in->c.at[0] >> 4 == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4, in);
	else if (type == ERSPAN3_ETHERNET)
		(void)carry_ethernet(d, ENCAP_ERSPAN3, in);
	carry_key(d, read_be16(h + 2) & ERSPAN_SESSION);
}

static void tunnel_erspan(struct decode *d, struct left *in, bool sequence)
{
	struct left bare = *in;
	const uint8_t *h = NULL;

	in->open = bare.open = true;
	if (sequence)
		h = left_take(in, ERSPAN2_HEADER);
	if (h != NULL && h[0] >> 4 == ERSPAN3_VERSION) {
		if (left_take(in, ERSPAN3_HEADER - ERSPAN2_HEADER) != NULL)
			tunnel_erspan3(d, in, h);
		return;
	}
	/* Tools leave the version of type II at 0, or number type I: what fits is what it is. */
	if (h == NULL || !tunnel_erspan2(d, in, h))
		(void)carry_ethernet(d, ENCAP_ERSPAN1, &bare);
}

/* PPTP's GRE (RFC 2637): the key field is payload length and call id. */
static void tunnel_pptp(struct decode *d, struct left *in, uint16_t flags)
{
	const uint8_t *key = left_take(in, 4);
	uint32_t numbers = ((flags & GRE_SEQUENCE) ? 4u : 0u) + ((flags & GRE_ACK) ? 4u : 0u);
	uint16_t type;

	if (key == NULL || left_take(in, numbers) == NULL)
		return;
	left_cut(in, read_be16(key));
	type = ppp_ethertype(in);
	if (type != 0 && carry_ethertype(d, ENCAP_GRE, type, in))
		carry_key(d, read_be16(key + 2));
}

static void carry_by_type(struct decode *d, uint16_t flags, uint16_t type, const uint8_t *key,
			  struct left *in)
{
	const uint8_t *h = in->c.at;

	switch (type) {
	case GRE_ERSPAN:
	case GRE_ERSPAN3:
		/* ERSPAN's own session id is its key; GRE's is not used. */
		tunnel_erspan(d, in, type == GRE_ERSPAN3 || (flags & GRE_SEQUENCE));
		return;
	case ETHERTYPE_TEB:
		if (key == NULL) {
			(void)carry_ethernet(d, ENCAP_TEB, in);
			return;
		}
		if (carry_ethernet(d, ENCAP_NVGRE, in)) {
			d->carried.vni = read_be32(key) >> 8;
			d->carried.flags |= PACKET_VNI;
		}
		break;
	case GRE_WCCP: /* version 2 has a redirect header, whose first nibble is not 4 */
		if (left_captured(in) != 0 && h[0] >> 4 != 4)
			(void)left_take(in, 4);
		(void)carry_ethertype(d, ENCAP_GRE, ETHERTYPE_IPV4, in);
		break;
	default:
		(void)carry_ethertype(d, ENCAP_GRE, type, in);
		break;
	}
	if (key != NULL)
		carry_key(d, read_be32(key));
}

void tunnel_gre(struct decode *d)
{
	struct left in = d->left;
	const uint8_t *h = left_take(&in, GRE_HEADER), *key = NULL;
	uint16_t flags, type;

	if (h == NULL)
		return;
	flags = read_be16(h);
	type = read_be16(h + 2);
	if ((flags & GRE_VERSION) == 1 && type == GRE_PPP)
		tunnel_pptp(d, &in, flags);
	if ((flags & GRE_VERSION) != 0 || (flags & GRE_ROUTING)) /* source routes: RFC 1701 only */
		return;
	if ((flags & GRE_CHECKSUM) && left_take(&in, 4) == NULL)
		return;
	if (flags & GRE_KEY) {
		key = left_take(&in, 4);
		if (key == NULL)
			return;
	}
	if ((flags & GRE_SEQUENCE) && left_take(&in, 4) == NULL)
		return;
	carry_by_type(d, flags, type, key, &in);
}
