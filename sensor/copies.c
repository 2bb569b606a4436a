/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copies.c - on a mirror of both directions: which frames are one and the same?
 *
 *	in, out			two copies: ordinary
 *	in, out, out ...	more of them: the frame left by ports that it was not for
 *
 * Copies come one behind the other.  What an application says again in the same bytes looks alike,
 * so a flow whose other frames are not flooded proves nothing.
 */
#include "worker.h"

/* Both-directions taps: in and out is two. */
#define ORDINARY_COPIES 2
/* Counters, heartbeats and the like are said again within a millisecond, and a datagram without an
 * IP id says it in the same bytes. */
#define SAID_AGAIN_MAX 32
/* A switch that does not know a MAC floods all that is for it, and not single frames in between. */
#define PLAIN_MAX 3
#define COPIES_MAX 63 /* what the flow has room for */

/* The direction's next frame has come: was the last one flooded?  Or does it say the same again? */
static void note_plain(struct flow *flow, unsigned direction, bool again)
{
	unsigned plain = flow->copies[direction].plain;

	if (flow->copies[direction].seen > ORDINARY_COPIES && !again)
		plain -= plain > 0;
	else if (flow->copies[direction].seen > 0 || again)
		plain += plain < PLAIN_MAX;
	flow->copies[direction].plain = plain & PLAIN_MAX;
}

void copies_end(struct flow *flow)
{
	for (unsigned d = 0; d < 2; d++) {
		note_plain(flow, d, false);
		flow->copies[d].seen = 0;
	}
}

/* May several of these be several frames? */
static bool may_be_said_again(const struct packet *packet)
{
	if (packet->verdict == DECODE_TRUNCATED) /* what tells them apart was cut off */
		return true;
	return packet->proto == IPPROTO_NUM_UDP && packet->ip_id == 0 &&
	       packet->payload_wire <= SAID_AGAIN_MAX;
}

bool copies_note(struct worker *w, struct flow *flow, unsigned direction,
		 const struct packet *packet, const struct place *place)
{
	struct record *r;
	uint32_t print;

	/* In another VLAN or overlay it is another frame: a VTEP's uplink shows it beside its port.
	 */
	print = packet_fingerprint(packet) ^ (uint32_t)place->scope << 16 ^
		(uint32_t)(mac_to_u64(packet->smac) * 31 + mac_to_u64(packet->dmac) * 7);
	if (flow->copies[direction].seen == 0 || print != flow->copy_of[direction]) {
		note_plain(flow, direction, print == flow->copy_of[direction]);
		flow->copy_of[direction] = print;
		flow->copies[direction].seen = 1;
		return false;
	}
	stat_add(&w->stats, STAT_DUPLICATES, 1);
	if (flow->copies[direction].seen < COPIES_MAX)
		flow->copies[direction].seen++;
	if (flow->copies[direction].seen != ORDINARY_COPIES + 1 || !(packet->flags & PACKET_MAC) ||
	    mac_is_group(packet->dmac) || flow->copies[direction].plain > 0 ||
	    may_be_said_again(packet) || !worker_wants(w, EVENT_FLOODED))
		return true;
	r = emit_begin(w, &(struct emission){.kind = EVENT_FLOODED,
					     .packet = packet,
					     .flow = flow,
					     .direction = direction,
					     .place = place});
	if (r != NULL) {
		r->u.flooded.copies = flow->copies[direction].seen;
		r->u.flooded.packets = 1;
		r->u.flooded.bytes = packet->ip_len;
		emit_commit(w, r);
	}
	return true;
}
