/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export_mark.c - see export_mark.h.
 *
 * A file says what it is by its magic number and version.  The middle of a stream has only record
 * headers: their time is about now (a live capture) or at least agrees with nothing else, lengths
 * agree with each other, and what follows begins like an Ethernet frame.
 */
#include "detect/export_mark.h"

#include <string.h>

#include "bulkhead/frame.h"

#define DAY_S 86400
#define NS_A_SECOND UINT64_C(1000000000)
#define US_A_SECOND UINT64_C(1000000)
#define ETHERNET 14
#define ARP_LENGTH 28
#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define BEFORE_MAX (24 + ETHERNET) /* bytes in front of a packet */

static const struct {
	uint8_t magic[4];
	bool big;
} pcap_magic[] = {
    {{0xa1, 0xb2, 0xc3, 0xd4}, true}, /* microseconds */
    {{0xd4, 0xc3, 0xb2, 0xa1}, false},
    {{0xa1, 0xb2, 0x3c, 0x4d}, true}, /* nanoseconds */
    {{0x4d, 0x3c, 0xb2, 0xa1}, false},
};

static bool pcap_file(const uint8_t *p, size_t len, struct mark *s)
{
	for (size_t i = 0; i < sizeof pcap_magic / sizeof pcap_magic[0]; i++) {
		bool big = pcap_magic[i].big;

		if (len < PCAP_FILE_HEADER || memcmp(p, pcap_magic[i].magic, 4) != 0 ||
		    mark_read16(p + 4, big) != 2 || mark_read16(p + 6, big) != 4)
			continue;
		s->format = EXPORT_PCAP;
		s->big_endian = big;
		s->linktype = (uint16_t)mark_read32(p + 20, big);
		return true;
	}
	return false;
}

bool mark_file(const uint8_t *p, size_t len, struct mark *s)
{
	static const uint8_t section[4] = {0x0a, 0x0d, 0x0d, 0x0a};

	if (pcap_file(p, len, s))
		return true;
	if (len < PCAPNG_SECTION_HEADER || memcmp(p, section, sizeof section) != 0)
		return false;
	if (read_be32(p + 8) != 0x1a2b3c4d && mark_read32(p + 8, false) != 0x1a2b3c4d)
		return false;
	s->format = EXPORT_PCAPNG;
	s->big_endian = read_be32(p + 8) == 0x1a2b3c4d;
	s->interfaces = 0;
	return true;
}

static bool ethernet_at(const uint8_t *p, size_t len)
{
	uint16_t type;

	if (len < ETHERNET + 1)
		return false;
	type = read_be16(p + 12);
	switch (type) {
	case 0x0800:
		return p[ETHERNET] >> 4 == 4;
	case 0x86dd:
		return p[ETHERNET] >> 4 == 6;
	case 0x0806:
		return p[ETHERNET] == 0;
	default:
		return type == 0x8100 || type == 0x88a8;
	}
}

static bool about(uint64_t a, uint64_t b, uint64_t apart)
{
	return a > b ? a - b <= apart : b - a <= apart;
}

static bool lengths(uint32_t caplen, uint32_t len)
{
	return caplen >= ETHERNET && caplen <= len && len <= PACKET_LEN_MAX;
}

static bool pcap_record(const uint8_t *p, size_t len, bool big, uint64_t now_ns)
{
	return len > PCAP_RECORD_HEADER &&
	       about(mark_read32(p, big), now_ns / NS_A_SECOND, DAY_S) &&
	       mark_read32(p + 4, big) < NS_A_SECOND &&
	       lengths(mark_read32(p + 8, big), mark_read32(p + 12, big)) &&
	       ethernet_at(p + PCAP_RECORD_HEADER, len - PCAP_RECORD_HEADER);
}

