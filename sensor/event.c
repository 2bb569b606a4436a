/* SPDX-License-Identifier: Apache-2.0 */
/* event.c - from a record back to an event: owners, carriers and the decoded packet. */
#include <string.h>

#include "judge.h"

/* Somebody else's address at the NIC of one who was handed it by a rogue server. */
static void own_in_good_faith(const struct event *ev, struct owner *owner, const struct ip_addr *ip,
			      struct mac_addr mac)
{
	if (!bindings_misled(ev->bindings, ev->domain, ip, mac, ev->ts_ns))
		return;
	owner->tenant = TENANT_UNKNOWN;
	owner->host = HOST_NONE;
	owner->kind = OWNER_DYNAMIC;
}

static void rebuild_parties(struct event *ev)
{
	if (ev->has_mac) {
		ev->from = inventory_carrier(ev->inv, ev->smac);
		ev->to = inventory_carrier(ev->inv, ev->dmac);
	} else {
		ev->from = (struct carrier){.tenant = TENANT_UNKNOWN, .host = HOST_NONE};
		ev->to = ev->from;
	}
	if (ev->has_ip) {
		ev->src =
		    bindings_owner(ev->bindings, ev->inv, ev->domain, &ev->tuple.src, ev->ts_ns);
		ev->dst =
		    bindings_owner(ev->bindings, ev->inv, ev->domain, &ev->tuple.dst, ev->ts_ns);
	}
	if (ev->has_ip && ev->has_mac) {
		own_in_good_faith(ev, &ev->src, &ev->tuple.src, ev->smac);
		own_in_good_faith(ev, &ev->dst, &ev->tuple.dst, ev->dmac);
	}
}

/* A new flow brings its parties along, unless a lease or another inventory decides. */
static bool take_parties(struct event *ev, const struct record *r)
{
	const struct path_parties *p = &r->u.flow.parties;

	if (ev->kind != EVENT_FLOW || r->u.flow.generation != inventory_generation(ev->inv) ||
	    p->src.kind == OWNER_DYNAMIC || p->dst.kind == OWNER_DYNAMIC)
		return false;
	ev->from = p->from;
	ev->to = p->to;
	ev->src = p->src;
	ev->dst = p->dst;
	return true;
}

/* An address that nobody registered, at the end where a relayed packet came from or went to: its
 * owner is whose NIC is there, which is not the relay's. */
static void own_by_nic(struct owner *owner, const struct ip_addr *ip, const struct carrier *nic,
		       uint32_t in, uint32_t out)
{
	if (nic->tenant < TENANT_FIRST || nic->tenant == in || nic->tenant == out ||
	    !owner_undecided(owner, ip))
		return;
	owner->tenant = nic->tenant;
	owner->host = nic->host;
	owner->kind = OWNER_HOST;
}

/* The worker judged without leases; with them a "maybe" may be a certainty, or nothing. */
static void rebuild_path(struct event *ev)
{
	struct path_parties parties = {.src = ev->src,
				       .dst = ev->dst,
				       .from = ev->from,
				       .to = ev->to,
				       .to_group = mac_is_group(ev->dmac)};
	uint32_t keep = ev->path & PATH_EXPOSED;
	struct carrier in_from, in_to;

	if (!ev->has_mac || !ev->has_ip)
		return;
	if (ev->kind == EVENT_RELAYED) {
		in_from = inventory_carrier(ev->inv, ev->u.relayed.in_smac);
		in_to = inventory_carrier(ev->inv, ev->u.relayed.in_dmac);
		own_in_good_faith(ev, &ev->src, &ev->tuple.src, ev->u.relayed.in_smac);
		own_by_nic(&ev->src, &ev->tuple.src, &in_from, in_to.tenant, ev->from.tenant);
		own_by_nic(&ev->dst, &ev->tuple.dst, &ev->to, in_to.tenant, ev->from.tenant);
		parties.src = ev->src;
		parties.dst = ev->dst;
	}
	ev->path = path_judge(ev->inv, ev->tap, &parties, &ev->tuple.src, &ev->tuple.dst) | keep;
	if (ev->kind != EVENT_RELAYED)
		return;
	parties.from = in_from;
	parties.to = in_to;
	parties.to_group = false;
	ev->u.relayed.in_path =
	    path_judge(ev->inv, ev->tap, &parties, &ev->tuple.src, &ev->tuple.dst);
}

static void rebuild_packet(struct event *ev, const struct record *r, struct event_room *room)
{
	struct frame frame = {.data = record_frame(r),
			      .caplen = r->frame_caplen,
			      .len = r->frame_len,
			      .ts_ns = r->ts_ns,
			      .number = r->number,
			      .linktype = r->linktype,
			      .tap = r->tap};

	packet_decode(&frame, &room->stack);
	room->stack.frame = NULL;	   /* it points to this function's frame */
	if (r->layer >= room->stack.count) /* cut to RECORD_FRAME_MAX before that layer */
		return;
	ev->packet = &room->stack.layer[r->layer];
	ev->first = &room->stack.layer[0];
	if (r->layer > 0)
		ev->outer = &room->stack.layer[r->layer - 1];
	if (ev->kind == EVENT_ICMP_ERROR && packet_quoted(ev->packet, &room->quoted))
		ev->quoted = &room->quoted;
}

