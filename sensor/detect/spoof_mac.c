/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spoof_mac.c - a host sends with another's MAC, mostly to itself, so that the switch moves the
 *port.
 *
 *	victim's MAC -> actor's own MAC		the switch learns the victim behind the actor's
 *						port; nobody else gets to see the frame
 *
 * Nobody but the actor profits from such a frame, and it gives itself away by having nothing to
 * say to the receiver:
 *
 *   ARP    a unicast request or reply that asks for or announces the sender's own address, or no
 *          address at all.  An honest unicast ARP is about the receiver (RFC 1122 2.3.2.1,
 *          RFC 826), an honest announcement is a broadcast (RFC 5227).
 *   IP     a packet from the receiver's own address to itself, or to the provider, that comes
 *          with the MAC of the provider's gateway and a TTL that no router took anything off; or
 *          with another tenant's MAC, to itself, time and again.
 *
 *   ARP, ND   a question from the MAC of the provider's router in the name of a tenant's host that
 *          has a NIC of its own.  A router answers for others (proxy ARP, RFC 1027) but asks in its
 *          own name (RFC 826): the host asks, with a borrowed MAC.  Load balancers and NAT hold
 *          their customers' addresses and may ask so.
 *
 * By headers alone a neighbour could send these to frame the receiver: attribution stays "claimed".
 */
#include "base/table.h"
#include "detect/build.h"
#include "detect/home.h"
#include "detect/mac.h"

/* The victim's next frame takes the port back, so a theft has to be repeated, many times a second;
 * single odd frames of some stack are not one. */
#define FRAMES_NEEDED 3
#define ND_NS 135
#define ND_HEADER 24
#define ND_OPTION_SOURCE 1
/* Who lives with a borrowed MAC asks for each of his peers; one frame may be damaged. */
#define QUESTIONS_NEEDED 2
#define WITHIN_NS (10 * UINT64_C(1000000000))
#define PAIRS 4096

struct pair_key {
	uint64_t stolen, thief; /* MACs; the host, where the thief shows no MAC of his own */
};

struct pair {
	uint64_t since_ns;
	uint64_t frames; /* since then, not told */
	bool proved;
};

struct state {
	struct table *pairs;
};

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	(void)options;
	s->pairs = table_new(PAIRS, sizeof(struct pair_key), sizeof(struct pair), seed);
	return s->pairs != NULL ? 0 : err_set(err, ERR_MEMORY, "no memory");
}

/* The owner of the stolen MAC is a tenant or the provider; the receiver is another tenant. */
static bool between_strangers(const struct event *ev)
{
	return ev->has_mac && !mac_is_group(ev->dmac) && is_tenant(ev->to.tenant) &&
	       ev->from.tenant != ev->to.tenant && ev->from.tenant != TENANT_UNKNOWN;
}

static void tell(const struct event *ev, const char *how, uint64_t frames, struct findings *out)
{
	struct finding *f = build_finding(out, ev, "spoof.mac", CONFIDENCE_STRONG);

	if (f == NULL)
		return;
	f->has_flow = false; /* the packet is a pretext */
	f->actor = party_of_carrier(&ev->to, ev->dmac);
	f->victim = party_of_carrier(&ev->from, ev->smac);
	f->count = frames;
	finding_detail_text(f, "method", how);
}

static bool says_nothing(const struct packet *p)
{
	return (ip_is_unspecified(&p->src) && ip_is_unspecified(&p->dst)) ||
	       (!ip_is_unspecified(&p->src) && ip_equal(&p->src, &p->dst));
}

