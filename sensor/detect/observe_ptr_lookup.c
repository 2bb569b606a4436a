/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe_ptr_lookup.c - a host asks the reverse names of addresses that only another tenant talks
 * to: what a sniffer does that resolves what it sees.
 *
 * An address counts when a flow of one or two other tenants has been seen with it, and none of
 * the asking tenant.  At least one has to be a peer outside the segment: the neighbours' own
 * addresses are in everybody's broadcasts.  Two such addresses of one tenant within a minute are an
 * indicator; the finding says whether that tenant's traffic was exposed to the host before
 * (detail.exposed).
 *
 * Silent for the provider's own, for tenant hosts whose role is to look at addresses (resolvers and
 * monitors), for a resolver that another tenant or an outsider has just asked the same, and for who
 * goes through a list: he asks for addresses, too, that nobody talks to.
 */
#include <string.h>

#include "base/cursor.h"
#include "base/table.h"
#include "detect/build.h"

#define WITHIN_NS (60 * UINT64_C(1000000000))
#define ADDRESSES_NEEDED 2
/* A resolver asks on as soon as it is asked; clients wait five seconds (resolv.conf(5)), twice. */
#define PASSED_ON_NS (10 * UINT64_C(1000000000))
/* What a sniffer asks for he has seen, and most of it this sensor has seen as well. */
#define UNSEEN_MAX 4
#define PEERS 65536
#define QUESTIONS 4096
#define ASKERS 4096
#define EXPOSURES 4096
/* An address that more tenants than this talk to is a public service: it tells nothing. */
#define PEER_TENANTS 3
#define DNS_HEADER 12
#define DNS_PTR 12
#define NIBBLES 32

struct peer_key {
	struct ip_addr ip;
	uint32_t domain;
	uint32_t zero;
};

struct peer { /* the tenants that talk to it */
	uint32_t tenant[PEER_TENANTS];
};

struct asker_key {
	uint32_t host; /* or the tenant, when the host is not known */
	uint32_t tenant, victim;
};

struct asker {
	struct ip_addr asked[ADDRESSES_NEEDED];
	uint64_t at_ns[ADDRESSES_NEEDED];
	bool outside[ADDRESSES_NEEDED];
	uint8_t next;
};

struct question_key { /* that somebody else asked a tenant's host */
	struct ip_addr ip;
	uint32_t tenant, zero;
};

struct unseen_key {
	uint32_t host, tenant;
};

struct unseen { /* addresses asked for that nobody talks to */
	uint64_t since_ns;
	unsigned count;
};

struct exposure_key {
	uint32_t tenant, victim;
};

struct exposure {
	uint64_t last_ns;
};

struct state {
	struct table *peers;
	struct table *askers;
	struct table *exposures;
	struct table *questions; /* the value is the time */
	struct table *unseen;
	uint32_t soon[2]; /* of the last flow that was announced */
};

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	(void)options;
	s->peers = table_new(PEERS, sizeof(struct peer_key), sizeof(struct peer), seed);
	s->askers = table_new(ASKERS, sizeof(struct asker_key), sizeof(struct asker), seed);
	s->exposures =
	    table_new(EXPOSURES, sizeof(struct exposure_key), sizeof(struct exposure), seed);
	s->questions = table_new(QUESTIONS, sizeof(struct question_key), sizeof(uint64_t), seed);
	s->unseen = table_new(ASKERS, sizeof(struct unseen_key), sizeof(struct unseen), seed);
	if (s->peers == NULL || s->askers == NULL || s->exposures == NULL || s->questions == NULL ||
	    s->unseen == NULL)
		return err_set(err, ERR_MEMORY, "no memory");
	return 0;
}

/* ---- what is known ------------------------------------------------------------------------- */

static void note_peer(struct state *s, uint16_t domain, const struct ip_addr *ip, uint32_t tenant)
{
	struct peer_key key = {.ip = *ip, .domain = domain};
	struct peer *peer;

	if (!is_tenant(tenant))
		return;
	peer = table_put(s->peers, &key, NULL);
	for (unsigned i = 0; i < PEER_TENANTS; i++) {
		if (peer->tenant[i] == tenant)
			return;
		if (peer->tenant[i] == TENANT_UNKNOWN) {
			peer->tenant[i] = tenant;
			return;
		}
	}
}

static void note_flow(struct state *s, const struct event *ev)
{
	if (ip_is_multicast(&ev->tuple.dst) || ip_is_broadcast(&ev->tuple.dst))
		return;
	note_peer(s, ev->domain, &ev->tuple.dst, ev->src.tenant);
	note_peer(s, ev->domain, &ev->tuple.src, ev->dst.tenant);
}