/* Enhanced packet block (draft-ietf-opsawg-pcapng 4.3), times in micro- or nanoseconds. */
static bool pcapng_record(const uint8_t *p, size_t len, bool big, uint64_t now_ns)
{
	uint64_t time;
	uint32_t total, caplen;

	if (len <= PCAPNG_PACKET_HEADER || mark_read32(p, big) != 6)
		return false;
	total = mark_read32(p + 4, big);
	caplen = mark_read32(p + 20, big);
	time = (uint64_t)mark_read32(p + 12, big) << 32 | mark_read32(p + 16, big);
	return lengths(caplen, mark_read32(p + 24, big)) && total % 4 == 0 &&
	       total >= caplen + 32 && total <= PACKET_LEN_MAX + 4096 &&
	       (about(time, now_ns / 1000, DAY_S * US_A_SECOND) ||
		about(time, now_ns, DAY_S * NS_A_SECOND)) &&
	       ethernet_at(p + PCAPNG_PACKET_HEADER, len - PCAPNG_PACKET_HEADER);
}

/* A packet message of rpcapd (rpcap-protocol.h of libpcap): network byte order throughout. */
static bool rpcap_record(const uint8_t *p, size_t len, uint64_t now_ns)
{
	uint32_t caplen;

	if (len <= RPCAP_PACKET_HEADER || p[0] != 0 || p[1] != RPCAP_PACKET || read_be16(p + 2))
		return false;
	caplen = read_be32(p + 16);
	return lengths(caplen, read_be32(p + 20)) && read_be32(p + 4) == caplen + 20 &&
	       about(read_be32(p + 8), now_ns / NS_A_SECOND, DAY_S) &&
	       read_be32(p + 12) < US_A_SECOND &&
	       ethernet_at(p + RPCAP_PACKET_HEADER, len - RPCAP_PACKET_HEADER);
}

bool mark_record(enum export_format format, bool big, const uint8_t *p, size_t len, uint64_t now_ns)
{
	switch (format) {
	case EXPORT_PCAP:
		return pcap_record(p, len, big, now_ns);
	case EXPORT_PCAPNG:
		return pcapng_record(p, len, big, now_ns);
	case EXPORT_RPCAP:
		return rpcap_record(p, len, now_ns);
	default:
		return false;
	}
}

static bool any_record(struct mark *s, const uint8_t *p, size_t len, uint64_t now_ns)
{
	static const struct {
		uint8_t format;
		bool big;
	} kinds[] = {{EXPORT_PCAP, false},
		     {EXPORT_PCAP, true},
		     {EXPORT_PCAPNG, false},
		     {EXPORT_PCAPNG, true},
		     {EXPORT_RPCAP, true}};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (s->format != EXPORT_NONE &&
		    (s->format != kinds[i].format || s->big_endian != kinds[i].big))
			continue;
		if (!mark_record(kinds[i].format, kinds[i].big, p, len, now_ns))
			continue;
		if (s->format == EXPORT_NONE) {
			s->format = kinds[i].format;
			s->big_endian = kinds[i].big;
			s->linktype = LINK_ETHERNET;
			s->interfaces = 1;
		}
		return true;
	}
	return false;
}

#define BLOCK 16

typedef uint8_t block __attribute__((vector_size(BLOCK)));

/* Where a pair of bytes begins: x are bytes, y those behind them. */
#define PAIR(first, second) ((block)((x == (first)) & (y == (second))))

enum pairs { FILE_PAIRS, TYPE_PAIRS };

static inline block hits(enum pairs pairs, block x, block y)
{
	if (pairs == FILE_PAIRS) /* magic numbers of files begin so */
		return PAIR(0xa1, 0xb2) | PAIR(0xd4, 0xc3) | PAIR(0x4d, 0x3c) | PAIR(0x0a, 0x0d);
	return PAIR(0x08, 0x00) | PAIR(0x08, 0x06) | PAIR(0x81, 0x00) | PAIR(0x86, 0xdd) |
	       PAIR(0x88, 0xa8);
}

static bool is_pair(enum pairs pairs, uint8_t first, uint8_t second)
{
	return hits(pairs, (block){first}, (block){second})[0] != 0;
}

