/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe_icmp_quote.c - an ICMP(v6) error or redirect quotes a packet that was not its sender's.
 *
 * An error quotes the packet that caused it: a receipt, signed with the sender's own address.
 * One frame is proof that its sender had a packet which is neither from it nor for it.
 *
 *	C --- ICMP error { B > server } --->	C had B's packet
 *
 * Both ends of the quoted packet must be certain not to be C's.  An address nobody is registered
 * for (a container, an alias, a pool address without a lease) may be C's own; a packet to a group
 * was delivered to everybody; a real server behind the provider's load balancer gets packets to
 * the balancer's address; and an error in the name of the address that was asked claims to be
 * that host (spoof.source tells when it is not).
 */
#include "detect/build.h"

/* Is the end certain not to be C's? */
static bool is_foreign(const struct event *ev, const struct owner *owner, const struct ip_addr *ip)
{
	const struct host *host = inventory_host(ev->inv, owner->host);

	switch (owner->kind) {
	case OWNER_SEGMENT:
	case OWNER_DYNAMIC:
		return false;
	case OWNER_NONE:
		return !ip_is_private(ip) && !ip_is_link_local(ip) && !ip_is_multicast(ip) &&
		       !ip_is_broadcast(ip) && !ip_is_unspecified(ip) && !ip_is_loopback(ip);
	default:
		break;
	}
	if (owner->tenant == TENANT_INFRASTRUCTURE)
		return host == NULL || !(host->roles & ROLE_LOAD_BALANCER);
	return owner->tenant != ev->from.tenant;
}

/* Is the message C's own, not one it passes on (relays are for others to tell)? */
static bool is_its_own(const struct event *ev)
{
	if (ev->from.tenant == TENANT_UNKNOWN || ev->src.tenant == ev->from.tenant)
		return true;
	return ev->src.kind == OWNER_SEGMENT || ev->src.kind == OWNER_DYNAMIC ||
	       (ev->src.kind == OWNER_NONE &&
		(ip_is_private(&ev->tuple.src) || ip_is_link_local(&ev->tuple.src)));
}

static void tell(const struct event *ev, const struct packet *q, const struct owner *mine,
		 const struct owner *other, bool source, struct findings *out)
{
	struct finding *f = build_finding(out, ev, NULL,
					  ev->from.tenant == TENANT_UNKNOWN ? CONFIDENCE_INDICATOR
									    : CONFIDENCE_PROOF);
	bool ports = (q->flags & PACKET_L4) != 0 && q->proto != IPPROTO_NUM_ICMP &&
		     q->proto != IPPROTO_NUM_ICMPV6;

	if (f == NULL)
		return;
	build_actor_from(f, ev);
	f->victim = party_of_owner(mine, source ? &q->src : &q->dst);
	f->peer = party_of_owner(other, source ? &q->dst : &q->src);
	f->tuple = (struct flow_tuple){.src = q->src,
				       .dst = q->dst,
				       .sport = ports ? q->sport : 0,
				       .dport = ports ? q->dport : 0,
				       .proto = q->proto,
				       .domain = ev->domain};
	f->bytes = q->ip_len;
	finding_detail_uint(f, "icmp_type", ev->packet->icmp_type);
	finding_detail_uint(f, "icmp_code", ev->packet->icmp_code);
}

static void event(void *state, const struct event *ev, struct findings *out)
{
	const struct packet *q = ev->quoted;
	struct owner src, dst;

	(void)state;
	if (q == NULL || !ev->has_mac || !ev->has_ip || ev->from.tenant == TENANT_INFRASTRUCTURE ||
	    (ev->from.roles & ROLE_ROUTER) || !is_its_own(ev))
		return;
	src = bindings_owner(ev->bindings, ev->inv, ev->domain, &q->src, ev->ts_ns);
	dst = bindings_owner(ev->bindings, ev->inv, ev->domain, &q->dst, ev->ts_ns);
	if (ip_equal(&ev->tuple.src, &q->dst) || !is_foreign(ev, &src, &q->src) ||
	    !is_foreign(ev, &dst, &q->dst))
		return;
	if (is_tenant(src.tenant))
		tell(ev, q, &src, &dst, true, out);
	if (is_tenant(dst.tenant) && dst.tenant != src.tenant)
		tell(ev, q, &dst, &src, false, out);
}

const struct detector detect_observe_icmp_quote = {
    .kind = "observe.icmp-quote",
    .summary = "a host's ICMP error quotes a packet that was neither from nor for it",
    .wants = EVENT_BIT(EVENT_ICMP_ERROR),
    .event = event,
};
