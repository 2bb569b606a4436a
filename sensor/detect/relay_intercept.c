/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay_intercept.c - TLS is ended at a host and opened anew by it: no nonce is left to compare.
 *
 *	victim --- TLS, SNI x ---> [actor] --- TLS, SNI x ---> server
 *
 * What remains is that each connection of the victim is matched in time by one of the actor's for
 * the same name; once may be chance, three times is not.  That the client's fingerprint in the
 * second differs from the first is a second sign: the actor's own TLS stack speaks there.
 *
 * So does a tenant's own site in front of an origin elsewhere.  Whose name it is tell the resolvers
 * (an answer by the provider's gear that leads to the host's tenant) and the world, which comes to
 *it for that name.
 */
#include <stdio.h>
#include <string.h>

#include "base/table.h"
#include "detect/build.h"
#include "detect/dns.h"

/* Both handshakes hang together: the interceptor needs the server's certificate to forge his, so
 * he connects while the client waits.  Clients give up after a few seconds. */
#define TOGETHER_NS (2 * UINT64_C(1000000000))
#define TIMES_NEEDED 3
#define SIGHTINGS 16384
#define PASSED 4096
#define CASES 4096
#define OWN_NAMES 8192
/* Pairs further apart than this are no series. */
#define SERIES_NS (600 * UINT64_C(1000000000))

struct name_key { /* a name at a tenant's door, inwards or outwards */
	uint32_t tenant;
	uint32_t outwards;
	char name[APP_HOST_SIZE];
};

struct sighting {
	struct flow_tuple tuple;
	uint64_t ts_ns;
	uint64_t flow_id;
	struct owner src, dst;
	uint32_t host;
	struct mac_addr mac;
	bool paired;
	uint64_t print;
};

struct own_key { /* a name that leads to a tenant rightfully */
	uint32_t tenant;
	char name[DNS_NAME_SIZE];
};

struct case_key {
	uint32_t actor, victim;
	char name[APP_HOST_SIZE];
};

struct case_file {
	uint64_t last_ns;
	unsigned pairs;
	unsigned other_print; /* of these, with another fingerprint outwards */
};

struct state {
	struct table *sightings;
	struct table *cases;
	struct table *own;    /* set of own_key */
	struct table *passed; /* set of flow ids: the same hello came by in another flow before */
};

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	(void)options;
	s->sightings = table_new(SIGHTINGS, sizeof(struct name_key), sizeof(struct sighting), seed);
	s->cases = table_new(CASES, sizeof(struct case_key), sizeof(struct case_file), seed);
	s->passed = table_new(PASSED, sizeof(uint64_t), sizeof(uint64_t), seed);
	s->own = table_new(OWN_NAMES, sizeof(struct own_key), sizeof(uint8_t), seed);
	if (s->sightings == NULL || s->cases == NULL || s->passed == NULL || s->own == NULL)
		return err_set(err, ERR_MEMORY, "no memory");
	return 0;
}

static struct own_key own_key_of(uint32_t tenant, const char *name)
{
	struct own_key key;

	memset(&key, 0, sizeof key);
	key.tenant = tenant;
	(void)snprintf(key.name, sizeof key.name, "%s", name);
	return key;
}

static void note_own(struct state *s, uint32_t tenant, const char *name)
{
	struct own_key key = own_key_of(tenant, name);

	(void)table_put(s->own, &key, NULL);
}

/* An answer that comes by the provider's gear: from its own resolver, or one outside. */
static void see_answer(struct state *s, const struct event *ev)
{
	struct dns_message m;

	if (ev->packet == NULL || ev->from.tenant != TENANT_INFRASTRUCTURE ||
	    is_tenant(ev->src.tenant) || ev->packet->sport != 53 || !dns_parse(ev->packet, &m) ||
	    m.family != DNS_PLAIN || !m.response)
		return;
	for (unsigned i = 0; i < m.address_count; i++) {
		struct owner owner =
		    bindings_owner(ev->bindings, ev->inv, ev->domain, &m.address[i].ip, ev->ts_ns);

		if (is_tenant(owner.tenant))
			note_own(s, owner.tenant, m.question);
	}
}

/* CDNs and web application firewalls, by role. */
static bool ends_tls_lawfully(const struct inventory *inv, uint32_t id)
{
	const struct host *host = inventory_host(inv, id);

	return host != NULL && (host->roles & (ROLE_PROXY | ROLE_LOAD_BALANCER)) != 0;
}

/* Who may be the proxy of either end may end its TLS: that is what CDNs do. */
static bool is_hired(const struct event *ev, uint32_t actor, uint32_t host, const struct owner *end)
{
	return is_tenant(end->tenant) &&
	       inventory_allowed(ev->inv, actor, host, end->tenant, end->host, "relay.proxy",
				 ev->ts_ns, NULL);
}

/* Live, workers' events may come a little out of order. */
static uint64_t apart(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns > b_ns ? a_ns - b_ns : b_ns - a_ns;
}

static void pair_up(struct state *s, const struct event *ev, const struct sighting *in,
		    const struct sighting *outward, uint32_t actor, const char *name,
		    struct findings *out)
{
	struct case_key key = {.actor = actor, .victim = in->src.tenant};
	struct own_key own = own_key_of(actor, name);
	struct case_file *c;
	struct finding *f;
	bool fresh;
	bool known = in->print != 0 && outward->print != 0;

