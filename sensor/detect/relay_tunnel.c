/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay_tunnel.c - packets of another tenant in a tunnel that a tenant's host sends (relay.tunnel)
 * or receives, whoever sends it (observe.tunnel).
 *
 *	victim ---- packet ----> its peer
 *	              :
 *	   [sender] == outer header | copy of the packet ==> [receiver]
 *
 * Whose the inner packet is: copied.c.
 */
#include "detect/build.h"
#include "detect/copied.h"

static const char *const kinds[] = {"observe.tunnel", NULL};

struct state {
	struct copied_book *book;
};

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	(void)options;
	s->book = copied_book_new(seed);
	return s->book != NULL ? 0 : err_set(err, ERR_MEMORY, "no memory");
}

struct tunnel {
	struct copied_end sender, receiver;
	bool certain; /* nobody in it copies its own traffic */
};

/* By the overlay's number when the provider speaks it, else as its outside. */
static uint16_t inner_domain(const struct event *ev, const struct tunnel *t, bool *trusted)
{
	const struct segment *segment;

	*trusted = false;
	if (!(ev->packet->flags & PACKET_VNI) || t->sender.tenant != TENANT_INFRASTRUCTURE)
		return copied_outer_domain(ev);
	segment =
	    inventory_segment(ev->inv, inventory_segment_of(ev->inv, 0, true, ev->packet->vni));
	if (segment == NULL || !segment->is_vni)
		return copied_outer_domain(ev);
	*trusted = true;
	return segment->domain;
}

/* Where it was seen: of the frame, not of what is inside. */
static void place(struct finding *f, const struct packet *frame)
{
	f->has_ether = (frame->flags & PACKET_MAC) != 0;
	f->smac = frame->smac;
	f->dmac = frame->dmac;
	f->vlan_count = 0;
	for (unsigned i = 0; i < frame->tag_count; i++)
		if ((frame->tag[i].tci & 0x0fff) != 0)
			f->vlan[f->vlan_count++] = frame->tag[i].tci & 0x0fff;
}

static void describe(struct finding *f, const struct event *ev)
{
	char text[IP_TEXT_SIZE];

	place(f, ev->first);
	finding_detail_text(f, "tunnel", encap_name((enum encap)ev->packet->encap));
	finding_detail_text(f, "outer_src", ip_format(&ev->outer->src, text));
	finding_detail_text(f, "outer_dst", ip_format(&ev->outer->dst, text));
	if (ev->packet->flags & PACKET_KEY)
		finding_detail_uint(f, "tunnel_key", ev->packet->tunnel_key);
}

static void tell(struct state *s, const struct event *ev, const struct tunnel *t, bool receives,
		 struct findings *out)
{
	const struct copied_end *actor = receives ? &t->receiver : &t->sender;
	struct ip_addr ends[2] = {ev->outer->src, ev->outer->dst};
	struct copied_case c = {.book = s->book,
				.ev = ev,
				.packet = ev->packet,
				.mirrored = ev->u.path.answered,
				.tenant = actor->tenant,
				.sender = t->sender.tenant,
				.sender_roles = t->sender.roles};
	struct copied copied;

	c.domain = inner_domain(ev, t, &c.trusted);
	copied_judge(&c, &copied);
	if (copied_is_behind(&c, &copied, receives))
		return;
	for (unsigned i = 0; i < copied.count; i++) {
		uint32_t victim = copied.owner[copied.which[i]].tenant;
		uint64_t packets = ev->u.path.packets;
		uint64_t bytes = ev->u.path.bytes;
		struct finding *f;

		if (receives && copied_end_took_it(&t->sender, victim))
			continue;
		if (!copied_enough(s->book, ends, victim, t->certain || c.mirrored, ev->ts_ns,
				   &packets, &bytes))
			continue;
		f = build_finding(out, ev, receives ? "observe.tunnel" : "relay.tunnel",
				  copied.confidence);
		if (f == NULL)
			return;
		f->actor = actor->party;
		if (!receives)
			f->next = t->receiver.party;
		f->count = packets;
		f->bytes = bytes;
		describe(f, ev);
		copied_fill(f, &c, &copied, i);
	}
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	struct state *s = opaque;
	struct tunnel t;
	uint16_t domain;
	bool macs;

	if (ev->kind == EVENT_RELAYED) {
		copied_note_relay(s->book, ev);
		return;
	}
	if (ev->packet == NULL || ev->outer == NULL ||
	    (ev->outer->l3 != L3_IPV4 && ev->outer->l3 != L3_IPV6))
		return;
	domain = copied_outer_domain(ev);
	macs = (ev->first->flags & PACKET_MAC) != 0;
	t.sender = copied_end_of(ev, domain, &ev->outer->src, macs ? &ev->first->smac : NULL);
	t.receiver = copied_end_of(ev, domain, &ev->outer->dst, macs ? &ev->first->dmac : NULL);
	/* Its own mirror session, to its own analyser here or outside, holds what the switch
	 * flooded to its port. */
	t.certain = t.sender.tenant != t.receiver.tenant &&
		    t.sender.tenant >= TENANT_INFRASTRUCTURE &&
		    t.receiver.tenant >= TENANT_INFRASTRUCTURE;
	if (copied_end_is_suspect(&t.sender))
		tell(s, ev, &t, false, out);
	if (copied_end_is_suspect(&t.receiver) && t.receiver.tenant != t.sender.tenant)
		tell(s, ev, &t, true, out);
}

static uint64_t evicted(const void *opaque)
{
	return copied_evicted(((const struct state *)opaque)->book);
}

static void close_state(void *opaque)
{
	copied_book_free(((struct state *)opaque)->book);
}

const struct detector detect_relay_tunnel = {
    .kind = "relay.tunnel",
    .summary = "packets of another tenant in a tunnel that a tenant's host sends or receives",
    .also = kinds,
    .wants = EVENT_BIT(EVENT_TUNNEL) | EVENT_BIT(EVENT_RELAYED),
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .evicted = evicted,
    .close = close_state,
};
