/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe_exposure.c - a host's switch port delivers unicast frames that are not for it.
 *
 * Needs a tap of what leaves that port.  Switches flood a few frames whenever a MAC expired from
 * their table, and everything for a while after a topology change; so it takes ten frames of one
 * victim within ten seconds, or both directions of one conversation: a flood teaches the switch
 * where the answer comes from, so it never shows both.
 */

#include "base/table.h"
#include "detect/bpdu.h"
#include "detect/build.h"

#define FRAMES_NEEDED 10
#define WITHIN_NS (10 * UINT64_C(1000000000))
/* 802.1D ages the table at the forward delay (15 s by default, 30 s at most) after a change. */
#define TOPOLOGY_NS (60 * UINT64_C(1000000000))
#define VICTIMS 4096
#define FLOWS 16384

struct victim_key {
	uint32_t tenant;
	uint32_t tap;
};

struct victim {
	uint64_t since_ns;
	uint64_t frames, bytes; /* since then, not told */
	bool proved;
};

struct flow_key {
	uint64_t id;
	uint64_t tap;
};

struct flow_seen {
	struct ip_addr src;
	uint16_t sport;
	bool set;
};

struct state {
	struct table *victims;
	struct table *flows;
	uint64_t calm_ns; /* a topology change is under way until then */
};

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	(void)options;
	s->victims = table_new(VICTIMS, sizeof(struct victim_key), sizeof(struct victim), seed);
	s->flows = table_new(FLOWS, sizeof(struct flow_key), sizeof(struct flow_seen), seed);
	if (s->victims == NULL || s->flows == NULL)
		return err_set(err, ERR_MEMORY, "no memory");
	return 0;
}

/* Did the port show this conversation's other direction before? */
static bool both_directions(struct state *s, const struct event *ev)
{
	struct flow_key key = {.id = ev->flow_id, .tap = ev->tap->id};
	bool fresh;
	struct flow_seen *seen = table_put(s->flows, &key, &fresh);

	if (fresh) {
		seen->src = ev->tuple.src;
		seen->sport = ev->tuple.sport;
		return false;
	}
	return !ip_equal(&seen->src, &ev->tuple.src) || seen->sport != ev->tuple.sport;
}

static void tell(const struct event *ev, unsigned end, struct victim *v, struct findings *out)
{
	struct finding *f = build_finding(out, ev, "observe.exposure", CONFIDENCE_PROOF);

	if (f == NULL)
		return;
	f->actor = party_of_host(ev->inv, ev->tap->host);
	f->actor.port = ev->tap->port;
	f->attribution = ATTRIBUTION_ATTESTED; /* the tap is the port's own */
	build_victim_end(f, ev, end);
	f->count = v->frames;
	f->bytes = v->bytes;
	v->frames = 0;
	v->bytes = 0;
}

static void exposed(struct state *s, const struct event *ev, unsigned end, bool both,
		    struct findings *out)
{
	struct victim_key key = {.tenant = end == 0 ? ev->src.tenant : ev->dst.tenant,
				 .tap = ev->tap->id};
	bool fresh;
	struct victim *v = table_put(s->victims, &key, &fresh);

	if (fresh || (!v->proved && ev->ts_ns - v->since_ns > WITHIN_NS)) {
		v->since_ns = ev->ts_ns;
		v->frames = 0;
		v->bytes = 0;
	}
	v->frames += ev->u.exposed.packets;
	v->bytes += ev->u.exposed.bytes;
	if (both || (v->frames >= FRAMES_NEEDED && ev->ts_ns >= s->calm_ns))
		v->proved = true;
	if (v->proved)
		tell(ev, end, v, out);
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	struct state *s = opaque;
	uint32_t actor = ev->tap->tenant;
	unsigned which[2];
	unsigned count;
	bool both;

	if (ev->kind == EVENT_L2_CONTROL) {
		if (bpdu_announces_change(ev))
			s->calm_ns = ev->ts_ns + TOPOLOGY_NS;
		return;
	}
	if (is_for_cluster(ev))
		return;
	count = build_victims(ev, actor, which);
	both = both_directions(s, ev);
	for (unsigned i = 0; i < count; i++)
		exposed(s, ev, which[i], both, out);
}

static uint64_t evicted(const void *opaque)
{
	const struct state *s = opaque;

	return table_evicted(s->victims) + table_evicted(s->flows);
}

static void close_state(void *opaque)
{
	struct state *s = opaque;

	table_free(s->victims);
	table_free(s->flows);
}

const struct detector detect_observe_exposure = {
    .kind = "observe.exposure",
    .summary = "unicast frames of another tenant leave by the port of a host they are not for",
    .wants = EVENT_BIT(EVENT_EXPOSED) | EVENT_BIT(EVENT_L2_CONTROL),
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .evicted = evicted,
    .close = close_state,
};
