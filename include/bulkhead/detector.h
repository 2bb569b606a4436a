/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detector.h - a detector turns the events it asks for into findings.
 *
 *	capture > decode > tenant > flow > dpi > DETECT > rule > alert > sink
 *
 * A detector states facts.  It does not decide whether a fact is an alert (rules do), how often it
 * is repeated (alert does) or where it goes (sinks do), so it can be tested with a capture and an
 * inventory and nothing else.
 *
 * Events, not packets: workers decode, attribute and track flows; what is new or strange becomes an
 * event.  The judge gives the events of all workers to all detectors in the order of frame
 * numbers, so a detector's state needs no lock and a replay's outcome does not depend on the
 * number of workers.
 *
 * Calls, all from the judge's thread, never concurrent:
 *
 *	open	once at start.  May fail: fills err.  Allocates tables here and never later.
 *	event	for every event whose bit is in wants.  Must not allocate, block or read a clock.
 *	flow_soon for an EVENT_FLOW some events before: fetches memory, changes nothing.  Optional.
 *	tick	once per second of packet time, also with no event in between.
 *	finish	once at the end of a capture: what would be found if time went on.  Optional.
 *	close	once.  Must cope with a state that open left half built.
 *
 * Ownership: the caller allocates state_size zeroed bytes per detector and frees them after close.
 * What an event points to is borrowed for the call.
 *
 * To add one: write sensor/detect/NAME.c with a const struct detector at its end, name it in
 * sensor/detect/list.c, put one case that fires it and one look-alike that must not into tests/.
 */
#ifndef BULKHEAD_DETECTOR_H
#define BULKHEAD_DETECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bulkhead/app.h"
#include "bulkhead/err.h"
#include "bulkhead/finding.h"
#include "bulkhead/flow.h"
#include "bulkhead/options.h"
#include "bulkhead/packet.h"
#include "bulkhead/stats.h"
#include "bulkhead/tenant.h"

enum event_kind {
	EVENT_PATH,	/* a flow direction travels by NICs it was not seen on before, and at least
			 * one end or carrier belongs to a tenant or is unknown: see u.path */
	EVENT_RELAYED,	/* packets of a flow were seen into a NIC and out of it again: u.relayed */
	EVENT_EXPOSED,	/* port tap: unicast frames left by a port that they were not for: u.exposed
			 */
	EVENT_FLOODED,	/* both-directions tap: one frame seen more often than in and out: u.flooded
			 */
	EVENT_FLOW,	/* a new flow that has a tenant at one end at least */
	EVENT_TOKEN,	/* content that can be recognised in another flow: u.token.  One or more a
			 * flow:    almost always EVENT_MEET is what is wanted */
	EVENT_MEET,	/* the same content was seen before, in another flow or elsewhere: u.meet */
	EVENT_HELLO,	/* a TLS client's hello, which names the server: u.hello */
	EVENT_FLOW_END, /* a flow of interest (one with a strange path) ended: u.flow_end */
	EVENT_ARP,	/* ARP or RARP; packet */
	EVENT_ND,	/* neighbour solicitation or advertisement, router solicitation; packet */
	EVENT_RA,	/* router advertisement; packet (reassembled when it came in fragments) */
	EVENT_REDIRECT, /* ICMP or ICMPv6 redirect; packet */
	EVENT_ICMP_ERROR, /* any ICMP(v6) message that quotes a packet, redirects too; packet,
			     quoted */
	EVENT_DHCP,	  /* DHCPv4, server or client message; packet */
	EVENT_DHCP6,	  /* DHCPv6; packet */
	EVENT_NAME,	  /* DNS, LLMNR, NBT-NS or mDNS message, query or answer; packet */
	EVENT_GATEWAY,	  /* VRRP, HSRP, GLBP, CARP or a routing protocol; packet */
	EVENT_L2_CONTROL, /* STP, DTP, CDP, LLDP, LACP and other link-local frames; packet */
	EVENT_TUNNEL,  /* an inner layer of a tunnel, first frames of each inner flow; packet, outer
			*/
	EVENT_SEGMENT, /* a NIC or address new in a segment, a double tag, an unknown segment;
			  packet */
	EVENT_NEW_MAC, /* a source MAC that no inventory knows, first seen; packet */
	EVENT_PAYLOAD, /* payload of a flow that looks like a capture stream (capped): packet */
	EVENT_SECRET,  /* a decoy or a credential in clear text: u.secret */
	EVENT_CONFLICT, /* same TCP sequence with other bytes, or a second SYN-ACK; u.conflict */
	EVENT_STRAY, /* an answer (RST, unreachable, echo reply) by a NIC that was not asked; packet
		      */
	EVENT_RETURNED, /* the provider's NIC brings a tenant's host a packet that claims to come
			   from that host, or a packet with its MAC leaves by its port, or a frame
			   with nothing in it goes from NIC to NIC; packet */
	EVENT_SIGHT,	/* the sensor's own sight, once a second: u.sight */
	EVENT_LOSS,	/* what a tap showed of TCP in the last second, and did not: u.loss */
	EVENT_MAX
};

