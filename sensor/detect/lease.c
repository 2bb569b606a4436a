/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease.c - learns whose a dynamic address is from what legitimate DHCP servers acknowledge.
 *
 * The first in the list: all others see the lease it learned.  It states no findings.  Only an
 * ACK that comes from a NIC of the provider with the role dhcp, router or hypervisor (relay
 * agents and proxies) counts, so that a tenant cannot lease himself another's address.  A tap of
 * one port shows that host's leases and not to whom an address goes next: it teaches nothing.
 */
#include "detect/build.h"
#include "detect/dhcp.h"

/* RFC 2131: a lease without option 51 is for a BOOTP client, for ever; a day is long enough for
 * what was seen of it to be renewed. */
#define LEASE_DEFAULT_S 86400u

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
static void offered(const struct event *ev, const struct dhcp_message *m)
{
	struct mac_addr holder;

	if (bindings_mac(ev->bindings, ev->domain, &m->yiaddr, ev->ts_ns, &holder) &&
	    !mac_equal(holder, m->chaddr))
		bindings_release(ev->bindings, ev->domain, &m->yiaddr, ev->ts_ns);
}

static void event(void *state, const struct event *ev, struct findings *out)
{
	struct dhcp_message m;
	uint64_t seconds;

	(void)state;
	(void)out;
	if (ev->packet == NULL || ev->tap->view == VIEW_PORT || !dhcp_parse(ev->packet, &m))
		return;
	if (m.type == DHCP_RELEASE)
		given_back(ev, &m.ciaddr);
	else if (m.type == DHCP_DECLINE) /* RFC 2131 table 5: ciaddr is 0 */
		given_back(ev, &m.requested);
	if ((m.type != DHCP_ACK && m.type != DHCP_OFFER) || ip_is_unspecified(&m.yiaddr) ||
	    !carrier_has_role(&ev->from, ROLE_DHCP | ROLE_ROUTER | ROLE_HYPERVISOR))
		return;
	if (m.type == DHCP_OFFER) {
		offered(ev, &m);
		return;
	}
	seconds = m.lease_seconds != 0 ? m.lease_seconds : LEASE_DEFAULT_S;
	bindings_lease(ev->bindings, ev->domain, &m.yiaddr, m.chaddr, ev->ts_ns,
		       ev->ts_ns + seconds * UINT64_C(1000000000));
}

const struct detector detect_lease = {
    .kind = "lease",
    .summary = "learns dynamic addresses from legitimate DHCP servers; finds nothing itself",
    .wants = EVENT_BIT(EVENT_DHCP),
    .event = event,
};
