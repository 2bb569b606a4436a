/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease.c - learns whose a dynamic address is from what legitimate DHCP servers acknowledge.
 *
 * The first in the list: all others see the lease it learned.  It states no findings.  Only an
 * ACK or REPLY that comes from a NIC of the provider with the role dhcp, router or hypervisor
 * (relay agents and proxies) counts, so that a tenant cannot lease himself another's address.  A
 * tap of one port shows that host's leases and not to whom an address goes next: it teaches
 * nothing.
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
 * somebody else was misled, and is no thief of it.  Nobody is excused by his own tenant.
 */
static void mislead(const struct event *ev, const struct ip_addr *ip, struct mac_addr client)
{
	struct carrier who = inventory_carrier(ev->inv, client);

	if (is_tenant(ev->from.tenant) && !(ev->from.roles & (ROLE_DHCP | ROLE_ROUTER)) &&
	    is_other_tenant(who.tenant, ev->from.tenant))
		offered(ev, ip, client);
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
	if (ip_is_unspecified(&m.yiaddr))
		return;
	if (!server && (m.type == DHCP_OFFER || m.type == DHCP_ACK))
		mislead(ev, &m.yiaddr, m.chaddr);
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
		mislead(ev, &m.address, direct ? ev->dmac : m.client);
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
	bool server = carrier_has_role(&ev->from, ROLE_DHCP | ROLE_ROUTER | ROLE_HYPERVISOR);

	(void)state;
	(void)out;
	if (ev->packet == NULL || !ev->has_mac || ev->tap->view == VIEW_PORT)
		return;
	if (ev->kind == EVENT_DHCP)
		see_v4(ev, server);
	else
		see_v6(ev, server);
}

const struct detector detect_lease = {
    .kind = "lease",
    .summary = "learns dynamic addresses from legitimate DHCP servers; finds nothing itself",
    .wants = EVENT_BIT(EVENT_DHCP) | EVENT_BIT(EVENT_DHCP6),
    .event = event,
};
