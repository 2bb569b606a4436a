/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay_rewrite.c - a stranger's packet leaves the NIC it was delivered to with other addresses.
 *
 *	victim > server  ---- in-leg ---->  [actor's NIC]  ---- out-leg ---->  actor > server
 *	actor  < server  ---- in-leg ---->  [actor's NIC]  ---- out-leg ---->  victim < server
 *
 * What NAT leaves alone tells: the initial sequence number with its options, or the payload.  One
 * leg must be a stranger's path by itself, and the L2 chain must hold.
 */
#include "detect/build.h"
#include "detect/impostor.h"
#include "detect/meet.h"

static enum confidence confidence_of(const struct impostors *impostors, const struct leg_view *in)
{
	if (in->to.tenant != TENANT_UNKNOWN)
		return CONFIDENCE_PROOF;
	return impostors_has(impostors, in->leg->dmac) ? CONFIDENCE_STRONG : CONFIDENCE_INDICATOR;
}

static void tell(const struct event *ev, const struct impostors *impostors,
		 const struct leg_view *in, const struct leg_view *out_leg,
		 const struct owner *victim, const struct ip_addr *ip,
		 const struct flow_tuple *tuple, struct findings *out)
{
	const struct token *token = &ev->u.meet.token;
	struct finding_frame first = leg_frame(in->leg);
	struct finding_frame second = leg_frame(out_leg->leg);
	struct finding *f = build_finding(out, ev, "relay.rewrite", confidence_of(impostors, in));
	char text[IP_TEXT_SIZE];

	if (f == NULL)
		return;
	f->actor = party_of_carrier(&in->to, in->leg->dmac);
	f->tuple = *tuple;
	f->victim = party_of_owner(victim, ip);
	f->peer =
	    ip_equal(ip, &tuple->src)
		? party_of_owner(in->leg->tuple.sport == tuple->sport ? &in->dst : &out_leg->dst,
				 &tuple->dst)
		: party_of_owner(&out_leg->src, &tuple->src);
	f->next = party_of_carrier(&out_leg->to, out_leg->leg->dmac);
	f->bytes = token->bytes;
	f->has_delay = out_leg->leg->ts_ns >= in->leg->ts_ns;
	f->delay_us = f->has_delay ? (out_leg->leg->ts_ns - in->leg->ts_ns) / 1000 : 0;
	f->frame_count = 0;
	build_frame(f, &first);
	build_frame(f, &second);
	finding_detail_text(f, "token", token_name((enum token_kind)token->kind));
	finding_detail_text(f, "rewritten_source", ip_format(&out_leg->leg->tuple.src, text));
	finding_detail_text(f, "rewritten_destination", ip_format(&out_leg->leg->tuple.dst, text));
}

/* Is the address the relay's own, or an unregistered one that may be? */
static bool its_own(const struct owner *owner, const struct ip_addr *ip, uint32_t relay)
{
	return owner->tenant == relay || owner->tenant == TENANT_UNKNOWN ||
	       (owner->kind == OWNER_NONE && ip_is_private(ip));
}

/* Neither leg could be the carrier's own: it carries a stranger's conversation on both sides. */
static bool both_strange(const struct leg_view *in, const struct leg_view *out_leg)
{
	return (in->path & PATH_TO_STRANGER) && (out_leg->path & PATH_FROM_STRANGER);
}

/*
 * The same content in two conversations is no rewriting yet: a file may be fetched twice, by two
 * hosts.  Source NAT puts the relay's own address in place of the client's, on the way out as
 * source and on the way back as destination; destination NAT changes one address and keeps both
 * ports, or the client's own where a stranger carries both.  A proxy that borrows the client's
 * address (TPROXY and its kin) changes nothing but its port.
 */
static bool is_rewritten(const struct event *ev, const struct leg_view *in,
			 const struct leg_view *out_leg, uint32_t relay)
{
	const struct flow_tuple *a = &in->leg->tuple;
	const struct flow_tuple *b = &out_leg->leg->tuple;
	bool same_src = ip_equal(&a->src, &b->src);
	bool same_dst = ip_equal(&a->dst, &b->dst);
	bool client = (same_src && a->sport == b->sport) || (same_dst && a->dport == b->dport);

	if (a->proto != b->proto)
		return false;
	if (same_src && same_dst)
		return ev->u.meet.token.random && both_strange(in, out_leg);
	if ((same_src || same_dst) && a->sport == b->sport && a->dport == b->dport)
		return true;
	if (client && both_strange(in, out_leg))
		return true;
	return its_own(&out_leg->src, &b->src, relay) || its_own(&in->dst, &a->dst, relay);
}

void rewrite_judge(const struct event *ev, const struct impostors *impostors,
		   const struct leg_view *in, const struct leg_view *out_leg, struct findings *out)
{
	uint32_t relay = in->to.tenant;

	/* In by one NIC or host of a tenant and out by another is passed on all the same. */
	if (relay == TENANT_INFRASTRUCTURE || (in->to.roles & (ROLE_NAT | ROLE_LOAD_BALANCER)) ||
	    (!mac_equal(in->leg->dmac, out_leg->leg->smac) &&
	     (!is_tenant(relay) || out_leg->from.tenant != relay)))
		return;
	if (!(in->path & (PATH_TO_STRANGER | PATH_TO_UNKNOWN)) &&
	    !(out_leg->path & (PATH_FROM_STRANGER | PATH_FROM_UNKNOWN)))
		return;
	if (!is_rewritten(ev, in, out_leg, relay))
		return;
	/* The victim is an end of the in-leg on the way out, of the out-leg on the way back. */
	if (is_other_tenant(in->src.tenant, relay))
		tell(ev, impostors, in, out_leg, &in->src, &in->leg->tuple.src, &in->leg->tuple,
		     out);
	else if (is_other_tenant(in->dst.tenant, relay))
		tell(ev, impostors, in, out_leg, &in->dst, &in->leg->tuple.dst, &in->leg->tuple,
		     out);
	else if (is_other_tenant(out_leg->dst.tenant, relay))
		tell(ev, impostors, in, out_leg, &out_leg->dst, &out_leg->leg->tuple.dst,
		     &out_leg->leg->tuple, out);
}
