/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pending.h - one leg of what may be a relay waits here for the other leg.
 *
 * A packet delivered to a stranger, or sent by one, is told as such only when the relay window
 * has passed without the same flow's other leg through the same NIC: together they are a relay,
 * which relay_forward.c tells.
 */
#ifndef DETECT_PENDING_H
#define DETECT_PENDING_H

#include "bulkhead/detector.h"

struct pending;

struct pending *pending_new(uint64_t wait_ns, uint64_t seed);
void pending_free(struct pending *pending);

/*
 * Notes one leg: packets and bytes of the event (u.path) through NIC mac.  first is called once, to
 * fill the finding that will be told; after it was told, later packets are told as they come.
 */
void pending_note(struct pending *pending, const struct event *ev, struct mac_addr mac,
		  unsigned victim_end,
		  void (*first)(struct finding *finding, const struct event *ev, unsigned end),
		  struct findings *out);
/* EVENT_STRAY: who was meant answered, so it did not stay at the NIC that it was delivered to. */
void pending_answered(struct pending *pending, const struct event *ev);
/* Asked before anything is told: true when something else says that it did not stay. */
void pending_unless(struct pending *pending,
		    bool (*unless)(void *context, const struct finding *finding), void *context);
/* The flow was seen on both sides of the NIC: a relay, nothing of it is told from here. */
void pending_relayed(struct pending *pending, const struct event *ev);
/* Tells what has waited long enough at now_ns. */
void pending_tick(struct pending *pending, uint64_t now_ns, struct findings *out);
/* The capture ends: tells everything. */
void pending_finish(struct pending *pending, struct findings *out);
uint64_t pending_evicted(const struct pending *pending);

#endif
