/* SPDX-License-Identifier: Apache-2.0 */
/* export_mark.h - how the beginning of a capture, or of a record in it, is recognised. */
#ifndef DETECT_EXPORT_MARK_H
#define DETECT_EXPORT_MARK_H

#include "base/cursor.h"
#include "detect/export.h"

#define PCAP_FILE_HEADER 24
#define PCAP_RECORD_HEADER 16
#define PCAPNG_BLOCK_HEADER 8
#define PCAPNG_SECTION_HEADER 12
#define PCAPNG_PACKET_HEADER 28
#define RPCAP_HEADER 8
#define RPCAP_PACKET_HEADER 28 /* with the message's own */
#define RPCAP_PACKET 7	       /* message type */
#define PACKET_LEN_MAX 262144  /* MAXIMUM_SNAPLEN of libpcap */

static inline uint32_t mark_read32(const uint8_t *p, bool big)
{
	return big ? read_be32(p)
		   : (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static inline uint16_t mark_read16(const uint8_t *p, bool big)
{
	if (big)
		return read_be16(p);
	return (uint16_t)(p[1] << 8 | p[0]);
}

/* What is recognised: the members of struct export_stream of these names, linktype[0] for that.
 * A stream itself holds a packet, which is much to begin and to copy for every look. */
struct mark {
	uint8_t format;
	bool big_endian;
	uint8_t interfaces;
	uint16_t linktype;
};

/* A file header of pcap or a section header of pcapng at p; fills format, big_endian, linktype. */
bool mark_file(const uint8_t *p, size_t len, struct mark *s);

/* A packet record of this format and byte order at p, so full of agreement that it is no accident;
 * its packet is Ethernet.  now_ns: when the capture was sent, for those that are live. */
bool mark_record(enum export_format format, bool big, const uint8_t *p, size_t len,
		 uint64_t now_ns);

/* The next file header or record in data; returns its place and fills s, or len. */
size_t mark_find(struct mark *s, const uint8_t *data, size_t len, size_t records, uint64_t now_ns);

/* A packet that is carried bare: where in the payload, how long by its own header. */
struct mark_place {
	size_t at, len;
	uint16_t linktype;
	enum export_format format; /* EXPORT_FRAMES, or EXPORT_TUNNEL */
};

/* Whole packets, or the begin of one that is cut, at p; false when the headers do not agree. */
bool mark_packet(const uint8_t *p, size_t len, struct mark_place *place);
/* ... behind a short header of some other kind (LISP, a length, a session id).  wire: how long the
 * payload was before the capture cut it. */
bool mark_behind(const uint8_t *p, size_t len, size_t wire, struct mark_place *place);
enum export_format mark_bare(const uint8_t *p, size_t len);

bool mark_sflow(const uint8_t *p, size_t len);

#endif
