/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unseen.h - TCP data that its receiver acknowledged and that was never shown: what a mirror lost
 * before it reached this machine, where no counter of the kernel sees it.
 *
 *	shown   ----[a,b)      [c,d)----[d,e)---->          hole [b,c)
 *	acknowledged                        ^ ack           it arrived all the same: unseen
 *
 * A hole that is filled later was reordering, or a loss of the network's own that the sender
 * repaired.  One that stays open although the receiver acknowledges what is behind it, and although
 * its sender is seen to go on, was lost on the way to the sensor.  So what is said is a lower
 * bound: nothing is said of flows that come by two ways (routed, relayed: a loss of one copy is no
 * hole), in fragments, or with jumps that no window explains (two connections in one flow).  Of a
 * flow of which only one direction is ever seen, a hole counts when its sender goes on for seconds
 * without repeating it.
 *
 * Where a tap shows each frame twice, as it enters and as it leaves, one lost copy is no hole.
 *There second copies are followed as a stream of their own:
 *
 *	first    ----[a,b)[b,c)[c,d)[d,e)---->
 *	second   ----[a,b)     [c,d)[d,e)---->          single [b,c)
 *
 * In a flow that comes twice as a rule, what its receiver acknowledged and its sender never
 * repeated was forwarded, so both copies were made and one was lost.  What a switch drops between
 * the two is repeated, and that fills the hole.
 *
 * A sample of all flows is followed, chosen by who talks to whom, so that the outcome does not
 * depend on how flows are spread over (a power of two of) workers.  Memory is fixed.  Threads: one.
 */
#ifndef FLOW_UNSEEN_H
#define FLOW_UNSEEN_H

#include "flow/table.h"

struct unseen_table;

/* Counts into STAT_TCP_MEASURED and STAT_TCP_UNSEEN, STAT_TCP_PAIRED and STAT_TCP_SINGLE. */
struct unseen_table *unseen_table_new(struct stats *stats);
void unseen_table_free(struct unseen_table *table);

/* Follows this flow from now on if there is room.  pair: a hash of its two addresses; twice: the
 * tap shows frames as they enter and as they leave. */
void unseen_claim(struct unseen_table *table, struct flow *flow, uint32_t pair, bool twice);
/* A TCP packet of a flow that is followed. */
void unseen_packet(struct unseen_table *table, struct flow *flow, unsigned direction,
		   const struct packet *packet);
/* Once a second. */
void unseen_sweep(struct unseen_table *table);
/* The flow leaves its table. */
void unseen_flow_gone(struct unseen_table *table, struct flow *flow);

#endif
