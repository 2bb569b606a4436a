/* SPDX-License-Identifier: Apache-2.0 */
/*
 * claim.c - see claim.h.
 *
 * A claim is fine when the MAC's tenant owns the address, shares it, or when the provider's own
 * gear makes it (proxy ARP, fail-over: the role comes from the inventory).  It is nobody's
 * business when the address is nobody's.  What remains contradicts the inventory across tenants.
 *
 * Who is the actor?  The NIC that sent the frame; the MAC in the claim when the frame's own is
 * unknown or the provider's (forged, or relayed by a proxy).  Both are only claimed: headers can be
 * forged.
 *
 * A group MAC, or none, in a claim is nobody's NIC: with it packets are flooded, or lost.
 */
#include "detect/claim.h"

#include <string.h>

#include "base/cursor.h"
#include "detect/build.h"

#define ND_RS 133
#define ND_NA 136
#define ND_HEADER 24
#define RS_HEADER 8

bool claim_of_arp(const struct event *ev, struct claim *claim)
{
	const struct packet *p = ev->packet;

	if (p == NULL || p->l3 != L3_ARP)
		return false;
	*claim = (struct claim){.ip = p->src,
				.mac = p->arp_sha,
				.has_told = !ip_equal(&p->src, &p->dst),
				.told = p->dst,
				.answer = p->arp_op == 2};
	return true;
}

/* The link-layer address option of this type; false when there is none. */
static bool find_option(const struct packet *p, size_t header, uint8_t type, struct mac_addr *mac)
{
	struct cursor c = cursor_over(p->l4, p->l4_len);

	cursor_skip(&c, header);
	while (!c.failed && cursor_left(&c) >= 2) {
		uint8_t kind = cursor_u8(&c);
		uint8_t units = cursor_u8(&c);
		const uint8_t *body;

		if (units == 0) /* RFC 4861 4.6: discard the packet */
			return false;
		body = cursor_take(&c, (size_t)units * 8 - 2);
		if (body != NULL && kind == type && units == 1) {
			memcpy(mac->b, body, sizeof mac->b);
			return true;
		}
	}
	return false;
}

bool claim_of_nd(const struct event *ev, struct claim *claim)
{
	const struct packet *p = ev->packet;

	if (p == NULL || p->l4 == NULL || p->l4_len < RS_HEADER ||
	    (p->icmp_type != ND_RS && p->l4_len < ND_HEADER))
		return false;
	*claim = (struct claim){
	    .has_told = !mac_is_group(ev->dmac), .told = p->dst, .answer = p->icmp_type == ND_NA};
	if (claim->answer) {
		claim->ip = ip_from_v6(p->l4 + 8);
		if (!find_option(p, ND_HEADER, 2, &claim->mac))
			claim->mac = p->smac;
		return true;
	}
	claim->ip = p->src;
	return find_option(p, p->icmp_type == ND_RS ? RS_HEADER : ND_HEADER, 1, &claim->mac);
}

static bool is_owned(const struct owner *owner)
{
	return is_tenant(owner->tenant) || owner->tenant == TENANT_INFRASTRUCTURE;
}

static bool rightful(const struct event *ev, const struct claim *claim, const struct owner *owner,
		     const struct carrier *who)
{
	if (who->tenant == owner->tenant || who->tenant == TENANT_INFRASTRUCTURE)
		return true;
	return who->host != HOST_NONE &&
	       inventory_shares(ev->inv, ev->domain, &claim->ip, who->host);
}

static struct finding *add(const struct event *ev, const struct claim *claim, const char *kind,
			   const struct carrier *actor, struct mac_addr actor_mac,
			   struct findings *out)
{
	struct finding *f;
	char text[IP_TEXT_SIZE];

	f = build_finding(out, ev, kind,
			  actor->tenant == TENANT_UNKNOWN ? CONFIDENCE_INDICATOR
							  : CONFIDENCE_PROOF);
	if (f == NULL)
		return NULL;
	f->has_flow = false; /* ARP has no flow, and ND's is the control packet's own */
	f->actor = party_of_carrier(actor, actor_mac);
	finding_detail_text(f, "claimed_ip", ip_format(&claim->ip, text));
	finding_detail_text(f, "claimed_mac", mac_format(claim->mac, text));
	/* Who speaks and for whom: one of the two is not what it says. */
	if (ev->has_mac && !mac_equal(claim->mac, ev->smac))
		finding_detail_text(f, "frame_mac", mac_format(ev->smac, text));
	return f;
}

