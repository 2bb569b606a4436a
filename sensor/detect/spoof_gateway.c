/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spoof_gateway.c - a tenant's host takes part in what is for routers: VRRP, HSRP, GLBP, CARP or a
 * routing protocol.
 *
 * Fail-over groups move an address.  Whose address it is decides: a tenant's own cluster is its own
 * business, declared or not; an address or a virtual MAC of the provider or of another tenant is
 * a takeover.  Addresses nobody is registered for may be a cluster's that nobody declared: silent.
 *
 * Routing protocols move everybody's traffic: any host without the role router that speaks one in a
 * segment it shares with other tenants is told, as is a BGP session it opens with the provider
 * or another tenant.
 *
 * Who is the actor?  The NIC.  A group's messages often carry its virtual MAC, and that one may
 * be forged as well as the provider's: there the source address tells, which these protocols
 * require to be the sender's own (RFC 5798 5.1.1.1).
 */
#include <string.h>

#include "detect/build.h"
#include "detect/gateway.h"
#include "detect/home.h"

/* False when the message is in order, by role or by declaration. */
static bool find_actor(const struct event *ev, const struct gateway_message *m, struct party *actor)
{
	const struct host *host;

	*actor = party_of_carrier(&ev->from, ev->smac);
	if (!is_tenant(ev->from.tenant) && ev->has_ip) {
		if (ev->src.tenant == TENANT_INFRASTRUCTURE)
			return false;
		if (is_tenant(ev->src.tenant))
			*actor = party_of_owner(&ev->src, &ev->tuple.src);
	}
	if (actor->tenant_id == TENANT_INFRASTRUCTURE)
		return false;
	host = inventory_host(ev->inv, actor->host_id);
	return (host == NULL || !(host->roles & ROLE_ROUTER)) &&
	       !inventory_host_speaks(ev->inv, actor->host_id, m->protocol);
}

static void tell(const struct event *ev, const struct gateway_message *m, const struct party *actor,
		 const struct party *victim, struct findings *out)
{
	struct finding *f = build_finding(out, ev, NULL,
					  actor->tenant_id == TENANT_UNKNOWN ? CONFIDENCE_INDICATOR
									     : CONFIDENCE_PROOF);
	char text[IP_TEXT_SIZE];

	if (f == NULL)
		return;
	f->has_flow = false;
	f->actor = *actor;
	f->victim = *victim;
	finding_detail_text(f, "protocol", m->protocol);
	if (!m->group_protocol)
		return;
	finding_detail_uint(f, "group", m->group);
	finding_detail_uint(f, "priority", m->priority);
	if (m->has_mac)
		finding_detail_text(f, "group_mac", mac_format(m->mac, text));
	if (m->address_count > 0)
		finding_detail_text(f, "address", ip_format(&m->address[0], text));
}

static bool is_anothers(uint32_t tenant, uint32_t actor)
{
	return tenant == TENANT_INFRASTRUCTURE || is_other_tenant(tenant, actor);
}

/*
 * The owner of an address of the group.  Numbers of groups are few, and two clusters of one segment
 * may have the same without harm; the virtual MAC decides when there is no address (CARP), or
 * when the frame is sent by it, which moves it to the sender's port.
 */
static bool find_victim(const struct event *ev, const struct gateway_message *m, uint32_t actor,
			struct party *victim)
{
	struct carrier at;
	struct owner owner;

	for (unsigned i = 0; i < m->address_count; i++) {
		owner =
		    bindings_owner(ev->bindings, ev->inv, ev->domain, &m->address[i], ev->ts_ns);
		if (!is_anothers(owner.tenant, actor))
			continue;
		*victim = party_of_owner(&owner, &m->address[i]);
		return true;
	}
	if (!m->has_mac || (m->address_count > 0 && !mac_equal(ev->smac, m->mac)))
		return false;
	at = inventory_carrier(ev->inv, m->mac);
	*victim = party_of_carrier(&at, m->mac);
	return is_anothers(at.tenant, actor);
}

static void event(void *state, const struct event *ev, struct findings *out)
{
	struct gateway_message m;
	struct party actor, victim;
	uint32_t other[HOME_MAX];

	(void)state;
	if (ev->packet == NULL || !ev->has_mac || !gateway_parse(ev->packet, &m) ||
	    !find_actor(ev, &m, &actor))
		return;
	if (m.group_protocol) {
		if (find_victim(ev, &m, actor.tenant_id, &victim))
			tell(ev, &m, &actor, &victim, out);
		return;
	}
	if (m.link && mac_is_group(ev->dmac)) {
		victim = party_of_tenant(TENANT_INFRASTRUCTURE);
		if (home_others(ev, actor.tenant_id, other, NULL) > 0)
			tell(ev, &m, &actor, &victim, out);
		return;
	}
	victim = party_of_owner(&ev->dst, &ev->tuple.dst);
	if (ev->has_ip && is_anothers(ev->dst.tenant, actor.tenant_id))
		tell(ev, &m, &actor, &victim, out);
}

const struct detector detect_spoof_gateway = {
    .kind = "spoof.gateway",
    .summary = "a host that is no router speaks a fail-over or routing protocol",
    .wants = EVENT_BIT(EVENT_GATEWAY) | EVENT_BIT(EVENT_L2_CONTROL),
    .event = event,
};
