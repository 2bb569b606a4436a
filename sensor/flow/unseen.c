/* SPDX-License-Identifier: Apache-2.0 */
/* unseen.c - see unseen.h. */
#include "flow/unseen.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Flows that are followed at a time: enough for a sample of any link, little enough to stay in the
 * second-level cache.  Flows between two hosts share the entries of one set. */
#define SETS 256
#define WAYS 4
/* Another flow may have the entry of one that was quiet for so many seconds. */
#define QUIET_SWEEPS 3
/* Open at a time and direction: one in a hundred of a window of 800 segments. */
#define HOLES 8
/* Packets of the sender behind a hole after which it is no reordering any more; Linux gives up to
 * believe in reordering far earlier.  Slower flows have the next but one second for it. */
#define BEHIND_PACKETS 16
#define BEHIND_SWEEPS 2
/* Without acknowledgements: a sender repeats after 200 ms, or 1 s when it knows nothing of the way
 * (RFC 6298), and goes on for a window at most. */
#define ONE_WAY_SWEEPS 5
#define FORGET_SWEEPS 60
/* A hole of more is no loss of frames but another connection, or a blackout. */
#define HOLE_MOST (1 << 20)
/* Repeated data may be a whole window old. */
#define OLD_MOST (1 << 24)
/* Segments that one hole is taken for at most, and the smallest full segment (RFC 9293 3.7.1). */
#define SEGMENTS_MOST 64
#define SEGMENT_LEAST 536
/* Second copies: so many firsts are looked back at, and so many are wanted to say how a flow comes.
 * Four of five: that many come twice where one frame in nine is lost, and what is worse leaves
 * holes in the firsts as well. */
#define LOOK_BACK 256
#define LOOK_LEAST 64
/* Single ones in a row: more is another way that the flow took for a while. */
#define SINGLES_MOST 16

struct hole {
	uint32_t from, to;
	uint8_t packets, sweeps; /* since it opened, saturating */
	bool acked, passed;	 /* by the receiver; by its sender */
};

struct side {
	uint32_t edge;	  /* what comes next */
	uint16_t largest; /* payload */
	uint8_t holes;
	bool known;
	bool moved;  /* since the last sweep */
	bool paused; /* there were more holes than fit: nothing counts until they are settled */
	struct hole hole[HOLES];
	/* Kept when all else begins anew: segments of the last seconds, newest first, that are not
	 * told yet because their holes are not settled. */
	uint16_t recent[ONE_WAY_SWEEPS];
};

/* Second copies of one direction. */
struct again {
	struct side side;
	uint16_t firsts, seconds; /* of the segments looked back at */
};

struct talk {
	struct flow *flow; /* NULL: unused */
	unsigned quiet;	   /* seconds */
	bool twice;
	struct side side[2];
	struct again again[2]; /* twice; untouched otherwise */
};

struct unseen_table {
	struct stats *stats;
	struct talk talk[SETS * WAYS];
};

_Static_assert(SETS *WAYS < UINT16_MAX, "named by flow->followed");

struct unseen_table *unseen_table_new(struct stats *stats)
{
	struct unseen_table *t = calloc(1, sizeof *t);

	if (t != NULL)
		t->stats = stats;
	return t;
}

void unseen_table_free(struct unseen_table *t)
{
	free(t);
}

static int32_t beyond(uint32_t seq, uint32_t other)
{
	return (int32_t)(seq - other);
}

/* ---- holes ----------------------------------------------------------------------------------- */

static void restart(struct side *side)
{
	memset(side, 0, offsetof(struct side, recent));
}

static void remove_hole(struct side *side, unsigned at)
{
	memmove(&side->hole[at], &side->hole[at + 1],
		(size_t)(side->holes - at - 1) * sizeof side->hole[0]);
	if (--side->holes == 0)
		side->paused = false;
}

static void open_hole(struct side *side, uint32_t to, bool acked)
{
	struct hole *last = side->holes > 0 ? &side->hole[side->holes - 1] : NULL;

	if (acked && last != NULL && last->acked && !last->passed && last->to == side->edge) {
		last->to = to;
		return;
	}
	if (side->holes == HOLES)
		side->paused = true;
	if (side->paused)
		return;
	side->hole[side->holes++] =
	    (struct hole){.from = side->edge, .to = to, .acked = acked, .passed = !acked};
}

static uint32_t segments_of(const struct side *side, unsigned at)
{
	uint32_t bytes = side->hole[at].to - side->hole[at].from;
	uint32_t segment = side->largest > SEGMENT_LEAST ? side->largest : SEGMENT_LEAST;

	return (bytes + segment - 1) / segment;
}