/* A peer is a slot and an entry, one behind the other: those of this flow, and of the one before
 * it. */
static void flow_soon(void *opaque, const struct flow_tuple *tuple)
{
	struct state *s = opaque;
	const struct ip_addr *ip[2] = {&tuple->src, &tuple->dst};

	for (unsigned i = 0; i < 2; i++) {
		struct peer_key key = {.ip = *ip[i], .domain = tuple->domain};

		table_prefetch_entry(s->peers, s->soon[i]);
		s->soon[i] = table_prefetch_slot(s->peers, &key);
	}
}

static void note_exposure(struct state *s, uint32_t actor, const struct event *ev)
{
	const uint32_t ends[2] = {ev->src.tenant, ev->dst.tenant};

	if (!is_tenant(actor))
		return;
	for (unsigned i = 0; i < 2; i++) {
		struct exposure_key key = {.tenant = actor, .victim = ends[i]};
		struct exposure *e;

		if (!is_other_tenant(ends[i], actor))
			continue;
		e = table_put(s->exposures, &key, NULL);
		e->last_ns = ev->ts_ns;
	}
}

/* A flooded frame could be heard by every tenant at home in the segment. */
static void note_flood(struct state *s, const struct event *ev)
{
	uint32_t tenants[32];
	uint32_t count = ev->segment == SEGMENT_NONE
			     ? 0
			     : inventory_segment_tenants(ev->inv, ev->segment, tenants, 32);

	for (uint32_t i = 0; i < count && i < 32; i++)
		note_exposure(s, tenants[i], ev);
}

/* ---- the question -------------------------------------------------------------------------- */

static int digit(uint8_t c, unsigned base)
{
	unsigned v = 99;

	if (c >= '0' && c <= '9')
		v = c - (unsigned)'0';
	else if (c >= 'a' && c <= 'f')
		v = c - (unsigned)'a' + 10;
	else if (c >= 'A' && c <= 'F')
		v = c - (unsigned)'A' + 10;
	return v < base ? (int)v : -1;
}

/* d.c.b.a.in-addr.arpa; label: the labels before "in-addr". */
static bool ipv4_of(const uint8_t *label[], const uint8_t len[], unsigned count, struct ip_addr *ip)
{
	uint8_t v4[4];

	if (count != 4)
		return false;
	for (unsigned i = 0; i < 4; i++) {
		unsigned value = 0;

		if (len[i] == 0 || len[i] > 3)
			return false;
		for (unsigned k = 0; k < len[i]; k++) {
			int d = digit(label[i][k], 10);

			if (d < 0)
				return false;
			value = value * 10 + (unsigned)d;
		}
		if (value > 255)
			return false;
		v4[3 - i] = (uint8_t)value;
	}
	*ip = ip_from_v4(v4);
	return true;
}

/* 32 nibbles, the lowest first (RFC 3596 2.5). */
static bool ipv6_of(const uint8_t *label[], const uint8_t len[], unsigned count, struct ip_addr *ip)
{
	uint8_t v6[16] = {0};

	if (count != NIBBLES)
		return false;
	for (unsigned i = 0; i < NIBBLES; i++) {
		int d = len[i] == 1 ? digit(label[i][0], 16) : -1;

		if (d < 0)
			return false;
		v6[15 - i / 2] |= (uint8_t)(d << (i % 2 * 4));
	}
	*ip = ip_from_v6(v6);
	return true;
}

static bool label_is(const uint8_t *label, uint8_t len, const char *text)
{
	if (len != strlen(text))
		return false;
	for (unsigned i = 0; i < len; i++)
		if ((label[i] | 0x20) != (uint8_t)text[i] && label[i] != (uint8_t)text[i])
			return false;
	return true;
}

/* The address whose name a DNS message asks for (RFC 1035 4.1). */
static bool question(const struct event *ev, bool *answer, struct ip_addr *ip)
{
	const struct packet *p = ev->packet;
	const uint8_t *label[NIBBLES + 2];
	uint8_t len[NIBBLES + 2];
	unsigned count = 0;
	struct cursor c;
	uint16_t flags;

	if (p == NULL || p->payload == NULL || p->proto != IPPROTO_NUM_UDP ||
	    (p->dport != 53 && p->sport != 53))
		return false;
	c = cursor_over(p->payload, p->payload_len);
	cursor_skip(&c, 2);
	flags = cursor_be16(&c);
	*answer = (flags & 0x8000) != 0;
	if ((flags & 0x7800) != 0 || cursor_be16(&c) != 1)
		return false;
	cursor_skip(&c, 6);
	for (;;) {
		uint8_t n = cursor_u8(&c);

		if (n == 0)
			break;
		if (n > 63 || count == NIBBLES + 2)
			return false;
		len[count] = n;
		label[count] = cursor_take(&c, n);
		if (label[count++] == NULL)
			return false;
	}
	if (cursor_be16(&c) != DNS_PTR || c.failed || count < 3 ||
	    !label_is(label[count - 1], len[count - 1], "arpa"))
		return false;
	if (label_is(label[count - 2], len[count - 2], "in-addr"))
		return ipv4_of(label, len, count - 2, ip);
	return label_is(label[count - 2], len[count - 2], "ip6") &&
	       ipv6_of(label, len, count - 2, ip);
}