/* How many frames are to be told now: none until enough came soon enough. */
static uint64_t note(struct state *s, const struct event *ev, uint64_t thief, uint64_t frames_now,
		     uint64_t needed)
{
	struct pair_key key = {.stolen = mac_to_u64(ev->smac), .thief = thief};
	uint64_t frames;
	bool fresh;
	struct pair *pair = table_put(s->pairs, &key, &fresh);

	if (fresh || (!pair->proved && ev->ts_ns - pair->since_ns > WITHIN_NS)) {
		pair->since_ns = ev->ts_ns;
		pair->frames = 0;
	}
	pair->frames += frames_now;
	if (pair->frames >= needed)
		pair->proved = true;
	if (!pair->proved)
		return 0;
	frames = pair->frames;
	pair->frames = 0;
	return frames;
}

static void see_arp(struct state *s, const struct event *ev, struct findings *out)
{
	const struct packet *p = ev->packet;
	uint64_t frames;

	if (p == NULL || p->l3 != L3_ARP || !says_nothing(p))
		return;
	frames = note(s, ev, mac_to_u64(ev->dmac), 1, FRAMES_NEEDED);
	if (frames > 0)
		tell(ev, "ARP to itself", frames, out);
}

/* A loop-back test (Ethernet's type 0x9000) is for the switch it comes from; one for another
 * tenant's NIC, with the same byte all through, is there for its source MAC alone. */
static void see_empty(struct state *s, const struct event *ev, struct findings *out)
{
	const struct packet *p = ev->packet;
	uint64_t frames;

	for (uint32_t i = 1; i < p->l3_len; i++)
		if (p->l3_data[i] != p->l3_data[0])
			return;
	frames = note(s, ev, mac_to_u64(ev->dmac), 1, FRAMES_NEEDED);
	if (frames > 0)
		tell(ev, "empty frames to itself", frames, out);
}

/* A router's MAC, and nothing else: its owner holds nobody's address but his own. */
static bool is_plain_router(const struct carrier *c)
{
	const uint32_t holds = ROLE_LOAD_BALANCER | ROLE_PROXY | ROLE_NAT | ROLE_HYPERVISOR;

	return c->tenant == TENANT_INFRASTRUCTURE && (c->roles & ROLE_ROUTER) != 0 &&
	       (c->roles & holds) == 0;
}

/* Who asks, in an ARP request or a neighbour solicitation with the frame's own MAC as sender. */
static bool asks(const struct event *ev, struct ip_addr *asker)
{
	const struct packet *p = ev->packet;
	struct mac_addr mac;

	if (p == NULL || ip_is_unspecified(&p->src))
		return false;
	*asker = p->src;
	if (ev->kind == EVENT_ND)
		return p->icmp_type == ND_NS && p->l4 != NULL && p->l4_len >= ND_HEADER &&
		       nd_link_address(p, ND_HEADER, ND_OPTION_SOURCE, &mac) &&
		       mac_equal(mac, ev->smac);
	return p->l3 == L3_ARP && p->arp_op == 1 && !ip_equal(&p->src, &p->dst) &&
	       mac_equal(p->arp_sha, ev->smac);
}

static void see_question(struct state *s, const struct event *ev, struct findings *out)
{
	const struct host *host;
	struct ip_addr asker;
	struct owner owner;
	struct finding *f;
	uint64_t frames;

	if (!asks(ev, &asker))
		return;
	owner = bindings_owner(ev->bindings, ev->inv, ev->domain, &asker, ev->ts_ns);
	host = is_tenant(owner.tenant) ? inventory_host(ev->inv, owner.host) : NULL;
	if (host == NULL || host->mac_count == 0)
		return;
	frames = note(s, ev, host->id, 1, QUESTIONS_NEEDED);
	f = frames > 0 ? build_finding(out, ev, "spoof.mac", CONFIDENCE_STRONG) : NULL;
	if (f == NULL)
		return;
	f->has_flow = false;
	f->actor = party_of_owner(&owner, &asker);
	f->victim = party_of_carrier(&ev->from, ev->smac);
	f->count = frames;
	finding_detail_text(f, "method", "own address, another's MAC");
}

/* What stacks begin with (64, 128, 255 by default everywhere, 32 in old ones). */
static bool is_first_ttl(uint8_t ttl)
{
	return ttl == 32 || ttl == 64 || ttl == 128 || ttl == 255;
}

