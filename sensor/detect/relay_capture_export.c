/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay_capture_export.c - captured packets of another tenant leave a tenant's host
 * (relay.capture-export) or arrive at one, whoever sends them (observe.capture-export).
 *
 * The stream is read in order (export.c); a segment that comes late is left out, and after a gap
 * reading goes on at the next record.  Whose a packet in it is: copied.c.
 */
#include <string.h>

#include "base/cursor.h"
#include "base/table.h"
#include "detect/build.h"
#include "detect/copied.h"
#include "detect/export.h"
#include "detect/gunzip.h"

#define STREAMS 256	  /* at a time: a capture on the wire is rare */
#define TALKS 16	  /* conversations a stream is watched for both directions of */
#define UNPACK_STEP 2048  /* bytes at a time */
#define UNPACK_MAX 262144 /* out of one segment: 180 times what goes into it */
#define PCAP_FILE 64	  /* in so many bytes a capture says that it is one */
#define ECHO_HEADER 8	  /* type, code, checksum, identifier, number */
#define ECHO_NUMBER_AT 6
#define ECHO_KEY (UINT64_C(1) << 32) /* no port: of a flow's requests */
#define ASKED 8			     /* echo requests on their way */
#define VICTIMS 4		     /* told of in one packet of the stream */

static const char *const kinds[] = {"observe.capture-export", "relay.tunnel", "observe.tunnel",
				    NULL};

struct stream_key {
	uint64_t flow_id;
	struct ip_addr src;
	uint64_t sport;
};

enum packed { PACKED_NOT, PACKED_GZIP, PACKED_LOST };

/* An echo request: what answers it repeats its data. */
struct asked {
	uint32_t hash;
	uint16_t number;
	bool known;
};

struct stream {
	struct export_stream in;
	struct asked asked[ASKED];
	uint8_t packed; /* enum packed */
	uint32_t next_seq;
	bool has_seq;
	struct {
		uint32_t hash;
		uint8_t directions;
	} talk[TALKS];
};

struct state {
	struct copied_book *book;
	struct table *streams;
	struct gunzip_pool *gunzip;
};

/* What one packet of a stream holds of one victim. */
struct share {
	struct copied copied;
	struct copied_case c;
	struct packet packet;
	unsigned which;
	uint64_t packets, bytes;
	bool mirrored;
};

struct role {
	bool suspect;
	uint32_t tenant;
	unsigned count;
	struct share share[VICTIMS];
};

struct reading {
	struct state *s;
	struct stream *stream;
	const struct event *ev;
	struct copied_end end[2]; /* sender, receiver */
	struct role role[2];
};

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	(void)options;
	s->book = copied_book_new(seed);
	s->streams = table_new(STREAMS, sizeof(struct stream_key), sizeof(struct stream), seed);
	s->gunzip = gunzip_pool_new();
	if (s->book == NULL || s->streams == NULL || s->gunzip == NULL)
		return err_set(err, ERR_MEMORY, "no memory");
	return 0;
}

static uint32_t mix(uint32_t hash, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++) /* FNV-1a: a collision only costs a packet's patience */
		hash = (hash ^ p[i]) * 16777619u;
	return hash;
}

/* Have both directions of the packet's conversation been in the stream? */
static bool both_directions(struct stream *stream, const struct packet *p)
{
	bool swapped = memcmp(&p->src, &p->dst, sizeof p->src) > 0;
	uint16_t port[2] = {swapped ? p->dport : p->sport, swapped ? p->sport : p->dport};
	uint32_t hash = 2166136261u ^ p->proto;
	unsigned at;

	hash = mix(hash, swapped ? &p->dst : &p->src, sizeof p->src);
	hash = mix(hash, swapped ? &p->src : &p->dst, sizeof p->src);
	if (p->proto == IPPROTO_NUM_TCP || p->proto == IPPROTO_NUM_UDP)
		hash = mix(hash, port, sizeof port);
	at = hash % TALKS;
	if (stream->talk[at].hash != hash) {
		stream->talk[at].hash = hash;
		stream->talk[at].directions = 0;
	}
	stream->talk[at].directions |= swapped ? 2 : 1;
	return stream->talk[at].directions == 3;
}

