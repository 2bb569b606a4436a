/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spoof_dhcp.c - DHCP or DHCPv6 server messages from a NIC that has no business to send them.
 *
 * OFFER, ACK, NAK (RFC 2131), FORCERENEW (RFC 3203) and ADVERTISE, REPLY, RECONFIGURE (RFC 8415)
 * come from servers and relay agents: the provider's, or a host with the role dhcp or router.  What
 * is handed out is in the finding, for it says where the client's traffic will go.
 *
 * The victim is the client, by the hardware address it asked with, or by the frame's destination.
 * A message to everybody that names no registered client endangers all other tenants at home in the
 * segment; in a segment of its own a tenant may run what it likes.
 *
 * A message in the provider's own name, or of an unregistered NIC, is forged when the router it
 * hands out is a host of another tenant than the client's, or the name server one on the client's
 * own link: that host is the actor then.
 */
#include <string.h>

#include "detect/build.h"
#include "detect/dhcp.h"
#include "detect/dhcp6.h"
#include "detect/home.h"

struct offer {
	bool has_client, has_router, has_dns, has_lease;
	unsigned routes;
	struct mac_addr client;
	struct ip_addr router, dns, lease, route[DHCP_ROUTES];
	const char *message;
};

static const char *name_of_v4(uint8_t type)
{
	switch (type) {
	case DHCP_OFFER:
		return "OFFER";
	case DHCP_ACK:
		return "ACK";
	case DHCP_NAK:
		return "NAK";
	case DHCP_FORCERENEW:
		return "FORCERENEW";
	default:
		return NULL;
	}
}

/* The capture ends before the options: that it is a server's, and for whom, stands at the front. */
static bool read_cut_v4(const struct packet *p, struct offer *o)
{
	struct dhcp_message m;

	if (!dhcp_parse_cut(p, &m))
		return false;
	*o = (struct offer){.message = "server's, cut",
			    .has_client = true,
			    .client = m.chaddr,
			    .lease = m.yiaddr,
			    .has_lease = !ip_is_unspecified(&m.yiaddr)};
	return true;
}

static bool read_v4(const struct packet *p, struct offer *o)
{
	struct dhcp_message m;

	if (!dhcp_parse(p, &m))
		return read_cut_v4(p, o);
	if (m.op != 2)
		return false;
	*o = (struct offer){.has_client = !mac_is_zero(m.chaddr),
			    .client = m.chaddr,
			    .has_router = m.has_router,
			    .router = m.router,
			    .has_dns = m.has_dns,
			    .dns = m.dns,
			    .routes = m.routes,
			    .has_lease = !ip_is_unspecified(&m.yiaddr),
			    .lease = m.yiaddr,
			    .message = m.type == 0 ? "BOOTP reply" : name_of_v4(m.type)};
	memcpy(o->route, m.route_via, sizeof o->route);
	return o->message != NULL;
}

static bool read_v6(const struct packet *p, struct offer *o)
{
	struct dhcp6_message m;

	if (!dhcp6_parse(p, &m) || !dhcp6_from_server(m.type))
		return false;
	*o = (struct offer){.has_client = m.has_client,
			    .client = m.client,
			    .has_dns = m.has_dns,
			    .dns = m.dns,
			    .has_lease = m.has_address,
			    .lease = m.address,
			    .message = m.type == DHCP6_ADVERTISE     ? "ADVERTISE"
				       : m.type == DHCP6_RECONFIGURE ? "RECONFIGURE"
								     : "REPLY"};
	return true;
}

static struct owner owner_of(const struct event *ev, const struct ip_addr *ip)
{
	return bindings_owner(ev->bindings, ev->inv, ev->domain, ip, ev->ts_ns);
}

/* The client: who is it, if it is registered or the message is for one NIC? */
static bool find_client(const struct event *ev, const struct offer *o, struct party *client)
{
	struct carrier at = inventory_carrier(ev->inv, o->client);

	if (o->has_client && at.tenant != TENANT_UNKNOWN) {
		*client = party_of_carrier(&at, o->client);
		return true;
	}
	if (mac_is_group(ev->dmac))
		return false;
	/* Towards one of the provider's relay agents, which tells nothing of the client. */
	if (ev->to.tenant == TENANT_INFRASTRUCTURE)
		return false;
	*client = party_of_carrier(&ev->to, ev->dmac);
	return true;
}

/* In whose hands the client's traffic would come, if that is a tenant not its own.  With routes
 * in the message clients pass over the router (RFC 3442); not all of them do. */
