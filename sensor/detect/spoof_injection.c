/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spoof_injection.c - a man on the side: packets that another machine sends for one end of a
 * session.
 *
 * The worker saw the same TCP sequence number with other bytes, or one SYN answered twice.  Of the
 * two frames, the rightful one comes from the NIC of the source address's owner, or from the
 * provider's gear on its way; the other was sent by the NIC of a tenant that owns neither.  That
 * one is the actor, whichever of the two came first.
 *
 * When both came by rightful NICs, the injector is beyond the router or forged a MAC.  Data with
 * another TTL was sent by another machine; nobody can be named.  Two SYN-ACKs may also be two
 * servers behind one address: a hint at most.
 *
 * What contradicts nothing betrays itself by its way: the session's packets come by the NIC of
 * their owner or by the provider's, and some of the same direction from a tenant's NIC that got
 * none of them to pass on (a reset that kills the session, a forged answer that comes alone).
 */
#include "detect/build.h"
#include "detect/pending.h"

#define PORT_DNS 53

struct state {
	struct pending *pending;
};

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	s->pending = pending_new(options->windows.relay, seed);
	return s->pending != NULL ? 0 : err_set(err, ERR_MEMORY, "no memory");
}

enum sender { SENDER_RIGHTFUL, SENDER_FOREIGN, SENDER_UNREGISTERED };

static enum sender judge_sender(const struct event *ev, const struct carrier *carrier)
{
	if (carrier->tenant == TENANT_UNKNOWN)
		return SENDER_UNREGISTERED;
	if (carrier->tenant == TENANT_INFRASTRUCTURE || carrier->tenant == ev->src.tenant ||
	    (carrier->roles & ROLES_CARRY))
		return SENDER_RIGHTFUL;
	if (carrier->host != HOST_NONE &&
	    inventory_shares(ev->inv, ev->domain, &ev->tuple.src, carrier->host))
		return SENDER_RIGHTFUL;
	return SENDER_FOREIGN;
}

/* An address that may be anybody's: a tenant's own container, a pool without a lease; or a
 * balancer's, in whose name its real servers answer. */
static bool is_uncertain(const struct event *ev)
{
	const struct host *owner = inventory_host(ev->inv, ev->src.host);

	if (ev->src.kind == OWNER_SEGMENT || ev->src.kind == OWNER_DYNAMIC)
		return true;
	if (ev->src.kind == OWNER_NONE)
		return ip_is_private(&ev->tuple.src) || ip_is_link_local(&ev->tuple.src);
	return owner != NULL && owner->tenant == TENANT_INFRASTRUCTURE &&
	       (owner->roles & ROLE_LOAD_BALANCER);
}

/* The earlier frame was not kept, only where it is in the capture. */
static void add_other(struct finding *f, const struct event *ev)
{
	struct finding_frame other = ev->u.conflict.other;

	if (f->frame_count != 1)
		return;
	other.data = NULL;
	other.caplen = 0;
	f->frame[1] = f->frame[0];
	f->frame[0] = other;
	f->frame_count = 2;
	if (f->actor.has_mac && mac_equal(f->actor.mac, ev->u.conflict.other_smac)) {
		f->smac = ev->u.conflict.other_smac;
		f->dmac = ev->u.conflict.other_dmac;
	}
}

static void tell(const struct event *ev, const struct party *actor, enum confidence confidence,
		 struct findings *out)
{
	unsigned end = is_other_tenant(ev->dst.tenant, actor->tenant_id) ? 1 : 0;
	struct finding *f;

	if (!is_other_tenant(end == 1 ? ev->dst.tenant : ev->src.tenant, actor->tenant_id))
		return;
	f = build_finding(out, ev, NULL, confidence);
	if (f == NULL)
		return;
	f->actor = *actor;
	build_victim_end(f, ev, end);
	f->has_ttl_delta = true;
	f->ttl_delta = (int)ev->packet->ttl - ev->u.conflict.other_ttl;
	finding_detail_text(f, "conflict",
			    ev->u.conflict.syn_ack ? "second SYN-ACK"
						   : "other bytes, same sequence");
	add_other(f, ev);
}

