/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spoof_arp.c - an ARP sender binding that contradicts the inventory across tenants (RFC 826).
 *
 * Requests bind as well as replies, and gratuitous ones bind everybody; one frame is enough.  RARP
 * asks for an address and claims none.
 */
#include "detect/build.h"
#include "detect/claim.h"

static void event(void *state, const struct event *ev, struct findings *out)
{
	const struct packet *p = ev->packet;
	struct claim claim;

	(void)state;
	if (p == NULL || p->l3 != L3_ARP)
		return;
	claim = (struct claim){.ip = p->src,
			       .mac = p->arp_sha,
			       .has_told = !ip_equal(&p->src, &p->dst),
			       .told = p->dst,
			       .answer = p->arp_op == 2};
	claim_judge(ev, &claim, "spoof.arp", out);
}

const struct detector detect_spoof_arp = {
    .kind = "spoof.arp",
    .summary = "ARP says that another tenant's or the provider's address is at the actor's MAC",
    .wants = EVENT_BIT(EVENT_ARP),
    .event = event,
};
