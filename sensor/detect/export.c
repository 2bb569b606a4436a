/* SPDX-License-Identifier: Apache-2.0 */
/* export.c - reading captures out of a stream: see export.h. */
#include "detect/export.h"

#include <string.h>

#include "bulkhead/frame.h"
#include "detect/export_mark.h"

/* A stream that began before the sensor did is told by a record this near to a packet's begin. */
#define LATE_SPAN 256
#define ARMOUR_STEP 1024 /* bytes of text's content read at a time */
#define BARE_FRAMES 64	 /* in one payload: a merged super-frame of small ones */
#define SFLOW_SAMPLES 256
#define SFLOW_RECORDS 64
#define SFLOW_ETHERNET 1
#define SFLOW_IPV4 11
#define SFLOW_IPV6 12

bool export_holds(const uint8_t *data, size_t len, size_t wire)
{
	struct mark_place place;

	return mark_bare(data, len) != EXPORT_NONE || mark_behind(data, len, wire, &place);
}

static struct mark mark_of(const struct export_stream *s)
{
	return (struct mark){.format = s->format,
			     .big_endian = s->big_endian,
			     .interfaces = s->interfaces,
			     .linktype = s->linktype[0]};
}

static void take_mark(struct export_stream *s, const struct mark *mark)
{
	s->format = mark->format;
	s->big_endian = mark->big_endian;
	s->interfaces = mark->interfaces;
	s->linktype[0] = mark->linktype;
}

bool export_begins(const uint8_t *data, size_t len, size_t wire, uint64_t now_ns)
{
	struct armour armour;
	struct mark mark = {0};
	size_t at;

	return export_holds(data, len, wire) || mark_sflow(data, len) ||
	       armour_begins(&armour, data, len, &at) ||
	       mark_find(&mark, data, len, LATE_SPAN, now_ns) < len;
}

/* ---- records --------------------------------------------------------------------------------- */

struct record {
	uint32_t head;	 /* bytes before the packet */
	uint64_t total;	 /* with head, packet and what is behind it */
	uint32_t caplen; /* 0: no packet */
	uint32_t len;
	uint16_t linktype;
};

/* Bytes of a record that have to be there before more can be said. */
static uint32_t head_wanted(const struct export_stream *s)
{
	const uint8_t *p = s->buffer;

	switch (s->format) {
	case EXPORT_PCAP:
		return PCAP_RECORD_HEADER;
	case EXPORT_PCAPNG:
		if (s->have < PCAPNG_SECTION_HEADER)
			return PCAPNG_SECTION_HEADER;
		return mark_read32(p, s->big_endian) == 6 ? PCAPNG_PACKET_HEADER
							  : PCAPNG_SECTION_HEADER;
	default:
		if (s->have < RPCAP_HEADER)
			return RPCAP_HEADER;
		return p[1] == RPCAP_PACKET ? RPCAP_PACKET_HEADER : RPCAP_HEADER;
	}
}

static bool read_pcap(const struct export_stream *s, struct record *r)
{
	bool big = s->big_endian;

	r->head = PCAP_RECORD_HEADER;
	r->caplen = mark_read32(s->buffer + 8, big);
	r->len = mark_read32(s->buffer + 12, big);
	r->total = (uint64_t)r->head + r->caplen;
	r->linktype = s->linktype[0];
	return r->caplen <= PACKET_LEN_MAX && mark_read32(s->buffer + 4, big) < 1000000000;
}

static uint16_t interface_link(const struct export_stream *s, uint32_t interface)
{
	return interface < s->interfaces ? s->linktype[interface] : LINK_ETHERNET;
}

static bool read_pcapng(struct export_stream *s, struct record *r)
{
	const uint8_t *p = s->buffer;
	bool big = s->big_endian;
	uint32_t total = mark_read32(p + 4, big);
	struct mark mark = mark_of(s);

	if (mark_file(p, s->have, &mark)) { /* a new section, maybe in the other byte order */
		take_mark(s, &mark);
		total = mark_read32(p + 4, s->big_endian);
	}
	r->total = total;
	r->head = PCAPNG_SECTION_HEADER;
	if (total < PCAPNG_SECTION_HEADER || total % 4 != 0 || total > PACKET_LEN_MAX * 4)
		return false;
	switch (mark_read32(p, s->big_endian)) {
	case 1: /* interface description */
		if (s->interfaces < EXPORT_INTERFACES)
			s->linktype[s->interfaces++] = mark_read16(p + 8, big);
		return true;
	case 3: /* simple packet: all of it, or what the snap length left */
		r->len = mark_read32(p + 8, big);
		r->caplen = r->len <= total - 16 ? r->len : total - 16;
		r->linktype = interface_link(s, 0);
		return total >= 16;
	case 6: /* enhanced packet */
		r->head = PCAPNG_PACKET_HEADER;
		r->caplen = mark_read32(p + 20, big);
		r->len = mark_read32(p + 24, big);
		r->linktype = interface_link(s, mark_read32(p + 8, big));
		return total >= 32 && r->caplen <= total - 32;
	default:
		return true;
	}
}

