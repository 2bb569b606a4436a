/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe_decoy.c - a declared decoy secret in the traffic of a tenant that cannot know it.
 *
 * The actor is who sent it, wherever to: also to the decoy's own tenant.  The decoy's tenant may
 * say it to anyone, and whom it said it to knows it from then on.
 */
#include "base/table.h"
#include "detect/build.h"
#include "detect/speaker.h"

#define TOLD 4096 /* decoys given away by their tenant: hardly any */

struct told_key {
	uint32_t decoy;
	uint32_t tenant;
};

struct state {
	struct table *told;
};

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	(void)options;
	s->told = table_new(TOLD, sizeof(struct told_key), sizeof(uint64_t), seed);
	return s->told != NULL ? 0 : err_set(err, ERR_MEMORY, "no memory");
}

static void tell(const struct event *ev, const struct decoy *decoy, uint32_t tenant,
		 const struct party *actor, struct findings *out)
{
	struct finding *f =
	    build_finding(out, ev, "observe.decoy",
			  tenant == TENANT_UNKNOWN ? CONFIDENCE_INDICATOR : CONFIDENCE_PROOF);

	if (f == NULL)
		return;
	f->actor = *actor;
	f->victim = party_of_tenant(decoy->tenant);
	f->peer = party_of_owner(&ev->dst, &ev->tuple.dst);
	finding_detail_text(f, "decoy", decoy->name);
	finding_detail_text(f, "form", ev->u.secret.encoded ? "base64" : "plain");
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	struct state *s = opaque;
	struct told_key key = {.decoy = ev->u.secret.decoy};
	struct party actor = {0};
	const struct decoy *decoy;
	uint32_t tenant;
	unsigned count;

	decoy = inventory_decoys(ev->inv, &count);
	if (ev->u.secret.kind != SECRET_DECOY || key.decoy >= count ||
	    ev->u.secret.generation != inventory_generation(ev->inv))
		return;
	decoy += key.decoy;
	tenant = speaker_of(ev, &actor);
	if (tenant == decoy->tenant) {
		key.tenant = ev->dst.tenant;
		if (is_other_tenant(key.tenant, tenant))
			*(uint64_t *)table_put(s->told, &key, NULL) = ev->ts_ns;
		return;
	}
	key.tenant = tenant;
	if ((is_tenant(tenant) || tenant == TENANT_UNKNOWN) && table_find(s->told, &key) == NULL)
		tell(ev, decoy, tenant, &actor, out);
}

static uint64_t evicted(const void *opaque)
{
	return table_evicted(((const struct state *)opaque)->told);
}

static void close_state(void *opaque)
{
	table_free(((struct state *)opaque)->told);
}

const struct detector detect_observe_decoy = {
    .kind = "observe.decoy",
    .summary = "a decoy secret of one tenant, sent by another",
    .wants = EVENT_BIT(EVENT_SECRET),
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .evicted = evicted,
    .close = close_state,
};