/* The next place at or behind at where one of these pairs of bytes stands, or len.  Every flow's
 * first payloads are searched, so sixteen places at a time, with the pairs in registers. */
static inline __attribute__((always_inline)) size_t next_of(enum pairs pairs, const uint8_t *data,
							    size_t at, size_t len)
{
	for (; at + BLOCK < len; at += BLOCK) {
		uint64_t any[BLOCK / sizeof(uint64_t)];
		block x, y, hit;

		memcpy(&x, data + at, sizeof x);
		memcpy(&y, data + at + 1, sizeof y);
		hit = hits(pairs, x, y);
		memcpy(any, &hit, sizeof any);
		if ((any[0] | any[1]) != 0)
			break;
	}
	for (; at + 1 < len; at++)
		if (is_pair(pairs, data[at], data[at + 1]))
			return at;
	return len;
}

static size_t find_file(struct mark *s, const uint8_t *data, size_t len)
{
	size_t at = next_of(FILE_PAIRS, data, 0, len);

	while (at < len && !mark_file(data + at, len - at, s))
		at = next_of(FILE_PAIRS, data, at + 1, len);
	return at;
}

/*
 * A record that begins before `end`, or len.  Every packet's first payload comes through here, so
 * nothing is looked at but where an EtherType could be: its place in the record is known.
 */
static size_t find_record(struct mark *s, const uint8_t *data, size_t len, size_t end,
			  uint64_t now_ns)
{
	static const size_t before[] = {PCAP_RECORD_HEADER + 12, PCAPNG_PACKET_HEADER + 12,
					RPCAP_PACKET_HEADER + 12};
	size_t stop = end + PCAPNG_PACKET_HEADER + 12 < len ? end + PCAPNG_PACKET_HEADER + 12 : len;
	size_t limit = stop < len ? stop + 1 : len; /* of a pair the second byte may be behind */
	size_t best = len;

	for (size_t at = next_of(TYPE_PAIRS, data, 0, limit); at < stop;
	     at = next_of(TYPE_PAIRS, data, at + 1, limit)) {
		for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
			struct mark seen = *s;
			size_t from = at - before[i];

			if (at < before[i] || from >= end || from >= best)
				continue;
			if (any_record(&seen, data + from, len - from, now_ns)) {
				*s = seen;
				best = from;
				end = from; /* an earlier one may still come */
			}
		}
	}
	return best;
}

size_t mark_find(struct mark *s, const uint8_t *data, size_t len, size_t records, uint64_t now_ns)
{
	struct mark seen = *s;
	size_t file = find_file(s, data, len);
	size_t at;

	/* A file header further on says nothing of what is before it. */
	if (file < len)
		seen.format = EXPORT_NONE;
	at = find_record(&seen, data, len, records < file ? records : file, now_ns);
	if (at >= file)
		return file;
	*s = seen;
	return at;
}

/* RFC 1071 over an IPv4 header. */
static bool sums_up(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += read_be16(p + i);
	sum = (sum & 0xffff) + (sum >> 16);
	return ((sum + (sum >> 16)) & 0xffff) == 0xffff;
}

/* The length of an IP packet by its header, 0 when that contradicts itself. */
static size_t ip_length(const uint8_t *p, size_t len)
{
	size_t header;

	if (len < IPV4_HEADER)
		return 0;
	if (p[0] >> 4 == 6)
		return len < IPV6_HEADER ? 0 : IPV6_HEADER + (size_t)read_be16(p + 4);
	header = (size_t)(p[0] & 15) * 4;
	if (p[0] >> 4 != 4 || header < IPV4_HEADER || header > len || read_be16(p + 2) < header ||
	    !sums_up(p, header))
		return 0;
	return read_be16(p + 2);
}

/* RFC 826: Ethernet and IPv4, a request or a reply. */
static bool arp_at(const uint8_t *p, size_t len)
{
	static const uint8_t head[] = {8, 6, 0, 1, 8, 0, 6, 4, 0};

	return len >= ETHERNET + ARP_LENGTH && memcmp(p + ETHERNET - 2, head, sizeof head) == 0 &&
	       (p[ETHERNET + 7] == 1 || p[ETHERNET + 7] == 2);
}