static struct share *share_of(struct role *role, uint32_t victim)
{
	for (unsigned i = 0; i < role->count; i++)
		if (role->share[i].copied.owner[role->share[i].which].tenant == victim)
			return &role->share[i];
	return NULL;
}

static void add(struct role *role, const struct copied_case *c, const struct copied *copied,
		uint32_t bytes)
{
	for (unsigned i = 0; i < copied->count; i++) {
		struct share *share = share_of(role, copied->owner[copied->which[i]].tenant);

		if (share == NULL) {
			if (role->count == VICTIMS)
				return;
			share = &role->share[role->count++];
			*share = (struct share){.copied = *copied, .c = *c, .packet = *c->packet};
			share->which = copied->which[i];
		}
		if (copied->confidence > share->copied.confidence)
			share->copied.confidence = copied->confidence;
		share->copied.native |= copied->native;
		share->mirrored |= c->mirrored;
		share->packets++;
		share->bytes += bytes;
	}
}

static void packet_read(void *context, const struct export_packet *exported)
{
	struct reading *r = context;
	struct frame frame = {.data = exported->data,
			      .caplen = exported->caplen,
			      .len = exported->len,
			      .ts_ns = r->ev->ts_ns,
			      .linktype = exported->linktype};
	struct packet_stack stack;
	struct copied_case c = {
	    .book = r->s->book, .ev = r->ev, .packet = &stack.layer[0], .domain = r->ev->domain};
	struct copied copied;

	packet_decode(&frame, &stack);
	if (stack.layer[0].l3 != L3_IPV4 && stack.layer[0].l3 != L3_IPV6)
		return;
	c.mirrored = both_directions(r->stream, c.packet);
	c.sender = r->end[0].tenant;
	for (unsigned i = 0; i < 2; i++) {
		if (!r->role[i].suspect)
			continue;
		c.tenant = r->role[i].tenant;
		copied_judge(&c, &copied);
		add(&r->role[i], &c, &copied, exported->len);
	}
}

static const char *kind_of(const struct stream *stream, bool receives)
{
	if (stream->in.format == EXPORT_TUNNEL)
		return receives ? "observe.tunnel" : "relay.tunnel";
	return receives ? "observe.capture-export" : "relay.capture-export";
}

static void tell(struct reading *r, unsigned receives, struct share *share, bool certain,
		 struct findings *out)
{
	const struct event *ev = r->ev;
	struct ip_addr ends[2] = {ev->tuple.src, ev->tuple.dst};
	uint32_t victim = share->copied.owner[share->which].tenant;
	char text[IP_TEXT_SIZE];
	struct finding *f;

	if (receives && copied_end_took_it(&r->end[0], victim))
		return;
	if (!copied_enough(r->s->book, ends, victim, certain || share->mirrored, ev->ts_ns,
			   &share->packets, &share->bytes))
		return;
	f = build_finding(out, ev, kind_of(r->stream, receives), share->copied.confidence);
	if (f == NULL)
		return;
	f->actor = r->end[receives].party;
	if (!receives)
		f->next = r->end[1].party;
	f->count = share->packets;
	f->bytes = share->bytes;
	finding_detail_text(f, "format", export_name((enum export_format)r->stream->in.format));
	finding_detail_text(f, "sender", ip_format(&ev->tuple.src, text));
	finding_detail_text(f, "receiver", ip_format(&ev->tuple.dst, text));
	if (ev->packet->proto == IPPROTO_NUM_TCP || ev->packet->proto == IPPROTO_NUM_UDP)
		finding_detail_uint(f, "receiver_port", ev->tuple.dport);
	share->c.packet = &share->packet;
	share->copied.which[0] = share->which;
	copied_fill(f, &share->c, &share->copied, 0);
}

/* The flow's id and direction, as far as one stream differs from another by it. */
static uint64_t name_of(const struct event *ev)
{
	return ev->flow_id << 1 | (ev->tuple.sport < ev->tuple.dport);
}

