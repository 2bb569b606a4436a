/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export.h - captured packets inside a payload: pcap, pcapng, rpcap, sFlow samples, bare frames.
 *
 *	"nc" banner | file header | record header | packet | record header | pac
 *	                                             ket | record header | ...
 *
 * A stream is fed in order, in whatever pieces it travelled; records that span pieces are put
 * together.  When bytes are missing (a lost segment, a sensor that came late, a cut frame) the
 * next record header is looked for by its contradiction-free fields, and reading goes on there.
 *
 * Enciphered streams are not read, compressed ones are unpacked elsewhere; those that are written
 * as hexadecimal or base64 text are.  Fixed memory, no allocation.  Threads: one a stream.
 */
#ifndef DETECT_EXPORT_H
#define DETECT_EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "detect/armour.h"

enum export_format {
	EXPORT_NONE,
	EXPORT_PCAP,
	EXPORT_PCAPNG,
	EXPORT_RPCAP,
	EXPORT_SFLOW,
	EXPORT_FRAMES, /* nothing but the frames, each at the begin of a payload */
	EXPORT_TUNNEL, /* packets behind nothing or a short header: a tunnel on a port of its own */
};

#define EXPORT_SNAP 1536 /* of a packet: a full Ethernet frame */
#define EXPORT_HEAD 28	 /* the longest record header: pcapng's enhanced packet block, rpcap's */
#define EXPORT_INTERFACES 8

struct export_stream {
	uint8_t format;	 /* enum export_format; EXPORT_NONE until recognised */
	bool big_endian; /* pcap, pcapng: as the writer's machine */
	bool synced;	 /* the next byte belongs to a record */
	uint8_t interfaces;
	uint16_t linktype[EXPORT_INTERFACES]; /* pcapng: by interface, else [0] */
	uint32_t have;			      /* bytes in buffer */
	uint64_t skip;			      /* bytes of the stream to pass over */
	struct armour armour;		      /* as which text it is written */
	uint8_t buffer[EXPORT_HEAD + EXPORT_SNAP];
};

/* A captured packet; borrowed for the call. */
struct export_packet {
	const uint8_t *data;
	uint32_t caplen, len;
	uint16_t linktype;
};

typedef void export_each(void *context, const struct export_packet *packet);

/* Does a capture stream, or the middle of one, begin in this payload?  wire: its length before the
 * capture cut it; now_ns: packet time. */
bool export_begins(const uint8_t *data, size_t len, size_t wire, uint64_t now_ns);

/* Is a bare packet in it, maybe behind a short header? */
bool export_holds(const uint8_t *data, size_t len, size_t wire);

/* Calls each for every packet that became complete.  s is zeroed before the first call. */
void export_feed(struct export_stream *s, const uint8_t *data, size_t len, uint64_t now_ns,
		 export_each *each, void *context);
/* So many bytes of the stream were not seen.  A packet that was begun is given as far as it was. */
void export_gap(struct export_stream *s, uint64_t missing, export_each *each, void *context);

/* The raw headers in one sFlow version 5 datagram.  False when it is none. */
bool export_sflow(const uint8_t *data, size_t len, export_each *each, void *context);

/* The bare frames or packets that fill a payload; EXPORT_NONE when there are none. */
enum export_format export_bare(const uint8_t *data, size_t len, export_each *each, void *context);
/* The one packet at the end of a payload, behind a header of no kind that is known. */
enum export_format export_behind(const uint8_t *data, size_t len, size_t wire, export_each *each,
				 void *context);

const char *export_name(enum export_format format); /* "pcap" ... */

#endif
