/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spoof_name.c - answers for names that are not the answering host's to answer.
 *
 * DNS	An answer with a resolver's address as source, from the NIC of a tenant that does not own
 *	that address.  The same answer seen into that NIC before is a relay, and told as such.
 *	Two answers to one question with other data and another TTL come from two machines: when
 *	both have the same rightful MAC nobody can be named, and it is an indicator.
 * LLMNR, NetBIOS, mDNS	A host may answer for its own name, and its own only.  One that answers
 *	another tenant's questions for two names with one address is poisoning (a cluster's names
 *	have an address each, and a reflector's are those of others); one that is WPAD takes over
 *	the proxy settings of whoever asked, at the first answer.
 *
 * Kept silent: a host's own name; announcements nobody asked for, and answers for names that were
 * probed for or announced before, as mDNS demands of a host with several (RFC 6762 8; a poisoner
 * cannot know what he will be asked for); names of domains and browsers in
 * NetBIOS; the order of addresses, which resolvers rotate; answers within one tenant; real servers
 * behind the provider's load balancer.
 */
#include <string.h>

#include "base/table.h"
#include "bulkhead/clock.h"
#include "detect/build.h"
#include "detect/dns.h"

#define ANSWERS 8192
#define ASKED 4096
#define ANNOUNCED 4096
#define ANSWERERS 1024
/* A resolver's answer, its duplicate and its forgery come within what a client waits (RFC 1035
 * 7.3 and resolvers since: seconds). */
#define ANSWER_NS (10 * NS_PER_SEC)
/* A host has one name; being renamed takes an administrator more than a minute. */
#define NAMES_NS (60 * NS_PER_SEC)
#define NAMES_KEPT 4
#define TYPE_ANY 255 /* a probe's question (RFC 6762 8.1) */

/* Without the client: one that a relay translates is another on each side of it. */
struct answer_key {
	struct ip_addr server;
	uint16_t id, domain, type, zero;
	char question[DNS_NAME_SIZE];
};

struct answer {
	uint64_t ts_ns, data;
	struct ip_addr client;
	uint16_t port;
	struct mac_addr smac, dmac;
	uint8_t ttl;
};

struct asked_key {
	uint16_t segment, family;
	char name[DNS_NAME_SIZE];
};

struct asked {
	uint64_t ts_ns;
	struct owner by;
	struct ip_addr ip;
};

struct announced_key {
	uint64_t mac;
	struct asked_key name;
};

struct answerer_key {
	uint64_t mac;
	uint16_t segment, family, zero[2];
};

struct answerer {
	struct {
		uint64_t ts_ns;
		struct ip_addr ip;
		char name[DNS_NAME_SIZE];
	} of[NAMES_KEPT];
	unsigned next;
};

struct state {
	struct table *answers, *asked, *answerers, *announced;
};

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	(void)options;
	s->answers = table_new(ANSWERS, sizeof(struct answer_key), sizeof(struct answer), seed);
	s->asked = table_new(ASKED, sizeof(struct asked_key), sizeof(struct asked), seed);
	s->answerers =
	    table_new(ANSWERERS, sizeof(struct answerer_key), sizeof(struct answerer), seed);
	s->announced = table_new(ANNOUNCED, sizeof(struct announced_key), sizeof(uint64_t), seed);
	if (s->answers == NULL || s->asked == NULL || s->answerers == NULL || s->announced == NULL)
		return err_set(err, ERR_MEMORY, "no memory");
	return 0;
}

static void close_state(void *opaque)
{
	struct state *s = opaque;

	table_free(s->answers);
	table_free(s->asked);
	table_free(s->answerers);
	table_free(s->announced);
}

static uint64_t evicted(const void *opaque)
{
	const struct state *s = opaque;

	return table_evicted(s->answers) + table_evicted(s->asked) + table_evicted(s->answerers) +
	       table_evicted(s->announced);
}

static struct finding *tell(const struct event *ev, const struct dns_message *m, const char *name,
			    const struct party *victim, struct findings *out)
{
	static const char *const families[] = {"DNS", "LLMNR", "mDNS", "NetBIOS"};
	struct finding *f = build_finding(out, ev, NULL,
					  ev->from.tenant == TENANT_UNKNOWN ? CONFIDENCE_INDICATOR
									    : CONFIDENCE_PROOF);
	char text[IP_TEXT_SIZE];

	if (f == NULL)
		return NULL;
	build_actor_from(f, ev);
	f->victim = *victim;
	finding_detail_text(f, "name", name);
	finding_detail_text(f, "protocol", families[m->family]);
	if (m->address_count > 0)
		finding_detail_text(f, "answer", ip_format(&m->address[0].ip, text));
	return f;
}

/* Who asked: whose NIC or address the answer goes to. */
static struct party client_of(const struct event *ev)
{
	struct party client = party_of_owner(&ev->dst, &ev->tuple.dst);