static bool names_another(const struct event *ev, const struct offer *o, const struct party *client,
			  struct party *actor)
{
	if (!is_tenant(client->tenant_id))
		return false;
	for (unsigned i = 0; i < o->routes + o->has_router; i++) {
		const struct ip_addr *hop = i < o->routes ? &o->route[i] : &o->router;
		struct owner owner = owner_of(ev, hop);

		if (!is_other_tenant(owner.tenant, client->tenant_id) || owner.host == HOST_NONE)
			continue;
		*actor = party_of_owner(&owner, hop);
		return true;
	}
	return false;
}

/*
 * As name server a tenant's host on the client's own link, without that role, of another tenant: a
 * resolver that serves many is the provider's, or out in the world.
 */
static bool names_resolver(const struct event *ev, const struct offer *o,
			   const struct party *client, struct party *actor)
{
	struct owner owner;
	const struct host *host;

	if (!o->has_dns || !is_tenant(client->tenant_id) ||
	    !inventory_segment_prefix(ev->inv, ev->segment, &o->dns))
		return false;
	owner = owner_of(ev, &o->dns);
	host = inventory_host(ev->inv, owner.host);
	if (!is_other_tenant(owner.tenant, client->tenant_id) || host == NULL ||
	    (host->roles & ROLE_DNS) != 0)
		return false;
	*actor = party_of_owner(&owner, &o->dns);
	return true;
}

static void add_ip(struct finding *f, const char *name, bool has, const struct ip_addr *ip)
{
	char text[IP_TEXT_SIZE];

	if (has)
		finding_detail_text(f, name, ip_format(ip, text));
}

static void tell(const struct event *ev, const struct offer *o, const struct party *actor,
		 const struct party *victim, enum confidence confidence, struct findings *out)
{
	struct finding *f = build_finding(out, ev, NULL, confidence);

	if (f == NULL)
		return;
	f->has_flow = false;
	f->actor = *actor;
	f->victim = *victim;
	finding_detail_text(f, "message", o->message);
	add_ip(f, "router", o->has_router, &o->router);
	add_ip(f, "dns", o->has_dns, &o->dns);
	add_ip(f, "route", o->routes > 0, &o->route[0]);
	add_ip(f, "lease", o->has_lease, &o->lease);
	add_ip(f, "server", ev->has_ip, &ev->tuple.src);
}

static void event(void *state, const struct event *ev, struct findings *out)
{
	enum confidence confidence = CONFIDENCE_PROOF;
	struct party actor = party_of_carrier(&ev->from, ev->smac);
	struct party client = {.tenant_id = TENANT_UNKNOWN, .host_id = HOST_NONE}, named;
	uint32_t victim[HOME_MAX];
	bool has_client;
	unsigned count;
	struct offer o;

	(void)state;
	if (ev->packet == NULL || !ev->has_mac ||
	    (is_tenant(ev->from.tenant) && (ev->from.roles & (ROLE_DHCP | ROLE_ROUTER))))
		return;
	if (!(ev->kind == EVENT_DHCP ? read_v4(ev->packet, &o) : read_v6(ev->packet, &o)))
		return;
	has_client = find_client(ev, &o, &client);
	if (!is_tenant(ev->from.tenant)) {
		if (names_another(ev, &o, &client, &named) ||
		    names_resolver(ev, &o, &client, &named)) {
			actor = named;
			confidence = CONFIDENCE_STRONG;
		} else if (ev->from.tenant == TENANT_INFRASTRUCTURE) {
			return;
		} else {
			confidence = CONFIDENCE_INDICATOR;
		}
	}
	count = home_others(ev, actor.tenant_id, victim, NULL);
	if (has_client) {
		/* An unregistered client (a nested machine) in the tenant's own segment is its. */
		if (client.tenant_id != actor.tenant_id &&
		    (client.tenant_id != TENANT_UNKNOWN || count > 0))
			tell(ev, &o, &actor, &client, confidence, out);
		return;
	}
	if (!mac_is_group(ev->dmac))
		return;
	for (unsigned i = 0; i < count; i++) {
		struct party home = party_of_tenant(victim[i]);

		tell(ev, &o, &actor, &home, confidence, out);
	}
}

const struct detector detect_spoof_dhcp = {
    .kind = "spoof.dhcp",
    .summary = "DHCP or DHCPv6 server messages from a host that is no server",
    .wants = EVENT_BIT(EVENT_DHCP) | EVENT_BIT(EVENT_DHCP6),
    .event = event,
};
