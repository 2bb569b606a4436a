/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay_forward.c - a host passes on packets of another tenant: relay.forward and relay.bridge.
 *
 * Proof is the packet itself, seen into a NIC and out of it again (the L2 chain).  With a lower
 * TTL the host routed it (forward); with an equal one it passed it on in user land or bridged it
 * (bridge).  The TTL only names the kind: ettercap leaves it alone, others hide the hop.
 *
 *	victim ---- in-leg ----> [actor's NIC] ---- out-leg ----> next
 */
#include "detect/build.h"

static const char *const kinds[] = {"relay.bridge", NULL};

/*
 * How surely the actor is named.  Headers can be forged by anyone on the segment; that the
 * conversation goes both ways through the same NIC speaks for it, for a forger would have to be
 * answered.
 */
static enum attribution attribution_of(const struct event *ev)
{
	return ev->u.relayed.answered ? ATTRIBUTION_CONSISTENT : ATTRIBUTION_CLAIMED;
}

static void fill(struct finding *f, const struct event *ev, unsigned end)
{
	f->attribution = attribution_of(ev);
	f->actor = party_of_carrier(&ev->from, ev->smac);
	build_victim_end(f, ev, end);
	f->next = party_of_carrier(&ev->to, ev->dmac);
	f->count = ev->u.relayed.packets;
	f->bytes = ev->u.relayed.bytes;
	f->has_ttl_delta = true;
	f->ttl_delta = ev->u.relayed.ttl_delta;
	f->has_delay = true;
	f->delay_us = ev->u.relayed.delay_ns / 1000;
	/* In the order of the packet's way: into the actor, out of it. */
	f->frame_count = 0;
	build_frame(f, &ev->u.relayed.in);
	build_frame(f, &ev->frame);
}

static void relayed(void *state, const struct event *ev, struct findings *out)
{
	const char *kind = ev->u.relayed.ttl_delta < 0 ? "relay.forward" : "relay.bridge";
	unsigned which[2];
	unsigned count;

	(void)state;
	if (ev->u.relayed.bridged || ev->from.tenant == TENANT_INFRASTRUCTURE)
		return;
	/* One leg at least must be a stranger's for certain, or the NIC be unregistered. */
	if (!(ev->path & (PATH_FROM_STRANGER | PATH_FROM_UNKNOWN))) {
		const struct owner *far = &ev->dst;

		if (!(ev->path & PATH_FROM_MAYBE) || !is_other_tenant(far->tenant, ev->from.tenant))
			return;
	}
	count = build_victims(ev, ev->from.tenant, which);
	for (unsigned i = 0; i < count; i++) {
		struct finding *f = build_finding(
		    out, ev, kind,
		    ev->from.tenant == TENANT_UNKNOWN ? CONFIDENCE_STRONG : CONFIDENCE_PROOF);

		if (f != NULL)
			fill(f, ev, which[i]);
	}
}

const struct detector detect_relay_forward = {
    .kind = "relay.forward",
    .summary = "the same packet into and out of a NIC of a tenant that owns neither end",
    .also = kinds,
    .wants = EVENT_BIT(EVENT_RELAYED),
    .event = relayed,
};
