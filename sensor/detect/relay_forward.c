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
#include "detect/impostor.h"

struct state {
	struct impostors *impostors;
};

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	(void)options;
	s->impostors = impostors_new(seed);
	return s->impostors != NULL ? 0 : err_set(err, ERR_MEMORY, "no memory");
}

static const char *const kinds[] = {"relay.bridge", NULL};

/* Who passes on: the NIC that sends, or the one that receives when nobody registered the other. */
struct relay {
	struct carrier who;
	struct mac_addr mac, other;
};

static struct relay relay_of(const struct event *ev)
{
	struct relay out = {.who = ev->from, .mac = ev->smac, .other = ev->u.relayed.in_dmac};
	struct relay in = {.who = inventory_carrier(ev->inv, ev->u.relayed.in_dmac),
			   .mac = ev->u.relayed.in_dmac,
			   .other = ev->smac};

	return out.who.tenant == TENANT_UNKNOWN && is_tenant(in.who.tenant) ? in : out;
}

static void fill(struct finding *f, const struct event *ev, const struct relay *relay, unsigned end)
{
	/* Both legs could be forged by somebody who wants the NIC's owner accused, and no tap says
	 * by which port the out-leg came: what leaves the owner's own port with the owner's MAC
	 * was flooded there, and is somebody else's. */
	f->actor = party_of_carrier(&relay->who, relay->mac);
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
	if (!mac_equal(relay->mac, relay->other) && !mac_is_zero(relay->other)) {
		char text[MAC_TEXT_SIZE];

		finding_detail_text(f, "other_nic", mac_format(relay->other, text));
	}
}

static enum confidence confidence_of(const struct state *s, const struct relay *relay)
{
	if (relay->who.tenant != TENANT_UNKNOWN)
		return CONFIDENCE_PROOF;
	return impostors_has(s->impostors, relay->mac) ? CONFIDENCE_STRONG : CONFIDENCE_INDICATOR;
}

static void relayed(const struct state *s, const struct event *ev, struct findings *out)
{
	const char *kind = ev->u.relayed.ttl_delta < 0 ? "relay.forward" : "relay.bridge";
	struct relay relay = relay_of(ev);
	unsigned which[2];
	unsigned count;

	if (ev->u.relayed.bridged || ev->from.tenant == TENANT_INFRASTRUCTURE)
		return;
	/* Leases may have told whose a dynamic address is. */
	if (!(ev->path & PATH_OUT) || !(ev->u.relayed.in_path & PATH_IN))
		return;
	/* One leg at least must be a stranger's for certain, or the NIC be unregistered.  A cooked
	 * capture does not say into which NIC the in-leg went. */
	if (!(ev->path & (PATH_FROM_STRANGER | PATH_FROM_UNKNOWN)) &&
	    (mac_is_zero(ev->u.relayed.in_dmac) ||
	     !(ev->u.relayed.in_path & (PATH_TO_STRANGER | PATH_TO_UNKNOWN))))
		return;
	count = build_victims(ev, relay.who.tenant, which);
	for (unsigned i = 0; i < count; i++) {
		struct finding *f = build_finding(out, ev, kind, confidence_of(s, &relay));

		if (f != NULL)
			fill(f, ev, &relay, which[i]);
	}
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	struct state *s = opaque;

	if (ev->kind == EVENT_RELAYED)
		relayed(s, ev, out);
	else
		impostors_note(s->impostors, ev);
}

static uint64_t evicted(const void *opaque)
{
	return impostors_evicted(((const struct state *)opaque)->impostors);
}

static void close_state(void *opaque)
{
	impostors_free(((struct state *)opaque)->impostors);
}

const struct detector detect_relay_forward = {
    .kind = "relay.forward",
    .summary = "the same packet into and out of a NIC of a tenant that owns neither end",
    .also = kinds,
    .wants = EVENT_BIT(EVENT_RELAYED) | IMPOSTOR_WANTS,
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .evicted = evicted,
    .close = close_state,
};
