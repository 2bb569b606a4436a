/* SPDX-License-Identifier: Apache-2.0 */
/* emit.c - puts events into the ring towards the judge. */
#include <string.h>
#include <time.h>

#include "judge.h"
#include "worker.h"

/* A replay waits for the judge rather than lose an event; the sensor must not. */
#define WAIT_NS 50000
/* Ethernet with tags, IP and TCP without options. */
#define SHED_SNAP 64

static void *reserve(struct worker *w, enum event_kind kind, size_t size)
{
	void *p;

	if (w->shared->live && shed_event(w, kind)) {
		stat_add(&w->stats, STAT_EVENTS_DROPPED, 1);
		return NULL;
	}
	while ((p = ring_reserve(w->ring, size)) == NULL) {
		struct timespec pause = {.tv_nsec = WAIT_NS};

		if (w->shared->live || atomic_load(&w->shared->failed)) {
			stat_add(&w->stats, STAT_EVENTS_DROPPED, 1);
			return NULL;
		}
		ring_publish(w->ring);
		judge_wake(w->judge);
		(void)nanosleep(&pause, NULL);
	}
	return p;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* The frame that the event is about, or NULL. */
static const uint8_t *frame_of(const struct emission *e, const struct worker *w, uint32_t *caplen)
{
	uint32_t most = e->whole ? RECORD_FRAME_MAX : (uint32_t)w->shared->options->evidence.snap;

	if (!e->whole && w->shed >= SHED_EVIDENCE)
		most = smaller(most, SHED_SNAP);
	*caplen = 0;
	if (e->frameless)
		return NULL;
	if (e->sample != NULL) {
		*caplen = e->sample->caplen;
		return e->sample->data;
	}
	if (w->frame == NULL)
		return NULL;
	*caplen = smaller(w->frame->caplen, most);
	return w->frame->data;
}

static void put_frame(struct record *r, const struct emission *e, const uint8_t *data)
{
	uint8_t *to = (uint8_t *)r + record_head(r->kind);

	if (r->other_caplen != 0) {
		memcpy(to, e->other->data, e->other->caplen);
		to += e->other->caplen;
	}
	if (data != NULL)
		memcpy(to, data, r->frame_caplen);
}

static void fill_frames(struct record *r, const struct emission *e, const struct worker *w)
{
	const struct frame *frame = w->frame;

	r->order = frame != NULL ? frame->number : UINT64_MAX;
	r->number = r->order;
	r->ts_ns = w->now_ns;
	if (e->frameless) {
		return;
	} else if (e->sample != NULL) {
		r->tap = frame != NULL ? frame->tap : 0;
		r->number = e->sample->number;
		r->ts_ns = e->sample->ts_ns;
		r->frame_len = e->sample->len;
		r->linktype = e->sample->linktype;
	} else if (frame != NULL) {
		r->frame_len = frame->len;
		r->linktype = frame->linktype;
		r->tap = frame->tap;
	}
	if (e->other != NULL) {
		r->other_number = e->other->number;
		r->other_ts_ns = e->other->ts_ns;
		r->other_len = e->other->len;
		r->other_caplen = e->other->caplen;
		r->other_linktype = e->other->linktype;
	}
}

static void fill_packet(struct record *r, const struct emission *e)
{
	const struct packet *p = e->packet;

	r->has_packet = e->whole;
	r->layer = (uint8_t)e->place->layer;
	if (p == NULL)
		return;
	/* Of a cooked capture the sender's alone. */
	r->has_mac = (p->flags & PACKET_MAC) != 0 || !mac_is_zero(p->smac);
	r->smac = p->smac;
	r->dmac = p->dmac;
	r->has_vni = (p->flags & PACKET_VNI) != 0;
	r->vni = p->vni;
	for (unsigned i = 0; i < p->tag_count; i++) {
		uint16_t vid = p->tag[i].tci & 0x0fff;

		if (vid != 0)
			r->vlan[r->vlan_count++] = vid;
	}
	if (e->flow != NULL || (p->l3 != L3_IPV4 && p->l3 != L3_IPV6))
		return;
	r->has_ip = true;
	r->tuple = (struct flow_tuple){.src = p->src,
				       .dst = p->dst,
				       .sport = p->sport,
				       .dport = p->dport,
				       .proto = p->proto,
				       .domain = e->place->domain};
	if (!(p->flags & PACKET_L4) || p->proto == IPPROTO_NUM_ICMP ||
	    p->proto == IPPROTO_NUM_ICMPV6) {
		r->tuple.sport = 0;
		r->tuple.dport = 0;
	}
}

/* Of a length that it does not know gcc makes a "rep stos", which is slow to begin. */
static void wipe(struct record *r, size_t head)
{
	char *bytes = (char *)r;
	size_t at = 0;

	for (; at + 32 <= head; at += 32)
		memset(bytes + at, 0, 32);
	for (; at < head; at += 8) /* record_head() is a multiple of that */
		memset(bytes + at, 0, 8);
}

struct record *emit_begin(struct worker *w, const struct emission *e)
{
	uint32_t caplen;
	const uint8_t *data = frame_of(e, w, &caplen);
	uint32_t other = e->other != NULL && !e->frameless ? e->other->caplen : 0;
	size_t head = record_head(e->kind);
	struct record *r = reserve(w, e->kind, head + other + caplen);

	if (r == NULL)
		return NULL;
	wipe(r, head);
	r->kind = (uint8_t)e->kind;
	r->phase = e->frameless ? PHASE_SWEEP : PHASE_FRAME;
	r->segment = e->place->segment;
	r->domain = e->place->domain;
	r->path = e->path;
	r->frame_caplen = caplen;
	fill_frames(r, e, w);
	fill_packet(r, e);
	if (e->flow != NULL) {
		r->has_flow = true;
		r->has_ip = true;
		r->flow_id = e->flow->id;
		r->tuple = flow_tuple_of(e->flow, e->direction);
	}
	put_frame(r, e, data);
	return r;
}

void emit_commit(struct worker *w, struct record *r)
{
	stat_add(&w->stats, STAT_EVENTS, 1);
	ring_commit(w->ring, record_size(r));
}

void emit_tick(struct worker *w, uint64_t second_ns)
{
	struct record *r = reserve(w, RECORD_TICK, record_head(RECORD_TICK));

	if (r == NULL)
		return;
	memset(r, 0, record_head(RECORD_TICK));
	r->kind = RECORD_TICK;
	r->phase = PHASE_TICK;
	r->order = w->frame != NULL ? w->frame->number : 0;
	r->ts_ns = second_ns;
	ring_commit(w->ring, record_size(r));
}
