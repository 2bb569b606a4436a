/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe_mac_exhaustion.c - source MACs by the hundred that no inventory knows: somebody fills the
 * switch's table, so that it floods what everybody sends.
 *
 * Look-alikes and what sets them apart:
 *
 *   a boot storm      its first frames are what a waking NIC sends (DHCP, router and neighbour
 *                     discovery, MLD, ARP probes and announcements, the first question for the
 *                     gateway); such frames count apart, and it takes five times as many of them
 *   an inventory      NICs in it or not speak to NICs that exist: a unicast to a MAC that is known,
 *   with holes        or was seen sending, counts apart.  There, and in the first minute, when
 * every NIC is new, it also takes that most of the MACs are of different makers: a hundred real
 * NICs come from a few, and those who make up their own say so by the local bit
 *
 * The MACs are forged, so the actor is unknown: whoever forges these forges the addresses in the
 * packets as well.  (A tap of what leaves a port shows the flood at every port but the one it comes
 * from: it never names its own.)
 */
#include <string.h>

#include "base/table.h"
#include "detect/build.h"

#define NS_A_SECOND UINT64_C(1000000000)
/* A rack of a hundred machines that all come up within a second is the most that a segment ever
 * shows; tables have 8,000 entries and more, so an attack has to be faster than that by far. */
#define MACS_A_SECOND 100
#define WAKING_A_SECOND 500
/* While everything is new. */
#define WARM_UP_NS (60 * NS_A_SECOND)
#define MAKERS_NEEDED (MACS_A_SECOND / 2)
#define MAC_LOCAL 0x02 /* IEEE 802-2014 8.4: no maker gave it */
#define MACS 32768
#define PLACES 256
/* The worker tells of a bounded number a second; beyond this many it is the same for any number of
 * workers only as long as all of them are below their bound. */
#define COUNTED_A_SECOND 500

struct mac_key {
	uint64_t mac;
	uint64_t segment;
};

struct mac_seen {
	uint8_t nothing;
};

struct place_key {
	uint16_t tap, segment;
	uint16_t vlan, zero;
};

/* The newest ones. */
struct ring {
	uint32_t at[MACS_A_SECOND]; /* ms since start */
	uint32_t maker[MACS_A_SECOND];
	uint16_t next;
	bool full;
};

struct place {
	struct ring to_nobody, to_somebody;
	uint32_t waking[WAKING_A_SECOND];
	uint16_t waking_next;
	uint32_t second, counted; /* of this second */
	uint64_t pending;	  /* not told */
	bool waking_full;
	bool proved;
	uint64_t last_ns;
};

struct state {
	struct table *macs;
	struct table *places;
	uint64_t start_ns;
};

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	(void)options;
	s->macs = table_new(MACS, sizeof(struct mac_key), sizeof(struct mac_seen), seed);
	s->places = table_new(PLACES, sizeof(struct place_key), sizeof(struct place), seed);
	if (s->macs == NULL || s->places == NULL)
		return err_set(err, ERR_MEMORY, "no memory");
	return 0;
}

/* A neighbour's question for one of the provider's, the gateway most likely. */
static bool asks_provider(const struct event *ev)
{
	const struct packet *p = ev->packet;

	return p->arp_op == 1 && inventory_segment_prefix(ev->inv, ev->segment, &p->src) &&
	       inventory_owner(ev->inv, ev->domain, &p->dst).tenant == TENANT_INFRASTRUCTURE;
}

static bool is_waking(const struct event *ev)
{
	const struct packet *p = ev->packet;

	if (!mac_is_group(ev->dmac))
		return false;
	if (p->l3 == L3_ARP || p->l3 == L3_RARP)
		return ip_is_unspecified(&p->src) || ip_equal(&p->src, &p->dst) ||
		       asks_provider(ev);
	if (p->l3 == L3_IPV4)
		return ip_is_unspecified(&p->src) || ip_is_multicast(&p->dst);
	return p->l3 == L3_IPV6 && ip_is_multicast(&p->dst);
}

static bool is_new(struct state *s, const struct event *ev)
{
	struct mac_key key = {.mac = mac_to_u64(ev->smac), .segment = ev->segment};
	bool fresh;

	(void)table_put(s->macs, &key, &fresh);
	return fresh;
}

static bool speaks_to_somebody(const struct state *s, const struct event *ev)
{
	struct mac_key key = {.mac = mac_to_u64(ev->dmac), .segment = ev->segment};

	return !mac_is_group(ev->dmac) &&
	       (ev->to.tenant != TENANT_UNKNOWN || table_find(s->macs, &key) != NULL);
}

