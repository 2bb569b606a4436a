/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meet.h - where two flows with the same content meet: one ends at a host, the other begins there.
 *
 * A table of tokens, each with the first few flows it was seen in.  A flow is a leg: who sent the
 * frame, who received it, whose the addresses are.
 *
 * Private to sensor/detect/.
 */
#ifndef DETECT_MEET_H
#define DETECT_MEET_H

#include "bulkhead/detector.h"

#define MEET_LEGS 4 /* victim, relay, router's far side, and one to spare */
#define MEET_FRAME 96

struct leg {
	struct flow_tuple tuple;
	struct mac_addr smac, dmac;
	uint64_t ts_ns, number;
	uint32_t path;
	uint32_t len;
	uint16_t segment, linktype, caplen;
	uint8_t frame[MEET_FRAME];
};

/* A leg with everybody in it named. */
struct leg_view {
	const struct leg *leg;
	struct carrier from, to;
	struct owner src, dst;
};

struct meet;

struct meet *meet_new(uint32_t tokens, uint64_t seed);
void meet_free(struct meet *meet);
uint64_t meet_evicted(const struct meet *meet);

/*
 * Notes the event's token and gives the earlier legs of other flows or other NICs with the same
 * one, not older than window_ns, oldest first.  Returns how many; views are borrowed until the
 * next call.
 */
unsigned meet_token(struct meet *meet, const struct event *ev, uint64_t window_ns,
		    struct leg_view earlier[static MEET_LEGS], struct leg_view *now);

/* Same addresses and ports: the same flow further along its way. */
bool leg_same_flow(const struct leg *a, const struct leg *b);
/* The leg's frame as evidence. */
struct finding_frame leg_frame(const struct leg *leg);

#endif
