/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay_bridge.c - a frame turns up in a second VLAN or overlay with its MACs unchanged, where
 * nothing should bridge: relay.bridge across segments.  (In one segment: relay_forward.c.)
 *
 *	X -> Y in VLAN 100   ---- somebody with a leg in both ---->   X -> Y in VLAN 200
 *
 * Within one routing domain the worker matches packet by packet; between domains the same
 * content (a token) on the same MACs and addresses is the match.
 *
 * Not bridging but how a frame is shown: with and without its tag (access port and trunk in one
 * SPAN), with a provider's tag in front, and as VLAN and VNI (a VTEP's work).
 *
 * The frame's MACs do not say who bridged.  One registered host of a tenant at home in both
 * segments is named; with several, or with the provider's own hypervisors there, nobody is: a
 * switch that translates VLANs looks the same.
 */
#include <string.h>

#include "base/table.h"
#include "detect/build.h"
#include "detect/meet.h"

#define SEGMENT_PAIRS 1024

struct pair_key {
	uint16_t a, b; /* segments */
};

struct pair {
	uint32_t host; /* who may bridge them: the only one, or HOST_NONE */
	bool ours;     /* the provider's own does */
};

struct state {
	struct table *pairs;
};

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	(void)options;
	s->pairs = table_new(SEGMENT_PAIRS, sizeof(struct pair_key), sizeof(struct pair), seed);
	return s->pairs != NULL ? 0 : err_set(err, ERR_MEMORY, "no memory");
}

/* ---- who ------------------------------------------------------------------------------------- */

static bool has_leg(const struct inventory *inv, const struct host *host, uint16_t segment)
{
	if (host->tenant != TENANT_INFRASTRUCTURE &&
	    !inventory_tenant_in_segment(inv, host->tenant, segment))
		return false;
	for (unsigned i = 0; i < host->ip_count; i++)
		if (inventory_segment_prefix(inv, segment, &host->ip[i]))
			return true;
	return false;
}

static const struct pair *bridges(struct state *s, const struct inventory *inv, uint16_t a,
				  uint16_t b)
{
	struct pair_key key = {.a = a < b ? a : b, .b = a < b ? b : a};
	bool fresh, several = false;
	struct pair *pair = table_put(s->pairs, &key, &fresh);

	if (!fresh)
		return pair;
	pair->host = HOST_NONE;
	for (uint32_t i = 0; i < inventory_host_count(inv); i++) {
		const struct host *host = inventory_host(inv, i);

		if (!has_leg(inv, host, a) || !has_leg(inv, host, b))
			continue;
		if (host->tenant == TENANT_INFRASTRUCTURE) {
			pair->ours |= (host->roles & (ROLE_HYPERVISOR | ROLE_VTEP)) != 0;
			continue;
		}
		several |= pair->host != HOST_NONE;
		pair->host = i;
	}
	if (several)
		pair->host = HOST_NONE;
	return pair;
}

/* ---- is it? ---------------------------------------------------------------------------------- */

/* Is the shorter list the end of the longer one: one frame with tags put in front of it? */
static bool same_tags(const uint16_t *a, unsigned na, const uint16_t *b, unsigned nb)
{
	unsigned n = na < nb ? na : nb;

	return memcmp(a + (na - n), b + (nb - n), n * sizeof *a) == 0;
}

/* The leg before the bridge. */
struct before {
	const struct owner *src, *dst; /* in the domain of that leg: the other may own neither */
	const struct flow_tuple *tuple;
	uint16_t segment;
	struct finding_frame frame;
};

