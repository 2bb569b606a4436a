/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health_loss.h - the part of health.c that looks at what was lost before it came to this machine:
 * health.drop with detail.estimated, by tap.
 *
 * The share of TCP segments that were acknowledged and never shown ("tcp"), or of their copies
 * where they come twice ("copies"), over ten seconds and as many more as it takes to have measured
 * a thousand; told as soon as there is enough of it.  What kernel and NIC dropped leaves the same
 * holes and is counted exactly: it is taken off.
 */
#ifndef DETECT_HEALTH_LOSS_H
#define DETECT_HEALTH_LOSS_H

#include "bulkhead/detector.h"

struct tap_loss {
	bool used;
	uint16_t tap;
	uint64_t since_ns; /* the window's start; 0: nothing was measured yet */
	struct loss sum;   /* of the window */
	struct loss last;  /* of the one before: its frames and drops */
};

struct losses {
	struct tap_loss tap[OPTIONS_MAX_CAPTURES]; /* no more taps than captures */
};

void losses_add(struct losses *losses, const struct event *ev);
/* Once a second, and at the end. */
void losses_look(struct losses *losses, uint64_t now_ns, struct findings *out);

#endif
