/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe_flood.c - a tenant's unicast frames leave the switch by more ports than one.
 *
 * Seen on a tap of both directions: one frame goes in once and out once; a third copy left by a
 * port it was not for.  As for observe.exposure: flooding.h tells what is more than ordinary life.
 *
 * Who could listen?  Such a tap does not tell ports apart, so the actor is unknown.  The finding
 * lists who is at home in the segment (detail.listeners) and accuses none of them: that somebody is
 * the only one who was not flooded himself says that he is quiet, not that he listens.
 */
#include <stdio.h>

#include "base/table.h"
#include "detect/build.h"
#include "detect/flooding.h"

#define VICTIMS 4096
#define LISTENERS 64 /* with more at home nobody is listed */

struct victim_key {
	uint32_t tenant;
	uint16_t tap, segment;
};

struct victim {
	uint64_t since_ns;
	uint64_t frames, bytes; /* since then, not told */
	bool proved;
};

struct state {
	struct table *victims;
	struct flooding *flooding;
};

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	(void)options;
	s->victims = table_new(VICTIMS, sizeof(struct victim_key), sizeof(struct victim), seed);
	s->flooding = flooding_new(seed);
	if (s->victims == NULL || s->flooding == NULL)
		return err_set(err, ERR_MEMORY, "no memory");
	return 0;
}

/* Who is at home there, other than the two ends. */
static void list_listeners(struct finding *f, const struct event *ev)
{
	uint32_t tenants[LISTENERS];
	char text[DETAIL_TEXT_SIZE] = "";
	uint32_t count = 0;
	size_t at = 0;

	if (ev->segment != SEGMENT_NONE)
		count = inventory_segment_tenants(ev->inv, ev->segment, tenants, LISTENERS);
	if (count > LISTENERS)
		return;
	for (uint32_t i = 0; i < count && at < sizeof text; i++) {
		if (tenants[i] == ev->src.tenant || tenants[i] == ev->dst.tenant)
			continue;
		at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", at > 0 ? "," : "",
				       inventory_tenant_name(ev->inv, tenants[i]));
	}
	if (at > 0)
		finding_detail_text(f, "listeners", text);
}

static void tell(const struct event *ev, unsigned end, struct victim *v, struct findings *out)
{
	struct finding *f = build_finding(out, ev, "observe.flood", CONFIDENCE_STRONG);

	if (f == NULL)
		return;
	build_victim_end(f, ev, end);
	f->count = v->frames;
	f->bytes = v->bytes;
	finding_detail_uint(f, "copies", ev->u.flooded.copies);
	list_listeners(f, ev);
	v->frames = 0;
	v->bytes = 0;
}

static void flooded(struct state *s, const struct event *ev, unsigned end, bool proof,
		    struct findings *out)
{
	struct victim_key key = {.tenant = end == 0 ? ev->src.tenant : ev->dst.tenant,
				 .tap = ev->tap->id,
				 .segment = ev->segment};
	bool fresh;
	struct victim *v = table_put(s->victims, &key, &fresh);

	if (fresh || (!v->proved && ev->ts_ns - v->since_ns > FLOODING_NS)) {
		v->since_ns = ev->ts_ns;
		v->frames = 0;
		v->bytes = 0;
	}
	v->frames += ev->u.flooded.packets;
	v->bytes += ev->u.flooded.bytes;
	v->proved |= proof;
	if (v->proved)
		tell(ev, end, v, out);
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	struct state *s = opaque;
	unsigned which[2];
	unsigned count;
	bool proof;

	if (ev->kind == EVENT_L2_CONTROL) {
		flooding_control(s->flooding, ev);
		return;
	}
	if (is_for_cluster(ev))
		return;
	count = build_victims(ev, TENANT_UNKNOWN, which);
	proof = flooding_proves(s->flooding, ev, ev->u.flooded.packets);
	for (unsigned i = 0; i < count; i++)
		flooded(s, ev, which[i], proof, out);
}

static uint64_t evicted(const void *opaque)
{
	const struct state *s = opaque;

	return table_evicted(s->victims) + flooding_evicted(s->flooding);
}

static void close_state(void *opaque)
{
	struct state *s = opaque;

	table_free(s->victims);
	flooding_free(s->flooding);
}

const struct detector detect_observe_flood = {
    .kind = "observe.flood",
    .summary = "unicast frames of a tenant leave the switch by several ports",
    .wants = EVENT_BIT(EVENT_FLOODED) | EVENT_BIT(EVENT_L2_CONTROL),
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .evicted = evicted,
    .close = close_state,
};
