/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame.h - a frame is what a tap delivered: bytes, lengths, a time and a number.
 *
 *	CAPTURE > decode > tenant > flow > dpi > detect > rule > alert > sink
 *
 * Frames travel in batches.  The bytes are borrowed: they stay valid until the
 * source that gave the batch is asked for the next one.
 */
#ifndef BULKHEAD_FRAME_H
#define BULKHEAD_FRAME_H

#include <stdint.h>

#define FRAME_BATCH 64

/* Link types we read, by their LINKTYPE_ number (www.tcpdump.org/linktypes.html). */
enum linktype {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_RAW_OLD = 12, /* DLT_RAW as Linux numbers it in old files */
	LINK_RAW = 101,
	LINK_LOOP = 108,
	LINK_LINUX_SLL = 113,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_LINUX_SLL2 = 276,
};

struct frame {
	const uint8_t *data;
	uint32_t caplen; /* bytes at data */
	uint32_t len;	 /* bytes on the wire; caplen may be less, never trusted to be more */
	uint64_t ts_ns;	 /* as captured; may jump: the pipeline clamps */
	uint64_t number; /* 1-based over the whole run, as Wireshark counts it in one file */
	uint16_t linktype;
	uint16_t tap; /* index into the inventory's taps */
};

struct frame_batch {
	unsigned count;
	struct frame frame[FRAME_BATCH];
};

#endif
