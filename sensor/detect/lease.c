/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease.c - learns whose a dynamic address is from what legitimate DHCP servers acknowledge.
 *
 * The first in the list: all others see the lease it learned.  It states no findings.  Only an
 * ACK or REPLY that comes from a NIC of the provider with the role dhcp, router or hypervisor
 * (relay agents and proxies) counts, so that a tenant cannot lease himself another's address.  A
 * tap of one port shows that host's leases and not to whom an address goes next: it teaches
 * nothing but who was misled.
 *
 * A client that asks for an address by the offer of such a server (RFC 2131 4.3.2: SELECTING) has
 * been offered it, if it does not lie; so has one that asks, before it uses it, whether somebody
 * has it (RFC 5227).  The earlier lease is in doubt until its holder shows that it still has the
 * address.
 */
#include "detect/build.h"
#include "detect/dhcp.h"
#include "detect/dhcp6.h"

/* RFC 2131: a lease without option 51 is for a BOOTP client, for ever; a day is long enough for
 * what was seen of it to be renewed. */
#define LEASE_DEFAULT_S 86400u
/* For how long is not said in a message that is cut: no less than this is in use. */
#define LEASE_CUT_S 60u
#define SECOND UINT64_C(1000000000)

/* A client says that it does not use the address.  By the holder only: anyone could name one. */
static void given_back(const struct event *ev, const struct ip_addr *ip)
{
	struct mac_addr holder;

	if (!bindings_mac(ev->bindings, ev->domain, ip, ev->ts_ns, &holder))
		/* The mirror did not show that it was given; that it ends is worth knowing. */
		bindings_lease(ev->bindings, ev->domain, ip, ev->smac, ev->ts_ns, ev->ts_ns);
	else if (mac_equal(holder, ev->smac))
		bindings_release(ev->bindings, ev->domain, ip, ev->ts_ns);
}

/* A server offers what nobody has: an earlier lease is over, whatever the mirror showed of that. */
static void offered(const struct event *ev, const struct ip_addr *ip, struct mac_addr client)
{
	struct mac_addr holder;

	if (bindings_mac(ev->bindings, ev->domain, ip, ev->ts_ns, &holder) &&
	    !mac_equal(holder, client))
		bindings_release(ev->bindings, ev->domain, ip, ev->ts_ns);
}

static void given(const struct event *ev, const struct ip_addr *ip, struct mac_addr client,
		  uint64_t seconds)
{
	bindings_lease(ev->bindings, ev->domain, ip, client, ev->ts_ns,
		       ev->ts_ns + seconds * SECOND);
}

/*
 * A tenant's host hands out addresses (spoof_dhcp.c tells): who takes one that is leased to
 * somebody else, or registered for him, was misled, and is no thief of it.  Nobody is excused by
 * his own tenant, nor with an address of the provider's.
 */
static void take_in_good_faith(const struct event *ev, const struct ip_addr *ip,
			       struct mac_addr client, uint64_t seconds)
{
	if (inventory_owner(ev->inv, ev->domain, ip).tenant != TENANT_INFRASTRUCTURE)
		bindings_mislead(ev->bindings, ev->domain, ip, client,
				 ev->ts_ns + seconds * SECOND);
}

static void mislead(const struct event *ev, const struct ip_addr *ip, struct mac_addr client,
		    uint64_t seconds)
{
	struct carrier who = inventory_carrier(ev->inv, client);

	if (!is_tenant(ev->from.tenant) || (ev->from.roles & (ROLE_DHCP | ROLE_ROUTER)) ||
	    !is_other_tenant(who.tenant, ev->from.tenant))
		return;
	offered(ev, ip, client);
	take_in_good_faith(ev, ip, client, seconds);
}

/* By the offer of a server of the provider's, or of one that is registered without its NIC.  A tap
 * of one port shows of a rogue server who takes what it offers. */
static void asked_for(const struct event *ev, const struct dhcp_message *m)
{
	struct owner server = inventory_owner(ev->inv, ev->domain, &m->server);
	struct mac_addr holder;

	if (!m->has_server)
		return;
	if (ev->tap->view == VIEW_PORT) {
		struct carrier who = inventory_carrier(ev->inv, m->chaddr);

		if (is_tenant(server.tenant) && is_other_tenant(who.tenant, server.tenant))
			take_in_good_faith(ev, &m->requested, m->chaddr, LEASE_DEFAULT_S);
	} else if (server.tenant == TENANT_INFRASTRUCTURE &&
		   bindings_mac(ev->bindings, ev->domain, &m->requested, ev->ts_ns, &holder) &&
		   !mac_equal(holder, m->chaddr))
		bindings_doubt(ev->bindings, ev->domain, &m->requested, ev->ts_ns);
}

