/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opening.h - the first packets with payload of each flow, kept until somebody asks what it is.
 *
 * Hardly any flow is ever asked about: to keep its opening costs a copy, to inspect it two
 * microseconds a packet.  A ring of words holds the newest; each entry names the one before it in
 * its bucket, and a bucket the newest of its entries:
 *
 *	ring:    | ... | flow id, before, number, time, nth and length, packet | ... |
 *	bucket:  newest entry of the flows that fall into it
 *
 * Threads: one writes, any number read at the same time.  A reader sees whether what it has read
 * was overwritten meanwhile: every word is atomic, and `tail` moves past an entry before its first
 * word changes (a sequence lock by position; Boehm, "Can seqlocks get along with programming
 * language memory models?", MSPC 2012).
 */
#ifndef FLOW_OPENING_H
#define FLOW_OPENING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPENING_PACKETS 16	/* of a flow that are read */
#define OPENING_PACKET_MAX 4096 /* bytes of a packet that are kept */

struct openings;

struct opening { /* one packet */
	uint64_t number, ts_ns;
	uint32_t nth; /* of its flow, from 0 */
	uint32_t len;
	uint8_t data[OPENING_PACKET_MAX]; /* from its IP header on; len are set */
};

/* bytes: rounded up to a power of two, at least 1 MiB.  NULL when memory is short. */
struct openings *openings_new(size_t bytes);
void openings_free(struct openings *openings); /* NULL is fine */

/* Writer: some time before, its flow's next packet is kept. */
void openings_prefetch(const struct openings *openings, uint64_t flow_id);
/* Writer: keeps the flow's nth packet, len bytes from its IP header on, of which OPENING_PACKET_MAX
 * count.  number: of its frame, never falling.  True now and then: readers that are behind find the
 * same whenever they ask only if the writer waits now until none asks as of a frame before
 * openings_wait_for(). */
bool openings_keep(struct openings *openings, uint64_t flow_id, uint32_t nth, uint64_t number,
		   uint64_t ts_ns, const uint8_t *data, size_t len);
uint64_t openings_wait_for(const struct openings *openings);

/* Reader: where the flow's packets are that are still kept, of frames up to `until`, oldest first;
 * how many.  UINT64_MAX: all there are; else those that count as of this frame, which are the
 * same however far a writer that waits has come.  *gone: older ones may have been there. */
unsigned openings_find(const struct openings *openings, uint64_t flow_id, uint64_t until,
		       uint64_t at[static OPENING_PACKETS], bool *gone);
/* Reader: a packet that was found; false when it has been overwritten. */
bool openings_read(const struct openings *openings, uint64_t at, struct opening *opening);

#endif
