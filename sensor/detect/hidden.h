/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hidden.h - NICs whose port is not in the mirror: spoken to, and never heard.
 *
 * Of such a NIC nobody can say that it did not pass on what was delivered to it, for that would not
 * be shown.
 *
 * The judge keeps one for all detectors (event.hidden) and shows it the events before them.
 */
#ifndef DETECT_HIDDEN_H
#define DETECT_HIDDEN_H

#include "bulkhead/detector.h"

/* The events that show who speaks to whom. */
#define HIDDEN_WANTS (EVENT_BIT(EVENT_FLOW) | EVENT_BIT(EVENT_ARP) | EVENT_BIT(EVENT_ND))

struct hidden;

struct hidden *hidden_new(uint64_t seed); /* NULL: no memory */
void hidden_free(struct hidden *hidden);
void hidden_clear(struct hidden *hidden); /* the inventory is another */
void hidden_note(struct hidden *hidden, const struct event *ev);
/* Some time before. */
void hidden_prefetch(const struct hidden *hidden, struct mac_addr mac);
uint64_t hidden_evicted(const struct hidden *hidden); /* NICs forgotten for others */
bool hidden_is(const struct hidden *hidden, struct mac_addr mac);

#endif
