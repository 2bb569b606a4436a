/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h - the flow table of one worker: fixed size, keyed hash, bounded work.
 *
 *	buckets: one cache line each, 16 x (tag, slot)     slots: struct flow, 4 cache lines
 *	+----+----+----+----+----+----+----+----+          +-----+-----+-----+-----+
 *	|t,s |t,s |    |    |    |    |    |    |  ------> | key | paths | state | segments |
 *	+----+----+----+----+----+----+----+----+          +-----+-----+-----+-----+
 *
 * A tag is the upper bits of the hash, as many as the slot's number leaves of 32: eleven with a
 * million flows.  What is packed tightly misses the TLB less often, so the index grows with the
 * number of flows, in memory that it has from the start.
 *
 * invariants:
 *   1. every used slot is named by exactly one bucket entry, in its home bucket or the next one;
 *   2. a look-up reads at most two bucket lines and the slots whose tag matches, hardly
 *      ever another flow's;
 *   3. when both buckets or all slots are full, one flow goes: an idle one, else one of a few
 *      candidates that is cheapest to lose (unanswered before answered, watched ones last).
 *
 * The caller hashes and prefetches a batch ahead.  Threads: one.
 */
#ifndef FLOW_TABLE_H
#define FLOW_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "bulkhead/flow.h"
#include "bulkhead/packet.h"
#include "bulkhead/stats.h"

struct flow_key { /* a is the lower (address, port) */
	struct ip_addr a, b;
	uint16_t aport, bport;
	uint16_t domain;
	uint8_t proto;
	uint8_t zero;
};

#define SCOPE_VLAN 0x8000u

/* By which NICs, in which segment, at which tap. */
struct path_key {
	struct mac_addr smac, dmac;
	uint16_t scope; /* segment id, or SCOPE_VLAN | VLAN when the inventory has none */
	uint16_t tap;
};

/* Frames are remembered by the number of the path they came by, as long as that is kept. */
enum { SEGMENT_NO_PATH = 0x3f };

struct flow_segment { /* of TCP payload, for telling injected data from sent */
	uint32_t seq;
	uint32_t number; /* low bits of the frame's */
	uint16_t hash;
	uint8_t ttl;
	uint8_t used : 1, wide : 1, path : 6; /* wide: the hash covers more bytes */
};

enum flow_flags {
	FLOW_SYN_ACK = 1u << 1,
	FLOW_STREAM = 1u << 2,	 /* carries a capture stream: its payload goes to the judge */
	FLOW_NO_PATHS = 1u << 3, /* DHCP: addresses are in the making, paths prove nothing */
	FLOW_CONFLICT = 1u << 4, /* told once */
	FLOW_FROM_B = 1u << 5,	 /* key.b began it, as far as was seen */
	FLOW_HEAD = 1u << 6,	 /* begins in pieces, which are being put together */
	FLOW_NAMED = 1u << 7,	 /* a nonce of one of its ends was told */
};

#define FLOW_PATHS 2

struct flow {
	_Alignas(64) struct flow_key key;
	uint64_t last_ns;
	uint32_t hash;
	uint32_t generation; /* inventory generation of the verdicts below */
	uint32_t watch;	     /* watch slot + 1, 0 none */
	uint8_t verdict[2][FLOW_PATHS];

	struct path_key path[2][FLOW_PATHS]; /* by direction; a zero key is unused */

	uint64_t id;
	uint64_t first_ns;
	uint64_t bytes[2];
	uint32_t packets[2];
	uint32_t copy_of[2]; /* fingerprint of the direction's last packet ... */
	struct {
		uint8_t seen : 6;  /* ... and how often it was seen, saturating */
		uint8_t plain : 2; /* frames of late that were not flooded, saturating */
	} copies[2];
	uint8_t payloads[2]; /* packets with payload, saturating */
	uint8_t paths_seen[2];
	uint8_t kept; /* packets in flow/opening.h; UINT8_MAX no more */
	uint8_t flags;
	uint8_t used;

	struct flow_segment segment[2][2];
	uint32_t syn_seq; /* the client's initial sequence number */
	uint32_t syn_ack_seq;
	uint32_t syn_ack_number; /* low bits of the frame's number */
	uint8_t syn_ack_ttl;
	uint8_t syn_ack_path : 7, syn_ack_direction : 1;
	uint16_t followed; /* entry of flow/unseen.h + 1, 0 none */
};

_Static_assert(sizeof(struct flow_key) == 40, "hashed as bytes: no padding; flow_hash()");
_Static_assert(sizeof(struct path_key) == 16, "compared as two words");
_Static_assert(sizeof(struct flow) == 256, "four cache lines");

struct flow_table;

/* Called for a flow that leaves the table, before its slot is re-used. */
typedef void flow_gone(void *context, struct flow *flow);

struct flow_table *flow_table_new(uint32_t capacity, uint64_t idle_ns, flow_gone *gone,
				  void *context, struct stats *stats);
void flow_table_free(struct flow_table *table); /* does not call gone */

/* Key and direction (0: the packet's source is key.a) of a packet; false when it has no IP. */
bool flow_key_of(const struct packet *packet, uint16_t domain, struct flow_key *key,
		 unsigned *direction);
static inline uint32_t flow_hash(const struct hash_key *secret, const struct flow_key *key)
{
	return (uint32_t)hash64_40(secret, key);
}

void flow_table_prefetch_bucket(const struct flow_table *table, uint32_t hash);
/* Prefetches the slot that a look-up will most likely read; call when the bucket has arrived.
 * Returns it, a guess, or NULL: no flow in the bucket has this hash, the flow is most likely new.
 * tcp: with what only TCP has. */
const struct flow *flow_table_prefetch_slot(const struct flow_table *table, uint32_t hash,
					    bool tcp);

/* The packet's flow, made when there is none (*fresh).  Never NULL.  guess: what
 * flow_table_prefetch_slot() said, however long ago, or NULL. */
struct flow *flow_table_get(struct flow_table *table, const struct flow_key *key, uint32_t hash,
			    const struct flow *guess, uint64_t now_ns, bool *fresh);
uint32_t flow_table_slot(const struct flow_table *table, const struct flow *flow);
struct flow *flow_table_at(struct flow_table *table, uint32_t slot);
/* Ends every flow, in the order of ids, which does not depend on how flows are spread.  The index
 * is left as it is: nothing but flow_table_free() may follow. */
void flow_table_end_all(struct flow_table *table);
uint32_t flow_table_used(const struct flow_table *table);

/* The tuple of a flow's packets that go in this direction. */
struct flow_tuple flow_tuple_of(const struct flow *flow, unsigned direction);

/* What identifies one frame, so that its copies are recognised. */
uint32_t packet_fingerprint(const struct packet *packet);

/*
 * What identifies one packet on both sides of a relay, whatever NICs it passes.  Two values, each
 * enough by itself, 0 when the capture is too short for it: a relay may change one of them, hardly
 * both.  TTL, IP id, options, lengths and the flags that middleboxes touch are in neither, so that
 * clamping, re-segmenting, fragmenting and padding with extension headers hide nothing.
 */
struct packet_prints {
	uint32_t head; /* TCP numbers, UDP or ICMP checksum; of what has neither: the IP id */
	uint32_t body; /* first bytes of the payload */
};

struct packet_prints packet_prints(const struct packet *packet);

#endif
