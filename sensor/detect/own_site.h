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

struct own_sites;

struct own_sites *own_sites_new(uint64_t seed);
void own_sites_free(struct own_sites *sites);
uint64_t own_sites_evicted(const struct own_sites *sites);

#define OWN_SITE_WANTS EVENT_BIT(EVENT_NAME)
/* A resolver's answer that comes by the provider's gear leads to a tenant's address. */
void own_sites_note(struct own_sites *sites, const struct event *ev);
/* A visitor from outside was served at this door. */
void own_sites_visited(struct own_sites *sites, uint16_t domain, const struct ip_addr *ip,
		       uint16_t port);

/* Is it a door that resolvers lead to, or, where visits count, that the world comes to? */
bool own_sites_has(const struct own_sites *sites, uint16_t domain, const struct ip_addr *ip,
		   uint16_t port, bool visits);

#endif
