/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flooding.h - is a switch's flooding more than ordinary life?
 *
 * Switches flood a few frames whenever a MAC expired from their table, until its owner speaks, and
 * everything for a while after a topology change.  So it takes ten frames for one MAC within ten
 * seconds, or both directions of one conversation within them (a flood teaches the switch where the
 * answer comes from, so it never shows both), and nothing counts in the minute after a topology
 * change.
 */
#ifndef DETECT_FLOODING_H
#define DETECT_FLOODING_H

#include "bulkhead/detector.h"

/* "Within": for those who add up frames of a victim as well. */
#define FLOODING_NS (10 * UINT64_C(1000000000))

struct flooding;

struct flooding *flooding_new(uint64_t seed); /* NULL: no memory */
void flooding_free(struct flooding *flooding);
uint64_t flooding_evicted(const struct flooding *flooding);

/* Of an EVENT_L2_CONTROL: a topology change may be under way. */
void flooding_control(struct flooding *flooding, const struct event *ev);
/* Of an event about frames that were seen where they are not for anybody: is that proof now? */
bool flooding_proves(struct flooding *flooding, const struct event *ev, uint64_t packets);

#endif
