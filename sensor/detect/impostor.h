/* SPDX-License-Identifier: Apache-2.0 */
/*
 * impostor.h - unregistered NICs that claimed an address which is registered to another NIC.
 *
 * An unregistered NIC between a tenant and the provider's router may be that tenant's own firewall
 * whom nobody entered; it is an attacker's when it took the position by claiming what is not its
 * own.  An address whose owner has no NIC in the inventory is claimed by that owner, as far as
 * anybody can tell.
 */
#ifndef DETECT_IMPOSTOR_H
#define DETECT_IMPOSTOR_H

#include "bulkhead/detector.h"

struct impostors;

struct impostors *impostors_new(uint64_t seed); /* NULL: no memory */
void impostors_free(struct impostors *impostors);
#define IMPOSTOR_WANTS (EVENT_BIT(EVENT_ARP) | EVENT_BIT(EVENT_ND) | EVENT_BIT(EVENT_GATEWAY))

/* Of one of these. */
void impostors_note(struct impostors *impostors, const struct event *ev);
bool impostors_has(const struct impostors *impostors, struct mac_addr mac);
uint64_t impostors_evicted(const struct impostors *impostors);

#endif