static uint32_t maker_of(struct mac_addr mac)
{
	return (uint32_t)mac.b[0] << 16 | (uint32_t)mac.b[1] << 8 | mac.b[2];
}

static unsigned makers(const struct ring *r)
{
	unsigned count = 0;

	for (unsigned i = 0; i < MACS_A_SECOND; i++) {
		unsigned j = 0;

		while (j < i && r->maker[j] != r->maker[i])
			j++;
		count += j == i;
	}
	return count;
}

/* Notes one and tells whether there were more than fit within the last second. */
static bool note_waking(struct place *p, uint32_t ms)
{
	bool fast = p->waking_full && ms - p->waking[p->waking_next] < 1000;

	p->waking[p->waking_next] = ms;
	p->waking_next = (uint16_t)((p->waking_next + 1) % WAKING_A_SECOND);
	p->waking_full |= p->waking_next == 0;
	return fast;
}

static bool note(struct ring *r, struct mac_addr mac, uint32_t ms)
{
	bool fast = r->full && ms - r->at[r->next] < 1000;

	r->at[r->next] = ms;
	r->maker[r->next] = maker_of(mac);
	r->next = (uint16_t)((r->next + 1) % MACS_A_SECOND);
	r->full |= r->next == 0;
	return fast;
}

static bool is_fast(const struct state *s, struct place *p, const struct event *ev, bool spoken,
		    uint32_t ms)
{
	if (spoken)
		return note(&p->to_somebody, ev->smac, ms) &&
		       makers(&p->to_somebody) >= MAKERS_NEEDED;
	if (is_waking(ev))
		return note_waking(p, ms);
	return note(&p->to_nobody, ev->smac, ms) &&
	       (p->proved || ev->ts_ns - s->start_ns > WARM_UP_NS ||
		makers(&p->to_nobody) >= MAKERS_NEEDED);
}

static void tell(const struct event *ev, struct place *p, struct findings *out)
{
	struct finding *f = build_finding(out, ev, "observe.mac-exhaustion", CONFIDENCE_STRONG);

	if (f == NULL)
		return;
	f->has_flow = false;
	f->actor = party_of_tenant(TENANT_UNKNOWN);
	f->victim = party_of_tenant(TENANT_INFRASTRUCTURE); /* it is the switch that is flooded */
	f->count = p->pending;
	p->pending = 0;
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	struct state *s = opaque;
	struct place_key key = {.tap = ev->tap->id,
				.segment = ev->segment,
				.vlan = ev->vlan_count > 0 ? ev->vlan[0] : 0};
	struct place *p;
	uint32_t ms;
	bool spoken;

	if (ev->packet == NULL || !ev->has_mac || mac_is_zero(ev->dmac))
		return; /* whom it speaks to is not shown */
	if (s->start_ns == 0)
		s->start_ns = ev->ts_ns;
	if (!is_new(s, ev))
		return;
	spoken = speaks_to_somebody(s, ev);
	if (spoken && (ev->smac.b[0] & MAC_LOCAL) != 0)
		return;
	p = table_put(s->places, &key, NULL);
	ms = (uint32_t)((ev->ts_ns - s->start_ns) / 1000000);
	if (p->second != ms / 1000) {
		p->second = ms / 1000;
		p->counted = 0;
	}
	if (++p->counted > COUNTED_A_SECOND + WAKING_A_SECOND)
		return;
	p->pending++;
	if (!is_fast(s, p, ev, spoken, ms)) {
		if (ev->ts_ns - p->last_ns > NS_A_SECOND)
			p->pending = 1;
		p->last_ns = ev->ts_ns;
		return;
	}
	p->last_ns = ev->ts_ns;
	/* At once, and then a hundred at a time. */
	if (!p->proved || p->pending >= MACS_A_SECOND)
		tell(ev, p, out);
	p->proved = true;
}

static uint64_t evicted(const void *opaque)
{
	const struct state *s = opaque;

	return table_evicted(s->places);
}

static uint64_t forgotten(const void *opaque)
{
	const struct state *s = opaque;

	return table_evicted(s->macs);
}

static void close_state(void *opaque)
{
	struct state *s = opaque;

	table_free(s->macs);
	table_free(s->places);
}

const struct detector detect_observe_mac_exhaustion = {
    .kind = "observe.mac-exhaustion",
    .summary = "source MACs by the hundred that no inventory knows",
    .wants = EVENT_BIT(EVENT_NEW_MAC),
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .evicted = evicted,
    .forgotten = forgotten,
    .close = close_state,
};
