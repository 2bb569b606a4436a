/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay_proxy.c - one token on two flows that meet at a tenant's host: it passes the content on.
 *
 *	victim ---- flow 1 ----> [actor] ---- flow 2 ----> server      (client's nonce)
 *	victim <--- flow 2 ----- [actor] <--- flow 1 ----- server      (server's nonce)
 *
 * The flows share no address, port or sequence number; the nonce in them is the same.  Silent when
 * a far end is the host's own tenant: that is a service with its back end.
 *
 * HTTP has no nonce.  A request with a value of its own stands for one; others many say at the same
 * time (checks of health in a ring, agents that wake at the full minute), so that of them a third
 *is told only after two that the host has passed on as a proxy does:
 *
 *	asked ---- asks on ---- is answered ---- answers
 *
 * A reverse proxy asks for another host, and often another path.  Then it is the answer that shows
 * up on both sides, in that order.  So it does at a tenant's own site in front of an origin
 * elsewhere: own_site.h.  What other protocols say in clear is compared both ways: in_step.h.
 */
#include <string.h>

#include "base/table.h"
#include "bulkhead/clock.h"
#include "detect/build.h"
#include "detect/impostor.h"
#include "detect/in_step.h"
#include "detect/meet.h"
#include "detect/own_site.h"
#include "detect/way_book.h"

static const char *const kinds[] = {"relay.rewrite", NULL};

/* A look-up of the server's name and a handshake with it, both over an ocean. */
#define AT_ONCE_NS (500 * NS_PER_MS)
/* Mirrors of several queues swap what is closer than this. */
#define REORDER_NS (10 * NS_PER_MS)

/* Two requests that are passed on in order, and none out of it to each four that were. */
#define PASSED_NEEDED 2
#define PASSED_SHARE 4
#define PASSED_NS (600 * NS_PER_SEC)
#define WAYS 4096

struct way_key {
	struct ip_addr client, server;
	uint64_t relay; /* host */
};

/* What goes from a client by a relay to a server. */
struct way {
	uint64_t since_ns;
	uint64_t asked_ns; /* the last one: 0 none */
	struct flow_tuple in, out;
	uint64_t said;		  /* the last one's token */
	uint32_t passed, crossed; /* answered in order, and not */
	uint32_t differed;	  /* ... with another answer, or others were asked, too */
};

struct state {
	struct impostors *impostors; /* for the rewriting */
	struct table *ways;
	struct own_sites *sites;
	struct steps *steps;
	struct way_book *book; /* of answers and steps */
};

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	(void)options;
	s->impostors = impostors_new(seed);
	s->ways = table_new(WAYS, sizeof(struct way_key), sizeof(struct way), seed);
	s->sites = own_sites_new(seed);
	s->steps = steps_new(seed);
	s->book = way_book_new(seed);
	if (s->impostors == NULL || s->ways == NULL || s->sites == NULL || s->steps == NULL ||
	    s->book == NULL)
		return err_set(err, ERR_MEMORY, "no memory");
	return 0;
}

/* The tenant at which a leg arrives (by IP, else by NIC; by NIC alone where a stranger stands in
 * the way), or that sends it. */
static uint32_t arrives_at(const struct leg_view *v)
{
	if (v->path & PATH_TO_STRANGER)
		return v->to.tenant;
	return is_tenant(v->dst.tenant) ? v->dst.tenant : v->to.tenant;
}

static uint32_t leaves_from(const struct leg_view *v)
{
	if (v->path & PATH_FROM_STRANGER)
		return v->from.tenant;
	return is_tenant(v->src.tenant) ? v->src.tenant : v->from.tenant;
}

static uint32_t host_at(const struct owner *owner, const struct carrier *carrier, uint32_t tenant)
{
	if (owner->tenant == tenant && owner->host != HOST_NONE)
		return owner->host;
	return carrier->tenant == tenant ? carrier->host : HOST_NONE;
}

/* Is a far end the relay's own, or could it be?  Unregistered addresses that are reached without
 * the provider's router are as good as next door. */
static bool own_end(const struct owner *owner, const struct ip_addr *ip,
		    const struct carrier *carrier, uint32_t tenant)
{
	if (owner->tenant == tenant)
		return true;
	if (carrier->tenant == TENANT_INFRASTRUCTURE)
		return false;
	return owner->tenant == TENANT_UNKNOWN ||
	       (owner->kind == OWNER_NONE && (ip_is_private(ip) || ip_is_link_local(ip)));
}

static void tell(const struct event *ev, const struct leg_view *in, const struct leg_view *out_leg,
		 uint32_t relay, unsigned end, struct findings *out)
{
	const struct token *token = &ev->u.meet.token;
	uint32_t host = host_at(&out_leg->src, &out_leg->from, relay);
	struct finding_frame first = leg_frame(in->leg);
	struct finding_frame second = leg_frame(out_leg->leg);
	struct finding *f = build_finding(
	    out, ev, "relay.proxy",
	    token->random && token->kind != TOKEN_PAYLOAD ? CONFIDENCE_PROOF : CONFIDENCE_STRONG);

	if (f == NULL)
		return;
	if (host == HOST_NONE)
		host = host_at(&in->dst, &in->to, relay);
	f->actor = party_of_host(ev->inv, host);
	f->actor.tenant_id = relay;
	/* The victim's own flow: the one it is an end of. */
	f->tuple = end == 0 ? in->leg->tuple : out_leg->leg->tuple;
	f->flow_id = end == 0 ? in->leg->flow_id : out_leg->leg->flow_id;
	f->victim = end == 0 ? party_of_owner(&in->src, &in->leg->tuple.src)
			     : party_of_owner(&out_leg->dst, &out_leg->leg->tuple.dst);
	f->peer = end == 0 ? party_of_owner(&out_leg->dst, &out_leg->leg->tuple.dst)
			   : party_of_owner(&in->src, &in->leg->tuple.src);
	f->next = party_of_carrier(&out_leg->to, out_leg->leg->dmac);
	f->bytes = token->bytes;
	f->has_delay = out_leg->leg->ts_ns >= in->leg->ts_ns;
	f->delay_us = f->has_delay ? (out_leg->leg->ts_ns - in->leg->ts_ns) / 1000 : 0;
	f->frame_count = 0;
	build_frame(f, &first);
	build_frame(f, &second);
	finding_detail_text(f, "token", token_name((enum token_kind)token->kind));
}

/* What others may say as well (a health check, a crawler's request) is passed on when it comes, not
 * said again some time later. */
static bool passed_on_at_once(const struct leg_view *in, const struct leg_view *out_leg)
{
	uint64_t at = in->leg->ts_ns, then = out_leg->leg->ts_ns;

	return then >= at ? then - at <= AT_ONCE_NS : at - then <= REORDER_NS;
}

/* Into the NIC and out of it, the flow the same: that packet was forwarded as it is. */
static bool is_forwarded(const struct leg *in, const struct leg *out_leg)
{
	return leg_same_flow(in, out_leg) && mac_equal(in->dmac, out_leg->smac);
}

/*
 * Content that anybody may have (the same page fetched by the relay as well) proves nothing where
 * one of the two legs has its other half already: what went out as it came in did not go out with
 * other addresses, too.  With so many legs that not all are known this cannot be ruled out.
 */
static bool has_its_own_half(const struct event *ev, const struct leg_view *in,
			     const struct leg_view *out_leg)
{
	const struct leg *now = ev->u.meet.now->leg;

	if (ev->u.meet.count >= MEET_LEGS)
		return true;
	if (is_forwarded(in->leg, now) || is_forwarded(now, out_leg->leg))
		return true;
	for (unsigned i = 0; i < ev->u.meet.count; i++) {
		const struct leg *leg = ev->u.meet.earlier[i].leg;

		if (is_forwarded(in->leg, leg) || is_forwarded(leg, out_leg->leg))
			return true;
	}
	return false;
}

/* Does anybody beside the two say the same? */
static bool is_common(const struct event *ev, const struct leg_view *in,
		      const struct leg_view *out_leg)
{
	for (unsigned i = 0; i < ev->u.meet.count; i++) {
		const struct ip_addr *by = &ev->u.meet.earlier[i].leg->tuple.src;

		if (!ip_equal(by, &in->leg->tuple.src) && !ip_equal(by, &out_leg->leg->tuple.src))
			return true;
	}
	return false;
}

/* Before it was said on: then it was not said on. */
static bool was_answered(const struct event *ev, const struct leg_view *in,
			 const struct leg_view *out_leg)
{
	uint64_t answered_ns = meet_answered(ev->book, &in->leg->tuple, in->leg->ts_ns);

	return answered_ns != 0 && answered_ns < out_leg->leg->ts_ns;
}

/* A proxy says how it was answered.  Who takes a message, and gives it to whom it is for, answers
 * for himself (web hooks, feeds). */
static bool answers_differ(const struct meet_answer *a, const struct meet_answer *b)
{
	return (a->status != 0 && b->status != 0 && a->status != b->status) ||
	       (a->length != 0 && b->length != 0 && a->length != b->length);
}

/* How the last request of the way was answered. */
static void settle(struct way *way, const struct meet *book)
{
	struct meet_answer in = meet_answer(book, &way->in, way->asked_ns);
	struct meet_answer out = meet_answer(book, &way->out, way->asked_ns);

	if (way->asked_ns != 0 && in.ts_ns != 0 && out.ts_ns != 0) {
		way->passed += out.ts_ns <= in.ts_ns;
		way->crossed += out.ts_ns > in.ts_ns;
		way->differed += answers_differ(&in, &out);
	}
	way->asked_ns = 0;
}

/* Who says it to several at once delivers it: each of them is a way that a message takes. */
static void note_spread(struct state *s, const struct event *ev, const struct leg_view *out_leg,
			struct way *way, struct way_key key)
{
	const struct flow_tuple *out = &out_leg->leg->tuple;

	for (unsigned i = 0; i < ev->u.meet.count; i++) {
		const struct leg *leg = ev->u.meet.earlier[i].leg;
		struct way *other;

		if (!ip_equal(&leg->tuple.src, &out->src) || ip_equal(&leg->tuple.dst, &out->dst) ||
		    leg->ts_ns + AT_ONCE_NS < out_leg->leg->ts_ns)
			continue;
		way->differed++;
		key.server = leg->tuple.dst;
		other = table_find(s->ways, &key);
		if (other != NULL)
			other->differed++;
	}
}

/* Is a request, which others may say as well, one of many that the host passes on, and maybe their
 * answers, too? */
static bool is_passed_on(struct state *s, const struct event *ev, const struct leg_view *in,
			 const struct leg_view *out_leg, uint32_t host, bool and_answered)
{
	struct way_key key = {
	    .client = in->leg->tuple.src, .server = out_leg->leg->tuple.dst, .relay = host};
	struct way *way = table_put(s->ways, &key, NULL);
	uint32_t crossed;

	if (ev->ts_ns - way->since_ns > PASSED_NS)
		*way = (struct way){.since_ns = ev->ts_ns};
	settle(way, ev->book);
	note_spread(s, ev, out_leg, way, key);
	if (is_common(ev, in, out_leg) || out_leg->leg->ts_ns < in->leg->ts_ns)
		return false;
	if (was_answered(ev, in, out_leg)) {
		way->crossed++;
		return false;
	}
	/* Checks of health, each of which asks the next one, say the same for ever. */
	if (and_answered && !ev->u.meet.token.rare && way->said == ev->u.meet.token.lo)
		return false;
	way->said = ev->u.meet.token.lo;
	way->asked_ns = out_leg->leg->ts_ns;
	way->in = in->leg->tuple;
	way->out = out_leg->leg->tuple;
	crossed = way->crossed + (and_answered ? way->differed : 0);
	return way->passed >= PASSED_NEEDED && way->passed >= PASSED_SHARE * crossed;
}

enum order { ORDER_UNKNOWN, ORDER_PROXY, ORDER_OTHER };

/* Did the relay ask for what it answers with when it was asked, and get it before it answered?
 * Unknown when the mirror lost a question. */
static enum order order_of(const struct event *ev, const struct leg_view *in,
			   const struct leg_view *out_leg)
{
	uint64_t asked_ns = meet_asked_ns(ev->book, &out_leg->leg->tuple);
	uint64_t asks_ns = meet_asked_ns(ev->book, &in->leg->tuple);

	if (asked_ns == 0 || asks_ns == 0)
		return ORDER_UNKNOWN;
	return asks_ns >= asked_ns && asks_ns <= asked_ns + AT_ONCE_NS &&
		       in->leg->ts_ns >= asks_ns && out_leg->leg->ts_ns >= in->leg->ts_ns &&
		       out_leg->leg->ts_ns <= in->leg->ts_ns + AT_ONCE_NS
		   ? ORDER_PROXY
		   : ORDER_OTHER;
}

/* A private address that nobody registered, behind a router: as likely the relay's own machine. */
static bool has_private_end(const struct leg_view *in, const struct leg_view *out_leg)
{
	return (in->src.kind == OWNER_NONE && ip_is_private(&in->leg->tuple.src)) ||
	       (out_leg->dst.kind == OWNER_NONE && ip_is_private(&out_leg->leg->tuple.dst));
}

/* In strict order: of two that say the same by chance, one way is out of it. */
static bool is_in_step(struct state *s, const struct event *ev, const struct leg_view *in,
		       const struct leg_view *out_leg, uint32_t host)
{
	const struct flow_tuple *from = &in->leg->tuple;
	const struct flow_tuple *to = &out_leg->leg->tuple;
	bool swapped = memcmp(&from->src, &to->dst, sizeof from->src) > 0;

	if (from->proto != IPPROTO_NUM_TCP || has_private_end(in, out_leg) ||
	    out_leg->leg->ts_ns < in->leg->ts_ns)
		return false;
	/* Both came to one door of the host's: chat, a broker, a meeting point.  What several begin
	 * with, equals say to each other. */
	if (from->dport == to->sport || is_common(ev, in, out_leg))
		return false;
	switch (steps_note(s->steps, &ev->u.meet.token, from, to, ev->ts_ns)) {
	case STEPS_APART:
		return false;
	case STEPS_BEGUN:
		return way_book_note(s->book, WAY_STEPS, swapped ? &to->dst : &from->src,
				     swapped ? &from->src : &to->dst, host, true, ev->ts_ns);
	case STEPS_GO_ON:
		break;
	}
	return false;
}

/* Protocols without a nonce. */
static bool is_proxied(struct state *s, const struct event *ev, const struct leg_view *in,
		       const struct leg_view *out_leg, uint32_t host)
{
	const struct token *token = &ev->u.meet.token;

	switch (token->kind) {
	case TOKEN_HTTP_REQUEST:
		return is_passed_on(s, ev, in, out_leg, host, true) &&
		       !has_private_end(in, out_leg) &&
		       !own_sites_visit(s->sites, ev, in, out_leg, arrives_at(in));
	case TOKEN_HTTP_HEAD:
	case TOKEN_HTTP_TARGET:
		return (token->rare && !is_common(ev, in, out_leg) &&
			!was_answered(ev, in, out_leg)) ||
		       is_passed_on(s, ev, in, out_leg, host, false);
	case TOKEN_PAYLOAD:
		return is_in_step(s, ev, in, out_leg, host);
	default:
		return true;
	}
}

/* in arrives where out leaves: whose host is in between, if it has no business with either end? */
static bool stands_between(const struct event *ev, const struct leg_view *in,
			   const struct leg_view *out_leg, uint32_t *host)
{
	uint32_t relay = arrives_at(in);

	if (!is_tenant(relay) || leaves_from(out_leg) != relay)
		return false;
	*host = host_at(&in->dst, &in->to, relay);
	if (!ev->u.meet.token.random && *host != host_at(&out_leg->src, &out_leg->from, relay))
		return false;
	/* What goes back to where it came from is an answer, or an echo. */
	if (ip_equal(&in->leg->tuple.src, &out_leg->leg->tuple.dst))
		return false;
	return !own_end(&in->src, &in->leg->tuple.src, &in->from, relay) &&
	       !own_end(&out_leg->dst, &out_leg->leg->tuple.dst, &out_leg->to, relay);
}

static void tell_both(const struct event *ev, const struct leg_view *in,
		      const struct leg_view *out_leg, struct findings *out)
{
	uint32_t relay = arrives_at(in);
	uint32_t other = out_leg->dst.tenant;

	if (is_other_tenant(in->src.tenant, relay))
		tell(ev, in, out_leg, relay, 0, out);
	if (is_other_tenant(other, relay) && other != in->src.tenant)
		tell(ev, in, out_leg, relay, 1, out);
}

static void judge(struct state *s, const struct event *ev, const struct leg_view *in,
		  const struct leg_view *out_leg, struct findings *out)
{
	const struct token *token = &ev->u.meet.token;
	uint32_t host;

	/* What only NAT leaves alone names no proxy. */
	if (token->kind == TOKEN_TCP_SYN)
		return;
	if (stands_between(ev, in, out_leg, &host) && is_proxied(s, ev, in, out_leg, host))
		tell_both(ev, in, out_leg, out);
}

/* An answer of HTTP that another gave before: of one exchange through the host, or did the host
 * have it anyway?  With so many legs that not all are known this cannot be said. */
static void answered(struct state *s, const struct event *ev, struct findings *out)
{
	const struct leg_view *now = ev->u.meet.now;
	const struct leg_view *from = NULL;
	enum order order = ORDER_UNKNOWN, its_order;
	uint32_t host = HOST_NONE, its;

	if (ev->u.meet.count >= MEET_LEGS)
		return;
	for (unsigned i = 0; i < ev->u.meet.count && order != ORDER_PROXY; i++) {
		const struct leg_view *before = &ev->u.meet.earlier[i];

		if (leg_same_flow(before->leg, now->leg) || !stands_between(ev, before, now, &its))
			continue;
		its_order = order_of(ev, before, now);
		if (its_order == ORDER_UNKNOWN)
			continue;
		from = before;
		host = its;
		order = its_order;
	}
	if (from == NULL || has_private_end(from, now))
		return;
	if (way_book_note(s->book, WAY_ANSWERS, &now->leg->tuple.dst, &from->leg->tuple.src, host,
			  order == ORDER_PROXY, ev->ts_ns) &&
	    order == ORDER_PROXY && !has_its_own_half(ev, from, now) &&
	    !own_sites_visit(s->sites, ev, from, now, arrives_at(from)))
		tell_both(ev, from, now, out);
}

static void judge_both(struct state *s, const struct event *ev, const struct leg_view *in,
		       const struct leg_view *out_leg, struct findings *out)
{
	const struct token *token = &ev->u.meet.token;
	/* A file's bytes may look as random as a nonce, and are fetched again and again. */
	bool unique = token->random && token->kind != TOKEN_PAYLOAD;

	if (!unique && (!passed_on_at_once(in, out_leg) || has_its_own_half(ev, in, out_leg)))
		return;
	judge(s, ev, in, out_leg, out);
	rewrite_judge(ev, s->impostors, in, out_leg, out);
}

static void met(struct state *s, const struct event *ev, struct findings *out)
{
	const struct leg_view *now = ev->u.meet.now;

	/* In a new head it was not rewritten. */
	if (ev->u.meet.token.kind == TOKEN_HTTP_ANSWER) {
		answered(s, ev, out);
		return;
	}
	for (unsigned i = 0; i < ev->u.meet.count; i++) {
		const struct leg_view *before = &ev->u.meet.earlier[i];

		if (leg_same_flow(before->leg, now->leg))
			continue; /* the same flow further along its way */
		/* Mirrors may swap the order. */
		judge_both(s, ev, before, now, out);
		judge_both(s, ev, now, before, out);
	}
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	struct state *s = opaque;

	if (ev->kind == EVENT_MEET)
		met(s, ev, out);
	else if (ev->kind == EVENT_NAME)
		own_sites_note(s->sites, ev);
	else
		impostors_note(s->impostors, ev);
}

static uint64_t evicted(const void *opaque)
{
	const struct state *s = opaque;

	return impostors_evicted(s->impostors) + table_evicted(s->ways) +
	       own_sites_evicted(s->sites) + steps_evicted(s->steps) + way_book_evicted(s->book);
}

static void close_state(void *opaque)
{
	struct state *s = opaque;

	impostors_free(s->impostors);
	table_free(s->ways);
	own_sites_free(s->sites);
	steps_free(s->steps);
	way_book_free(s->book);
}

const struct detector detect_relay_proxy = {
    .kind = "relay.proxy",
    .summary = "a nonce of another tenant's conversation on both sides of a host",
    .also = kinds,
    .wants = EVENT_BIT(EVENT_MEET) | OWN_SITE_WANTS | IMPOSTOR_WANTS,
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .evicted = evicted,
    .close = close_state,
};
