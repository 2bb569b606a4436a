/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health_link.h - the part of health.c that looks at interfaces: which of them shows nothing,
 * and for how long none was looked at.
 *
 *	link down or gone, not being read	at the next look: a second
 *	a busy link without a frame		at the first second without one: an indicator
 *	any link without a frame		after half a minute: proof
 *
 * What lasts is told again every ten seconds, so that its incident stays open.
 */
#ifndef DETECT_HEALTH_LINK_H
#define DETECT_HEALTH_LINK_H

#include "bulkhead/detector.h"

struct link_seen {
	uint64_t frames, frame_ns;     /* the counter, and when it last moved */
	uint64_t busy_ns, busy_frames; /* since when no second was without a frame */
	uint64_t lost_ns, silent_ns;   /* when it was last told; 0: it is not so */
	bool noted;		       /* the first second of a silence */
};

struct links_seen {
	struct link_seen link[OPTIONS_MAX_CAPTURES];
};

void links_look(struct links_seen *seen, const struct event *ev, struct findings *out);

#endif