struct meet;   /* the judge's book of tokens: sensor/detect/meet.h */
struct hidden; /* the judge's list of NICs that are never heard: sensor/detect/hidden.h */
struct leg_view;

#define EVENT_BIT(kind) (UINT64_C(1) << (kind))

#define SIGHT_VLANS 4096

/* The ledger by VLAN (of the innermost tag; 0 untagged): frames so far. */
struct sight_vlan {
	uint64_t frames;
	uint64_t unknown;  /* of no segment of the inventory */
	uint64_t unmapped; /* of no known NIC and no known address */
};

/* Live: one of the interfaces that are watched. */
enum link_state {
	LINK_UP,
	LINK_DOWN, /* no carrier, or taken down */
	LINK_GONE, /* there is no such interface (any more) */
};
struct sight_link {
	const char *interface;
	enum link_state state;
	bool blind;	 /* it is not being read: waits to be opened again */
	uint64_t frames; /* so far */
};

/* Counted by a worker since its last word. */
struct loss {
	uint64_t measured;	  /* TCP segments of flows that are followed */
	uint64_t unseen;	  /* ... that were acknowledged and never shown, estimated */
	uint64_t paired, single;  /* shown twice, and once, in flows that come twice */
	uint64_t frames, dropped; /* of all; by kernel and NIC, which is counted exactly */
};

struct event {
	enum event_kind kind;
	uint64_t ts_ns;
	const struct inventory *inv;
	struct bindings *bindings; /* only the lease detector writes to it */
	const struct meet *book;   /* what was said on the wire lately */
	const struct hidden *hidden;
	const struct tap *tap;
	struct finding_frame frame; /* the frame of the event, with at least its first 128 bytes */
	uint16_t segment, domain;
	uint8_t vlan_count;
	uint16_t vlan[PACKET_MAX_TAGS];
	bool has_vni;
	uint32_t vni;

	/* Who: the MACs of the frame and the ends of its packet, leases applied. */
	bool has_mac;
	struct mac_addr smac, dmac;
	struct carrier from, to; /* of smac and dmac; TENANT_UNKNOWN when in no inventory */
	bool has_ip;
	struct owner src, dst; /* of the tuple's addresses */
	bool has_flow;
	uint64_t flow_id;
	struct flow_tuple tuple; /* in the direction of the frame */
	uint32_t path;		 /* enum path_bits, leases and allow entries not yet applied */

	const struct packet *packet; /* the decoded layer, where the kind says so; else NULL */
	const struct packet *outer;  /* EVENT_TUNNEL: the layer that carried it */
	const struct packet *first;  /* layer 0 of the frame, where packet is set */
	const struct packet *quoted; /* EVENT_ICMP_ERROR: the packet quoted */