/* Is it free?  Who has it will say so. */
static void probed(const struct event *ev)
{
	const struct packet *p = ev->packet;
	struct mac_addr holder;

	if (p->arp_op == 1 && ip_is_unspecified(&p->src) && is_tenant(ev->from.tenant) &&
	    bindings_mac(ev->bindings, ev->domain, &p->dst, ev->ts_ns, &holder) &&
	    !mac_equal(holder, ev->smac))
		bindings_doubt(ev->bindings, ev->domain, &p->dst, ev->ts_ns);
}

static void see_arp(const struct event *ev)
{
	probed(ev);
	bindings_trust(ev->bindings, ev->domain, &ev->packet->src, ev->packet->arp_sha);
}

static void see_v4(const struct event *ev, bool server)
{
	struct dhcp_message m;

	if (!dhcp_parse(ev->packet, &m)) {
		/* Cut before it says what it is: who is offered an address takes it. */
		if (!dhcp_parse_cut(ev->packet, &m))
			return;
		m.type = DHCP_ACK;
		m.lease_seconds = LEASE_CUT_S;
	}
	if (m.type == DHCP_RELEASE)
		given_back(ev, &m.ciaddr);
	else if (m.type == DHCP_DECLINE) /* RFC 2131 table 5: ciaddr is 0 */
		given_back(ev, &m.requested);
	else if (m.type == DHCP_REQUEST)
		asked_for(ev, &m);
	if (ip_is_unspecified(&m.yiaddr))
		return;
	if (!server && (m.type == DHCP_OFFER || m.type == DHCP_ACK))
		mislead(ev, &m.yiaddr, m.chaddr,
			m.lease_seconds != 0 ? m.lease_seconds : LEASE_DEFAULT_S);
	else if (server && m.type == DHCP_OFFER)
		offered(ev, &m.yiaddr, m.chaddr);
	else if (server && m.type == DHCP_ACK)
		given(ev, &m.yiaddr, m.chaddr,
		      m.lease_seconds != 0 ? m.lease_seconds : LEASE_DEFAULT_S);
}

/* The client is the NIC that is answered: a DUID may be that of another NIC, or of a machine this
 * one was copied from (RFC 8415 11).  Through a relay agent only the DUID is left. */
static void see_v6(const struct event *ev, bool server)
{
	bool direct = ev->to.tenant != TENANT_INFRASTRUCTURE && !mac_is_group(ev->dmac) &&
		      !mac_is_zero(ev->dmac);
	struct dhcp6_message m;

	if (!dhcp6_parse(ev->packet, &m) || !m.has_address)
		return;
	if (m.type == DHCP6_RELEASE || m.type == DHCP6_DECLINE)
		given_back(ev, &m.address);
	if (!direct && !m.has_client)
		return;
	if (!server && (m.type == DHCP6_ADVERTISE || m.type == DHCP6_REPLY))
		mislead(ev, &m.address, direct ? ev->dmac : m.client,
			m.valid_seconds != 0 ? m.valid_seconds : LEASE_DEFAULT_S);
	if (!server)
		return;
	if (m.type == DHCP6_ADVERTISE)
		offered(ev, &m.address, direct ? ev->dmac : m.client);
	else if (m.type == DHCP6_REPLY && m.valid_seconds == 0) /* taken back */
		bindings_release(ev->bindings, ev->domain, &m.address, ev->ts_ns);
	else if (m.type == DHCP6_REPLY)
		given(ev, &m.address, direct ? ev->dmac : m.client, m.valid_seconds);
}

static void event(void *state, const struct event *ev, struct findings *out)
{
	/* What a tap of one port shows of servers teaches nothing. */
	bool server = ev->tap->view != VIEW_PORT &&
		      carrier_has_role(&ev->from, ROLE_DHCP | ROLE_ROUTER | ROLE_HYPERVISOR);

	(void)state;
	(void)out;
	if (!ev->has_mac)
		return;
	if (ev->kind == EVENT_FLOW) {
		bindings_trust(ev->bindings, ev->domain, &ev->tuple.src, ev->smac);
		return;
	}
	if (ev->packet == NULL)
		return;
	if (ev->kind == EVENT_ARP)
		see_arp(ev);
	else if (ev->kind == EVENT_DHCP)
		see_v4(ev, server);
	else
		see_v6(ev, server);
}

const struct detector detect_lease = {
    .kind = "lease",
    .summary = "learns dynamic addresses from legitimate DHCP servers; finds nothing itself",
    .wants = EVENT_BIT(EVENT_DHCP) | EVENT_BIT(EVENT_DHCP6) | EVENT_BIT(EVENT_ARP) |
	     EVENT_BIT(EVENT_FLOW),
    .event = event,
};
