/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boundary_vni.c - a tenant in an overlay network that it is not in.
 *
 *	intrusion	a tenant's host that is no tunnel end of the provider's sends into a VNI of
 *			the inventory: to the provider or another tenant, or frames with their NICs
 *	leak		the provider's tunnel end carries, in a VNI, a NIC whose tenant is not in it
 *
 * Numbers are no secret and no property: a tenant's own overlay, among its own hosts or to the
 * outside, may use one that the provider uses too.
 */
#include "detect/build.h"
#include "detect/copied.h"

#define SEGMENT_VICTIMS 8

static const struct segment *overlay_of(const struct event *ev)
{
	const struct segment *segment;

	if (!(ev->packet->flags & PACKET_VNI))
		return NULL;
	segment =
	    inventory_segment(ev->inv, inventory_segment_of(ev->inv, 0, true, ev->packet->vni));
	return segment != NULL && segment->is_vni ? segment : NULL;
}

static struct finding *add(const struct event *ev, const struct segment *segment,
			   enum confidence confidence, const struct party *actor,
			   const char *violation, struct findings *out)
{
	struct finding *f = build_finding(out, ev, "boundary.vni", confidence);
	char text[IP_TEXT_SIZE];

	if (f == NULL)
		return NULL;
	f->segment = segment->id;
	f->has_vni = true;
	f->vni = segment->vni;
	f->actor = *actor;
	f->has_ether = (ev->first->flags & PACKET_MAC) != 0;
	f->smac = ev->first->smac;
	f->dmac = ev->first->dmac;
	finding_detail_text(f, "violation", violation);
	finding_detail_text(f, "tunnel", encap_name((enum encap)ev->packet->encap));
	finding_detail_text(f, "outer_src", ip_format(&ev->outer->src, text));
	finding_detail_text(f, "outer_dst", ip_format(&ev->outer->dst, text));
	return f;
}

/* Who is intruded upon: the receiver inside if he is somebody, else everybody at home in it. */
static void tell(const struct event *ev, const struct segment *segment, enum confidence confidence,
		 uint32_t tenant, const struct party *actor, const char *violation,
		 struct findings *out)
{
	const struct packet *p = ev->packet;
	struct owner owner =
	    bindings_owner(ev->bindings, ev->inv, segment->domain, &p->dst, ev->ts_ns);
	uint32_t tenants[SEGMENT_VICTIMS];
	struct finding *f;
	uint32_t count;

	if (ev->has_ip && is_other_tenant(owner.tenant, tenant)) {
		f = add(ev, segment, confidence, actor, violation, out);
		if (f != NULL)
			f->victim = party_of_owner(&owner, &p->dst);
		return;
	}
	count = inventory_segment_tenants(ev->inv, segment->id, tenants, SEGMENT_VICTIMS);
	if (count == 0) {
		f = add(ev, segment, confidence, actor, violation, out);
		if (f != NULL)
			f->victim = party_of_tenant(TENANT_INFRASTRUCTURE);
		return;
	}
	for (uint32_t i = 0; i < count && i < SEGMENT_VICTIMS; i++) {
		if (!is_other_tenant(tenants[i], tenant))
			continue;
		f = add(ev, segment, confidence, actor, violation, out);
		if (f != NULL)
			f->victim = party_of_tenant(tenants[i]);
	}
}

/* A NIC inside that is registered to somebody else than the sender: no accident of numbers. */
static bool others_nic(const struct event *ev, uint32_t tenant)
{
	uint32_t from, to;

	if (!ev->has_mac)
		return false;
	from = ev->from.tenant;
	to = ev->to.tenant;
	return (from != TENANT_UNKNOWN && from != tenant) || (to != TENANT_UNKNOWN && to != tenant);
}

static void intrusion(const struct event *ev, const struct segment *segment,
		      const struct copied_end *sender, const struct copied_end *receiver,
		      struct findings *out)
{
	if (!copied_end_is_suspect(sender) ||
	    inventory_tenant_in_segment(ev->inv, sender->tenant, segment->id))
		return;
	if (receiver->tenant == TENANT_INFRASTRUCTURE ||
	    is_other_tenant(receiver->tenant, sender->tenant) || others_nic(ev, sender->tenant))
		tell(ev, segment, CONFIDENCE_PROOF, sender->tenant, &sender->party,
		     "no tunnel end of this overlay", out);
}

static void leak(const struct event *ev, const struct segment *segment,
		 const struct copied_end *sender, struct findings *out)
{
	struct party actor;

	if (!is_tenant(ev->from.tenant) || is_tenant(sender->tenant) ||
	    inventory_tenant_in_segment(ev->inv, ev->from.tenant, segment->id))
		return;
	/* Only who runs the overlay may say whose frame that is; an underlay that no inventory has
	 * is at least a private one. */
	if (sender->tenant != TENANT_INFRASTRUCTURE && !ip_is_private(&ev->outer->src))
		return;
	actor = party_of_carrier(&ev->from, ev->smac);
	tell(ev, segment,
	     sender->tenant == TENANT_INFRASTRUCTURE ? CONFIDENCE_PROOF : CONFIDENCE_STRONG,
	     ev->from.tenant, &actor, "foreign overlay", out);
}

static void event(void *state, const struct event *ev, struct findings *out)
{
	const struct segment *segment;
	struct copied_end sender, receiver;
	uint16_t domain;
	bool macs;

	(void)state;
	if (ev->packet == NULL || ev->outer == NULL)
		return;
	segment = overlay_of(ev);
	if (segment == NULL)
		return;
	domain = copied_outer_domain(ev);
	macs = (ev->first->flags & PACKET_MAC) != 0;
	sender = copied_end_of(ev, domain, &ev->outer->src, macs ? &ev->first->smac : NULL);
	receiver = copied_end_of(ev, domain, &ev->outer->dst, macs ? &ev->first->dmac : NULL);
	if (ev->kind == EVENT_SEGMENT)
		leak(ev, segment, &sender, out);
	else
		intrusion(ev, segment, &sender, &receiver, out);
}

const struct detector detect_boundary_vni = {
    .kind = "boundary.vni",
    .summary = "a tenant's host or NIC in an overlay network that its tenant is not in",
    .wants = EVENT_BIT(EVENT_TUNNEL) | EVENT_BIT(EVENT_SEGMENT),
    .event = event,
};
