/* SPDX-License-Identifier: Apache-2.0 */
/*
 * own_site.h - doors of a tenant's that the world is shown to: a site of its own, wherever it gets
 * its pages from.
 *
 * Private to sensor/detect/.
 */
#ifndef DETECT_OWN_SITE_H
#define DETECT_OWN_SITE_H

#include "bulkhead/detector.h"

struct leg_view;
struct own_sites;

struct own_sites *own_sites_new(uint64_t seed);
void own_sites_free(struct own_sites *sites);
uint64_t own_sites_evicted(const struct own_sites *sites);

#define OWN_SITE_WANTS EVENT_BIT(EVENT_NAME)
/* A resolver's answer that comes by no tenant's NIC leads to a tenant's address. */
void own_sites_note(struct own_sites *sites, const struct event *ev);
/*
 * Does a client visit a site of the relay's own, with the request or answer that came in and went
 * out?  Resolvers lead to its door (port 80), or led this client there; or the world comes to it,
 * or the provider's balancer does.
 */
bool own_sites_visit(struct own_sites *s, const struct event *ev, const struct leg_view *in,
		     const struct leg_view *out_leg, uint32_t relay);

#endif
