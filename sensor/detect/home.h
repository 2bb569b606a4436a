/* SPDX-License-Identifier: Apache-2.0 */
/*
 * home.h - who is at home in a segment: the victims of what is said to everybody there.
 *
 * Private to sensor/detect/.
 */
#ifndef DETECT_HOME_H
#define DETECT_HOME_H

#include "bulkhead/detector.h"

/* Victims told of one multicast attack.  A segment may hold hundreds of tenants, and an alert for
 * each says no more than the first few and their number. */
#define HOME_MAX 8

/* The other tenants of the event's segment: at most HOME_MAX are written, returns how many.
 * *total (may be NULL) counts all of them. */
unsigned home_others(const struct event *ev, uint32_t actor, uint32_t out[static HOME_MAX],
		     uint32_t *total);

/* An option of an ND message (RFC 4861 4.6): the body of the first
 * option of this type, NULL when there is none.  at: where the options begin in the message. */
const uint8_t *nd_option(const struct packet *packet, size_t at, uint8_t type, size_t *len);

/* The MAC in a link-layer address option (1 source, 2 target). */
bool nd_link_address(const struct packet *packet, size_t at, uint8_t type, struct mac_addr *mac);

#endif
