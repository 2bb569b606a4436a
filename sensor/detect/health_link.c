/* SPDX-License-Identifier: Apache-2.0 */
/* health_link.c - see health_link.h. */
#include "detect/health_link.h"

#include <stdio.h>

#include "detect/build.h"

#define NS_A_SECOND UINT64_C(1000000000)
/* A switch port is never still for that long: ARP, ND, spanning tree, LLDP (30 s). */
#define SILENT_NS (30 * NS_A_SECOND)
#define AGAIN_NS (10 * NS_A_SECOND)
/* Frames in every second for so long, and so many: a second without one is remarkable. */
#define BUSY_NS (30 * NS_A_SECOND)
#define BUSY_RATE 100

static struct finding *tell(const struct event *ev, const char *kind, enum confidence confidence,
			    struct findings *out)
{
	struct finding *f = build_finding(out, ev, kind, confidence);

	if (f == NULL)
		return NULL;
	f->actor = party_of_tenant(TENANT_INFRASTRUCTURE);
	f->victim = party_of_tenant(TENANT_INFRASTRUCTURE);
	f->count = 1;
	return f;
}

static void tell_link(const struct event *ev, const struct sight_link *link,
		      enum confidence confidence, const char *what, struct findings *out)
{
	struct finding *f = tell(ev, "health.silent-tap", confidence, out);

	if (f == NULL)
		return;
	finding_detail_text(f, "interface", link->interface);
	finding_detail_text(f, "link", what);
}

static bool due(uint64_t *told_ns, uint64_t now_ns)
{
	if (*told_ns != 0 && now_ns - *told_ns < AGAIN_NS)
		return false;
	*told_ns = now_ns;
	return true;
}

/* Whether no frame can come; then silence needs no telling of its own. */
static bool look_at_state(struct link_seen *seen, const struct event *ev,
			  const struct sight_link *link, struct findings *out)
{
	if (link->state == LINK_UP && !link->blind) {
		seen->lost_ns = 0;
		return false;
	}
	if (due(&seen->lost_ns, ev->ts_ns))
		tell_link(ev, link, CONFIDENCE_PROOF,
			  link->state == LINK_GONE   ? "gone"
			  : link->state == LINK_DOWN ? "down"
						     : "up, but not being read",
			  out);
	seen->frame_ns = ev->ts_ns; /* silence counts from when it is back */
	seen->frames = link->frames;
	seen->busy_ns = 0;
	return true;
}

static bool was_busy(const struct link_seen *seen)
{
	uint64_t seconds = (seen->frame_ns - seen->busy_ns) / NS_A_SECOND;

	return seen->busy_ns != 0 && seen->frame_ns - seen->busy_ns >= BUSY_NS &&
	       seen->busy_frames / seconds >= BUSY_RATE;
}

static void look_at_silence(struct link_seen *seen, const struct event *ev,
			    const struct sight_link *link, struct findings *out)
{
	if (seen->frame_ns == 0 || link->frames != seen->frames) {
		if (seen->busy_ns == 0) {
			seen->busy_ns = ev->ts_ns;
			seen->busy_frames = 0;
		} else {
			seen->busy_frames += link->frames - seen->frames;
		}
		seen->frames = link->frames;
		seen->frame_ns = ev->ts_ns;
		seen->silent_ns = 0;
		seen->noted = false;
		return;
	}
	if (!seen->noted && was_busy(seen))
		tell_link(ev, link, CONFIDENCE_INDICATOR, "up, but busy no more: no frame comes",
			  out);
	seen->noted = true;
	seen->busy_ns = 0;
	if (ev->ts_ns - seen->frame_ns >= SILENT_NS && due(&seen->silent_ns, ev->ts_ns))
		tell_link(ev, link, CONFIDENCE_PROOF, "up, but no frame for half a minute", out);
}

/* At the start only, when a worker took over from one that had died. */
static void look_at_gap(const struct event *ev, struct findings *out)
{
	uint64_t now = ev->u.sight.now->count[STAT_UNSEEN_MS];
	uint64_t before = ev->u.sight.before->count[STAT_UNSEEN_MS];
	struct finding *f;

	if (now <= before)
		return;
	/* Nobody knows whether frames passed: not proof that some were lost. */
	f = tell(ev, "health.drop", CONFIDENCE_STRONG, out);
	if (f != NULL)
		finding_detail_uint(f, "unseen_ms", now - before);
}

void links_look(struct links_seen *seen, const struct event *ev, struct findings *out)
{
	look_at_gap(ev, out);
	for (unsigned i = 0; i < ev->u.sight.link_count; i++) {
		const struct sight_link *link = &ev->u.sight.link[i];

		if (!look_at_state(&seen->link[i], ev, link, out))
			look_at_silence(&seen->link[i], ev, link, out);
	}
}