static void count(struct unseen_table *t, struct side *side, unsigned at)
{
	uint32_t segments = segments_of(side, at);

	stat_add(t->stats, STAT_TCP_UNSEEN, segments < SEGMENTS_MOST ? segments : SEGMENTS_MOST);
	remove_hole(side, at);
}

/* True when some of [from, to) was missing.  In the middle of a hole: its end is forgotten. */
static bool fill(struct side *side, uint32_t from, uint32_t to)
{
	bool filled = false;

	for (unsigned i = side->holes; i-- > 0;) {
		struct hole *hole = &side->hole[i];

		if (beyond(to, hole->from) <= 0 || beyond(from, hole->to) >= 0)
			continue;
		filled = true;
		if (beyond(from, hole->from) > 0)
			hole->to = from;
		else if (beyond(to, hole->to) < 0)
			hole->from = to;
		else
			remove_hole(side, i);
	}
	return filled;
}

/* ---- packets --------------------------------------------------------------------------------- */

/* True when the side had not been shown all of it. */
static bool enter(struct side *side, uint32_t seq, uint32_t len)
{
	uint32_t end = seq + len;
	int32_t ahead = beyond(seq, side->edge);
	bool fresh = false;

	if (!side->known || ahead > HOLE_MOST || ahead < -OLD_MOST) {
		restart(side);
		side->known = true;
		side->edge = seq;
		ahead = 0;
	}
	if (ahead > 0) {
		open_hole(side, seq, false);
		side->edge = seq;
	} else if (ahead < 0 && side->holes > 0) {
		fresh = fill(side, seq, end);
	}
	if (beyond(end, side->edge) > 0) {
		side->edge = end;
		side->moved = true;
		fresh = true;
	}
	return fresh;
}

/* A packet that begins at seq came behind this hole: true when that is no reordering any more. */
static bool is_behind(struct hole *hole, uint32_t seq)
{
	if (hole->packets < UINT8_MAX)
		hole->packets++;
	hole->passed |= beyond(seq, hole->to) >= 0;
	return hole->acked && hole->passed && hole->packets > BEHIND_PACKETS;
}

/* True when it is, in part, a first copy. */
static bool sent(struct unseen_table *t, struct side *side, uint32_t seq, uint32_t len)
{
	bool fresh = enter(side, seq, len);

	if (fresh && !side->paused && side->recent[0] < UINT16_MAX)
		side->recent[0]++;
	for (unsigned i = side->holes; i-- > 0;)
		if (is_behind(&side->hole[i], seq))
			count(t, side, i);
	return fresh;
}

static void note_first(struct again *again)
{
	if (++again->firsts < LOOK_BACK)
		return;
	again->firsts /= 2;
	again->seconds /= 2;
}

/* A packet that brings nothing new: a second copy, a repetition or a probe. */
static void came_again(struct unseen_table *t, struct again *again, uint32_t seq, uint32_t len)
{
	struct side *side = &again->side;
	bool twice;

	if (!enter(side, seq, len))
		return;
	again->seconds++;
	twice = again->firsts >= LOOK_LEAST && again->seconds * 5 >= again->firsts * 4;
	if (twice && !side->paused)
		stat_add(t->stats, STAT_TCP_PAIRED, 1);
	for (unsigned i = side->holes; i-- > 0;) {
		uint32_t segments = segments_of(side, i);

		if (!is_behind(&side->hole[i], seq))
			continue;
		if (twice && segments <= SINGLES_MOST)
			stat_add(t->stats, STAT_TCP_SINGLE, segments);
		remove_hole(side, i);
	}
}

static void acknowledged(struct side *side, uint32_t ack)
{
	int32_t ahead = beyond(ack, side->edge);

	if (!side->known)
		return;
	if (ahead > HOLE_MOST) {
		restart(side);
		return;
	}
	if (ahead > 0) {
		open_hole(side, ack, true);
		side->edge = ack;
	}
	for (unsigned i = 0; i < side->holes; i++)
		side->hole[i].acked |= beyond(ack, side->hole[i].to) >= 0;
}

static void let_go(struct talk *talk)
{
	talk->flow->followed = 0;
	talk->flow = NULL;
}

static void begin(struct talk *talk, unsigned direction)
{
	restart(&talk->side[direction]);
	restart(&talk->again[direction].side);
}

