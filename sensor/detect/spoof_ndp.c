/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spoof_ndp.c - a neighbour advertisement or solicitation that contradicts the inventory.
 *
 *	NA	target address is at the target link-layer address (option 2)	RFC 4861 4.4
 *	NS	source address is at the source link-layer address (option 1)	RFC 4861 4.3
 *
 * An NA without the option binds to the frame's own MAC where the address is known already.
 */
#include "detect/build.h"
#include "detect/claim.h"

#define NA_FLAGS 4 /* offset of R, S, O in the ICMPv6 message */

static void event(void *state, const struct event *ev, struct findings *out)
{
	unsigned before = out->count;
	struct claim claim;

	(void)state;
	if (!claim_of_nd(ev, &claim))
		return;
	claim_judge(ev, &claim, "spoof.ndp", out);
	for (unsigned i = before; i < out->count && claim.answer; i++) {
		uint8_t flags = ev->packet->l4[NA_FLAGS];

		finding_detail_text(&out->finding[i], "override", flags & 0x20 ? "yes" : "no");
		finding_detail_text(&out->finding[i], "router", flags & 0x80 ? "yes" : "no");
	}
}

const struct detector detect_spoof_ndp = {
    .kind = "spoof.ndp",
    .summary = "neighbour discovery says that another's IPv6 address is at the actor's MAC",
    .wants = EVENT_BIT(EVENT_ND),
    .event = event,
};
