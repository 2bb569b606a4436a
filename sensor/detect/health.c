/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health.c - the sensor's own sight: what it could not see, so that silence never means blindness.
 *
 * Counters are looked at over windows of ten seconds; live, a sight event comes each second.  A
 * replay has one, at its end, which covers all of the capture.
 *
 *   health.drop             frames lost before they were judged; from 0.1 % it is told as certain;
 *                           also: a time in which nobody looked (health_link.h); frames lost
 *                           before they came here, estimated (health_loss.h)
 *   health.truncated        frames cut by the capture: content detectors see less
 *   health.silent-tap       no frame at all for half a minute, or none can come (health_link.h)
 *   health.one-way          most TCP flows show one direction only
 *   health.unknown-segment  frames of VLANs that no inventory has, by VLAN
 *   health.unmapped         a share of a VLAN's frames of which neither NIC nor address is known
 *   health.table-full       something was forgotten for lack of room, by table; "dpi_process": what
 *                           the DPI process had in hand when it died
 *   health.clock            the capture's clock jumped
 *   health.inventory-age    the inventory has not been renewed for a month
 *   health.sink-down        alerts wait and none is delivered, or one was lost
 *
 * Confidence carries the weight: "indicator" is worth a note, more is worth a look.
 */
#include <stdio.h>
#include <string.h>

#include "detect/build.h"
#include "detect/health_link.h"
#include "detect/health_loss.h"

#define NS_A_SECOND UINT64_C(1000000000)
#define WINDOW_NS (10 * NS_A_SECOND)
/* Loss by which a relay of a few packets can go unseen: one in a thousand. */
#define DROP_PER_MILLE 1
/* A snaplen cuts nearly all long frames; one in ten is a setting, less is an odd jumbo. */
#define TRUNCATED_PERCENT 10
/* A switch port is never still for that long: ARP, ND, spanning tree, LLDP (30 s). */
#define SILENT_NS (30 * NS_A_SECOND)
#define ONE_WAY_PERCENT 50
#define ONE_WAY_FLOWS 20
#define UNMAPPED_PERCENT 1
#define UNMAPPED_FRAMES 100
#define AGE_NS (30 * 24 * 3600 * NS_A_SECOND)
#define AGE_AGAIN_NS (24 * 3600 * NS_A_SECOND)
#define VLANS_TOLD 8 /* in a window: the ones with the most frames */

static const char *const kinds[] = {
    "health.truncated", "health.silent-tap",
    "health.one-way",	"health.unknown-segment",
    "health.unmapped",	"health.table-full",
    "health.clock",	"health.inventory-age",
    "health.sink-down", NULL,
};

static const struct {
	enum stat stat;
	const char *table;
} tables[] = {
    {STAT_FLOWS_EVICTED, "flows"},
    {STAT_WATCH_FULL, "watches"},
    {STAT_PATHS_FULL, "paths"},
    {STAT_DPI_FULL, "dpi_flows"},
    {STAT_EVENTS_DROPPED, "events"},
    {STAT_FINDINGS_DROPPED, "findings"},
    {STAT_ALERTS_EVICTED, "open_alerts"},
    {STAT_ALERTS_HELD, "alerts_of_one_actor"},
    {STAT_DPI_SHED, "dpi_shed"},
    {STAT_MATCHES_SHED, "relay_matching"},
    {STAT_DPI_DEATHS, "dpi_process"},
    {STAT_EVIDENCE_DROPPED, "evidence"},
    {STAT_STATE_EVICTED, "detector_state"},
};

struct state {
	struct stats base; /* at the start of the window */
	struct sight_vlan base_vlan[SIGHT_VLANS];
	uint64_t window_ns;		 /* its start; 0: none yet */
	uint64_t first_ns, aged_ns;	 /* inventory */
	uint64_t frame_ns, delivered_ns; /* when the counter last moved */
	bool silent;
	struct links_seen links;
	struct losses losses;
};

static struct finding *tell(const struct event *ev, const char *kind, enum confidence confidence,
			    uint64_t count, struct findings *out)
{
	struct finding *f = build_finding(out, ev, kind, confidence);

	if (f == NULL)
		return NULL;
	f->actor = party_of_tenant(TENANT_INFRASTRUCTURE);
	f->victim = party_of_tenant(TENANT_INFRASTRUCTURE);
	f->count = count > 0 ? count : 1;
	return f;
}

