/* SPDX-License-Identifier: Apache-2.0 */
/*
 * l2tp.c - L2TPv2 over UDP (RFC 2661) and L2TPv3 over IP and UDP (RFC 3931).
 *
 * Version 2 carries PPP and describes itself.  Version 3 carries Ethernet (RFC 4719) behind a
 * cookie of 0, 4 or 8 bytes and perhaps a sublayer of 4, as both ends agreed out of sight: the
 * frame is where one fits, the nearest first.
 */
#include "decode/decode.h"

#define L2TP_CONTROL 0x8000
#define L2TP_LENGTH 0x4000
#define L2TP_SEQUENCE 0x0800
#define L2TP_OFFSET 0x0200
#define L2TP_VERSION 0x000f
#define L2TP3_MAX_PREFIX 12 /* cookie and sublayer */

static void carry_session(struct decode *d, const uint8_t *session, const struct left *behind)
{
	struct left in = *behind;
	uint32_t id = read_be32(session);

	if (id == 0) /* a control message */
		return;
	for (unsigned skip = 0; skip <= L2TP3_MAX_PREFIX; skip += 4) {
		if (carry_ethernet(d, ENCAP_L2TP, &in)) {
			d->carried.key = id;
			d->carried.flags |= PACKET_KEY;
			return;
		}
		if (left_take(&in, 4) == NULL)
			return;
	}
}

void tunnel_l2tp_ip(struct decode *d)
{
	struct left in = d->left;
	const uint8_t *session = left_take(&in, 4);

	if (session != NULL)
		carry_session(d, session, &in);
}

static void tunnel_l2tp2(struct decode *d, uint16_t flags, struct left *in)
{
	const uint8_t *ids, *pad;
	uint16_t type;

	if ((flags & L2TP_LENGTH) && left_take(in, 2) == NULL)
		return;
	ids = left_take(in, 4);
	if (ids == NULL || ((flags & L2TP_SEQUENCE) && left_take(in, 4) == NULL))
		return;
	if (flags & L2TP_OFFSET) {
		pad = left_take(in, 2);
		if (pad == NULL || left_take(in, read_be16(pad)) == NULL)
			return;
	}
	type = ppp_ethertype(in);
	if (type == 0 || !carry_ethertype(d, ENCAP_L2TP, type, in))
		return;
	d->carried.key = read_be32(ids); /* tunnel and session */
	d->carried.flags |= PACKET_KEY;
}

void tunnel_l2tp_udp(struct decode *d)
{
	struct left in = d->left;
	const uint8_t *h = left_take(&in, 2), *session;
	uint16_t flags;

	if (h == NULL)
		return;
	flags = read_be16(h);
	if (flags & L2TP_CONTROL)
		return;
	if ((flags & L2TP_VERSION) == 2) {
		tunnel_l2tp2(d, flags, &in);
		return;
	}
	if ((flags & L2TP_VERSION) != 3 || left_take(&in, 2) == NULL)
		return;
	session = left_take(&in, 4);
	if (session != NULL)
		carry_session(d, session, &in);
}