	union {
		struct {
			uint64_t packets, bytes; /* new since the last event of this path */
			bool answered;		 /* the other direction of the flow has been seen;
						  * EVENT_TUNNEL: in the same direction of the tunnel */
			bool rightful; /* packets of this direction also came by a NIC that may
					* send them */
		} path;
		struct {
			struct finding_frame
			    in; /* the in-leg's frame; event.frame is the out-leg's */
			/* in_dmac: event.smac, the relay; or another NIC of its tenant */
			struct mac_addr in_smac, in_dmac;
			uint32_t in_path; /* like event.path */
			uint16_t in_segment;
			uint8_t in_vlan_count;
			uint16_t in_vlan[PACKET_MAX_TAGS];
			int ttl_delta; /* out minus in */
			uint64_t delay_ns;
			uint64_t packets,
			    bytes;     /* pairs matched since the last event of this path */
			bool bridged;  /* MACs unchanged, other segment */
			bool answered; /* the other direction of the flow has been seen */
		} relayed;
		struct {
			uint64_t packets, bytes; /* new since the last event of this path */
			bool both_directions;
		} exposed;
		struct {
			unsigned copies; /* of this one frame */
			uint64_t packets, bytes;
		} flooded;
		struct {
			struct token token;
		} token;
		struct {
			struct token token;
			const struct leg_view *now;	/* this event's leg */
			const struct leg_view *earlier; /* ... and those before, oldest first */
			unsigned count;
		} meet;
		struct {
			const char *name; /* in lower case; wire bytes, its end if it is long */
			uint64_t print;	  /* of the client: hello_print(); 0 unknown */
		} hello;
		struct secret secret;
		struct loss loss;
		struct {
			uint64_t packets[2], bytes[2]; /* by direction; 0 is that of the tuple */
			uint64_t first_ns, last_ns;
		} flow_end;
		struct {
			struct finding_frame other; /* the packet it contradicts: number only */
			bool has_other_mac;
			struct mac_addr other_smac, other_dmac;
			uint8_t other_ttl;
			bool syn_ack;
		} conflict;
		struct {
			struct mac_addr asked; /* the NIC that the question was delivered to */
		} stray;
		struct {
			const struct stats *now,
			    *before; /* totals at this second and the one before */
			const struct sight_vlan *vlan; /* SIGHT_VLANS of them */
			const struct sight_link *link; /* live: link_count of them */
			unsigned link_count;
			bool last; /* the capture ends: nothing comes after this */
		} sight;
	} u;
};

struct detector {
	const char *kind;	 /* as written in rules and alerts: "relay.forward" */
	const char *summary;	 /* one line, for the manual */
	const char *const *also; /* further kinds it states, NULL-terminated, or NULL */
	uint64_t wants;		 /* EVENT_BIT()s */
	size_t state_size;
	int (*open)(void *state, const struct options *options, uint64_t seed, struct err *err);
	void (*event)(void *state, const struct event *ev, struct findings *out);
	/* Of an EVENT_FLOW that comes some events later: what it will need is fetched.  Optional.
	 */
	void (*flow_soon)(void *state, const struct flow_tuple *tuple);
	void (*tick)(void *state, uint64_t now_ns, struct findings *out);
	void (*finish)(void *state, uint64_t now_ns, struct findings *out);
	/* Entries pushed out since open, both optional: of tables that are meant to hold all there
	 * is, and of memories that are meant to hold the newest. */
	uint64_t (*evicted)(const void *state);
	uint64_t (*forgotten)(const void *state);
	void (*close)(void *state);
};

/* Every detector compiled in, in the order they run; ends with NULL. */
extern const struct detector *const detectors[];

/* Every kind of finding that exists, NULL-terminated (for `on:` in rules). */
const char *const *detector_kinds(void);

const char *event_name(enum event_kind kind);	 /* "path", "relayed" ... */
const char *event_summary(enum event_kind kind); /* one line, for "list events" */

#endif