	if (!mac_is_group(ev->dmac) && is_tenant(ev->to.tenant) && ev->to.tenant != ev->dst.tenant)
		client = party_of_carrier(&ev->to, ev->dmac);
	return client;
}

/* ---- DNS ------------------------------------------------------------------------------------- */

/* Does the frame's NIC answer in the name of a resolver that is not its own? */
static bool in_anothers_name(const struct event *ev)
{
	const struct host *server = inventory_host(ev->inv, ev->src.host);

	if (ev->from.tenant == TENANT_INFRASTRUCTURE ||
	    (ev->from.roles & (ROLE_ROUTER | ROLE_NAT | ROLE_LOAD_BALANCER)) ||
	    (ev->from.host != HOST_NONE &&
	     inventory_shares(ev->inv, ev->domain, &ev->tuple.src, ev->from.host)))
		return false;
	if (ev->src.tenant == TENANT_INFRASTRUCTURE)
		return server == NULL || !(server->roles & ROLE_LOAD_BALANCER);
	if (is_tenant(ev->src.tenant))
		return ev->src.tenant != ev->from.tenant;
	/* A resolver on the Internet: nobody's packets to other tenants come from a tenant's NIC.
	 * By the provider's router goes what one says whose address nobody registered; a cooked
	 * capture does not tell. */
	return ev->src.kind == OWNER_NONE && is_tenant(ev->from.tenant) &&
	       !ip_is_private(&ev->tuple.src) && !ip_is_link_local(&ev->tuple.src) &&
	       is_other_tenant(ev->dst.tenant, ev->from.tenant) &&
	       ev->to.tenant != TENANT_INFRASTRUCTURE && !mac_is_zero(ev->dmac);
}

static void judge_answer(const struct event *ev, const struct dns_message *m,
			 const struct answer *before, bool known, struct findings *out)
{
	struct party victim = client_of(ev);
	bool same = known && before->data == m->data;
	struct finding *f;

	if (in_anothers_name(ev)) {
		if (same && (mac_equal(before->dmac, ev->smac) || mac_is_zero(before->dmac) ||
			     (mac_equal(before->smac, ev->smac) && before->ttl == ev->packet->ttl)))
			return; /* a relay's out-leg, or a copy of the frame */
		if (!is_tenant(victim.tenant_id) && ev->src.tenant >= TENANT_INFRASTRUCTURE)
			victim = party_of_owner(&ev->src, &ev->tuple.src);
		(void)tell(ev, m, m->question, &victim, out);
		return;
	}
	if (!known || same || m->truncated || !mac_equal(before->smac, ev->smac) ||
	    before->ttl == ev->packet->ttl || !is_tenant(victim.tenant_id) ||
	    !ip_equal(&before->client, &ev->tuple.dst) || before->port != ev->packet->dport)
		return;
	f = tell(ev, m, m->question, &victim, out);
	if (f == NULL)
		return;
	f->confidence = CONFIDENCE_INDICATOR;
	f->actor = party_of_tenant(TENANT_UNKNOWN);
}

static void plain(struct state *s, const struct event *ev, const struct dns_message *m,
		  struct findings *out)
{
	struct answer_key key;
	struct answer *a;
	bool fresh;

	if (!m->response || ev->packet->sport != 53 || m->questions == 0)
		return;
	memset(&key, 0, sizeof key);
	key.server = ev->tuple.src;
	key.id = m->id;
	key.domain = ev->domain;
	key.type = m->type;
	memcpy(key.question, m->question, sizeof key.question);
	a = table_put(s->answers, &key, &fresh);
	judge_answer(ev, m, a, !fresh && ev->ts_ns - a->ts_ns <= ANSWER_NS, out);
	*a = (struct answer){.ts_ns = ev->ts_ns,
			     .data = m->data,
			     .client = ev->tuple.dst,
			     .port = ev->packet->dport,
			     .smac = ev->smac,
			     .dmac = ev->dmac,
			     .ttl = ev->packet->ttl};
}

/* ---- names on the link ----------------------------------------------------------------------- */

static void first_label(const char name[DNS_NAME_SIZE], char label[DNS_NAME_SIZE])
{
	size_t len = strcspn(name, ".");

	memset(label, 0, DNS_NAME_SIZE);
	memcpy(label, name, len < DNS_NAME_SIZE ? len : DNS_NAME_SIZE - 1);
}

static struct asked_key asked_key_of(const struct event *ev, const struct dns_message *m,
				     const char name[DNS_NAME_SIZE])
{
	struct asked_key key;

	memset(&key, 0, sizeof key);
	key.segment = ev->segment;
	key.family = (uint16_t)m->family;
	first_label(name, key.name);
	return key;
}