static bool read_rpcap(const struct export_stream *s, struct record *r)
{
	const uint8_t *p = s->buffer;
	uint32_t room = read_be32(p + 4);

	r->head = p[1] == RPCAP_PACKET ? RPCAP_PACKET_HEADER : RPCAP_HEADER;
	r->total = (uint64_t)RPCAP_HEADER + room;
	r->linktype = LINK_ETHERNET; /* said on another connection */
	if (p[0] > 1 || room > PACKET_LEN_MAX + 20)
		return false;
	if (p[1] != RPCAP_PACKET)
		return true;
	r->caplen = read_be32(p + 16);
	r->len = read_be32(p + 20);
	return room >= 20 && r->caplen <= room - 20;
}

static bool read_record(struct export_stream *s, struct record *r)
{
	*r = (struct record){0};
	switch (s->format) {
	case EXPORT_PCAP:
		return read_pcap(s, r);
	case EXPORT_PCAPNG:
		return read_pcapng(s, r);
	default:
		return read_rpcap(s, r);
	}
}

/* Moves up to `until` bytes into the buffer; true when they are there. */
static bool fill(struct export_stream *s, uint32_t until, const uint8_t **data, size_t *len)
{
	size_t take = until > s->have ? until - s->have : 0;

	if (take > *len)
		take = *len;
	memcpy(s->buffer + s->have, *data, take);
	s->have += (uint32_t)take;
	*data += take;
	*len -= take;
	return s->have >= until;
}

static void lose(struct export_stream *s)
{
	s->synced = false;
	s->have = 0;
	s->skip = 0;
}

/* One record, as far as the data goes; false when more is needed. */
static bool take_record(struct export_stream *s, const uint8_t **data, size_t *len,
			export_each *each, void *context)
{
	struct record r;
	uint32_t want;

	while (s->have < (want = head_wanted(s)))
		if (!fill(s, want, data, len))
			return false;
	if (!read_record(s, &r)) {
		lose(s);
		return true;
	}
	want = r.caplen < EXPORT_SNAP ? r.caplen : EXPORT_SNAP;
	if (!fill(s, r.head + want, data, len))
		return false;
	if (r.caplen > 0)
		each(context, &(struct export_packet){.data = s->buffer + r.head,
						      .caplen = want,
						      .len = r.len < want ? want : r.len,
						      .linktype = r.linktype});
	s->skip = r.total > r.head + want ? r.total - (r.head + want) : 0;
	s->have = 0;
	return true;
}

/* Looks for where to begin; takes what is before it off the data. */
static void synchronise(struct export_stream *s, const uint8_t **data, size_t *len, uint64_t now_ns)
{
	struct mark mark = mark_of(s);
	size_t at = mark_find(&mark, *data, *len, *len, now_ns);

	if (at < *len) {
		struct mark file = {0};

		take_mark(s, &mark);
		s->synced = true;
		/* pcap's file header is passed over; pcapng's is a block like any other. */
		if (s->format == EXPORT_PCAP && mark_file(*data + at, *len - at, &file) &&
		    file.format == EXPORT_PCAP)
			s->skip = PCAP_FILE_HEADER;
	}
	*data += at;
	*len -= at;
}

static void feed(struct export_stream *s, const uint8_t *data, size_t len, uint64_t now_ns,
		 export_each *each, void *context)
{
	while (len > 0) {
		size_t pass = s->skip < len ? (size_t)s->skip : len;

		data += pass;
		len -= pass;
		s->skip -= pass;
		if (len == 0)
			return;
		if (!s->synced) {
			synchronise(s, &data, &len, now_ns);
			continue;
		}
		if (!take_record(s, &data, &len, each, context))
			return;
	}
}

void export_feed(struct export_stream *s, const uint8_t *data, size_t len, uint64_t now_ns,
		 export_each *each, void *context)
{
	uint8_t plain[ARMOUR_STEP];
	size_t at, count;

	if (s->format == EXPORT_NONE && s->armour.coding == ARMOUR_NONE &&
	    armour_begins(&s->armour, data, len, &at)) {
		data += at;
		len -= at;
	}
	if (s->armour.coding == ARMOUR_NONE) {
		feed(s, data, len, now_ns, each, context);
		return;
	}
	while (len > 0) {
		count = armour_strip(&s->armour, &data, &len, plain, sizeof plain);
		feed(s, plain, count, now_ns, each, context);
	}
}

/* The record at hand ends in a gap: its header tells how far it goes, and its packet may be long
 * enough to say whose it is. */
static void give_up(struct export_stream *s, export_each *each, void *context)
{
	struct record r;

	if (!s->synced || s->have < head_wanted(s) || !read_record(s, &r) || s->have < r.head ||
	    r.total < s->have)
		return;
	if (s->have > r.head)
		each(context, &(struct export_packet){.data = s->buffer + r.head,
						      .caplen = s->have - r.head,
						      .len = r.len < r.caplen ? r.caplen : r.len,
						      .linktype = r.linktype});
	s->skip = r.total - s->have;
	s->have = 0;
}

