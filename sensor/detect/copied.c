/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copied.c - see copied.h.
 *
 * Tenants run overlays of their own, whose inner addresses are theirs to choose and may be
 * another tenant's private ones here, and tunnels to the outside.  So a packet inside is another
 * tenant's when, and only when,
 *
 *	native	the same packet was seen on the wire, from and to NICs that are not the suspect's:
 *		equal addresses, ports and initial sequence number or payload;
 *	NIC	the inner frame's NIC at the address's end is registered to the address's owner,
 *		which no container has.  Where the other end may be the suspect's own (a private
 *		address at an unknown NIC), both directions must travel the same way as well:
 *		a mirror sends both in one direction of the tunnel, what routes never does;
 *	public	the address is unique in the world, and the other end's owner is known and not
 *		the suspect, or an outsider and both directions travel the same way.
 *
 * What the provider's router brings to the suspect's NIC, for an address that nobody registered, is
 * routed there, whatever tunnel it takes from then on.
 *
 * A packet with an end of the suspect's tenant is its own traffic; so is one of its NIC with an
 * address of nobody's (a container's), unless the suspect was seen to pass packets to that address
 * on to others (a relay that copies what it gets) or passes on a stranger's packet in the copy.
 */
#include "detect/copied.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "detect/build.h"
#include "detect/meet.h"

/* A copy follows its packet within seconds. */
#define NATIVE_NS (60 * UINT64_C(1000000000))
#define TALLIES 4096
#define RELAYS 4096
#define NATIVES 4096
/* A switch floods a frame or two when an address aged out, and a host that records its own port
 * honestly has them in its capture; the answer ends it.  More than so many within a few seconds,
 * or both directions of a conversation, are no flood. */
#define FLOOD_FRAMES 8
#define FLOOD_NS (10 * UINT64_C(1000000000))

struct tally_key {
	struct ip_addr end[2];
	uint32_t victim;
	uint32_t zero;
};

struct tally {
	uint64_t since_ns, packets, bytes;
	bool proved;
};

struct relay_key {
	struct ip_addr ip; /* of nobody's, beyond the relay */
	uint32_t domain, tenant;
};

/* A conversation in a tunnel: of which a packet was seen natively, or that lives there. */
struct native_key {
	struct ip_addr src, dst;
	uint16_t sport, dport, domain, proto;
	uint64_t tenant; /* who may have no business with it */
};

struct native {
	uint64_t diverted_ns;	       /* last handed to the suspect */
	uint64_t seen_ns, routed_ns;   /* elsewhere; by the provider to the suspect */
	uint64_t sent_ns, received_ns; /* of copied_is_behind(), the outsider being the source */
	uint32_t looks;		       /* for its packets in the book */
};

struct copied_book {
	struct table *tallies;
	struct table *relays;  /* set of relay_key; the value is the time */
	struct table *natives; /* struct native by native_key */
};

struct copied_book *copied_book_new(uint64_t seed)
{
	struct copied_book *book = calloc(1, sizeof *book);

	if (book == NULL)
		return NULL;
	book->tallies = table_new(TALLIES, sizeof(struct tally_key), sizeof(struct tally), seed);
	book->relays = table_new(RELAYS, sizeof(struct relay_key), sizeof(uint64_t), seed);
	book->natives = table_new(NATIVES, sizeof(struct native_key), sizeof(struct native), seed);
	if (book->tallies == NULL || book->relays == NULL || book->natives == NULL) {
		copied_book_free(book);
		return NULL;
	}
	return book;
}

void copied_book_free(struct copied_book *book)
{
	if (book == NULL)
		return;
	table_free(book->tallies);
	table_free(book->relays);
	table_free(book->natives);
	free(book);
}

uint64_t copied_evicted(const struct copied_book *book)
{
	return table_evicted(book->tallies) + table_evicted(book->relays) +
	       table_evicted(book->natives);
}

void copied_note_relay(struct copied_book *book, const struct event *ev)
{
	struct relay_key key = {
	    .ip = ev->tuple.dst, .domain = ev->domain, .tenant = ev->from.tenant};

	if (!ev->has_ip || !is_tenant(ev->from.tenant) || ev->to.tenant == TENANT_UNKNOWN ||
	    ev->to.tenant == ev->from.tenant || ev->dst.tenant == ev->from.tenant)
		return;
	*(uint64_t *)table_put(book->relays, &key, NULL) = ev->ts_ns;
}

