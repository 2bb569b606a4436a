/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conflict.c - two machines speak for one end of a TCP connection: man on the side.
 *
 *	payload	 the same sequence number with other bytes (RFC 9293: a retransmission repeats)
 *	SYN-ACK	 the same SYN acknowledged with two initial sequence numbers
 *
 * Of each direction the last two segments are remembered by a hash over their first bytes, so that
 * a retransmission in other portions compares equal.  A new connection on the same ports begins
 * anew.  What comes by the same NICs with the same TTL is one machine's own affair: SYN cookies,
 * buggy stacks.
 */
#include "worker.h"

/* Injected data races the first answers. */
#define SEGMENT_PACKETS 8
/* Bytes compared: what the shorter of two segments has.  An HTTP status line takes 16, so two
 * answers differ beyond that. */
#define SEGMENT_NARROW 16
#define SEGMENT_WIDE 64

static uint8_t path_of(const struct flow *flow, unsigned direction, const struct packet *packet)
{
	for (unsigned i = 0; i < FLOW_PATHS; i++)
		if (mac_equal(flow->path[direction][i].smac, packet->smac) &&
		    mac_equal(flow->path[direction][i].dmac, packet->dmac))
			return (uint8_t)i;
	return SEGMENT_NO_PATH;
}

void conflict_forget_path(struct flow *flow, unsigned direction, unsigned path)
{
	for (unsigned i = 0; i < 2; i++)
		if (flow->segment[direction][i].path == path)
			flow->segment[direction][i].path = SEGMENT_NO_PATH;
	if (flow->syn_ack_direction == direction && flow->syn_ack_path == path)
		flow->syn_ack_path = SEGMENT_NO_PATH & 0x7fu;
}

/* What was remembered of the earlier frame. */
struct earlier {
	uint32_t number;
	uint8_t ttl, path;
	bool syn_ack;
};

static uint64_t whole_number(const struct worker *w, uint32_t low)
{
	uint64_t number = (w->frame->number & ~(uint64_t)UINT32_MAX) | low;

	return number > w->frame->number ? number - ((uint64_t)1 << 32) : number;
}

static void tell(struct worker *w, struct flow *flow, unsigned direction,
		 const struct packet *packet, const struct place *place, const struct earlier *e)
{
	const struct path_key *path = NULL;
	struct record *r;

	if (flow->flags & FLOW_CONFLICT)
		return;
	if (e->path < FLOW_PATHS)
		path = &flow->path[direction][e->path];
	if (e->ttl == packet->ttl && (path == NULL || mac_equal(path->smac, packet->smac)))
		return;
	flow->flags |= FLOW_CONFLICT;
	r = emit_begin(w, &(struct emission){.kind = EVENT_CONFLICT,
					     .packet = packet,
					     .whole = true,
					     .flow = flow,
					     .direction = direction,
					     .place = place});
	if (r == NULL)
		return;
	r->other_number = whole_number(w, e->number);
	r->u.conflict.other_ttl = e->ttl;
	r->u.conflict.syn_ack = e->syn_ack;
	r->u.conflict.has_other_mac = path != NULL;
	if (path != NULL) {
		r->u.conflict.other_smac = path->smac;
		r->u.conflict.other_dmac = path->dmac;
	}
	emit_commit(w, r);
}

static uint16_t hash_head(const struct worker *w, const struct packet *packet, bool wide)
{
	return (uint16_t)hash64(&w->shared->key, packet->payload,
				wide ? SEGMENT_WIDE : SEGMENT_NARROW);
}

void conflict_payload(struct worker *w, struct flow *flow, unsigned direction,
		      const struct packet *packet, const struct place *place)
{
	struct flow_segment *kept = flow->segment[direction];
	bool wide = packet->payload_len >= SEGMENT_WIDE;

	if (packet->payload_len < SEGMENT_NARROW || flow->payloads[direction] > SEGMENT_PACKETS)
		return;
	for (unsigned i = 0; i < 2; i++) {
		struct earlier e = {
		    .number = kept[i].number, .ttl = kept[i].ttl, .path = kept[i].path};

		if (!kept[i].used || kept[i].seq != packet->tcp_seq)
			continue;
		if ((wide || !kept[i].wide) && kept[i].hash != hash_head(w, packet, kept[i].wide))
			tell(w, flow, direction, packet, place, &e);
		return;
	}
	kept[0] = kept[1];
	kept[1] = (struct flow_segment){.seq = packet->tcp_seq,
					.number = (uint32_t)w->frame->number,
					.hash = hash_head(w, packet, wide),
					.ttl = packet->ttl,
					.used = 1,
					.wide = wide,
					.path = path_of(flow, direction, packet) & 0x3fu};
}

static bool has_payload(const struct flow *flow)
{
	return flow->segment[0][1].used || flow->segment[1][1].used;
}

/* SYN: the same again is a retransmission (or a relayed copy), everything else a new connection. */
static void begin_connection(struct flow *flow, const struct packet *packet)
{
	if (flow->syn_seq == packet->tcp_seq && !has_payload(flow))
		return;
	flow->syn_seq = packet->tcp_seq;
	flow->flags &= (uint8_t)~FLOW_SYN_ACK;
	memset(flow->segment, 0, sizeof flow->segment);
}

void conflict_handshake(struct worker *w, struct flow *flow, unsigned direction,
			const struct packet *packet, const struct place *place)
{
	struct earlier e = {.number = flow->syn_ack_number,
			    .ttl = flow->syn_ack_ttl,
			    .path = flow->syn_ack_path,
			    .syn_ack = true};

	if (!(packet->tcp_flags & TCP_ACK)) {
		begin_connection(flow, packet);
		return;
	}
	if ((flow->flags & FLOW_SYN_ACK) && flow->syn_seq == packet->tcp_ack - 1 &&
	    flow->syn_ack_direction == direction) {
		if (flow->syn_ack_seq != packet->tcp_seq)
			tell(w, flow, direction, packet, place, &e);
		return;
	}
	flow->flags |= FLOW_SYN_ACK;
	flow->syn_seq = packet->tcp_ack - 1;
	flow->syn_ack_seq = packet->tcp_seq;
	flow->syn_ack_number = (uint32_t)w->frame->number;
	flow->syn_ack_ttl = packet->ttl;
	flow->syn_ack_path = path_of(flow, direction, packet) & 0x7fu;
	flow->syn_ack_direction = direction & 1u;
}
