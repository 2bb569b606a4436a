/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spoof_redirect.c - an ICMP or ICMPv6 redirect to a next hop that is no router.
 *
 *	ICMP 5      gateway address, the packet that caused it			RFC 792
 *	ICMPv6 137  target (next hop), destination, target link-layer address	RFC 4861 4.5
 *
 * Real routers redirect to another router or, on the link, to the destination itself.  A redirect
 * to one of the provider's routers takes no position, whoever sends it (what it quotes is for
 * observe.icmp-quote).
 *
 * Who is the actor?  The NIC that sent it, when it is a tenant's.  When the frame carries the
 * provider's MAC, it is forged or in order; it is forged when the next hop is at a tenant that is
 * neither the destination's nor the redirected host's, and then the next hop names the actor.
 */
#include "detect/build.h"
#include "detect/home.h"

#define REDIRECT_V4 8  /* length of the message without the quote */
#define REDIRECT_V6 40 /* ... without options */
#define TARGET_V6 8
#define DESTINATION_V6 24
#define OPTION_TARGET 2

struct redirect {
	struct ip_addr target, destination;
	struct owner target_owner, destination_owner;
	struct mac_addr mac; /* of the target, where the message has it */
	bool has_mac, has_destination;
};

static bool parse(const struct event *ev, struct redirect *r)
{
	const struct packet *p = ev->packet;
	struct packet quoted;

	*r = (struct redirect){0};
	if (p == NULL || p->l4 == NULL || !ev->has_mac)
		return false;
	if (p->proto == IPPROTO_NUM_ICMPV6) {
		if (p->l4_len < REDIRECT_V6)
			return false;
		r->target = ip_from_v6(p->l4 + TARGET_V6);
		r->destination = ip_from_v6(p->l4 + DESTINATION_V6);
		r->has_destination = true;
		r->has_mac = nd_link_address(p, REDIRECT_V6, OPTION_TARGET, &r->mac);
	} else {
		if (p->l4_len < REDIRECT_V4)
			return false;
		r->target = ip_from_v4(p->l4 + 4);
		r->has_destination = packet_quoted(p, &quoted);
		if (r->has_destination)
			r->destination = quoted.dst;
	}
	r->target_owner = bindings_owner(ev->bindings, ev->inv, ev->domain, &r->target, ev->ts_ns);
	r->destination_owner = (struct owner){.tenant = TENANT_UNKNOWN, .host = HOST_NONE};
	if (r->has_destination)
		r->destination_owner =
		    bindings_owner(ev->bindings, ev->inv, ev->domain, &r->destination, ev->ts_ns);
	return true;
}

/* Who would get the traffic: the NIC the message names, else the target's owner. */
static struct party next_hop(const struct event *ev, const struct redirect *r)
{
	struct carrier at;

	if (r->has_mac) {
		at = inventory_carrier(ev->inv, r->mac);
		if (at.tenant != TENANT_UNKNOWN)
			return party_of_carrier(&at, r->mac);
	}
	return party_of_owner(&r->target_owner, &r->target);
}

static bool is_router(const struct event *ev, const struct party *next)
{
	const struct host *host = inventory_host(ev->inv, next->host_id);

	if (next->tenant_id == TENANT_INFRASTRUCTURE)
		return true;
	return host != NULL && (host->roles & ROLE_ROUTER) != 0;
}

/* The redirected host: who is told, whose packets will take the other way. */
static struct party redirected(const struct event *ev)
{
	struct party victim;

	if (!mac_is_group(ev->dmac) && ev->to.tenant != TENANT_UNKNOWN) {
		victim = party_of_carrier(&ev->to, ev->dmac);
		if (ev->dst.tenant == ev->to.tenant) {
			victim.ip = ev->tuple.dst;
			victim.has_ip = true;
		}
		return victim;
	}
	return party_of_owner(&ev->dst, &ev->tuple.dst);
}

/* Sent by the provider's own gear, or in its name: false when it is in order. */
static bool is_forged(const struct redirect *r, const struct party *next,
		      const struct party *victim)
{
	if (!is_tenant(next->tenant_id) || next->tenant_id == victim->tenant_id)
		return false;
	if (!r->has_destination)
		return false;
	if (ip_equal(&r->target, &r->destination) && next->tenant_id == r->target_owner.tenant)
		return false;
	return next->tenant_id != r->destination_owner.tenant;
}

static void tell(const struct event *ev, const struct redirect *r, const struct party *actor,
		 const struct party *victim, const struct party *next, enum confidence confidence,
		 struct findings *out)
{
	struct finding *f = build_finding(out, ev, NULL, confidence);
	char text[IP_TEXT_SIZE];

	if (f == NULL)
		return;
	f->has_flow = false; /* the redirect's own is no flow of the victim's */
	f->actor = *actor;
	f->victim = *victim;
	f->next = *next;
	finding_detail_text(f, "target", ip_format(&r->target, text));
	if (r->has_destination)
		finding_detail_text(f, "destination", ip_format(&r->destination, text));
	finding_detail_text(f, "sender", ip_format(&ev->tuple.src, text));
}

/* To everybody, as no router does (RFC 4861 8.2): all others at home are told. */
static void tell_all(const struct event *ev, const struct redirect *r, const struct party *actor,
		     const struct party *next, enum confidence confidence, struct findings *out)
{
	uint32_t other[HOME_MAX];
	unsigned count = home_others(ev, actor->tenant_id, other, NULL);

	for (unsigned i = 0; i < count; i++) {
		struct party victim = party_of_tenant(other[i]);

		tell(ev, r, actor, &victim, next, confidence, out);
	}
}

static void event(void *state, const struct event *ev, struct findings *out)
{
	enum confidence confidence = CONFIDENCE_PROOF;
	struct party actor, next, victim;
	struct redirect r;

	(void)state;
	if (!parse(ev, &r))
		return;
	next = next_hop(ev, &r);
	victim = redirected(ev);
	if (is_router(ev, &next))
		return;
	actor = party_of_carrier(&ev->from, ev->smac);
	if (is_tenant(ev->from.tenant)) {
		if (ev->from.roles & ROLE_ROUTER)
			return;
	} else if (is_forged(&r, &next, &victim)) {
		actor = next;
		confidence = CONFIDENCE_STRONG; /* the next hop is named by the message alone */
	} else if (ev->from.tenant == TENANT_UNKNOWN) {
		confidence = CONFIDENCE_INDICATOR;
	} else {
		return;
	}
	if (ev->has_ip && ip_is_multicast(&ev->tuple.dst)) {
		tell_all(ev, &r, &actor, &next, confidence, out);
		return;
	}
	/* Towards a host nobody registered: it may be the sender's own container. */
	if (victim.tenant_id != actor.tenant_id && victim.tenant_id != TENANT_UNKNOWN)
		tell(ev, &r, &actor, &victim, &next, confidence, out);
}

const struct detector detect_spoof_redirect = {
    .kind = "spoof.redirect",
    .summary = "an ICMP(v6) redirect to a next hop that is no router",
    .wants = EVENT_BIT(EVENT_REDIRECT),
    .event = event,
};
