/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spoof_source.c - a host sends from an address that is another's, and nobody sent it the packet.
 *
 * An out-leg without an in-leg.
 */
#include "detect/build.h"
#include "detect/mac.h"
#include "detect/pending.h"

struct state {
	struct pending *pending;
};

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	s->pending = pending_new(options->windows.relay, seed);
	return s->pending != NULL ? 0 : err_set(err, ERR_MEMORY, "no memory");
}

/* Does the frame open a TCP connection?  Where it is not TCP it is a beginning as well as any. */
static bool opens(const struct event *ev)
{
	struct frame frame = {.data = ev->frame.data,
			      .caplen = ev->frame.caplen,
			      .len = ev->frame.len,
			      .ts_ns = ev->frame.ts_ns,
			      .number = ev->frame.number,
			      .linktype = ev->frame.linktype};
	struct packet_stack stack;

	if (ev->tuple.proto != IPPROTO_NUM_TCP)
		return true;
	packet_decode(&frame, &stack);
	return stack.count > 0 && (stack.layer[stack.count - 1].tcp_flags & TCP_SYN) != 0;
}

/*
 * The private networks of containers, hypervisors and dial-in users are alike everywhere.  Of a
 * connection that its host has forgotten the last packets leave untranslated, from such an address,
 * which is a tenant's in another segment by chance.
 */
static bool is_leaked(const struct event *ev)
{
	return ip_is_private(&ev->tuple.src) && ev->segment != SEGMENT_NONE &&
	       !inventory_segment_prefix(ev->inv, ev->segment, &ev->tuple.src) && !opens(ev);
}

/* Whose address it is must be certain: a tenant's, or the provider's own.  Real servers behind
 * the provider's load balancer answer in its name (direct server return). */
static bool is_spoofed(const struct event *ev)
{
	const struct host *owner = inventory_host(ev->inv, ev->src.host);

	if (!(ev->path & PATH_FROM_STRANGER) || !is_tenant(ev->from.tenant))
		return false;
	/* Of a relay that is allowed the mirror may show the out-legs alone. */
	if (relay_is_allowed(ev, &ev->from))
		return false;
	/* From the receiver to itself: that is how ports are stolen (spoof_mac.c). */
	if (mac_steals_port(ev))
		return false;
	if (is_leaked(ev))
		return false;
	/* Of a cooked capture nobody can tell whether it was. */
	if (mac_is_zero(ev->dmac) && ip_equal(&ev->tuple.src, &ev->tuple.dst))
		return false;
	if (ev->src.tenant == TENANT_INFRASTRUCTURE)
		return owner != NULL && !(owner->roles & ROLE_LOAD_BALANCER);
	return is_other_tenant(ev->src.tenant, ev->from.tenant);
}

static void first(struct finding *f, const struct event *ev, unsigned end)
{
	f->kind = "spoof.source";
	f->confidence = CONFIDENCE_STRONG;
	f->actor = party_of_carrier(&ev->from, ev->smac);
	build_victim_end(f, ev, end);
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	struct state *s = opaque;

	if (ev->kind == EVENT_RELAYED)
		pending_relayed(s->pending, ev);
	else if (is_spoofed(ev))
		pending_note(s->pending, ev, ev->smac, 0, first, out);
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

const struct detector detect_spoof_source = {
    .kind = "spoof.source",
    .summary = "a host sends from an address that belongs to another tenant or to the provider",
    .wants = EVENT_BIT(EVENT_PATH) | EVENT_BIT(EVENT_RELAYED),
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .tick = tick,
    .finish = finish,
    .evicted = evicted,
    .close = close_state,
};