static void tell_end(const struct event *ev, const struct before *in, uint32_t host, unsigned end,
		     uint64_t packets, uint64_t bytes, struct findings *out)
{
	const struct owner *victim = end == 0 ? in->src : in->dst;
	const struct owner *peer = end == 0 ? in->dst : in->src;
	struct finding *f = build_finding(
	    out, ev, "relay.bridge", host != HOST_NONE ? CONFIDENCE_STRONG : CONFIDENCE_INDICATOR);

	if (f == NULL)
		return;
	if (host != HOST_NONE)
		f->actor = party_of_host(ev->inv, host);
	f->tuple = *in->tuple;
	f->victim = party_of_owner(victim, end == 0 ? &in->tuple->src : &in->tuple->dst);
	f->peer = party_of_owner(peer, end == 0 ? &in->tuple->dst : &in->tuple->src);
	f->count = packets;
	f->bytes = bytes;
	f->frame_count = 0;
	build_frame(f, &in->frame);
	build_frame(f, &ev->frame);
	finding_detail_text(f, "from_segment", inventory_segment(ev->inv, in->segment)->name);
	finding_detail_text(f, "to_segment", inventory_segment(ev->inv, ev->segment)->name);
}

static void tell(struct state *s, const struct event *ev, const struct before *in, uint64_t packets,
		 uint64_t bytes, struct findings *out)
{
	const struct pair *pair = bridges(s, ev->inv, in->segment, ev->segment);
	const struct host *host = inventory_host(ev->inv, pair->host);
	uint32_t actor = host != NULL ? host->tenant : TENANT_UNKNOWN;

	if (pair->ours)
		return;
	if (is_other_tenant(in->src->tenant, actor))
		tell_end(ev, in, pair->host, 0, packets, bytes, out);
	if (is_other_tenant(in->dst->tenant, actor) && in->dst->tenant != in->src->tenant)
		tell_end(ev, in, pair->host, 1, packets, bytes, out);
}

static void see_relayed(struct state *s, const struct event *ev, struct findings *out)
{
	struct before in = {.src = &ev->src,
			    .dst = &ev->dst,
			    .tuple = &ev->tuple,
			    .segment = ev->u.relayed.in_segment,
			    .frame = ev->u.relayed.in};

	if (!ev->u.relayed.bridged || ev->has_vni || in.segment == SEGMENT_NONE ||
	    inventory_segment(ev->inv, in.segment)->is_vni ||
	    same_tags(ev->u.relayed.in_vlan, ev->u.relayed.in_vlan_count, ev->vlan, ev->vlan_count))
		return;
	tell(s, ev, &in, ev->u.relayed.packets, ev->u.relayed.bytes, out);
}

/* Between domains a flow is another one each: the content tells. */
static void see_again(struct state *s, const struct event *ev, struct findings *out)
{
	if (!ev->has_mac || mac_is_group(ev->dmac) || mac_is_zero(ev->dmac) || ev->has_vni)
		return;
	for (unsigned i = 0; i < ev->u.meet.count; i++) {
		const struct leg_view *view = &ev->u.meet.earlier[i];
		const struct leg *leg = view->leg;
		struct before in = {.src = &view->src,
				    .dst = &view->dst,
				    .tuple = &leg->tuple,
				    .segment = leg->segment,
				    .frame = leg_frame(leg)};

		if (!mac_equal(leg->smac, ev->smac) || !mac_equal(leg->dmac, ev->dmac) ||
		    !leg_same_flow(leg, ev->u.meet.now->leg) || leg->segment == ev->segment ||
		    leg->segment == SEGMENT_NONE || leg->tuple.domain == ev->tuple.domain ||
		    same_tags(leg->vlan, leg->vlan_count, ev->vlan, ev->vlan_count))
			continue;
		tell(s, ev, &in, 1, ev->u.meet.token.bytes, out);
		return;
	}
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	if (ev->segment == SEGMENT_NONE) /* a gap in the inventory proves nothing */
		return;
	if (ev->kind == EVENT_RELAYED)
		see_relayed(opaque, ev, out);
	else
		see_again(opaque, ev, out);
}

static uint64_t evicted(const void *opaque)
{
	const struct state *s = opaque;

	return table_evicted(s->pairs);
}

static void close_state(void *opaque)
{
	struct state *s = opaque;

	table_free(s->pairs);
}

const struct detector detect_relay_bridge = {
    .kind = "relay.bridge",
    .summary = "a frame with unchanged MACs in a second segment that nothing should bridge",
    .wants = EVENT_BIT(EVENT_RELAYED) | EVENT_BIT(EVENT_MEET),
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .evicted = evicted,
    .close = close_state,
};
