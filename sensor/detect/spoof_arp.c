/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spoof_arp.c - an ARP sender binding that contradicts the inventory across tenants (RFC 826).
 *
 * Requests bind as well as replies, and gratuitous ones bind everybody; one frame is enough.  RARP
 * asks for an address and claims none.
 */
#include "detect/claim.h"

static void event(void *state, const struct event *ev, struct findings *out)
{
	struct claim claim;

	(void)state;
	if (claim_of_arp(ev, &claim))
		claim_judge(ev, &claim, "spoof.arp", out);
}

const struct detector detect_spoof_arp = {
    .kind = "spoof.arp",
    .summary = "ARP says that another tenant's or the provider's address is at the actor's MAC",
    .wants = EVENT_BIT(EVENT_ARP),
    .event = event,
};
