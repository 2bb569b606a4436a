/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppp.c - PPPoE sessions (RFC 2516), and the protocol field of PPP that L2TP and PPTP share.
 */
#include "decode/decode.h"

#define PPPOE_HEADER 6
#define PPPOE_VERSION_TYPE 0x11
#define PPP_IPV4 0x0021
#define PPP_IPV6 0x0057
#define PPP_MPLS 0x0281

uint16_t ppp_ethertype(struct left *left)
{
	const uint8_t *h = left->c.at;
	uint16_t protocol;

	if (left_captured(left) >= 2 && h[0] == 0xff && h[1] == 0x03)
		(void)left_take(left, 2); /* address and control, often left out */
	h = left_take(left, 1);
	if (h == NULL)
		return 0;
	protocol = h[0];
	if ((protocol & 1) == 0) { /* an odd first byte is the whole, compressed */
		h = left_take(left, 1);
		if (h == NULL)
			return 0;
		protocol = (uint16_t)(protocol << 8 | h[0]);
	}
	switch (protocol) {
	case PPP_IPV4:
		return ETHERTYPE_IPV4;
	case PPP_IPV6:
		return ETHERTYPE_IPV6;
	case PPP_MPLS:
		return ETHERTYPE_MPLS;
	default:
		return 0;
	}
}

void decode_pppoe(struct decode *d)
{
	struct packet *p = d->packet;
	const uint8_t *h = decode_take(d, PPPOE_HEADER);
	uint16_t type;

	if (h == NULL)
		return;
	if (h[0] != PPPOE_VERSION_TYPE) {
		decode_fail(d, DECODE_MALFORMED);
		return;
	}
	left_cut(&d->left, read_be16(h + 4));
	type = ppp_ethertype(&d->left);
	if (type == ETHERTYPE_IPV4) {
		p->ethertype = type;
		decode_ipv4(d);
	} else if (type == ETHERTYPE_IPV6) {
		p->ethertype = type;
		decode_ipv6(d);
	} else {
		p->l3 = L3_OTHER;
		p->l3_data = d->left.c.at;
		p->l3_len = left_captured(&d->left);
	}
}
