/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build.h - what all detectors share: making a finding out of an event, and who is who in it.
 *
 * Private to sensor/detect/.
 */
#ifndef DETECT_BUILD_H
#define DETECT_BUILD_H

#include "bulkhead/detector.h"

static inline bool is_tenant(uint32_t tenant)
{
	return tenant >= TENANT_FIRST;
}

/* Another tenant than actor: somebody who can be a victim of it. */
static inline bool is_other_tenant(uint32_t tenant, uint32_t actor)
{
	return is_tenant(tenant) && tenant != actor;
}

/* A new finding with the event's time, place, flow, frame and application; NULL when full. */
struct finding *build_finding(struct findings *out, const struct event *ev, const char *kind,
			      enum confidence confidence);

/* Parties.  The name of a host in the inventory wins over the address at hand. */
struct party party_of_carrier(const struct carrier *carrier, struct mac_addr mac);
struct party party_of_owner(const struct owner *owner, const struct ip_addr *ip);
struct party party_of_tenant(uint32_t tenant);
struct party party_of_host(const struct inventory *inv, uint32_t host);

/* Sets actor from who sent the event's frame (with its address when the packet's source is its
 * own). */
void build_actor_from(struct finding *finding, const struct event *ev);

/* Adds a frame as evidence (nothing when it has no bytes and no number). */
void build_frame(struct finding *finding, const struct finding_frame *frame);

/*
 * The victims of a packet that `actor` (a tenant id) had no business with: the owners of its
 * ends that are other tenants, the source first.  Returns how many (0..2) and fills which[]:
 * 0 the source, 1 the destination.
 */
unsigned build_victims(const struct event *ev, uint32_t actor, unsigned which[2]);
/* Sets victim (and peer, its other end) from end 0 (source) or 1 (destination) of the event. */
void build_victim_end(struct finding *finding, const struct event *ev, unsigned end);

/* Is the frame for a cluster that is delivered to by flooding on purpose? */
bool is_for_cluster(const struct event *ev);

/* May this NIC pass on the packet, by an allow entry of either end's? */
bool relay_is_allowed(const struct event *ev, const struct carrier *carrier);

/* The infrastructure's own may answer for anybody: routers, DHCP, DNS ... by role. */
bool carrier_has_role(const struct carrier *carrier, uint32_t roles);

#endif
