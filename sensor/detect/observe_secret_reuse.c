/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe_secret_reuse.c - a credential that one tenant sent in clear is used by another.
 *
 * Workers hand on only credentials with entropy enough to be one's own, as keyed hashes.  Even so
 * two tenants may share one honestly: a key that a vendor built in, one customer with two tenants
 * (whom an `allow` entry covers).  So a credential has to have been its owner's alone for a while,
 * on more than one connection, or a server has to have been seen handing it, a session cookie, to
 * the owner and to nobody else; and a third tenant that uses it shows that it is common property.
 */
#include <string.h>

#include "base/table.h"
#include "detect/build.h"
#include "detect/speaker.h"

#define CREDENTIALS 65536
/* What is rolled out to two tenants by one hand (an image, a playbook) comes up in both within
 * minutes. */
#define ALONE_NS (10 * 60 * UINT64_C(1000000000))
#define CONNECTIONS 2
#define TOLD 3 /* who sends one to more than these has no secret of it */
/* Unused for a day: another owner may have got it (mission: sessions and keys of a day). */
#define FORGET_NS (24 * 3600 * UINT64_C(1000000000))

struct key {
	uint64_t lo, hi;
};

struct credential {
	uint64_t first_ns, last_ns, flow;
	uint32_t owner;
	uint32_t told[TOLD]; /* other tenants that it was sent to honestly, 0 none */
	uint32_t thief;	     /* who was accused, 0 none */
	uint32_t connections;
	bool issued; /* a server was seen setting it for the owner */
	bool common;
};

struct state {
	struct table *table;
};

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	(void)options;
	s->table = table_new(CREDENTIALS, sizeof(struct key), sizeof(struct credential), seed);
	return s->table != NULL ? 0 : err_set(err, ERR_MEMORY, "no memory");
}

static bool was_told(const struct credential *c, uint32_t tenant)
{
	for (unsigned i = 0; i < TOLD; i++)
		if (c->told[i] == tenant)
			return true;
	return false;
}

static void note_told(struct credential *c, uint32_t tenant)
{
	unsigned at = 0;

	if (!is_other_tenant(tenant, c->owner) || was_told(c, tenant))
		return;
	while (at < TOLD && c->told[at] != 0)
		at++;
	if (at < TOLD)
		c->told[at] = tenant;
	else
		c->common = true;
}

static void own_use(struct credential *c, const struct event *ev, bool set)
{
	if (c->flow != ev->flow_id) {
		c->flow = ev->flow_id;
		if (c->connections < UINT32_MAX)
			c->connections++;
	}
	c->last_ns = ev->ts_ns;
	c->issued |= set;
	if (!set)
		note_told(c, ev->dst.tenant);
}

static void tell(const struct event *ev, const struct credential *c, const struct party *actor,
		 struct findings *out)
{
	static const char *const names[] = {
	    [SECRET_BASIC] = "HTTP Basic",
	    [SECRET_BEARER] = "HTTP Bearer",
	    [SECRET_COOKIE] = "session cookie",
	};
	struct finding *f = build_finding(out, ev, "observe.secret-reuse", CONFIDENCE_STRONG);

	if (f == NULL)
		return;
	f->actor = *actor;
	f->victim = party_of_tenant(c->owner);
	f->peer = party_of_owner(&ev->dst, &ev->tuple.dst);
	finding_detail_text(f, "credential", names[ev->u.secret.kind]);
	finding_detail_uint(f, "owner_alone_s", (ev->ts_ns - c->first_ns) / 1000000000);
}

static void foreign_use(struct credential *c, const struct event *ev, uint32_t tenant,
			const struct party *actor, struct findings *out)
{
	if (c->common || was_told(c, tenant))
		return;
	if (c->thief != 0 && c->thief != tenant) {
		c->common = true;
		return;
	}
	if (c->thief == 0 && !c->issued &&
	    (ev->ts_ns - c->first_ns < ALONE_NS || c->connections < CONNECTIONS)) {
		c->common = true;
		return;
	}
	c->thief = tenant;
	tell(ev, c, actor, out);
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	struct state *s = opaque;
	struct key key = {.lo = ev->u.secret.lo, .hi = ev->u.secret.hi};
	bool set = ev->u.secret.kind == SECRET_COOKIE_SET;
	struct party actor = {0};
	struct credential *c;
	uint32_t tenant;
	bool fresh;

	if (ev->u.secret.kind == SECRET_DECOY)
		return;
	tenant = set ? ev->dst.tenant : speaker_of(ev, &actor);
	if (!is_tenant(tenant)) {
		/* The provider's balancer or proxy hands it on. */
		c = !set && ev->from.tenant == TENANT_INFRASTRUCTURE ? table_find(s->table, &key)
								     : NULL;
		if (c != NULL)
			note_told(c, ev->dst.tenant);
		return;
	}
	c = table_put(s->table, &key, &fresh);
	if (fresh || ev->ts_ns - c->last_ns > FORGET_NS)
		*c = (struct credential){.first_ns = ev->ts_ns, .owner = tenant};
	if (tenant == c->owner)
		own_use(c, ev, set);
	else if (set)
		c->common = true; /* the server gives it to others too */
	else
		foreign_use(c, ev, tenant, &actor, out);
}

static uint64_t evicted(const void *opaque)
{
	return table_evicted(((const struct state *)opaque)->table);
}

static void close_state(void *opaque)
{
	table_free(((struct state *)opaque)->table);
}

const struct detector detect_observe_secret_reuse = {
    .kind = "observe.secret-reuse",
    .summary = "a credential that one tenant sent in clear, used by another",
    .wants = EVENT_BIT(EVENT_SECRET),
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .evicted = evicted,
    .close = close_state,
};