static void rebuild_union(struct event *ev, const struct record *r)
{
	struct finding_frame other = {.number = r->other_number,
				      .ts_ns = r->other_ts_ns,
				      .data = record_other(r),
				      .caplen = r->other_caplen,
				      .len = r->other_len,
				      .linktype = r->other_linktype};

	switch (ev->kind) {
	case EVENT_RELAYED:
		ev->u.relayed.in = other;
		ev->u.relayed.in_smac = r->u.relayed.in_smac;
		ev->u.relayed.in_dmac = r->u.relayed.in_dmac;
		ev->u.relayed.in_segment = r->u.relayed.in_segment;
		ev->u.relayed.in_vlan_count = r->u.relayed.in_vlan_count;
		memcpy(ev->u.relayed.in_vlan, r->u.relayed.in_vlan, sizeof ev->u.relayed.in_vlan);
		ev->u.relayed.ttl_delta = r->u.relayed.ttl_delta;
		ev->u.relayed.delay_ns = r->u.relayed.delay_ns;
		ev->u.relayed.packets = r->u.relayed.packets;
		ev->u.relayed.bytes = r->u.relayed.bytes;
		ev->u.relayed.bridged = r->u.relayed.bridged;
		ev->u.relayed.answered = r->u.relayed.answered;
		break;
	case EVENT_EXPOSED:
		ev->u.exposed.packets = r->u.exposed.packets;
		ev->u.exposed.bytes = r->u.exposed.bytes;
		ev->u.exposed.both_directions = r->u.exposed.both_directions;
		break;
	case EVENT_FLOODED:
		ev->u.flooded.copies = r->u.flooded.copies;
		ev->u.flooded.packets = r->u.flooded.packets;
		ev->u.flooded.bytes = r->u.flooded.bytes;
		break;
	case EVENT_TOKEN:
		ev->u.token.token = r->u.token;
		break;
	case EVENT_SECRET:
		ev->u.secret = r->u.secret;
		break;
	case EVENT_HELLO:
		ev->u.hello.name = r->u.hello.name;
		ev->u.hello.print = r->u.hello.print;
		break;
	case EVENT_FLOW_END:
		memcpy(ev->u.flow_end.packets, r->u.flow_end.packets,
		       sizeof ev->u.flow_end.packets);
		memcpy(ev->u.flow_end.bytes, r->u.flow_end.bytes, sizeof ev->u.flow_end.bytes);
		ev->u.flow_end.first_ns = r->u.flow_end.first_ns;
		ev->u.flow_end.last_ns = r->u.flow_end.last_ns;
		break;
	case EVENT_CONFLICT:
		ev->u.conflict.other = other;
		ev->u.conflict.has_other_mac = r->u.conflict.has_other_mac;
		ev->u.conflict.other_smac = r->u.conflict.other_smac;
		ev->u.conflict.other_dmac = r->u.conflict.other_dmac;
		ev->u.conflict.other_ttl = r->u.conflict.other_ttl;
		ev->u.conflict.syn_ack = r->u.conflict.syn_ack;
		break;
	case EVENT_STRAY:
		ev->u.stray.asked = r->u.stray.asked;
		break;
	case EVENT_LOSS:
		ev->u.loss = r->u.loss;
		break;
	case EVENT_PATH:
	case EVENT_TUNNEL:
		ev->u.path.packets = r->u.path.packets;
		ev->u.path.bytes = r->u.path.bytes;
		ev->u.path.answered = r->u.path.answered;
		ev->u.path.rightful = r->u.path.rightful;
		break;
	default: /* the event is all there is to it */
		break;
	}
}

void event_rebuild(struct event *ev, const struct record *r, const struct inventory *inv,
		   struct bindings *bindings, struct event_room *room)
{
	memset(ev, 0, sizeof *ev);
	ev->kind = (enum event_kind)r->kind;
	ev->ts_ns = r->ts_ns;
	ev->inv = inv;
	ev->bindings = bindings;
	ev->tap = inventory_tap(inv, r->tap);
	if (ev->tap == NULL)
		ev->tap = inventory_tap(inv, 0);
	ev->frame = (struct finding_frame){.number = r->number,
					   .ts_ns = r->ts_ns,
					   .data = record_frame(r),
					   .caplen = r->frame_caplen,
					   .len = r->frame_len,
					   .linktype = r->linktype};
	ev->segment = r->segment;
	ev->domain = r->domain;
	ev->vlan_count = r->vlan_count;
	memcpy(ev->vlan, r->vlan, sizeof ev->vlan);
	ev->has_vni = r->has_vni;
	ev->vni = r->vni;
	ev->has_mac = r->has_mac;
	ev->smac = r->smac;
	ev->dmac = r->dmac;
	ev->has_ip = r->has_ip;
	ev->has_flow = r->has_flow;
	ev->flow_id = r->flow_id;
	ev->tuple = r->tuple;
	ev->path = r->path;
	if (!take_parties(ev, r))
		rebuild_parties(ev);
	rebuild_union(ev, r);
	if (r->has_packet)
		rebuild_packet(ev, r, room);
	if (ev->kind == EVENT_PATH || ev->kind == EVENT_RELAYED)
		rebuild_path(ev);
}

void event_leg(const struct record *r, struct leg *leg)
{
	leg->flow_id = r->flow_id;
	leg->tuple = r->tuple;
	leg->smac = r->smac;
	leg->dmac = r->dmac;
	leg->ts_ns = r->ts_ns;
	leg->number = r->number;
	leg->segment = r->segment;
	leg->linktype = r->linktype;
	leg->len = r->frame_len;
	leg->bytes = r->u.token.bytes;
	leg->vlan_count = r->vlan_count;
	memcpy(leg->vlan, r->vlan, sizeof leg->vlan);
	leg->caplen = (uint16_t)(r->frame_caplen < MEET_FRAME ? r->frame_caplen : MEET_FRAME);
	memcpy(leg->frame, record_frame(r), leg->caplen);
}
