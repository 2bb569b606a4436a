/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe_exposure.c - a host's switch port delivers unicast frames that are not for it.
 *
 * Needs a tap of what leaves that port.  Switches flood now and then: flooding.h tells what is more
 * than that.
 *
 * The switch itself says by which port a frame left, so the host there is attested.  But a
 * neighbour can have any frame flooded to every port by sending it to a MAC that nobody has: what
 * is for no registered NIC is counted by itself, and its host is no more than claimed.
 *
 * On a port that nobody registered every host may live whose own port nobody registered, until a
 * frame of it leaves there: a switch sends nothing back.
 */

#include "base/table.h"
#include "detect/build.h"
#include "detect/flooding.h"

#define VICTIMS 4096
#define ELSEWHERE 4096

struct victim_key {
	uint32_t tenant;
	uint16_t tap;
	uint16_t registered; /* whom the frames are for */
};

struct elsewhere_key {
	uint32_t host, tap;
};

struct victim {
	uint64_t since_ns;
	uint64_t frames, bytes; /* since then, not told */
	bool proved;
};

struct state {
	struct table *victims;
	struct table *elsewhere; /* hosts that are not behind an unregistered port */
	struct flooding *flooding;
};

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	(void)options;
	s->victims = table_new(VICTIMS, sizeof(struct victim_key), sizeof(struct victim), seed);
	s->elsewhere = table_new(ELSEWHERE, sizeof(struct elsewhere_key), sizeof(uint8_t), seed);
	s->flooding = flooding_new(seed);
	if (s->victims == NULL || s->elsewhere == NULL || s->flooding == NULL)
		return err_set(err, ERR_MEMORY, "no memory");
	return 0;
}

static bool is_registered(const struct event *ev)
{
	return ev->to.tenant != TENANT_UNKNOWN;
}

static void tell(const struct event *ev, unsigned end, struct victim *v, struct findings *out)
{
	struct finding *f = build_finding(out, ev, "observe.exposure", CONFIDENCE_PROOF);

	if (f == NULL)
		return;
	f->actor = party_of_host(ev->inv, ev->tap->host);
	f->actor.port = ev->tap->port;
	if (is_registered(ev))
		f->attribution = ATTRIBUTION_ATTESTED; /* the tap is the port's own */
	build_victim_end(f, ev, end);
	f->count = v->frames;
	f->bytes = v->bytes;
	v->frames = 0;
	v->bytes = 0;
}

static void exposed(struct state *s, const struct event *ev, unsigned end, bool proof,
		    struct findings *out)
{
	struct victim_key key = {.tenant = end == 0 ? ev->src.tenant : ev->dst.tenant,
				 .tap = ev->tap->id,
				 .registered = is_registered(ev)};
	bool fresh;
	struct victim *v = table_put(s->victims, &key, &fresh);

	if (fresh || (!v->proved && ev->ts_ns - v->since_ns > FLOODING_NS)) {
		v->since_ns = ev->ts_ns;
		v->frames = 0;
		v->bytes = 0;
	}
	v->frames += ev->u.exposed.packets;
	v->bytes += ev->u.exposed.bytes;
	v->proved |= proof;
	if (v->proved)
		tell(ev, end, v, out);
}

static void note_elsewhere(struct state *s, const struct event *ev)
{
	struct elsewhere_key key = {.host = ev->from.host, .tap = ev->tap->id};

	if (ev->tap->view == VIEW_PORT && ev->tap->host == HOST_NONE && ev->has_mac &&
	    ev->from.host != HOST_NONE)
		(void)table_put(s->elsewhere, &key, NULL);
}

static bool may_live_here(const struct state *s, const struct event *ev)
{
	struct elsewhere_key key = {.host = ev->to.host, .tap = ev->tap->id};
	const struct host *host = inventory_host(ev->inv, ev->to.host);

	return ev->tap->host == HOST_NONE && host != NULL && host->port_count == 0 &&
	       table_find(s->elsewhere, &key) == NULL;
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	struct state *s = opaque;
	uint32_t actor = ev->tap->tenant;
	unsigned which[2];
	unsigned count;
	bool proof;

	if (ev->kind == EVENT_L2_CONTROL) {
		flooding_control(s->flooding, ev);
		return;
	}
	note_elsewhere(s, ev);
	if (ev->kind != EVENT_EXPOSED || is_for_cluster(ev) || may_live_here(s, ev))
		return;
	count = build_victims(ev, actor, which);
	proof = flooding_proves(s->flooding, ev, ev->u.exposed.packets);
	for (unsigned i = 0; i < count; i++)
		exposed(s, ev, which[i], proof, out);
}

static uint64_t evicted(const void *opaque)
{
	const struct state *s = opaque;

	return table_evicted(s->victims) + table_evicted(s->elsewhere) +
	       flooding_evicted(s->flooding);
}

static void close_state(void *opaque)
{
	struct state *s = opaque;

	table_free(s->victims);
	table_free(s->elsewhere);
	flooding_free(s->flooding);
}

const struct detector detect_observe_exposure = {
    .kind = "observe.exposure",
    .summary = "unicast frames of another tenant leave by the port of a host they are not for",
    .wants = EVENT_BIT(EVENT_EXPOSED) | EVENT_BIT(EVENT_L2_CONTROL) | EVENT_BIT(EVENT_ARP) |
	     EVENT_BIT(EVENT_ND),
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .evicted = evicted,
    .close = close_state,
};
