/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.h - an event as it crosses the ring from a worker to the judge: plain bytes, no pointers.
 *
 *	struct record | first leg's frame | the frame itself
 *
 * The judge puts owners, carriers and decoded packets back (event.c); a worker never waits for it.
 * Records are ordered by (order, phase, flow_id), which is the same whatever the number of
 * workers.
 */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bulkhead/detector.h"

/* Frames of control events are kept whole up to this, for the judge decodes them again. */
#define RECORD_FRAME_MAX 2048

enum record_phase {
	PHASE_TICK,  /* before the frame that crossed a second */
	PHASE_SWEEP, /* flows that ended by time */
	PHASE_FRAME,
};

/* EVENT_MAX in `kind` stands for a tick. */
#define RECORD_TICK EVENT_MAX

struct record {
	uint64_t order;		/* number of the frame at which the event came about */
	uint64_t number, ts_ns; /* of the frame it is about */
	uint64_t flow_id;
	uint8_t kind; /* enum event_kind or RECORD_TICK */
	uint8_t phase;
	uint8_t layer; /* of the decoded stack, for events with a packet */
	bool has_mac, has_ip, has_flow, has_vni, has_packet;
	uint8_t vlan_count;
	uint16_t vlan[PACKET_MAX_TAGS];
	uint16_t tap, linktype, segment, domain;
	uint32_t vni, path;
	struct mac_addr smac, dmac;
	struct flow_tuple tuple;

	uint32_t frame_len, frame_caplen;   /* caplen: bytes in the record */
	uint64_t other_number, other_ts_ns; /* the first leg's frame */
	uint32_t other_len, other_caplen;
	uint16_t other_linktype;

	union { /* by kind, see record_head() */
		struct {
			uint64_t packets, bytes;
			bool answered, rightful;
		} path;
		struct {
			struct mac_addr in_smac, in_dmac;
			uint64_t delay_ns, packets, bytes;
			int ttl_delta;
			uint32_t in_bits;
			uint16_t in_segment;
			uint8_t in_vlan_count;
			uint16_t in_vlan[PACKET_MAX_TAGS];
			bool bridged, answered;
		} relayed;
		struct {
			uint64_t packets, bytes;
			bool both_directions;
		} exposed;
		struct {
			uint64_t packets, bytes;
			unsigned copies;
		} flooded;
		struct token token;
		struct { /* a new flow: the worker has just looked everybody up */
			struct path_parties parties;
			uint32_t generation;
		} flow;
		struct secret secret;
		struct {
			char name[APP_HOST_SIZE];
			uint64_t print;
		} hello;
		struct {
			uint64_t packets[2], bytes[2], first_ns, last_ns;
		} flow_end;
		struct {
			struct mac_addr other_smac, other_dmac;
			uint8_t other_ttl;
			bool syn_ack, has_other_mac;
		} conflict;
		struct {
			struct mac_addr asked;
		} stray;
		struct loss loss;
	} u;
};

/* Bytes of a record before what follows it.  Those that come in masses take of the union only what
 * they use: they are most of what crosses from one core to the other. */
static inline size_t record_head(unsigned kind)
{
	size_t used = sizeof((struct record *)0)->u;

	if (kind == EVENT_TOKEN)
		used = sizeof((struct record *)0)->u.token;
	else if (kind == EVENT_SECRET)
		used = sizeof((struct record *)0)->u.secret;
	else if (kind == EVENT_HELLO)
		used = sizeof((struct record *)0)->u.hello;
	else if (kind == EVENT_NAME)
		used = 0;
	return (offsetof(struct record, u) + used + 7) & ~(size_t)7;
}

/* Bytes a record takes with all that follows it. */
static inline size_t record_size(const struct record *r)
{
	return record_head(r->kind) + r->other_caplen + r->frame_caplen;
}

static inline const uint8_t *record_other(const struct record *r)
{
	return (const uint8_t *)r + record_head(r->kind);
}

static inline const uint8_t *record_frame(const struct record *r)
{
	return record_other(r) + r->other_caplen;
}

#endif