/* ---- ends ------------------------------------------------------------------------------------ */

uint16_t copied_outer_domain(const struct event *ev)
{
	const struct segment *inside = inventory_segment(ev->inv, ev->segment);
	const struct segment *segment;

	/* What is in no overlay of the inventory is in the domain of its outside. */
	if (!(ev->packet->flags & PACKET_VNI) || inside == NULL || !inside->is_vni ||
	    inside->vni != ev->packet->vni)
		return ev->domain;
	segment =
	    inventory_segment(ev->inv, inventory_segment_of(ev->inv, ev->first->vlan, false, 0));
	return segment != NULL ? segment->domain
			       : inventory_domain_outside(ev->inv, ev->first->vlan);
}

struct copied_end copied_end_of(const struct event *ev, uint16_t domain, const struct ip_addr *ip,
				const struct mac_addr *mac)
{
	struct owner owner = bindings_owner(ev->bindings, ev->inv, domain, ip, ev->ts_ns);
	const struct host *host = inventory_host(ev->inv, owner.host);
	struct copied_end end = {.tenant = owner.tenant,
				 .roles = host != NULL ? host->roles : 0,
				 .party = party_of_owner(&owner, ip)};
	struct carrier carrier;

	if (mac == NULL)
		return end;
	carrier = inventory_carrier(ev->inv, *mac);
	/* Of an address on the link that nobody registered, the NIC tells whose it is. */
	if (owner.tenant < TENANT_INFRASTRUCTURE &&
	    (is_tenant(carrier.tenant) ||
	     (carrier.tenant == TENANT_INFRASTRUCTURE && owner.kind == OWNER_SEGMENT))) {
		end.tenant = carrier.tenant;
		end.roles = carrier.roles;
		end.party = party_of_carrier(&carrier, *mac);
	} else if (carrier.tenant == owner.tenant && is_tenant(owner.tenant)) {
		end.roles |= carrier.roles;
		end.party.mac = *mac;
		end.party.has_mac = true;
	}
	return end;
}

bool copied_end_is_suspect(const struct copied_end *end)
{
	return is_tenant(end->tenant) &&
	       !(end->roles & (ROLE_VTEP | ROLE_HYPERVISOR | ROLE_MONITOR));
}

bool copied_end_took_it(const struct copied_end *sender, uint32_t victim)
{
	return copied_end_is_suspect(sender) && sender->tenant != victim;
}

/* ---- native packets -------------------------------------------------------------------------- */

/* Did the provider's router hand it to the suspect, for an address that nobody registered?  A
 * cooked capture does not show to whom. */
static bool is_routed(const struct copied_case *c, const struct leg *leg)
{
	struct carrier from = inventory_carrier(c->ev->inv, leg->smac);
	struct carrier to = inventory_carrier(c->ev->inv, leg->dmac);
	struct owner dst = inventory_owner(c->ev->inv, c->domain, &leg->tuple.dst);

	/* The suspect may be registered without its NIC. */
	return from.tenant == TENANT_INFRASTRUCTURE && (from.roles & ROLES_CARRY) != 0 &&
	       dst.kind == OWNER_NONE && (to.tenant == c->tenant || to.tenant == TENANT_UNKNOWN);
}

/* Did another tenant's host hand it to the suspect's NIC, which it was not for?  Whoever draws
 * traffic to himself and sends it on by a tunnel leaves no other native packet. */
static bool is_diverted(const struct copied_case *c, const struct leg *leg)
{
	struct leg_view view = leg_view(leg, c->ev);

	return (view.path & PATH_TO_STRANGER) && view.to.tenant == c->tenant &&
	       is_other_tenant(view.from.tenant, c->tenant) && view.src.tenant == view.from.tenant;
}

static bool same_ends(const struct leg *leg, const struct packet *p)
{
	return ip_equal(&leg->tuple.src, &p->src) && ip_equal(&leg->tuple.dst, &p->dst) &&
	       leg->tuple.sport == p->sport && leg->tuple.dport == p->dport;
}

