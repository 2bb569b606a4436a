/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reassemble.c - neighbour discovery in IPv6 fragments put together (RFC 7113, RFC 6980).
 *
 * Only what may be an ND message comes here (hop limit 255), few and small; anything longer than
 * an Ethernet frame can say is no control message and is let go.
 *
 *	frame of the first fragment up to its fragment header | fragments by their offsets
 *
 * Hosts drop overlapping fragments (RFC 5722), or take the first or the last bytes: where they
 * differ, the message is read both ways.
 */
#include <stdlib.h>
#include <string.h>

#include "worker.h"

#define SLOTS 32
#define HEAD_MAX 192 /* link header, tags, IPv6 and the headers up to the fragment header */
#define DATA_MAX (RECORD_FRAME_MAX - HEAD_MAX)
#define UNIT 8
#define LIFE_NS (60 * NS_PER_SEC) /* RFC 8200 4.5 */
#define IPV6_HEADER 40
#define FRAGMENT_HEADER 8
#define NEXT_FRAGMENT 44
#define HEADERS_MAX 8

struct slot {
	bool used, has_head;
	uint16_t scope;
	uint32_t id;
	struct ip_addr src, dst;
	uint64_t since_ns;
	uint32_t head_len, l3_at;
	uint32_t total; /* 0: the last fragment is still to come */
	uint32_t units; /* distinct ones received */
	uint8_t got[DATA_MAX / UNIT];
	uint8_t head[HEAD_MAX];
	bool differ;		   /* fragments overlapped with other bytes */
	uint8_t data[2][DATA_MAX]; /* the first bytes won, the last ones */
};

struct reassembly {
	struct stats *stats;
	const struct slot *whole;
	struct frame frame;
	uint8_t out[RECORD_FRAME_MAX];
	struct slot slot[SLOTS];
};

struct reassembly *reassembly_new(struct stats *stats)
{
	struct reassembly *r = calloc(1, sizeof *r);

	if (r != NULL)
		r->stats = stats;
	return r;
}

void reassembly_free(struct reassembly *r)
{
	free(r);
}

/* Offset of what follows the fragment header, from the IPv6 header; 0 when there is none. */
static uint32_t find_data(const struct packet *p)
{
	uint32_t at = IPV6_HEADER;
	uint8_t next;

	if (p->l3_len < IPV6_HEADER)
		return 0;
	next = p->l3_data[6];
	for (unsigned i = 0; i < HEADERS_MAX && at + FRAGMENT_HEADER <= p->l3_len; i++) {
		if (next == NEXT_FRAGMENT)
			return at + FRAGMENT_HEADER;
		next = p->l3_data[at];
		at += (p->l3_data[at + 1] + 1u) * 8;
	}
	return 0;
}

static struct slot *find_slot(struct reassembly *r, const struct packet *p, uint16_t scope,
			      uint64_t now_ns)
{
	struct slot *oldest = &r->slot[0];

	for (unsigned i = 0; i < SLOTS; i++) {
		struct slot *s = &r->slot[i];

		if (s->used && now_ns - s->since_ns > LIFE_NS) {
			s->used = false;
			stat_add(r->stats, STAT_FRAGMENTS_LOST, 1);
		}
		if (s->used && s->id == p->ip_id && s->scope == scope &&
		    ip_equal(&s->src, &p->src) && ip_equal(&s->dst, &p->dst))
			return s;
		if (oldest->used && (!s->used || s->since_ns < oldest->since_ns))
			oldest = s;
	}
	if (oldest->used)
		stat_add(r->stats, STAT_FRAGMENTS_LOST, 1);
	memset(oldest->got, 0, sizeof oldest->got);
	oldest->used = true;
	oldest->has_head = false;
	oldest->differ = false;
	oldest->scope = scope;
	oldest->id = p->ip_id;
	oldest->src = p->src;
	oldest->dst = p->dst;
	oldest->since_ns = now_ns;
	oldest->total = 0;
	oldest->units = 0;
	return oldest;
}

static bool take_head(struct slot *s, const struct frame *frame, const struct packet *p,
		      uint32_t data_at)
{
	size_t l3_at = (size_t)(p->l3_data - frame->data);

	if (l3_at + data_at > HEAD_MAX)
		return false;
	s->l3_at = (uint32_t)l3_at;
	s->head_len = s->l3_at + data_at;
	memcpy(s->head, frame->data, s->head_len);
	s->has_head = true;
	return true;
}

static void take_data(struct slot *s, const uint8_t *data, uint32_t len, uint32_t offset)
{
	for (uint32_t at = 0; at < len; at += UNIT) {
		uint32_t part = len - at < UNIT ? len - at : UNIT;
		uint8_t *got = &s->got[(offset + at) / UNIT];

		if (!*got) {
			*got = 1;
			s->units++;
			memcpy(s->data[0] + offset + at, data + at, part);
		} else if (memcmp(s->data[1] + offset + at, data + at, part) != 0) {
			s->differ = true;
		}
		memcpy(s->data[1] + offset + at, data + at, part);
	}
}

const struct frame *reassembly_frame(struct reassembly *r, const struct frame *frame,
				     unsigned version)
{
	const struct slot *s = r->whole;
	uint32_t payload = s->head_len - s->l3_at - IPV6_HEADER + s->total;
	uint8_t *l3 = r->out + s->l3_at;
	uint8_t *offset = r->out + s->head_len - FRAGMENT_HEADER + 2;

	memcpy(r->out, s->head, s->head_len);
	memcpy(r->out + s->head_len, s->data[version], s->total);
	l3[4] = (uint8_t)(payload >> 8);
	l3[5] = (uint8_t)payload;
	offset[0] = 0; /* the whole of it, nothing follows */
	offset[1] = 0;
	r->frame = *frame;
	r->frame.data = r->out;
	r->frame.caplen = s->head_len + s->total;
	r->frame.len = r->frame.caplen;
	return &r->frame;
}

unsigned reassembly_add(struct reassembly *r, const struct frame *frame, const struct packet *p,
			uint16_t scope, uint64_t now_ns)
{
	uint32_t data_at = find_data(p);
	uint32_t offset = p->fragment_offset;
	uint32_t len;
	struct slot *s;

	/* Cut by the snap length, longer than its header says, or too long to matter. */
	if (data_at == 0 || p->l3_len != p->ip_len || p->l3_len <= data_at)
		return 0;
	len = p->l3_len - data_at;
	if (offset + len > DATA_MAX || (p->fragment_more && len % UNIT != 0))
		return 0;
	s = find_slot(r, p, scope, now_ns);
	if (offset == 0 && !s->has_head && !take_head(s, frame, p, data_at))
		return 0;
	take_data(s, p->l3_data + data_at, len, offset);
	if (!p->fragment_more)
		s->total = offset + len;
	if (s->total == 0 || !s->has_head || s->units * UNIT < s->total)
		return 0;
	s->used = false;
	r->whole = s;
	return s->differ ? 2 : 1;
}