	if (!is_other_tenant(in->src.tenant, actor) || outward->dst.tenant == actor)
		return;
	/* Asked for at its own address, for a name of its own. */
	if (in->dst.tenant == actor && table_find(s->own, &own) != NULL)
		return;
	if (ends_tls_lawfully(ev->inv, in->host) || ends_tls_lawfully(ev->inv, outward->host) ||
	    is_hired(ev, actor, outward->host, &in->src) ||
	    is_hired(ev, actor, outward->host, &outward->dst))
		return;
	/* Both go to one address of the provider's: a balanced server visits itself. */
	if (in->dst.tenant == TENANT_INFRASTRUCTURE &&
	    ip_equal(&in->tuple.dst, &outward->tuple.dst))
		return;
	/* The same client spoke on both sides: nothing was ended here (relay.proxy's business). */
	if ((known && in->print == outward->print) || table_find(s->passed, &in->flow_id) != NULL ||
	    table_find(s->passed, &outward->flow_id) != NULL)
		return;
	(void)snprintf(key.name, sizeof key.name, "%s", name);
	c = table_put(s->cases, &key, &fresh);
	if (!fresh && apart(ev->ts_ns, c->last_ns) > SERIES_NS)
		*c = (struct case_file){0};
	c->last_ns = ev->ts_ns;
	c->pairs++;
	c->other_print += known;
	if (c->pairs < TIMES_NEEDED)
		return;
	f = build_finding(out, ev, "relay.intercept",
			  c->other_print >= TIMES_NEEDED ? CONFIDENCE_STRONG
							 : CONFIDENCE_INDICATOR);
	if (f == NULL)
		return;
	f->actor = party_of_host(ev->inv, outward->host);
	f->actor.tenant_id = actor;
	f->victim = party_of_owner(&in->src, &in->tuple.src);
	f->peer = party_of_owner(&outward->dst, &outward->tuple.dst);
	f->tuple = in->tuple;
	f->flow_id = in->flow_id;
	f->count = c->pairs == TIMES_NEEDED ? TIMES_NEEDED : 1;
	finding_detail_text(f, "sni", name);
	finding_detail_uint(f, "pairs", c->pairs);
	finding_detail_text(f, "client_fingerprint", c->other_print > 0 ? "differs" : "unknown");
}

static void note(struct state *s, const struct event *ev, uint32_t tenant, bool outwards,
		 struct findings *out)
{
	struct name_key key = {.tenant = tenant, .outwards = outwards};
	struct sighting *mine;
	struct sighting *other;
	bool fresh;

	(void)snprintf(key.name, sizeof key.name, "%s", ev->u.hello.name);
	mine = table_put(s->sightings, &key, &fresh);
	/* Said again: a second hello with the key share that was asked for, a retransmission. */
	if (!fresh && mine->flow_id == ev->flow_id)
		return;
	*mine = (struct sighting){.tuple = ev->tuple,
				  .ts_ns = ev->ts_ns,
				  .flow_id = ev->flow_id,
				  .src = ev->src,
				  .dst = ev->dst};
	mine->host = outwards ? (ev->src.host != HOST_NONE ? ev->src.host : ev->from.host)
			      : (ev->dst.tenant == tenant ? ev->dst.host : ev->to.host);
	mine->print = ev->u.hello.print;
	key.outwards = !outwards;
	other = table_find(s->sightings, &key);
	if (other == NULL || other->paired || apart(ev->ts_ns, other->ts_ns) > TOGETHER_NS)
		return;
	mine->paired = true;
	other->paired = true;
	if (outwards)
		pair_up(s, ev, other, mine, tenant, ev->u.hello.name, out);
	else
		pair_up(s, ev, mine, other, tenant, ev->u.hello.name, out);
}

/* The end's tenant is its address's; a tenant's NIC that has to do with neither end stands in. */
static uint32_t whose(uint32_t owner, uint32_t nic, uint32_t far)
{
	return is_tenant(owner) && (!is_tenant(nic) || nic == far) ? owner : nic;
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	struct state *s = opaque;
	uint32_t client = whose(ev->src.tenant, ev->from.tenant, ev->dst.tenant);
	uint32_t door = whose(ev->dst.tenant, ev->to.tenant, ev->src.tenant);

	if (ev->kind == EVENT_NAME) {
		see_answer(s, ev);
		return;
	}
	if (ev->kind == EVENT_MEET) {
		if (ev->u.meet.token.kind == TOKEN_TLS_CLIENT_RANDOM)
			*(uint64_t *)table_put(s->passed, &ev->flow_id, NULL) = ev->ts_ns;
		return;
	}
	if (!ev->has_flow)
		return;
	if (is_tenant(ev->dst.tenant) && ev->src.kind == OWNER_NONE &&
	    !ip_is_private(&ev->tuple.src) && ev->from.tenant == TENANT_INFRASTRUCTURE)
		note_own(s, ev->dst.tenant, ev->u.hello.name);
	/* What the provider's balancer hands on is for a server of its own. */
	if (is_tenant(door) && door != client &&
	    !carrier_has_role(&ev->from, ROLE_LOAD_BALANCER | ROLE_NAT | ROLE_PROXY))
		note(s, ev, door, false, out);
	if (is_tenant(client) && door != client)
		note(s, ev, client, true, out);
}

static uint64_t evicted(const void *opaque)
{
	const struct state *s = opaque;

	return table_evicted(s->sightings) + table_evicted(s->cases) + table_evicted(s->passed) +
	       table_evicted(s->own);
}

static void close_state(void *opaque)
{
	struct state *s = opaque;

	table_free(s->sightings);
	table_free(s->cases);
	table_free(s->passed);
	table_free(s->own);
}

const struct detector detect_relay_intercept = {
    .kind = "relay.intercept",
    .summary = "TLS of another tenant ended at a host and opened anew for the same name",
    .wants = EVENT_BIT(EVENT_HELLO) | EVENT_BIT(EVENT_MEET) | EVENT_BIT(EVENT_NAME),
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .evicted = evicted,
    .close = close_state,
};
