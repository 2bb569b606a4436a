/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe_misdelivery.c - packets of another tenant were delivered to a host and stayed there.
 *
 * An in-leg whose flow shows no out-leg within the relay window.
 */
#include "detect/build.h"
#include "detect/pending.h"

struct state {
	struct pending *pending;
};

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	s->pending = pending_new(options->windows.relay, seed);
	return s->pending != NULL ? 0 : err_set(err, ERR_MEMORY, "no memory");
}

static void first(struct finding *f, const struct event *ev, unsigned end)
{
	f->kind = "observe.misdelivery";
	f->confidence = CONFIDENCE_PROOF;
	f->actor = party_of_carrier(&ev->to, ev->dmac);
	/* On the tap of its own port the switch itself says who received it. */
	if (ev->tap->view == VIEW_PORT && ev->tap->host == ev->to.host)
		f->attribution = ATTRIBUTION_ATTESTED;
	build_victim_end(f, ev, end);
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	struct state *s = opaque;
	unsigned which[2];
	unsigned count;

	if (ev->kind == EVENT_RELAYED) {
		pending_relayed(s->pending, ev);
		return;
	}
	if (!(ev->path & PATH_TO_STRANGER) || !is_tenant(ev->to.tenant))
		return;
	/* Sent by the NIC's own host, or by its tenant's other one: it comes back from where it
	 * went. */
	if (ev->from.tenant == ev->to.tenant)
		return;
	count = build_victims(ev, ev->to.tenant, which);
	for (unsigned i = 0; i < count; i++)
		pending_note(s->pending, ev, ev->dmac, which[i], first, out);
}

static void tick(void *opaque, uint64_t now_ns, struct findings *out)
{
	pending_tick(((struct state *)opaque)->pending, now_ns, out);
}

static void finish(void *opaque, uint64_t now_ns, struct findings *out)
{
	(void)now_ns;
	pending_finish(((struct state *)opaque)->pending, out);
}

static uint64_t evicted(const void *opaque)
{
	return pending_evicted(((const struct state *)opaque)->pending);
}

static void close_state(void *opaque)
{
	pending_free(((struct state *)opaque)->pending);
}

const struct detector detect_observe_misdelivery = {
    .kind = "observe.misdelivery",
    .summary = "packets of another tenant delivered to a host that does not pass them on",
    .wants = EVENT_BIT(EVENT_PATH) | EVENT_BIT(EVENT_RELAYED),
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .tick = tick,
    .finish = finish,
    .evicted = evicted,
    .close = close_state,
};