/* Victims: whose address it is, and who was told. */
static void tell(const struct event *ev, const struct claim *claim, const char *kind,
		 const struct owner *owner, const struct carrier *actor, struct mac_addr actor_mac,
		 struct findings *out)
{
	struct owner told = {.tenant = TENANT_UNKNOWN, .host = HOST_NONE};
	bool group = mac_is_group(ev->dmac);
	struct finding *f;

	if (claim->has_told && !ip_is_unspecified(&claim->told))
		told = bindings_owner(ev->bindings, ev->inv, ev->domain, &claim->told, ev->ts_ns);
	if (!group && ev->has_mac && is_tenant(ev->to.tenant))
		told = (struct owner){.tenant = ev->to.tenant, .host = ev->to.host};
	if (is_other_tenant(owner->tenant, actor->tenant)) {
		f = add(ev, claim, kind, actor, actor_mac, out);
		if (f != NULL)
			f->victim = party_of_owner(owner, &claim->ip);
	}
	if (is_other_tenant(told.tenant, actor->tenant) && told.tenant != owner->tenant) {
		f = add(ev, claim, kind, actor, actor_mac, out);
		if (f != NULL)
			f->victim = party_of_owner(&told, &claim->told);
		if (f != NULL && (told.host == HOST_NONE || ip_is_unspecified(&claim->told)))
			f->victim.has_ip = false;
	} else if (owner->tenant == TENANT_INFRASTRUCTURE && !is_tenant(told.tenant)) {
		f = add(ev, claim, kind, actor, actor_mac, out);
		if (f != NULL)
			f->victim = party_of_owner(owner, &claim->ip);
	}
}

void claim_judge(const struct event *ev, const struct claim *claim, const char *kind,
		 struct findings *out)
{
	struct carrier at = {.tenant = TENANT_UNKNOWN, .host = HOST_NONE};
	struct owner owner;
	bool nowhere = mac_is_zero(claim->mac) || mac_is_group(claim->mac);
	const struct carrier *actor = &ev->from;
	struct mac_addr actor_mac = ev->smac;

	if (ip_is_unspecified(&claim->ip) || ip_is_multicast(&claim->ip) ||
	    bindings_misled(ev->bindings, ev->domain, &claim->ip, claim->mac, ev->ts_ns))
		return;
	/* Nobody sends to itself over the wire: the frame is to move a port, and says nothing of
	 * who sent it. */
	if (ev->has_mac && mac_equal(ev->smac, ev->dmac))
		return;
	if (!nowhere)
		at = inventory_carrier(ev->inv, claim->mac);
	else if (!ev->has_mac || !is_tenant(ev->from.tenant))
		return; /* a cluster's MAC, most likely, and nobody to name */
	owner = bindings_owner(ev->bindings, ev->inv, ev->domain, &claim->ip, ev->ts_ns);
	if (!is_owned(&owner))
		return;
	if (!ev->has_mac || ev->from.tenant == TENANT_UNKNOWN ||
	    ev->from.tenant == TENANT_INFRASTRUCTURE) {
		if (ev->from.tenant == TENANT_INFRASTRUCTURE && !is_tenant(at.tenant))
			return; /* the provider's own gear answers for whom it likes */
		actor = &at;
		actor_mac = claim->mac;
	}
	/* The address is at its rightful place ... */
	if (rightful(ev, claim, &owner, &at)) {
		/* ... and said by its owner, the provider, or a bridge nobody registered. */
		if (!is_tenant(actor->tenant) || rightful(ev, claim, &owner, actor))
			return;
		/* A tenant speaks for another's true binding: only poisoners do, who clean up
		 * behind themselves, or who let a proxy stand in. */
	}
	if (!is_tenant(actor->tenant) && actor->tenant != TENANT_UNKNOWN)
		return;
	if (is_tenant(actor->tenant) && actor->tenant == owner.tenant)
		return;
	tell(ev, claim, kind, &owner, actor, actor_mac, out);
}