static void first(struct finding *f, const struct event *ev, unsigned end)
{
	f->kind = "spoof.injection";
	f->confidence = CONFIDENCE_STRONG;
	f->actor = party_of_carrier(&ev->from, ev->smac);
	build_victim_end(f, ev, end);
	finding_detail_text(f, "conflict", "another way");
}

/* Forged answers of resolvers are spoof.name's; ICMP has no sessions. */
static bool is_session(const struct flow_tuple *tuple)
{
	return tuple->proto == IPPROTO_NUM_TCP ||
	       (tuple->proto == IPPROTO_NUM_UDP && tuple->sport != PORT_DNS);
}

/* A packet of the session from the NIC of a tenant that has no part in it. */
static void see_path(struct state *s, const struct event *ev, struct findings *out)
{
	/* What leaves a port shows no in-legs, nor do captures without destination MACs: there a
	 * relay looks the same. */
	if (ev->tap->view == VIEW_PORT || mac_is_zero(ev->dmac))
		return;
	if (!(ev->path & PATH_FROM_STRANGER) || !ev->u.path.rightful || !ev->has_mac ||
	    is_uncertain(ev) || !is_session(&ev->tuple) || !is_tenant(ev->from.tenant) ||
	    judge_sender(ev, &ev->from) != SENDER_FOREIGN || relay_is_allowed(ev, &ev->from) ||
	    !is_other_tenant(ev->dst.tenant, ev->from.tenant))
		return;
	pending_note(s->pending, ev, ev->smac, 1, first, out);
}

static void see_conflict(const struct event *ev, struct findings *out)
{
	struct carrier other = {.tenant = TENANT_UNKNOWN, .host = HOST_NONE};
	enum sender now, before = SENDER_RIGHTFUL;
	struct party actor;

	if (ev->packet == NULL || !ev->has_mac || is_uncertain(ev))
		return;
	now = judge_sender(ev, &ev->from);
	if (ev->u.conflict.has_other_mac) {
		other = inventory_carrier(ev->inv, ev->u.conflict.other_smac);
		before = judge_sender(ev, &other);
	}
	if ((now == SENDER_FOREIGN) != (before == SENDER_FOREIGN)) {
		actor = now == SENDER_FOREIGN ? party_of_carrier(&ev->from, ev->smac)
					      : party_of_carrier(&other, ev->u.conflict.other_smac);
		tell(ev, &actor, CONFIDENCE_PROOF, out);
		return;
	}
	if (now == SENDER_FOREIGN)
		return; /* both legs of a relay: others tell */
	if ((now == SENDER_UNREGISTERED) != (before == SENDER_UNREGISTERED)) {
		actor = now == SENDER_UNREGISTERED
			    ? party_of_carrier(&ev->from, ev->smac)
			    : party_of_carrier(&other, ev->u.conflict.other_smac);
		tell(ev, &actor, CONFIDENCE_INDICATOR, out);
		return;
	}
	if (ev->packet->ttl == ev->u.conflict.other_ttl || !ev->u.conflict.has_other_mac ||
	    !mac_equal(ev->smac, ev->u.conflict.other_smac) ||
	    ev->from.tenant != TENANT_INFRASTRUCTURE)
		return;
	actor = party_of_tenant(TENANT_UNKNOWN);
	tell(ev, &actor, ev->u.conflict.syn_ack ? CONFIDENCE_INDICATOR : CONFIDENCE_STRONG, out);
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	struct state *s = opaque;

	if (ev->kind == EVENT_CONFLICT)
		see_conflict(ev, out);
	else if (ev->kind == EVENT_RELAYED)
		pending_relayed(s->pending, ev);
	else
		see_path(s, ev, out);
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
	return pending_evicted(((const struct state *)opaque)->pending);
}

static void close_state(void *opaque)
{
	pending_free(((struct state *)opaque)->pending);
}

const struct detector detect_spoof_injection = {
    .kind = "spoof.injection",
    .summary = "packets sent by another machine for one end of a session",
    .wants = EVENT_BIT(EVENT_CONFLICT) | EVENT_BIT(EVENT_PATH) | EVENT_BIT(EVENT_RELAYED),
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .tick = tick,
    .finish = finish,
    .evicted = evicted,
    .close = close_state,
};