static void see_returned(const struct event *ev, struct findings *out)
{
	const struct packet *p = ev->packet;
	bool own_source = ev->src.tenant == ev->to.tenant && ev->src.host != HOST_NONE &&
			  ev->src.host == ev->to.host;

	if (p == NULL || !is_first_ttl(p->ttl) || ip_is_unspecified(&ev->tuple.src))
		return;
	/* A balancer hands its real server what that one sent to the balanced address, and NAT
	 * turns a packet back to its sender: neither has to touch the TTL. */
	if (ev->from.roles & (ROLE_LOAD_BALANCER | ROLE_PROXY | ROLE_NAT))
		return;
	if (ip_equal(&ev->tuple.src, &ev->tuple.dst)
		? own_source || ev->src.tenant == TENANT_UNKNOWN
		: own_source && ev->dst.tenant == TENANT_INFRASTRUCTURE)
		tell(ev, "IP to itself", 1, out);
}

/*
 * A frame with the MAC of a port's only host leaves by that very port: the host did not send it,
 * for a switch sends nothing back.  Whoever did stands elsewhere and may want it accused.  A mirror
 * of that port's both directions, entered as one of what leaves it, looks the same: a hint.
 */
static bool is_conflict(const struct event *ev)
{
	const struct host *host = inventory_host(ev->inv, ev->tap->host);

	return ev->tap->view == VIEW_PORT && host != NULL && ev->has_mac &&
	       ev->from.tenant != TENANT_UNKNOWN && ev->from.host == ev->tap->host &&
	       host->mac_count == 1 && host->port_count == 1;
}

static void tell_conflict(const struct event *ev, struct findings *out)
{
	struct finding *f = build_finding(out, ev, "spoof.mac", CONFIDENCE_INDICATOR);

	if (f == NULL)
		return;
	f->has_flow = false;
	f->actor = party_of_tenant(TENANT_UNKNOWN);
	f->victim = party_of_carrier(&ev->from, ev->smac);
	finding_detail_text(f, "method", "its MAC behind another port");
}

/* Another tenant's MAC, from the receiver to itself, again and again. */
static void see_path(struct state *s, const struct event *ev, struct findings *out)
{
	uint64_t frames;

	if (!mac_steals_port(ev))
		return;
	frames = note(s, ev, mac_to_u64(ev->dmac), ev->u.path.packets, FRAMES_NEEDED);
	if (frames > 0)
		tell(ev, "IP to itself", frames, out);
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	if (ev->kind == EVENT_PATH) {
		see_path(opaque, ev, out);
		return;
	}
	if (is_conflict(ev)) {
		tell_conflict(ev, out);
		return;
	}
	if (ev->kind != EVENT_RETURNED && ev->has_mac && is_plain_router(&ev->from))
		see_question(opaque, ev, out);
	if (ev->kind == EVENT_ND || !between_strangers(ev))
		return;
	if (ev->kind == EVENT_ARP)
		see_arp(opaque, ev, out);
	else if (ev->packet != NULL && ev->packet->l3 == L3_OTHER)
		see_empty(opaque, ev, out);
	else
		see_returned(ev, out);
}

static uint64_t evicted(const void *opaque)
{
	const struct state *s = opaque;

	return table_evicted(s->pairs);
}

static void close_state(void *opaque)
{
	struct state *s = opaque;

	table_free(s->pairs);
}

const struct detector detect_spoof_mac = {
    .kind = "spoof.mac",
    .summary = "frames with another's MAC as source, to the sender's own NIC or in its own name",
    .wants = EVENT_BIT(EVENT_ARP) | EVENT_BIT(EVENT_ND) | EVENT_BIT(EVENT_RETURNED) |
	     EVENT_BIT(EVENT_PATH),
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .evicted = evicted,
    .close = close_state,
};