static uint64_t since(const struct state *s, const struct event *ev, enum stat which)
{
	uint64_t now = ev->u.sight.now->count[which];

	return now > s->base.count[which] ? now - s->base.count[which] : 0;
}

static void share(struct finding *f, uint64_t part, uint64_t whole)
{
	char text[32];
	uint64_t hundredths = whole > 0 ? part * 10000 / whole : 0;

	if (f == NULL)
		return;
	(void)snprintf(text, sizeof text, "%llu.%02llu", (unsigned long long)(hundredths / 100),
		       (unsigned long long)(hundredths % 100));
	finding_detail_text(f, "percent", text);
}

/* ---- over a window --------------------------------------------------------------------------- */

static void look_at_frames(const struct state *s, const struct event *ev, struct findings *out)
{
	uint64_t frames = since(s, ev, STAT_FRAMES);
	uint64_t lost = since(s, ev, STAT_DROP_KERNEL) + since(s, ev, STAT_DROP_INTERFACE);
	uint64_t cut = since(s, ev, STAT_TRUNCATED_FRAMES);
	uint64_t jumps = since(s, ev, STAT_CLOCK_BACK);

	if (lost > 0)
		share(tell(ev, "health.drop",
			   lost * 1000 >= (frames + lost) * DROP_PER_MILLE ? CONFIDENCE_PROOF
									   : CONFIDENCE_INDICATOR,
			   lost, out),
		      lost, frames + lost);
	if (cut * 100 >= frames * TRUNCATED_PERCENT && cut > 0)
		share(tell(ev, "health.truncated", CONFIDENCE_PROOF, cut, out), cut, frames);
	if (jumps > 0)
		(void)tell(ev, "health.clock", CONFIDENCE_PROOF, jumps, out);
}

static void look_at_flows(const struct state *s, const struct event *ev, struct findings *out)
{
	uint64_t flows = since(s, ev, STAT_FLOWS_TCP);
	uint64_t one_way = since(s, ev, STAT_FLOWS_ONE_WAY);

	if (flows >= ONE_WAY_FLOWS && one_way * 100 >= flows * ONE_WAY_PERCENT)
		share(tell(ev, "health.one-way", CONFIDENCE_PROOF, one_way, out), one_way, flows);
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		uint64_t forgotten = since(s, ev, tables[i].stat);
		struct finding *f;

		if (forgotten == 0)
			continue;
		f = tell(ev, "health.table-full", CONFIDENCE_PROOF, forgotten, out);
		if (f != NULL)
			finding_detail_text(f, "table", tables[i].table);
	}
}

static struct finding *tell_vlan(const struct event *ev, const char *kind, unsigned vlan,
				 uint64_t count, struct findings *out)
{
	struct finding *f = tell(ev, kind, CONFIDENCE_PROOF, count, out);

	if (f != NULL && vlan != 0) {
		f->vlan_count = 1;
		f->vlan[0] = (uint16_t)vlan;
	}
	return f;
}

static uint64_t unknown_since(const struct state *s, const struct sight_vlan *now, unsigned v)
{
	return now[v].unknown - s->base_vlan[v].unknown;
}

/* 0 when they are few, or few of their VLAN's. */
static uint64_t unmapped_since(const struct state *s, const struct sight_vlan *now, unsigned v)
{
	uint64_t unmapped = now[v].unmapped - s->base_vlan[v].unmapped;
	uint64_t frames = now[v].frames - s->base_vlan[v].frames;

	return unmapped >= UNMAPPED_FRAMES && unmapped * 100 >= frames * UNMAPPED_PERCENT ? unmapped
											  : 0;
}

static unsigned most_of(const struct state *s, const struct sight_vlan *now,
			uint64_t (*count)(const struct state *, const struct sight_vlan *,
					  unsigned))
{
	unsigned most = 0;

	for (unsigned v = 1; v < SIGHT_VLANS; v++)
		if (count(s, now, v) > count(s, now, most))
			most = v;
	return most;
}

static void look_at_vlans(struct state *s, const struct event *ev, struct findings *out)
{
	const struct sight_vlan *now = ev->u.sight.vlan;

	for (unsigned told = 0; told < VLANS_TOLD; told++) {
		unsigned v = most_of(s, now, unknown_since);

		if (unknown_since(s, now, v) == 0)
			break;
		(void)tell_vlan(ev, "health.unknown-segment", v, unknown_since(s, now, v), out);
		s->base_vlan[v].unknown = now[v].unknown;
	}
	for (unsigned told = 0; told < VLANS_TOLD; told++) {
		unsigned v = most_of(s, now, unmapped_since);
		uint64_t unmapped = unmapped_since(s, now, v);

		if (unmapped == 0)
			break;
		share(tell_vlan(ev, "health.unmapped", v, unmapped, out), unmapped,
		      now[v].frames - s->base_vlan[v].frames);
		s->base_vlan[v].unmapped = now[v].unmapped;
	}
	memcpy(s->base_vlan, now, sizeof s->base_vlan);
}