/* By NICs that are not the suspect's.  Where a cooked capture does not show to whom, an address
 * that nobody registered may be in the suspect's own network. */
static bool is_elsewhere(const struct copied_case *c, const struct leg *leg)
{
	struct owner dst = inventory_owner(c->ev->inv, c->domain, &leg->tuple.dst);

	if (mac_is_zero(leg->dmac) && dst.kind == OWNER_NONE && ip_is_private(&leg->tuple.dst))
		return false;
	return inventory_carrier(c->ev->inv, leg->smac).tenant != c->tenant &&
	       inventory_carrier(c->ev->inv, leg->dmac).tenant != c->tenant;
}

static void look_for_natives(const struct copied_case *c, bool *seen, bool *routed)
{
	const struct packet *p = c->packet;
	const struct leg *leg[MEET_LEGS];
	unsigned count = meet_find(c->ev->book, p, c->ev->ts_ns, NATIVE_NS, leg);

	*seen = false;
	*routed = false;
	for (unsigned i = 0; i < count; i++) {
		if (!same_ends(leg[i], p))
			continue;
		*routed |= is_routed(c, leg[i]);
		*seen |= is_diverted(c, leg[i]) || is_elsewhere(c, leg[i]);
	}
}

static struct native_key native_key_of(const struct copied_case *c, bool swapped)
{
	const struct packet *p = c->packet;

	return (struct native_key){.src = swapped ? p->dst : p->src,
				   .dst = swapped ? p->src : p->dst,
				   .sport = swapped ? p->dport : p->sport,
				   .dport = swapped ? p->sport : p->dport,
				   .domain = c->domain,
				   .proto = p->proto,
				   .tenant = c->tenant};
}

/* Later packets of the conversation, and cut ones, are not known by themselves. */
static bool was_diverted(const struct copied_case *c)
{
	const struct packet *p = c->packet;
	struct native_key key = native_key_of(c, memcmp(&p->src, &p->dst, sizeof p->src) > 0);
	struct native *known = table_find(c->book->natives, &key);
	uint64_t now_ns = c->ev->ts_ns;
	const struct leg *leg[MEET_LEGS];
	unsigned count;

	if (known != NULL && known->diverted_ns != 0 && now_ns - known->diverted_ns <= NATIVE_NS)
		return true;
	count = meet_find(c->ev->book, p, now_ns, NATIVE_NS, leg);
	for (unsigned i = 0; i < count; i++) {
		if (!same_ends(leg[i], p) || !is_diverted(c, leg[i]))
			continue;
		if (p->proto == IPPROTO_NUM_TCP || p->proto == IPPROTO_NUM_UDP) {
			known = table_put(c->book->natives, &key, NULL);
			known->diverted_ns = now_ns;
			known->seen_ns = now_ns;
		}
		return true;
	}
	return false;
}

/* The first packets of a conversation have what makes them known, later ones may not, the less
 * the shorter they are cut: what was known stays so for its conversation, both ways. */
static bool is_native(const struct copied_case *c)
{
	const struct packet *p = c->packet;
	uint64_t now_ns = c->ev->ts_ns;
	struct native_key key = native_key_of(c, memcmp(&p->src, &p->dst, sizeof p->src) > 0);
	struct native *known = table_find(c->book->natives, &key);
	bool seen, routed;

	/* Of the first ones the mirror may have lost by which way they went. */
	if (known != NULL && known->looks >= FLOOD_FRAMES && known->seen_ns != 0 &&
	    known->routed_ns == 0 && now_ns - known->seen_ns <= NATIVE_NS) {
		known->seen_ns = now_ns;
		return true;
	}
	look_for_natives(c, &seen, &routed);
	if (p->proto != IPPROTO_NUM_TCP && p->proto != IPPROTO_NUM_UDP)
		return seen && !routed;
	if (known == NULL && !seen && !routed)
		return false;
	known = table_put(c->book->natives, &key, NULL);
	known->looks++;
	known->seen_ns = seen ? now_ns : known->seen_ns;
	known->routed_ns = routed ? now_ns : known->routed_ns;
	return known->seen_ns != 0 && now_ns - known->seen_ns <= NATIVE_NS && known->routed_ns == 0;
}