/*
 * socat and its kin send what they read from an interface as it is; tunnels may use any port.
 *
 *	Ethernet | IP			frames
 *	IP				IP in UDP (FOU), a tun device's packets
 *	4 bytes | IP			GUE (draft-ietf-intarea-gue), tun with packet information
 *	8 bytes | Ethernet | IP		VXLAN
 *	up to 24 | [Ethernet |] IPv4	other headers (LISP, lengths, session ids): fills the
 *payload
 *
 * The checksum of IPv4 and the length tell; IPv6 has no checksum, its length has to be exact.
 */
bool mark_packet(const uint8_t *p, size_t len, struct mark_place *place)
{
	static const struct {
		uint8_t before;
		bool ethernet;
	} kinds[] = {{0, true}, {0, false}, {4, false}, {8, true}};

	if (arp_at(p, len)) {
		*place = (struct mark_place){.len = ETHERNET + ARP_LENGTH,
					     .linktype = LINK_ETHERNET,
					     .format = EXPORT_FRAMES};
		return true;
	}
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		size_t at = kinds[i].before;
		size_t link = kinds[i].ethernet ? ETHERNET : 0;
		size_t ip;

		if (len < at + link + IPV4_HEADER || (link > 0 && !ethernet_at(p + at, len - at)) ||
		    (p[at + link] != 0x45 && p[at + link] >> 4 != 6))
			continue;
		ip = ip_length(p + at + link, len - at - link);
		if (ip == 0 || (p[at + link] >> 4 == 6 && at + link + ip != len))
			continue;
		*place = (struct mark_place){.at = at,
					     .len = link + ip,
					     .linktype = link > 0 ? LINK_ETHERNET : LINK_RAW,
					     .format = link > 0 && at == 0 ? EXPORT_FRAMES
									   : EXPORT_TUNNEL};
		return true;
	}
	return false;
}

/* An IPv4 packet, with or without Ethernet, that ends where the payload does: its length and
 * checksum are no accident. */
bool mark_behind(const uint8_t *p, size_t len, size_t wire, struct mark_place *place)
{
	size_t end = len < IPV4_HEADER ? 0 : len - IPV4_HEADER + 1; /* it begins before */
	const uint8_t *next;

	if (end > BEFORE_MAX + 1)
		end = BEFORE_MAX + 1;
	for (size_t at = 1; at < end && (next = memchr(p + at, 0x45, end - at)) != NULL; at++) {
		bool ethernet;

		at = (size_t)(next - p);
		if (at + (size_t)read_be16(p + at + 2) != wire || ip_length(p + at, len - at) == 0)
			continue;
		ethernet = at >= ETHERNET && ethernet_at(p + at - ETHERNET, len - at);
		*place = (struct mark_place){.at = ethernet ? at - ETHERNET : at,
					     .len = wire - at + (ethernet ? ETHERNET : 0),
					     .linktype = ethernet ? LINK_ETHERNET : LINK_RAW,
					     .format = EXPORT_TUNNEL};
		return true;
	}
	return false;
}

enum export_format mark_bare(const uint8_t *p, size_t len)
{
	struct mark_place place;

	return mark_packet(p, len, &place) ? place.format : EXPORT_NONE;
}

bool mark_sflow(const uint8_t *p, size_t len)
{
	size_t at;
	uint32_t samples, format, room;

	if (len < 40 || read_be32(p) != 5 || (read_be32(p + 4) != 1 && read_be32(p + 4) != 2))
		return false;
	at = read_be32(p + 4) == 1 ? 24 : 36;
	if (len < at + 12)
		return false;
	samples = read_be32(p + at);
	format = read_be32(p + at + 4);
	room = read_be32(p + at + 8);
	return samples >= 1 && samples <= 1024 && (format & 0xfff) >= 1 && (format & 0xfff) <= 5 &&
	       room >= 8 && room <= 65535;
}
