/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meet.h - the book of tokens: where the same content was seen, and by which NICs.
 *
 * The judge keeps it.  Almost every token is said once and costs one look-up; when one is said
 * again, in another flow or at another place, detectors are shown the legs (EVENT_MEET).  A leg is
 * one sighting: who sent the frame, who received it, between which addresses.
 *
 * Private to sensor/detect/ and the judge.
 */
#ifndef DETECT_MEET_H
#define DETECT_MEET_H

#include "bulkhead/detector.h"

#define MEET_LEGS 4 /* victim, relay, router's far side, and one to spare */
#define MEET_FRAME 96

struct leg {
	uint64_t flow_id;
	struct flow_tuple tuple;
	struct mac_addr smac, dmac;
	uint64_t ts_ns, number;
	uint32_t len;
	uint16_t segment, linktype, caplen, bytes;
	uint8_t vlan_count;
	uint16_t vlan[PACKET_MAX_TAGS];
	uint8_t frame[MEET_FRAME];
};

/* A leg with everybody in it named. */
struct leg_view {
	const struct leg *leg;
	struct carrier from, to;
	struct owner src, dst;
	uint32_t path; /* enum path_bits */
};

struct meet;
struct impostors;

struct meet *meet_new(uint32_t tokens, uint64_t seed);
void meet_free(struct meet *meet);
uint64_t meet_evicted(const struct meet *meet);

/*
 * Notes a leg of this token and finds the earlier ones of other flows, NICs or segments that are
 * not older than window_ns, oldest first.  Returns how many; borrowed until the next call.
 */
unsigned meet_note(struct meet *meet, const struct token *token, const struct leg *leg,
		   uint64_t window_ns, const struct leg *earlier[static MEET_LEGS]);

/* Requests that others may say as well are told apart by when they are answered.  Here is a request
 * of the flow that goes this way ... */
void meet_asked(struct meet *meet, const struct flow_tuple *tuple, uint64_t ts_ns);
/* ... and payload, which may be the answer to one of the other way. */
void meet_said(struct meet *meet, const struct flow_tuple *tuple, const struct token *token,
	       uint64_t ts_ns);
/* When the last request was asked that what goes this way answers; 0 never. */
uint64_t meet_asked_ns(const struct meet *meet, const struct flow_tuple *tuple);
struct meet_answer {
	uint64_t ts_ns;	 /* 0 not yet */
	uint32_t length; /* as in struct token */
	uint16_t status;
};

/* How a request after this time was first answered, of the last two of its flow. */
struct meet_answer meet_answer(const struct meet *meet, const struct flow_tuple *tuple,
			       uint64_t after_ns);
/* ... and when. */
uint64_t meet_answered(const struct meet *meet, const struct flow_tuple *tuple, uint64_t after_ns);

/* Some time before meet_note(). */
void meet_prefetch(const struct meet *meet, const struct token *token);

/* Legs of the packet's content, by any of its tokens; returns how many. */
unsigned meet_find(const struct meet *meet, const struct packet *packet, uint64_t now_ns,
		   uint64_t window_ns, const struct leg *found[static MEET_LEGS]);

/* Everybody in a leg named, as of this event. */
struct leg_view leg_view(const struct leg *leg, const struct event *ev);

/* relay_rewrite.c: in arrives where out leaves: is it one packet with other addresses? */
void rewrite_judge(const struct event *ev, const struct impostors *impostors,
		   const struct leg_view *in, const struct leg_view *out_leg, struct findings *out);

/* Same addresses and ports: the same flow further along its way. */
bool leg_same_flow(const struct leg *a, const struct leg *b);
/* The leg's frame as evidence. */
struct finding_frame leg_frame(const struct leg *leg);

#endif
