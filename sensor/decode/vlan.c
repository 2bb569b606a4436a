/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vlan.c - 802.1Q and 802.1ad tags, and the type numbers vendors used before those.
 *
 * VID 0 is a priority tag: it does not change the VLAN of a frame, so "VLAN 0 around VLAN 100"
 * and "VLAN 100 around VLAN 0" are both VLAN 100.
 */
#include "decode/decode.h"

#define VID_MASK 0x0fff

bool ethertype_is_tag(uint16_t type)
{
	return type == ETHERTYPE_VLAN || type == 0x88a8 || type == 0x9100 || type == 0x9200;
}

bool decode_tags(struct decode *d, uint16_t *type)
{
	struct packet *p = d->packet;

	while (ethertype_is_tag(*type)) {
		const uint8_t *h = decode_take(d, 4);
		uint16_t vid;

		if (h == NULL)
			return false;
		if (p->tag_count == PACKET_MAX_TAGS) {
			decode_fail(d, DECODE_DEPTH);
			return false;
		}
		p->tag[p->tag_count++] = (struct vlan_tag){.tpid = *type, .tci = read_be16(h)};
		vid = read_be16(h) & VID_MASK;
		if (vid == 0)
			p->flags |= PACKET_PRIORITY_TAG;
		else
			p->vlan = vid;
		*type = read_be16(h + 2);
	}
	return true;
}
