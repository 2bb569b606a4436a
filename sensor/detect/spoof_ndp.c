/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spoof_ndp.c - a neighbour advertisement or solicitation that contradicts the inventory.
 *
 *	NA	target address is at the target link-layer address (option 2)	RFC 4861 4.4
 *	NS	source address is at the source link-layer address (option 1)	RFC 4861 4.3
 *
 * An NA without the option binds to the frame's own MAC where the address is known already.
 */
#include <string.h>

#include "base/cursor.h"
#include "detect/build.h"
#include "detect/claim.h"

#define ND_NS 135
#define ND_NA 136
#define NA_FLAGS 4 /* offset of R, S, O in the ICMPv6 message */
#define ND_HEADER 24

/* The link-layer address option of this type; false when there is none. */
static bool find_option(const struct packet *p, uint8_t type, struct mac_addr *mac)
{
	struct cursor c = cursor_over(p->l4, p->l4_len);

	cursor_skip(&c, ND_HEADER);
	while (!c.failed && cursor_left(&c) >= 2) {
		uint8_t kind = cursor_u8(&c);
		uint8_t units = cursor_u8(&c);
		const uint8_t *body;

		if (units == 0) /* RFC 4861 4.6: discard the packet */
			return false;
		body = cursor_take(&c, (size_t)units * 8 - 2);
		if (body != NULL && kind == type && units == 1) {
			memcpy(mac->b, body, sizeof mac->b);
			return true;
		}
	}
	return false;
}

static void event(void *state, const struct event *ev, struct findings *out)
{
	const struct packet *p = ev->packet;
	struct claim claim = {0};
	unsigned before = out->count;

	(void)state;
	if (p == NULL || p->l4 == NULL || p->l4_len < ND_HEADER)
		return;
	claim.has_told = !mac_is_group(ev->dmac);
	claim.told = p->dst;
	claim.answer = p->icmp_type == ND_NA;
	if (p->icmp_type == ND_NA) {
		claim.ip = ip_from_v6(p->l4 + 8);
		if (!find_option(p, 2, &claim.mac))
			claim.mac = p->smac;
	} else {
		claim.ip = p->src;
		if (!find_option(p, 1, &claim.mac))
			return;
	}
	claim_judge(ev, &claim, "spoof.ndp", out);
	for (unsigned i = before; i < out->count && p->icmp_type == ND_NA; i++) {
		finding_detail_text(&out->finding[i], "override",
				    p->l4[NA_FLAGS] & 0x20 ? "yes" : "no");
		finding_detail_text(&out->finding[i], "router",
				    p->l4[NA_FLAGS] & 0x80 ? "yes" : "no");
	}
}

const struct detector detect_spoof_ndp = {
    .kind = "spoof.ndp",
    .summary = "neighbour discovery says that another's IPv6 address is at the actor's MAC",
    .wants = EVENT_BIT(EVENT_ND),
    .event = event,
};
