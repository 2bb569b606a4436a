/* SPDX-License-Identifier: Apache-2.0 */
/*
 * llc.c - 802.3 frames: 802.2 LLC, with SNAP (RFC 1042) an EtherType again.
 *
 * Hosts take IP in SNAP as they take it in Ethernet II, so it is decoded alike.  Spanning tree
 * is LLC without SNAP; CDP, VTP, DTP, PAgP, UDLD and PVST+ are SNAP with Cisco's number.
 */
#include "decode/decode.h"

#define LLC_MAX_LENGTH 1500
#define LLC_SAP_IP 0x06
#define LLC_SAP_SNAP 0xaa
#define LLC_UI 0x03
#define OUI_RFC1042 0x000000
#define OUI_8021H 0x0000f8 /* bridge tunnel encapsulation */

static void keep(struct decode *d, enum packet_l3 l3, uint16_t number)
{
	struct packet *p = d->packet;

	p->l3 = (uint8_t)l3;
	p->ethertype = number;
	p->l3_data = d->left.c.at;
	p->l3_len = left_captured(&d->left);
}

static bool decode_snap(struct decode *d, uint16_t *type)
{
	const uint8_t *h = decode_take(d, 5);
	uint32_t oui;

	if (h == NULL)
		return false;
	d->packet->flags |= PACKET_SNAP;
	oui = read_be32(h) >> 8;
	if (oui != OUI_RFC1042 && oui != OUI_8021H) {
		keep(d, L3_OTHER, read_be16(h + 3));
		return false;
	}
	*type = read_be16(h + 3);
	return true;
}

bool decode_llc(struct decode *d, uint16_t *type)
{
	const uint8_t *h;

	if (*type > LLC_MAX_LENGTH) { /* neither a length nor a type */
		d->packet->ethertype = *type;
		decode_fail(d, DECODE_UNKNOWN_ETHERTYPE);
		return false;
	}
	if (*type > left_wire(&d->left) && !d->left.open)
		decode_fail(d, DECODE_MALFORMED);
	left_cut(&d->left, *type);
	h = decode_take(d, 3);
	if (h == NULL)
		return false;
	if (h[0] == LLC_SAP_SNAP && h[1] == LLC_SAP_SNAP && h[2] == LLC_UI)
		return decode_snap(d, type);
	if (h[0] == LLC_SAP_IP && h[1] == LLC_SAP_IP && h[2] == LLC_UI) {
		*type = ETHERTYPE_IPV4;
		return true;
	}
	if (h[0] == 0xff && h[1] == 0xff) /* Novell put IPX here without LLC */
		keep(d, L3_OTHER, ETHERTYPE_IPX);
	else
		keep(d, L3_LLC, h[0]);
	return false;
}