/* What is given up at once leaves its place to others: whoever fills all with rubbish would push a
 * capture out. */
static void lose(struct reading *r)
{
	gunzip_end(r->s->gunzip, name_of(r->ev));
	r->stream->packed = PACKED_LOST;
}

static void unpack(struct reading *r, const uint8_t *data, size_t len)
{
	uint64_t name = name_of(r->ev);
	uint8_t plain[UNPACK_STEP];
	size_t count = 0, out = 0;
	bool broken;

	/* A full buffer may not have been all. */
	while ((len > 0 || count == sizeof plain) && r->stream->packed == PACKED_GZIP) {
		count = gunzip_read(r->s->gunzip, name, &data, &len, plain, sizeof plain, &broken);
		export_feed(&r->stream->in, plain, count, r->ev->ts_ns, packet_read, r);
		out += count;
		/* What begins like no capture is none; and a bomb is not worth its while. */
		if (broken || out > UNPACK_MAX ||
		    (out > PCAP_FILE && r->stream->in.format == EXPORT_NONE))
			lose(r);
	}
}

static void read_bytes(struct reading *r, const uint8_t *data, size_t len, bool first)
{
	struct stream *stream = r->stream;

	if (first && stream->in.format == EXPORT_NONE && gunzip_begins(data, len))
		stream->packed =
		    gunzip_start(r->s->gunzip, name_of(r->ev)) ? PACKED_GZIP : PACKED_LOST;
	if (stream->packed == PACKED_NOT)
		export_feed(&stream->in, data, len, r->ev->ts_ns, packet_read, r);
	else
		unpack(r, data, len);
}

static void miss_bytes(struct reading *r, uint64_t missing)
{
	struct stream *stream = r->stream;

	if (stream->packed == PACKED_NOT)
		export_gap(&stream->in, missing, packet_read, r);
	else
		lose(r); /* each byte needs those before it */
}

static void feed(struct reading *r)
{
	struct stream *stream = r->stream;
	const struct packet *p = r->ev->packet;
	const uint8_t *data = p->payload;
	size_t len = p->payload_len;
	bool first = !stream->has_seq;

	if (stream->in.format == EXPORT_NONE || stream->in.format >= EXPORT_FRAMES) {
		enum export_format bare = export_bare(data, len, packet_read, r);

		if (bare != EXPORT_NONE)
			stream->in.format = (uint8_t)bare;
		else if (stream->in.format >= EXPORT_FRAMES)
			(void)export_behind(data, len, p->payload_wire, packet_read, r);
		if (stream->in.format >= EXPORT_FRAMES)
			return;
	}
	if (p->proto != IPPROTO_NUM_TCP) {
		if (export_sflow(data, len, packet_read, r))
			stream->in.format = EXPORT_SFLOW;
		else
			export_feed(&stream->in, data, len, r->ev->ts_ns, packet_read, r);
	} else {
		int32_t ahead = stream->has_seq ? (int32_t)(p->tcp_seq - stream->next_seq) : 0;

		if (ahead < 0) { /* sent again, or late */
			if ((uint32_t)-ahead >= p->payload_wire)
				return;
			if ((uint32_t)-ahead >= len)
				len = 0;
			else
				len -= (uint32_t)-ahead;
			data += p->payload_len - len;
		} else if (ahead > 0) {
			miss_bytes(r, (uint32_t)ahead);
		}
		stream->has_seq = true;
		stream->next_seq = p->tcp_seq + p->payload_wire;
		read_bytes(r, data, len, first);
	}
	if (stream->in.format == EXPORT_NONE)
		stream->in.format = (uint8_t)export_behind(p->payload, p->payload_len,
							   p->payload_wire, packet_read, r);
	if (p->payload_wire > p->payload_len)
		miss_bytes(r, p->payload_wire - p->payload_len);
}

static bool is_echo_reply(const struct packet *p)
{
	return p->proto == IPPROTO_NUM_ICMP ? p->icmp_type == 0 : p->icmp_type == 129;
}

