/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spoof_proxy_arp.c - one tenant's NIC answers ARP, or neighbour solicitations, for many addresses
 * that are not its tenant's.
 *
 * One wrong answer is spoof.arp's or spoof.ndp's.  Many are another thing: the host stands in for
 * the segment, by intent or by a routing switch turned on (net.ipv4.conf.all.proxy_arp,
 * proxy_ndp), and draws everybody's traffic to itself.
 *
 * Addresses nobody is registered for count, but never alone: a host may have containers that
 * share its MAC.  Routers and hypervisors by role answer for others lawfully.
 */
#include "base/table.h"
#include "bulkhead/clock.h"
#include "detect/build.h"

#define ACTORS 1024
#define ADDRESSES 16
/* A host that was given a wrong address, or a pair swapped by mistake, makes one or two false
 * claims; a poisoner takes the two ends of one conversation, at times both families of it or the
 * second gateway.  The fourth address is beyond these. */
#define ANSWERED_MIN 4
/* ARP entries live about a minute (Linux: base_reachable_time 30 s and a half, then probes), so
 * that within one everybody who uses the segment has asked. */
#define WINDOW_NS (60 * NS_PER_SEC)
#define ND_ADVERTISEMENT 136
#define ND_SOLICITED 0x40
#define ND_TARGET 8
#define ND_LENGTH 24

struct key {
	uint64_t mac;
	uint16_t segment, zero[3];
};

struct entry {
	struct {
		struct ip_addr ip;
		uint64_t ts_ns; /* 0: unused */
		bool certain;	/* registered to somebody else */
	} answered[ADDRESSES];
	unsigned next;
	struct owner victim; /* the newest that is registered */
	struct ip_addr victim_ip;
};

struct state {
	struct table *actors;
};

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	(void)options;
	s->actors = table_new(ACTORS, sizeof(struct key), sizeof(struct entry), seed);
	return s->actors != NULL ? 0 : err_set(err, ERR_MEMORY, "no memory");
}

static void close_state(void *opaque)
{
	table_free(((struct state *)opaque)->actors);
}

static uint64_t evicted(const void *opaque)
{
	return table_evicted(((const struct state *)opaque)->actors);
}

/* The address that the frame answers for; false when it is no answer. */
static bool answered_address(const struct packet *p, struct ip_addr *ip)
{
	if (p->l3 == L3_ARP) {
		*ip = p->src;
		return p->arp_op == 2 && !ip_equal(&p->src, &p->dst);
	}
	if (p->l3 != L3_IPV6 || p->icmp_type != ND_ADVERTISEMENT || p->l4 == NULL ||
	    p->l4_len < ND_LENGTH || !(p->l4[4] & ND_SOLICITED))
		return false;
	*ip = ip_from_v6(p->l4 + ND_TARGET);
	return true;
}

/* Adds the address; false when it was known.  *all: addresses of the window, *sure: those that are
 * registered to others. */
static bool note(struct entry *e, const struct ip_addr *ip, bool certain, uint64_t now_ns,
		 unsigned *all, unsigned *sure)
{
	*all = 1;
	*sure = certain;
	for (unsigned i = 0; i < ADDRESSES; i++) {
		if (e->answered[i].ts_ns == 0 || now_ns - e->answered[i].ts_ns > WINDOW_NS)
			continue;
		if (ip_equal(&e->answered[i].ip, ip)) {
			e->answered[i].ts_ns = now_ns;
			return false;
		}
		(*all)++;
		*sure += e->answered[i].certain;
	}
	e->answered[e->next].ip = *ip;
	e->answered[e->next].ts_ns = now_ns;
	e->answered[e->next].certain = certain;
	e->next = (e->next + 1) % ADDRESSES;
	return true;
}

static void tell(const struct event *ev, const struct entry *e, unsigned all, struct findings *out)
{
	struct finding *f = build_finding(out, ev, NULL,
					  ev->from.tenant == TENANT_UNKNOWN ? CONFIDENCE_INDICATOR
									    : CONFIDENCE_PROOF);

	if (f == NULL)
		return;
	f->has_flow = false;
	f->actor = party_of_carrier(&ev->from, ev->smac);
	f->victim = party_of_owner(&e->victim, &e->victim_ip);
	finding_detail_uint(f, "addresses", all);
}

/* Is it an address that the host may answer for? */
static bool is_its_own(const struct event *ev, const struct owner *owner, const struct ip_addr *ip)
{
	if (is_tenant(owner->tenant) && owner->tenant == ev->from.tenant)
		return true;
	return ev->from.host != HOST_NONE &&
	       inventory_shares(ev->inv, ev->domain, ip, ev->from.host);
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	struct state *s = opaque;
	struct key key = {.mac = mac_to_u64(ev->smac), .segment = ev->segment};
	struct owner owner;
	struct ip_addr ip;
	struct entry *e;
	unsigned all, sure;
	bool certain;

	if (ev->packet == NULL || !ev->has_mac || ev->from.tenant == TENANT_INFRASTRUCTURE ||
	    (ev->from.roles & (ROLE_ROUTER | ROLE_HYPERVISOR)) ||
	    !answered_address(ev->packet, &ip) || ip_is_link_local(&ip) || ip_is_unspecified(&ip))
		return;
	owner = bindings_owner(ev->bindings, ev->inv, ev->domain, &ip, ev->ts_ns);
	if (is_its_own(ev, &owner, &ip))
		return;
	certain = is_tenant(owner.tenant) || owner.tenant == TENANT_INFRASTRUCTURE;
	e = table_put(s->actors, &key, NULL);
	if (certain) {
		e->victim = owner;
		e->victim_ip = ip;
	}
	if (note(e, &ip, certain, ev->ts_ns, &all, &sure) && all >= ANSWERED_MIN && sure > 0)
		tell(ev, e, all, out);
}

const struct detector detect_spoof_proxy_arp = {
    .kind = "spoof.proxy-arp",
    .summary = "one host answers ARP or ND for many addresses of others",
    .wants = EVENT_BIT(EVENT_ARP) | EVENT_BIT(EVENT_ND),
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .evicted = evicted,
    .close = close_state,
};
