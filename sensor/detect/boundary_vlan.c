/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boundary_vlan.c - a tenant's NIC speaks in a VLAN that its tenant is not in, or sends double
 * tags.
 *
 * Double tags are how a frame hops from one VLAN into another: a switch takes the outer tag off
 * and forwards by the inner one.  Provider tagging is the provider's doing as long as the tenant is
 * at home in the segment: by its type (IEEE 802.1ad, 88a8), or with a tag in front that is no
 * segment of the inventory (many switches use 8100 for both).
 *
 * A frame without a tag is in no wrong VLAN when it is one of those that are never tagged (LLDP,
 * LACP and their kin end at the switch), or when neither of its addresses is at home in the
 * untagged segment: then the mirror took the tag off.
 */
#include <stdio.h>
#include <string.h>

#include "detect/build.h"

#define TPID_PROVIDER 0x88a8
#define SEGMENT_VICTIMS 8

static void describe(struct finding *f, const struct event *ev, const char *what)
{
	char text[64];
	size_t at = 0;

	finding_detail_text(f, "violation", what);
	for (unsigned i = 0; i < ev->packet->tag_count && at < sizeof text - 8; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "%s%u", i > 0 ? "," : "",
				       ev->packet->tag[i].tci & 0x0fffu);
	text[at] = '\0';
	finding_detail_text(f, "tags", text);
}

static struct finding *add(const struct event *ev, const char *what, struct findings *out)
{
	struct finding *f = build_finding(out, ev, "boundary.vlan", CONFIDENCE_PROOF);

	if (f == NULL)
		return NULL;
	build_actor_from(f, ev);
	describe(f, ev, what);
	return f;
}

/* Who is intruded upon: the receiver if he is somebody, else everybody at home in the segment. */
static void tell(const struct event *ev, uint16_t segment, const char *what, struct findings *out)
{
	uint32_t tenants[SEGMENT_VICTIMS];
	struct finding *f;
	uint32_t count;

	if (ev->has_ip && is_other_tenant(ev->dst.tenant, ev->from.tenant)) {
		f = add(ev, what, out);
		if (f != NULL)
			f->victim = party_of_owner(&ev->dst, &ev->tuple.dst);
		return;
	}
	if (!mac_is_group(ev->dmac) && is_other_tenant(ev->to.tenant, ev->from.tenant)) {
		f = add(ev, what, out);
		if (f != NULL)
			f->victim = party_of_carrier(&ev->to, ev->dmac);
		return;
	}
	count = segment == SEGMENT_NONE
		    ? 0
		    : inventory_segment_tenants(ev->inv, segment, tenants, SEGMENT_VICTIMS);
	if (count == 0) {
		f = add(ev, what, out);
		if (f != NULL)
			f->victim = party_of_tenant(TENANT_INFRASTRUCTURE);
		return;
	}
	for (uint32_t i = 0; i < count && i < SEGMENT_VICTIMS; i++) {
		if (!is_other_tenant(tenants[i], ev->from.tenant))
			continue;
		f = add(ev, what, out);
		if (f != NULL)
			f->victim = party_of_tenant(tenants[i]);
	}
}

static unsigned real_tags(const struct packet *p)
{
	unsigned count = 0;

	for (unsigned i = 0; i < p->tag_count; i++)
		count += (p->tag[i].tci & 0x0fff) != 0; /* VLAN 0 is only a priority */
	return count;
}

/* Were the tags in front of the tenant's own put there by the provider? */
static bool by_provider(const struct event *ev)
{
	const struct packet *p = ev->packet;
	uint16_t outer = p->tag[0].tci & 0x0fff;

	if (p->tag[0].tpid == TPID_PROVIDER)
		return true;
	return outer != 0 && inventory_segment_of(ev->inv, outer, false, 0) == SEGMENT_NONE;
}

/* IEEE 802.1Q table 8-1, and Cisco's. */
static bool is_for_switch(struct mac_addr mac)
{
	static const uint8_t bridge[5] = {0x01, 0x80, 0xc2, 0x00, 0x00};
	static const uint8_t cisco[5] = {0x01, 0x00, 0x0c, 0xcc, 0xcc};

	return memcmp(mac.b, bridge, sizeof bridge) == 0 || memcmp(mac.b, cisco, sizeof cisco) == 0;
}

/* A frame without a tag: do its addresses speak of the untagged segment?  Else the mirror took the
 * tag off, as far as one can see. */
static bool is_in_untagged(const struct event *ev)
{
	const struct packet *p = ev->packet;

	if (p->l3 != L3_IPV4 && p->l3 != L3_IPV6 && p->l3 != L3_ARP)
		return false;
	return inventory_segment_prefix(ev->inv, ev->segment, &p->src) ||
	       inventory_segment_prefix(ev->inv, ev->segment, &p->dst);
}

static void event(void *state, const struct event *ev, struct findings *out)
{
	const struct packet *p = ev->packet;
	bool home;

	(void)state;
	if (p == NULL || !is_tenant(ev->from.tenant) || ev->has_vni)
		return;
	home = ev->segment != SEGMENT_NONE &&
	       inventory_tenant_in_segment(ev->inv, ev->from.tenant, ev->segment);
	if (real_tags(p) > 1) {
		/* A VLAN inside that no inventory has is a gap, as below. */
		if (!by_provider(ev) || (ev->segment != SEGMENT_NONE && !home))
			tell(ev, inventory_segment_of(ev->inv, p->vlan, false, 0), "double tag",
			     out);
		return;
	}
	if (real_tags(p) == 0 && (is_for_switch(ev->dmac) || !is_in_untagged(ev)))
		return;
	/* A VLAN that no inventory has is a gap in the inventory first: health.unknown-segment. */
	if (ev->segment != SEGMENT_NONE && !home)
		tell(ev, ev->segment, "foreign segment", out);
}

const struct detector detect_boundary_vlan = {
    .kind = "boundary.vlan",
    .summary = "a tenant's NIC in a VLAN its tenant is not in, or sending double tags",
    .wants = EVENT_BIT(EVENT_SEGMENT),
    .event = event,
};
