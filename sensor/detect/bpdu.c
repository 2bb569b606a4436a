/* SPDX-License-Identifier: Apache-2.0 */
/* bpdu.c - see bpdu.h. */
#include "detect/bpdu.h"

#include <string.h>

#include "base/cursor.h"
#include "detect/build.h"

#define LLC_SAP_STP 0x42
#define SNAP_PVST 0x010b /* Cisco's per-VLAN spanning tree */
#define TYPE_CONFIG 0x00
#define TYPE_RAPID 0x02
#define TYPE_CHANGE 0x80
#define FLAG_CHANGE 0x01

static uint64_t bridge_id(struct cursor *c)
{
	uint64_t high = cursor_be32(c);

	return high << 32 | cursor_be32(c);
}

bool bpdu_parse(const struct packet *p, struct bpdu *out)
{
	struct cursor c;
	uint8_t type;

	memset(out, 0, sizeof *out);
	if (p == NULL || p->l3_data == NULL)
		return false;
	if (!(p->l3 == L3_LLC && p->ethertype == LLC_SAP_STP) &&
	    !(p->l3 == L3_OTHER && (p->flags & PACKET_SNAP) && p->ethertype == SNAP_PVST))
		return false;
	c = cursor_over(p->l3_data, p->l3_len); /* behind the LLC or SNAP header */
	if (cursor_be16(&c) != 0)
		return false;
	cursor_skip(&c, 1); /* version */
	type = cursor_u8(&c);
	if (c.failed)
		return false;
	if (type == TYPE_CHANGE) {
		out->change_notice = true;
		return true;
	}
	if (type != TYPE_CONFIG && type != TYPE_RAPID)
		return false;
	out->topology_change = (cursor_u8(&c) & FLAG_CHANGE) != 0;
	out->root = bridge_id(&c);
	cursor_skip(&c, 4); /* root path cost */
	out->bridge = bridge_id(&c);
	return !c.failed;
}

bool bpdu_announces_change(const struct event *ev)
{
	struct bpdu bpdu;

	if (is_tenant(ev->from.tenant)) /* a tenant's word does not silence anything */
		return false;
	return bpdu_parse(ev->packet, &bpdu) && (bpdu.change_notice || bpdu.topology_change);
}
