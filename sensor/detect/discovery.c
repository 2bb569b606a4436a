/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discovery.c - see discovery.h.
 *
 *	LLDP	IEEE 802.1AB 8.4: TLVs of 7 bits type, 9 bits length
 *	CDP	by its public dissections: version, TTL, checksum; TLVs of type, length with its own
 *		head
 */
#include "detect/discovery.h"

#include <string.h>

#include "base/cursor.h"

#define ETHERTYPE_LLDP 0x88cc
#define SNAP_CDP 0x2000
#define TLVS 64 /* of a message that are read */

/* IEEE 802.1AB 8.5.8.1: repeater and station are not claimed to be anything. */
#define LLDP_CHASSIS 1
#define LLDP_CHASSIS_MAC 4
#define LLDP_CAPABILITIES 7
#define LLDP_BRIDGE 0x04
#define LLDP_ACCESS_POINT 0x08
#define LLDP_ROUTER 0x10
#define LLDP_TELEPHONE 0x20
#define LLDP_ORGANISATION 127
#define MED_OUI 0x0012bb /* ANSI/TIA-1057 10.2 */
#define MED_POLICY 2	 /* which VLAN for voice */

#define CDP_HEADER 4
#define CDP_CAPABILITIES 4
#define CDP_ROUTER 0x01
#define CDP_BRIDGES 0x06
#define CDP_SWITCH 0x08
#define CDP_PHONE 0x80
#define CDP_VOICE_REPLY 0x0e
#define CDP_VOICE_QUERY 0x0f

static void lldp_tlv(struct discovery *d, unsigned type, struct cursor body)
{
	unsigned enabled;

	switch (type) {
	case LLDP_CHASSIS:
		if (cursor_u8(&body) != LLDP_CHASSIS_MAC)
			return;
		cursor_bytes(&body, d->chassis.b, sizeof d->chassis.b);
		d->has_chassis = !body.failed;
		return;
	case LLDP_CAPABILITIES:
		cursor_skip(&body, 2); /* what it could be */
		enabled = cursor_be16(&body);
		if (body.failed)
			return;
		d->gear |= (enabled & (LLDP_BRIDGE | LLDP_ACCESS_POINT | LLDP_ROUTER)) != 0;
		d->phone |= (enabled & LLDP_TELEPHONE) != 0;
		return;
	case LLDP_ORGANISATION:
		d->phone |= cursor_be32(&body) == (MED_OUI << 8 | MED_POLICY) && !body.failed;
		return;
	default:
		return;
	}
}

static bool parse_lldp(struct cursor c, struct discovery *d)
{
	d->protocol = "LLDP";
	for (unsigned i = 0; i < TLVS && cursor_left(&c) >= 2; i++) {
		unsigned head = cursor_be16(&c);
		size_t len = head & 0x1ff;
		const uint8_t *body = cursor_take(&c, len);

		if (head == 0 || body == NULL)
			break;
		lldp_tlv(d, head >> 9, cursor_over(body, len));
	}
	return true;
}

static bool parse_cdp(struct cursor c, struct discovery *d)
{
	d->protocol = "CDP";
	cursor_skip(&c, CDP_HEADER);
	for (unsigned i = 0; i < TLVS && cursor_left(&c) >= 4; i++) {
		unsigned type = cursor_be16(&c);
		unsigned len = cursor_be16(&c);
		const uint8_t *body = len < 4 ? NULL : cursor_take(&c, len - 4);
		struct cursor value;
		uint32_t is;

		if (body == NULL)
			break;
		d->phone |= type == CDP_VOICE_REPLY || type == CDP_VOICE_QUERY;
		if (type != CDP_CAPABILITIES)
			continue;
		value = cursor_over(body, len - 4);
		is = cursor_be32(&value);
		d->gear |= !value.failed && (is & (CDP_ROUTER | CDP_BRIDGES | CDP_SWITCH)) != 0;
		d->phone |= !value.failed && (is & CDP_PHONE) != 0;
	}
	return !c.failed || d->gear || d->phone;
}

bool discovery_parse(const struct packet *p, struct discovery *out)
{
	memset(out, 0, sizeof *out);
	if (p->l3 != L3_OTHER || p->l3_data == NULL)
		return false;
	if (p->flags & PACKET_SNAP)
		return p->ethertype == SNAP_CDP &&
		       parse_cdp(cursor_over(p->l3_data, p->l3_len), out);
	return p->ethertype == ETHERTYPE_LLDP &&
	       parse_lldp(cursor_over(p->l3_data, p->l3_len), out);
}