/* ---- whose packet ---------------------------------------------------------------------------- */

static bool is_unicast(const struct ip_addr *ip)
{
	return !ip_is_multicast(ip) && !ip_is_broadcast(ip) && !ip_is_unspecified(ip) &&
	       !ip_is_loopback(ip) && !ip_is_link_local(ip);
}

struct inner {
	const struct ip_addr *ip[2];
	struct carrier nic[2];
	bool has_mac;
	bool native;
	bool relayed; /* the suspect passes on what goes between the two */
};

static bool passes_on(const struct copied_case *c, const struct ip_addr *ip)
{
	struct relay_key key = {.ip = *ip, .domain = c->domain, .tenant = c->tenant};

	return table_find(c->book->relays, &key) != NULL;
}

static bool nobodys(const struct owner *owner)
{
	return owner->tenant == TENANT_EXTERNAL || owner->tenant == TENANT_UNKNOWN;
}

/* The provider's balancer tunnels to the tenant's servers what clients send to its own address
 * (LVS in tunnelling mode and its kin). */
static bool balanced(const struct copied_case *c, const struct owner *owner)
{
	const struct host *host = inventory_host(c->ev->inv, owner->host);

	if (c->sender != TENANT_INFRASTRUCTURE)
		return false;
	if (owner->kind == OWNER_NONE)
		return (c->sender_roles & ROLE_LOAD_BALANCER) != 0;
	if (owner->tenant != TENANT_INFRASTRUCTURE)
		return false;
	return owner->kind == OWNER_SHARED ||
	       (host != NULL && (host->roles & (ROLE_LOAD_BALANCER | ROLE_PROXY | ROLE_NAT)));
}

/* Is it the suspect's own traffic, or nobody's in particular? */
static bool is_own(const struct copied_case *c, const struct copied *out, struct inner *in)
{
	for (unsigned i = 0; i < 2; i++) {
		if (!is_unicast(in->ip[i]) || out->owner[i].tenant == c->tenant ||
		    balanced(c, &out->owner[i]))
			return true;
		if (!in->has_mac || in->nic[i].tenant != c->tenant || !nobodys(&out->owner[i]))
			continue;
		if (!passes_on(c, in->ip[i]) && !was_diverted(c))
			return true;
		in->relayed = true;
	}
	return in->has_mac && mac_is_group(c->packet->dmac);
}

/* Whether the address at this end is another tenant's for certain; -1 when not. */
static int certainty(const struct copied_case *c, const struct copied *out, const struct inner *in,
		     unsigned end)
{
	const struct owner *owner = &out->owner[end];
	const struct owner *other = &out->owner[!end];
	bool public_ip = c->trusted || !ip_is_private(in->ip[end]);
	bool other_public = c->trusted || !ip_is_private(in->ip[!end]);
	bool nic = in->has_mac && in->nic[end].tenant == owner->tenant;
	bool other_nic = in->has_mac && in->nic[!end].tenant != TENANT_UNKNOWN &&
			 in->nic[!end].tenant != c->tenant;
	bool other_known = !nobodys(other) && (other_public || other_nic);
	/* The suspect's NIC uses another tenant's address to a known one: a leg of a relay. */
	bool relays = in->has_mac && in->nic[end].tenant == c->tenant && other_nic;

	if (in->native)
		return CONFIDENCE_PROOF;
	if (nic)
		return other_nic || other_known || c->mirrored || in->relayed ? CONFIDENCE_PROOF
									      : -1;
	if (relays)
		return CONFIDENCE_STRONG;
	if (!public_ip)
		return -1;
	if (other_known)
		return CONFIDENCE_STRONG;
	return other->tenant == TENANT_EXTERNAL && other_public && c->mirrored ? CONFIDENCE_STRONG
									       : -1;
}