/* ---- the judgement ------------------------------------------------------------------------- */

struct party_asking {
	uint32_t tenant, host;
	struct mac_addr mac;
	bool has_mac;
	struct ip_addr ip;
};

static void tell(const struct state *s, const struct event *ev, const struct party_asking *who,
		 uint32_t victim, const struct asker *asker, struct findings *out)
{
	struct exposure_key key = {.tenant = who->tenant, .victim = victim};
	struct finding *f = build_finding(out, ev, "observe.ptr-lookup", CONFIDENCE_INDICATOR);
	char text[IP_TEXT_SIZE];

	if (f == NULL)
		return;
	f->actor = (struct party){.tenant_id = who->tenant,
				  .host_id = who->host,
				  .mac = who->mac,
				  .has_mac = who->has_mac,
				  .ip = who->ip,
				  .has_ip = true};
	f->victim = party_of_tenant(victim);
	f->has_flow = false; /* the look-up's own: the victim's flows are many */
	for (unsigned i = 0; i < ADDRESSES_NEEDED; i++)
		finding_detail_text(f, i == 0 ? "asked" : "asked_too",
				    ip_format(&asker->asked[i], text));
	finding_detail_text(f, "exposed", table_find(s->exposures, &key) != NULL ? "yes" : "no");
}

/* Another address of this victim; true when there are enough. */
static bool note_asked(struct asker *a, const struct ip_addr *ip, bool outside, uint64_t now_ns)
{
	bool any_outside = false;

	for (unsigned i = 0; i < ADDRESSES_NEEDED; i++)
		if (a->at_ns[i] != 0 && ip_equal(&a->asked[i], ip)) {
			a->at_ns[i] = now_ns;
			return false;
		}
	/* Of what has to go, a neighbour's address goes first: an outside one proves more. */
	if (a->at_ns[a->next] != 0 && a->outside[a->next] && !outside)
		a->next = (uint8_t)((a->next + 1) % ADDRESSES_NEEDED);
	a->asked[a->next] = *ip;
	a->at_ns[a->next] = now_ns;
	a->outside[a->next] = outside;
	a->next = (uint8_t)((a->next + 1) % ADDRESSES_NEEDED);
	for (unsigned i = 0; i < ADDRESSES_NEEDED; i++) {
		if (a->at_ns[i] == 0 || now_ns - a->at_ns[i] > WITHIN_NS)
			return false;
		any_outside |= a->outside[i];
	}
	return any_outside;
}

static bool talks_to(const struct peer *peer, uint32_t tenant)
{
	for (unsigned i = 0; peer != NULL && i < PEER_TENANTS; i++)
		if (peer->tenant[i] == tenant)
			return true;
	return false;
}

/* ---- who asks because of his work ------------------------------------------------------------ */

static void note_question(struct state *s, const struct event *ev, const struct ip_addr *ip)
{
	struct question_key key = {.ip = *ip, .tenant = ev->dst.tenant};

	if (is_tenant(ev->dst.tenant) && ev->src.tenant != ev->dst.tenant)
		*(uint64_t *)table_put(s->questions, &key, NULL) = ev->ts_ns;
}

static bool passes_on(const struct state *s, const struct event *ev, uint32_t tenant,
		      const struct ip_addr *ip)
{
	struct question_key key = {.ip = *ip, .tenant = tenant};
	const uint64_t *at_ns = table_find(s->questions, &key);

	return at_ns != NULL && ev->ts_ns - *at_ns <= PASSED_ON_NS;
}

static struct unseen *unseen_of(struct state *s, const struct event *ev,
				const struct party_asking *who)
{
	struct unseen_key key = {.host = who->host, .tenant = who->tenant};
	bool fresh;
	struct unseen *u = table_put(s->unseen, &key, &fresh);

	if (fresh || ev->ts_ns - u->since_ns > WITHIN_NS)
		*u = (struct unseen){.since_ns = ev->ts_ns};
	return u;
}