void unseen_packet(struct unseen_table *t, struct flow *flow, unsigned direction,
		   const struct packet *packet)
{
	struct talk *talk = &t->talk[flow->followed - 1];
	struct side *own = &talk->side[direction];
	struct again *again = &talk->again[direction];
	uint32_t len = packet->payload_wire;
	bool first;

	if ((packet->flags & (PACKET_FRAGMENT | PACKET_BAD_LENGTH)) || flow->paths_seen[0] > 1 ||
	    flow->paths_seen[1] > 1) {
		let_go(talk);
		return;
	}
	talk->quiet = 0;
	if (packet->tcp_header_len == 0 || (packet->tcp_flags & TCP_RST))
		return;
	if (packet->tcp_flags & TCP_SYN) {
		len++;
		begin(talk, direction);
		if (!(packet->tcp_flags & TCP_ACK))
			begin(talk, !direction);
	}
	if (packet->tcp_flags & TCP_FIN)
		len++;
	if (packet->payload_wire > own->largest)
		own->largest = (uint16_t)(packet->payload_wire < UINT16_MAX ? packet->payload_wire
									    : UINT16_MAX);
	first = sent(t, own, packet->tcp_seq, len);
	if (talk->twice && first)
		note_first(again);
	else if (talk->twice && len > 0) {
		again->side.largest = own->largest;
		came_again(t, again, packet->tcp_seq, len);
	}
	if (!(packet->tcp_flags & TCP_ACK))
		return;
	acknowledged(&talk->side[!direction], packet->tcp_ack);
	if (talk->twice)
		acknowledged(&talk->again[!direction].side, packet->tcp_ack);
}

/* ---- flows ----------------------------------------------------------------------------------- */

/* What was measured is told together with what its holes may yet come to: at once where answers
 * show it, seconds later where there are none. */
static void tell_measured(struct unseen_table *t, struct side *side, bool one_way)
{
	const unsigned oldest = ONE_WAY_SWEEPS - 1;

	stat_add(t->stats, STAT_TCP_MEASURED, side->recent[oldest]);
	for (unsigned i = oldest; i > 0; i--) {
		if (!one_way)
			stat_add(t->stats, STAT_TCP_MEASURED, side->recent[i - 1]);
		side->recent[i] = one_way ? side->recent[i - 1] : 0;
	}
	side->recent[0] = 0;
}

static void settle(struct unseen_table *t, struct talk *talk, unsigned direction, bool last)
{
	struct side *side = &talk->side[direction];
	bool one_way = !talk->side[!direction].known;

	for (unsigned i = side->holes; i-- > 0;) {
		struct hole *hole = &side->hole[i];

		hole->sweeps++;
		if ((hole->acked && hole->passed && (last || hole->sweeps >= BEHIND_SWEEPS)) ||
		    (one_way && side->moved && hole->sweeps >= ONE_WAY_SWEEPS))
			count(t, side, i);
		else if (hole->sweeps >= FORGET_SWEEPS)
			remove_hole(side, i);
	}
	if (!last || !one_way)
		tell_measured(t, side, one_way);
	side->moved = false;
}

static void forget(struct side *side)
{
	for (unsigned i = side->holes; i-- > 0;)
		if (++side->hole[i].sweeps >= FORGET_SWEEPS)
			remove_hole(side, i);
}

void unseen_claim(struct unseen_table *t, struct flow *flow, uint32_t pair, bool twice)
{
	struct talk *talk = &t->talk[pair % SETS * WAYS + flow->hash % WAYS];

	if (talk->flow != NULL) {
		if (talk->quiet < QUIET_SWEEPS)
			return;
		unseen_flow_gone(t, talk->flow);
	}
	memset(talk, 0, sizeof *talk);
	talk->flow = flow;
	talk->twice = twice;
	flow->followed = (uint16_t)(talk - t->talk + 1);
}

void unseen_sweep(struct unseen_table *t)
{
	for (unsigned i = 0; i < SETS * WAYS; i++) {
		struct talk *talk = &t->talk[i];

		if (talk->flow == NULL)
			continue;
		talk->quiet++;
		settle(t, talk, 0, false);
		settle(t, talk, 1, false);
		if (talk->twice) {
			forget(&talk->again[0].side);
			forget(&talk->again[1].side);
		}
	}
}

void unseen_flow_gone(struct unseen_table *t, struct flow *flow)
{
	struct talk *talk;

	if (flow->followed == 0)
		return;
	talk = &t->talk[flow->followed - 1];
	settle(t, talk, 0, true);
	settle(t, talk, 1, true);
	let_go(talk);
}
