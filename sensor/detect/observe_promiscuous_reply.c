/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe_promiscuous_reply.c - a host answers frames that were addressed to another tenant's NIC.
 *
 *	X ---- to the MAC of B, for the address of C ---->	(C is not asked)
 *	X <--------------------------------- C answers		(so C listened)
 *
 * Answers are TCP's first (RST, SYN-ACK), echo replies, and ARP replies to a unicast request.
 * Nobody is accused over
 *
 *   - a question that went to a gateway, to a group (virtual NICs answer probes to odd group
 *     addresses without being promiscuous) or to a MAC that nobody registered (a second NIC);
 *   - a B that passes packets on: that is a relay, and C was asked after all;
 *   - a B whose port is not in the mirror: it may pass packets on unseen;
 *   - one or two cases: the frame that did ask C may be missing from the capture.
 */
#include "base/table.h"
#include "detect/build.h"
#include "detect/hidden.h"

/* A SPAN loses single frames; it does not lose the same kind of frame three times a minute with
 * only the neighbours' copies left over. */
#define ANSWERS_NEEDED 3
#define WITHIN_NS (60 * UINT64_C(1000000000))
/* An honest reply to a unicast request follows in a millisecond; a host that was not asked is only
 * asked again, by broadcast, after a second (RFC 4861 7.3.3, Linux alike for ARP). */
#define ARP_NS (200 * UINT64_C(1000000))
#define ND_ADVERTISEMENT 136
#define PAIRS 4096
#define RELAYS 4096
#define REQUESTS 16384

struct pair_key {
	uint64_t answerer, asked; /* MACs */
};

struct pair {
	uint64_t since_ns;
	uint64_t answers; /* since then, not told */
	bool proved;
};

struct relay_key {
	uint64_t mac;
};

struct relay {
	uint64_t last_ns;
};

struct request_key {
	struct ip_addr asker, wanted;
	uint64_t domain;
};

struct request {
	uint64_t ts_ns;
	struct mac_addr to;
};

struct state {
	struct table *pairs;
	struct table *relays;
	struct table *requests;
};

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	(void)options;
	s->pairs = table_new(PAIRS, sizeof(struct pair_key), sizeof(struct pair), seed);
	s->relays = table_new(RELAYS, sizeof(struct relay_key), sizeof(struct relay), seed);
	s->requests = table_new(REQUESTS, sizeof(struct request_key), sizeof(struct request), seed);
	if (s->pairs == NULL || s->relays == NULL || s->requests == NULL)
		return err_set(err, ERR_MEMORY, "no memory");
	return 0;
}

/* A NIC that carries what is not its own passes questions on. */
static void note_relay(struct state *s, uint64_t mac, uint64_t now_ns)
{
	struct relay_key key = {.mac = mac};
	struct relay *relay = table_put(s->relays, &key, NULL);

	relay->last_ns = now_ns;
}

static bool is_relay(const struct state *s, struct mac_addr mac)
{
	struct relay_key key = {.mac = mac_to_u64(mac)};

	return table_find(s->relays, &key) != NULL;
}

static void answered(struct state *s, const struct event *ev, struct mac_addr asked,
		     const char *how, struct findings *out)
{
	struct pair_key key = {.answerer = mac_to_u64(ev->smac), .asked = mac_to_u64(asked)};
	struct carrier victim = inventory_carrier(ev->inv, asked);
	struct finding *f;
	struct pair *pair;
	bool fresh;

	if (!is_tenant(ev->from.tenant) || !is_other_tenant(victim.tenant, ev->from.tenant) ||
	    is_relay(s, asked) || hidden_is(ev->hidden, asked))
		return;
	pair = table_put(s->pairs, &key, &fresh);
	if (fresh || (!pair->proved && ev->ts_ns - pair->since_ns > WITHIN_NS)) {
		pair->since_ns = ev->ts_ns;
		pair->answers = 0;
	}
	pair->answers++;
	if (pair->answers >= ANSWERS_NEEDED)
		pair->proved = true;
	if (!pair->proved)
		return;
	f = build_finding(out, ev, "observe.promiscuous-reply", CONFIDENCE_STRONG);
	if (f == NULL)
		return;
	build_actor_from(f, ev);
	f->victim = party_of_carrier(&victim, asked);
	f->count = pair->answers;
	finding_detail_text(f, "answer", how);
	pair->answers = 0;
}

static void see_stray(struct state *s, const struct event *ev, struct findings *out)
{
	const struct packet *p = ev->packet;
	const struct host *host = inventory_host(ev->inv, ev->from.host);

	/* A neighbour that is looked for where it was is looked for by multicast next. */
	if (p == NULL || p->icmp_type == ND_ADVERTISEMENT ||
	    (host != NULL && (host->roles & (ROLE_PROXY | ROLE_LOAD_BALANCER))))
		return;
	answered(s, ev, ev->u.stray.asked, p->proto == IPPROTO_NUM_TCP ? "TCP" : "echo", out);
}

static void see_arp(struct state *s, const struct event *ev, struct findings *out)
{
	const struct packet *p = ev->packet;
	struct request_key key = {.domain = ev->domain};
	struct request *request;
	struct owner owner;

	if (p == NULL || p->l3 != L3_ARP || !ev->has_mac || ip_is_unspecified(&p->src))
		return;
	if (p->arp_op == 1) {
		key.asker = p->src;
		key.wanted = p->dst;
		request = table_put(s->requests, &key, NULL);
		request->ts_ns = ev->ts_ns;
		request->to = ev->dmac;
		return;
	}
	key.asker = p->dst;
	key.wanted = p->src;
	request = p->arp_op == 2 ? table_find(s->requests, &key) : NULL;
	if (request == NULL || mac_is_group(request->to) || ev->ts_ns - request->ts_ns > ARP_NS ||
	    inventory_carrier(ev->inv, request->to).host == ev->from.host)
		return;
	owner = bindings_owner(ev->bindings, ev->inv, ev->domain, &p->src, ev->ts_ns);
	if (owner.tenant == ev->from.tenant) /* or it is a lie: spoof.arp */
		answered(s, ev, request->to, "ARP", out);
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	struct state *s = opaque;

	switch (ev->kind) {
	case EVENT_RELAYED:
		note_relay(s, mac_to_u64(ev->smac), ev->ts_ns);
		break;
	case EVENT_PATH:
		if (ev->path & PATH_FROM_STRANGER)
			note_relay(s, mac_to_u64(ev->smac), ev->ts_ns);
		break;
	case EVENT_STRAY:
		see_stray(s, ev, out);
		break;
	default:
		see_arp(s, ev, out);
		break;
	}
}

static uint64_t evicted(const void *opaque)
{
	const struct state *s = opaque;

	return table_evicted(s->pairs) + table_evicted(s->relays);
}

static uint64_t forgotten(const void *opaque)
{
	const struct state *s = opaque;

	return table_evicted(s->requests);
}

static void close_state(void *opaque)
{
	struct state *s = opaque;

	table_free(s->pairs);
	table_free(s->relays);
	table_free(s->requests);
}

const struct detector detect_observe_promiscuous_reply = {
    .kind = "observe.promiscuous-reply",
    .summary = "a host answers frames that were addressed to another tenant's NIC",
    .wants = EVENT_BIT(EVENT_STRAY) | EVENT_BIT(EVENT_RELAYED) | EVENT_BIT(EVENT_PATH) |
	     EVENT_BIT(EVENT_ARP),
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .evicted = evicted,
    .forgotten = forgotten,
    .close = close_state,
};