void export_gap(struct export_stream *s, uint64_t missing, export_each *each, void *context)
{
	if (missing > 0 && s->have > 0)
		give_up(s, each, context);
	if (s->armour.coding != ARMOUR_NONE && missing > 0) {
		/* How many bytes the text stood for, its line breaks hide. */
		armour_gap(&s->armour);
		lose(s);
		return;
	}
	if (s->have == 0 && missing <= s->skip)
		s->skip -= missing; /* inside what is passed over anyway */
	else
		lose(s);
}

/* ---- sFlow version 5 (sflow.org/sflow_version_5.txt) ----------------------------------------- */

static void sflow_record(struct cursor *c, uint32_t format, export_each *each, void *context)
{
	struct export_packet packet = {0};
	uint32_t protocol, stripped;

	if (format != 1) /* raw packet header */
		return;
	protocol = cursor_be32(c);
	packet.len = cursor_be32(c);
	stripped = cursor_be32(c);
	packet.caplen = cursor_be32(c);
	packet.data = cursor_take(c, packet.caplen);
	if (packet.data == NULL || packet.caplen == 0)
		return;
	if (protocol == SFLOW_ETHERNET)
		packet.linktype = LINK_ETHERNET;
	else if (protocol == SFLOW_IPV4 || protocol == SFLOW_IPV6)
		packet.linktype = LINK_RAW;
	else
		return;
	packet.len -= stripped < packet.len ? stripped : 0;
	if (packet.len < packet.caplen)
		packet.len = packet.caplen;
	each(context, &packet);
}

static void sflow_sample(struct cursor *c, uint32_t format, export_each *each, void *context)
{
	uint32_t records;

	if (format == 1)
		(void)cursor_take(c, 28); /* flow sample */
	else if (format == 3)
		(void)cursor_take(c, 40); /* expanded */
	else
		return;
	records = cursor_be32(c);
	for (uint32_t i = 0; i < records && i < SFLOW_RECORDS; i++) {
		uint32_t kind = cursor_be32(c);
		uint32_t size = cursor_be32(c);
		const uint8_t *at = cursor_take(c, size);
		struct cursor record;

		if (at == NULL)
			return;
		record = cursor_over(at, size);
		sflow_record(&record, kind, each, context);
	}
}

bool export_sflow(const uint8_t *data, size_t len, export_each *each, void *context)
{
	struct cursor c = cursor_over(data, len);
	uint32_t samples;

	if (!mark_sflow(data, len))
		return false;
	(void)cursor_take(&c, read_be32(data + 4) == 1 ? 24 : 36);
	samples = cursor_be32(&c);
	for (uint32_t i = 0; i < samples && i < SFLOW_SAMPLES; i++) {
		uint32_t format = cursor_be32(&c);
		uint32_t size = cursor_be32(&c);
		const uint8_t *at = cursor_take(&c, size);
		struct cursor sample;

		if (at == NULL)
			break; /* cut by the snap length: what came before it is whole */
		sample = cursor_over(at, size);
		sflow_sample(&sample, format, each, context);
	}
	return true;
}

/* ---- bare packets ---------------------------------------------------------------------------- */

static void give_place(const uint8_t *data, size_t len, const struct mark_place *place,
		       export_each *each, void *context)
{
	size_t all = place->at + place->len;

	each(context,
	     &(struct export_packet){.data = data + place->at,
				     .caplen = (uint32_t)(all < len ? place->len : len - place->at),
				     .len = (uint32_t)place->len,
				     .linktype = place->linktype});
}

enum export_format export_behind(const uint8_t *data, size_t len, size_t wire, export_each *each,
				 void *context)
{
	struct mark_place place;

	if (!mark_behind(data, len, wire, &place))
		return EXPORT_NONE;
	give_place(data, len, &place, each, context);
	return place.format;
}

enum export_format export_bare(const uint8_t *data, size_t len, export_each *each, void *context)
{
	enum export_format format = EXPORT_NONE;
	struct mark_place place;

	/* A stream may hold several writes of a frame each in one segment. */
	for (unsigned i = 0; i < BARE_FRAMES && mark_packet(data, len, &place); i++) {
		size_t all = place.at + place.len;

		give_place(data, len, &place, each, context);
		format = place.format;
		if (all >= len)
			break;
		data += all;
		len -= all;
	}
	return format;
}

const char *export_name(enum export_format format)
{
	static const char *const names[] = {
	    [EXPORT_NONE] = "unknown",	[EXPORT_PCAP] = "pcap",	  [EXPORT_PCAPNG] = "pcapng",
	    [EXPORT_RPCAP] = "rpcap",	[EXPORT_SFLOW] = "sFlow", [EXPORT_FRAMES] = "frames",
	    [EXPORT_TUNNEL] = "tunnel",
	};

	return format < sizeof names / sizeof names[0] ? names[format] : "unknown";
}