void copied_judge(const struct copied_case *c, struct copied *out)
{
	const struct packet *p = c->packet;
	struct inner in = {.ip = {&p->src, &p->dst}, .has_mac = (p->flags & PACKET_MAC) != 0};

	*out = (struct copied){.confidence = CONFIDENCE_STRONG};
	if (p->l3 != L3_IPV4 && p->l3 != L3_IPV6)
		return;
	for (unsigned i = 0; i < 2; i++)
		out->owner[i] =
		    bindings_owner(c->ev->bindings, c->ev->inv, c->domain, in.ip[i], c->ev->ts_ns);
	if (!is_other_tenant(out->owner[0].tenant, c->tenant) &&
	    !is_other_tenant(out->owner[1].tenant, c->tenant))
		return;
	if (in.has_mac) {
		in.nic[0] = inventory_carrier(c->ev->inv, p->smac);
		in.nic[1] = inventory_carrier(c->ev->inv, p->dmac);
	}
	if (is_own(c, out, &in))
		return;
	in.native = is_native(c);
	out->native = in.native;
	for (unsigned i = 0; i < 2; i++) {
		uint32_t victim = out->owner[i].tenant;
		int sure;

		if (!is_other_tenant(victim, c->tenant) ||
		    (out->count == 1 && victim == out->owner[0].tenant))
			continue;
		sure = certainty(c, out, &in, i);
		/* What a tenant sends of its own, it may have meant to send. */
		if (sure >= 0 && c->sender == victim)
			sure = c->mirrored || in.native ? CONFIDENCE_STRONG : -1;
		if (sure < 0)
			continue;
		if (sure == CONFIDENCE_PROOF)
			out->confidence = CONFIDENCE_PROOF;
		out->which[out->count++] = i;
	}
}

bool copied_is_behind(const struct copied_case *c, const struct copied *copied, bool receives)
{
	/* The outsider is the source of what is sent, and the destination of what is received. */
	struct native_key key = native_key_of(c, receives);
	uint64_t now_ns = c->ev->ts_ns;
	struct native *known;

	if (!nobodys(&copied->owner[receives]) ||
	    !is_other_tenant(copied->owner[!receives].tenant, c->tenant))
		return false;
	key.tenant |= UINT64_C(1) << 32; /* beside is_native()'s */
	known = table_put(c->book->natives, &key, NULL);
	*(receives ? &known->received_ns : &known->sent_ns) = now_ns;
	return known->sent_ns != 0 && known->received_ns != 0 &&
	       now_ns - known->sent_ns <= NATIVE_NS && now_ns - known->received_ns <= NATIVE_NS;
}

bool copied_enough(struct copied_book *book, const struct ip_addr ends[2], uint32_t victim,
		   bool certain, uint64_t now_ns, uint64_t *packets, uint64_t *bytes)
{
	struct tally_key key = {.end = {ends[0], ends[1]}, .victim = victim};
	bool fresh;
	struct tally *t = table_put(book->tallies, &key, &fresh);

	if (fresh || (!t->proved && now_ns - t->since_ns > FLOOD_NS))
		*t = (struct tally){.since_ns = now_ns};
	t->packets += *packets;
	t->bytes += *bytes;
	if (certain || t->packets >= FLOOD_FRAMES)
		t->proved = true;
	if (!t->proved)
		return false;
	*packets = t->packets;
	*bytes = t->bytes;
	t->packets = 0;
	t->bytes = 0;
	return true;
}

void copied_fill(struct finding *f, const struct copied_case *c, const struct copied *copied,
		 unsigned victim)
{
	const struct packet *p = c->packet;
	bool ports =
	    (p->flags & PACKET_L4) && (p->proto == IPPROTO_NUM_TCP || p->proto == IPPROTO_NUM_UDP);
	unsigned end = copied->which[victim];
	const struct ip_addr *ip[2] = {&p->src, &p->dst};

	f->has_flow = true;
	f->tuple = (struct flow_tuple){.src = p->src,
				       .dst = p->dst,
				       .sport = ports ? p->sport : 0,
				       .dport = ports ? p->dport : 0,
				       .proto = p->proto,
				       .domain = c->domain};
	f->victim = party_of_owner(&copied->owner[end], ip[end]);
	f->peer = party_of_owner(&copied->owner[!end], ip[!end]);
	finding_detail_text(f, "seen_natively", copied->native ? "yes" : "no");
}
