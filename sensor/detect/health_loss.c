/* SPDX-License-Identifier: Apache-2.0 */
/* health_loss.c - see health_loss.h. */
#include "detect/health_loss.h"

#include <stdio.h>

#include "detect/build.h"

#define NS_A_SECOND UINT64_C(1000000000)
#define WINDOW_NS (10 * NS_A_SECOND)
#define WINDOW_SEGMENTS 1000
/* One in a hundred must be told: half of it leaves room for what cannot be counted (losses side by
 * side, at the end of a flow) and for chance.  Five: a stray segment or two may be anything. */
#define UNSEEN_PER_MILLE 5
#define UNSEEN_LEAST 5
/* What our own machine dropped is no even share of the flows that are followed. */
#define DROPS_WEIGH 2

void losses_add(struct losses *losses, const struct event *ev)
{
	const struct loss *loss = &ev->u.loss;

	for (unsigned i = 0; i < OPTIONS_MAX_CAPTURES; i++) {
		struct tap_loss *t = &losses->tap[i];

		if (t->used && t->tap != ev->tap->id)
			continue;
		if (!t->used)
			*t = (struct tap_loss){
			    .used = true, .tap = ev->tap->id, .since_ns = ev->ts_ns};
		t->sum.measured += loss->measured;
		t->sum.unseen += loss->unseen;
		t->sum.paired += loss->paired;
		t->sum.single += loss->single;
		t->sum.frames += loss->frames;
		t->sum.dropped += loss->dropped;
		return;
	}
}

/* What was lost before it came here, of how much, and how it is known. */
struct share {
	uint64_t lost, all;
	const char *how;
};

static uint64_t per_mille(const struct share *share)
{
	return share->all > 0 ? share->lost * 1000 / share->all : 0;
}

static void take_off_ours(const struct tap_loss *t, struct share *share)
{
	uint64_t dropped = t->sum.dropped + t->last.dropped;
	uint64_t frames = t->sum.frames + t->last.frames + dropped;
	uint64_t ours = frames > 0 ? share->all * DROPS_WEIGH * dropped / frames : 0;

	share->lost = share->lost > ours ? share->lost - ours : 0;
}

/* The worse of what both measures say; where frames come once there is one. */
static struct share estimate(const struct tap_loss *t)
{
	struct share segments = {t->sum.unseen, t->sum.measured + t->sum.unseen, "tcp"};
	struct share copies = {t->sum.single, 2 * (t->sum.paired + t->sum.single), "copies"};

	take_off_ours(t, &segments);
	take_off_ours(t, &copies);
	return per_mille(&copies) > per_mille(&segments) ? copies : segments;
}

static void tell(const struct tap_loss *t, const struct share *share, uint64_t now_ns,
		 struct findings *out)
{
	const struct tap tap = {.id = t->tap};
	const struct event ev = {.ts_ns = now_ns, .tap = &tap, .segment = SEGMENT_NONE};
	struct finding *f = build_finding(out, &ev, "health.drop", CONFIDENCE_INDICATOR);
	uint64_t hundredths = share->lost * 10000 / share->all;
	char text[32];

	if (f == NULL)
		return;
	f->actor = party_of_tenant(TENANT_INFRASTRUCTURE);
	f->victim = party_of_tenant(TENANT_INFRASTRUCTURE);
	f->count = share->lost;
	(void)snprintf(text, sizeof text, "%llu.%02llu", (unsigned long long)(hundredths / 100),
		       (unsigned long long)(hundredths % 100));
	finding_detail_text(f, "percent", text);
	finding_detail_text(f, "estimated", share->how);
}

void losses_look(struct losses *losses, uint64_t now_ns, struct findings *out)
{
	for (unsigned i = 0; i < OPTIONS_MAX_CAPTURES && losses->tap[i].used; i++) {
		struct tap_loss *t = &losses->tap[i];
		struct share share = estimate(t);
		bool told = share.lost >= UNSEEN_LEAST && per_mille(&share) >= UNSEEN_PER_MILLE;

		if (told)
			tell(t, &share, now_ns, out);
		else if (now_ns < t->since_ns + WINDOW_NS ||
			 t->sum.measured + t->sum.unseen < WINDOW_SEGMENTS)
			continue;
		t->last = t->sum;
		t->sum = (struct loss){0};
		t->since_ns = now_ns;
	}
}
