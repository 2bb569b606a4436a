/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loss.c - how much of its traffic a tap does not show: estimated from TCP (flow/unseen.h), told to
 * the judge once a second and tap.
 */
#include "flow/unseen.h"

#include <string.h>

#include "worker.h"

/* Long flows are asked again whether there is room to follow them. */
#define ASK_EVERY 256

/* By the outermost addresses, as frames are spread over the workers of a replay. */
static uint32_t pair_of(const struct worker *w, const struct packet *outer)
{
	return spread_hash(w->shared, &outer->src, &outer->dst);
}

/* What leaves one port is a part of things by nature, but all that its host is sent goes through it
 * if it has no other; what the switch floods there is for others. */
static bool is_whole(const struct worker *w, const struct tap *tap, const struct packet *outer)
{
	struct carrier to;
	const struct host *host;

	if (tap->view != VIEW_PORT)
		return true;
	if (!(outer->flags & PACKET_MAC))
		return false;
	to = inventory_carrier(w->inv, outer->dmac);
	if (to.host == HOST_NONE)
		return false;
	host = inventory_host(w->inv, to.host);
	return host->port_count == 1 && strcmp(host->port[0], tap->port) == 0;
}

void loss_packet(struct worker *w, struct flow *flow, unsigned direction,
		 const struct packet *packet, const struct packet *outer)
{
	if (flow->followed == 0) {
		if (flow->packets[direction] % ASK_EVERY != 1 || flow->paths_seen[0] > 1 ||
		    flow->paths_seen[1] > 1)
			return;
		if (w->tap == NULL || !is_whole(w, w->tap, outer))
			return;
		unseen_claim(w->unseen, flow, pair_of(w, outer), copies_happen(w));
		if (flow->followed == 0)
			return;
	}
	w->loss_tap = w->frame->tap;
	unseen_packet(w->unseen, flow, direction, packet);
}

void loss_tell(struct worker *w)
{
	struct loss now = {.measured = stat_get(&w->stats, STAT_TCP_MEASURED),
			   .unseen = stat_get(&w->stats, STAT_TCP_UNSEEN),
			   .paired = stat_get(&w->stats, STAT_TCP_PAIRED),
			   .single = stat_get(&w->stats, STAT_TCP_SINGLE),
			   .frames = stat_get(&w->stats, STAT_FRAMES),
			   .dropped = stat_get(&w->stats, STAT_DROP_KERNEL) +
				      stat_get(&w->stats, STAT_DROP_INTERFACE)};
	struct loss *told = &w->loss_told;
	struct record *r;

	if (memcmp(&now, told, offsetof(struct loss, frames)) == 0 && now.dropped == told->dropped)
		return;
	if (!worker_wants(w, EVENT_LOSS))
		return;
	r = emit_begin(w, &(struct emission){.kind = EVENT_LOSS,
					     .place = &(struct place){.segment = SEGMENT_NONE},
					     .frameless = true});
	if (r == NULL)
		return;
	r->tap = w->loss_tap;
	r->u.loss = (struct loss){.measured = now.measured - told->measured,
				  .unseen = now.unseen - told->unseen,
				  .paired = now.paired - told->paired,
				  .single = now.single - told->single,
				  .frames = now.frames - told->frames,
				  .dropped = now.dropped - told->dropped};
	*told = now;
	emit_commit(w, r);
}

void loss_sweep(struct worker *w)
{
	unseen_sweep(w->unseen);
	loss_tell(w);
}