enum echo { ECHO_NONE, ECHO_REPEATED, ECHO_UNASKED };

/* Whoever answers pings repeats what was put into them, whosever packets.  A tunnel's end answers
 * otherwise than it was asked; where the question is not known, who answers is not to blame. */
static enum echo echo_of(struct state *s, const struct event *ev)
{
	const struct packet *p = ev->packet;
	struct stream_key key = {.flow_id = ev->flow_id, .sport = ECHO_KEY};
	struct asked asked = {.known = true};
	struct stream *stream;
	const struct asked *was;

	if (!packet_is_echo(p) || p->l4 == NULL || p->l4_len < ECHO_HEADER)
		return ECHO_NONE;
	asked.number = read_be16(p->l4 + ECHO_NUMBER_AT);
	asked.hash = mix(2166136261u, p->payload, p->payload_len);
	if (!is_echo_reply(p)) {
		key.src = ev->tuple.src;
		stream = table_put(s->streams, &key, NULL);
		stream->asked[asked.number % ASKED] = asked;
		return ECHO_NONE;
	}
	key.src = ev->tuple.dst;
	stream = table_find(s->streams, &key);
	was = stream != NULL ? &stream->asked[asked.number % ASKED] : NULL;
	if (was == NULL || !was->known || was->number != asked.number)
		return ECHO_UNASKED;
	return was->hash == asked.hash ? ECHO_REPEATED : ECHO_NONE;
}

static void read_payload(struct state *s, const struct event *ev, struct findings *out)
{
	struct stream_key key = {
	    .flow_id = ev->flow_id, .src = ev->tuple.src, .sport = ev->tuple.sport};
	struct reading r = {.s = s, .ev = ev};
	enum echo echo;
	bool certain;

	r.end[0] = copied_end_of(ev, ev->domain, &ev->tuple.src, ev->has_mac ? &ev->smac : NULL);
	r.end[1] = copied_end_of(ev, ev->domain, &ev->tuple.dst, ev->has_mac ? &ev->dmac : NULL);
	for (unsigned i = 0; i < 2; i++) {
		r.role[i].tenant = r.end[i].tenant;
		r.role[i].suspect = copied_end_is_suspect(&r.end[i]);
	}
	if (r.end[0].tenant == r.end[1].tenant)
		r.role[1].suspect = false; /* told once, of who sends it */
	echo = echo_of(s, ev);
	if (echo == ECHO_UNASKED)
		r.role[0].suspect = false;
	if ((!r.role[0].suspect && !r.role[1].suspect) || echo == ECHO_REPEATED)
		return;
	certain = r.end[0].tenant != r.end[1].tenant && r.end[0].tenant >= TENANT_INFRASTRUCTURE &&
		  r.end[1].tenant >= TENANT_INFRASTRUCTURE;
	r.stream = table_put(s->streams, &key, NULL);
	feed(&r);
	for (unsigned i = 0; i < 2; i++)
		for (unsigned k = 0; k < r.role[i].count; k++)
			tell(&r, i, &r.role[i].share[k], certain, out);
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	struct state *s = opaque;

	if (ev->kind == EVENT_RELAYED)
		copied_note_relay(s->book, ev);
	else if (ev->packet != NULL && ev->packet->payload != NULL && ev->has_ip)
		read_payload(s, ev, out);
}

static uint64_t evicted(const void *opaque)
{
	const struct state *s = opaque;

	return copied_evicted(s->book) + table_evicted(s->streams) + gunzip_evicted(s->gunzip);
}

static void close_state(void *opaque)
{
	struct state *s = opaque;

	copied_book_free(s->book);
	table_free(s->streams);
	gunzip_pool_free(s->gunzip);
}

const struct detector detect_relay_capture_export = {
    .kind = "relay.capture-export",
    .summary = "captured packets of another tenant leave a tenant's host or arrive at one",
    .also = kinds,
    .wants = EVENT_BIT(EVENT_PAYLOAD) | EVENT_BIT(EVENT_RELAYED),
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .evicted = evicted,
    .close = close_state,
};
