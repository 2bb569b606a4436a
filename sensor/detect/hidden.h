/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hidden.h - NICs whose port is not in the mirror: spoken to, and never heard.
 *
 * Of such a NIC nobody can say that it did not pass on what was delivered to it, for that would not
 * be shown.
 *
 * Private to sensor/detect/.
 */
#ifndef DETECT_HIDDEN_H
#define DETECT_HIDDEN_H

#include "bulkhead/detector.h"

/* The events that show who speaks to whom. */
#define HIDDEN_WANTS (EVENT_BIT(EVENT_FLOW) | EVENT_BIT(EVENT_ARP) | EVENT_BIT(EVENT_ND))

struct hidden;

struct hidden *hidden_new(uint64_t seed); /* NULL: no memory */
void hidden_free(struct hidden *hidden);
void hidden_note(struct hidden *hidden, const struct event *ev);
uint64_t hidden_evicted(const struct hidden *hidden); /* NICs forgotten for others */
bool hidden_is(const struct hidden *hidden, struct mac_addr mac);

#endif
