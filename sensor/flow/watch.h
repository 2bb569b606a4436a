/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.h - flows that travel strange paths are followed packet by packet.
 *
 * An ordinary flow costs a compare of its path.  A flow that was delivered to, or sent by, a NIC
 * of somebody else gets a watch: its paths with counters, and fingerprints of its last packets, so
 * that the same packet seen into a NIC and out of it again is recognised (the L2 chain: the first
 * frame's destination MAC is the second one's source MAC, or that of another NIC or host of the
 * same tenant; the TTL proves nothing).
 *
 * Memory: `capacity` watches and one ring of frame samples, allocated at start.  When all are in
 * use the one untouched longest goes, those without a relay first; counted.
 * Threads: one.
 */
#ifndef FLOW_WATCH_H
#define FLOW_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/frame.h"
#include "flow/table.h"

#define WATCH_PATHS 8
/* Userland relays lag by milliseconds (11 ms measured at most); this many packets of one flow in
 * flight is more than a window of full segments in that time. */
#define WATCH_RECENT 64
/* A relay that holds packets back longer is given away by some of them, kept a while longer: of a
 * thousand packets every 32nd. */
#define WATCH_SAMPLED 32
#define WATCH_PRINTS (WATCH_RECENT + WATCH_SAMPLED)

struct watch_path {
	struct path_key key;
	uint32_t bits;	   /* enum path_bits */
	uint32_t from, to; /* tenants of its NICs */
	uint16_t segment;
	bool matched; /* a leg of a relay */
	uint8_t direction;
	uint8_t vlan_count;
	uint16_t vlan[PACKET_MAX_TAGS];
	uint64_t packets, bytes;
	uint64_t told_packets, told_bytes, told_ns;
	uint64_t relayed, relayed_bytes; /* as out-leg */
	uint64_t told_relayed, told_relayed_bytes, told_relay_ns;
};

struct watch_print {
	struct packet_prints prints; /* both 0: unused */
	uint8_t path;
	uint8_t ttl;
	uint16_t len; /* low bits of the packet's length */
	uint64_t ts_ns;
	uint64_t sample; /* serial of its frame sample */
};

struct watch {
	uint32_t flow;	       /* slot in the flow table */
	uint32_t newer, older; /* LRU list, slot + 1 */
	uint8_t used;
	uint8_t path_count;
	uint8_t print_next;
	uint8_t sampled_next;
	uint8_t relays;	   /* saturating */
	uint8_t last_path; /* of the last packet */
	uint32_t replaced; /* paths */
	uint64_t last_ns;
	struct watch_path path[WATCH_PATHS];
	struct watch_print print[WATCH_PRINTS];
};

/* A frame as kept for evidence. */
struct frame_sample {
	uint64_t serial; /* 0 unused */
	uint64_t number, ts_ns;
	uint32_t caplen, len; /* caplen: bytes kept */
	uint16_t linktype;
	uint8_t data[];
};

struct watch_match {
	const struct watch_path *in;
	struct watch_path *out;
	const struct frame_sample *sample; /* of the leg seen first; NULL when overwritten */
	uint64_t first_ns;
	int ttl_delta;	 /* out minus in */
	bool bridged;	 /* MACs unchanged, other segment */
	bool in_is_late; /* the out-leg was captured first: the sample is the out-leg's */
};

struct watch_table;

/* Called before a watch is re-used, its flow still in place. */
typedef void watch_gone(void *context, struct watch *watch);

struct watch_table *watch_table_new(uint32_t capacity, uint32_t snap, uint64_t window_ns,
				    watch_gone *gone, void *context, struct stats *stats);
void watch_table_free(struct watch_table *table);

/* A new watch for the flow in this slot; never NULL.  Calls gone() for the one it replaces. */
struct watch *watch_open(struct watch_table *table, uint32_t flow_slot, uint64_t now_ns);
void watch_close(struct watch_table *table, struct watch *watch); /* calls gone() */
struct watch *watch_at(struct watch_table *table, uint32_t slot);
uint32_t watch_slot(const struct watch_table *table, const struct watch *watch);
void watch_touch(struct watch_table *table, struct watch *watch, uint64_t now_ns);
struct watch *watch_oldest(struct watch_table *table);

/* The path with this key and direction, or NULL. */
struct watch_path *watch_path_find(struct watch *watch, unsigned direction,
				   const struct path_key *key);
/* Adds one, in the place of another one when all are taken (counted); `left` gets what
 * was there, with packets 0 when nothing was. */
struct watch_path *watch_path_add(struct watch_table *table, struct watch *watch,
				  const struct watch_path *path, struct watch_path *left);

/* Remembers the packet and tells whether it was seen on the other side of a NIC before. */
bool watch_packet(struct watch_table *table, struct watch *watch, struct watch_path *path,
		  const struct packet *packet, const struct frame *frame, uint64_t now_ns,
		  struct watch_match *match);

#endif
