/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe_misdelivery.c - packets of another tenant were delivered to a host and stayed there.
 *
 * An in-leg whose flow shows no out-leg within the relay window.  What its rightful receiver
 * answered, be it by an error, did not stay there: who listens is observe.promiscuous-reply's
 * business.  Unless the NIC's port is not in the mirror: it may well have passed on what was
 * answered.
 *
 * Who was made to receive them is no actor: when another tenant's NIC told the neighbours that the
 * address is at this one, or sent what is not from it to this one (copies, by TEE and its kin), it
 * is that one's doing (spoof.arp, spoof.ndp; relay.*, spoof.source).
 *
 * Even on the tap of the host's own port the switch vouches for the delivery alone: anybody may
 * address a frame to it.
 */
#include "base/table.h"
#include "detect/build.h"
#include "detect/claim.h"
#include "detect/hidden.h"
#include "detect/pending.h"

#define PLANTED 4096
/* A false binding is believed as long as any other: see spoof_proxy_arp.c. */
#define BELIEVED_NS (60 * UINT64_C(1000000000))
#define REFUSED 4096

struct refused_key {
	struct ip_addr asker, asked;
	uint64_t domain;
};

struct state {
	struct pending *pending;
	const struct hidden *hidden; /* the judge's, of the last event */
	struct table *refused;	     /* refused_key: an error said so, by who was asked; the time */
	struct table
	    *planted; /* NICs of which another one said that an address is there; the time */
};

/* Before, or soon after: the mirror may have lost the first lie of several. */
static bool was_planted(const struct state *s, struct mac_addr nic, uint64_t now_ns)
{
	uint64_t mac = mac_to_u64(nic);
	const uint64_t *at_ns = table_find(s->planted, &mac);

	return at_ns != NULL && now_ns < *at_ns + BELIEVED_NS;
}

/* What waits to be told: did its rightful receiver send an error about it, or was the NIC made to
 * get it? */
static bool is_excused(void *context, const struct finding *f)
{
	const struct state *s = context;
	struct refused_key key = {
	    .asker = f->tuple.src, .asked = f->tuple.dst, .domain = f->tuple.domain};
	const uint64_t *at_ns = table_find(s->refused, &key);

	if (was_planted(s, f->dmac, f->ts_ns))
		return true;
	return at_ns != NULL && f->ts_ns < *at_ns + BELIEVED_NS && !hidden_is(s->hidden, f->dmac);
}

/* Whoever was asked says in an error that he got it. */
static void note_refused(struct state *s, const struct event *ev)
{
	const struct packet *q = ev->quoted;
	struct refused_key key = {.domain = ev->domain};

	if (q == NULL || !ev->has_mac || !is_tenant(ev->from.tenant) ||
	    ev->src.tenant != ev->from.tenant || !ip_equal(&q->dst, &ev->tuple.src))
		return;
	key.asker = q->src;
	key.asked = q->dst;
	*(uint64_t *)table_put(s->refused, &key, NULL) = ev->ts_ns;
}

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	s->pending = pending_new(options->windows.relay, seed);
	s->planted = table_new(PLANTED, sizeof(uint64_t), sizeof(uint64_t), seed);
	s->refused = table_new(REFUSED, sizeof(struct refused_key), sizeof(uint64_t), seed);
	if (s->pending == NULL || s->planted == NULL || s->refused == NULL)
		return err_set(err, ERR_MEMORY, "no memory");
	pending_unless(s->pending, is_excused, s);
	return 0;
}

static void note_planted(struct state *s, const struct event *ev)
{
	struct carrier at;
	struct owner owner;
	struct claim claim;
	uint64_t mac;

	if (!ev->has_mac || !is_tenant(ev->from.tenant) ||
	    !(ev->kind == EVENT_ARP ? claim_of_arp(ev, &claim) : claim_of_nd(ev, &claim)))
		return;
	at = inventory_carrier(ev->inv, claim.mac);
	owner = bindings_owner(ev->bindings, ev->inv, ev->domain, &claim.ip, ev->ts_ns);
	if (!is_other_tenant(at.tenant, ev->from.tenant) || owner.tenant == at.tenant)
		return;
	mac = mac_to_u64(claim.mac);
	*(uint64_t *)table_put(s->planted, &mac, NULL) = ev->ts_ns;
}

static void first(struct finding *f, const struct event *ev, unsigned end)
{
	f->kind = "observe.misdelivery";
	f->confidence = CONFIDENCE_PROOF;
	f->actor = party_of_carrier(&ev->to, ev->dmac);
	build_victim_end(f, ev, end);
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	struct state *s = opaque;
	unsigned which[2];
	unsigned count;

	s->hidden = ev->hidden;
	switch (ev->kind) {
	case EVENT_RELAYED:
		pending_relayed(s->pending, ev);
		return;
	case EVENT_STRAY:
		if (!hidden_is(s->hidden, ev->u.stray.asked))
			pending_answered(s->pending, ev);
		return;
	case EVENT_ICMP_ERROR:
		note_refused(s, ev);
		return;
	case EVENT_PATH:
		break;
	default:
		note_planted(s, ev);
		return;
	}
	if (!(ev->path & PATH_TO_STRANGER) || !is_tenant(ev->to.tenant))
		return;
	/* Sent by the NIC's own host, or by its tenant's other one: it comes back from where it
	 * went. */
	if (ev->from.tenant == ev->to.tenant || was_planted(s, ev->dmac, ev->ts_ns))
		return;
	/* Sent by a tenant that it is not from: the sender chose the NIC, and is told of. */
	if (is_tenant(ev->from.tenant) && ev->from.tenant != ev->src.tenant &&
	    !owner_undecided(&ev->src, &ev->tuple.src))
		return;
	/* Of a relay that is allowed the mirror may show the in-legs alone. */
	if (relay_is_allowed(ev, &ev->to))
		return;
	count = build_victims(ev, ev->to.tenant, which);
	for (unsigned i = 0; i < count; i++)
		pending_note(s->pending, ev, ev->dmac, which[i], first, out);
}

static void tick(void *opaque, uint64_t now_ns, struct findings *out)
{
	pending_tick(((struct state *)opaque)->pending, now_ns, out);
}

static void finish(void *opaque, uint64_t now_ns, struct findings *out)
{
	(void)now_ns;
	pending_finish(((struct state *)opaque)->pending, out);
}

static uint64_t evicted(const void *opaque)
{
	const struct state *s = opaque;

	return pending_evicted(s->pending) + table_evicted(s->planted) + table_evicted(s->refused);
}

static void close_state(void *opaque)
{
	struct state *s = opaque;

	pending_free(s->pending);
	table_free(s->planted);
	table_free(s->refused);
}

const struct detector detect_observe_misdelivery = {
    .kind = "observe.misdelivery",
    .summary = "packets of another tenant delivered to a host that does not pass them on",
    .wants = EVENT_BIT(EVENT_PATH) | EVENT_BIT(EVENT_RELAYED) | EVENT_BIT(EVENT_STRAY) |
	     EVENT_BIT(EVENT_ICMP_ERROR) | EVENT_BIT(EVENT_ARP) | EVENT_BIT(EVENT_ND),
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .tick = tick,
    .finish = finish,
    .evicted = evicted,
    .close = close_state,
};
