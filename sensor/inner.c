/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inner.c - what tunnels carry: overlays are segments like any other, all else is told of.
 */
#include "worker.h"

/* A tenant's host that ends a tunnel, by address or, where nobody owns that, by NIC. */
static uint32_t tunnel_tenant(const struct worker *w, const struct ip_addr *ip, uint16_t domain,
			      struct mac_addr mac, uint32_t *roles)
{
	struct owner owner = inventory_owner(w->inv, domain, ip);
	const struct host *host = inventory_host(w->inv, owner.host);
	struct carrier carrier;

	*roles = host != NULL ? host->roles : 0;
	if (owner.tenant >= TENANT_INFRASTRUCTURE)
		return owner.tenant;
	carrier = inventory_carrier(w->inv, mac);
	*roles = carrier.roles;
	return carrier.tenant;
}

/* Overlays are spoken by the provider's tunnel ends.  What a tenant's own host tunnels, or is sent,
 * under the number of one it is not in is its own affair, or an intrusion: no traffic of that
 * segment. */
static bool is_overlay(const struct worker *w, const struct packet_stack *stack,
		       const struct place *outer, unsigned layer, uint16_t segment)
{
	const struct packet *around = &stack->layer[layer - 1];

	for (unsigned end = 0; end < 2; end++) {
		uint32_t roles;
		uint32_t tenant =
		    tunnel_tenant(w, end == 0 ? &around->src : &around->dst, outer->domain,
				  end == 0 ? stack->layer[0].smac : stack->layer[0].dmac, &roles);

		if (tenant >= TENANT_FIRST && !(roles & (ROLE_VTEP | ROLE_HYPERVISOR)) &&
		    !inventory_tenant_in_segment(w->inv, tenant, segment))
			return false;
	}
	return true;
}

/* An overlay that the inventory knows is a segment like any other; everything else inside a
 * tunnel only tells what the tunnel carries, in the domain of its outside. */
static bool place_inner(const struct worker *w, const struct packet_stack *stack,
			const struct place *outer, unsigned layer, struct place *place)
{
	const struct packet *packet = &stack->layer[layer];

	*place = *outer;
	place->layer = layer;
	if (!(packet->flags & PACKET_VNI))
		return false;
	place->segment = inventory_segment_of(w->inv, 0, true, packet->vni);
	if (place->segment == SEGMENT_NONE || !inventory_segment(w->inv, place->segment)->is_vni ||
	    !is_overlay(w, stack, outer, layer, place->segment)) {
		place->segment = outer->segment;
		return false;
	}
	place->scope = place->segment;
	place->domain = inventory_segment(w->inv, place->segment)->domain;
	return true;
}

/* Flows inside are kept apart from native ones and by who tunnels to whom: one packet may be in the
 * provider's overlay and in a stranger's copy at a time. */
static uint16_t tunnel_domain(const struct worker *w, const struct packet *outer, uint16_t domain)
{
	struct {
		struct ip_addr src, dst;
		uint64_t domain;
	} ends = {.src = outer->src, .dst = outer->dst, .domain = domain};

	return (uint16_t)(DOMAIN_TUNNELLED |
			  (hash64(&w->shared->key, &ends, sizeof ends) & (DOMAIN_TUNNELLED - 1)));
}

/* Tunnels between the provider's own ends are most of an overlay network, and nobody's concern. */
static bool tunnel_of_tenant(const struct worker *w, const struct packet_stack *stack,
			     const struct place *outer, unsigned layer)
{
	const struct packet *around = &stack->layer[layer - 1];
	uint32_t roles;

	return tunnel_tenant(w, &around->src, outer->domain, stack->layer[0].smac, &roles) >=
		   TENANT_FIRST ||
	       tunnel_tenant(w, &around->dst, outer->domain, stack->layer[0].dmac, &roles) >=
		   TENANT_FIRST;
}

/* ARP: no flow, and the first that a host says in a network where it is not at home. */
static void tell_question(struct worker *w, const struct packet *packet, const struct place *place)
{
	struct record *r = emit_begin(
	    w, &(struct emission){
		   .kind = EVENT_TUNNEL, .packet = packet, .whole = true, .place = place});

	if (r == NULL)
		return;
	r->u.path.packets = 1;
	r->u.path.bytes = packet->l3_len;
	emit_commit(w, r);
}

/* What a tunnel carries: told at the 1st, 2nd, 4th, 8th ... packet of each inner flow, and when
 * its other direction travels the same way. */
static void tell_tunnel(struct worker *w, const struct packet_stack *stack,
			const struct place *outer, const struct place *place)
{
	const struct packet *packet = &stack->layer[place->layer];
	struct lookup look = {.place = *place};
	unsigned direction;
	struct flow *flow;
	struct record *r;
	uint64_t n;
	bool fresh;
	bool mirrored;

	if (!worker_wants(w, EVENT_TUNNEL))
		return;
	if (packet->l3 == L3_ARP && tunnel_of_tenant(w, stack, outer, place->layer)) {
		tell_question(w, packet, place);
		return;
	}
	if (!flow_key_of(packet, tunnel_domain(w, &stack->layer[place->layer - 1], place->domain),
			 &look.key, &direction))
		return;
	look.hash = flow_hash(&w->shared->key, &look.key);
	flow = flow_table_get(w->flows, &look.key, look.hash, NULL, w->now_ns, &fresh);
	if (fresh)
		pipeline_begin_flow(w, flow, packet, look.hash, direction);
	flow->last_ns = w->now_ns;
	flow->bytes[0] += packet->ip_len;
	n = ++flow->packets[0];
	mirrored = flow->payloads[direction] == 0 && flow->payloads[!direction] != 0;
	flow->payloads[direction] = 1;
	if (((n & (n - 1)) != 0 && !mirrored) || !tunnel_of_tenant(w, stack, outer, place->layer))
		return;
	r = emit_begin(w,
		       &(struct emission){
			   .kind = EVENT_TUNNEL, .packet = packet, .whole = true, .place = place});
	if (r == NULL)
		return;
	r->flow_id = flow->id;
	r->u.path.packets = n - flow->packets[1];
	r->u.path.bytes = flow->bytes[0] - flow->bytes[1];
	r->u.path.answered = flow->payloads[!direction] != 0;
	flow->packets[1] = (uint32_t)n;
	flow->bytes[1] = flow->bytes[0];
	emit_commit(w, r);
}

void inner_layers(struct worker *w, const struct packet_stack *stack, const struct place *outer)
{
	struct place around = *outer;

	for (unsigned i = 1; i < stack->count; i++) {
		const struct packet *packet = &stack->layer[i];
		struct lookup look = {0};
		unsigned direction;

		if (place_inner(w, stack, &around, i, &look.place)) {
			pipeline_control(w, packet, &look.place);
			pipeline_fragment(w, packet, &look.place);
			if (flow_key_of(packet, look.place.domain, &look.key, &direction)) {
				look.direction = (uint8_t)direction;
				look.hash = flow_hash(&w->shared->key, &look.key);
				(void)pipeline_flow(w, packet, &stack->layer[0], &look);
			} else {
				follow_macs(w, packet, &look.place);
			}
		}
		tell_tunnel(w, stack, &around, &look.place);
		around = look.place;
	}
}