/* ---- at every look --------------------------------------------------------------------------- */

static void look_at_silence(struct state *s, const struct event *ev, struct findings *out)
{
	const struct stats *now = ev->u.sight.now;
	const struct stats *before = ev->u.sight.before;

	if (s->frame_ns == 0 || now->count[STAT_FRAMES] != before->count[STAT_FRAMES]) {
		s->frame_ns = ev->ts_ns;
		s->silent = false;
		return;
	}
	if (s->silent || ev->ts_ns - s->frame_ns < SILENT_NS)
		return;
	s->silent = true;
	(void)tell(ev, "health.silent-tap", CONFIDENCE_PROOF, 1, out);
}

static void look_at_sinks(struct state *s, const struct event *ev, struct findings *out)
{
	const struct stats *now = ev->u.sight.now;
	const struct stats *before = ev->u.sight.before;
	uint64_t lost = now->count[STAT_OUTBOX_DROPPED] - before->count[STAT_OUTBOX_DROPPED];
	struct finding *f;

	if (lost > 0) {
		f = tell(ev, "health.sink-down", CONFIDENCE_PROOF, lost, out);
		if (f != NULL)
			finding_detail_text(f, "sink", "outbox full, alerts were lost");
	}
	if (s->delivered_ns == 0 || now->count[STAT_OUTBOX_DEPTH] == 0 ||
	    now->count[STAT_SINK_DELIVERED] != before->count[STAT_SINK_DELIVERED])
		s->delivered_ns = ev->ts_ns;
	if (ev->ts_ns - s->delivered_ns < WINDOW_NS)
		return;
	s->delivered_ns = ev->ts_ns;
	f = tell(ev, "health.sink-down", CONFIDENCE_PROOF, now->count[STAT_OUTBOX_DEPTH], out);
	if (f != NULL)
		finding_detail_text(f, "sink", "alerts wait in the outbox");
}

/* The snapshot does not know how old its files are: counted from when this one was loaded. */
static void look_at_age(struct state *s, const struct event *ev, struct findings *out)
{
	if (s->first_ns == 0)
		s->first_ns = ev->ts_ns;
	if (ev->ts_ns - s->first_ns < AGE_NS ||
	    (s->aged_ns != 0 && ev->ts_ns - s->aged_ns < AGE_AGAIN_NS))
		return;
	s->aged_ns = ev->ts_ns;
	(void)tell(ev, "health.inventory-age", CONFIDENCE_PROOF, 1, out);
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	struct state *s = opaque;

	if (ev->kind == EVENT_LOSS) {
		losses_add(&s->losses, ev);
		return;
	}
	if (ev->u.sight.link_count == 0)
		look_at_silence(s, ev, out);
	links_look(&s->links, ev, out);
	look_at_sinks(s, ev, out);
	look_at_age(s, ev, out);
	if (s->window_ns == 0) {
		/* After a reload counters go on from where they were. */
		s->base = *ev->u.sight.before;
		if (s->base.count[STAT_FRAMES] != 0)
			memcpy(s->base_vlan, ev->u.sight.vlan, sizeof s->base_vlan);
		s->window_ns = ev->ts_ns;
	}
	if (!ev->u.sight.last && ev->ts_ns - s->window_ns < WINDOW_NS)
		return;
	look_at_frames(s, ev, out);
	look_at_flows(s, ev, out);
	look_at_vlans(s, ev, out);
	s->base = *ev->u.sight.now;
	s->window_ns = ev->ts_ns;
}

static void tick(void *opaque, uint64_t now_ns, struct findings *out)
{
	struct state *s = opaque;

	losses_look(&s->losses, now_ns, out);
}

const struct detector detect_health = {
    .kind = "health.drop",
    .summary = "what the sensor could not see, judge or deliver",
    .also = kinds,
    .wants = EVENT_BIT(EVENT_SIGHT) | EVENT_BIT(EVENT_LOSS),
    .state_size = sizeof(struct state),
    .event = event,
    .tick = tick,
    .finish = tick,
};
