/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease.c - learns whose a dynamic address is from what legitimate DHCP servers acknowledge.
 *
 * The first in the list: all others see the lease it learned.  It states no findings.  Only an
 * ACK that comes from a NIC of the provider with the role dhcp, router or hypervisor (relay
 * agents and proxies) counts, so that a tenant cannot lease himself another's address.
 */
#include "detect/build.h"
#include "detect/dhcp.h"

/* RFC 2131: a lease without option 51 is for a BOOTP client, for ever; a day is long enough for
 * what was seen of it to be renewed. */
#define LEASE_DEFAULT_S 86400u

static void event(void *state, const struct event *ev, struct findings *out)
{
	struct dhcp_message m;
	uint64_t seconds;

	(void)state;
	(void)out;
	if (ev->packet == NULL || !dhcp_parse(ev->packet, &m))
		return;
	if (m.type == DHCP_RELEASE || m.type == DHCP_DECLINE) {
		struct mac_addr holder;

		/* By the holder only: anyone could name an address. */
		if (bindings_mac(ev->bindings, ev->domain, &m.ciaddr, ev->ts_ns, &holder) &&
		    mac_equal(holder, ev->smac))
			bindings_release(ev->bindings, ev->domain, &m.ciaddr);
		return;
	}
	if (m.type != DHCP_ACK || ip_is_unspecified(&m.yiaddr) ||
	    !carrier_has_role(&ev->from, ROLE_DHCP | ROLE_ROUTER | ROLE_HYPERVISOR))
		return;
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