static void asked_for(struct state *s, const struct event *ev, const struct party_asking *who,
		      uint32_t victim, const struct ip_addr *ip, bool outside, struct findings *out)
{
	struct asker_key key = {.host = who->host, .tenant = who->tenant, .victim = victim};
	struct asker *asker = table_put(s->askers, &key, NULL);

	if (note_asked(asker, ip, outside, ev->ts_ns) && unseen_of(s, ev, who)->count < UNSEEN_MAX)
		tell(s, ev, who, victim, asker, out);
}

static void asked(struct state *s, const struct event *ev, const struct party_asking *who,
		  const struct ip_addr *ip, struct findings *out)
{
	struct peer_key key = {.ip = *ip, .domain = ev->domain};
	const struct peer *peer = table_find(s->peers, &key);
	struct owner owner = bindings_owner(ev->bindings, ev->inv, ev->domain, ip, ev->ts_ns);

	if (owner.tenant == who->tenant || owner.tenant == TENANT_INFRASTRUCTURE ||
	    talks_to(peer, who->tenant) || passes_on(s, ev, who->tenant, ip))
		return;
	if (is_tenant(owner.tenant)) { /* his own address, not one of his peers */
		asked_for(s, ev, who, owner.tenant, ip, false, out);
		return;
	}
	if (peer == NULL) {
		unseen_of(s, ev, who)->count++;
		return;
	}
	if (peer->tenant[PEER_TENANTS - 1] != TENANT_UNKNOWN)
		return;
	for (unsigned i = 0; i < PEER_TENANTS && peer->tenant[i] != TENANT_UNKNOWN; i++)
		asked_for(s, ev, who, peer->tenant[i], ip, owner.kind == OWNER_NONE, out);
}

static void see_question(struct state *s, const struct event *ev, struct findings *out)
{
	struct party_asking who = {.host = HOST_NONE};
	const struct host *host;
	struct ip_addr ip;
	bool answer;

	if (!question(ev, &answer, &ip))
		return;
	if (!answer) {
		note_question(s, ev, &ip);
		/* What leaves a port shows the questions of others, and not whom they talk to. */
		if (ev->tap->view == VIEW_PORT || !ev->has_mac || !is_tenant(ev->from.tenant) ||
		    ev->src.tenant != ev->from.tenant)
			return; /* passed on by somebody, or forged */
		who = (struct party_asking){.tenant = ev->from.tenant,
					    .host = ev->from.host,
					    .mac = ev->smac,
					    .has_mac = true,
					    .ip = ev->tuple.src};
	} else {
		/* A tap of what leaves a port shows the answers alone. */
		if (ev->tap->view != VIEW_PORT || !is_tenant(ev->dst.tenant) ||
		    ev->dst.tenant != ev->tap->tenant || ev->src.tenant == ev->dst.tenant)
			return;
		who = (struct party_asking){
		    .tenant = ev->dst.tenant, .host = ev->dst.host, .ip = ev->tuple.dst};
	}
	host = inventory_host(ev->inv, who.host);
	if (host != NULL && (host->roles & (ROLE_DNS | ROLE_MONITOR)))
		return;
	asked(s, ev, &who, &ip, out);
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	struct state *s = opaque;

	switch (ev->kind) {
	case EVENT_FLOW:
		note_flow(s, ev);
		break;
	case EVENT_EXPOSED:
		note_exposure(s, ev->tap->tenant, ev);
		break;
	case EVENT_FLOODED:
		note_flood(s, ev);
		break;
	case EVENT_PATH:
		if (ev->path & PATH_TO_STRANGER)
			note_exposure(s, ev->to.tenant, ev);
		break;
	default:
		see_question(s, ev, out);
		break;
	}
}

static uint64_t evicted(const void *opaque)
{
	const struct state *s = opaque;

	return table_evicted(s->askers) + table_evicted(s->exposures) +
	       table_evicted(s->questions) + table_evicted(s->unseen);
}

static uint64_t forgotten(const void *opaque)
{
	const struct state *s = opaque;

	return table_evicted(s->peers);
}

static void close_state(void *opaque)
{
	struct state *s = opaque;

	table_free(s->peers);
	table_free(s->askers);
	table_free(s->exposures);
	table_free(s->questions);
	table_free(s->unseen);
}

const struct detector detect_observe_ptr_lookup = {
    .kind = "observe.ptr-lookup",
    .summary = "a host asks reverse names of addresses that only another tenant talks to",
    .wants = EVENT_BIT(EVENT_FLOW) | EVENT_BIT(EVENT_NAME) | EVENT_BIT(EVENT_EXPOSED) |
	     EVENT_BIT(EVENT_FLOODED) | EVENT_BIT(EVENT_PATH),
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .flow_soon = flow_soon,
    .evicted = evicted,
    .forgotten = forgotten,
    .close = close_state,
};