static void note_announced(struct state *s, const struct event *ev, const struct asked_key *name)
{
	struct announced_key key;

	memset(&key, 0, sizeof key);
	key.mac = mac_to_u64(ev->smac);
	key.name = *name;
	*(uint64_t *)table_put(s->announced, &key, NULL) = ev->ts_ns;
}

static bool was_announced(const struct state *s, const struct event *ev,
			  const struct asked_key *name)
{
	struct announced_key key;

	memset(&key, 0, sizeof key);
	key.mac = mac_to_u64(ev->smac);
	key.name = *name;
	return table_find(s->announced, &key) != NULL;
}

static void note_question(struct state *s, const struct event *ev, const struct dns_message *m)
{
	struct asked_key key = asked_key_of(ev, m, m->question);
	struct asked *asked;

	if (m->questions == 0 || key.name[0] == '\0')
		return;
	if (m->family == DNS_MDNS && m->type == TYPE_ANY)
		note_announced(s, ev, &key);
	asked = table_put(s->asked, &key, NULL);
	*asked = (struct asked){.ts_ns = ev->ts_ns,
				.by = {.tenant = ev->from.tenant, .host = ev->from.host},
				.ip = ev->tuple.src};
}

/* Whose question is answered: the receiver's, or (mDNS answers go to everybody) the one who
 * asked a moment ago.  False when nobody is known to have asked: that is an announcement. */
static bool find_asker(struct state *s, const struct event *ev, const struct dns_message *m,
		       const struct asked_key *name, struct party *asker)
{
	const struct asked *asked;

	if (!mac_is_group(ev->dmac)) {
		*asker = client_of(ev);
		return true;
	}
	asked = table_find(s->asked, name);
	if (asked == NULL || ev->ts_ns - asked->ts_ns > ANSWER_NS) {
		if (m->family == DNS_MDNS)
			note_announced(s, ev, name);
		return false;
	}
	*asker = party_of_owner(&asked->by, &asked->ip);
	return true;
}

/* Another name that the host answered for within the window with this address, or NULL; remembers
 * this one. */
static const char *other_name(struct state *s, const struct event *ev, const struct dns_message *m,
			      const char label[DNS_NAME_SIZE], const struct ip_addr *ip)
{
	struct answerer_key key = {
	    .mac = mac_to_u64(ev->smac), .segment = ev->segment, .family = (uint16_t)m->family};
	struct answerer *a = table_put(s->answerers, &key, NULL);
	const char *other = NULL;
	bool known = false;

	for (unsigned i = 0; i < NAMES_KEPT; i++) {
		if (a->of[i].name[0] == '\0' || ev->ts_ns - a->of[i].ts_ns > NAMES_NS)
			continue;
		if (!ip_equal(&a->of[i].ip, ip))
			continue;
		if (strcmp(a->of[i].name, label) != 0) {
			other = a->of[i].name;
			continue;
		}
		a->of[i].ts_ns = ev->ts_ns;
		known = true;
	}
	if (!known) {
		unsigned at = a->next;

		a->next = (at + 1) % NAMES_KEPT;
		if (other == a->of[at].name) /* kept for the caller's message */
			at = a->next;
		a->of[at].ts_ns = ev->ts_ns;
		a->of[at].ip = *ip;
		memcpy(a->of[at].name, label, DNS_NAME_SIZE);
	}
	return other;
}

static void on_link(struct state *s, const struct event *ev, const struct dns_message *m,
		    struct findings *out)
{
	char label[DNS_NAME_SIZE];
	const char *other;
	struct party asker;
	struct finding *f;

	if (!m->response) {
		note_question(s, ev, m);
		return;
	}
	if (ev->from.tenant == TENANT_INFRASTRUCTURE)
		return;
	for (unsigned i = 0; i < m->address_count; i++) {
		const char *name = m->address[i].name;
		struct asked_key key = asked_key_of(ev, m, name);

		if (!find_asker(s, ev, m, &key, &asker) ||
		    !is_other_tenant(asker.tenant_id, ev->from.tenant))
			continue;
		if (was_announced(s, ev, &key) && strcmp(key.name, "wpad") != 0)
			continue;
		first_label(name, label);
		other = other_name(s, ev, m, label, &m->address[i].ip);
		if (other == NULL && strcmp(label, "wpad") != 0)
			continue;
		f = tell(ev, m, name, &asker, out);
		if (f != NULL && other != NULL)
			finding_detail_text(f, "also", other);
	}
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	struct dns_message m;

	if (ev->packet == NULL || !ev->has_mac || !ev->has_ip || !dns_parse(ev->packet, &m))
		return;
	if (m.family == DNS_PLAIN)
		plain(opaque, ev, &m, out);
	else
		on_link(opaque, ev, &m, out);
}

const struct detector detect_spoof_name = {
    .kind = "spoof.name",
    .summary = "answers for names that are not the answering host's to answer",
    .wants = EVENT_BIT(EVENT_NAME),
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .evicted = evicted,
    .close = close_state,
};
